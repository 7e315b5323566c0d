// One wide patch on N threads beside N processes of this program that have nothing in common: what is a core worth to one patch?
using System.Diagnostics;
using System.Globalization;
using SspHost.Abi;

namespace SspHost.EngineHost.Bench;

/// <summary>Quanta a second of the patch on N threads over those of N processes with one thread each, on the same cores, in turns.</summary>
internal sealed record GraphProcessFigure(string Patch, int Threads, bool RealTime, double Median, double Low, double High, double QuantumNs);

/// <summary>The children wait for a line with a moment of CLOCK_MONOTONIC, which all processes share, and all begin at it.</summary>
internal static class GraphProcesses
{
    private const ulong TurnNs = 60_000_000, AheadNs = 4_000_000;

    private static readonly (string Name, Func<GraphBenchPlan> Make)[] Patches =
    [
        ("16 voices of 6 modules", () => GraphBenchPlan.Voices(16, 6, 12)),
        ("8 voices of 8 heavy modules", () => GraphBenchPlan.Voices(8, 8, 60)),
        ("64 light modules side by side", () => GraphBenchPlan.Voices(64, 1, 8)),
    ];

    public static int Count => Patches.Length;

    /// <summary>Measures a patch; <paramref name="turns"/> of each, median of their ratios.</summary>
    public static GraphProcessFigure Measure(int patch, int threads, int turns)
    {
        using var together = new GraphBenchRig();
        together.Start(Patches[patch].Make(), threads);
        var children = Enumerable.Range(0, threads).Select(c => Spawn(patch, BenchCores.At(c))).ToArray();
        try
        {
            foreach (var child in children)
                if (child.StandardOutput.ReadLine() != "ready") throw new IOException("bench graph: a process of its own did not start");
            var ratios = new double[turns];
            double quantumNs = 0;
            var realTime = false;
            for (var turn = 0; turn < turns; turn++)
            {
                double shared = 0;
                realTime = GraphBenchRig.On(0, threads, () => shared = Speed(together, TurnNs));
                var start = (Linux.Now() + AheadNs).ToString(CultureInfo.InvariantCulture);
                foreach (var child in children) child.StandardInput.WriteLine(start);
                ratios[turn] = shared / children.Sum(Answer);
                quantumNs = 1e9 / shared;
            }

            Array.Sort(ratios);
            return new GraphProcessFigure(Patches[patch].Name, threads, realTime, ratios[turns / 2], ratios[0], ratios[^1], quantumNs);
        }
        finally
        {
            foreach (var child in children)
            {
                child.StandardInput.Close(); // which ends it
                child.WaitForExit();
                child.Dispose();
            }
        }
    }

    /// <summary>The life of such a process: `bench graph --alone PATCH` on the one core it was given by --pin.</summary>
    public static int Child(int patch)
    {
        using var rig = new GraphBenchRig();
        rig.Start(Patches[patch].Make(), 1);
        _ = GraphBenchRig.On(0, 1, () =>
        {
            Console.WriteLine("ready");
            while (ulong.TryParse(Console.ReadLine(), NumberStyles.None, CultureInfo.InvariantCulture, out var start))
            {
                while (Linux.Now() < start) { }
                Console.WriteLine(Speed(rig, TurnNs).ToString("R", CultureInfo.InvariantCulture));
            }
        });
        return 0;
    }

    private static double Answer(Process child) =>
        double.TryParse(child.StandardOutput.ReadLine(), NumberStyles.Float, CultureInfo.InvariantCulture, out var speed) && speed > 0
            ? speed
            : throw new IOException("bench graph: a process of its own gave no answer");

    private static Process Spawn(int patch, int core)
    {
        string[] args = ["bench", "graph", "--alone", patch.ToString(CultureInfo.InvariantCulture), "--pin", core.ToString(CultureInfo.InvariantCulture)];
        return Process.Start(new ProcessStartInfo(Environment.ProcessPath!, args) { RedirectStandardInput = true, RedirectStandardOutput = true }) ?? throw new IOException("bench graph: no process can be started");
    }

    private static double Speed(GraphBenchRig rig, ulong ns)
    {
        for (var i = 0; i < 20; i++) rig.Step();
        var start = Linux.Now();
        var quanta = 0;
        ulong now;
        do
        {
            rig.Step();
            quanta++;
            now = Linux.Now();
        }
        while (now - start < ns);

        return quanta * 1e9 / (now - start);
    }
}
