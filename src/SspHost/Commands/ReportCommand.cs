// ssp report: everything that helps to find out why it clicked, in one archive; and the glitches in words.
using System.CommandLine;
using System.Text.Json;
using SspHost.Abi.Link;
using SspHost.Configuration;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Html;
using SspHost.Diagnostics.Tracing;
using SspHost.Remote;

namespace SspHost.Commands;

internal static unsafe class ReportCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static Command Build()
    {
        var output = new Option<string>("--output", "-o") { Description = "File to write: FILE.tar.gz; with --html FILE.html.", HelpName = "FILE" };
        var html = new Option<bool>("--html") { Description = "The load of every quantum as a page for a browser: zoom in on a spike, click it, see its modules." };
        var loads = new Option<bool>("--loads") { Description = "The same as a file of figures, to compare with later." };
        var compare = new Option<string>("--compare") { Description = "With --html: a file of --loads to set beside it.", HelpName = "FILE" };
        var from = new Option<string>("--from") { Description = "With --html: show a file of --loads instead of a running host.", HelpName = "FILE" };
        var glitches = new Option<bool>("--glitches") { Description = "Tell the last dropouts in words instead." };
        var json = new Option<bool>("--json") { Description = "With --glitches: one JSON object a line." };
        var flags = new Flags();
        var command = new Command("report", "Pack all that is known about this host into one archive, or tell its glitches.") { output, html, loads, compare, from, glitches, json };
        flags.AddTo(command);
        command.Validators.Add(r =>
        {
            if (r.GetValue(output) != null == r.GetValue(glitches)) r.AddError("expected either -o FILE or --glitches");
            if (r.GetValue(html) && r.GetValue(loads)) r.AddError("--html and --loads exclude each other");
            if (!r.GetValue(html) && (r.GetValue(compare) ?? r.GetValue(from)) != null) r.AddError("--compare and --from belong to --html");
        });
        command.SetAction(r =>
        {
            var settings = flags.Read(r);
            if (r.GetValue(loads)) return Loads(r.GetValue(output)!);
            if (r.GetValue(html)) return Html(r.GetValue(output)!, r.GetValue(from), r.GetValue(compare));
            return r.GetValue(glitches) ? Glitches(settings.StateDirectory, r.GetValue(json)) : Archive(r.GetValue(output)!, settings);
        });
        return command;
    }

    private static int Loads(string path)
    {
        using var host = StatusCommand.Host();
        var told = host.Ask("loads", w => w.WriteString("path", Path.GetFullPath(path)));
        Console.WriteLine($"{path}: {told.GetProperty("quanta").GetInt64()} quanta, {EngineWords.Bytes(told.GetProperty("bytes").GetInt64())}");
        return 0;
    }

    private static int Html(string path, string? from, string? compare)
    {
        if (Directory.Exists(path)) throw new CommandException($"{path}: is a directory; expected a file to write");
        var runs = new List<LoadRun>();
        if (compare != null) runs.Add(LoadRunFile.Read(compare));
        runs.Add(from != null ? LoadRunFile.Read(from) : Now(path));
        var title = runs.Count == 1 ? runs[0].Name : $"{runs[0].Name} and {runs[1].Name}";
        var bytes = LoadReportPage.Write(new LoadReportData { Title = title, Runs = runs }, path);
        Console.WriteLine($"{path}: {string.Join(" and ", runs.Select(r => $"{r.Loads.Length} quanta of '{r.Name}'"))}, {EngineWords.Bytes(bytes)}");
        return 0;
    }

    // What the host knows, by way of a file beside the page.
    private static LoadRun Now(string path)
    {
        using var host = StatusCommand.Host();
        var file = Path.GetFullPath(path) + ".ssploads";
        try
        {
            _ = host.Ask("loads", w => w.WriteString("path", file));
            return LoadRunFile.Read(file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static int Archive(string path, Settings settings)
    {
        if (Directory.Exists(path)) throw new CommandException($"{path}: is a directory; expected a file to write");
        var (bytes, missing) = Pack(path, settings);
        Console.WriteLine($"{path}: {EngineWords.Bytes(bytes)}");
        foreach (var (what, why) in missing) Console.WriteLine($"  missing: {what}: {why}");
        return 0;
    }

    /// <summary>Packs all that is known about the host that runs; how many bytes, and what is missing. Throws <see cref="IOException"/>.</summary>
    public static (long Bytes, IReadOnlyDictionary<string, string> Missing) Pack(string path, Settings settings)
    {
        var archive = new ReportArchive();
        var runtime = RuntimeDirectory.Locate();
        AskHost(archive, runtime);
        LookAtEngine(archive, runtime);
        archive.Try("config.json", () => archive.Add("config.json", "the configuration as it is used", SettingsFile.Write(settings)));
        archive.Try("doctor", () =>
        {
            var report = DoctorCommand.Examine(settings);
            archive.Add("doctor.txt", "what on this system causes dropouts", SystemDoctor.Format(report, all: true));
            archive.Add("doctor.json", "the same for programs", report, MetricsJson.Pretty.DoctorReport);
        });
        AddGlitches(archive, settings.StateDirectory);
        var histograms = Path.Combine(settings.StateDirectory, "histograms.log");
        if (File.Exists(histograms)) archive.Try("histograms.log", () => archive.Add("histograms.log", "histograms minute by minute", File.ReadAllText(histograms)));
        return (archive.Write(path, CommandTree.Version), archive.Missing);
    }

    // What only the host knows, over its socket.
    private static void AskHost(ReportArchive archive, string runtime)
    {
        ControlClient? client = null;
        archive.Try("host", () =>
        {
            client = ControlClient.TryConnect(runtime, Patience);
            if (client == null) archive.Lacks("host", "no host runs: status, costs, incidents, log, patch and metrics are missing");
        });
        using var host = client;
        if (host == null) return;
        void Ask(string command, string file, string what, Action<Utf8JsonWriter>? fields = null, string? only = null) => archive.Try(file, () =>
        {
            var told = host.Ask(command, fields);
            archive.Add(file, what, only != null ? told.GetProperty(only) : told);
        });
        Ask("hello", "versions.json", "versions of host and protocol");
        Ask("status", "status.json", "the engine over the last second");
        Ask("costs", "costs.json", "each module over the last second, the dearest first");
        Ask("incidents", "incidents.json", "what happened to the sound, the last thousand");
        Ask("metrics", "metrics.json", "threads, processes and cores over the last minute", w =>
        {
            w.WriteNumber("seconds", 10);
            w.WriteNumber("history", MetricsRecorder.Seconds);
        });
        Ask("patch", "patch.json", "the patch as it plays", only: "patch");
        archive.Try("loads", () => Fetch(archive, host, "loads", "loads.ssploads", "the load of every quantum: 'ssp report --html --from loads.ssploads -o load.html'", _ => { }));
        archive.Try("trace", () => Fetch(archive, host, "trace", "trace.ssptrace", "what RT threads did in the last ten seconds: 'ssp trace convert'", w => w.WriteNumber("last", FlightRecorder.Seconds)));
        archive.Try("log.txt", () =>
        {
            var log = host.Ask("log");
            archive.Add("log.json", "what the host said, with times", log);
            archive.Add("log.txt", "what the host said", string.Concat(log.GetProperty("lines").EnumerateArray().Select(l => $"{l.GetProperty("time").GetString()} {l.GetProperty("text").GetString()}\n")));
        });
    }

    // What the host writes into a file of its own.
    private static void Fetch(ReportArchive archive, ControlClient host, string command, string name, string what, Action<Utf8JsonWriter> more)
    {
        var directory = Directory.CreateTempSubdirectory("ssp-report-").FullName;
        try
        {
            var file = Path.Combine(directory, name);
            _ = host.Ask(command, w =>
            {
                w.WriteString("path", file);
                more(w);
            });
            archive.Add(name, what, File.ReadAllBytes(file));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    // What only the region and /proc know; without a host, too.
    private static void LookAtEngine(ReportArchive archive, string runtime)
    {
        var process = "self";
        archive.Try("engine", () =>
        {
            using var link = EngineLink.Look(runtime);
            var pid = link.Map.Header->EnginePid;
            process = pid.ToString(System.Globalization.CultureInfo.InvariantCulture);
            archive.Try("histograms.json", () => archive.Add("histograms.json", "every histogram with its buckets, since the engine started", EngineReports.Histograms(link.Map), MetricsJson.Default.HistogramsReport));
            archive.Try("pool.json", () =>
            {
                if (EngineReports.Pool(link.Map) is { } pool) archive.Add("pool.json", "the engine's memory by class and by owner", pool, MetricsJson.Pretty.PoolReport);
                else archive.Lacks("pool.json", "the engine does not tell");
            });
            archive.Try("engine-maps.json", () =>
            {
                var smaps = File.ReadAllText($"/proc/{process}/smaps");
                var mappings = Mapping.Parse(smaps.Split('\n'));
                archive.Add("engine-maps.json", "the engine's mappings by kind", MappingsReport.Of(pid, mappings), MetricsJson.Pretty.MappingsReport);
                archive.Add("engine-smaps.txt", "each of them, as the kernel tells it", smaps);
                var header = link.Map.Header;
                var locked = LockAudit.Judge(mappings, header->StacksOffset, header->StackStride * header->StackCount);
                archive.Add("locked.txt", "whether anything that plays could leave memory", LockAudit.Format(locked));
                archive.Add("locked.json", "the same for programs", locked, DiagnosticsJson.Pretty.LockReport);
            });
            foreach (var (file, what) in new[] { ("status", "the engine as the kernel tells it"), ("sched", "its scheduling"), ("cgroup", "its control group") })
                archive.Try($"engine-{file}.txt", () => archive.Add($"engine-{file}.txt", what, File.ReadAllText($"/proc/{process}/{file}")));
        });
        archive.Try("system.json", () => archive.Add("system.json", "kernel, real-time settings, cores, limits, interrupts", SystemFactsReport.Read(new SystemFiles(), process), MetricsJson.Pretty.SystemFactsReport));
        foreach (var (file, path, what) in new[]
        {
            ("interrupts.txt", "/proc/interrupts", "interrupts by core"), ("meminfo.txt", "/proc/meminfo", "memory of the machine"),
            ("vmstat.txt", "/proc/vmstat", "what the kernel did with it"), ("cpuinfo.txt", "/proc/cpuinfo", "the processor"),
        })
            archive.Try(file, () => archive.Add(file, what, File.ReadAllText(path)));
    }

    private static void AddGlitches(ReportArchive archive, string state)
    {
        var names = new GlitchFiles(state).Names();
        foreach (var path in names)
            archive.Try(Path.GetFileName(path), () => archive.Add("glitches/" + Path.GetFileName(path), "a dropout and the minute before", File.ReadAllBytes(path)));
        if (names.Count > 0) archive.Add("glitches.txt", "the dropouts in words", string.Join("\n\n", Paragraphs(names)) + "\n");
    }

    private static int Glitches(string state, bool json)
    {
        var names = new GlitchFiles(state).Names();
        if (json)
        {
            foreach (var path in names)
                if (GlitchFiles.Read(path).Report is { } report) Console.WriteLine(JsonSerializer.Serialize(report, MetricsJson.Default.GlitchReport));
            return 0;
        }

        if (names.Count == 0) Console.WriteLine("no glitch was recorded");
        else Console.WriteLine(string.Join("\n\n", Paragraphs(names)));
        return 0;
    }

    private static IEnumerable<string> Paragraphs(IReadOnlyList<string> names)
    {
        foreach (var path in names)
        {
            var (report, trouble) = GlitchFiles.Read(path);
            yield return report != null ? $"{report.Time[..10]}: {GlitchWords.Paragraph(report, TimeZoneInfo.Local)}" : trouble!;
        }
    }
}
