// The objects the tests read: the engine as it was built last, and the bad modules, compiled here if they are out of date.
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace SspHost.Proof.Tests;

/// <summary>Paths below the root of the sources.</summary>
internal static class Objects
{
    private static readonly Lazy<string> LazyRoot = new(FindRoot);
    private static readonly Lazy<Image> LazyEngine = new(static () => new Image(Archive.Open(Engine).Concat(Archive.Open(Library)).Concat(Archive.Open(Heap))));
    private static readonly Lazy<string> LazyBad = new(CompileBad);

    public static string Root => LazyRoot.Value;

    public static string List => Path.Combine(Root, "tests/SspHost.Proof/allowed.txt");

    public static string Engine => Native("SspHost.EngineHost", "ssp-engine.o");

    /// <summary>The engine with all of its C, taken apart once for the tests that run one at a time on it.</summary>
    public static Image EngineImage => LazyEngine.Value;

    public static string Library => Path.Combine(Root, "artifacts/native", Rid, "libssphost_native.a");

    /// <summary>The interposer of malloc before it was linked.</summary>
    public static string Heap => Path.Combine(Root, "artifacts/native", Rid, "libssphost_heap.a");

    /// <summary>The bad modules; made by tools/proof.sh.</summary>
    public static string Bad => LazyBad.Value;

    /// <summary>The same for the processor this machine does not have.</summary>
    public static string BadForTheOther => Bad.Replace("bad-modules.o", Rid == "linux-x64" ? "bad-modules-arm64.o" : "bad-modules-x64.o", StringComparison.Ordinal);

    public static string Rid => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "linux-arm64" : "linux-x64";

    /// <summary>Runs a command and returns what it printed.</summary>
    public static string Run(string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Root };
        // The test host's own build and runtime settings are not the child's.
        foreach (var name in start.Environment.Keys.Where(static k => k.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase) || k is "DOTNET_ROOT_X64" or "VSTEST_CONNECTION_TIMEOUT").ToArray())
            _ = start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{command} {string.Join(' ', arguments)}: {output}{errors.Result}");
        return output;
    }

    private static string CompileBad()
    {
        _ = Run("sh", Path.Combine(Root, "tools/proof.sh"), Rid, "--objects");
        return Native("SspHost.Proof.BadModules", "bad-modules.o");
    }

    private static string Native(string project, string file)
    {
        var kept = Path.Combine(Root, $"artifacts/native-framework-{Rid}");
        if (!File.Exists(kept)) throw new FileNotFoundException($"{kept}: the engine has not been built; 'make build' does it");
        return Path.Combine(Root, $"artifacts/obj/{File.ReadAllText(kept).Trim()}-{Rid}/{project}/Release/native", file);
    }

    private static string FindRoot()
    {
        if (Environment.GetEnvironmentVariable("SSP_ROOT") is { Length: > 0 } given) return given;
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "SspHost.sln"))) folder = Path.GetDirectoryName(folder) ?? throw new FileNotFoundException("SspHost.sln");
        return folder;
    }
}
