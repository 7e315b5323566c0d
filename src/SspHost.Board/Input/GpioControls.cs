// Encoders and keys on lines of GPIO chips: finds the lines by name, reads all their edges on one thread.
using System.Globalization;
using SspHost.Abi;
using SspHost.Panel.Surface;

namespace SspHost.Board;

/// <summary>Lines of one or several chips, each chip one request with one sequence of events.</summary>
public sealed class GpioControls : IControls
{
    internal static readonly GpioEncoder[] UsualEncoders =
        [.. Enumerable.Range(1, Controls.Encoders).Select(n => new GpioEncoder(Control.E1 + (byte)(n - 1), $"ENC{n}_A", $"ENC{n}_B"))];

    internal static readonly GpioKey[] UsualKeys = [.. Enumerable.Range(1, Controls.Encoders).Select(n => new GpioKey(Control.E1 + (byte)(n - 1), $"ENC{n}_SW"))];

    private readonly List<GpioLines> _lines;
    private readonly byte _source;
    private readonly Poller _poller = new();
    private readonly Thread _thread;
    private IControlSink? _sink;
    private volatile bool _ending;

    private GpioControls(List<GpioLines> lines, string name, byte source)
    {
        (_lines, Name, _source) = (lines, name, source);
        _thread = new Thread(Run) { Name = "ssp-gpio", IsBackground = true };
    }

