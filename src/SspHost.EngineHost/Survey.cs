// ssp-engine survey FILE: an LV2 plugin put through the rules that can hold for one, watched for malloc while it plays, and timed.
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Conformance;
using SspHost.Engine.Loading;
using SspHost.Engine.Memory;
using SspHost.Engine.Threads;

namespace SspHost.EngineHost;

/// <summary>
/// Prints one line of JSON: {"rules":8,"broken":[{"rule":..,"why":..}],"mallocs":0,"heap":4096,"latency":0,"nanoseconds":812}. "mallocs" counts calls of
/// malloc's family in 1 s of playing on a thread that is an RT thread to the interposer, its first quantum included; -1: it is not there (JIT).
/// "nanoseconds": of a quantum of 32 frames at 48 kHz, the least of ten medians.
/// </summary>
internal static unsafe partial class Survey
{
    private const int Arena = Region.FirstArenas + 1, Quanta = 1500, Rounds = 10;

    public static int Run(string[] args)
    {
        if (args is not [var file])
        {
            Console.Error.WriteLine("usage: ssp-engine survey FILE");
            return 2;
        }

        if (Lv2File.Open(file, out var refusal) is not { } library)
        {
            Console.Error.WriteLine(refusal);
            return 1;
        }

        var id = library.Descriptors[0].Id;
        Subjects.Add(library.Descriptors, library.Entries);
        _ = FlushToZero.Enable(); // as on the threads that will play it
        Console.WriteLine("playing");
        Console.Out.Flush();
        var (mallocs, heap, nanoseconds, latency) = Play(id);
        var broken = new List<(string Rule, string Why)>();
        foreach (var (rule, attempt) in Rules.ForPlugins)
        {
            Console.WriteLine(rule);
            Console.Out.Flush();
            try
            {
                attempt(id);
            }
            catch (ConformanceException e)
            {
                broken.Add((rule, e.Message));
            }
        }

        using var stream = new MemoryStream();
        using (var w = new Utf8JsonWriter(stream))
        {
            w.WriteStartObject();
            w.WriteNumber("rules", Rules.ForPlugins.Count);
            w.WriteStartArray("broken");
            foreach (var (rule, why) in broken)
            {
                w.WriteStartObject();
                w.WriteString("rule", rule);
                w.WriteString("why", why);
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteNumber("mallocs", mallocs);
            w.WriteNumber("heap", heap);
            w.WriteNumber("latency", latency);
            w.WriteNumber("nanoseconds", Math.Round(nanoseconds));
            w.WriteEndObject();
        }

        Console.WriteLine(System.Text.Encoding.UTF8.GetString(stream.ToArray()));
        return 0;
    }

    private static (long Mallocs, long Heap, double Nanoseconds, int Latency) Play(string id)
    {
        var region = Region.Create(Region.DefaultBytes, default, "survey", out _, locks: false);
        if (region != null) Heap.Serve(region);
        var counts = Heap.IsServed && region!.Pool->OpenArena(Arena, 16 << 20);
        HeapScope.Enter(1);
        using var rig = new Rig(id);
        HeapScope.Leave();
        rig.Input = static (port, _, frame) => 4 * MathF.Sin((frame * 0.0576f) + port);
        var before = Heap.CallsOutside;
        rig.BeforeProcess = counts ? static () => EnterRt(Arena, null, null) : null;
        rig.AfterProcess = counts ? static () => LeaveRt() : null;
        for (var q = 0; q < Quanta; q++) rig.Step();
        var mallocs = counts ? (long)(Heap.CallsOutside - before) : -1;
        var heap = counts ? Heap.HeldBy(0) : -1;
        rig.BeforeProcess = rig.AfterProcess = null;
        var least = double.MaxValue;
        var times = new long[Quanta / Rounds];
        for (var round = 0; round < Rounds; round++)
        {
            for (var q = 0; q < times.Length; q++)
            {
                rig.Step();
                times[q] = rig.ProcessTicks;
            }

            Array.Sort(times);
            least = Math.Min(least, times[times.Length / 2] * 1e9 / Stopwatch.Frequency);
        }

        return (mallocs, heap, least, rig.Timing.LatencyFrames);
    }

    [SuppressGCTransition]
    [LibraryImport("libssphost_heap", EntryPoint = "ssp_heap_enter_rt")]
    private static partial void EnterRt(int arena, int* current, int* ghost);

    [SuppressGCTransition]
    [LibraryImport("libssphost_heap", EntryPoint = "ssp_heap_leave_rt")]
    private static partial void LeaveRt();
}
