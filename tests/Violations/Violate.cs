// `ssp-engine violate NAME` (checked build only): plays a patch on the real threads, in which one module breaks one rule.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;
using SspHost.Engine.Probes;
using SspHost.Engine.Service;
using SspHost.EngineHost.Bench;

namespace SspHost.Violations;

/// <summary>
/// Three modules side by side on a simulated card and as many threads as there are cores (two at most). The one in the middle, named
/// 'the culprit', breaks its rule once; the guards are to end the process then. In warn mode it plays on, and the exit code is 0.
/// </summary>
internal static unsafe class Violate
{
    private const int Slot = 1, Threads = 2;
    private const int Frames = GraphBenchRig.Quantum;

    // What the modules use: made here, so that nothing but the rule itself is broken.
#pragma warning disable MA0158 // a lock as most people write it
    public static readonly object Held = new();
#pragma warning restore MA0158
    public static readonly string Text = "text";
    public static readonly int[] Numbers = [1, 2, 3];
    public static readonly InvalidOperationException Ready = new("thrown on purpose");
    public static readonly List<int> Full = new(1) { 1 };
    public static readonly void* Semaphore = NativeMemory.AllocZeroed(64); // sem_t, of value 0; also an empty string
    public static readonly byte* Library = (byte*)Marshal.StringToCoTaskMemUTF8("libresolv.so.2"); // one that nobody has loaded
    public static object? Sink;
    public static int Count;

    private static int _armed, _reached;

    /// <summary>Whether the module that asks is to break its rule now. True once.</summary>
    public static bool Now(in ProcessContext context)
    {
        if (Volatile.Read(ref _armed) == 0 || context.Slot != Slot) return false;
        Volatile.Write(ref _armed, 0);
        Volatile.Write(ref _reached, 1);
        return true;
    }

    /// <summary>Runs the command; the process's exit code. It does not return where the guards do their duty.</summary>
    public static int Run(string[] args)
    {
        var registry = new ModuleRegistry().Add<BeatModule>().Add<BurnModule>().Add<MeetModule>();
        registry.Add<ArrayModule>().Add<StringModule>().Add<BoxingModule>().Add<ClosureModule>().Add<ListModule>().Add<LinqModule>()
            .Add<AsyncModule>().Add<ExceptionModule>().Add<CollectModule>().Add<LockModule>().Add<ConsoleModule>().Add<SleepModule>()
            .Add<SemaphoreModule>().Add<NanosleepModule>().Add<StrdupModule>().Add<FopenModule>().Add<DlopenModule>();
        var names = registry.Descriptors.Skip(3).Select(d => d.Id).ToArray();
        if (args is ["--list"])
        {
            foreach (var n in names) Console.WriteLine(n);
            return 0;
        }

        var module = args.Length == 1 ? Array.IndexOf(names, args[0]) : -1;
        if (module < 0)
        {
            Console.Error.WriteLine($"usage: ssp-engine violate --list | {string.Join(" | ", names)}");
            return 2;
        }

        CycleClock.Calibrate();
        var region = Region.Create(Region.MinBytes, DescriptorBlob.Write(registry.Descriptors), "violate", out var error) ?? throw new IOException(error);
        Heap.Serve(region);
        var renderer = new Renderer(region.Map, region.Pool, registry, (float*)region.Silence);
        var playback = new Playback(region, renderer);
        var threads = Math.Min(Threads, Environment.ProcessorCount);
        if (renderer.Configure(GraphBenchRig.Rate, Frames, threads) != ReplyStatus.Ok || !Install(renderer, 3 + module)) return 1;
        var config = new AudioConfig
        {
            Card = CardKind.Simulated, Rate = (int)GraphBenchRig.Rate, Quantum = Frames, Period = Frames, Periods = 2, Outputs = 2, Threads = threads,
        };
        for (var t = 0; t < Limits.MaxThreads; t++) config.Cores[t] = -1;

        var holder = new Thread(Hold);
        holder.Start();
        while (Volatile.Read(ref Count) == 0) Thread.Sleep(1);
        var reply = default(Reply);
        playback.Start(&config, ref reply);
        if (reply.Status != ReplyStatus.Ok) return 1;
        Beats(100);
        Console.Error.WriteLine($"violate: {args[0]} after {BeatModule.Beats} clean beats");
        Volatile.Write(ref _armed, 1);
        while (Volatile.Read(ref _reached) == 0) Thread.Sleep(1);
        Beats(200);
        holder.Join();
        var stopped = playback.Stop(0);
        Console.Error.WriteLine("violate: the music went on");
        return stopped ? 0 : 1;
    }

    // Holds what the modules wait for until a little after they do.
    private static void Hold()
    {
        lock (Held)
        {
            Count = 1;
            while (Volatile.Read(ref _reached) == 0) Thread.Sleep(1);
            Thread.Sleep(2);
        }

        _ = LibC.SemPost(Semaphore);
    }

    private static void Beats(ulong more)
    {
        var until = Volatile.Read(ref BeatModule.Beats) + more;
        while (Volatile.Read(ref BeatModule.Beats) < until) Thread.Sleep(1);
    }

    private static bool Install(Renderer renderer, int module)
    {
        var blob = GraphBenchPlan.Line([0, module, 0]).Compile(Frames);
        var copy = (byte*)NativeMemory.AlignedAlloc((nuint)blob.Length, 64); // as a grant would be
        blob.CopyTo(new Span<byte>(copy, blob.Length));
        var nodes = (PlanNode*)(copy + ((PlanHeader*)copy)->NodesOffset);
        "the culprit"u8.CopyTo(new Span<byte>(nodes[Slot].Name, InstanceRecord.NameBytes));
        var status = renderer.Install((PlanHeader*)copy, blob.Length, out _);
        NativeMemory.AlignedFree(copy);
        return status == ReplyStatus.Ok;
    }
}
