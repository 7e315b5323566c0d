// A picture of what a module does: what it shows of itself, or else the sound of its first output.
using SspHost.Abi;
using SspHost.Panel.Drawing;
using SspHost.Panel.Surface;
using SspHost.Patching;

namespace SspHost.Panel.Widgets;

/// <summary>
/// Scopes, spectra, steps, meters and figures by the kinds of a module's telemetry; an envelope by its times; else the waveform of its first output
/// from a tap of the engine, held still by a rising edge.
/// </summary>
internal sealed class ModulePicture(FrontPanel panel) : Widget
{
    private const ulong EachNs = 33_000_000; // thirty pictures a second are as many as are seen
    private const int Tap = ILive.Taps - 1;
    private const float Volts = 6; // of the waveform's height, up and down

    private readonly float[] _points = new float[2048];
    private readonly float[] _values = new float[ILive.TapSamples];
    private int _count;
    private Module? _module;
    private ModuleDescriptor? _type;
    private int _entry = -1;
    private bool _envelope;
    private ulong _next;
    private int _picture;

    /// <summary>Takes what is new; once a frame.</summary>
    public void Update(Module? module, ModuleDescriptor? type, ulong now)
    {
        if (module?.Id != _module?.Id || type != _type) Choose(module, type);
        var moved = !ReferenceEquals(module, _module);
        _module = module;
        if (module is null || type is null || (!moved && now < _next)) return;
        _next = now + EachNs;
        _picture++;
        _count = 0;
        if (_envelope) return;
        var source = _entry >= 0 ? panel.Host.Live.Telemetry(module.Id, _entry) : panel.Host.Live.Samples(Tap);
        source = source[..Math.Min(source.Length, _values.Length)];
        source.CopyTo(_values);
        _count = source.Length;
    }

    protected override void Look(ref Looks looks)
    {
        looks.Add(_module?.Id ?? "");
        looks.Add(_entry);
        if (_envelope) looks.Add(_picture);
        looks.Add(_values.AsSpan(0, _count));
    }

    public override void Draw(Canvas canvas)
    {
        var theme = canvas.Theme;
        canvas.FillRound(Bounds, 10, theme.Card);
        if (_module is null || _type is null) return;
        var box = Bounds.Inset(16);
        var accent = theme.Of(_type.Family);
        if (_envelope) DrawEnvelope(canvas, box, accent);
        else if (_entry < 0) DrawWave(canvas, box, _values.AsSpan(0, _count), accent);
        else DrawTelemetry(canvas, box, _type.Telemetry[_entry], accent);
    }

    private void Choose(Module? module, ModuleDescriptor? type)
    {
        _type = type;
        (_entry, _count, _envelope) = (-1, 0, false);
        if (module is null || type is null)
        {
            panel.Host.Live.Watch(Tap, null);
            return;
        }

        _envelope = Time(type, "attack") >= 0 && Time(type, "decay") >= 0 && Time(type, "sustain") >= 0 && Time(type, "release") >= 0;
        // The richest picture it has of itself.
        var best = -1;
        for (var i = 0; i < type.Telemetry.Count; i++)
        {
            var rank = type.Telemetry[i].Kind switch { TelemetryKind.Spectrum => 5, TelemetryKind.Scope => 4, TelemetryKind.Step => 3, TelemetryKind.Value => 2, TelemetryKind.Meter => 1, _ => -1 };
            if (rank > best) (best, _entry) = (rank, i);
        }

        // A meter says less than the waveform does.
        if (best <= 1 && type.Outputs.Any(o => o.Kind == PortKind.Cable)) _entry = -1;
        var output = type.Outputs.FirstOrDefault(o => o.Kind == PortKind.Cable);
        panel.Host.Live.Watch(Tap, _entry < 0 && !_envelope && output is not null ? new PortRef(module.Id, output.Id) : null);
    }

    private static int Time(ModuleDescriptor type, string id)
    {
        for (var i = 0; i < type.Parameters.Count; i++)
        {
            if (type.Parameters[i].Id == id) return i;
        }

        return -1;
    }

    private void DrawTelemetry(Canvas canvas, Rect box, TelemetryDescriptor entry, Color accent)
    {
        var values = _values.AsSpan(0, _count);
        switch (entry.Kind)
        {
            case TelemetryKind.Scope when _count > 2:
                // The ring from its oldest value on.
                var at = (int)Math.Clamp(float.IsFinite(values[0]) ? values[0] : 0, 0, _count - 2);
                values[1..].CopyTo(_points);
                var n = Math.Min(_count - 1, _points.Length);
                for (var i = 0; i < n; i++) values[i] = _points[(i + at) % n];
                DrawWave(canvas, box, values[..n], accent);
                break;
            case TelemetryKind.Spectrum:
                DrawSpectrum(canvas, box, values, accent);
                break;
            default:
                DrawFigures(canvas, box, entry, values, accent);
                break;
        }
    }

