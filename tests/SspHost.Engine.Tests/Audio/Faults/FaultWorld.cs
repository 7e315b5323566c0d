// A world with faults in it: true time, a converter that follows it more or less, a cable that is pulled, and a witness of what was heard.
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio.Faults;

internal enum FaultKind
{
    /// <summary>The device reports an xrun though it had frames.</summary>
    XRun,

    /// <summary>The card is away for <see cref="Fault.For"/>.</summary>
    Unplug,

    /// <summary>From now on the converter is <see cref="Fault.Amount"/> ppm too fast.</summary>
    Drift,

    /// <summary>Timestamps are wrong: see <see cref="Leap"/>.</summary>
    ClockJump,

    /// <summary>A sleep that would end within <see cref="Fault.For"/> ends after it.</summary>
    LateWakeUp,

    /// <summary>A quantum that begins from here on takes <see cref="Fault.For"/>.</summary>
    SlowQuantum,
}

internal enum Leap
{
    /// <summary>One timestamp is off by Amount.</summary>
    Once,

    /// <summary>All from here on are.</summary>
    Stays,

    /// <summary>For a while they repeat the last one.</summary>
    Repeats,

    /// <summary>For a while they are 0.</summary>
    Missing,
}

/// <summary>Times in ns since the world began.</summary>
internal struct Fault
{
    public FaultKind Kind;
    public Leap Leap;
    public ulong At, For;
    public long Amount;
    public bool Happened;

    public override readonly string ToString() => $"{Kind} at {At / 1e6:0.000} ms for {For / 1e6:0.000} ms, {Amount}, {Leap}";
}

/// <summary>Once the stream stopped: why, when, and what the converter missed until it ran again.</summary>
internal struct Stop
{
    public DropoutCause Cause; // Unknown: the converter ran dry; the shares tell why
    public ulong LateNs, SlowNs;
    public long Frames;
}

/// <summary>A timestamp as handed over: missing, or off by so much.</summary>
internal struct Stamp
{
    public bool Missing;
    public long Off;
}

/// <summary>
/// The physics, and what it saw: nothing here asks the loop. The converter is at floor(converted time * rate) frames, plays frame f as its
/// frame f + Buffer, and stops when it is told to, unplugged, or left without a frame.
/// </summary>
internal unsafe struct FaultWorld
{
    public const int MaxStamps = 1 << 17, MaxStops = 512;
    private const ulong Million = 1_000_000, Second = 1_000_000_000;

    public VirtualTime* Time;
    public Fault* Faults;
    public int FaultCount;
    public ulong Began;
    public int Rate, Buffer, Quantum;
    public ulong BaseCost;
    public SimulatedJacks Jacks;
    public int Outputs;

    // What the converter knows.
    public bool Running, AwayTold, Early;
    public ulong Position, Restart, StoppedAt;
    public long Unplayed;

    // What the witness saw.
    public Stop* Stops;
    public Stamp* Stamps;
    public int StopCount, StampCount, Late, Misaligned, Disagreements;
    public ulong LateNs, SlowNs, LastCost, LastRaw, LatestWake;

    public readonly ulong Now => Time->Now - Began;

    public readonly ulong QuantumNs => (ulong)Quantum * Second / (ulong)Rate;

    public readonly bool IsAbsent => IsAbsentAt(Now);

    /// <summary>Whether the engine would find an unplugged card, or has still to be told that it was.</summary>
    public readonly bool IsAway => !Running && Stops[StopCount - 1].Cause == DropoutCause.Unplugged && (IsAbsent || !AwayTold);

    /// <summary>The converter's time in ns, exact to the ns, at world time <paramref name="t"/>.</summary>
    public readonly ulong Converted(ulong t) => ConvertedExactly(t) / Million;

    /// <summary>The first world time at which the converter's is <paramref name="converted"/>.</summary>
    public readonly ulong Unconverted(ulong converted)
    {
        var (low, high) = (converted - (converted / 500), converted + (converted / 500) + 1); // 1000 ppm at most, either way
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (Converted(middle) >= converted) high = middle;
            else low = middle + 1;
        }

