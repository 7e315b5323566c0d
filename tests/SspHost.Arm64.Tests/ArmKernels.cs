// One module on both processors: here as the JIT compiles it, there as ILC does for arm64, under an emulator.
using System.Diagnostics;
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Threads;
using SspHost.Kernels;
using SspHost.Modules;

namespace SspHost.Arm64.Tests;

/// <summary>The arm64 image, made once, and the scores that are played on it.</summary>
internal static unsafe class ArmKernels
{
    public const int Rate = 48_000, Quantum = 32, Quanta = 128, Channels = 4, ArenaBytes = 256 << 20;

    // Long enough for the slowest machine, short enough for a loop without end to be an error; a compiler has more to do than a module.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5), PatienceToBuild = TimeSpan.FromMinutes(10);
    private static readonly Lazy<string> LazyRoot = new(FindRoot);
    private static readonly Lazy<string> LazyImage = new(Build);

    public static readonly IReadOnlyList<ModuleDescriptor> Modules = Fill();

    public static string Root => LazyRoot.Value;

    /// <summary>The program that tools/arm64.sh makes.</summary>
    public static string Image => LazyImage.Value;

    public static string Folder => Path.Combine(Root, "artifacts/arm64");

    public static Score Score(int index)
    {
        var d = Modules[index];
        var score = new Score
        {
            Module = index, Quantum = Quantum, Quanta = Quanta, Channels = Channels, Rate = Rate,
            Inputs = d.Inputs.Count, Outputs = d.Outputs.Count, Parameters = d.Parameters.Count,
            AssetSlots = d.Assets.Count, TelemetryFloats = d.TelemetryFloats,
        };
        var follow = d.Inputs.Any(static p => p.Rule == ChannelRule.Follow) ? Channels : 1;
        Assert.InRange(d.Settings.Count, 0, Kernels.Score.MaxSettings);
        for (var i = 0; i < d.Settings.Count; i++) score.Settings[i] = d.Settings[i].Default;
        for (var i = 0; i < d.Parameters.Count; i++) score.Values[i] = d.Parameters[i].Default;
        for (var i = 0; i < d.Outputs.Count; i++)
        {
            score.OutputChannels[i] = d.Outputs[i].Rule switch
            {
                ChannelRule.Fixed => d.Outputs[i].Channels,
                ChannelRule.Follow => follow,
                _ => d.Settings[d.Outputs[i].Channels].Default,
            };
        }

        return score;
    }

    /// <summary>What it sounds like here: quantum after quantum, every output's floats.</summary>
    public static float[] PlayHere(in Score score)
    {
        var block = NativeMemory.AllocZeroed(ArenaBytes + 64); // fresh pages: zeros cost nothing until they are touched
        var arena = (byte*)(((nint)block + 63) & ~63);
        try
        {
            _ = FlushToZero.Enable();
            var stage = (Stage*)arena;
            Assert.True(Stage.Prepare(stage, in score, ArenaBytes), "the module was not made");
            var floats = score.Outputs * score.OutputFloats;
            var result = new float[floats * Quanta];
            for (var q = 0; q < Quanta; q++)
            {
                Assert.True(Stage.Play(stage, 1));
                new ReadOnlySpan<float>(stage->Output, floats).CopyTo(result.AsSpan(q * floats));
            }

            return result;
        }
        finally
        {
            _ = FlushToZero.Disable();
            NativeMemory.Free(block);
        }
    }

    /// <summary>What it sounds like there.</summary>
    public static float[] PlayThere(in Score score)
    {
        var (scoreFile, output) = (Write(in score), Path.Combine(Folder, $"{Modules[score.Module].Id}.out"));
        _ = Run("qemu-aarch64-static", Image, "play", scoreFile, output);
        return MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(output)).ToArray();
    }

    /// <summary>The file of a score.</summary>
    public static string Write(in Score score)
    {
        Directory.CreateDirectory(Folder);
        var path = Path.Combine(Folder, $"{Modules[score.Module].Id}.score");
        fixed (Score* s = &score) File.WriteAllBytes(path, new ReadOnlySpan<byte>(s, sizeof(Score)).ToArray());
        return path;
    }

    /// <summary>Runs a command and returns what it printed.</summary>
    public static string Run(string command, params string[] arguments) => Run(Patience, command, arguments);

    private static string Run(TimeSpan patience, string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(
            command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Root };
        // The test host's own build settings are not the child's.
        foreach (var name in start.Environment.Keys.Where(static k => k.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase))
            .ToArray()) _ = start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var printed = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(patience)) process.Kill(entireProcessTree: true);
        process.WaitForExit();
        var output = printed.Result;
        if (process.ExitCode != 0) throw new InvalidOperationException(
            $"{command} {string.Join(' ', arguments)}: exit code {process.ExitCode}: {output}{errors.Result}");
        return output;
    }

    private static string Build()
    {
        _ = Run(PatienceToBuild, "sh", Path.Combine(Root, "tools/arm64.sh"));
        return Path.Combine(Folder, "kernels");
    }

    private static IReadOnlyList<ModuleDescriptor> Fill()
    {
        var visitor = new Adder(new ModuleRegistry());
        Catalog.VisitAll(ref visitor);
        return visitor.Registry.Descriptors;
    }

    private static string FindRoot()
    {
        if (Environment.GetEnvironmentVariable("SSP_ROOT") is { Length: > 0 } given) return given;
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "SspHost.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new FileNotFoundException("SspHost.sln");
        return folder;
    }

    private readonly struct Adder(ModuleRegistry registry) : IModuleVisitor
    {
        public ModuleRegistry Registry => registry;

        public void Visit<T>() where T : unmanaged, IModule<T> => registry.Add<T>();
    }
}
