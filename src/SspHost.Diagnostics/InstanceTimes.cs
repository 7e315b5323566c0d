// What each instance took over a window: differences of the counters that the engine keeps while module times are on.
using System.Text;
using SspHost.Abi;

namespace SspHost.Diagnostics;

/// <summary>An instance over a window.</summary>
/// <param name="Module">Number of its module type.</param>
/// <param name="Quanta">Quanta that were timed, those it slept through included.</param>
/// <param name="Slept">Quanta it slept through.</param>
/// <param name="Nanoseconds">Time in all.</param>
/// <param name="Name">Its name.</param>
/// <param name="Class1">Of it, quanta awake and ns on cores of class 1.</param>
/// <param name="Class2">The same for class 2.</param>
/// <param name="Slot">Its slot.</param>
public readonly record struct InstanceTime(
    int Module, ulong Quanta, ulong Slept, ulong Nanoseconds, string Name, (ulong Quanta, ulong Nanoseconds) Class1 = default,
    (ulong Quanta, ulong Nanoseconds) Class2 = default, int Slot = 0)
{
    /// <summary>Quanta awake and ns on cores of a class.</summary>
    public (ulong Quanta, ulong Nanoseconds) On(int coreClass)
    {
        if (coreClass == 1) return Class1;
        if (coreClass == 2) return Class2;
        var (quanta, ns) = (Class1.Quanta + Class2.Quanta + Slept, Class1.Nanoseconds + Class2.Nanoseconds);
        return (Quanta - Math.Min(Quanta, quanta), Nanoseconds - Math.Min(Nanoseconds, ns)); // each counter is read at another moment
    }
}

/// <summary>Windows over an instance table. Not thread-safe: one reader, one object.</summary>
public sealed unsafe class InstanceTimes
{
    private readonly Counters[] _before = new Counters[Limits.MaxInstances];
    private readonly List<InstanceTime> _times = []; // asked for every second: the same list each time

    private record struct Counters(ulong Key, ulong Calls, ulong Slept, ulong Nanoseconds, ulong Calls1, ulong Nanoseconds1, ulong Calls2, ulong Nanoseconds2)
    {
        public readonly bool GoOnFrom(in Counters b) =>
            b.Key == Key && Calls >= b.Calls && Slept >= b.Slept && Nanoseconds >= b.Nanoseconds && Calls1 >= b.Calls1
            && Nanoseconds1 >= b.Nanoseconds1 && Calls2 >= b.Calls2 && Nanoseconds2 >= b.Nanoseconds2;
    }

    /// <summary>Forgets what it saw: windows begin anew.</summary>
    public void Restart() => Array.Clear(_before);

    /// <summary>
    /// The active instances with at least <paramref name="least"/> timed quanta since their window began, which then begins anew; the
    /// windows of the others go on. One seen for the first time, or whose counters restarted, only begins its window. By slot, good until the next call.
    /// </summary>
    public IReadOnlyList<InstanceTime> Next(ReadOnlySpan<InstanceRecord> records, ulong least)
    {
        _times.Clear();
        for (var i = 0; i < Math.Min(records.Length, _before.Length); i++)
        {
            ref readonly var r = ref records[i];
            ref var before = ref _before[i];
            if (r.State != InstanceState.Active)
            {
                before = default;
                continue;
            }

            var now = new Counters(
                r.Key, r.Calls, r.Slept, r.Nanoseconds, r.SlowCalls[0], r.SlowNanoseconds[0], r.SlowCalls[1], r.SlowNanoseconds[1]);
            if (!now.GoOnFrom(in before) || r.Key == 0)
            {
                before = now;
                continue;
            }

            var quanta = now.Calls - before.Calls;
            if (quanta == 0)
            {
                before = now; // not timed: what it slept meanwhile belongs to no window
                continue;
            }

            if (quanta < least) continue;
            _times.Add(new InstanceTime(
                r.Module, quanta, Math.Min(quanta, now.Slept - before.Slept), now.Nanoseconds - before.Nanoseconds, NameOf(in r),
                (now.Calls1 - before.Calls1, now.Nanoseconds1 - before.Nanoseconds1), (now.Calls2 - before.Calls2, now.Nanoseconds2 - before.Nanoseconds2), i));
            before = now;
        }

        return _times;
    }

    /// <summary>Name of an instance.</summary>
    public static string NameOf(in InstanceRecord r)
    {
        fixed (byte* name = r.Name)
        {
            var bytes = new ReadOnlySpan<byte>(name, InstanceRecord.NameBytes);
            var end = bytes.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
        }
    }
}
