// The scheduler's switches of the RT threads' cores over the last while, and who took a core from whom.
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>Who ran instead of a thread that would have gone on.</summary>
/// <param name="Tid">The thread that took the core.</param>
/// <param name="Name">Its name.</param>
/// <param name="Priority">Its priority as the kernel counts.</param>
/// <param name="Nanoseconds">For how long the core was away, as far as it is known, within the time asked about.</param>
/// <param name="Times">Times it was taken.</param>
public readonly record struct Preemption(int Tid, string Name, int Priority, ulong Nanoseconds, int Times);

/// <summary>A bounded log; the oldest goes first. Thread-safe.</summary>
public sealed class SwitchLog
{
    /// <summary>Switches kept: ten seconds of a busy engine.</summary>
    public const int Capacity = 1 << 16;

    private readonly Lock _lock = new();
    private SchedSwitch[] _switches = [];
    private long _count;

    /// <summary>Switches there ever were.</summary>
    public long Count
    {
        get
        {
            lock (_lock) return _count;
        }
    }

    public void Add(in SchedSwitch s)
    {
        lock (_lock)
        {
            if (_switches.Length == 0) _switches = new SchedSwitch[Capacity];
            _switches[_count++ % Capacity] = s;
        }
    }

    /// <summary>Those from one moment to another, in order of time.</summary>
    public SchedSwitch[] Copy(ulong from = 0, ulong to = ulong.MaxValue)
    {
        lock (_lock)
        {
            var found = new List<SchedSwitch>();
            for (var i = Math.Max(0, _count - Capacity); i < _count; i++)
            {
                ref readonly var s = ref _switches[i % Capacity];
                if (s.Time >= from && s.Time <= to) found.Add(s);
            }

            return [.. found.OrderBy(s => s.Time)];
        }
    }

    /// <summary>Forgets everything, its memory too.</summary>
    public void Clear()
    {
        lock (_lock) (_switches, _count) = ([], 0);
    }

    /// <summary>
    /// Who took the core longest from thread <paramref name="tid"/> while it would have gone on, between two moments (ns); null: nobody did, or
    /// nobody knows.
    /// </summary>
    public Preemption? Preempter(int tid, ulong from, ulong to) => Preempter(Copy(0, to), tid, from, to);

    /// <summary>The same of switches in order of time.</summary>
    public static Preemption? Preempter(ReadOnlySpan<SchedSwitch> switches, int tid, ulong from, ulong to)
    {
        var by = new Dictionary<int, Preemption>();
        (int Tid, string Name, int Priority, ulong Since)? away = null;
        foreach (ref readonly var s in switches)
        {
            if (s.Time > to) break;
            if (s.NextTid == tid) Close(s.Time);
            if (s.PreviousTid == tid) away = s.Preempted ? (s.NextTid, s.NextName, s.NextPriority, s.Time) : null;
        }

        Close(to); // it is away still
        return by.Count == 0 ? null : by.Values.MaxBy(p => p.Nanoseconds);

        void Close(ulong end)
        {
            if (away is { } a && end > from)
            {
                var before = by.GetValueOrDefault(a.Tid);
                by[a.Tid] = new Preemption(a.Tid, a.Name, a.Priority, before.Nanoseconds + (end - Math.Max(a.Since, from)), before.Times + 1);
            }

            away = null;
        }
    }
}