    private void DrawWave(Canvas canvas, Rect box, ReadOnlySpan<float> values, Color accent)
    {
        var theme = canvas.Theme;
        var middle = box.Y + (box.Height / 2.0);
        canvas.Line(box.X, middle, box.Right, middle, theme.Line, 1);
        foreach (var v in (ReadOnlySpan<float>)[-5, 5]) canvas.Line(box.X, middle - (v / Volts * box.Height / 2), box.Right, middle - (v / Volts * box.Height / 2), theme.Selected, 1);
        canvas.Text("5 V", box.X, middle - (5 / Volts * box.Height / 2) + 2, Font.Small, theme.Dim);
        if (values.Length < 16)
        {
            canvas.Text("no sound yet", box with { Height = (box.Height / 2) - 8 }, Font.Body, theme.Dim, Align.Center); // on the line it could not be read
            return;
        }

        // From a rising edge on, so that the picture stands still.
        var shown = Math.Min(values.Length / 2, 1024);
        var first = values.Length - shown;
        for (var i = values.Length - shown; i > 1; i--)
        {
            if (values[i - 1] < 0 && values[i] >= 0)
            {
                first = i;
                break;
            }
        }

        shown = Math.Min(shown, values.Length - first);
        var n = Math.Min(box.Width / 2, _points.Length);
        var ys = _points.AsSpan(0, n);
        for (var i = 0; i < n; i++)
        {
            var v = values[first + (int)((long)i * (shown - 1) / (n - 1))];
            ys[i] = (float)(middle - (Math.Clamp(float.IsFinite(v) ? v : 0, -Volts, Volts) / Volts * box.Height / 2));
        }

        canvas.Trace(box.X, (double)box.Width / (n - 1), ys, accent);
    }

    private void DrawSpectrum(Canvas canvas, Rect box, ReadOnlySpan<float> levels, Color accent)
    {
        var theme = canvas.Theme;
        foreach (var (hertz, name) in (ReadOnlySpan<(double, string)>)[(100, "100 Hz"), (1000, "1 kHz"), (10_000, "10 kHz")])
        {
            var x = box.X + (box.Width * Math.Log10(hertz / 20) / 3);
            canvas.Line(x, box.Y, x, box.Bottom - 20, theme.Selected, 1);
            canvas.Text(name, x, box.Bottom - 18, Font.Small, theme.Dim, Align.Center);
        }

        var n = Math.Min(levels.Length, _points.Length);
        if (n < 2) return;
        var ys = _points.AsSpan(0, n);
        for (var i = 0; i < n; i++) ys[i] = box.Y + (float)((box.Height - 22) * Math.Clamp(-levels[i] / 90, 0, 1));
        canvas.Trace(box.X, (double)box.Width / (n - 1), ys, accent);
    }

    private static void DrawFigures(Canvas canvas, Rect box, TelemetryDescriptor entry, ReadOnlySpan<float> values, Color accent)
    {
        var theme = canvas.Theme;
        canvas.Text(entry.Text, box.X, box.Y, Font.Small, theme.Dim, most: box.Width);
        if (values.Length == 0) return;
        Span<char> room = stackalloc char[32];
        var line = new TextLine(room);
        if (entry.Kind == TelemetryKind.Step)
        {
            var step = (int)Math.Clamp(float.IsFinite(values[0]) ? values[0] : 0, 0, 63);
            line.Add((long)step + 1);
            canvas.Text(line.Text, box, Font.Huge, accent, Align.Center);
            var steps = step < 8 ? 8 : step < 16 ? 16 : step < 32 ? 32 : 64;
            var width = (double)box.Width / steps;
            for (var i = 0; i < steps; i++)
                canvas.FillRound(new Rect((int)(box.X + (i * width)) + 1, box.Bottom - 36, Math.Max(3, (int)width - 3), 32), 4, i == step ? accent : theme.Line);
            return;
        }

        line.AddValue(values[0], entry.Unit);
        canvas.Text(line.Text, box, Font.Huge, accent, Align.Center);
    }

    // The envelope that four knobs describe, each part by the square root of its time: milliseconds and seconds both can be seen.
    private void DrawEnvelope(Canvas canvas, Rect box, Color accent)
    {
        var (m, d) = (_module!, _type!);
        var attack = Width(m, d, "attack");
        var decay = Width(m, d, "decay");
        var release = Width(m, d, "release");
        var p = d.Parameters[Time(d, "sustain")];
        var sustain = ParameterTravel.Of(p, Pages.ModulePage.ValueOf(m, p));
        const double Held = 0.6;
        var scale = box.Width / Math.Max(1e-6, attack + decay + Held + release);
        var (x, top, bottom) = ((double)box.X, box.Y + 8.0, box.Bottom - 8.0);
        var level = bottom - ((bottom - top) * sustain);
        ReadOnlySpan<float> points =
        [
            (float)x, (float)bottom, (float)(x += attack * scale), (float)top, (float)(x += decay * scale), (float)level,
            (float)(x += Held * scale), (float)level, (float)(x + (release * scale)), (float)bottom,
        ];
        canvas.Polygon(points, accent.At(0.18), filled: true);
        canvas.Polygon(points, accent, 3);
    }

    private static double Width(Module m, ModuleDescriptor d, string id)
    {
        var p = d.Parameters[Time(d, id)];
        return 0.05 + Math.Sqrt(Math.Max(0, Pages.ModulePage.ValueOf(m, p)));
    }
}
