// An LV2 plugin put through what a patch may put it through, at the rate and quantum of that patch: what will die of it dies here.
using System.Diagnostics;
using SspHost.Abi;
using SspHost.Conformance;
using SspHost.Engine.Loading;
using SspHost.Engine.Threads;

namespace SspHost.EngineHost;

/// <summary>
/// Only dying and never coming back count here; what a plugin does to the sound is the survey's to say. Says where it is before each step. No step
/// begins later than <see cref="Longest"/> after the first, so that slow plugins are tried less, in this order: as it stands, knobs at their
/// ends, everything at random, its state, the rates and quanta of others.
/// </summary>
internal static class Trial
{
    private const int AtRest = 144_000, Wild = 8192; // frames

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    public static void Run(OpenLibrary library, int rate, int quantum, Action<string> stage)
    {
        var id = library.Descriptors[0].Id;
        Subjects.Add(library.Descriptors, library.Entries);
        _ = FlushToZero.Enable(); // as on the threads that will play it
        ServedHeap.Open();
        var own = new RigOptions { Rate = rate, Quantum = quantum };
        var watch = Stopwatch.StartNew();
        void Step(string where, Action play)
        {
            if (watch.Elapsed > Longest) return;
            stage(where);
            try
            {
                play();
            }
            catch (ConformanceException)
            {
                // It does something that a module of ours must not; it lives.
            }
        }

        Step("playing with its knobs as they stand", () => Play(id, own, AtRest, static rig => rig.Input = Loud(4f)));
        Step("playing with its knobs at their lower ends", () => Play(id, own, Wild, static rig => AtEnds(rig, 0)));
        Step("playing with its knobs at their upper ends", () => Play(id, own, Wild, static rig => AtEnds(rig, 1)));
        for (var seed = 1; seed <= 4; seed++)
        {
            var (s, volts) = (seed, seed == 4 ? Limits.MaxVolts : 100f);
            Step("playing with its knobs turned at random", () => Play(id, own, Wild, rig =>
            {
                rig.Input = Performance.Wild(s, volts);
                rig.Parameter = Performance.Knobs(rig.Descriptor, s);
                rig.Events.AddRange(Performance.Events(s, Wild));
            }));
        }

        foreach (var (rule, attempt) in Rules.ForPlugins)
            if (rule != Rules.NoNumbers) Step(rule, () => attempt(id)); // no cable carries what is no number
    }

    // Reset near the end, as after a fault: what runs out of memory does so before.
    private static void Play(string id, RigOptions options, int frames, Action<Rig> prepare)
    {
        using var rig = ServedHeap.Make(id, options);
        if (rig.Timing.LatencyFrames < 0) return;
        prepare(rig);
        for (var played = 0; played < frames; played += options.Quantum)
        {
            rig.Step();
            if (played < frames / 4 * 3 && played + options.Quantum >= frames / 4 * 3) rig.Reset();
        }
    }

    private static void AtEnds(Rig rig, int end)
    {
        rig.Input = Loud(100f);
        rig.Parameter = (i, _) => Performance.At(rig.Descriptor.Parameters[i], end);
        rig.Events.AddRange(Performance.Events(end, Wild));
    }

    private static Func<int, int, long, float> Loud(float volts) => (port, _, frame) => volts * MathF.Sin((frame * 0.0576f) + port);
}
