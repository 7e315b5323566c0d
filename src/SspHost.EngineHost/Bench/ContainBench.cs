// `ssp-engine bench contain`: how long the music stands still when a module does not come back, or faults, on the real threads of this image.
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;
using SspHost.Engine.Probes;
using SspHost.Engine.Service;

namespace SspHost.EngineHost.Bench;

/// <summary>Counts its quanta and the longest time between two.</summary>
internal struct BeatModule : IModule<BeatModule>
{
    public static ulong Last, Longest, Beats;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "beat", Name = "Beat", Family = "Bench", Text = "Looks at the clock", Inputs = [new("a", "A"), new("b", "B")], Outputs = [new("out", "Out")],
    };

    public static void Construct(ref BeatModule self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref BeatModule self) { }

    public static ProcessResult Process(ref BeatModule self, in ProcessContext context)
    {
        var now = Linux.Now();
        if (Last != 0 && now - Last > Longest) Longest = now - Last;
        Last = now;
        Volatile.Write(ref Beats, Beats + 1);
        return ProcessResult.Continue;
    }
}

/// <summary>Does not come back once it is told so, by its number in the plan.</summary>
internal unsafe partial struct HoldModule : IModule<HoldModule>
{
    // The first three come back when they are let go; the faults never do, and each keeps its thread.
    public static readonly string[] Kinds = ["spins", "sleeps", "waits for a mutex", "returns NaN", "writes to address 0", "overflows its stack", "throws"];
    public const int ComeBack = 3;
    public static readonly void* Mutex = NativeMemory.AllocZeroed(64);
    public static int Victim = -1, Zero, Broken = -1;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "hold", Name = "Hold", Family = "Bench", Text = "Does not come back", Inputs = [new("a", "A"), new("b", "B")], Outputs = [new("out", "Out")],
    };

    public static void Construct(ref HoldModule self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref HoldModule self) { }

    public static ProcessResult Process(ref HoldModule self, in ProcessContext context)
    {
        if (context.Slot == Broken) context.Out(0)[0] = float.NaN;
        if (context.Slot != Volatile.Read(ref Victim)) return ProcessResult.Continue;
        Volatile.Write(ref Victim, -1);
        uint never = 0;
        switch (context.Slot - 1)
        {
            case 0:
                while (Volatile.Read(ref Zero) == 0) { }
                break;
            case 1:
                while (Volatile.Read(ref Zero) == 0) Linux.Wait(&never, 0, 1_000_000_000);
                break;
            case 2:
                _ = MutexLock(Mutex);
                _ = MutexUnlock(Mutex);
                break;
            case 3:
                Broken = context.Slot;
                break;
            case 4:
                *(int*)Volatile.Read(ref Zero) = 1;
                break;
            case 5:
                Zero = Dig(1);
                break;
            default:
                Span<int> four = stackalloc int[4];
                four[4 + Volatile.Read(ref Zero)] = 1;
                break;
        }

        return ProcessResult.Continue;
    }

    [LibraryImport("libc", EntryPoint = "pthread_mutex_lock")]
    public static partial int MutexLock(void* mutex);

    [LibraryImport("libc", EntryPoint = "pthread_mutex_unlock")]
    public static partial int MutexUnlock(void* mutex);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Dig(int depth)
    {
        var hole = stackalloc int[100];
        hole[depth % 100] = depth;
        return Dig(depth + 1) + hole[(depth + 1) % 100];
    }
}

internal static unsafe class ContainBench
{
    // Stall: what the watchdog recorded of it, as it lies in memory; empty: nothing, because it was not late.
    private sealed record Row(string Kind, int Threads, double GapMs, string Reason, int Signal, byte[] Stall);

    /// <summary>Runs the benchmark; the process's exit code: 0, 1 where something was not contained, or 2 for arguments it does not understand.</summary>
    public static int Run(string[] args)
    {
        var json = args is ["--json"];
        if (!json && args.Length > 0)
        {
            Console.Error.WriteLine($"bench contain: cannot use '{args[0]}'");
            Console.Error.WriteLine("usage: ssp-engine bench contain [--json]");
            return 2;
        }

        CycleClock.Calibrate();
        var rows = new List<Row>();
        for (var threads = 1; threads <= Math.Min(2, Environment.ProcessorCount); threads++)
        {
            if (!Measure(threads, rows)) return 1;
        }

        foreach (var r in rows) BenchFigures.Add(FormattableString.Invariant($"contain.{BenchFigures.Slug(r.Kind)}.{r.Threads}.silence"), "ms", BenchFigures.Less, r.GapMs);
        if (json) WriteJson(rows);
        else
        {
            Console.WriteLine("a module that ...      on threads   silence, ms   the engine says");
            foreach (var r in rows)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{r.Kind,-22}{r.Threads,11}{r.GapMs,14:F2}   {r.Reason}{(r.Signal > 0 ? $", signal {r.Signal}" : "")}"));
        }

        return 0;
    }

