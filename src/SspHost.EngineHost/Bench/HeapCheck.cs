// `ssp-engine bench heap --check LIBRARY`: the interposer, the real pool and a module with a C library of its own, in this very image.
using System.Globalization;
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;
using SspHost.Engine.Probes;
using SspHost.Engine.Service;

namespace SspHost.EngineHost.Bench;

/// <summary>A module whose work is a C library's.</summary>
internal unsafe struct PluginModule : IModule<PluginModule>
{
    public static delegate* unmanaged<void**, void*, long> Build;
    public static delegate* unmanaged<void*, int> Play;
    public static delegate* unmanaged[SuppressGCTransition]<void*, int> PlayCooperatively;
    public static delegate* unmanaged<void*, void> Leave;

    public static void* Plugin, FromOutside;
    public static long Asked;
    public static int Wrong;
    public static ulong Quanta;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "plugin", Name = "Plugin", Family = "Bench", Text = "Mallocs", Inputs = [new("a", "A"), new("b", "B")], Outputs = [new("out", "Out")],
    };

    public static void Construct(ref PluginModule self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        void* made;
        Asked = Build(&made, FromOutside);
        Plugin = made;
    }

    public static void Reset(ref PluginModule self) { }

    // In both modes that a thread may be in when malloc is called.
    public static ProcessResult Process(ref PluginModule self, in ProcessContext context)
    {
        var wrong = Quanta % 2 == 0 ? Play(Plugin) : PlayCooperatively(Plugin);
        if (wrong != 0) Volatile.Write(ref Wrong, wrong);
        Volatile.Write(ref Quanta, Quanta + 1);
        return ProcessResult.Continue;
    }

    public static void Destroy(void* self) => Leave(Plugin);
}

/// <summary>Says what holds, a line each; a line that does not begin with "ok" is a defect.</summary>
internal static unsafe class HeapCheck
{
    private const int Arenas = 5, Slot = 1; // as the library has them
    private const ulong CallsAQuantum = 8;

    private const string Trapped = "malloc free calloc realloc reallocarray free posix_memalign free memalign free aligned_alloc free valloc free pvalloc free "
        + "malloc malloc_usable_size free | "; // and in a scope nothing

    private static int s_failed;

