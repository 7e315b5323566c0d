// A region with a renderer in it, driven by the benchmark's own threads: pinned, real-time where that is allowed.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;
using SspHost.Engine.Threads;

namespace SspHost.EngineHost.Bench;

/// <summary>One renderer and its workers.</summary>
internal sealed unsafe class GraphBenchRig : IDisposable
{
    public const int Quantum = 32;
    public const float Rate = 48_000;
    private readonly Region _region;
    private readonly List<Thread> _workers = [];
    private ulong _frame;

    public GraphBenchRig()
    {
        var registry = new ModuleRegistry().Add<EmptyModule>().Add<BurnModule>().Add<MeetModule>().Add<DozeModule>();
        _region = Region.Create(Region.MinBytes, DescriptorBlob.Write(registry.Descriptors), "bench", out var error) ?? throw new IOException(error);
        Renderer = new Renderer(_region.Map, _region.Pool, registry, (float*)_region.Silence);
    }

    public Renderer Renderer { get; }

    public RegionMap Map => _region.Map;

    /// <summary>Threads of this machine that may be real-time without sharing a core.</summary>
    public static int Cores => BenchCores.Count;

    public void Start(GraphBenchPlan plan, int threads)
    {
        Set(plan, threads);
        for (var t = 1; t < threads; t++)
        {
            var number = t;
            var thread = new Thread(() =>
            {
                _ = Settle(number, threads);
                Renderer.WorkerLoop(number);
            });
            thread.Start();
            _workers.Add(thread);
        }
    }

    /// <summary>One thread and no plan.</summary>
    public void Configure()
    {
        if (Renderer.Configure(Rate, Quantum, 1) != ReplyStatus.Ok) throw new InvalidOperationException("bench: cannot configure the renderer");
    }

    /// <summary>Installs a plan for a crew on cores of these classes (missing: 0) that does not start.</summary>
    public void Set(GraphBenchPlan plan, int threads, ReadOnlySpan<byte> classes = default)
    {
        _ = Renderer.Configure(Rate, 2 * Quantum, 1); // what was made for another quantum is dropped
        if (Renderer.Configure(Rate, Quantum, threads, classes) != ReplyStatus.Ok) throw new InvalidOperationException("bench: cannot configure the renderer");
        var blob = plan.Compile(Quantum);
        fixed (byte* p = blob)
        {
            // 8-byte aligned memory for the description, as a grant would be.
            var copy = NativeMemory.AlignedAlloc((nuint)blob.Length, 64);
            blob.CopyTo(new Span<byte>(copy, blob.Length));
            var status = Renderer.Install((PlanHeader*)copy, blob.Length, out var error);
            NativeMemory.AlignedFree(copy);
            if (status != ReplyStatus.Ok) throw new InvalidOperationException($"bench: {status}, {error.Part} at {error.Index}");
        }
    }

    /// <summary>What an audio loop of one thread over this region is set up with.</summary>
    /// <param name="quantum">Frames.</param>
    /// <param name="buffers"><see cref="AudioLoop.BufferBytes"/> of zeros.</param>
    public AudioLoopSetup Loop(int quantum, byte* buffers) => new()
    {
        Quantum = quantum,
        Threads = 1,
        Header = Map.Header,
        Histograms = Map.Histogram(HistogramKind.Quantum),
        Records = Map.Threads,
        Status = Map.AudioStatus,
        Notices = Map.Notices,
        Tape = Renderer.AudioTape,
        LastIncident = Renderer.LastIncident,
        Loads = Map.Loads,
        Buffers = buffers,
    };

    /// <summary>Pins the calling thread to the core of its number, at FIFO where there is a core for each. True: it is real-time.</summary>
    public static bool Settle(int number, int threads)
    {
        _ = FlushToZero.Enable();
        if (threads > Cores) return false; // FIFO threads that share a core would wait for each other's spinning
        _ = MemoryBenchPosix.Pin(BenchCores.At(number));
        return MemoryBenchPosix.MakeRealTime();
    }

    public void Step()
    {
        Renderer.Render(null, 0, null, 0, _frame);
        _frame += Quantum;
    }

    public void Rest()
    {
        Renderer.StopWorkers();
        foreach (var w in _workers) w.Join();
        _workers.Clear();
    }

    public void Dispose()
    {
        Rest();
        Renderer.Dispose();
        _region.Dispose();
    }

    /// <summary>Runs <paramref name="measure"/> on a thread of its own that is settled as thread <paramref name="number"/>.</summary>
    public static bool On(int number, int threads, Action measure)
    {
        var realTime = false;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            realTime = Settle(number, threads);
            try
            {
                measure();
            }
            catch (InvalidOperationException e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure == null ? realTime : throw failure;
    }
}
