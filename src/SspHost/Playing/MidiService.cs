// MIDI on the control side: says to the engine what to listen to and what moves what, and acts on what it heard.
using System.ComponentModel;
using System.Globalization;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Panel;
using SspHost.Patching;

namespace SspHost.Playing;

/// <summary>What is configured of MIDI.</summary>
/// <param name="Devices">See <see cref="MidiDevices"/>.</param>
/// <param name="Programs">What program changes do.</param>
/// <param name="Channel">MIDI channel 1..16 of program changes; 0: any.</param>
/// <param name="Patches">The patch files that programs open, in their order; asked each time.</param>
internal sealed record MidiOptions(string Devices, ProgramUse Programs, int Channel, Func<IReadOnlyList<string>> Patches);

/// <summary>A thread of its own that looks a hundred times a second; notes and controllers do not come this way, they are played by the engine itself.</summary>
internal sealed class MidiService : IDisposable
{
    private const int TickMs = 10, MostHeard = 1024, PastTables = 8;
    private const ulong Second = 1_000_000_000;

    private readonly PatchHost _host;
    private readonly MidiOptions _options;
    private readonly MidiDevices _devices;
    private readonly Action<string> _say;
    private readonly ManualResetEventSlim _ending = new();
    private readonly Thread _thread;
    private readonly MidiLearn _learn = new();
    private readonly MidiPrograms _programs;
    private readonly MidiMoves _moves = new();
    private readonly Heard[] _heard = new Heard[MostHeard];
    private readonly (MidiPortState State, int Error, ulong Hash, string Name)[] _ports = new (MidiPortState, int, ulong, string)[MidiLimits.Ports];
    private readonly List<MidiControllers> _tables = [];
    private readonly Func<EngineLink, int> _take;
    private readonly Func<EngineLink, bool> _look;
    private readonly ulong _startedAt = Linux.Now();
    private int _generation = -1;
    private ulong _nextDevices, _nextPorts;
    private MidiConfig? _config;
    private (Patch? Patch, CompiledPlan? Plan) _tabled;
    private uint _tableNumber = (uint)Linux.Now(); // no table of an earlier process has the same
    private string _trouble = "";
    private ProgramChoice? _choice;

    private MidiService(PatchHost host, MidiOptions options, Action<string> say)
    {
        (_host, _options, _say) = (host, options, say);
        _devices = new MidiDevices(options.Devices);
        _programs = new MidiPrograms(options.Programs, options.Channel);
        _take = TakeHeard;
        _look = LookAtPorts;
        _thread = new Thread(Run) { Name = "midi", IsBackground = true };
    }

    /// <summary>The controller that was moved last. [any thread]</summary>
    public ControllerMove LastController => _learn.Last;

    /// <summary>Starts it; the host must have been started.</summary>
    public static MidiService Start(PatchHost host, MidiOptions options, Action<string> say)
    {
        var service = new MidiService(host, options, say);
        service._thread.Start();
        return service;
    }

    public void Dispose()
    {
        _ending.Set();
        _thread.Join();
        Apply(ulong.MaxValue); // what still moves is kept as it is
        _ending.Dispose();
    }

    private void Run()
    {
        while (!_ending.Wait(TickMs))
        {
            try
            {
                Tick(Linux.Now());
            }
            catch (Exception e) when (e is EngineRefusedException or EngineGoneException or EngineTimeoutException)
            {
                Say("MIDI: " + e.Message); // the supervisor brings another engine
            }
        }
    }

    private void Tick(ulong now)
    {
        if (_generation != _host.Slot.Generation)
        {
            _generation = _host.Slot.Generation;
            (_config, _tabled, _nextDevices) = (null, (null, null), 0);
            Array.Clear(_ports);
        }

        if (now >= _nextDevices)
        {
            _nextDevices = now + Second; // also after a refusal
            if (Configure() && !_devices.Varies) _nextDevices = ulong.MaxValue;
        }

        Table();
        var count = _host.Slot.Try(_take, otherwise: 0);
        for (var i = 0; i < count; i++) Hear(in _heard[i]);
        if (_choice is { } choice) Choose(choice); // of many at once the last one is meant
        _choice = null;
        _learn.Tend(now);
        Apply(now);
        if (now < _nextPorts) return;
        _nextPorts = now + (Second / 4);
        _ = _host.Slot.Try(_look, otherwise: false);
    }

    private bool Configure()
    {
        var config = _devices.Now(MidiDevices.Raw);
        if (_config is { } before && Same(in before, in config)) return true;
        if (!_host.Slot.Try(link => { link.SetMidi(in config); return true; }, otherwise: false)) return false;
        _config = config;
        return true;
    }

    private static unsafe bool Same(in MidiConfig a, in MidiConfig b)
    {
        fixed (MidiConfig* x = &a, y = &b) return new ReadOnlySpan<byte>(x, sizeof(MidiConfig)).SequenceEqual(new ReadOnlySpan<byte>(y, sizeof(MidiConfig)));
    }