    public static int Run(string path)
    {
        var library = NativeLibrary.Load(Path.GetFullPath(path));
        nint Find(string name) => NativeLibrary.GetExport(library, name);
        CycleClock.Calibrate();
        var registry = new ModuleRegistry().Add<BeatModule>().Add<BurnModule>().Add<MeetModule>();
        var descriptor = PluginModule.Describe();
        registry.Add(descriptor, ModuleEntry.For<PluginModule>(descriptor) with { Destroy = &PluginModule.Destroy });
        var region = Region.Create(Region.DefaultBytes, DescriptorBlob.Write(registry.Descriptors), "bench", out var error) ?? throw new IOException(error);
        while (region.PrefaultNext(16 << 20)) { }
        var pool = region.Pool;
        PluginModule.FromOutside = MemoryBenchPosix.Malloc(777); // before anything is served: the C library's
        Heap.Serve(region);
        Say(Heap.IsServed, "the interposer is in front of this process");
        for (var arena = Arenas; arena < Arenas + 2; arena++) Say(pool->OpenArena(arena, 8 << 20), $"arena {arena} is open");

        // The family, by the book, in each way it is served, and in all at once.
        var before = Live(pool);
        var broken = ((delegate* unmanaged<int>)Find("heap_three_ways"))();
        Say(broken == 0, $"{broken} promises broken elsewhere, in a scope and on RT threads");
        Say(region.Map.Instances[30].HeapCalls > 1000 && Heap.CallsOutside > 1000, $"{region.Map.Instances[30].HeapCalls} calls are slot 30's, {Heap.CallsOutside} nobody's");
        Say(Heap.HeldBy(50) == 0 && Heap.HeldBy(30) == 0, $"{Heap.HeldBy(50)} and {Heap.HeldBy(30)} bytes are held when all is given back");
        for (var seed = 1u; seed <= 3; seed++)
        {
            broken = ((delegate* unmanaged<int, uint, int>)Find("heap_all_at_once"))(20_000, seed);
            Say(broken == 0, $"{broken} promises broken by five threads that free each other's blocks, seed {seed}");
        }

        var reaped = Heap.Maintain();
        Say(reaped > 100 && Heap.Maintain() == 0, $"{reaped} blocks of the C library's waited for the steward");
        var exhausted = ((delegate* unmanaged<long>)Find("heap_exhausted"))();
        Say(exhausted is > 4000 and < 8192, $"{exhausted} blocks fit an arena, then NULL with ENOMEM");
        var names = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)Find("heap_trapped"))());
        Say(names == Trapped, $"trapped: {names}");
        Say(Heap.HeldBy(50) == 0 && Heap.HeldBy(30) == 0, $"{Heap.HeldBy(50)} and {Heap.HeldBy(30)} bytes are held when all is given back");
        Bring(pool);
        Say(pool->Verify() == null, $"the pool is sound: {pool->Verify() ?? "yes"}");
        PoolStats stats = default;
        pool->ReadStats(ref stats);
        Say(stats.Faults == 0, $"{stats.Faults} faults");
        Say(Live(pool) == before, $"{Live(pool) - before} bytes of modules more than before");

        Module(region, registry, library);
        Console.WriteLine(s_failed == 0 ? "all of it" : string.Create(CultureInfo.InvariantCulture, $"{s_failed} failed"));
        return s_failed == 0 ? 0 : 1;
    }

    // It mallocs where it is built and where it plays, and gives all of it back when it goes.
    private static void Module(Region region, ModuleRegistry registry, nint library)
    {
        PluginModule.Build = (delegate* unmanaged<void**, void*, long>)NativeLibrary.GetExport(library, "plugin_construct");
        PluginModule.Play = (delegate* unmanaged<void*, int>)NativeLibrary.GetExport(library, "plugin_process");
        PluginModule.PlayCooperatively = (delegate* unmanaged[SuppressGCTransition]<void*, int>)PluginModule.Play;
        PluginModule.Leave = (delegate* unmanaged<void*, void>)NativeLibrary.GetExport(library, "plugin_destroy");
        var liesWithin = (delegate* unmanaged<void*, byte*, byte*, int>)NativeLibrary.GetExport(library, "plugin_lies_within");

        var (outside, failed) = (Heap.CallsOutside, Failed(region.Pool));
        var renderer = new Renderer(region.Map, region.Pool, registry, (float*)region.Silence);
        var playback = new Playback(region, renderer);
        Say(renderer.Configure(GraphBenchRig.Rate, GraphBenchRig.Quantum, 1) == ReplyStatus.Ok && Install(renderer, [0, 3, 0]), "a plan with the module in it is installed");
        renderer.PublishHeap();
        var record = region.Map.Instances + Slot;
        var held = Heap.HeldBy(Slot);
        Say(liesWithin(PluginModule.Plugin, region.Map.Base, region.Map.Base + region.Map.Bytes) == 1, "what it was built of lies in the region");
        Say(held >= PluginModule.Asked && held < PluginModule.Asked + 5000, $"of {PluginModule.Asked} bytes asked for, {held} are held by its slot");
        Say(record->HeapBytes == held, $"{record->HeapBytes} bytes are told to the control process");
        Say(region.Pool->OwnerBytes(Slot + 1) == record->Bytes + held, $"{region.Pool->OwnerBytes(Slot + 1)} bytes are its by the pool's account");
        Say(record->HeapCalls == 0, $"{record->HeapCalls} calls on RT threads before it plays");

        var config = new AudioConfig
        {
            Card = CardKind.Simulated, Rate = (int)GraphBenchRig.Rate, Quantum = GraphBenchRig.Quantum, Period = GraphBenchRig.Quantum, Periods = 2, Outputs = 2, Threads = 1,
        };
        for (var t = 0; t < Limits.MaxThreads; t++) config.Cores[t] = -1;
        var reply = default(Reply);
        playback.Start(&config, ref reply);
        Say(reply.Status == ReplyStatus.Ok, "audio plays");
        var patience = Linux.Now() + (20 * 1_000_000_000UL);
        while (Volatile.Read(ref PluginModule.Quanta) < 2000 && Linux.Now() < patience) Thread.Sleep(1);
        Say(playback.Stop(0) && PluginModule.Quanta >= 2000 && PluginModule.Wrong == 0, $"and plays on: {PluginModule.Quanta} quanta, {PluginModule.Wrong} went wrong");
        Say(record->HeapCalls == (CallsAQuantum * PluginModule.Quanta) + 1, $"{record->HeapCalls} calls on RT threads are the module's");
        Say(region.Map.Instances->HeapCalls == 0 && Heap.CallsOutside == outside, $"{region.Map.Instances->HeapCalls} are its neighbour's, {Heap.CallsOutside - outside} nobody's");
        Say(record->Shed == ShedReason.None && Failed(region.Pool) == failed, $"{Failed(region.Pool) - failed} were refused");
        var reaped = Heap.Maintain();
        Say(reaped == 1, $"{reaped} block of the C library's that it freed waited for the steward");

        Say(Install(renderer, [0]), "a plan without it is installed");
        _ = renderer.Collect();
        Bring(region.Pool);
        Say(Heap.HeldBy(Slot) == 0 && region.Pool->OwnerBytes(Slot + 1) == 0, $"{Heap.HeldBy(Slot)} bytes are held once it is gone, {region.Pool->OwnerBytes(Slot + 1)} by the pool's account");
        Say(region.Pool->Verify() == null, $"the pool is sound: {region.Pool->Verify() ?? "yes"}");
    }

    private static bool Install(Renderer renderer, int[] modules)
    {
        var blob = GraphBenchPlan.Line(modules).Compile(GraphBenchRig.Quantum);
        var copy = NativeMemory.AlignedAlloc((nuint)blob.Length, 64);
        blob.CopyTo(new Span<byte>(copy, blob.Length));
        var status = renderer.Install((PlanHeader*)copy, blob.Length, out _);
        NativeMemory.AlignedFree(copy);
        return status == ReplyStatus.Ok;
    }

    // Every arena brings home what others freed of its own, one block an operation; nobody else uses them now.
    private static void Bring(Pool* pool)
    {
        pool->Maintain();
        for (var i = 0; i < 20_000; i++)
            for (var arena = 1; arena < Arenas + 2; arena++) pool->Free(arena, pool->Allocate(arena, 64, 0));
    }

    private static long Failed(Pool* pool)
    {
        PoolStats stats = default;
        pool->ReadStats(ref stats);
        return stats.Failed;
    }

    private static long Live(Pool* pool)
    {
        PoolStats stats = default;
        pool->ReadStats(ref stats);
        return stats.ModuleBytes;
    }

    private static void Say(bool holds, string what)
    {
        if (!holds) s_failed++;
        Console.WriteLine((holds ? "ok   " : "FAIL ") + what);
    }
}
