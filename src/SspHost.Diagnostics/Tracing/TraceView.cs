// A trace as exporters show it: each thread's zones in order and properly nested, in nanoseconds, with names.
using System.Globalization;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>A zone or a mark of a thread.</summary>
public struct TraceItem
{
    /// <summary>Start in CLOCK_MONOTONIC ns.</summary>
    public ulong Start;

    /// <summary>Length in ns as it is shown; a mark has none.</summary>
    public ulong Shown;

    /// <summary>Length in ns as it was measured: longer than what is shown where the zone would stick out of the one around it.</summary>
    public ulong Nanoseconds;

    public ulong Quantum;

    public uint Value;

    public int Slot;

    public TraceKind Kind;

    /// <summary>Zones around it.</summary>
    public byte Depth;

    public ushort Core;

    /// <summary>End as it is shown.</summary>
    public readonly ulong End => Start + Shown;
}

/// <summary>One thread.</summary>
/// <param name="Zones">By start, the outer before the inner.</param>
/// <param name="Marks">By time.</param>
public sealed record TraceTrack(TraceSeat Seat, TraceItem[] Zones, TraceItem[] Marks);

/// <summary>A zone on the lane of a core.</summary>
/// <param name="Name">Thread, or what the scheduler says ran there.</param>
public readonly record struct CoreSlice(ulong Start, ulong Nanoseconds, string Name, int Tid);

/// <summary>The trace, within the time that was asked for.</summary>
public sealed class TraceView
{
    private const int NoCore = 0xFFFF;

    private readonly Dictionary<(int Slot, uint Key), TraceModule> _modules = [];

    public TraceView(RawTrace raw)
    {
        Raw = raw;
        var clock = new TraceClock([.. raw.Header.Anchors.Select(a => new ClockAnchor { Ticks = a.Ticks, Nanoseconds = a.Nanoseconds, Frequency = a.Frequency })]);
        foreach (var m in raw.Header.Modules) _modules[(m.Slot, m.Key)] = m;
        Tracks = [.. raw.Seats.Select(s => Track(s, clock))];
        Switches = [.. raw.Switches.Where(s => s.Time >= Header.From && s.Time <= Header.To)];
        (Start, End) = Extent();
    }

    public RawTrace Raw { get; }

    public TraceHeader Header => Raw.Header;

    /// <summary>Threads by seat.</summary>
    public IReadOnlyList<TraceTrack> Tracks { get; }

    /// <summary>Switches of the scheduler, in order of time.</summary>
    public IReadOnlyList<SchedSwitch> Switches { get; }

    /// <summary>First start and last end of anything, in ns; both 0 where there is nothing.</summary>
    public ulong Start { get; }

    /// <inheritdoc cref="Start"/>
    public ulong End { get; }

    /// <summary>Zones and marks in all.</summary>
    public long Zones => Tracks.Sum(t => (long)t.Zones.Length);

    /// <inheritdoc cref="Zones"/>
    public long Marks => Tracks.Sum(t => (long)t.Marks.Length);

    /// <summary>Whether a kind has a duration.</summary>
    public static bool IsZone(TraceKind kind) => kind is >= TraceKind.Quantum and <= TraceKind.Work;

    /// <summary>What a zone or mark is called.</summary>
    public string NameOf(in TraceItem item) => item.Kind switch
    {
        TraceKind.Quantum => "quantum",
        TraceKind.Wait => "wait",
        TraceKind.Wake => "wake-up",
        TraceKind.Module => ModuleOf(in item)?.Name is { Length: > 0 } name ? name : string.Create(CultureInfo.InvariantCulture, $"module in slot {item.Slot}"),
        TraceKind.Join => "join",
        TraceKind.Swap => "swap",
        TraceKind.Work => "work",
        TraceKind.Faults => "page faults",
        TraceKind.Preempted => "preempted",
        TraceKind.Late => "late",
        TraceKind.Dropout => "dropout",
        TraceKind.Takeover => "takeover",
        EventCodec.Missing => "events missing here",
        _ => string.Create(CultureInfo.InvariantCulture, $"kind {(byte)item.Kind}"),
    };

    /// <summary>What the value of a kind is; null: nothing to show.</summary>
    public static string? ValueOf(TraceKind kind) => kind switch
    {
        TraceKind.Quantum => "load",
        TraceKind.Swap => "plan",
        TraceKind.Work => "nodes",
        TraceKind.Faults => "faults",
        TraceKind.Preempted => "times",
        TraceKind.Late or TraceKind.Dropout => "incident",
        EventCodec.Missing => "events",
        _ => null,
    };

    /// <summary>The module an item is of, where it is one and its name is known.</summary>
    public TraceModule? ModuleOf(in TraceItem item) =>
        item.Kind is TraceKind.Module ? _modules.GetValueOrDefault((item.Slot, item.Value)) : null;

