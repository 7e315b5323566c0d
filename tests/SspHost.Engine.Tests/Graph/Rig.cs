// A region, a pool and a renderer on the test's own memory, stepped by hand.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Tests.Graph;

internal sealed unsafe class Rig : IDisposable
{
    public const int Jacks = 4;
    private const int Private = 0x02, Anonymous = 0x20, NoReserve = 0x4000;
    private readonly byte* _memory;
    private readonly long _bytes;
    private readonly float** _in;
    private readonly float** _out;
    private readonly List<Thread> _workers = [];

    public Rig(int quantum = 32, int threads = 1, float rate = 48_000, bool startWorkers = true, long poolBytes = 24L << 20, ModuleRegistry? registry = null)
    {
        const int EventCapacity = 1024;
        var at = 4096L;
        long Take(long bytes)
        {
            var here = at;
            at += (bytes + 127) & ~127L;
            return here;
        }

        var events = Take(SpscRing<ModuleEvent>.BytesFor(EventCapacity));
        var notices = Take(SpscRing<Notice>.BytesFor(256));
        var instances = Take(Limits.MaxInstances * (long)sizeof(InstanceRecord));
        var threadRecords = Take(Limits.MaxThreads * (long)sizeof(ThreadRecord));
        var work = Take(Limits.MaxThreads * (long)sizeof(Histogram));
        var histograms = Take((int)HistogramKind.Count * (long)sizeof(Histogram));
        var traces = Take(Limits.MaxThreads * sizeof(long));
        var taps = Take(SignalTap.Count * (long)sizeof(SignalTap));
        var silence = Take(Limits.MaxChannels * Limits.MaxQuantum * sizeof(float));
        var jacks = Take(2 * Jacks * Limits.MaxQuantum * sizeof(float));
        var pointers = Take(2 * Jacks * sizeof(float*));
        var pool = Take(poolBytes);
        _bytes = at;
        _memory = (byte*)Linux.Mmap(null, (nuint)at, Linux.ProtRead | Linux.ProtWrite, Private | Anonymous | NoReserve, -1, 0); // zeroed, on demand
        var header = (RegionHeader*)_memory;
        header->EventsOffset = events;
        header->NoticesOffset = notices;
        header->InstancesOffset = instances;
        header->ThreadsOffset = threadRecords;
        header->WorkerHistogramsOffset = work;
        header->TraceRingsOffset = traces;
        header->HistogramsOffset = histograms;
        header->TapsOffset = taps;
        _ = SpscRing<ModuleEvent>.Create(_memory + events, EventCapacity);
        _ = SpscRing<Notice>.Create(_memory + notices, 256);
        Map = RegionMap.Over(_memory, at);
        Pool = Engine.Memory.Pool.Create(_memory + pool, poolBytes, poolBytes, PoolFlags.Checks); // canaries and poison around everything
        _in = (float**)(_memory + pointers);
        _out = _in + Jacks;
        for (var j = 0; j < Jacks; j++)
        {
            _in[j] = (float*)(_memory + jacks) + (j * Limits.MaxQuantum);
            _out[j] = (float*)(_memory + jacks) + ((Jacks + j) * Limits.MaxQuantum);
        }

        Registry = registry ?? TestRegistry.Make();
        Renderer = new Renderer(Map, Pool, Registry, (float*)(_memory + silence));
        Silence = (float*)(_memory + silence);
        Configure(quantum, threads, rate, startWorkers);
        Baseline = Live;
    }

    public RegionMap Map { get; }
    public Pool* Pool { get; }
    public ModuleRegistry Registry { get; }
    public Renderer Renderer { get; }
    public float* Silence { get; }
    public long Baseline { get; }

    /// <summary>Bytes asked of the pool and not given back.</summary>
    public long Live => Stats.Requested;

