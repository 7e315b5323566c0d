// `ssp-engine bench NAME`: the benchmarks there are, and the options that all of them have.
using System.Globalization;

namespace SspHost.EngineHost.Bench;

internal static class Benches
{
    private static readonly (string Name, Func<string[], int> Run)[] All =
    [
        ("memory", MemoryBench.Run), ("heap", HeapBench.Run), ("graph", GraphBench.Run), ("classes", ClassBench.Run), ("sleep", SleepBench.Run), ("wake", WakeBench.Run),
        ("latency", LatencyBench.Run), ("modules", ModuleBench.Run), ("contain", ContainBench.Run), ("samples", SampleBench.Run), ("diagnostics", DiagnosticsBench.Run),
    ];

    /// <summary>Runs one; the process's exit code, 2 where there is no such benchmark or its options are wrong.</summary>
    public static int Run(string[] args)
    {
        var bench = Array.Find(All, b => args.Length > 0 && b.Name == args[0]);
        if (bench.Run == null) return Fail($"expected one of {string.Join(", ", All.Select(b => b.Name))}, not '{(args.Length > 0 ? args[0] : "")}'");
        string? figures = null;
        var rest = new List<string>();
        for (var i = 1; i < args.Length; i++)
        {
            if (args[i] is not ("--figures" or "--pin"))
            {
                rest.Add(args[i]);
                continue;
            }

            if (i + 1 == args.Length) return Fail($"{args[i]}: expected a value");
            if (args[i] == "--figures") figures = args[++i];
            else if (BenchCores.Use(args[++i]) is { } wrong) return Fail("--pin: " + wrong);
        }

        var code = bench.Run([.. rest]);
        if (figures != null && code != 2) BenchFigures.Write(figures);
        return code;
    }

    /// <summary>A whole number within limits.</summary>
    public static bool Number(string? text, int least, int most, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least && value <= most;

    private static int Fail(string message)
    {
        Console.Error.WriteLine($"ssp-engine bench: {message}");
        return 2;
    }
}
