// ssp-engine survey FILE: an LV2 plugin put through the rules that can hold for one, watched for malloc while it plays, and timed.
using System.Diagnostics;
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
internal static class Survey
{
    private const int Quanta = 1500, Rounds = 10;

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
        Say("playing");
        var figures = Play(id);
        var broken = new List<(string Rule, string Why)>();
        foreach (var (rule, attempt) in Rules.ForPlugins.OrderBy(r => r.Rule == Rules.NoNumbers)) // which may be the end of it
        {
            // Nothing sends a plugin such numbers where it plays: one that dies of them has kept or broken the other rules all the same.
            if (rule == Rules.NoNumbers) Report(figures, [.. broken, (rule, "it ends the process")]);
            Say(rule);
            try
            {
                attempt(id);
            }
            catch (ConformanceException e)
            {
                broken.Add((rule, e.Message));
            }
        }

        Report(figures, broken);
        return 0;
    }

    private static void Report((long Mallocs, long Heap, double Nanoseconds, int Latency) figures, IReadOnlyList<(string Rule, string Why)> broken)
    {
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
            w.WriteNumber("mallocs", figures.Mallocs);
            w.WriteNumber("heap", figures.Heap);
            w.WriteNumber("latency", figures.Latency);
            w.WriteNumber("nanoseconds", Math.Round(figures.Nanoseconds));
            w.WriteEndObject();
        }

        Say(System.Text.Encoding.UTF8.GetString(stream.ToArray()));
    }

    // Flushed: it may be the last one.
    private static void Say(string where)
    {
        Console.WriteLine(where);
        Console.Out.Flush();
    }

    private static (long Mallocs, long Heap, double Nanoseconds, int Latency) Play(string id)
    {
        ServedHeap.Open();
        var counts = ServedHeap.IsOpen;
        using var rig = ServedHeap.Make(id);
        rig.Input = static (port, _, frame) => 4 * MathF.Sin((frame * 0.0576f) + port);
        var before = Heap.CallsOutside;
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
}
