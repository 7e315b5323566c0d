// A host with something on every page: forty modules, levels that move, jacks with names, files, a history.
using SspHost.Abi;
using SspHost.Diagnostics;
using SspHost.Patching;

namespace SspHost.Panel.Tests.Kit;

internal static class BusyHost
{
    /// <summary>Ids of the pages that can be gone to.</summary>
    public static string[] Pages { get; } = ["patch", "add", "connect", "module", "scenes", "jacks", "scope", "files", "system", "settings"];

    /// <summary>A host with a patch of <paramref name="modules"/> modules and all that pages show.</summary>
    public static TestHost Make(int modules = 40)
    {
        var host = new TestHost();
        if (host.Session.Apply(new ReplacePatch(PatchOf(host, modules))) is { } error) throw new InvalidOperationException(error.ToString());
        foreach (var m in host.Session.Current.Modules) host.Moving.Loads[m.Id] = 0.012f;
        host.Moving.Sound = Sound(port => 130.8 * (1 + port.Module.Length + port.Port.Length));
        host.Status = Playing();
        string[] names = ["Keys pitch", "Keys gate", "Drone", "Return"];
        for (var i = 0; i < names.Length; i++) host.Jack.Set(false, i, new JackSetup(names[i], 10.132, 0.0042, i != 3));
        host.Jack.Set(true, 0, new JackSetup("Left", 9.874, -0.0031, true));
        host.Jack.Set(true, 1, new JackSetup("Right", 9.881, -0.0017, true));
        foreach (var name in new[] { "Bells in the fog", "Bass for Tuesdays", "Slow machine" }) File.WriteAllText(Path.Combine(host.Folders.Patches, name + ".json"), "{}");
        foreach (var file in Directory.GetFiles(host.Folders.Patches)) File.SetLastWriteTime(file, new DateTime(2026, 3, 4, 20, 15, 0));
        Directory.CreateDirectory(Path.Combine(host.Folders.Patches, "Old ones"));
        host.Machines.Loads = [.. Enumerable.Range(0, 600).Select(i => 0.34f + (0.08f * MathF.Sin(i * 0.05f)) + (i % 97 == 0 ? 0.2f : 0))];
        host.Machines.Counts = [.. Enumerable.Range(0, 24).Select(i => (ulong)(1e7 * Math.Exp(-0.5 * (i - 7) * (i - 7))))];
        host.Machines.Findings =
        [
            new Finding { Id = "governor", Severity = "warning", Found = "core 3 runs with the governor powersave", Expected = "performance", Why = "A core that changes its clock is late for the first blocks.", Remedy = "cpupower frequency-set -g performance" },
            new Finding { Id = "rt", Severity = "fine", Found = "audio runs at SCHED_FIFO 80" },
        ];
        host.Incidents.Add(new Notice { Kind = NoticeKind.Late, A = 840_000, B = 666_667, Frame = 48_000, Time = 5_000_000_000 }, null);
        host.Incidents.Add(new Notice { Kind = NoticeKind.Dropout, A = 64, B = (long)DropoutCause.LateWakeUp, Frame = 96_000, Time = 5_000_000_000 }, null);
        return host;
    }

    /// <summary>Moves every level, as a frame of a patch that plays.</summary>
    public static void Move(TestHost host, int frame)
    {
        host.Now += 16_666_667;
        var k = 0;
        foreach (var levels in host.Moving.Levels.Values)
        {
            for (var i = 0; i < levels.Length; i++) levels[i] = 2.5f + (2.4f * MathF.Sin((frame * 0.21f) + (k++ * 0.7f)));
        }

        for (var i = 0; i < host.Moving.Inputs.Length; i++) host.Moving.Inputs[i] = 5 + (5 * MathF.Sin((frame * 0.13f) + i));
        for (var i = 0; i < host.Moving.Outputs.Length; i++) host.Moving.Outputs[i] = 4 + (4 * MathF.Sin((frame * 0.17f) + i));
    }

    /// <summary>A sine of 4 V per output, at a frequency of its own; the same array each time, so that looking allocates nothing.</summary>
    public static Func<PortRef, float[]> Sound(Func<PortRef, double> hertz)
    {
        var kept = new Dictionary<PortRef, float[]>();
        return port =>
        {
            if (!kept.TryGetValue(port, out var samples)) kept.Add(port, samples = Sine(hertz(port)));
            return samples;
        };
    }

    private static float[] Sine(double hertz) => [.. Enumerable.Range(0, ILive.TapSamples).Select(i => (float)(4 * Math.Sin(2 * Math.PI * hertz * i / 48_000)))];

    private static Patch PatchOf(TestHost host, int modules)
    {
        var random = new Random(3);
        var types = TestHost.Shipped.Where(t => t.Outputs.Any(o => o.Kind == PortKind.Cable) && t.Inputs.Any(i => i.Kind == PortKind.Cable)).ToArray();
        var patch = Patch.New() with { Name = "forty" };
        for (var i = 0; i < modules; i++)
        {
            var type = types[random.Next(types.Length)];
            var id = patch.FreeId(type.Id);
            patch = patch with { Modules = [.. patch.Modules, new Module { Id = id, Type = type.Id }] };
            host.Moving.Levels[id] = new float[type.Outputs.Count];
        }

        for (var i = 0; i < modules * 3 / 2; i++)
        {
            var (a, b) = (random.Next(modules), random.Next(modules));
            if (a == b) continue;
            var from = new PortRef(patch.Modules[a].Id, host.Modules.Find(patch.Modules[a].Type)!.Descriptor.Outputs.First(o => o.Kind == PortKind.Cable).Id);
            var to = new PortRef(patch.Modules[b].Id, host.Modules.Find(patch.Modules[b].Type)!.Descriptor.Inputs.First(o => o.Kind == PortKind.Cable).Id);
            patch = PatchEdits.Apply(patch, new Connect(from, to), host.Modules, out _) ?? patch;
        }

        return patch;
    }

    /// <summary>What a host says of itself that plays.</summary>
    public static StatusReport Playing()
    {
        var load = new Distribution(30_000, 0.31, 0.42, 0.5, 0.63);
        return new StatusReport
        {
            State = "playing",
            Memory = new MemoryReport { PoolBytes = 256L << 20, PoolLive = 41L << 20 },
            Audio = new AudioReport { Rate = 48_000, Quantum = 32, RealTime = true, Load = load, RenderMicroseconds = load, WakeMicroseconds = load, JoinMicroseconds = load, InputPeaks = [], OutputPeaks = [] },
            Threads = [new ThreadReport { Name = "ssp-audio", Core = 2, Policy = "FIFO", Priority = 80 }, new ThreadReport { Name = "ssp-worker", Core = 3, Policy = "FIFO", Priority = 79 }],
        };
    }
}
