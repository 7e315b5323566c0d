// ssp trace: what every RT thread did, from a host that runs or from a file, for the tool that shows it best.
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Tracing;
using SspHost.Patching;
using SspHost.Remote;

namespace SspHost.Commands;

internal static class TraceCommand
{
    private const double UsualSeconds = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static Command Build()
    {
        var seconds = Seconds("--seconds", "Trace from now on for so long; 10 where nothing is said.");
        var last = Seconds("--last", "Take what the flight recorder has of so long ago until now.");
        var format = Format();
        var output = Output();
        var command = new Command("trace", "Record what the audio threads do, module by module, on a host that runs.")
        {
            seconds, last, format, output, Convert(), Switch("on", "Let the engine write events.", on: true, modules: null),
            Switch("off", "Stop that: the flight recorder is empty then.", on: false, modules: null), Modules(), State(),
        };
        command.SetAction(r => Record(r.GetValue(seconds), r.GetValue(last), r.GetValue(format)!, r.GetValue(output)));
        return command;
    }

    private static Command Convert()
    {
        var input = Flags.NoFlag(new Argument<string>("file") { Description = "A raw trace (.ssptrace)." });
        var format = Format();
        var output = Output();
        var command = new Command("convert", "Convert a raw trace: those that dropouts leave lie in the state directory's traces/.") { input, format, output };
        command.SetAction(r =>
        {
            var file = r.GetValue(input)!;
            return Export(RawTrace.Read(file), r.GetValue(format)!, Needed(r.GetValue(output)), file);
        });
        return command;
    }

    private static Command Modules() => new("modules", "Switch the zones of modules, which are most of a trace.")
    {
        Switch("on", "A zone for each module in each quantum.", on: null, modules: true),
        Switch("off", "None: quanta, waits and workers only.", on: null, modules: false),
    };

    private static Command State()
    {
        var json = new Option<bool>("--json") { Description = "As one JSON object." };
        var command = new Command("state", "Whether tracing is on, and what the flight recorder holds.") { json };
        command.SetAction(r => Show(null, null, r.GetValue(json)));
        return command;
    }

    private static Command Switch(string name, string description, bool? on, bool? modules)
    {
        var command = new Command(name, description);
        command.SetAction(_ => Show(on, modules, json: false));
        return command;
    }

    private static Option<string> Format()
    {
        var option = new Option<string>("--format") { Description = "chrome, firefox, perfetto or raw.", HelpName = "F", DefaultValueFactory = _ => "chrome" };
        option.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && !TraceFormat.Names.Contains(r.Tokens[^1].Value)) r.AddError($"--format: expected {string.Join(", ", TraceFormat.Names)}, not '{PatchError.OneLine(r.Tokens[^1].Value)}'");
        });
        return option;
    }

    private static Option<string> Output() => new("--output", "-o") { Description = "File to write.", HelpName = "FILE" };

    private static Option<double?> Seconds(string name, string description)
    {
        var option = new Option<double?>(name) { Description = description, HelpName = "S" };
        option.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && (!double.TryParse(r.Tokens[^1].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var s) || s is not (>= FlightRecorder.Shortest and <= FlightRecorder.Longest)))
                r.AddError(string.Create(CultureInfo.InvariantCulture, $"{name}: expected {FlightRecorder.Shortest} to {FlightRecorder.Longest}, not '{PatchError.OneLine(r.Tokens[^1].Value)}'"));
        });
        return option;
    }

    private static string Needed(string? output) => output is { Length: > 0 } ? output : throw new CommandException("-o FILE is missing: where should the trace go?");

    private static int Record(double? seconds, double? last, string format, string? file)
    {
        var output = Path.GetFullPath(Needed(file));
        if (seconds != null && last != null) throw new CommandException("--seconds and --last exclude each other: from now on, or until now");
        if (System.IO.Directory.Exists(output)) throw new CommandException($"{output}: this is a directory, expected a file");
        OutputFile.Check(output); // before anybody waits ten seconds for it
        if (!System.IO.Directory.Exists(Path.GetDirectoryName(output))) throw new CommandException($"{output}: there is no such directory");
        var raw = format == "raw" ? output : string.Create(CultureInfo.InvariantCulture, $"{output}.{Environment.ProcessId}.ssptrace");
        using var host = Host(Patience + TimeSpan.FromSeconds(seconds ?? UsualSeconds));
        var told = host.Ask("trace", w =>
        {
            w.WriteString("path", raw);
            if (last is { } ago) w.WriteNumber("last", ago);
            else w.WriteNumber("seconds", seconds ?? UsualSeconds);
        }).Deserialize(DiagnosticsJson.Default.TraceResult) ?? throw new IOException("the host told nothing of the trace");
        if (format == "raw")
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{output}: {told.Events} events, {told.Bytes / 1e6:0.0} MB; scheduler: {told.Scheduler}"));
            return 0;
        }

        try
        {
            return Export(RawTrace.Read(raw), format, output, "the host");
        }
        finally
        {
            File.Delete(raw);
        }
    }

    private static int Export(RawTrace raw, string format, string output, string source)
    {
        if (format == "raw") throw new CommandException("--format raw: it is raw already");
        var view = new TraceView(raw);
        if (view.Zones + view.Marks == 0) throw new CommandException($"{source}: there are no events in it");
        var bytes = OutputFile.Replace(output, file => TraceFormat.Write(format, view, file));
        var seconds = (view.End - view.Start) / 1e9;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{output}: {view.Zones} zones, {view.Marks} marks, {view.Switches.Count} switches of the scheduler, {seconds:0.00} s, {bytes / 1e6:0.0} MB"));
        if (view.Switches.Count == 0) Console.WriteLine("scheduler: " + raw.Header.Scheduler);
        if (raw.CutShort) Console.WriteLine($"{source} was cut short: this is what there is of it");
        return 0;
    }

    private static int Show(bool? on, bool? modules, bool json)
    {
        using var host = Host(Patience);
        var told = host.Ask("tracing", w =>
        {
            if (on is { } o) w.WriteBoolean("trace", o);
            if (modules is { } m) w.WriteBoolean("modules", m);
        });
        if (json)
        {
            Console.WriteLine(told.GetRawText());
            return 0;
        }

        var t = told.Deserialize(DiagnosticsJson.Default.TracingReport) ?? throw new IOException("the host told nothing of its tracing");
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"tracing is {(t.Trace ? "on" : "off")}, modules {(t.Trace && t.Modules ? "on" : "off")}; {t.Events} events taken in, {t.Missing} missing, {t.Bytes / 1e6:0.0} MB; scheduler: {t.Scheduler}"));
        return 0;
    }

    private static ControlClient Host(TimeSpan patience) =>
        ControlClient.TryConnect(RuntimeDirectory.Locate(), patience) ?? throw new CommandException("no host runs; ssp run starts one (ssp trace convert reads files without one)");
}
