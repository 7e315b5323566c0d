// What the engine does around modules within a quantum: lanes of 32 frames, the pool, and what crosses between threads.
using BenchmarkDotNet.Attributes;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;
using SspHost.Engine.Threads;

namespace SspHost.Benchmarks;

/// <summary>One thread, uncontended; what contention costs is measured by <c>ssp-engine bench</c>.</summary>
[RealTime]
public unsafe class EngineBenchmarks
{
    private const int Frames = 32;
    private const int Arena = 1; // the audio thread's
    private readonly NativeBlocks _blocks = new();
    private Region? _region;
    private Pool* _pool;
    private float* _from, _to;
    private SpscRing<ModuleEvent> _ring;
    private Histogram* _histogram;
    private Seqlock<AudioConfig>* _seqlock;
    private ModuleEvent _event;
    private AudioConfig _config;
    private ulong _sample;

    [GlobalSetup]
    public void Setup()
    {
        _ = FlushToZero.Enable();
        _region = Region.Create(Region.MinBytes, DescriptorBlob.Write(new ModuleRegistry().Descriptors), "bench", out var error)
            ?? throw new IOException(error);
        _pool = _region.Pool;
        _from = _blocks.Take<float>(Frames);
        _to = _blocks.Take<float>(Frames);
        for (var i = 0; i < Frames; i++) _from[i] = MathF.Sin(i);
        _ring = SpscRing<ModuleEvent>.Create(_blocks.Take(SpscRing<ModuleEvent>.BytesFor(1024)), 1024);
        _histogram = _blocks.Take<Histogram>();
        _seqlock = _blocks.Take<Seqlock<AudioConfig>>();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _blocks.Dispose();
        _region?.Dispose();
    }

    /// <summary>The check every output goes through.</summary>
    [Benchmark]
    public int LanesOutputCheck() => Lanes.Magnitude(_from, Frames);

    /// <summary>A cable into a mix: the first is scaled, the second added.</summary>
    [Benchmark]
    public float LanesMixOfTwo()
    {
        Lanes.Scale(_to, _from, 0.5f, Frames);
        Lanes.Add(_to, _from, 0.25f, Frames);
        return _to[0];
    }

    /// <summary>A class that has a magazine.</summary>
    [Benchmark]
    public void PoolAllocateAndFree64() => AllocateAndFree(64);

    /// <summary>Larger than any magazine holds: through the free lists.</summary>
    [Benchmark]
    public void PoolAllocateAndFree64K() => AllocateAndFree(65_536);

    [Benchmark]
    public bool SpscRingPushAndPop() => _ring.TryPush(in _event) && _ring.TryPop(out _event);

    [Benchmark]
    public ulong HistogramRecord()
    {
        _sample = (_sample * 6364136223846793005UL) + 1442695040888963407UL;
        _histogram->Record(_sample >> 44);
        return _histogram->Count;
    }

    [Benchmark]
    public void SeqlockWrite() => _seqlock->Write(in _config);

    [Benchmark]
    public bool SeqlockRead() => _seqlock->TryRead(out _config);

    private void AllocateAndFree(long bytes)
    {
        var block = _pool->Allocate(Arena, bytes, 1);
        if (block == null) throw new InvalidOperationException("the pool is full: blocks were lost");
        _pool->Free(Arena, block);
    }
}