    public string Name { get; }

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
        foreach (var l in _lines) l.Dispose();
        _poller.Dispose();
    }

    /// <summary>Asks for the lines; null, and why in a line each, where there are none. Lines that are named in the settings are all needed, or none is taken.</summary>
    internal static GpioControls? Find(SystemCalls system, GpioSettings settings, byte source, List<string> why)
    {
        var usual = settings.Encoders.Count == 0 && settings.Keys.Count == 0;
        var encoders = usual ? UsualEncoders : settings.Encoders;
        var keys = usual ? UsualKeys : settings.Keys;
        var chips = Chips(system, settings, why);
        var lines = new List<GpioLines>();
        try
        {
            var names = chips.ConvertAll(c => c.LineNames());
            var roles = chips.ConvertAll(_ => new List<GpioRole>());
            var debounce = chips.ConvertAll(_ => new List<int>());
            var wrong = new List<string>();
            foreach (var e in encoders)
            {
                if (Bad(e) is { } bad)
                {
                    wrong.Add(bad);
                    continue;
                }

                var (chipA, a) = Line(chips, names, e.A);
                var (chipB, b) = Line(chips, names, e.B);
                if (chipA < 0 || chipB < 0) wrong.Add($"no line is named {(chipA < 0 ? e.A : e.B)}");
                else if (usual && (chips[chipA].IsTaken(a) || chips[chipB].IsTaken(b))) wrong.Add($"{e.A} and {e.B} are somebody else's");
                else if (chipA != chipB) wrong.Add($"{e.A} and {e.B} are on different chips: the order of their edges would not be known");
                else
                {
                    var index = roles[chipA].Count(r => r.IsA);
                    roles[chipA].Add(new GpioRole(a, e.Control, index, IsA: true, e.StepsPerDetent));
                    roles[chipA].Add(new GpioRole(b, e.Control, index, IsA: false, e.StepsPerDetent));
                    debounce[chipA].AddRange([settings.EncoderDebounce, settings.EncoderDebounce]);
                }
            }

            foreach (var k in keys)
            {
                var (chip, line) = Line(chips, names, k.Line);
                if (chip < 0) wrong.Add($"no line is named {k.Line}");
                else if (usual && chips[chip].IsTaken(line)) wrong.Add($"{k.Line} is somebody else's"); // gpio-keys', which evdev hears
                else if ((int)k.Control >= Controls.Count) wrong.Add($"line {k.Line}: there is no control {(int)k.Control}");
                else
                {
                    roles[chip].Add(new GpioRole(line, k.Control, -1, IsA: false, 0));
                    debounce[chip].Add(settings.KeyDebounce);
                }
            }

            if (usual && roles.TrueForAll(r => r.Count == 0)) why.Add(chips.Count == 0 ? "gpio: no chip" : "gpio: no line is named ENC1_A and so on");
            else if (!usual) why.AddRange(wrong.Select(w => "gpio: " + w));
            if (!usual && wrong.Count > 0) return null;
            var told = new List<string>();
            for (var c = 0; c < chips.Count; c++)
            {
                if (roles[c].Count > 0 && !Take(system, settings, chips[c], roles[c], debounce[c], source, lines, told, why)) return Nothing(lines);
            }

            return lines.Count == 0 ? null : new GpioControls(lines, "gpio " + string.Join(", ", told), source);
        }
        finally
        {
            foreach (var c in chips) c.Dispose();
        }
    }

    private static string? Bad(GpioEncoder e)
    {
        if (!e.Control.IsEncoder()) return $"{e.A}, {e.B}: {e.Control} is no encoder";
        return e.StepsPerDetent is 1 or 2 or 4 ? null : $"{e.A}, {e.B}: an encoder has 1, 2 or 4 edges a detent, not {e.StepsPerDetent}";
    }

    private static GpioControls? Nothing(List<GpioLines> lines)
    {
        foreach (var l in lines) l.Dispose();
        return null;
    }

    private static bool Take(
        SystemCalls system, GpioSettings settings, GpioChip chip, List<GpioRole> roles, List<int> debounce, byte source, List<GpioLines> lines,
        List<string> told, List<string> why)
    {
        if (roles.Count > 64)
        {
            why.Add($"gpio {chip.Path}: {roles.Count} lines asked for, a request has 64");
            return false;
        }

        var periods = debounce.ToArray();
        var pullUp = settings.PullUp;
        var fd = chip.Request([.. roles.Select(r => r.Line)], settings.ActiveLow, ref pullUp, periods);
        if (fd < 0)
        {
            why.Add($"gpio {chip.Path}: lines {string.Join(", ", roles.Select(r => r.Line))}: {SystemCalls.Text(fd)}");
            return false;
        }

        var own = periods.AsSpan().ContainsAnyExcept(0) ? 0 : (ulong)Math.Max(0, settings.KeyDebounce) * 1000;
        lines.Add(new GpioLines(system, fd, [.. roles], own, source));
        told.Add($"{chip.Path} ({chip.Label}, {roles.Count} lines{(settings.PullUp && !pullUp ? ", no pull-ups" : "")})");
        return true;
    }

    private static List<GpioChip> Chips(SystemCalls system, GpioSettings settings, List<string> why)
    {
        var chips = new List<GpioChip>();
        if (!Directory.Exists(settings.Folder)) return chips;
        foreach (var path in Directory.GetFiles(settings.Folder, "gpiochip*").OrderBy(p => p.Length).ThenBy(p => p, StringComparer.Ordinal))
        {
            var chip = GpioChip.Open(system, path, out var reason);
            if (chip is null) why.Add("gpio " + reason);
            else if (settings.Chip.Length == 0 || settings.Chip == chip.Path || settings.Chip == chip.Name || settings.Chip == chip.Label) chips.Add(chip);
            else chip.Dispose();
        }

        if (chips.Count == 0 && settings.Chip.Length > 0) why.Add($"gpio: no chip is {settings.Chip}");
        return chips;
    }

    private static (int Chip, int Line) Line(List<GpioChip> chips, List<string[]> names, string wanted)
    {
        for (var c = 0; c < chips.Count; c++)
        {
            var at = Array.IndexOf(names[c], wanted);
            if (at >= 0 && wanted.Length > 0) return (c, at);
        }

        // A number means a line of the one chip there is.
        return chips.Count == 1 && int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out var line) && line < chips[0].Lines ? (0, line) : (-1, -1);
    }

    private void Run()
    {
        foreach (var l in _lines) _poller.Add(l.Descriptor, Poller.Input);
        Span<(int Fd, uint Events)> ready = stackalloc (int, uint)[16];
        while (!_ending)
        {
            var count = _poller.Wait(ready, Timeout());
            for (var i = 0; i < count; i++) Read(ready[i].Fd);
            var now = Linux.Now();
            foreach (var l in _lines) l.Settle(now, _sink!);
        }
    }

    private void Read(int fd)
    {
        var at = _lines.FindIndex(l => l.Descriptor == fd);
        if (at < 0 || _lines[at].Read(_sink!)) return;
        _poller.Remove(fd);
        _lines[at].Dispose();
        _lines.RemoveAt(at);
        _sink!.Gone(_source);
    }

    private int Timeout()
    {
        var due = 0UL;
        foreach (var l in _lines)
        {
            if (l.Due != 0 && (due == 0 || l.Due < due)) due = l.Due;
        }

        if (due == 0) return -1;
        var now = Linux.Now();
        return due <= now ? 0 : (int)((due - now + 999_999) / 1_000_000);
    }
}
