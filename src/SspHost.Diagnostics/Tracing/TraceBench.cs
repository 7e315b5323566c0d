// What looking costs the control side: an event drained and encoded, a trace written in each format.
using System.Diagnostics;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>Draining at some number of modules. Core: fraction of one core at 48 kHz and quanta of 32 frames.</summary>
public sealed record DrainCost(int Modules, double NanosecondsPerEvent, double BytesPerEvent, double EventsPerSecond, double Core, double MegabytesOfTenSeconds);

/// <summary>Writing a trace in a format.</summary>
public sealed record ExportCost(string Format, long Events, double Seconds, double Megabytes, double MegabytesPerSecond, double EventsPerSecond);

/// <summary>What `ssp bench trace` measures.</summary>
public sealed record TraceBenchReport
{
    public int Version { get; init; } = 1;

    public required IReadOnlyList<DrainCost> Drain { get; init; }

    /// <summary>ns of a turn that finds nothing.</summary>
    public required double IdleTurnNanoseconds { get; init; }

    public required IReadOnlyList<ExportCost> Export { get; init; }
}

/// <summary>Rings filled by hand, drained as a host drains them.</summary>
public static unsafe class TraceBench
{
    private const int Rounds = 60, Warm = 10;
    private const double QuantaPerSecond = 48_000.0 / 32, TicksPerSecond = 3e9;
    private const int ExportSeconds = 10, ExportModules = 40;

    public static TraceBenchReport Run() => new()
    {
        Drain = [DrainOf(10), DrainOf(40), DrainOf(200)],
        IdleTurnNanoseconds = Idle(),
        Export = Export(),
    };

    private static DrainCost DrainOf(int modules)
    {
        using var rig = new Rig();
        var times = new double[Rounds];
        long bytes = 0, events = 0;
        for (var round = -Warm; round < Rounds; round++)
        {
            rig.Fill(modules);
            var before = rig.Store.EncodedBytes;
            var start = Linux.Now();
            var taken = rig.Drain.Turn(rig.Map);
            var took = Linux.Now() - start;
            rig.Store.Trim(rig.Store.LastTicks - Math.Min(rig.Store.LastTicks, (ulong)(10 * TicksPerSecond)));
            if (round < 0) continue;
            times[round] = took / (double)taken;
            bytes += rig.Store.EncodedBytes - before;
            events += taken;
        }

        Array.Sort(times);
        var (ns, each, perSecond) = (times[Rounds / 2], bytes / (double)events, QuantaPerSecond * (modules + 3));
        return new DrainCost(modules, ns, each, perSecond, perSecond * ns / 1e9, perSecond * 10 * each / 1e6);
    }

    private static double Idle()
    {
        using var rig = new Rig();
        const int turns = 100_000;
        for (var i = 0; i < 1000; i++) rig.Drain.Turn(rig.Map);
        var start = Linux.Now();
        for (var i = 0; i < turns; i++) rig.Drain.Turn(rig.Map);
        return (Linux.Now() - start) / (double)turns;
    }

    private static List<ExportCost> Export()
    {
        using var rig = new Rig();
        var wanted = (long)(QuantaPerSecond * ExportSeconds * (ExportModules + 3));
        while (rig.Store.Events < wanted)
        {
            rig.Fill(ExportModules);
            rig.Drain.Turn(rig.Map);
        }

        var header = new TraceHeader
        {
            EnginePid = 1000, Rate = 48_000, Quantum = 32, EngineVersion = "bench", Seats = [new TraceSeat(0, "ssp-audio", 1001, 1, "FIFO", 80)],
            Anchors = [new TraceAnchor(1, 1, TicksPerSecond), new TraceAnchor((ulong)TicksPerSecond + 1, 1_000_000_001, TicksPerSecond)],
            Modules = [.. Enumerable.Range(0, ExportModules).Select(m => new TraceModule(m, Rig.KeyOf(m), $"module{m}", "vco"))],
        };
        using var raw = new MemoryStream();
        var costs = new List<ExportCost>();
        using (var snapshot = rig.Store.Snapshot()) costs.Add(Timed("raw", rig.Store.Events, raw, s => RawTraceWriter.Write(s, header, snapshot, [])));
        var view = new TraceView(RawTrace.Read(raw.ToArray()));
        foreach (var format in TraceFormat.Names.Where(f => f != "raw"))
        {
            using var counted = new CountingStream();
            costs.Add(Timed(format, rig.Store.Events, counted, s => TraceFormat.Write(format, view, s)));
        }

        return costs;
    }

