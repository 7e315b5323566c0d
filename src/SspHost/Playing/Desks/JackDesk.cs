// The jacks of the sound card: names and lines in calibration.json, and the engine's workbench for measuring them.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Devices;
using SspHost.Diagnostics;
using SspHost.Panel;
using SspHost.Patching;

namespace SspHost.Playing.Desks;

/// <summary>
/// Belongs to the panel's thread, but for <see cref="Calibrated"/>. A change is heard with the next quantum and on disk a quarter of a second after
/// the last one: a knob that is turned writes once. Reading allocates nothing while nothing changes.
/// </summary>
internal sealed class JackDesk : IJackDesk, IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(250);

    private readonly IEngineSource _engine;
    private readonly EngineSink _sink;
    private readonly Func<StatusReport> _status;
    private readonly Action<string> _say;
    private readonly Func<EngineLink, double> _hear;
    private readonly Func<EngineLink, bool> _hold;
    private readonly Lock _lock = new(); // of the file, which a timer writes
    private readonly ITimer _timer;
    private readonly JackSetup[] _inputs = new JackSetup[Limits.MaxJacks], _outputs = new JackSetup[Limits.MaxJacks];
    private CalibrationFile _file;
    private DateTime _written; // of the file as it was read or written last
    private bool _unsaved;
    private AudioSetup? _setup; // what the table was made of
    private string _inputDevice = "", _outputDevice = "";
    private int _version;
    private int _jack; // what _hear and _hold are about: they are made once
    private double? _sample;

    /// <param name="engine">The engine.</param>
    /// <param name="sink">Whose setup the lines are part of.</param>
    /// <param name="status">The last report.</param>
    /// <param name="path">The calibration file.</param>
    /// <param name="say">Where a line for the player goes.</param>
    /// <param name="clock">Whose timer writes.</param>
    public JackDesk(IEngineSource engine, EngineSink sink, Func<StatusReport> status, string path, Action<string> say, TimeProvider clock)
    {
        (_engine, _sink, _status, _say, _hear, _hold) = (engine, sink, status, say, Hear, Hold);
        _file = CalibrationFile.Load(path);
        _written = File.GetLastWriteTimeUtc(path);
        _timer = clock.CreateTimer(_ => Write(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public int Version
    {
        get
        {
            Refresh();
            return _version;
        }
    }

    public int Inputs => Math.Clamp(_status().Audio?.Inputs ?? _sink.Setup.Inputs, 0, Limits.MaxJacks);

    public int Outputs => Math.Clamp(_status().Audio?.Outputs ?? _sink.Setup.Outputs, 0, Limits.MaxJacks);

    public JackSetup Setup(bool output, int number)
    {
        Refresh();
        return (output ? _outputs : _inputs)[number];
    }

    public string? Set(bool output, int number, JackSetup setup)
    {
        var jack = JackOf(output, number);
        var before = Setup(output, number);
        var moved = setup.Calibrated != before.Calibrated || (setup.Calibrated && (setup.FullScale != before.FullScale || setup.Zero != before.Zero));
        if (moved && _sink.Setup.Card != CardKind.Alsa) return "there is nothing to calibrate without a sound card";
        if (!CalibrationFile.IsName(setup.Name)) return $"a name is one line of at most {PatchLimits.NameLength} characters";
        var line = setup.Calibrated ? new JackLine((float)setup.FullScale, (float)setup.Zero) : (JackLine?)null;
        if (line is { } l && !l.IsPossible) return FormattableString.Invariant($"expected {AudioConfig.MinFullScale:0.#} to {AudioConfig.MaxFullScale:0} V at full scale");
        lock (_lock)
        {
            if (Again() is { } trouble) return trouble;
            _file.Call(DeviceOf(output), jack, setup.Name);
            if (moved && line is { } to) _file.Set(DeviceOf(output), jack, to);
            else if (moved) _ = _file.Forget(DeviceOf(output), jack);
            _unsaved = true;
        }

        if (moved) _sink.SetLine(jack, line);
        _setup = null;
        _timer.Change(Soon, Timeout.InfiniteTimeSpan);
        return null;
    }

    public string? Hold(int output, double? sample)
    {
        (_jack, _sample) = (output, sample);
        return _engine.Try(_hold, otherwise: false) || sample is null ? null : "audio is stopped: nothing can be held";
    }

    public double Raw(int input)
    {
        _jack = input;
        return _engine.Try(_hear, double.NaN);
    }

    /// <summary>A setup with the lines of its own devices. Any thread.</summary>
    public AudioSetup Calibrated(AudioSetup setup)
    {
        lock (_lock) return setup.Calibrated(_file);
    }

    public void Dispose()
    {
        _timer.Dispose();
        Write();
    }

    private static unsafe bool Plays(EngineLink link) => link.State == EngineState.Playing && link.Session != 0;

    private unsafe bool Hold(EngineLink link)
    {
        if (_sample is { } sample && Plays(link)) link.Map.Jacks->Hold(_jack, (float)sample, Linux.Now());
        else link.Map.Jacks->Release(_jack);
        return Plays(link);
    }

    private unsafe double Hear(EngineLink link) => Plays(link) ? link.Map.Jacks->Hear(_jack, Linux.Now()) : double.NaN;

    private static Jack JackOf(bool output, int number) => new(output ? JackSide.Out : JackSide.In, number + 1);

    private string DeviceOf(bool output) => output ? _outputDevice : _inputDevice;

    // The setup is another one after a change of a line, of the device, of the rate.
    private void Refresh()
    {
        var setup = _sink.Setup;
        if (ReferenceEquals(_setup, setup)) return;
        _setup = setup;
        _outputDevice = setup.Card switch
        {
            CardKind.Alsa => SoundCards.StableName(setup.AlsaName),
            CardKind.Simulated => "sim",
            _ => "wav",
        };
        _inputDevice = setup is { Card: CardKind.Alsa, CaptureName.Length: > 0 } ? SoundCards.StableName(setup.CaptureName) : _outputDevice;
        lock (_lock)
        {
            for (var j = 0; j < Limits.MaxJacks; j++)
            {
                _inputs[j] = Of(setup, JackOf(output: false, j), _inputDevice);
                _outputs[j] = Of(setup, JackOf(output: true, j), _outputDevice);
            }
        }

        _version++;
    }

    // What plays is the setup's line, not the file's: an engine that was found playing may have others.
    private JackSetup Of(AudioSetup setup, Jack jack, string device)
    {
        var line = setup.LineOf(jack);
        return new JackSetup(_file.NameOf(device, jack), line.FullScale, line.Zero, setup.Calibration.ContainsKey(jack));
    }

    // Somebody else may have written the file since: `ssp calibrate` with given readings.
    private string? Again()
    {
        if (!_unsaved && File.GetLastWriteTimeUtc(_file.FilePath) is var written && written != _written) (_file, _written) = (CalibrationFile.Load(_file.FilePath), written);
        return _file.Trouble is { } trouble ? trouble + "; mend it or move it away first, so that nothing measured is lost" : null;
    }

    private void Write()
    {
        lock (_lock)
        {
            if (!_unsaved) return;
            try
            {
                _file.Save();
                _written = File.GetLastWriteTimeUtc(_file.FilePath);
                _unsaved = false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                _say($"{_file.FilePath}: the jacks are not kept, they are tried again with the next change: {PatchError.OneLine(e.Message)}");
            }
        }
    }
}
