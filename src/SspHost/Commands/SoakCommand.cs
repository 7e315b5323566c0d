// ssp soak: hours of playing while the machine is made busy, the load of every block kept, and a verdict on late blocks.
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Configuration;
using SspHost.Devices;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Soak;
using SspHost.Patching;
using SspHost.Playing;
using SspHost.Soak;

namespace SspHost.Commands;

internal static class SoakCommand
{
    /// <summary>Exit codes: the soak did not show what it was to show; it was asked for wrongly.</summary>
    public const int NotPassed = 3, BadInput = 2;

    private const double DefaultLateRate = 1e-6, DefaultPhaseSeconds = 30, DefaultShare = 0.5;
    private const double LeastSeconds = 12, MostSeconds = 30 * 86_400;

    public static Command Build()
    {
        var hours = Number("--hours", "H", "Length in hours.", LeastSeconds / 3600, MostSeconds / 3600);
        var seconds = Number("--seconds", "S", $"Or in seconds, at least {LeastSeconds:0}: each phase has its turn.", LeastSeconds, MostSeconds);
        var phase = Number("--phase", "S", $"Seconds of a phase's turn ({DefaultPhaseSeconds:0} where nothing is said, less where all would not fit).", 1, 3600);
        var rate = Number("--late-rate", "R", $"Late blocks a block that are too many, with 95 % confidence ({DefaultLateRate} where nothing is said).", 1e-12, 1);
        var share = Number("--memory-share", "F", $"Share of the available memory that is filled ({DefaultShare} where nothing is said).", 0, 0.9);
        var most = Number("--memory-mib", "MIB", "MiB that are filled at most.", 0, 1 << 24);
        var patch = new Option<string>("--patch") { Description = "Patch file; without one, forty modules.", HelpName = "FILE" };
        var data = new Option<string>("--data") { Description = "Directory that is written to, instead of 'soak' beside the journal.", HelpName = "DIR" };
        var loads = new Option<string>("--loads") { Description = "File for the load of every block, instead of one in that directory.", HelpName = "FILE" };
        var output = new Option<string>("--out") { Description = "File of results for ssp bench compare.", HelpName = "FILE" };
        var json = new Option<bool>("--json") { Description = "As one JSON object." };
        var flags = new Flags();
        var command = new Command("soak", "Play for hours while memory, disk, network, panel and edits make the machine busy; say how often blocks are late. Exit code 3: too often, or not shown.")
        {
            hours, seconds, patch, output, loads, data, rate, phase, share, most, json,
        };
        flags.AddTo(command);
        command.Validators.Add(r =>
        {
            if (r.GetResult(hours) is { Implicit: false } == r.GetResult(seconds) is { Implicit: false }) r.AddError("expected either --hours or --seconds");
        });
        command.SetAction(r =>
        {
            double Or(Option<double> option, double otherwise) => Flags.Given(r, option) ? r.GetValue(option) : otherwise;
            var settings = flags.Read(r);
            var directory = Path.GetFullPath(r.GetValue(data) ?? Path.Combine(settings.StateDirectory, "soak"));
            var asJson = r.GetValue(json);
            return Run(r.GetValue(patch), settings, r.GetValue(flags.Config), r.GetValue(output), asJson, new SoakOptions(
                Flags.Given(r, hours) ? r.GetValue(hours) * 3600 : r.GetValue(seconds), Or(phase, DefaultPhaseSeconds), directory,
                Path.GetFullPath(r.GetValue(loads) ?? Path.Combine(directory, DateTime.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z.loads'", CultureInfo.InvariantCulture))),
                Or(share, DefaultShare), (long)Or(most, 1 << 24) << 20, Or(rate, DefaultLateRate), asJson ? _ => { } : Console.Error.WriteLine));
        });
        return command;
    }

    /// <summary>The process that a phase's load runs in.</summary>
    public static Command BuildLoad()
    {
        var what = new Argument<string[]>("what") { Description = "memory, disk or network; the process it ends with; its arguments.", Arity = new ArgumentArity(2, 4) };
        var command = new Command("soak-load", "The load of a phase of ssp soak.") { what };
        command.Hidden = true;
        command.SetAction(r =>
        {
            var words = r.GetValue(what)!;
            if (!SoakLoads.EndWith(int.Parse(words[1], CultureInfo.InvariantCulture))) return 1;
            switch (words)
            {
                case ["memory", _, var share, var most]:
                    SoakLoads.Memory(double.Parse(share, CultureInfo.InvariantCulture), long.Parse(most, CultureInfo.InvariantCulture));
                    break;
                case ["disk", _, var directory]:
                    SoakLoads.Disk(directory);
                    break;
                case ["network", _]:
                    SoakLoads.Network();
                    break;
                default:
                    throw new CommandException($"soak-load: there is no load '{PatchError.OneLine(words[0])}' with {words.Length - 2} arguments");
            }

            return 0;
        });
        return command;
    }

    private static int Run(string? patch, Settings settings, string? configuration, string? output, bool json, SoakOptions options)
    {
        AudioSetup setup;
        try
        {
            if (patch != null && PatchJson.TryLoad(patch).Error is { } bad) throw new CommandException(bad.ToString());
            if (AudioSetup.CheckCores(settings.Cores.Value, AudioSetup.AllowedCores()) is { } cores) throw new CommandException("--cores: " + cores);
            setup = AudioSetup.Decide(settings, FifoProbe.Granted(), SoundCards.Present, Environment.ProcessorCount).Calibrated(CalibrationFile.Load(CalibrationFile.PathBeside(configuration)));
            if (setup.Card == CardKind.PacedStream) throw new CommandException("--device: expected a card, sim or alsa:NAME: a recording has an end");
            Directory.CreateDirectory(options.Directory);
            Directory.CreateDirectory(Path.GetDirectoryName(options.Loads)!);
        }
        catch (Exception e) when (e is CommandException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine("ssp: " + e.Message);
            return BadInput;
        }

        using var stop = new ManualResetEventSlim();
        void Leave(PosixSignalContext context)
        {
            context.Cancel = true; // what there is so far is reported
            stop.Set();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Leave);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Leave);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Leave);
        SoakReport report;
        using (var rig = new PanelBenchRig(
            new HostOptions { Runtime = "", Setup = setup, RegionMib = settings.RegionMib.Value, Say = Console.Error.WriteLine, Libraries = (settings.LibraryDirectories, ""), Lv2 = settings.Lv2 },
            host => patch == null ? PanelBenchRig.OpenForty(host) : host.Open(patch)))
        {
            report = new SoakRun(rig, options, stop).Run();
        }

        if (output != null) SoakFigures.Of(report, options.Seconds).Write(output);
        if (json) Console.WriteLine(JsonSerializer.Serialize(report, SoakJson.Default.SoakReport));
        else Console.Write(report.Format());
        return report.Verdict.Passed ? 0 : NotPassed;
    }

    private static Option<double> Number(string name, string help, string text, double least, double most)
    {
        var option = new Option<double>(name)
        {
            Description = text,
            HelpName = help,
            CustomParser = result =>
            {
                var word = result.Tokens.Count > 0 ? result.Tokens[^1].Value : "";
                if (double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most) return value;
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name}: expected a number from {least:0.######} to {most:0.######}, not '{PatchError.OneLine(word)}'"));
                return 0;
            },
        };
        return option;
    }
}
