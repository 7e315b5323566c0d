// Runs benchmarks, as often as was asked, and puts their figures into the one file of results.
using System.Globalization;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Benching;
using SspHost.Supervision;

namespace SspHost.Commands;

/// <summary>One call of `ssp bench`.</summary>
internal sealed class BenchRunner(string what, BenchOptions options)
{
    private static readonly (string Name, Func<BenchOptions, List<BenchFigure>, int> Run)[] Own =
    [
        ("compile", CompileTable.Run), ("start", StartBench.Run), ("edits", EditBench.Run), ("metrics", MetricsBench.Run), ("trace", TraceTable.Run), ("panel", PanelBench.Run),
        ("panel-audio", PanelAudioBench.Run), ("capacity", CapacityBench.Run),
    ];

    private readonly BenchFile _file = new() { Bench = what, Machine = BenchMachine.Read(), Options = Asked(options) };

    /// <summary>What the engine measures of itself.</summary>
    public static IReadOnlyList<string> EngineNames { get; } = ["memory", "heap", "graph", "classes", "sleep", "wake", "latency", "modules", "contain", "samples", "diagnostics"];

    /// <summary>What this process measures.</summary>
    public static IReadOnlyList<string> OwnNames { get; } = [.. Own.Select(o => o.Name)];

    /// <summary>The process's exit code: the worst of all.</summary>
    public int Run()
    {
        if (options.Out is { } path)
        {
            // Before an hour of measuring, not after it.
            OutputFile.Check(path);
            if (!Directory.Exists(Path.GetDirectoryName(path))) throw new CommandException($"{path}: there is no such directory to write the results to");
        }

        string[] names = what == "all" ? [.. EngineNames, .. OwnNames] : [what];
        var worst = 0;
        for (var run = 0; run < options.Runs; run++)
        {
            foreach (var name in names)
            {
                if (!options.Json && (names.Length > 1 || options.Runs > 1)) Console.WriteLine($"{(run + (names[0] == name ? 0 : 1) > 0 ? Environment.NewLine : "")}== {name}{(options.Runs > 1 ? $", run {run + 1} of {options.Runs}" : "")}");
                worst = Math.Max(worst, names.Length > 1 ? OneOfMany(name) : One(name));
                if (worst == 2) return 2; // it was not understood: nothing was measured
                if (options.Out != null) _file.Write(options.Out); // what is measured is kept, whatever comes after
            }
        }

        if (options.Out != null && !options.Json) Console.WriteLine($"{_file.Figures.Count} figures in {options.Out}");
        return worst;
    }

    // One that cannot be measured here is no reason not to measure the others.
    private int OneOfMany(string name)
    {
        try
        {
            return One(name);
        }
        catch (Exception e) when (e is CommandException or IOException or InvalidDataException or EngineGoneException or EngineTimeoutException or EngineRefusedException)
        {
            Console.Error.WriteLine($"ssp: bench {name}: {e.Message}");
            return 1;
        }
    }

    private int One(string name)
    {
        var figures = new List<BenchFigure>();
        var own = Array.Find(Own, o => o.Name == name);
        var code = own.Run != null ? own.Run(options, figures) : Engine(name, figures);
        foreach (var figure in figures) Add(_file, figure);
        return code;
    }

    private int Engine(string name, List<BenchFigure> figures)
    {
        var folder = Directory.CreateTempSubdirectory("ssp-bench-");
        try
        {
            var file = Path.Combine(folder.FullName, "figures.json");
            string[] arguments = ["bench", name, .. Told(name), "--figures", file];
            var code = name == "modules" && options.Save ? ModuleTable.Run(arguments, options.Json) : EngineTool.Run([.. arguments, .. options.Json ? new[] { "--json" } : []]);
            if (File.Exists(file)) figures.AddRange(BenchFileReader.Figures(File.ReadAllBytes(file), $"the engine's bench {name}"));
            return code;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private IEnumerable<string> Told(string name)
    {
        foreach (var argument in options.Rest) yield return argument;
        if (options.Pin.Length > 0)
        {
            yield return "--pin";
            yield return string.Join(',', options.Pin);
        }

        if (options.Seconds is { } seconds && name is ("graph" or "wake" or "latency"))
        {
            yield return "--seconds";
            yield return Math.Min(seconds, 3600).ToString(CultureInfo.InvariantCulture);
        }

        if (options.Device is { } device && name == "latency")
        {
            yield return "--device";
            yield return device;
        }
    }

    /// <summary>Adds the value of one more run to a figure of the file.</summary>
    public static void Add(BenchFile file, BenchFigure figure)
    {
        if (file.Find(figure.Name) is not { } known)
        {
            file.Figures.Add(figure);
            return;
        }

        known.Values = [.. known.Values, .. figure.Values];
        if (known.Note.Length == 0) known.Note = figure.Note;
    }

    private static Dictionary<string, string> Asked(BenchOptions o)
    {
        var asked = new Dictionary<string, string>(StringComparer.Ordinal) { ["runs"] = o.Runs.ToString(CultureInfo.InvariantCulture) };
        if (o.Seconds is { } seconds) asked["seconds"] = seconds.ToString(CultureInfo.InvariantCulture);
        if (o.Pin.Length > 0) asked["pin"] = string.Join(',', o.Pin);
        if (o.Device is { } device) asked["device"] = device;
        if (o.Late > 0) asked["late"] = o.Late.ToString(CultureInfo.InvariantCulture);
        if (o.Rest.Count > 0) asked["arguments"] = string.Join(' ', o.Rest);
        return asked;
    }
}
