// Synthetic traces: a region with rings that a test fills as an engine would, and a trace file made of them.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Diagnostics.Tracing;

namespace SspHost.Tests;

/// <summary>Rings of some seats in a region of this process. Ticks are 3 a nanosecond, and tick 0 is <see cref="Epoch"/>.</summary>
internal sealed unsafe class TraceRegion : IDisposable
{
    public const ulong Epoch = 50_000_000_000, TicksPerNs = 3;
    private const int TableAt = 4096, AnchorAt = 8192, RingsAt = 16384;

    private readonly byte* _memory;
    private readonly int _capacity;

    public TraceRegion(int seats, int capacity = 4096)
    {
        _capacity = capacity;
        var each = (SpscRing<TraceEvent>.BytesFor(capacity) + 127) & ~127L;
        var bytes = RingsAt + (each * seats);
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 4096);
        new Span<byte>(_memory, (int)bytes).Clear();
        var header = (RegionHeader*)_memory;
        header->TraceRingsOffset = TableAt;
        header->ClockAnchorOffset = AnchorAt;
        for (var s = 0; s < seats; s++)
        {
            ((long*)(_memory + TableAt))[s] = RingsAt + (each * s);
            _ = SpscRing<TraceEvent>.Create(_memory + RingsAt + (each * s), capacity);
        }

        Map = RegionMap.Over(_memory, bytes);
    }

    public RegionMap Map { get; }

    public int Capacity => _capacity;

    public bool Push(int seat, in TraceEvent e)
    {
        Assert.True(Map.TryTrace(seat, out var ring));
        return ring.TryPush(in e);
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);
}

/// <summary>A trace made by hand, through drain, store and file.</summary>
internal static class SyntheticTrace
{
    public const int Rate = 48_000, Quantum = 32;
    public const ulong Budget = 666_667;

    /// <summary>Events of an audio thread and a worker over some quanta: what nests nests, marks here and there.</summary>
    public static List<(int Seat, TraceEvent Event)> Events(int quanta, int modules, int seed)
    {
        var random = new Random(seed);
        var events = new List<(int, TraceEvent)>();
        ulong ns = 1000;
        for (ulong q = 100; q < 100 + (ulong)quanta; q++)
        {
            var waited = (ulong)random.Next(50_000, 400_000);
            var late = (ulong)random.Next(1000, 40_000);
            events.Add((0, At(TraceKind.Wake, q, ns + waited - late, late, value: (uint)late)));
            events.Add((0, At(TraceKind.Wait, q, ns, waited)));
            ns += waited;
            var start = ns;
            ns += 500;
            if (random.Next(20) == 0)
            {
                events.Add((0, At(TraceKind.Swap, q, ns, 1500, value: (uint)q)));
                ns += 1600;
            }

            var worker = ns + 200;
            var workerStart = worker;
            uint nodes = 0;
            for (var m = 0; m < modules; m++)
            {
                var took = (ulong)random.Next(80, 2000);
                if (m % 3 == 2)
                {
                    events.Add((1, At(TraceKind.Module, q, worker, took, KeyOf(m), m, core: 2)));
                    worker += took + 15;
                    nodes++;
                }
                else
                {
                    events.Add((0, At(TraceKind.Module, q, ns, took, KeyOf(m), m)));
                    ns += took + 15;
                }
            }

            if (nodes > 0) events.Add((1, At(TraceKind.Work, q, workerStart - 100, worker - workerStart + 150, nodes, core: 2)));
            if (worker > ns)
            {
                events.Add((0, At(TraceKind.Join, q, ns, worker - ns + 60)));
                ns = worker + 60;
            }

            ns += 300;
            var load = (uint)((ns - start) * 1_000_000 / Budget);
            events.Add((0, At(TraceKind.Quantum, q, start, ns - start, load)));
            if (random.Next(30) == 0) events.Add((0, At(TraceKind.Faults, q, ns, 0, 2)));
            if (random.Next(30) == 0) events.Add((1, At(TraceKind.Preempted, q, worker + 100, 0, 1, core: 2)));
            if (random.Next(50) == 0) events.Add((0, At(TraceKind.Dropout, q, ns, 0, 7, slot: 64)));
            ns += 20;
        }

        return events;
    }

