// Session, sink and renderer in one process, stepped by hand: the product from an edit to the samples at the jacks.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;
using SspHost.Engine.Probes;
using SspHost.Engine.Threads;
using SspHost.Modules;
using SspHost.Patching;

namespace SspHost.EndToEnd.Tests.Changes;

/// <summary>What a chain is made of.</summary>
internal sealed record ChainOptions
{
    public int Quantum { get; init; } = 32;
    public int Threads { get; init; } = 1;
    public int Rate { get; init; } = 48_000;
    public long PoolBytes { get; init; } = 192L << 20;
    public PoolFlags PoolFlags { get; init; }
}

/// <summary>
/// The engine as a sink of the session's plans. A plan that is installed plays one quantum before Install returns, as the contract says;
/// a session that waits for a ramp gets a quantum each time it asks how far it is.
/// </summary>
internal sealed unsafe class Chain : IPlanSink, IDisposable
{
    public const int Jacks = 4;
    private const int Private = 0x02, Anonymous = 0x20, NoReserve = 0x4000;
    private readonly ChainOptions _options;
    private readonly byte* _memory;
    private readonly long _bytes;
    private readonly float** _in;
    private readonly float** _out;
    private readonly List<Thread> _workers = [];
    private readonly Dictionary<(ulong Key, int Slot), string> _loaded = [];
    private int _asked;

    public Chain(ChainOptions options)
    {
        _options = options;
        const int EventCapacity = 4096;
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
        var threads = Take(Limits.MaxThreads * (long)sizeof(ThreadRecord));
        var work = Take(Limits.MaxThreads * (long)sizeof(Histogram));
        var taps = Take(SignalTap.Count * (long)sizeof(SignalTap));
        var silence = Take(Limits.MaxChannels * Limits.MaxQuantum * sizeof(float));
        var jacks = Take(2 * Jacks * Limits.MaxQuantum * sizeof(float));
        var pointers = Take(2 * Jacks * sizeof(float*));
        var pool = Take(options.PoolBytes);
        _bytes = at;
        _memory = (byte*)Linux.Mmap(null, (nuint)at, Linux.ProtRead | Linux.ProtWrite, Private | Anonymous | NoReserve, -1, 0);
        CycleClock.Calibrate(200_000);
        var header = (RegionHeader*)_memory;
        header->EventsOffset = events;
        header->NoticesOffset = notices;
        header->InstancesOffset = instances;
        header->WorkerHistogramsOffset = work;
        header->ThreadsOffset = threads;
        header->TapsOffset = taps;
        _ = SpscRing<ModuleEvent>.Create(_memory + events, EventCapacity);
        _ = SpscRing<Notice>.Create(_memory + notices, 256);
        Map = RegionMap.Over(_memory, at);
        Pool = Engine.Memory.Pool.Create(_memory + pool, options.PoolBytes, options.PoolBytes, options.PoolFlags);
        _in = (float**)(_memory + pointers);
        _out = _in + Jacks;
        for (var j = 0; j < Jacks; j++)
        {
            _in[j] = (float*)(_memory + jacks) + (j * Limits.MaxQuantum);
            _out[j] = (float*)(_memory + jacks) + ((Jacks + j) * Limits.MaxQuantum);
        }

        Registry = Shipped();
        Modules = new DescriptorIndex(Registry.Descriptors);
        Renderer = new Renderer(Map, Pool, Registry, (float*)(_memory + silence));
        if (Renderer.Configure(options.Rate, options.Quantum, options.Threads) != ReplyStatus.Ok) throw new InvalidOperationException("not configured");
        for (var t = 1; t < options.Threads; t++)
        {
            var number = t;
            var thread = new Thread(() =>
            {
                _ = FlushToZero.Enable();
                Renderer.WorkerLoop(number);
            }) { IsBackground = true };
            thread.Start();
            _workers.Add(thread);
        }

        Renderer.Running = true;
    }

    public RegionMap Map { get; }
    public Pool* Pool { get; }
    public ModuleRegistry Registry { get; }
    public DescriptorIndex Modules { get; }
    public Renderer Renderer { get; }
    public ulong Frames { get; private set; }
    public int Quantum => _options.Quantum;

    /// <summary>Plans installed so far, and those refused.</summary>
    public int Installed { get; private set; }

    public int Refused { get; private set; }

    /// <summary>Managed bytes that installing, playing, collecting and commands took on this thread.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Told of a plan that is about to play, and how far what played had come.</summary>
    public Action<CompiledPlan, PlayState>? Coming { get; set; }

    /// <summary>Renders a quantum; null: <see cref="Render"/> alone.</summary>
    public Action? Step { get; set; }

    public Action<ModuleEvent>? Sent { get; set; }

    public Action<ulong, int, string?>? AssetSet { get; set; }

    public Action<ulong, byte[]>? StateSaved { get; set; }

    public Action<ulong, uint, byte[], bool>? StateLoaded { get; set; }

    public int Inputs => Jacks;

    public int Outputs => Jacks;

    public ReadOnlySpan<InstanceRecord> Instances => new(Map.Instances, Limits.MaxInstances);

    public ReadOnlyMemory<float> Costs { get; set; }

    public PlayState State
    {
        get
        {
            if (_asked++ > 0) StepOnce();
            return Now;
        }
    }

    /// <summary>What plays, without a quantum being rendered for the question.</summary>
    public PlayState Now => new(Running: true, Renderer.PlanSerial, Renderer.IsSettledDown, Frames, _options.Rate);

    public PoolStats Stats
    {
        get
        {
            PoolStats stats = default;
            Pool->ReadStats(ref stats);
            return stats;
        }
    }