    /// <summary>
    /// Lanes of the cores: who ran there. By the scheduler's switches where they are known; else quanta and workers' turns on the core that their
    /// thread is pinned to. What would overlap on a lane goes to a further one of the same core.
    /// </summary>
    public IReadOnlyList<(int Core, CoreSlice[] Slices)> Cores()
    {
        var found = new SortedDictionary<int, List<CoreSlice>>();
        void Add(int core, CoreSlice slice)
        {
            if (!found.TryGetValue(core, out var list)) found[core] = list = [];
            list.Add(slice);
        }

        if (Switches.Count > 0)
        {
            // Only switches to and from RT threads are traced: between two of a core, it belonged to whoever was switched to.
            var last = new Dictionary<int, SchedSwitch>();
            foreach (var s in Switches)
            {
                if (last.TryGetValue(s.Core, out var before)) Add(s.Core, new CoreSlice(before.Time, s.Time - before.Time, Named(before.NextName, before.NextTid), before.NextTid));
                last[s.Core] = s;
            }
        }
        else
        {
            foreach (var track in Tracks)
            {
                foreach (ref readonly var z in track.Zones.AsSpan())
                    if (z.Kind is TraceKind.Quantum or TraceKind.Work && z.Core != NoCore) Add(z.Core, new CoreSlice(z.Start, z.Shown, track.Seat.Name, track.Seat.Tid));
            }
        }

        var lanes = new List<(int, CoreSlice[])>();
        foreach (var (core, slices) in found)
        {
            var open = new List<List<CoreSlice>>();
            foreach (var slice in slices.OrderBy(s => s.Start))
            {
                var lane = open.Find(l => l[^1].Start + l[^1].Nanoseconds <= slice.Start);
                if (lane == null) open.Add(lane = []);
                lane.Add(slice);
            }

            foreach (var lane in open) lanes.Add((core, [.. lane]));
        }

        return lanes;
    }

    private static string Named(string name, int tid) => tid == 0 ? "idle" : name;

    private TraceTrack Track(int seat, TraceClock clock)
    {
        var zones = new List<TraceItem>();
        var marks = new List<TraceItem>();
        foreach (ref readonly var e in Raw.EventsOf(seat).AsSpan())
        {
            var start = clock.Nanoseconds(e.Ticks);
            var end = IsZone(e.Kind) ? Math.Max(start, clock.Nanoseconds(e.Ticks + e.Duration)) : start;
            if (end < Header.From || start > Header.To) continue;
            var item = new TraceItem
            {
                Start = start, Shown = end - start, Nanoseconds = end - start, Quantum = e.Quantum, Value = e.Value, Slot = e.Slot, Kind = e.Kind, Core = e.Core,
            };
            (IsZone(e.Kind) ? zones : marks).Add(item);
        }

        Nest(zones);
        marks.Sort((a, b) => a.Start.CompareTo(b.Start));
        var info = Header.Seats.FirstOrDefault(s => s.Seat == seat) ?? new TraceSeat(seat, string.Create(CultureInfo.InvariantCulture, $"seat {seat}"), Header.EnginePid + seat + 1, -1, "", 0);
        return new TraceTrack(info, [.. zones], [.. marks]);
    }

    // By start, the outer first; what would stick out of the zone around it is shown up to that one's end.
    private static void Nest(List<TraceItem> zones)
    {
        zones.Sort((a, b) => a.Start != b.Start ? a.Start.CompareTo(b.Start) : a.Shown != b.Shown ? b.Shown.CompareTo(a.Shown) : Rank(a.Kind).CompareTo(Rank(b.Kind)));
        var ends = new Stack<ulong>();
        foreach (ref var z in CollectionsMarshal.AsSpan(zones))
        {
            while (ends.TryPeek(out var end) && end <= z.Start) ends.Pop();
            if (ends.TryPeek(out var around) && z.End > around) z.Shown = around - z.Start;
            z.Depth = (byte)Math.Min(ends.Count, byte.MaxValue);
            if (z.Shown > 0) ends.Push(z.End);
        }
    }

    private static int Rank(TraceKind kind) => kind switch
    {
        TraceKind.Wait or TraceKind.Quantum or TraceKind.Work => 0,
        TraceKind.Module => 2,
        _ => 1,
    };

    private (ulong Start, ulong End) Extent()
    {
        ulong start = ulong.MaxValue, end = 0;
        foreach (var t in Tracks)
        {
            foreach (ref readonly var z in t.Zones.AsSpan()) (start, end) = (Math.Min(start, z.Start), Math.Max(end, z.End));
            foreach (ref readonly var m in t.Marks.AsSpan()) (start, end) = (Math.Min(start, m.Start), Math.Max(end, m.Start));
        }

        if (start > end && Switches.Count > 0) (start, end) = (Switches[0].Time, Switches[^1].Time);
        return start > end ? (0, 0) : (start, end);
    }
}
