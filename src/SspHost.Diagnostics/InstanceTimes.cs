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
public readonly record struct InstanceTime(int Module, ulong Quanta, ulong Slept, ulong Nanoseconds, string Name);

/// <summary>Windows over an instance table. Not thread-safe: one reader, one object.</summary>
public sealed unsafe class InstanceTimes
{
    private readonly (ulong Key, ulong Calls, ulong Slept, ulong Nanoseconds)[] _before = new (ulong, ulong, ulong, ulong)[Limits.MaxInstances];

    /// <summary>Forgets what it saw: windows begin anew.</summary>
    public void Restart() => Array.Clear(_before);

    /// <summary>
    /// The active instances with at least <paramref name="least"/> timed quanta since their window began, which then begins anew; the
    /// windows of the others go on. One seen for the first time, or whose counters restarted, only begins its window.
    /// </summary>
    public IReadOnlyList<InstanceTime> Next(ReadOnlySpan<InstanceRecord> records, ulong least)
    {
        var times = new List<InstanceTime>();
        for (var i = 0; i < Math.Min(records.Length, _before.Length); i++)
        {
            ref readonly var r = ref records[i];
            ref var before = ref _before[i];
            if (r.State != InstanceState.Active)
            {
                before = default;
                continue;
            }

            var now = (r.Key, r.Calls, r.Slept, r.Nanoseconds);
            var goesOn = before.Key == now.Key && now.Calls >= before.Calls && now.Slept >= before.Slept && now.Nanoseconds >= before.Nanoseconds;
            if (!goesOn || r.Key == 0)
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
            times.Add(new InstanceTime(r.Module, quanta, Math.Min(quanta, now.Slept - before.Slept), now.Nanoseconds - before.Nanoseconds, NameOf(in r)));
            before = now;
        }

        return times;
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