    public static ModuleRegistry Shipped()
    {
        var registry = new ModuleRegistry();
        var visitor = new Visitor(registry);
        Catalog.VisitAll(ref visitor);
        return registry;
    }

    public Span<float> In(int jack) => new(_in[jack], Quantum);

    public Span<float> Out(int jack) => new(_out[jack], Quantum);

    /// <summary>A call of the session begins: the first question for the state is free, each further one waits a quantum.</summary>
    public void Begin() => _asked = 0;

    public int QuantumFor(int quantum) => Quantum;

    public PlanRefusal? Install(CompiledPlan plan)
    {
        var status = InstallOnly(plan, out var error);
        if (status != ReplyStatus.Ok)
        {
            Refused++;
            return new PlanRefusal($"{status}: {error.Part} {error.Index} {error.Value}, {error.Bytes} bytes", status == ReplyStatus.OutOfMemory, Math.Max(0, error.Bytes - Stats.Free));
        }

        Installed++;
        Coming?.Invoke(plan, Now);
        StepOnce();
        var living = plan.Instances.Concat(plan.Leaving).Select(i => i.Key).ToHashSet();
        foreach (var gone in _loaded.Keys.Where(k => !living.Contains(k.Key)).ToArray()) _loaded.Remove(gone);
        foreach (var asset in plan.Assets)
        {
            if (_loaded.GetValueOrDefault((asset.Key, asset.AssetSlot)) != asset.Path) _ = SetAsset(in asset);
        }

        return null;
    }

    public bool Send(in ModuleEvent move)
    {
        if (!Map.Events.TryPush(in move)) return false;
        Sent?.Invoke(move);
        return true;
    }

    public string? SetAsset(in PlanAsset asset)
    {
        var status = ReplyStatus.Ok;
        Asset* block = null;
        var bytes = 0L;
        if (asset.Path is { } path)
        {
            block = (Asset*)Recordings.Copy(path, n => (nint)Pool->Allocate(0, n, 0), out bytes);
            _loaded[(asset.Key, asset.AssetSlot)] = path;
        }
        else
        {
            _ = _loaded.Remove((asset.Key, asset.AssetSlot));
        }

        var (slot, key, index) = (asset.Slot, asset.Key, asset.AssetSlot);
        Stopped(() => status = Renderer.SetAsset(slot, (uint)key, index, block, bytes, out _));
        AssetSet?.Invoke(asset.Key, asset.AssetSlot, asset.Path);
        return status == ReplyStatus.Ok ? null : status.ToString();
    }

    public string? LoadState(in PlanInstance instance, uint version, ReadOnlySpan<byte> state)
    {
        var status = ReplyStatus.Ok;
        var bytes = state.ToArray();
        var (slot, key) = (instance.Slot, instance.Key);
        Stopped(() =>
        {
            fixed (byte* b = bytes) status = Renderer.LoadState(slot, (uint)key, b, bytes.Length, version);
        });
        StateLoaded?.Invoke(instance.Key, version, bytes, status == ReplyStatus.Ok);
        return status == ReplyStatus.Ok ? null : status.ToString();
    }

    public byte[]? SaveState(in PlanInstance instance, out uint version)
    {
        var bytes = new byte[Modules.Types[instance.Type].Descriptor.StateBytes];
        var (slot, key) = (instance.Slot, instance.Key);
        var (status, written, by) = (ReplyStatus.Ok, 0, 0u);
        Stopped(() =>
        {
            fixed (byte* b = bytes) status = Renderer.SaveState(slot, (uint)key, b, bytes.Length, out written, out by);
        });
        version = by;
        if (status != ReplyStatus.Ok) return null;
        Array.Resize(ref bytes, written);
        StateSaved?.Invoke(instance.Key, bytes);
        return bytes;
    }

    /// <summary>Renders one quantum of the product.</summary>
    public void Render()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Renderer.Render(_in, Jacks, _out, Jacks, Frames);
        AllocatedBytes += GC.GetAllocatedBytesForCurrentThread() - before;
        Frames += (ulong)Quantum;
    }

    /// <summary>What the steward does between requests.</summary>
    public void Tend()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Renderer.DoWork();
        _ = Renderer.Collect();
        AllocatedBytes += GC.GetAllocatedBytesForCurrentThread() - before;
        while (Map.Notices.TryPop(out _)) { }
    }

    public void Dispose()
    {
        Renderer.StopWorkers();
        foreach (var w in _workers) w.Join();
        Renderer.Running = false;
        Renderer.Dispose();
        _ = Linux.Munmap(_memory, (nuint)_bytes);
    }

    /// <summary>Installs a plan without a quantum.</summary>
    public ReplyStatus InstallOnly(CompiledPlan plan, out BuildError error)
    {
        var blob = plan.Description.AsSpan();
        var copy = (byte*)NativeMemory.AlignedAlloc((nuint)blob.Length, 64);
        blob.CopyTo(new Span<byte>(copy, blob.Length));
        ((PlanHeader*)copy)->Quantum = Quantum;
        var before = GC.GetAllocatedBytesForCurrentThread();
        var status = Renderer.Install((PlanHeader*)copy, blob.Length, out error);
        AllocatedBytes += GC.GetAllocatedBytesForCurrentThread() - before;
        NativeMemory.AlignedFree(copy);
        return status;
    }

    private void StepOnce()
    {
        if (Step is { } step) step();
        else Render();
    }

    // A command to a module is carried out by the audio thread; here that is this thread, between quanta.
    private void Stopped(Action command)
    {
        Renderer.Running = false;
        command();
        Renderer.Running = true;
    }

    private readonly struct Visitor(ModuleRegistry registry) : IModuleVisitor
    {
        public void Visit<T>() where T : unmanaged, IModule<T> => registry.Add<T>();
    }
}
