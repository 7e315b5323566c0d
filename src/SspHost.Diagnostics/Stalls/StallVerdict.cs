// Why a thread was late: a function of what was seen of it, and of nothing else.
using SspHost.Abi;

namespace SspHost.Diagnostics.Stalls;

/// <summary>What held it.</summary>
public enum StallCause
{
    /// <summary>The looks do not say.</summary>
    Unknown = 0,

    /// <summary>It computed all the time.</summary>
    Spinning = 1,

    /// <summary>It waited in a system call.</summary>
    Blocked = 2,

    /// <summary>It was ready and did not get its core.</summary>
    Preempted = 3,

    /// <summary>It waited for its own memory.</summary>
    PageFault = 4,

    /// <summary>It was stopped, or the whole engine was.</summary>
    Stopped = 5,
}

/// <summary>The verdict on one stall.</summary>
/// <param name="Cause">What held it.</param>
/// <param name="Confidence">1: every look agrees; less: so many of them do.</param>
/// <param name="Call">System call it waited in; null: none.</param>
/// <param name="At">Where it computed, or the frame of ours that made the call; null: nobody saw.</param>
public readonly record struct StallVerdict(StallCause Cause, double Confidence, string? Call, StallFrame? At)
{
    // Faults that a module takes now and then explain nothing; a page read back costs 10 us and more, and the looks are 50 to 100 us apart.
    private const uint ManyFaults = 4;

    /// <summary>The verdict. <paramref name="looks"/>: the frames of each look, innermost first.</summary>
    public static StallVerdict Of(in StallRecord r, IReadOnlyList<IReadOnlyList<StallFrame>> looks)
    {
        if (r.SampleCount <= 0) return new StallVerdict(StallCause.Stopped, 1, null, null); // the watchdog stood still itself
        var count = Math.Min(r.SampleCount, StallRecord.Samples);
        var (cause, agree) = CauseOf(in r, count);
        var call = cause is StallCause.Blocked && r.SystemCall >= 0 ? SystemCalls.NameOf(r.SystemCall) : null;
        return new StallVerdict(cause, agree / (double)count, call, OwnFrame(looks));
    }

    private static (StallCause Cause, int Agree) CauseOf(in StallRecord r, int count)
    {
        var states = r.States;
        int Looks(Func<char, bool> like)
        {
            var n = 0;
            for (var k = 0; k < count; k++) n += like((char)(byte)(states >> (8 * k))) ? 1 : 0;
            return n;
        }

        // The first look is the one that nobody has disturbed: the signal that asks for a walk wakes who sleeps.
        var first = (char)(byte)states;
        if (first is 'T' or 't') return (StallCause.Stopped, Looks(static c => c is 'T' or 't'));
        // A signal ends a wait for a page, and the next attempt finds it there: what was major is minor then, but the thread has slept without a call.
        var fetched = r.SystemCall == -1 && (Looks(static c => c == 'D') > 0 || (r.MinorFaults > 0 && r.VoluntarySwitches > 0));
        var faults = (ulong)r.MajorFaults + (r.MinorFaults >= ManyFaults ? r.MinorFaults : 0);
        if (first is 'D' or 'S' or 'I')
        {
            // Asleep without having called for it: the kernel fetches a page.
            if (r.SystemCall == -1) return (StallCause.PageFault, faults > 0 ? count : Looks(static c => c is 'D' or 'S'));
            return (StallCause.Blocked, count);
        }

        if (first != 'R' || r.Window == 0) return (StallCause.Unknown, count);
        if (faults > 0 || fetched) return (StallCause.PageFault, r.MajorFaults > 0 ? count : Math.Max(1, Looks(static c => c is 'R' or 'D')));
        var computed = r.CpuTime / (double)r.Window;
        if (computed >= 0.5) return (StallCause.Spinning, Looks(static c => c == 'R'));
        var ready = Looks(static c => c == 'R');
        return ready * 2 > count ? (StallCause.Preempted, ready) : (StallCause.Unknown, count - ready);
    }

    // The innermost frame of ours that the most looks have; the first look's where they differ.
    private static StallFrame? OwnFrame(IReadOnlyList<IReadOnlyList<StallFrame>> looks)
    {
        StallFrame? best = null;
        var most = 0;
        foreach (var look in looks)
        {
            if (Innermost(look) is not { } frame) continue;
            var same = looks.Count(l => Innermost(l) is { } f && f.Place.Function == frame.Place.Function);
            if (same > most) (best, most) = (frame, same);
        }

        return best;
    }

    private static StallFrame? Innermost(IReadOnlyList<StallFrame> frames)
    {
        foreach (var frame in frames)
            if (frame.IsOwn) return frame;
        return null;
    }
}
