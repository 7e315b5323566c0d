// The measurements of `ssp-engine bench graph`: overhead a module, and wake and join beside bare futexes.
using SspHost.Abi;
using SspHost.Engine.Probes;

namespace SspHost.EngineHost.Bench;

/// <summary>Percentiles of one figure, in ns unless said otherwise.</summary>
internal readonly record struct GraphFigure(double P50, double P99, double P999, double Max)
{
    public static readonly double[] Points = [0.5, 0.99, 0.999, 1];

    public static GraphFigure Of(double[] samples, double scale = 1)
    {
        Array.Sort(samples);
        double At(double p) => samples[Math.Clamp((int)Math.Ceiling(p * samples.Length) - 1, 0, samples.Length - 1)] * scale;
        return new GraphFigure(At(0.5), At(0.99), At(0.999), At(1));
    }
}

/// <summary>One row of the overhead table.</summary>
internal sealed record GraphOverhead(string Shape, int Modules, int Threads, bool ModuleTimes, bool RealTime, GraphFigure PerModule);

internal static unsafe class GraphBenchRun
{
    private const int Modules = 200;

    /// <summary>Gap before a wake-up, long enough that the other thread sleeps in the kernel, as between device periods.</summary>
    private const ulong GapNs = 150_000;

    /// <summary>Graphs of so many modules of a type of the rig's.</summary>
    public static (string Name, Func<int, GraphBenchPlan> Make)[] Shapes =>
    [
        ("chain", m => GraphBenchPlan.Chain(Modules, m)),
        ("wide", m => GraphBenchPlan.Wide(Modules, m)),
        ("diamonds", m => GraphBenchPlan.Diamonds(Modules, m)),
        ("random", m => GraphBenchPlan.Random(Modules, 1, m)),
    ];

    /// <summary>Time of a whole quantum of empty modules, divided by their number: nothing is left out.</summary>
    public static GraphOverhead Overhead(string shape, GraphBenchPlan plan, int threads, bool times, int quanta)
    {
        using var rig = new GraphBenchRig();
        rig.Start(plan, threads);
        rig.Renderer.Diagnostics = times ? DiagnosticFlags.ModuleTimes : DiagnosticFlags.None;
        var samples = new double[quanta];
        var realTime = GraphBenchRig.On(0, threads, () =>
        {
            for (var q = -quanta / 5; q < quanta; q++)
            {
                var start = CycleClock.Now();
                rig.Step();
                var ns = CycleClock.ToNanoseconds(CycleClock.Now() - start);
                if (q >= 0) samples[q] = ns;
            }
        });
        return new GraphOverhead(shape, plan.Count, threads, times, realTime, GraphFigure.Of(samples, 1.0 / plan.Count));
    }

    /// <summary>Memory of the ping-pong: each word on a line of its own.</summary>
    private struct Table
    {
        public uint* Ping, Pong;
        public int* Stop;
    }

    /// <summary>
    /// Wake and join: a plan whose two nodes need two threads at once, after a gap in which the worker fell asleep; and, in turn with it, two
    /// threads that wake each other by bare futexes after the same gap. Ratio of medians of one run.
    /// </summary>
    public static (GraphFigure WakeAndJoin, GraphFigure PingPong, double Ratio, bool RealTime) WakeAndJoin(int rounds)
    {
        var page = MemoryBenchPosix.Pages(4096);
        MeetModule.Arrived = (long*)page;
        var t = new Table { Ping = (uint*)(page + 512), Pong = (uint*)(page + 1024), Stop = (int*)(page + 1536) };
        using var rig = new GraphBenchRig();
        rig.Start(GraphBenchPlan.Wide(2, module: 2), 2);
        var partner = new Thread(() =>
        {
            _ = GraphBenchRig.Settle(1, 2);
            for (uint seen = 0; Volatile.Read(ref *t.Stop) == 0;)
            {
                var now = Volatile.Read(ref *t.Ping);
                if (now == seen)
                {
                    Linux.Wait(t.Ping, seen, 100_000_000);
                    continue;
                }

                seen = now;
                Volatile.Write(ref *t.Pong, now);
                Linux.Wake(t.Pong, 1);
            }
        });
        partner.Start();
        var wake = new double[rounds];
        var pong = new double[rounds];
        var realTime = GraphBenchRig.On(0, 2, () =>
        {
            for (var r = -50; r < rounds; r++)
            {
                Gap();
                var start = CycleClock.Now();
                rig.Step();
                var ns = CycleClock.ToNanoseconds(CycleClock.Now() - start);
                if (r >= 0) wake[r] = ns;

                Gap();
                start = CycleClock.Now();
                var call = *t.Ping + 1;
                Volatile.Write(ref *t.Ping, call);
                Linux.Wake(t.Ping, 1);
                for (var answer = Volatile.Read(ref *t.Pong); answer != call; answer = Volatile.Read(ref *t.Pong)) Linux.Wait(t.Pong, answer, 100_000_000);
                ns = CycleClock.ToNanoseconds(CycleClock.Now() - start);
                if (r >= 0) pong[r] = ns;
            }

            Volatile.Write(ref *t.Stop, 1);
            Linux.Wake(t.Ping, 1);
        });
        partner.Join();
        var (a, b) = (GraphFigure.Of(wake), GraphFigure.Of(pong));
        return (a, b, a.P50 / b.P50, realTime);
    }

    private static void Gap()
    {
        var start = CycleClock.Now();
        while (CycleClock.ToNanoseconds(CycleClock.Now() - start) < GapNs) { }
    }
}
