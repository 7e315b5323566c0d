// The bench: an engine of its own that plays a known sample value at one jack, or measures what comes in at one.
using System.Globalization;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Patching;
using SspHost.Playing;

namespace SspHost.Devices;

/// <summary>What was measured at an input: volts as an uncalibrated card means them, and how much they wavered (standard deviation).</summary>
internal readonly record struct Measured(double Mean, double Noise)
{
    /// <summary>Sample value of the mean.</summary>
    public double Sample => Mean / JackLine.NominalFullScale;
}

/// <summary>
/// A steady voltage to one output and a voltmeter at one input, by the modules any patch could use, on the real device. Jacks are raw (not
/// calibrated) unless the setup says otherwise.
/// </summary>
internal sealed unsafe class CalibrationBench : IDisposable
{
    private const int JacksPerModule = 8;
    private const string Source = "source", Meter = "meter";
    private const int MeanAt = 0, NoiseAt = 1, WindowsAt = 2; // telemetry of the voltmeter
    private const int Patience = 10_000;

    private readonly PrivateEngine _engine;
    private readonly PatchSession _session;
    private readonly double _window;

    private CalibrationBench(PrivateEngine engine, PatchSession session, double window) => (_engine, _session, _window) = (engine, session, window);

    /// <summary>Starts it on the setup's device; jack numbers from 1, 0 = none. Throws <see cref="IOException"/> with the reason where it does not start.</summary>
    public static CalibrationBench Start(AudioSetup setup, int regionMib, int output, int input, double window)
    {
        var engine = PrivateEngine.Start(regionMib);
        PatchSession? session = null;
        try
        {
            var sink = engine.Sink(setup, _ => { }); // a jack that is not there is said below
            session = PatchSession.Start(new PatchSessionOptions { Modules = engine.Modules, Sink = sink });
            if (session.Apply(new ReplacePatch(Bench(output, input, window))) is { } refused) throw new IOException(refused.ToString());
            var why = sink.StartAudio();
            if (why != null && sink.OfferedRate > 0)
            {
                // Volts do not depend on the rate: the device's own will do.
                why = sink.UseRate(sink.OfferedRate) ?? session.Reinstall(newEngine: true)?.ToString() ?? sink.StartAudio();
            }

            if (why != null) throw new IOException(why);
            var bench = new CalibrationBench(engine, session, window);
            bench.CheckJack(output, input);
            return bench;
        }
        catch
        {
            session?.Dispose();
            engine.Dispose();
            throw;
        }
    }

    /// <summary>Puts volts at the output and waits until they have gone through buffer and converter.</summary>
    public void Play(double volts)
    {
        if (_session.Apply(new SetParameter(Source, "volts", (float)volts)) is { } refused) throw new IOException(refused.ToString());
        Thread.Sleep(Settle());
    }

    /// <summary>Measures the input over a window that began after this call.</summary>
    public Measured Measure()
    {
        var first = Read().Windows;
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var seen = 0;
        var last = first;
        while (true)
        {
            var now = Read();
            if (now.Windows != last)
            {
                last = now.Windows;
                // The first window to end may have begun before the call; the second did not.
                if (++seen == 2) return new Measured(now.Mean, now.Noise);
            }

            if (watch.ElapsedMilliseconds > Patience + (2000 * _window)) throw new IOException("the device plays, but nothing was measured: is it lost?");
            Thread.Sleep(10);
        }
    }

    public void Dispose()
    {
        _ = _engine.Slot.Try(link => link.State, EngineState.Ending);
        _session.Dispose();
        _engine.Dispose();
    }

    private static Patch Bench(int output, int input, double window)
    {
        var modules = new List<Module>();
        var cables = new List<Cable>();
        if (output > 0)
        {
            modules.Add(new Module { Id = Source, Type = "voltage" });
            modules.Add(new Module { Id = "out", Type = "audio-out", Settings = default(NamedValues<int>).With("first", First(output)) });
            cables.Add(new Cable(new PortRef(Source, "out"), new PortRef("out", In(output))));
        }

        if (input > 0)
        {
            modules.Add(new Module { Id = "in", Type = "audio-in", Settings = default(NamedValues<int>).With("first", First(input)) });
            modules.Add(new Module { Id = Meter, Type = "voltmeter", Parameters = default(NamedValues<float>).With("window", (float)window) });
            cables.Add(new Cable(new PortRef("in", string.Create(CultureInfo.InvariantCulture, $"out{input - First(input)}")), new PortRef(Meter, "in")));
        }

        return Patch.New() with { Name = "Bench", Quantum = 64, Modules = [.. modules], Cables = [.. cables] };
    }

    // The modules of jacks have eight each.
    private static int First(int jack) => Math.Min((jack - 1) / JacksPerModule * JacksPerModule, Limits.MaxJacks - JacksPerModule);

    private static string In(int jack) => string.Create(CultureInfo.InvariantCulture, $"in{jack - First(jack)}");

    private void CheckJack(int output, int input) => _engine.Slot.Use(link =>
    {
        AudioStatus a = default;
        for (var i = 0; i < 500 && !(link.TryAudio(out a) && a.Quanta > 0); i++) Thread.Sleep(10);
        if (output > a.Outputs) throw new IOException($"there is no output jack {output}: the device has {a.Outputs}");
        if (input > a.Inputs) throw new IOException($"there is no input jack {input}: the device has {a.Inputs}");
    });

    private int Settle() => _engine.Slot.Use(link =>
        link.TryAudio(out var a) && a.Rate > 0 ? 100 + (int)(2000L * a.Period * a.Periods / a.Rate) : 200);

    private (float Mean, float Noise, float Windows) Read() => _engine.Slot.Use(link =>
    {
        if (link.State == EngineState.DeviceLost || (link.TryAudio(out var a) && a.Away != 0)) throw new IOException("the device was lost");
        var key = _session.Plan?.Instances.FirstOrDefault(i => i.Module == Meter).Key ?? 0;
        for (var s = 0; s < Limits.MaxInstances; s++)
        {
            var record = link.Map.Instances + s;
            if (record->State != InstanceState.Active || record->Key != key || record->Telemetry == 0) continue;
            var t = (float*)link.Map.At(record->Telemetry);
            var windows = Volatile.Read(ref t[WindowsAt]);
            return (t[MeanAt], t[NoiseAt], windows);
        }

        return (0, 0, 0f);
    });
}
