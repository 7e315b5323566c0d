// All commands in one place, with the examples their help ends in.
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Reflection;

namespace SspHost.Commands;

/// <summary>Builds the tree of commands.</summary>
internal static class CommandTree
{
    private static readonly Dictionary<string, string[]> Examples = new(StringComparer.Ordinal)
    {
        ["ssp"] = ["ssp run", "ssp render patches/tape-room.json --in voice.wav --out wet.wav", "ssp patch check my.json"],
        ["run"] =
        [
            "ssp run                                   the last patch, or a demo",
            "ssp run my.json --device alsa:hw:0",
            "ssp run my.json --quantum 64 --periods 3 --cores 2,3",
            "ssp run my.json --device wav:in.wav,out.wav",
        ],
        ["stop"] = ["ssp stop"],
        ["start"] = ["ssp start                                 after a patch took the engine down twice"],
        ["status"] = ["ssp status", "ssp status --watch", "ssp status --json | jq .audio.load"],
        ["events"] = ["ssp events", "ssp events --last 20", "ssp events --json | jq -c 'select(.event == \"incidents\") | .data'"],
        ["render"] = ["ssp render my.json --in voice.wav --out wet.wav", "ssp render my.json --seconds 30 --out drone.wav --format float", "ssp render my.json --in loop.wav --seconds 20 --out with-tail.wav"],
        ["record"] = ["ssp record take.wav", "ssp record stems.wav --outputs 1-8 --inputs 1,2 --seconds 60"],
        ["modules"] = ["ssp modules", "ssp modules vco", "ssp modules --costs", "ssp modules --json"],
        ["module"] = ["ssp module new my-filter", "ssp module new my-filter --language csharp", "ssp module build my-filter", "ssp module test my-filter/out/my-filter.so", "ssp module reload"],
        ["patch"] = ["ssp patch check my.json", "ssp patch show my.json", "ssp patch schema > patch.schema.json", "ssp patch restore vco1"],
        ["devices"] = ["ssp devices", "ssp devices alsa:hw:0"],
        ["calibrate"] = ["ssp calibrate out 3                       plays, and asks what your meter reads", "ssp calibrate in 3 --from 3                output 3 plugged into input 3", "ssp calibrate out 3 --read -4.98 --read 5.02", "ssp calibrate show"],
        ["config"] = ["ssp config show", "ssp config show --json > ~/.config/ssphost/ssp.json", "ssp config check my-ssp.json", "ssp config schema"],
        ["update"] = ["ssp update                                what runs, and what was before", "ssp update usb --restart", "ssp update https://example.org/ssphost-0.2.0-arm64.update", "ssp update --rollback --restart"],
        ["trace"] =
        [
            "ssp trace --seconds 10 --format perfetto -o slow.pftrace",
            "ssp trace --last 10 --format firefox -o profile.json     what is in the flight recorder now",
            "ssp trace convert dropout.ssptrace --format chrome -o trace.json",
            "ssp trace modules off",
        ],
        ["bench"] = ["ssp bench all --runs 5 --out a.json", "ssp bench compare a.json b.json", "ssp bench edits", "ssp bench graph --pin 2,3 --seconds 60", "ssp bench latency --device alsa:hw:0", "ssp bench memory --ops 1000000", "ssp bench start --json"],
        ["symbols"] = ["ssp symbols resolve artifacts/bin/ssp-engine.sym 1f2e3d", "ssp symbols make artifacts/symbols/ssp-engine.dbg -o ssp-engine.sym"],
        ["stat"] = ["ssp stat                                  live, q quits", "ssp stat --once", "ssp stat --json | jq .metrics.system.cores"],
        ["report"] = ["ssp report -o report.tar.gz", "ssp report --html -o load.html", "ssp report --loads -o before.ssploads", "ssp report --html -o after.html --compare before.ssploads", "ssp report --glitches"],
        ["doctor"] = ["ssp doctor", "ssp doctor --all", "ssp doctor --json | jq '.findings[] | select(.severity == \"error\")'"],
        ["soak"] = ["ssp soak --hours 8 --out soak.json", "ssp soak --seconds 600 --patch my.json --device alsa:hw:0 --late-rate 1e-5"],
        ["experiment"] = ["ssp experiment gc-isolation --seconds 20", "ssp experiment thread-swapped --swap 256", "ssp experiment count-glitches --json", "ssp experiment memload --swap 512"],
    };

    /// <summary>Version of this program.</summary>
    public static string Version { get; } =
        typeof(CommandTree).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    /// <summary>The root command.</summary>
    public static RootCommand Build()
    {
        var root = new RootCommand("SspHost plays patches: a DSP host for Eurorack synthesizers.")
        {
            RunCommand.Build(),
            StopCommand.Build(),
            StopCommand.BuildStart(),
            StatusCommand.Build(),
            StatCommand.Build(),
            EventsCommand.Build(),
            ReportCommand.Build(),
            DoctorCommand.Build(),
            RecordCommand.Build(),
            RenderCommand.Build(),
            ModulesCommand.Build(),
            ModuleCommand.Build(),
            PatchCommand.Build(),
            DevicesCommand.Build(),
            CalibrateCommand.Build(),
            ConfigCommand.Build(),
            UpdateCommand.Build(),
            TraceCommand.Build(),
            BenchCommand.Build(),
            SoakCommand.Build(),
            ExperimentCommand.Build(),
            SymbolsCommand.Build(),
        };
        foreach (var option in root.Options)
            if (option is HelpOption { Action: HelpAction help }) option.Action = new HelpWithExamples(help);
        return root;
    }

    /// <summary>Exit code of a command line that is wrong: where a command's verdict is its exit code, one that is no verdict.</summary>
    public static int CodeOfUnclear(ParseResult parsed) => parsed.CommandResult.Command.Name == "soak" ? SoakCommand.BadInput : 1;

    /// <summary>What is wrong with a command line, as one line; null if nothing is (or help was asked for).</summary>
    public static string? Unclear(ParseResult parsed)
    {
        if (parsed.Action is not ParseErrorAction || parsed.Errors.Count == 0) return null;
        var command = parsed.CommandResult.Command;
        var name = command is RootCommand ? "ssp" : "ssp " + string.Join(' ', parsed.CommandResult.Path());
        if (command.Subcommands.Count > 0)
        {
            var expected = $"expected one of {string.Join(", ", command.Subcommands.Select(c => c.Name))} ({name} --help)";
            return parsed.UnmatchedTokens.Count > 0 ? $"there is no command '{Patching.PatchError.OneLine(parsed.UnmatchedTokens[0])}'; {expected}" : expected;
        }

        // A value that does not fit is more to the point than what follows from it.
        var error = parsed.Errors.FirstOrDefault(e => e.Message.StartsWith("--", StringComparison.Ordinal)) ?? parsed.Errors[0];
        return $"{error.Message.ReplaceLineEndings(" ")} ({name} --help)";
    }

    private static IEnumerable<string> Path(this CommandResult result)
    {
        if (result.Command is RootCommand) yield break;
        if (result.Parent is CommandResult parent)
            foreach (var above in parent.Path()) yield return above;
        yield return result.Command.Name;
    }

    // The standard help, and after it how the command is really typed.
    private sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var code = help.Invoke(parseResult);
            var command = parseResult.CommandResult.Command;
            var name = command is RootCommand ? "ssp" : command.Name;
            if (!Examples.TryGetValue(name, out var examples)) return code;
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var line in examples) output.WriteLine("  " + line);
            output.WriteLine();
            return code;
        }
    }
}