    public static uint KeyOf(int module) => (uint)(module + 1) * 0x9E37_79B9u;

    public static TraceEvent At(TraceKind kind, ulong quantum, ulong ns, ulong length, uint value = 0, int slot = -1, ushort core = 1) => new()
    {
        Ticks = ns * TraceRegion.TicksPerNs, Duration = (uint)(length * TraceRegion.TicksPerNs), Quantum = quantum, Value = value, Slot = slot, Kind = kind, Core = core,
    };

    public static TraceHeader Header(int modules, IEnumerable<string>? names = null) => new()
    {
        EnginePid = 4000, EngineVersion = "1.2.3", Machine = "test", Rate = Rate, Quantum = Quantum, Time = "2026-01-31T20:15:00.000000Z", BootOffset = 7_000_000,
        Seats = [new TraceSeat(0, "ssp-audio", 4001, 1, "FIFO", 80), new TraceSeat(1, "ssp-worker 1", 4002, 2, "FIFO", 79)],
        Modules = [.. (names ?? Enumerable.Range(0, modules).Select(m => $"module {m}")).Select((n, m) => new TraceModule(m, KeyOf(m), n, "vco"))],
        Anchors = [new TraceAnchor(0, TraceRegion.Epoch, 3e9), new TraceAnchor(3_000_000_000, TraceRegion.Epoch + 1_000_000_000, 3e9)],
        Memory = [.. Enumerable.Range(0, 5).Select(i => new TraceMemory(TraceRegion.Epoch + ((ulong)i * 100_000), 1_000_000 - (i * 1000)))],
        Incidents = [new TraceIncident(TraceRegion.Epoch + 500_000, "dropout", "64 frames lost, \"reported\" by the device", "module 1")],
        Scheduler = "recorded",
    };

    public static IReadOnlyList<SchedSwitch> Switches() =>
    [
        new(TraceRegion.Epoch + 100_000, 1, 4001, 19, 'S', "ssp-audio", 0, 120, "swapper/1"),
        new(TraceRegion.Epoch + 200_000, 1, 0, 120, 'R', "swapper/1", 4001, 19, "ssp-audio"),
        new(TraceRegion.Epoch + 300_000, 1, 4001, 19, 'R', "ssp-audio", 77, 9, "irq/7 \"card\""),
        new(TraceRegion.Epoch + 350_000, 1, 77, 9, 'S', "irq/7 \"card\"", 4001, 19, "ssp-audio"),
        new(TraceRegion.Epoch + 120_000, 2, 4002, 20, 'S', "ssp-worker 1", 0, 120, "swapper/2"),
    ];

    /// <summary>The bytes of a raw trace of these events.</summary>
    public static byte[] Raw(IEnumerable<(int Seat, TraceEvent Event)> events, TraceHeader header, IReadOnlyList<SchedSwitch>? switches = null)
    {
        using var store = new ChunkStore();
        foreach (var (seat, e) in events) store.Append(seat, in e);
        using var file = new MemoryStream();
        using (var snapshot = store.Snapshot()) RawTraceWriter.Write(file, header, snapshot, (switches ?? []).OrderBy(s => s.Time).ToArray());
        return file.ToArray();
    }

    public static TraceView View(int quanta, int modules, int seed) => new(RawTrace.Read(Raw(Events(quanta, modules, seed), Header(modules), Switches())));

    public static byte[] Export(string format, TraceView view)
    {
        using var output = new MemoryStream();
        TraceFormat.Write(format, view, output);
        return output.ToArray();
    }

    public static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
