// How far a graph of working modules is from what its work and its critical path allow at best.
using SspHost.Engine.Graph;
using SspHost.Engine.Probes;

namespace SspHost.EngineHost.Bench;

/// <summary>A patch on so many threads; ns of a quantum, and over what the modules alone would take at best.</summary>
internal sealed record GraphIdealFigure(string Shape, int Modules, int Depth, int Threads, bool RealTime, double QuantumNs, double IdealNs, double Ratio);

/// <summary>
/// The ideal is the longer of all work shared evenly by the threads that have a core and of the longest path, of modules that cost what they cost
/// when they are called without an engine, measured in turns with the quanta. Nothing that schedules can be faster (Graham 1969).
/// </summary>
internal static unsafe class GraphIdeal
{
    private const int BurnModuleIndex = 1, Rounds = 15, Block = 60;
    private const float Steps = 8; // the module's default: about a filter's work

    public static GraphIdealFigure Measure(string shape, GraphBenchPlan plan, int threads)
    {
        plan.Load = Steps;
        using var rig = new GraphBenchRig();
        rig.Start(plan, threads);
        var registry = new ModuleRegistry().Add<EmptyModule>().Add<BurnModule>();
        using var alone = new ModuleBenchRig(registry, new ModuleBenchSetup(BurnModuleIndex, GraphBenchRig.Quantum, 1), null);
        var (quanta, ideals, ratios) = (new double[Rounds], new double[Rounds], new double[Rounds]);
        var busy = Math.Min(threads, GraphBenchRig.Cores);
        var realTime = GraphBenchRig.On(0, threads, () =>
        {
            for (var round = -2; round < Rounds; round++)
            {
                var module = OfCalls(alone);
                var quantum = OfQuanta(rig);
                if (round < 0) continue;
                var ideal = module * Math.Max((double)plan.Count / busy, plan.Depth);
                (quanta[round], ideals[round], ratios[round]) = (quantum, ideal, quantum / ideal);
            }
        });
        Array.Sort(quanta);
        Array.Sort(ideals);
        Array.Sort(ratios);
        return new GraphIdealFigure(shape, plan.Count, plan.Depth, threads, realTime, quanta[Rounds / 2], ideals[Rounds / 2], ratios[Rounds / 2]);
    }

    // A block at once, so that the clock is read twice in all; the next buffers are set outside, as by the graph.
    private static double OfCalls(ModuleBenchRig alone)
    {
        alone.Prepare();
        var start = CycleClock.Now();
        for (var i = 0; i < Block * 8; i++) _ = alone.Run();
        return CycleClock.ToNanoseconds(CycleClock.Now() - start) / (Block * 8);
    }

    private static double OfQuanta(GraphBenchRig rig)
    {
        var times = new double[Block];
        for (var q = 0; q < Block; q++)
        {
            var start = CycleClock.Now();
            rig.Step();
            times[q] = CycleClock.ToNanoseconds(CycleClock.Now() - start);
        }

        Array.Sort(times);
        return times[Block / 2];
    }
}
