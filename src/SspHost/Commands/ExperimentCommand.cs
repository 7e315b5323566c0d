// ssp experiment: claims of the design that anybody can check on their own machine.
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Patching;
using SspHost.Playing;

namespace SspHost.Commands;

internal static class ExperimentCommand
{
    private const double DefaultSeconds = 10;

    // 64 frames at 64 kHz are the 1 ms of the other half.
    private const int Rate = 64_000, Quantum = 64;

    public static Command Build()
    {
        var seconds = new Option<double>("--seconds") { Description = "Length of each half.", HelpName = "S", DefaultValueFactory = _ => DefaultSeconds };
        seconds.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && (!double.TryParse(r.Tokens[^1].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var s) || s is not (>= 1 and <= 3600)))
                r.AddError($"--seconds: expected 1 to 3600, not '{PatchError.OneLine(r.Tokens[^1].Value)}'");
        });
        var json = new Option<bool>("--json") { Description = "As one JSON object." };
        var isolation = new Command("gc-isolation", "A 1 kHz quantum beside a storm of garbage collections: in the same runtime, and in the engine's own process.") { seconds, json };
        isolation.SetAction(r => GcIsolationRun(r.GetValue(seconds), r.GetValue(json)));
        return new Command("experiment", "Check a claim of the design on this machine.")
        {
            isolation,
            Locking("memload", LockingExperiment.MemoryLoad, "Memory made short beside an engine that plays: locked, and not locked.", seconds, json),
            Locking("count-glitches", LockingExperiment.CountGlitches, "What is missed at the smallest quantum while everything is asked to leave memory: locked, and not locked.", seconds, json),
            Locking("thread-swapped", LockingExperiment.ThreadSwapped, "Whether stacks and code of the real-time threads can leave memory: locked, and not locked.", seconds, json),
            Pressure(),
            SoakCommand.BuildLoad(),
        };
    }

    private static Command Locking(string name, LockingExperiment experiment, string text, Option<double> seconds, Option<bool> json)
    {
        var swap = Number("--swap", "MiB of a swap file to make for the time of the experiment (root).", 8, 65_536);
        var limit = Number("--limit", "MiB that engine and load share; default: too little for both.", 96, 1 << 20);
        var everybody = new Option<bool>("--whole-machine") { Description = "Make memory short for everybody. What else runs here may be ended by the kernel." };
        var command = new Command(name, text) { seconds, json, swap };
        if (experiment == LockingExperiment.MemoryLoad)
        {
            command.Add(limit);
            command.Add(everybody);
        }

        command.SetAction(r => LockingExperiments.Run(experiment, new LockingOptions(
            r.GetValue(seconds), r.GetValue(swap), r.GetValue(limit), r.GetValue(everybody), r.GetValue(json))));
        return command;
    }

    private static Option<int> Number(string name, string text, int least, int most)
    {
        var option = new Option<int>(name) { Description = text, HelpName = "MIB" };
        option.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && (!int.TryParse(r.Tokens[^1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var n) || n < least || n > most))
                r.AddError($"{name}: expected a whole number from {least} to {most}, not '{PatchError.OneLine(r.Tokens[^1].Value)}'");
        });
        return option;
    }

    // The load of memload, in a process of its own.
    private static Command Pressure()
    {
        var figures = new Argument<int[]>("figures") { Description = "MiB to lock, MiB to touch, seconds.", Arity = new ArgumentArity(3, 3) };
        var command = new Command("memory-pressure", "The load of memload.") { figures };
        command.Hidden = true;
        command.SetAction(r =>
        {
            var f = r.GetValue(figures)!;
            var until = Environment.TickCount64 + (f[2] * 1000L);
            MemoryPressure.Run((long)f[0] << 20, (long)f[1] << 20, Console.WriteLine, () => Environment.TickCount64 > until);
        });
        return command;
    }

    private static int GcIsolationRun(double seconds, bool json)
    {
        if (!json) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"two halves of {seconds:0.#} s each ..."));
        var same = GcIsolation.InThisRuntime(seconds);
        using var engine = PrivateEngine.Start(256);
        var setup = BenchOptions.SimulatedSetup with { Rate = Rate, QuantumOverride = Quantum, Periods = 3, Threads = 1 };
        var sink = engine.Sink(setup, Console.Error.WriteLine);
        using var session = PatchSession.Start(new PatchSessionOptions { Modules = engine.Modules, Sink = sink });
        if (PatchFiles.FirstDemo("") is { } demo)
        {
            sink.Assets.AddRoot(Path.GetDirectoryName(demo)!);
            if (session.Open(demo, out _) is { } refused) throw new CommandException(refused.ToString());
        }
        else if (session.Reinstall(newEngine: true) is { } error)
        {
            throw new CommandException(error.ToString()); // the empty patch: silence is a quantum too
        }

        if (sink.StartAudio() is { } why) throw new CommandException(why);
        engine.Slot.Use(WaitUntilItPlays);
        var (own, collections, allocated, onRealTimeThreads) = engine.Slot.Use(link => GcIsolation.InTheEngine(link, seconds));
        var report = GcIsolation.Judge(seconds, same, own, collections, allocated, onRealTimeThreads);
        if (json) Console.WriteLine(JsonSerializer.Serialize(report, DiagnosticsJson.Pretty.GcIsolationReport));
        else Console.Write(GcIsolation.Format(report));
        return report.Valid ? 0 : 1;
    }

    private static void WaitUntilItPlays(EngineLink link)
    {
        for (var i = 0; i < 500; i++)
        {
            if (link.TryAudio(out var a) && a.Quanta > 100) return;
            if (link.Process is { HasExited: true }) throw new EngineGoneException("the engine ended before it played");
            Thread.Sleep(10);
        }

        throw new EngineTimeoutException("the engine did not play within 5 s");
    }
}
