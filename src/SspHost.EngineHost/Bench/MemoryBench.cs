// `ssp-engine bench memory`: the pool beside glibc, mimalloc and jemalloc, on one harness, in one run.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using SspHost.Engine.Memory;

namespace SspHost.EngineHost.Bench;

/// <summary>
/// 3 million operations of each kind on 8192 live blocks of 16 B to 8 KiB (log-uniform), on one pinned FIFO thread where that is allowed.
/// The other
/// allocators run in this same program, started again with LD_PRELOAD.
/// </summary>
internal static class MemoryBench
{
    private const int CountedOps = 10_000;
    private static readonly string[] Points = ["p50", "p99", "p99.9", "p99.99", "max"];

    private const string Usage = """
        usage: ssp-engine bench memory [--json] [--ops N] [--core N]
               ssp-engine bench memory --instructions N     nothing but the instructions of N operations

          --json      one JSON object on standard output
          --ops N     operations of each kind, 1000 to 20000000 (default 3000000)
          --core N    core to run on (default: the last of --pin)
        """;

    private static readonly (string Name, string? Library, string Package)[] Others =
    [
        ("glibc malloc", null, ""),
        ("mimalloc", "libmimalloc.so.2.0", "libmimalloc2.0"),
        ("jemalloc", "libjemalloc.so.2", "libjemalloc2"),
    ];

    /// <summary>Runs the benchmark; returns the process's exit code: 0, or 2 for arguments it does not understand.</summary>
    public static int Run(string[] args)
    {
        var json = false;
        var allocator = "";
        int ops = 3_000_000, core = BenchCores.Last, instructions = 0;
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            switch (args[i])
            {
                case "--json": json = true; break;
                case "--allocator": allocator = value; i++; break;
                case "--ops" when Number(value, 1000, 20_000_000, out ops): i++; break;
                case "--core" when Number(value, 0, 1023, out core): i++; break;
                case "--instructions" when Number(value, 100, 10_000_000, out instructions): i++; break;
                case "--stepped": return MemoryBenchSteps.Child(int.Parse(value, CultureInfo.InvariantCulture));
                default:
                    Console.Error.WriteLine($"bench memory: cannot use '{args[i]} {value}'");
                    Console.Error.WriteLine(Usage);
                    return 2;
            }
        }

        if (instructions > 0) return MemoryBenchSteps.Run(instructions, json);
        if (allocator.Length > 0)
        {
            // Started by ourselves: one line of JSON for the parent.
            Console.WriteLine(MemoryBenchRun.Measure(allocator, ops, core).ToJson());
            return 0;
        }

        var results = new List<MemoryBenchResult>();
        var missing = new List<string>();
        foreach (var name in new[] { "pool", "pool arena 0", "pool checked" })
            results.Add(Again(name, name, null, ops, core) ?? throw new InvalidOperationException($"bench memory: no result for {name}"));
        foreach (var (name, library, package) in Others)
        {
            var path = library == null ? null : Find(library);
            if (library != null && path == null)
                missing.Add($"{name}: {library} is not installed (Debian: apt-get install {package})");
            else if (Again("malloc", name, path, ops, core) is { } result) results.Add(result);
            else missing.Add($"{name}: gave no result");
        }

        var counts = MemoryBenchSteps.Count(CountedOps, out var how);
        AddFigures(results);
        MemoryBenchSteps.Add(counts, how);
        if (json)
        {
            WriteJson(results, missing, ops, counts, how);
            return 0;
        }

