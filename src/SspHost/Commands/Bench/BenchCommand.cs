// ssp bench: every figure there is, each from the process that it is about.
using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using SspHost.Configuration;
using SspHost.Patching;
using SspHost.Playing;

namespace SspHost.Commands;

internal static class BenchCommand
{
    private const string Comparison = "compare";
    private const int MostRuns = 1000, MostSeconds = 86_400;
    private static readonly string[] HasLength = ["graph", "wake", "latency", "capacity", "all"];
    private static readonly string[] HasDevice = ["latency", "capacity", "all"];

    public static Command Build()
    {
        var names = string.Join(", ", BenchRunner.OwnNames);
        var what = new Argument<string>("what")
        {
            Description = $"all; {names}; one of the engine's own: {string.Join(", ", BenchRunner.EngineNames)}; or compare A.json B.json.",
        };
        var json = new Option<bool>("--json") { Description = "As JSON: each benchmark's own object, one after the other." };
        var output = new Option<string?>("--out") { Description = "Write a file of results, which `ssp bench compare` reads.", HelpName = "FILE" };
        var runs = Whole("--runs", 1, MostRuns, "Independent runs: five or more are what compare needs.", "N");
        var seconds = Whole("--seconds", 1, MostSeconds, "About how long (graph, wake, latency), or for how long it must hold (capacity).", "N");
        var pin = new Option<string?>("--pin") { Description = "Cores of the threads that measure: 2,3 or 2-4.", HelpName = "LIST" };
        var device = new Option<string?>("--device") { Description = "sim (default) or alsa:NAME, with a cable for latency.", HelpName = "DEVICE" };
        var late = Whole("--late", 0, 1_000_000, "Late blocks that capacity allows, on a machine that is late by itself.", "N");
        var voices = Whole("--voices", 1, CapacityBench.MostVoices, "Voices beyond which capacity does not look.", "N");
        var noSave = new Option<bool>("--no-save") { Description = "With modules: do not keep what each costs for the panel and `ssp modules`." };
        var rest = new Argument<string[]>("arguments") { Description = "Passed on to the engine's benchmark.", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("bench", "Measure this machine. Figures on a busy machine mean little; ratios in one run do.") { what, rest, json, output, runs, seconds, pin, device, late, voices, noSave };
        command.Validators.Add(r =>
        {
            if (r.GetValue(what) is not { } word) return;
            void Only(Option option, string[] of)
            {
                if (r.GetResult(option) is { Implicit: false } && !of.Contains(word)) r.AddError($"{option.Name}: expected with {string.Join(", ", of)} only");
            }

            Only(seconds, HasLength);
            Only(device, HasDevice);
            foreach (var of in new Option[] { late, voices }) Only(of, ["capacity", "all"]);
            Only(noSave, ["modules", "all"]);
            foreach (var of in new Option[] { output, runs, pin }) Only(of, ["all", .. BenchRunner.OwnNames, .. BenchRunner.EngineNames]);
            if (r.GetValue(pin) is { } list && WrongCores(list) is { } wrong) r.AddError(wrong);
            if (r.GetValue(device) is { } card && card != "sim" && (!card.StartsWith("alsa:", StringComparison.Ordinal) || Settings.CheckDevice(card) != null))
                r.AddError($"--device: expected sim or alsa:NAME, not '{PatchError.OneLine(card)}'");
            // Only the engine's benchmarks have arguments; what they do not know they refuse themselves.
            if (word == Comparison || BenchRunner.EngineNames.Contains(word)) return;
            if (word != "all" && !BenchRunner.OwnNames.Contains(word)) r.AddError($"there is no benchmark '{PatchError.OneLine(word)}'; expected one of all, {names}, {string.Join(", ", BenchRunner.EngineNames)}, {Comparison}");
            else if (r.GetValue(rest) is [var first, ..]) r.AddError($"bench {word}: expected no argument, not '{PatchError.OneLine(first)}'");
        });
        command.SetAction(r =>
        {
            var word = r.GetValue(what)!;
            if (word == Comparison) return CompareBench.Run(r.GetValue(rest) ?? [], r.GetValue(json));
            return new BenchRunner(word, new BenchOptions
            {
                Json = r.GetValue(json),
                Out = r.GetValue(output) is { } path ? Path.GetFullPath(path) : null,
                Runs = r.GetResult(runs) is { Implicit: false } ? r.GetValue(runs) : 1,
                Seconds = r.GetResult(seconds) is { Implicit: false } ? r.GetValue(seconds) : null,
                Pin = r.GetValue(pin) is { } list ? Cores(list)!.Value : [],
                Device = r.GetValue(device),
                Late = r.GetValue(late),
                Voices = r.GetResult(voices) is { Implicit: false } ? r.GetValue(voices) : null,
                Save = !r.GetValue(noSave),
                Rest = r.GetValue(rest) ?? [],
            }).Run();
        });
        return command;
    }

    private static ImmutableArray<int>? Cores(string list) => Settings.ParseCores(list) is { Length: > 0 } cores ? cores : null;

    private static string? WrongCores(string list) => Cores(list) is not { } cores
        ? $"--pin: expected different core numbers such as 2,3 or 2-4, at most {Abi.Limits.MaxThreads}, not '{PatchError.OneLine(list)}'"
        : AudioSetup.CheckCores(cores, AudioSetup.AllowedCores()) is { } wrong ? "--pin: " + wrong : null;

    private static Option<int> Whole(string name, int least, int most, string text, string help)
    {
        var option = new Option<int>(name) { Description = text, HelpName = help };
        option.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && !(int.TryParse(r.Tokens[^1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= least && n <= most))
                r.AddError($"{name}: expected a whole number from {least} to {most}, not '{PatchError.OneLine(r.Tokens[^1].Value)}'");
        });
        return option;
    }
}