    private static bool Measure(int threads, List<Row> rows)
    {
        var registry = new ModuleRegistry().Add<BeatModule>().Add<BurnModule>().Add<MeetModule>().Add<HoldModule>();
        var region = Region.Create(Region.MinBytes, DescriptorBlob.Write(registry.Descriptors), "bench", out var error) ?? throw new IOException(error);
        var renderer = new Renderer(region.Map, region.Pool, registry, (float*)region.Silence);
        var playback = new Playback(region, renderer);
        if (renderer.Configure(GraphBenchRig.Rate, GraphBenchRig.Quantum, threads) != ReplyStatus.Ok) return false;
        var blob = GraphBenchPlan.Line([0, 3, 3, 3, 3, 3, 3, 3, 0]).Compile(GraphBenchRig.Quantum);
        var copy = NativeMemory.AlignedAlloc((nuint)blob.Length, 64);
        blob.CopyTo(new Span<byte>(copy, blob.Length));
        var status = renderer.Install((PlanHeader*)copy, blob.Length, out _);
        NativeMemory.AlignedFree(copy);
        if (status != ReplyStatus.Ok) return false;
        var config = new AudioConfig
        {
            Card = CardKind.Simulated, Rate = (int)GraphBenchRig.Rate, Quantum = GraphBenchRig.Quantum, Period = GraphBenchRig.Quantum, Periods = 2, Outputs = 2, Threads = threads,
        };
        for (var t = 0; t < Limits.MaxThreads; t++) config.Cores[t] = -1;
        var reply = default(Reply);
        HoldModule.Victim = -1;
        playback.Start(&config, ref reply);
        if (reply.Status != ReplyStatus.Ok) return false;
        for (var kind = 0; kind < HoldModule.Kinds.Length; kind++)
        {
            Beats(300);
            (BeatModule.Last, BeatModule.Longest) = (0, 0);
            while (region.Map.Stalls.TryPop(out _)) { }
            _ = HoldModule.MutexLock(HoldModule.Mutex);
            Volatile.Write(ref HoldModule.Victim, 1 + kind);
            var notice = default(Notice);
            while (!region.Map.Notices.TryPop(out notice) || notice.Kind != NoticeKind.ModuleShed) Thread.Sleep(1);
            Beats(300);
            var reason = (ShedReason)notice.A;
            // What only waits is let go: its thread is a standby again, of which there are not as many as kinds.
            Volatile.Write(ref HoldModule.Zero, 1);
            _ = HoldModule.MutexUnlock(HoldModule.Mutex);
            while (kind < HoldModule.ComeBack && renderer.StuckThreads > 0)
            {
                Thread.Sleep(1);
                _ = renderer.Collect();
            }

            (HoldModule.Zero, HoldModule.Broken) = (0, -1);
            var stall = Array.Empty<byte>();
            while (region.Map.Stalls.TryPop(out var record))
                if (record.Slot == 1 + kind) stall = MemoryMarshal.AsBytes(new ReadOnlySpan<StallRecord>(in record)).ToArray();
            rows.Add(new Row(HoldModule.Kinds[kind], threads, BeatModule.Longest / 1e6, Word(reason), reason == ShedReason.Fault ? (int)notice.B : 0, stall));
        }

        return playback.Stop(0); // the region stays: threads are held in it
    }

    private static string Word(ShedReason reason) => reason switch { ShedReason.Fault => "fault", ShedReason.Stuck => "stuck", _ => "failures" };

    private static void Beats(ulong more)
    {
        var until = Volatile.Read(ref BeatModule.Beats) + more;
        while (Volatile.Read(ref BeatModule.Beats) < until) Thread.Sleep(1);
    }

    private static void WriteJson(List<Row> rows)
    {
        using var stream = Console.OpenStandardOutput();
        using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            w.WriteString("bench", "contain");
            w.WriteStartArray("contained");
            foreach (var r in rows)
            {
                w.WriteStartObject();
                w.WriteString("module", r.Kind);
                w.WriteNumber("threads", r.Threads);
                w.WriteNumber("silence_ms", Math.Round(r.GapMs, 3));
                w.WriteString("reason", r.Reason);
                w.WriteNumber("signal", r.Signal);
                w.WriteBase64String("stall", r.Stall);
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteStartArray("maps"); // so that whoever reads this can name the addresses
            foreach (var line in File.ReadLines("/proc/self/maps")) w.WriteStringValue(line);
            w.WriteEndArray();
            w.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }
}