        WriteTable(results, missing, ops);
        Console.WriteLine();
        if (counts != null) MemoryBenchSteps.WriteTable(counts, how);
        else Console.WriteLine($"instructions {how}");
        return 0;
    }

    private static void AddFigures(List<MemoryBenchResult> results)
    {
        foreach (var r in results)
        {
            var name = "memory." + BenchFigures.Slug(r.Name);
            for (var i = 0; i < MemoryBenchResult.Points.Length; i++)
            {
                var better = i < MemoryBenchResult.Points.Length - 1 ? BenchFigures.Less : BenchFigures.Neither; // the greatest is one accident
                BenchFigures.Add($"{name}.alloc.{Points[i]}", "ns", better, r.Allocate[i], note: r.RealTime ? "" : "ordinary priority");
                BenchFigures.Add($"{name}.free.{Points[i]}", "ns", better, r.Free[i], note: r.RealTime ? "" : "ordinary priority");
            }
        }

        if (results.Find(r => r.Name == Others[0].Name) is not { } glibc) return;
        for (var i = 0; i < Points.Length - 1; i++)
        {
            // A clock that subtracts its own floor may leave nothing of a median.
            BenchFigures.Add($"memory.pool-over-glibc.alloc.{Points[i]}", "1", BenchFigures.Less, results[0].Allocate[i] / Math.Max(glibc.Allocate[i], 1));
            BenchFigures.Add($"memory.pool-over-glibc.free.{Points[i]}", "1", BenchFigures.Less, results[0].Free[i] / Math.Max(glibc.Free[i], 1));
        }
    }

    private static bool Number(string text, int min, int max, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= min && value <= max;

    private static MemoryBenchResult? Again(string allocator, string name, string? preload, int ops, int core)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var arg in new[] { "bench", "memory", "--allocator", allocator, "--ops", ops.ToString(CultureInfo.InvariantCulture),
            "--core", core.ToString(CultureInfo.InvariantCulture) })
            start.ArgumentList.Add(arg);
        if (preload != null) start.Environment["LD_PRELOAD"] = preload;
        using var process = Process.Start(start)!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? MemoryBenchResult.FromJson(text, name) : null;
    }

    private static string? Find(string library)
    {
        string[] folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib"];
        return folders.Select(f => Path.Combine(f, library)).FirstOrDefault(File.Exists);
    }

    private static void WriteTable(List<MemoryBenchResult> results, List<string> missing, int ops)
    {
        var first = results[0];
        Console.WriteLine($"{ops} operations of each kind, {MemoryBenchRun.Live} live blocks of 16 B to 8 KiB, ns");
        var priority = first.RealTime ? "SCHED_FIFO 80" : "ordinary priority (no privilege for SCHED_FIFO)";
        Console.WriteLine($"{priority}, core {first.Core}{(first.Pinned ? "" : " (not pinned)")}");
        Console.WriteLine($"clock: {first.Clock}, floor {first.Floor:F1} ns subtracted, resolution {first.Resolution:F1} ns");
        Console.WriteLine();
        Console.WriteLine("                      alloc                                         free");
        Console.WriteLine("                     p50     p99   p99.9  p99.99      max     p50     p99   p99.9  p99.99      max");
        foreach (var r in results)
        {
            var line = new StringBuilder();
            line.Append(CultureInfo.InvariantCulture, $"{r.Name,-16}");
            foreach (var v in r.Allocate.Concat(r.Free)) line.Append(CultureInfo.InvariantCulture, $"{v,8:F0}");
            Console.WriteLine(line);
        }

        foreach (var line in missing) Console.WriteLine(line);
    }

    private static void WriteJson(List<MemoryBenchResult> results, List<string> missing, int ops, (string Operation, List<int> Counts)[]? counts, string how)
    {
        using var stream = Console.OpenStandardOutput();
        using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            w.WriteString("bench", "memory");
            w.WriteNumber("ops", ops);
            w.WriteNumber("live", MemoryBenchRun.Live);
            w.WriteStartArray("results");
            foreach (var r in results) r.Write(w);
            w.WriteEndArray();
            w.WriteStartArray("missing");
            foreach (var line in missing) w.WriteStringValue(line);
            w.WriteEndArray();
            w.WriteStartObject("instructions");
            MemoryBenchSteps.Write(w, counts ?? [], how);
            w.WriteEndObject();
            w.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }
}
