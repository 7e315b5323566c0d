// The checked build's engine as the tests run it, and what it reports.
using System.Diagnostics;
using System.Text.RegularExpressions;
using SspHost.EndToEnd.Tests;

namespace SspHost.Checked.Tests;

/// <summary>A violation as the engine reported it; frames from the innermost on, file and line where known.</summary>
internal sealed record Report(string What, string Detail, string Thread, string Place, string At, IReadOnlyList<string> Frames);

internal static partial class CheckedEngine
{
    /// <summary>128 + SIGABRT.</summary>
    public const int Aborted = 134;

    public static string Bin { get; } =
        Environment.GetEnvironmentVariable("SSP_CHECKED_BIN") is { Length: > 0 } bin ? bin : Path.Combine(Executables.Root, "artifacts", "checked", "bin");

    public static string Engine { get; } = Existing("ssp-engine");

    /// <summary>The image before it was stripped, as nm wants it.</summary>
    public static string Symbols { get; } = Path.Combine(Path.GetDirectoryName(Bin)!, "symbols", "ssp-engine.dbg");

    /// <summary>Runs the engine, or ssp with it, to its end. <paramref name="mode"/> is SSP_CHECKED.</summary>
    public static async Task<Outcome> Run(string file, string mode, params string[] arguments)
    {
        using var process = Start(file, mode, Path.GetTempPath(), arguments);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        var output = process.StandardOutput.ReadToEndAsync(patience.Token);
        var error = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
            return new Outcome(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{file} {string.Join(' ', arguments)} did not end within two minutes");
        }
    }

    /// <summary>Starts the engine, or ssp with it, in a runtime directory.</summary>
    public static Process Start(string file, string mode, string runtime, params string[] arguments)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = runtime };
        start.Environment["SSP_CHECKED"] = mode;
        start.Environment["SSP_ENGINE"] = Engine;
        start.Environment["SSP_RUNTIME"] = runtime;
        start.Environment["HOME"] = runtime;
        start.Environment["XDG_CONFIG_HOME"] = start.Environment["XDG_STATE_HOME"] = start.Environment["XDG_DATA_HOME"] = runtime;
        return Process.Start(start) ?? throw new InvalidOperationException($"{file} does not start");
    }

    /// <summary>The reports in a process's error output, in their order.</summary>
    public static IReadOnlyList<Report> Reports(string text) => [.. Violation().Matches(text).Select(m => new Report(
        m.Groups["what"].Value, m.Groups["detail"].Value, m.Groups["thread"].Value, m.Groups["place"].Value, m.Groups["at"].Value,
        [.. m.Groups["frame"].Captures.Select(c => c.Value)]))];

    /// <summary>"file:line" of the line of the corpus that ends in "// here: NAME".</summary>
    public static string LineOf(string violation)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Executables.Root, "tests", "Violations"), "*.cs"))
        {
            var line = Array.FindIndex(File.ReadAllLines(file), l => l.EndsWith("// here: " + violation, StringComparison.Ordinal));
            if (line >= 0) return $"tests/Violations/{Path.GetFileName(file)}:{line + 1}";
        }

        throw new InvalidOperationException($"no line of tests/Violations ends in '// here: {violation}'");
    }

    private static string Existing(string name)
    {
        var path = Path.Combine(Bin, name);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing: run 'make build CHECKED=1' first, or 'make test', which does", path);
    }

    [GeneratedRegex(@"^ssp-engine: violation: (?<what>[^(\n]+) \((?<detail>[^)]*)\) by thread (?<thread>\S+) (?<place>.*)\n(?:  at  (?<at>.*)\n)?(?:  #\d+ +(?<frame>.*)\n)*", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Violation();
}
