// Keys and encoders that the kernel decodes: all input devices that are the panel's, as they come and go, on one thread.
using System.Globalization;
using SspHost.Panel.Surface;

namespace SspHost.Board;

/// <summary>The event nodes of a folder. A device that is unplugged lets go of what it held.</summary>
public sealed class EvdevControls : IControls
{
    private readonly SystemCalls _system;
    private readonly EvdevSettings _settings;
    private readonly bool _keyboards;
    private readonly byte _firstSource, _sources;
    private readonly Poller _poller = new();
    private readonly FolderWatch _watch;
    private readonly List<EvdevDevice> _devices = [];
    private readonly bool[] _seats = new bool[Controls.Encoders];
    private readonly Thread _thread;
    private IControlSink? _sink;
    private volatile bool _ending;
    private volatile string _names = "";

    internal EvdevControls(SystemCalls system, EvdevSettings settings, bool keyboards, byte firstSource, byte sources)
    {
        (_system, _settings, _keyboards, _firstSource, _sources) = (system, settings, keyboards, firstSource, sources);
        _watch = new FolderWatch(settings.Folder);
        if (_watch.Descriptor >= 0) _poller.Add(_watch.Descriptor, Poller.Input);
        Scan();
        _thread = new Thread(Run) { Name = "ssp-keys", IsBackground = true };
    }

    /// <summary>The devices that are there now.</summary>
    public string Name => _names.Length == 0 ? $"evdev {_settings.Folder} (waiting for a device)" : "evdev " + _names;

    /// <summary>Why nodes of the folder are not used, a line each; the first time it was tried.</summary>
    internal List<string> Refused { get; } = [];

    internal bool Any => _names.Length > 0;

    public void Start(IControlSink sink)
    {
        _sink = sink;
        _thread.Start();
    }

    public void Dispose()
    {
        _ending = true;
        _poller.Wake();
        if (_thread.IsAlive) _thread.Join();
        foreach (var d in _devices) d.Dispose();
        _devices.Clear();
        _watch.Dispose();
        _poller.Dispose();
    }

    private static int Number(string path) =>
        int.TryParse(Path.GetFileName(path).AsSpan("event".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : int.MaxValue;

    private void Run()
    {
        Span<(int Fd, uint Events)> ready = stackalloc (int, uint)[16];
        var names = new List<string>();
        while (!_ending)
        {
            var count = _poller.Wait(ready, -1);
            for (var i = 0; i < count; i++)
            {
                if (ready[i].Fd == _watch.Descriptor) Come(names);
                else Read(ready[i].Fd);
            }
        }
    }

    private void Read(int fd)
    {
        var at = _devices.FindIndex(d => d.Descriptor == fd);
        if (at < 0 || _devices[at].Read(_sink!)) return;
        var device = _devices[at];
        _devices.RemoveAt(at);
        _poller.Remove(fd);
        device.Leave(_seats);
        device.Dispose();
        Tell();
        _sink!.Gone(device.Source);
    }

    private void Come(List<string> names)
    {
        names.Clear();
        if (_watch.Read(names)) Scan();
        foreach (var name in names)
        {
            if (!name.StartsWith("event", StringComparison.Ordinal)) continue;
            var path = Path.Combine(_settings.Folder, name);
            if (Opened(path) is { } device) Take(device);
        }

        Tell();
    }

    private void Scan()
    {
        if (Directory.Exists(_settings.Folder))
        {
            var found = Directory.GetFiles(_settings.Folder, "event*").OrderBy(Number).Select(Opened).OfType<EvdevDevice>();
            // By name: the nodes' numbers are in the order in which drivers happened to start.
            foreach (var device in found.OrderBy(d => d.Name, StringComparer.Ordinal).ThenBy(d => Number(d.Path))) Take(device);
        }
        else if (_sink is null)
        {
            Refused.Add($"{_settings.Folder}: no such folder");
        }

        Tell();
    }

    private EvdevDevice? Opened(string path)
    {
        if (_devices.Exists(d => d.Path == path)) return null;
        var device = EvdevDevice.Open(_system, _settings, path, _keyboards, out var why);
        if (why.Length > 0 && _sink is null) Refused.Add(why);
        return device;
    }

    private void Take(EvdevDevice device)
    {
        var free = -1;
        for (var s = 0; s < _sources && free < 0; s++)
        {
            if (!_devices.Exists(d => d.Source == _firstSource + s)) free = s;
        }

        if (free < 0 || _poller.Add(device.Descriptor, Poller.Input) < 0)
        {
            device.Dispose();
            return;
        }

        device.Source = (byte)(_firstSource + free);
        device.Seat(_seats);
        _devices.Add(device);
    }

    private void Tell() => _names = string.Join(", ", _devices.Select(d =>
        $"{d.Path} ({d.Name}{(_settings.Grab && !d.Grabbed ? ", somebody else has grabbed it" : "")})"));
}
