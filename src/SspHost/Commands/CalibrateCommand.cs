// ssp calibrate: two points per jack, by a person with a meter, by a cable from one jack to another, or by a script.
using System.CommandLine;
using System.Globalization;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Configuration;
using SspHost.Devices;
using SspHost.Diagnostics;
using SspHost.Playing;

namespace SspHost.Commands;

internal static class CalibrateCommand
{
    private const double Low = -5, High = 5; // half of full scale either way: far apart, and no converter clips there
    private const double MaxVolts = 20;

    public static Command Build()
    {
        var flags = new Flags();
        var jack = new Argument<int>("jack") { Description = "Number of the jack, from 1." };
        jack.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && !(int.TryParse(r.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n is >= 1 and <= Limits.MaxJacks))
                r.AddError($"jack: expected 1 to {Limits.MaxJacks}, not '{Patching.PatchError.OneLine(r.Tokens[0].Value)}'");
        });
        var read = Two("--read", "The two voltages that were read at the jack, for levels of -5 V and +5 V; without it they are played and asked for.");
        var output = new Command("out", "Calibrate an output jack: two levels are played, you read them with a meter.") { jack, read };
        output.SetAction(r => Out(flags.Read(r), Place(r, flags), r.GetValue(jack), Given(r, read)));

        var applied = Two("--applied", "The two voltages that are applied; without it they are asked for.");
        var measured = Two("--measured", "The two voltages that were measured for --applied, instead of measuring now.");
        var from = new Option<int>("--from") { Description = "Output jack, calibrated, that is plugged into this input: nobody has to turn anything.", HelpName = "OUT" };
        from.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && !(int.TryParse(r.Tokens[^1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n is >= 1 and <= Limits.MaxJacks))
                r.AddError($"--from: expected 1 to {Limits.MaxJacks}, not '{Patching.PatchError.OneLine(r.Tokens[^1].Value)}'");
        });
        var seconds = new Option<double>("--seconds") { Description = "How long each voltage is measured.", HelpName = "S", DefaultValueFactory = _ => 1 };
        seconds.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && !(double.TryParse(r.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var s) && s is >= 0.05 and <= 10))
                r.AddError($"--seconds: expected 0.05 to 10, not '{Patching.PatchError.OneLine(r.Tokens[0].Value)}'");
        });
        var input = new Command("in", "Calibrate an input jack: you apply two known voltages, they are measured.") { jack, applied, measured, from, seconds };
        input.SetAction(r => In(flags.Read(r), Place(r, flags), r.GetValue(jack), Given(r, applied), Given(r, measured), r.GetValue(from), r.GetValue(seconds)));

        var show = new Command("show", "Show what is calibrated.");
        show.SetAction(r => Show(Place(r, flags)));

        var side = new Argument<string>("side") { Description = "out or in." };
        side.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && r.Tokens[0].Value is not ("out" or "in")) r.AddError($"side: expected out or in, not '{Patching.PatchError.OneLine(r.Tokens[0].Value)}'");
        });
        var forget = new Command("forget", "Forget a jack's calibration.") { side, jack };
        forget.SetAction(r => Forget(flags.Read(r), Place(r, flags), new Jack(r.GetValue(side) == "in" ? JackSide.In : JackSide.Out, r.GetValue(jack))));

        var schema = new Command("schema", "Print the JSON Schema of the calibration file.");
        schema.SetAction(_ => Console.Write(CalibrationFile.Schema));

        foreach (var command in new[] { output, input, forget }) flags.AddTo(command);
        show.Options.Add(flags.Config);
        return new Command("calibrate", "Make volts true: measure two points of a jack and keep them for its device.") { output, input, show, forget, schema };
    }

    private static int Out(Settings settings, string path, int number, double[]? read)
    {
        var (file, setup) = Prepare(settings, path);
        if (read == null)
        {
            EnsureNobodyPlays();
            read = new double[2];
            using var bench = CalibrationBench.Start(setup with { Hold = [] }, settings.RegionMib.Value, number, 0, 1);
            for (var i = 0; i < 2; i++)
            {
                var level = i == 0 ? Low : High;
                bench.Play(level);
                read[i] = Ask(string.Create(CultureInfo.InvariantCulture, $"output {number} plays {level:+0;-0} V (uncalibrated). What does the meter read, in volts? "));
            }

            bench.Play(0);
        }

        return Keep(file, SoundCards.StableName(setup.AlsaName), new Jack(JackSide.Out, number), (Low / JackLine.NominalFullScale, read[0]), (High / JackLine.NominalFullScale, read[1]));
    }

    private static int In(Settings settings, string path, int number, double[]? applied, double[]? measured, int from, double seconds)
    {
        if (measured != null && applied == null) throw new CommandException("--measured needs --applied: what voltages were they?");
        if (from != 0 && (applied != null || measured != null)) throw new CommandException("--from plays its own voltages; leave --applied and --measured out");
        var (file, setup) = Prepare(settings, path);
        var device = SoundCards.StableName(setup.CaptureName.Length > 0 ? setup.CaptureName : setup.AlsaName);
        var jack = new Jack(JackSide.In, number);
        if (measured != null) return Keep(file, device, jack, (measured[0] / JackLine.NominalFullScale, applied![0]), (measured[1] / JackLine.NominalFullScale, applied[1]));

        EnsureNobodyPlays();
        if (from != 0)
        {
            var lines = file.Of(SoundCards.StableName(setup.AlsaName));
            var source = new Jack(JackSide.Out, from);
            if (from is < 1 or > Limits.MaxJacks || !lines.TryGetValue(source, out var line)) throw new CommandException($"output {from} is not calibrated: an input cannot be better than what it is measured by (ssp calibrate out {from})");
            setup = setup with { Calibration = new Dictionary<Jack, JackLine> { [source] = line } };
        }

        using var bench = CalibrationBench.Start(setup, settings.RegionMib.Value, from, number, seconds);
        var points = new (double Sample, double Volts)[2];
        for (var i = 0; i < 2; i++)
        {
            var volts = from != 0 ? (i == 0 ? Low : High)
                : applied?[i] ?? Ask(string.Create(CultureInfo.InvariantCulture, $"apply the {(i == 0 ? "first" : "second")} known voltage to input {number}, about {(i == 0 ? Low : High):+0;-0} V. How many volts is it? "));
            if (from != 0) bench.Play(volts);
            else if (applied != null) Wait(string.Create(CultureInfo.InvariantCulture, $"apply {volts:0.####} V to input {number}, then press Enter "));
            var m = bench.Measure();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{volts:0.0000} V reads as {m.Mean:0.0000} V, with {m.Noise * 1000:0.00} mV of noise"));
            points[i] = (m.Sample, volts);
        }

        return Keep(file, device, jack, points[0], points[1]);
    }

    private static int Show(string path)
    {
        var file = CalibrationFile.Load(path);
        if (file.Trouble is { } trouble) throw new CommandException(trouble);
        if (!file.Devices.Any()) Console.WriteLine($"nothing is calibrated ({path} does not exist or is empty): {JackLine.NominalFullScale:0} V is full scale at every jack");
        foreach (var device in file.Devices)
        {
            Console.WriteLine("alsa:" + device);
            foreach (var (jack, line) in file.Of(device)) Console.WriteLine($"  {jack,-7} {line}");
        }

        return 0;
    }

    private static int Forget(Settings settings, string path, Jack jack)
    {
        var (file, setup) = Prepare(settings, path);
        var pcm = jack.Side == JackSide.In && setup.CaptureName.Length > 0 ? setup.CaptureName : setup.AlsaName;
        var device = SoundCards.StableName(pcm);
        if (!file.Forget(device, jack)) throw new CommandException($"{jack} of alsa:{device} is not calibrated");
        file.Save();
        Console.WriteLine($"{jack} of alsa:{device}: forgotten, it is as if nobody had calibrated it");
        return 0;
    }

    private static int Keep(CalibrationFile file, string device, Jack jack, (double Sample, double Volts) a, (double Sample, double Volts) b)
    {
        var (line, wrong) = JackLine.Through(a, b);
        if (wrong != null) throw new CommandException($"{jack}: {wrong}");
        file.Set(device, jack, line);
        file.Save();
        Console.WriteLine($"{jack} of alsa:{device}: {line}");
        return 0;
    }

    // Raw jacks: what is measured is the converter, not what an earlier calibration made of it.
    private static (CalibrationFile File, AudioSetup Setup) Prepare(Settings settings, string path)
    {
        var file = CalibrationFile.Load(path);
        if (file.Trouble is { } trouble) throw new CommandException(trouble + "; mend it or move it away first, so that nothing measured is lost");
        var setup = AudioSetup.Decide(settings, FifoProbe.Granted(), SoundCards.Present, Environment.ProcessorCount).Raw;
        return setup.Card == CardKind.Alsa ? (file, setup) : throw new CommandException("there is nothing to calibrate without a sound card; --device alsa:NAME names one");
    }

    // The levels of a calibration must be alone on the jacks, and a device plays with the calibration it was opened with.
    private static void EnsureNobodyPlays()
    {
        if (EngineFile.TryRead(RuntimeDirectory.Locate()) is not { } engine || !engine.IsAlive()) return;
        throw new CommandException($"a patch is open in engine {engine.Pid}: end it first (ssp stop, or Ctrl-C in ssp run), for calibrating puts its own levels on the jacks");
    }

    private static double Ask(string question)
    {
        while (true)
        {
            Console.Write(question);
            var answer = Console.ReadLine() ?? throw new CommandException("nobody answers; in a script use --read, or --applied with --measured");
            if (double.TryParse(answer.Trim().TrimEnd('V', 'v').Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var volts) && Math.Abs(volts) <= MaxVolts) return volts;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"expected a number of volts between -{MaxVolts:0} and {MaxVolts:0}, such as 4.98"));
        }
    }

    private static void Wait(string request)
    {
        Console.Write(request);
        _ = Console.ReadLine();
    }

    private static string Place(ParseResult r, Flags flags) => CalibrationFile.PathBeside(r.GetValue(flags.Config));

    private static double[]? Given(ParseResult r, Option<double[]> option) => r.GetResult(option) is { Implicit: false } ? r.GetValue(option) : null;

    private static Option<double[]> Two(string name, string text)
    {
        var option = new Option<double[]>(name)
        {
            Description = text,
            HelpName = "VOLTS",
            Arity = ArgumentArity.OneOrMore,
            CustomParser = result =>
            {
                var values = new List<double>();
                foreach (var token in result.Tokens)
                {
                    if (double.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var v) && Math.Abs(v) <= MaxVolts) values.Add(v);
                    else result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name}: expected volts between -{MaxVolts:0} and {MaxVolts:0}, not '{Patching.PatchError.OneLine(token.Value)}'"));
                }

                if (values.Count != 2 && values.Count == result.Tokens.Count) result.AddError($"{name}: expected twice, for the low and the high point");
                return [.. values];
            },
        };
        return option;
    }
}
