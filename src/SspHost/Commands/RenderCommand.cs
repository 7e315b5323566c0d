// ssp render: a patch and a recording made into a new recording, as fast as the machine can.
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Configuration;
using SspHost.Patching;
using SspHost.Playing;
using SspHost.Wav;

namespace SspHost.Commands;

internal static class RenderCommand
{
    private const float FullScaleVolts = 10f; // as the engine's cards have it
    private const double MostSeconds = 24 * 3600;

    public static Command Build()
    {
        var patch = Flags.NoFlag(new Argument<string>("patch") { Description = "Patch file." });
        var output = new Option<string>("--out") { Description = "WAV file to write.", HelpName = "OUT.wav", Required = true };
        var input = new Option<string>("--in") { Description = "WAV file into the input jacks; a mono file feeds jacks 1 and 2.", HelpName = "IN.wav" };
        var seconds = new Option<double>("--seconds") { Description = "Length; without it, the input's. Longer than the input: tails ring out.", HelpName = "S" };
        seconds.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && (!double.TryParse(r.Tokens[^1].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var s) || !(s > 0 && s <= MostSeconds)))
                r.AddError($"--seconds: expected more than 0 and at most {MostSeconds}, not '{PatchError.OneLine(r.Tokens[^1].Value)}'");
        });
        var threads = new Option<int>("--threads") { Description = "Threads that render; the result is the same for any number.", HelpName = "N" };
        threads.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && (!int.TryParse(r.Tokens[^1].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var n) || n is < 1 or > Limits.MaxThreads))
                r.AddError($"--threads: expected 1 to {Limits.MaxThreads}, not '{PatchError.OneLine(r.Tokens[^1].Value)}'");
        });
        var format = Flags.Checked(
            new Option<string>("--format") { Description = "Sample format: pcm16, pcm24 or float.", HelpName = "FORMAT" }, f => WavFormat.Parse(f) != null ? null : "pcm16, pcm24 or float");
        var dither = new Option<bool>("--dither") { Description = "Add triangular dither to pcm16." };
        var rate = Flags.Number("--rate", "rate", "Sample rate in Hz where there is no input.", "HZ");
        var quantum = Flags.Number("--quantum", "quantum", "Frames rendered at once, instead of what the patch says.", "FRAMES");
        var region = Flags.Number("--region-mib", "regionMib", "MiB of memory for the patch.", "MIB");
        var directories = Flags.ModuleDirectory();
        var config = new Option<string>("--config") { Description = "Configuration file instead of the usual one.", HelpName = "FILE" };
        var command = new Command("render", "Render a patch into a WAV file.") { patch, output, input, seconds, threads, format, dither, rate, quantum, region, directories, config };
        command.SetAction(r =>
        {
            var s = SettingsFile.Load(r.GetValue(config));
            s = s with
            {
                Rate = s.Rate.Or(r.GetValue(rate), Flags.Given(r, rate)),
                Quantum = s.Quantum.Or(r.GetValue(quantum), Flags.Given(r, quantum)),
                RegionMib = s.RegionMib.Or(r.GetValue(region), Flags.Given(r, region)),
                ModuleDirectories = s.ModuleDirectories.Or([.. (r.GetValue(directories) ?? []).Select(Path.GetFullPath)], Flags.Given(r, directories)),
                Format = s.Format.Or(r.GetValue(format) ?? "", Flags.Given(r, format)),
            };
            return Run(new Job(
                r.GetValue(patch)!, r.GetValue(output)!, r.GetValue(input), Flags.Given(r, seconds) ? r.GetValue(seconds) : null,
                Flags.Given(r, threads) ? r.GetValue(threads) : null, r.GetValue(dither), s));
        });
        return command;
    }

    private sealed record Job(string Patch, string Output, string? Input, double? Seconds, int? Threads, bool Dither, Settings Settings);

    private static int Run(Job job)
    {
        var patch = PatchJson.Load(job.Patch);
        WavFormat.CheckOutput(job.Output, job.Input ?? "");
        using var reader = job.Input != null ? WavReader.Open(job.Input) : null;
        if (reader == null && job.Seconds == null) throw new CommandException("how long? Give --seconds, or --in whose length is taken");
        var rate = reader != null ? RunCommand.RateFor(reader, job.Input!, job.Settings) : job.Settings.Rate.Value;
        var frames = job.Seconds is { } s ? (long)Math.Round(s * rate) : reader!.Frames;
        if (frames == 0) throw new CommandException(job.Seconds == null ? $"{job.Input}: there is nothing in it (0 frames); --seconds gives a length" : "--seconds is less than one frame");

        using var engine = PrivateEngine.Start(job.Settings.RegionMib.Value);
        engine.LoadLibraries(job.Settings.LibraryDirectories, Console.Error.WriteLine);
        engine.LoadLv2(job.Settings.Lv2, rate, job.Settings.Quantum.Value, Console.Error.WriteLine);
        var setup = new AudioSetup
        {
            Card = CardKind.Stream,
            Rate = rate,
            QuantumOverride = job.Settings.Quantum.Value,
            Periods = 2,
            Inputs = reader != null ? WavPump.JacksFor(reader.Channels) : 2,
            Outputs = OutputsOf(patch, engine.Modules),
            Threads = job.Threads ?? Math.Clamp(Environment.ProcessorCount - 1, 1, 8),
        };
        var encoding = WavFormat.Parse(job.Settings.Format.Value)!.Value;
        // The finished file appears whole or not at all: an earlier render of that name is not lost to a failed one.
        var partial = job.Output + ".part";
        var watch = Stopwatch.StartNew();
        try
        {
            var sink = engine.Sink(setup, Console.Error.WriteLine, link => WavPump.Create(
                link, reader, WavWriter.Create(partial, rate, setup.Outputs, encoding, job.Dither), reader != null ? setup.Inputs : 0, setup.Outputs, silence: 0, expected: frames));
            sink.Frames = (ulong)frames;
            sink.Assets.AddRoot(Path.GetDirectoryName(Path.GetFullPath(job.Patch))!);
            using var session = PatchSession.Start(new PatchSessionOptions { Modules = engine.Modules, Sink = sink });
            if (session.Open(job.Patch, out var warnings) is { } refused) throw new CommandException(refused.ToString());
            foreach (var w in warnings) Console.Error.WriteLine(w);
            if (sink.StartAudio() is { } why) throw new CommandException(engine.Death() ?? why);
            var pump = sink.Pump!;
            Follow(pump, frames, rate, watch, engine);
            var (written, peak) = (pump.FramesOut, pump.Peak);
            if (pump.Failure is { } failure) throw new CommandException(engine.Death() ?? failure.Message);
            if (sink.StopAudio(0) is { } notStopped) throw new CommandException(engine.Death() ?? notStopped);
            if (written != frames) throw new CommandException($"the engine gave {written} frames instead of {frames}");
            File.Move(partial, job.Output, overwrite: true);
            Summary(job.Output, frames, rate, setup.Outputs, job.Settings.Format.Value, peak, encoding, watch.Elapsed.TotalSeconds);
            return 0;
        }
        finally
        {
            if (File.Exists(partial)) File.Delete(partial);
        }
    }

    // As many channels as output jacks are patched: where a module has an input for each of its jacks, those that nothing is plugged
    // into do not count. A file without any channel would be no file, so at least one.
    private static int OutputsOf(Patch patch, DescriptorIndex modules)
    {
        var highest = 0;
        foreach (var module in patch.Modules)
        {
            if (modules.Find(module.Type)?.Descriptor is not { } d) continue;
            var jacks = d.Outputs.Count(o => o.Kind == PortKind.Device);
            var first = module.Settings.FirstOrDefault(s => s.Name == "first").Value;
            for (var j = 0; j < jacks; j++)
            {
                if (d.Inputs.Count == jacks && patch.Cables.All(c => c.To != new PortRef(module.Id, d.Inputs[j].Id))) continue;
                highest = Math.Max(highest, first + j);
            }
        }

        return Math.Clamp(highest + 1, 1, Limits.MaxJacks);
    }

    private static void Follow(WavPump pump, long frames, int rate, Stopwatch watch, PrivateEngine engine)
    {
        var terminal = !Console.IsErrorRedirected;
        var from = watch.Elapsed.TotalSeconds;
        var line = "";
        while (!pump.Wait(TimeSpan.FromMilliseconds(100)))
        {
            if (engine.Death() is { } death) throw new CommandException(death);
            if (!terminal) continue;
            var done = pump.FramesOut / (double)rate;
            line = string.Create(
                CultureInfo.InvariantCulture,
                $"rendered {done:0.0} of {frames / (double)rate:0.0} s ({100.0 * pump.FramesOut / frames:0}%, {done / Math.Max(0.001, watch.Elapsed.TotalSeconds - from):0} times real time)");
            Console.Error.Write("\r\e[K" + line);
        }

        if (line.Length > 0) Console.Error.Write("\r\e[K");
    }

    private static void Summary(string file, long frames, int rate, int channels, string format, float peak, WavEncoding encoding, double seconds)
    {
        var level = peak > 0
            ? string.Create(CultureInfo.InvariantCulture, $"peak {peak * FullScaleVolts:0.00} V ({20 * Math.Log10(peak):0.0} dBFS)")
            : "silent throughout";
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{file}: {frames / (double)rate:0.000} s, {channels} channel{(channels == 1 ? "" : "s")}, {rate} Hz, {format}, {level}, rendered in {seconds:0.00} s"));
        if (peak > 1 && encoding != WavEncoding.Float32) Console.Error.WriteLine($"clipped: the patch goes beyond {FullScaleVolts:0} V, which is full scale; --format float keeps it");
    }
}
