// The workload: a random slot of 8192 is freed and filled anew, each call timed alone.
using SspHost.Engine.Memory;

namespace SspHost.EngineHost.Bench;

internal static unsafe class MemoryBenchRun
{
    /// <summary>Blocks alive at any time.</summary>
    public const int Live = 8192;

    private const int Warm = 200_000;
    private const long SpanBytes = 96L << 20;

    private interface IAllocator
    {
        void* Allocate(long bytes);

        void Free(void* block);
    }

    /// <summary>Runs the workload on the allocator of that name in this process.</summary>
    public static MemoryBenchResult Measure(string allocator, int ops, int core)
    {
        switch (allocator)
        {
            case "pool": return Measure(new PoolAllocator(1, PoolFlags.None), allocator, ops, core);
            case "pool arena 0": return Measure(new PoolAllocator(0, PoolFlags.None), allocator, ops, core);
            case "pool checked": return Measure(new PoolAllocator(1, PoolFlags.Checks), allocator, ops, core);
            case "malloc": return Measure(default(LibcAllocator), allocator, ops, core);
            default: throw new ArgumentException($"bench memory: no allocator '{allocator}'", nameof(allocator));
        }
    }

    private static MemoryBenchResult Measure<T>(T allocator, string name, int ops, int core) where T : struct, IAllocator
    {
        // Samples, sizes and slots lie in pages of their own: no allocator under test serves them.
        var allocTicks = (uint*)MemoryBenchPosix.Pages((long)ops * sizeof(uint));
        var freeTicks = (uint*)MemoryBenchPosix.Pages((long)ops * sizeof(uint));
        var blocks = (byte**)MemoryBenchPosix.Pages(Live * sizeof(void*));
        var sizes = (int*)MemoryBenchPosix.Pages(65536 * sizeof(int));
        if (allocTicks == null || freeTicks == null || blocks == null || sizes == null)
            throw new IOException("bench memory: no memory for the samples");

        var random = 0x9E37_79B9_7F4A_7C15UL;
        for (var i = 0; i < 65536; i++) sizes[i] = (int)(16 * Math.Pow(512, Next(ref random) / (double)uint.MaxValue));

        var pinned = MemoryBenchPosix.Pin(core);
        var clock = new MemoryBenchClock();
        var realTime = MemoryBenchPosix.MakeRealTime();
        for (var i = 0; i < Live; i++) blocks[i] = Fill(allocator.Allocate(sizes[i & 65535]), sizes[i & 65535]);
        for (var i = 0; i < Warm; i++) Step(allocator, clock, ref random, blocks, sizes, out _, out _);

        var faults = MemoryBenchPosix.Faults();
        for (var i = 0; i < ops; i++)
        {
            Step(allocator, clock, ref random, blocks, sizes, out var free, out var alloc);
            freeTicks[i] = free;
            allocTicks[i] = alloc;
        }

        faults = MemoryBenchPosix.Faults() - faults;
        return new MemoryBenchResult
        {
            Name = name,
            Allocate = Percentiles(allocTicks, ops, clock),
            Free = Percentiles(freeTicks, ops, clock),
            Clock = clock.Name,
            Floor = clock.FloorTicks * clock.TickNs,
            Resolution = clock.ResolutionNs,
            Core = core,
            RealTime = realTime,
            Pinned = pinned,
            Faults = faults,
        };
    }

    private static void Step<T>(T allocator, MemoryBenchClock clock, ref ulong random, byte** blocks, int* sizes, out uint free,
        out uint alloc)
        where T : struct, IAllocator
    {
        var r = Next(ref random);
        var slot = r % Live;
        var bytes = sizes[(r >> 13) & 65535];
        var old = blocks[slot];

        var t0 = clock.Read();
        allocator.Free(old);
        var t1 = clock.Read();
        var block = allocator.Allocate(bytes);
        var t2 = clock.Read();

        blocks[slot] = Fill(block, bytes);
        free = (uint)Math.Min(t1 - t0, uint.MaxValue);
        alloc = (uint)Math.Min(t2 - t1, uint.MaxValue);
    }

    // Both ends are written, as an owner would.
    private static byte* Fill(void* block, int bytes)
    {
        if (block == null) throw new InvalidOperationException("bench memory: the allocator refused; the figures would mean nothing");
        ((byte*)block)[0] = 1;
        ((byte*)block)[bytes - 1] = 2;
        return (byte*)block;
    }

    private static double[] Percentiles(uint* ticks, int count, MemoryBenchClock clock)
    {
        var sorted = new Span<uint>(ticks, count);
        sorted.Sort();
        var values = new double[MemoryBenchResult.Points.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var rank = Math.Clamp((int)Math.Ceiling(MemoryBenchResult.Points[i] * count), 1, count);
            values[i] = Math.Max(0, (double)sorted[rank - 1] - clock.FloorTicks) * clock.TickNs;
        }

        return values;
    }

    // xorshift64*: S. Vigna, 2016.
    private static uint Next(ref ulong state)
    {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return (uint)((state * 0x2545_F491_4F6C_DD1DUL) >> 32);
    }

    private readonly struct PoolAllocator : IAllocator
    {
        private readonly Pool* _pool;
        private readonly int _arena;

        public PoolAllocator(int arena, PoolFlags flags)
        {
            // A region as the engine makes it, its pool whole, with an arena 1 that is large enough for this workload.
            var region = Region.Create(Region.DefaultBytes, default, "bench", out var error, flags) ?? throw new IOException(error);
            while (region.PrefaultNext(16 << 20)) { }
            _pool = region.Pool;
            _arena = arena;
            if (arena == 0) return;
            _arena = Region.FirstArenas + 1;
            if (!_pool->OpenArena(_arena, SpanBytes)) throw new IOException("bench memory: no room for an arena");
        }

        public void* Allocate(long bytes) => _pool->Allocate(_arena, bytes, 1);

        public void Free(void* block) => _pool->Free(_arena, block);
    }

    private readonly struct LibcAllocator : IAllocator
    {
        public void* Allocate(long bytes) => MemoryBenchPosix.Malloc((nuint)bytes);

        public void Free(void* block) => MemoryBenchPosix.Free(block);
    }
}