    public PoolStats Stats
    {
        get
        {
            PoolStats stats = default;
            Pool->ReadStats(ref stats);
            for (var t = 0; t < Limits.MaxThreads; t++)
            {
                if (Map.TryTrace(t, out var ring)) stats.Requested -= SpscRing<TraceEvent>.BytesFor(ring.Capacity); // stays with the seat
            }

            return stats;
        }
    }
    public int Quantum { get; private set; }
    public ulong Frame { get; set; }

    public void Configure(int quantum, int threads, float rate = 48_000, bool startWorkers = true, byte[]? classes = null)
    {
        Quantum = quantum;
        Assert.Equal(ReplyStatus.Ok, Renderer.Configure(rate, quantum, threads, classes));
        for (var t = 1; startWorkers && t < threads; t++) StartWorker(t);
    }

    /// <summary>Number of the calling thread in its crew: 0 for the test's own.</summary>
    public static int ThisThread => s_thread;

    [ThreadStatic]
    private static int s_thread;

    public void StartWorker(int number)
    {
        var thread = new Thread(() =>
        {
            s_thread = number;
            Renderer.WorkerLoop(number);
        }) { IsBackground = true };
        thread.Start();
        _workers.Add(thread);
    }

    public void Rest()
    {
        Renderer.StopWorkers();
        foreach (var w in _workers) w.Join();
        _workers.Clear();
    }

    public ReplyStatus TryInstall(byte[] blob, out BuildError error)
    {
        // Exact bytes at an aligned address, so that reading past the end is caught by a guard of poison at least.
        var copy = (byte*)NativeMemory.AlignedAlloc((nuint)blob.Length + 64, 64);
        NativeMemory.Fill(copy, (nuint)blob.Length + 64, 0xCC);
        blob.CopyTo(new Span<byte>(copy, blob.Length));
        var status = Renderer.Install((PlanHeader*)copy, blob.Length, out error);
        NativeMemory.Fill(copy, (nuint)blob.Length, 0xDD); // a plan that still points into its description shows it
        NativeMemory.AlignedFree(copy);
        return status;
    }

    public void Install(byte[] blob)
    {
        var status = TryInstall(blob, out var error);
        Assert.True(status == ReplyStatus.Ok, $"{status}: {error.Part} at {error.Index}, value {error.Value}");
    }

    public void Send(in ModuleEvent e) => Assert.True(Map.Events.TryPush(e));

    public Span<float> In(int jack) => new(_in[jack], Quantum);

    public Span<float> Out(int jack) => new(_out[jack], Quantum);

    /// <summary>One quantum; returns a hash of every bit that came out.</summary>
    public ulong Step()
    {
        Renderer.Render(_in, Jacks, _out, Jacks, Frame);
        Frame += (ulong)Quantum;
        var hash = 14695981039346656037UL;
        for (var j = 0; j < Jacks; j++)
        {
            foreach (var v in Out(j)) hash = (hash ^ BitConverter.SingleToUInt32Bits(v)) * 1099511628211UL;
        }

        return hash;
    }

    /// <summary>Fills all buffers between quanta with a signalling value: whoever reads what nobody wrote shows it.</summary>
    public void Poison()
    {
        var plan = Renderer.State->Current;
        new Span<float>(plan->Buffers, (int)plan->BufferFloats).Fill(float.NaN);
    }

    public float Telemetry(int slot, int index) => ((float*)Map.At(Map.Instances[slot].Telemetry))[index];

    public List<Notice> Notices()
    {
        var list = new List<Notice>();
        while (Map.Notices.TryPop(out var n)) list.Add(n);
        return list;
    }

    public void Dispose()
    {
        Rest();
        Renderer.Running = false;
        Renderer.Dispose();
        Assert.Equal(Baseline, Live); // whatever a test did, nothing is left behind
        Assert.Equal(0, Stats.Faults); // nor did anybody write beside a block
        _ = Linux.Munmap(_memory, (nuint)_bytes);
    }
}