    private static ExportCost Timed(string format, long events, Stream output, Action<Stream> write)
    {
        var clock = Stopwatch.StartNew();
        write(output);
        var (seconds, megabytes) = (clock.Elapsed.TotalSeconds, output.Length / 1e6);
        return new ExportCost(format, events, seconds, megabytes, megabytes / seconds, events / seconds);
    }

    // A region with the ring of one thread and nothing else.
    private sealed class Rig : IDisposable
    {
        private const int RingAt = 8192, TableAt = 4096;
        private readonly byte* _memory;
        private readonly SpscRing<TraceEvent> _ring;
        private readonly LoadHistory _loads = new();
        private ulong _ticks = 1, _quantum;
        private uint _random = 1;

        public Rig()
        {
            var bytes = RingAt + SpscRing<TraceEvent>.BytesFor(TraceLimits.RingEvents);
            _memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 4096);
            new Span<byte>(_memory, (int)bytes).Clear();
            ((RegionHeader*)_memory)->TraceRingsOffset = TableAt;
            *(long*)(_memory + TableAt) = RingAt;
            _ring = SpscRing<TraceEvent>.Create(_memory + RingAt, TraceLimits.RingEvents);
            Map = RegionMap.Over(_memory, bytes);
            Drain = new TraceDrain(Store, _loads, new SpikeKeeper());
        }

        public RegionMap Map { get; }

        public ChunkStore Store { get; } = new();

        public TraceDrain Drain { get; }

        public static uint KeyOf(int module) => (uint)module * 2_654_435_761;

        /// <summary>What an audio thread writes with so many modules, until the ring is nearly full.</summary>
        public void Fill(int modules)
        {
            while (_ring.Count + modules + 3 <= _ring.Capacity)
            {
                var start = _ticks;
                for (var m = 0; m < modules; m++)
                {
                    var took = 300 + Random(900);
                    _ring.TryPush(new TraceEvent { Ticks = _ticks, Quantum = _quantum, Duration = took, Value = KeyOf(m), Slot = m, Kind = TraceKind.Module, Core = 1 });
                    _ticks += took + 20;
                }

                _ring.TryPush(new TraceEvent { Ticks = start, Quantum = _quantum, Duration = (uint)(_ticks - start), Value = 300_000 + Random(50_000), Slot = -1, Kind = TraceKind.Quantum, Core = 1 });
                var next = start + (ulong)(TicksPerSecond / QuantaPerSecond);
                _quantum++;
                var late = 6000 + Random(9000);
                _ring.TryPush(new TraceEvent { Ticks = Math.Max(_ticks, next) - late, Quantum = _quantum, Duration = late, Slot = -1, Kind = TraceKind.Wake, Core = 1, Value = late / 3 });
                _ring.TryPush(new TraceEvent { Ticks = _ticks, Quantum = _quantum, Duration = (uint)(Math.Max(_ticks, next) - _ticks), Slot = -1, Kind = TraceKind.Wait, Core = 1 });
                _ticks = Math.Max(_ticks, next);
            }
        }

        public void Dispose()
        {
            Store.Dispose();
            _loads.Dispose();
            NativeMemory.AlignedFree(_memory);
        }

        private uint Random(uint below)
        {
            _random = (_random * 1_664_525) + 1_013_904_223;
            return (_random >> 8) % below;
        }
    }

    // Counts and forgets: a disk is not what is measured.
    private sealed class CountingStream : Stream
    {
        private long _length;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => _length;

        public override long Position { get => _length; set => throw new NotSupportedException(); }

        public override void Flush()
        {
            // Nothing is kept.
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => _length += count;

        public override void Write(ReadOnlySpan<byte> buffer) => _length += buffer.Length;
    }
}