        return low;
    }

    public readonly ulong FramesAt(ulong t)
    {
        var c = Converted(t);
        return (c / Second * (ulong)Rate) + (c % Second * (ulong)Rate / Second);
    }

    public readonly ulong TimeOfFrame(ulong frame) =>
        Unconverted((frame / (ulong)Rate * Second) + (((frame % (ulong)Rate * Second) + (ulong)Rate - 1) / (ulong)Rate));

    /// <summary>A sleep of the audio thread.</summary>
    public void SleepUntil(ulong until)
    {
        Time->Sleeps++;
        if (until <= Now) return;
        var woken = until;
        for (var again = true; again;)
        {
            again = false;
            for (var i = 0; i < FaultCount; i++)
            {
                ref var f = ref Faults[i];
                if (f.Kind != FaultKind.LateWakeUp || woken < f.At || woken >= f.At + f.For) continue;
                woken = f.At + f.For;
                again = true;
            }
        }

        (LateNs, SlowNs) = (woken - until, 0);
        LatestWake = Math.Max(LatestWake, LateNs);
        Time->Now = Began + woken;
    }

    /// <summary>A quantum is rendered.</summary>
    public void Render(ulong frame)
    {
        if (frame != Position) Misaligned++;
        var cost = BaseCost;
        for (var i = 0; i < FaultCount; i++)
        {
            ref var f = ref Faults[i];
            if (f.Kind != FaultKind.SlowQuantum || f.Happened || Now < f.At) continue;
            f.Happened = true;
            cost += f.For;
        }

        LastCost = cost;
        SlowNs += cost > QuantumNs ? cost - QuantumNs : 0;
        Time->Now += cost;
    }

    /// <summary>Lets happen what has happened up to now.</summary>
    public void Look()
    {
        var now = Now;
        while (true)
        {
            var first = ulong.MaxValue;
            var which = -1;
            for (var i = 0; i < FaultCount; i++)
            {
                ref var f = ref Faults[i];
                if (f.Kind is not (FaultKind.XRun or FaultKind.Unplug) || f.Happened || f.At > now || f.At >= first) continue;
                (first, which) = (f.At, i);
            }

            var ranDry = Running && FramesAt(now) > Position + (ulong)Buffer;
            var dry = ranDry ? TimeOfFrame(Position + (ulong)Buffer + 1) : ulong.MaxValue;
            if (dry <= now && dry < first)
            {
                Halt(DropoutCause.Unknown, dry, Position + (ulong)Buffer);
                continue;
            }

            if (which < 0) return;
            Faults[which].Happened = true;
            var cause = Faults[which].Kind == FaultKind.XRun ? DropoutCause.Device : DropoutCause.Unplugged;
            if (Running) Halt(cause, first, FramesAt(first));
            else if (cause == DropoutCause.Unplugged && !IsAway) (Stops[StopCount - 1].Cause, AwayTold) = (cause, false);
        }
    }

    private readonly bool IsAbsentAt(ulong t)
    {
        for (var i = 0; i < FaultCount; i++)
        {
            if (Faults[i].Kind == FaultKind.Unplug && Faults[i].At <= t && t < Faults[i].At + Faults[i].For) return true;
        }

        return false;
    }

    /// <summary>The next world time at which somebody pulls a cable or a device gives up.</summary>
    public readonly ulong NextEvent()
    {
        var next = ulong.MaxValue;
        for (var i = 0; i < FaultCount; i++)
        {
            ref var f = ref Faults[i];
            if (f.Kind is FaultKind.XRun or FaultKind.Unplug && !f.Happened && f.At > Now) next = Math.Min(next, f.At);
        }

        return next;
    }

    /// <summary>Frames <paramref name="from"/> .. <paramref name="to"/> of the converter are not heard.</summary>
    public readonly void Erase(ulong from, ulong to)
    {
        to = Math.Min(to, (ulong)Jacks.Frames);
        if (from >= to) return; // played beyond what is recorded
        for (var j = 0; j < Outputs; j++) new Span<float>(Jacks.Played + (j * Jacks.Frames) + (long)from, (int)(to - from)).Fill(float.NaN);
    }

    /// <summary>The stream runs again, from frame <see cref="Position"/> on and with a buffer of silence before it.</summary>
    public void Run()
    {
        Stops[StopCount - 1].Frames += (long)Position;
        (Running, Restart) = (true, Position);
    }

    /// <summary>What the timestamp of a wait will say instead of the truth.</summary>
    public ulong StampOf(ulong truth)
    {
        var stamp = default(Stamp);
        var raw = truth;
        for (var i = 0; i < FaultCount; i++)
        {
            ref var f = ref Faults[i];
            if (f.Kind != FaultKind.ClockJump || Now < f.At) continue;
            var during = f.Leap switch { Leap.Once => !f.Happened, Leap.Stays => true, _ => Now < f.At + f.For };
            f.Happened = true;
            if (!during) continue;
            stamp.Missing |= f.Leap is Leap.Missing or Leap.Repeats;
            if (f.Leap == Leap.Missing) raw = 0;
            else if (f.Leap == Leap.Repeats) raw = LastRaw;
            else stamp.Off += f.Amount;
        }

        if (!stamp.Missing) raw += (ulong)stamp.Off;
        Stamps[StampCount++] = stamp;
        return LastRaw = raw;
    }

    // Frames: what will be missing, but for the frame it goes on at. Nothing is missed twice where it had not yet come to real frames.
    private void Halt(DropoutCause cause, ulong at, ulong hardware)
    {
        var end = Position + (ulong)Buffer;
        var missedFrom = Math.Max(hardware, Restart + (ulong)Buffer);
        Unplayed = (long)(end - Math.Min(end, missedFrom));
        Early = hardware < end;
        Erase(Math.Min(end, hardware), end);
        Stops[StopCount++] = new Stop { Cause = cause, LateNs = LateNs, SlowNs = SlowNs, Frames = Buffer - (long)missedFrom };
        (Running, StoppedAt, AwayTold) = (false, at, false);
    }

    // In millionths of a ns: exact, piece by piece between changes of rate.
    private readonly ulong ConvertedExactly(ulong t)
    {
        ulong since = 0, atSince = 0, done = 0;
        long ppm = 0;
        while (true)
        {
            var next = ulong.MaxValue;
            long nextPpm = 0;
            for (var i = 0; i < FaultCount; i++)
            {
                ref var f = ref Faults[i];
                if (f.Kind != FaultKind.Drift || f.At < done || f.At >= next) continue;
                (next, nextPpm) = (f.At, f.Amount);
                for (var k = i + 1; k < FaultCount; k++)
                {
                    if (Faults[k].Kind == FaultKind.Drift && Faults[k].At == next) nextPpm = Faults[k].Amount; // together: the last one holds
                }
            }

            var rate = Million + (ulong)ppm;
            if (next > t) return atSince + ((t - since) * rate);
            atSince += (next - since) * rate;
            (since, ppm, done) = (next, nextPpm, next + 1);
        }
    }
}