    // A new table wherever the patch has other controllers, or its modules other places.
    private void Table()
    {
        var (patch, plan) = (_host.Session.Current, _host.Session.Plan);
        if (ReferenceEquals(plan, _tabled.Plan) && patch.Controllers == _tabled.Patch?.Controllers) return;
        var table = MidiControllers.Of(patch, plan, _host.Modules, ++_tableNumber);
        if (!_host.Slot.Try(link => { link.SetControllers(table.Rows, table.Generation); return true; }, otherwise: false)) return;
        if (patch.Id != _tabled.Patch?.Id)
        {
            _tables.Clear(); // modules of another patch may have the same names
            _moves.Clear();
        }

        _tabled = (patch, plan);
        _tables.Insert(0, table);
        if (_tables.Count > PastTables) _tables.RemoveAt(PastTables);
    }

    private int TakeHeard(EngineLink link)
    {
        var count = 0;
        while (count < MostHeard && link.TryTakeHeard(out _heard[count])) count++;
        return count;
    }

    private void Hear(in Heard h)
    {
        if (h.Time < _startedAt) return; // of the time before this process: nobody waits for it any more
        switch (h.Kind)
        {
            case HeardKind.Controller:
                _learn.Hear(in h, PortName(h.PortIndex));
                _ = _programs.Hear(in h);
                break;
            case HeardKind.Program:
                _choice = _programs.Hear(in h) ?? _choice;
                break;
            case HeardKind.Moved or HeardKind.Wanted:
                foreach (var table in _tables)
                {
                    if (table.Generation != h.Generation || h.Row >= table.Targets.Length) continue;
                    var (module, parameter) = table.Targets[h.Row];
                    _moves.Add(module, parameter, h.Value, h.Kind == HeardKind.Moved, h.Time);
                }

                break;
        }
    }

    private string PortName(int port)
    {
        if ((uint)port >= MidiLimits.Ports) return "";
        if (_ports[port].Name is not { Length: > 0 }) _ = _host.Slot.Try(_look, otherwise: false);
        return _ports[port].Name ?? "";
    }

    private void Apply(ulong now)
    {
        if (!_moves.Take(now)) return;
        // One that is refused has lost its module meanwhile: there is nothing to keep.
        if (_moves.Played.Count > 0) _ = _host.Session.Adopt([.. _moves.Played]);
        if (_moves.Unplayed.Count > 0) _ = _host.Session.Apply([.. _moves.Unplayed]);
    }

    private void Choose(ProgramChoice choice)
    {
        Apply(ulong.MaxValue); // what the hand set before belongs before it
        if (choice.Use == ProgramUse.Scenes) Recall(choice.Number);
        else Open(choice.Number);
    }

    private void Recall(int number)
    {
        if (number >= PatchLimits.Scenes) return;
        var patch = _host.Session.Current;
        var scene = number < patch.Scenes.Length ? patch.Scenes[number] : null;
        var name = string.Create(CultureInfo.InvariantCulture, $"scene {number + 1}");
        if (scene is null) _say($"MIDI: {name} is empty");
        else if (_host.Session.Apply([.. SceneEdits.Recall(patch, scene, _host.Modules)]) is { } error) _say($"MIDI: {name}: {error}");
        else _say($"MIDI: {name}{(scene.Name.Length > 0 ? $" ({scene.Name})" : "")}");
    }

    private void Open(int number)
    {
        var files = _options.Patches();
        if (number >= files.Count) _say(string.Create(CultureInfo.InvariantCulture, $"MIDI: there is no patch {number + 1}, only {files.Count}"));
        else if (_host.Open(files[number]) is { } error) _say("MIDI: " + error);
        else _say(string.Create(CultureInfo.InvariantCulture, $"MIDI: patch {number + 1} ({Path.GetFileName(files[number])})"));
    }

    // What is new of the ports, a line each.
    private unsafe bool LookAtPorts(EngineLink link)
    {
        for (var p = 0; p < MidiLimits.Ports; p++)
        {
            var port = link.Map.MidiPorts + p;
            var (state, error, hash, name) = _ports[p];
            if (port->State == state && (state == MidiPortState.None || (port->Error == error && port->Hash == hash))) continue;
            var copy = *port;
            _ports[p] = (copy.State, copy.Error, copy.Hash, MidiPorts.NameOf(in copy));
            Tell(copy, name ?? "", state);
        }

        return true;
    }

    private void Tell(in MidiPort port, string before, MidiPortState was)
    {
        var name = MidiPorts.NameOf(in port);
        switch (port.State)
        {
            case MidiPortState.None when was == MidiPortState.Open:
                _say($"MIDI: {before} has gone");
                break;
            case MidiPortState.Open:
                _say($"MIDI: {name}");
                break;
            case MidiPortState.Absent when was == MidiPortState.Open:
                _say($"MIDI: {name} has gone; it is listened to as soon as it is back");
                break;
            case MidiPortState.Absent when port.Error != 0:
                _say($"MIDI: {name} is not there ({Words(port.Error)}); it is listened to as soon as it is");
                break;
            case MidiPortState.Failed:
                _say($"MIDI: {name} cannot be listened to: {Words(port.Error)}; tried again twice a second");
                break;
        }
    }

    private static string Words(int error) => error switch
    {
        22 => "it is a file or a folder, expected a MIDI device, a FIFO or a terminal",
        79 => "libasound.so.2 is not installed (apt install libasound2)",
        _ => new Win32Exception(error).Message,
    };

    private void Say(string line)
    {
        if (line == _trouble) return;
        _trouble = line;
        _say(line);
    }
}
