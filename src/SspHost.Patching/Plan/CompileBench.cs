// How long compiling takes: patches of a thousand modules, many times over.
using System.Collections.Immutable;
using System.Diagnostics;
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>Times of one kind of patch in ms.</summary>
public sealed record CompileTimes(string Patch, int Modules, int Cables, int BufferSlots, int PlanBytes, double Median, double P90, double P99, double Max);

/// <summary>Compiles made-up patches and says how long it took. `ssp bench compile` prints it.</summary>
public static class CompileBench
{
    /// <summary>
    /// Three shapes of patch (voices side by side, one tangled graph with feedback, one long chain), each compiled
    /// <paramref name="runs"/> times after a fifth as many to warm up; checks included.
    /// </summary>
    public static IReadOnlyList<CompileTimes> Run(int modules = 1000, int runs = 200)
    {
        var types = new DescriptorIndex(Types());
        return [Measure(Voices(modules), types, runs), Measure(Tangle(modules), types, runs), Measure(Chain(modules), types, runs)];
    }

    private static unsafe CompileTimes Measure(Patch patch, DescriptorIndex types, int runs)
    {
        var times = new double[runs];
        var slots = new SlotMap();
        CompiledPlan? plan = null;
        for (var i = -runs / 5; i < runs; i++)
        {
            // A fresh copy, so that nothing remembered from the run before helps.
            var copy = patch with { Modules = [.. patch.Modules], Cables = [.. patch.Cables] };
            var start = Stopwatch.GetTimestamp();
            plan = PlanCompiler.Compile(copy, types, slots, new CompileOptions(), out var error) ?? throw new PatchException(error!);
            if (i >= 0) times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        Array.Sort(times);
        int buffers;
        fixed (byte* b = plan!.Description.AsSpan()) buffers = ((PlanHeader*)b)->BufferSlots;
        return new CompileTimes(
            patch.Name, patch.Modules.Length, patch.Cables.Length, buffers, plan.Description.Length,
            At(times, 0.5), At(times, 0.9), At(times, 0.99), times[^1]);
    }

    private static double At(double[] sorted, double p) => sorted[Math.Min(sorted.Length - 1, (int)(p * sorted.Length))];

    private static ModuleDescriptor[] Types()
    {
        var parameters = new ParameterDescriptor[8];
        for (var i = 0; i < parameters.Length; i++) parameters[i] = new ParameterDescriptor($"p{i}", $"Parameter {i}", "", 0, 1, 0.5f);
        PortDescriptor[] four = [new("a", "A"), new("b", "B"), new("c", "C"), new("d", "D")];
        return
        [
            new ModuleDescriptor { Id = "source", Name = "Source", Family = "Bench", Text = "", Parameters = parameters, Inputs = four, Outputs = [new("out", "Out", Rule: ChannelRule.Setting, Channels: 0)], Settings = [new("voices", "Voices", 1, 16, 1)] },
            new ModuleDescriptor { Id = "stage", Name = "Stage", Family = "Bench", Text = "", Parameters = parameters, Inputs = four, Outputs = [new("out", "Out"), new("aux", "Aux")] },
            new ModuleDescriptor { Id = "sink", Name = "Sink", Family = "Bench", Text = "", Inputs = [new("in", "In", Rule: ChannelRule.Fixed)], Outputs = [new("jack", "Jack", Rule: ChannelRule.Fixed, Kind: PortKind.Device)], Sheddable = false },
        ];
    }

    private static Module Make(int i, string type) => new()
    {
        Id = $"m{i}",
        Type = type,
        Settings = type == "source" && i % 3 == 0 ? NamedValues<int>.Empty.With("voices", 4) : default,
        Parameters = type == "sink" ? default : NamedValues<float>.Empty.With("p0", 0.25f).With("p3", 0.75f).With("p6", i % 2),
    };

    // Ten modules a voice, all into one output.
    private static Patch Voices(int count)
    {
        var modules = ImmutableArray.CreateBuilder<Module>(count);
        var cables = ImmutableArray.CreateBuilder<Cable>();
        modules.Add(Make(0, "sink"));
        for (var i = 1; i < count; i++)
        {
            var first = (i - 1) % 10 == 0;
            modules.Add(Make(i, first ? "source" : "stage"));
            if (!first) cables.Add(new Cable(new PortRef($"m{i - 1}", "out"), new PortRef($"m{i}", "a")));
            if (i % 10 == 7) cables.Add(new Cable(new PortRef($"m{i - 3}", "out"), new PortRef($"m{i}", "b")) { Gain = 0.5f });
            if (i % 10 == 0) cables.Add(new Cable(new PortRef($"m{i}", "out"), new PortRef("m0", "in")));
        }

        return new Patch { Id = "bench", Name = "voices", Modules = modules.ToImmutable(), Cables = cables.ToImmutable() };
    }

    // Two cables a module from anywhere, every eleventh a way back.
    private static Patch Tangle(int count)
    {
        var modules = ImmutableArray.CreateBuilder<Module>(count);
        var cables = new Dictionary<(string, string, string), Cable>();
        ulong x = 88172645463325252; // xorshift64 (Marsaglia 2003)
        for (var i = 0; i < count; i++)
        {
            modules.Add(Make(i, i == count - 1 ? "sink" : i % 20 == 0 ? "source" : "stage"));
            for (var k = 0; k < 2 && i > 0; k++)
            {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                var (a, b) = ((int)(x % (ulong)i), i);
                var back = i % 11 == 3 && k == 1;
                if (back) (a, b) = (b, a);
                if (modules[a].Type == "sink") continue;
                var port = modules[b].Type == "sink" ? "in" : k == 0 ? "a" : "c";
                cables.TryAdd(($"m{a}", $"m{b}", port), new Cable(new PortRef($"m{a}", "out"), new PortRef($"m{b}", port)) { Delayed = back });
            }
        }

        var made = new Patch { Id = "bench", Name = "tangle", Modules = modules.ToImmutable(), Cables = [.. cables.Values] };
        return Loops.Normalise(made, null);
    }

    private static Patch Chain(int count)
    {
        var modules = ImmutableArray.CreateBuilder<Module>(count);
        var cables = ImmutableArray.CreateBuilder<Cable>();
        for (var i = 0; i < count; i++)
        {
            modules.Add(Make(i, i == 0 ? "source" : i == count - 1 ? "sink" : "stage"));
            if (i > 0) cables.Add(new Cable(new PortRef($"m{i - 1}", "out"), new PortRef($"m{i}", i == count - 1 ? "in" : "a")));
        }

        return new Patch { Id = "bench", Name = "chain", Modules = modules.ToImmutable(), Cables = cables.ToImmutable() };
    }
}
