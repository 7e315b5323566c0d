// The picture of the Scope page: traces on a grid, spectra, a figure, or a tuner.
using SspHost.Panel.Analysis;
using SspHost.Panel.Drawing;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;

namespace SspHost.Panel.Pages.Scopes;

internal sealed class ScopePicture(ScopeState state) : Widget
{
    /// <summary>Divisions from left to right, and from below to above.</summary>
    public const int Columns = 10, Rows = 8;

    private const float LowHertz = 20, HighHertz = 20_000;
    private const double TopDb = 20, FloorDb = -80; // of 1 V

    private readonly float[] _ys = new float[1600];
    private readonly float[] _points = new float[4096];

    protected override void Look(ref Looks looks)
    {
        looks.Add(state.Version);
        looks.Add(state.Frozen);
    }

    public override void Draw(Canvas canvas)
    {
        canvas.FillRound(Bounds, 10, canvas.Theme.Card);
        var box = Bounds.Inset(12);
        switch (state.Mode)
        {
            case ScopeMode.Scope:
                DrawScope(canvas, box);
                break;
            case ScopeMode.Spectrum:
                DrawSpectrum(canvas, box);
                break;
            case ScopeMode.Xy:
                DrawFigure(canvas, box);
                break;
            default:
                DrawTuner(canvas, box);
                break;
        }

        if (state.Frozen) canvas.Text("frozen", box with { Height = 24 }, Font.Strong, canvas.Theme.Focus, Align.Right);
    }

    private static void Grid(Canvas canvas, Rect box, int columns, int rows)
    {
        var theme = canvas.Theme;
        var faint = theme.Line.Towards(theme.Card, 0.55);
        for (var i = 0; i <= columns; i++) canvas.Line(box.X + (box.Width * i / (double)columns), box.Y, box.X + (box.Width * i / (double)columns), box.Bottom, i * 2 == columns ? theme.Line : faint, 1);
        for (var i = 0; i <= rows; i++) canvas.Line(box.X, box.Y + (box.Height * i / (double)rows), box.Right, box.Y + (box.Height * i / (double)rows), i * 2 == rows ? theme.Line : faint, 1);
    }

    private void DrawScope(Canvas canvas, Rect all)
    {
        var theme = canvas.Theme;
        var box = all with { Height = all.Height - 28 };
        Grid(canvas, box, Columns, Rows);
        var shown = Columns * state.SecondsPerDivision * state.Rate;
        canvas.Clip(box);
        for (var i = ScopePage.Signals - 1; i >= 0; i--) DrawTrace(canvas, box, i, shown);
        var level = Height(box, state.Level);
        canvas.Polygon([box.X, (float)level - 8, box.X + 12, (float)level, box.X, (float)level + 8], theme.Traces[state.Source], filled: true);
        canvas.Unclip();
        Span<char> room = stackalloc char[64];
        var line = new TextLine(room);
        line.Add("E1  ");
        line.AddValue((float)state.SecondsPerDivision, "s");
        line.Add(" / div");
        var foot = all with { Y = all.Bottom - 22, Height = 22 };
        canvas.Text(line.Text, foot, Font.Body, theme.Dim);
        line = new TextLine(room);
        line.Add("E2  ");
        line.AddValue((float)state.VoltsPerDivision, "V");
        line.Add(" / div");
        canvas.Text(line.Text, foot with { X = foot.X + 220 }, Font.Body, theme.Dim);
        line = new TextLine(room);
        line.Add("E3  trigger ");
        line.Add((long)state.Source + 1);
        line.Add(state.Rising ? " rising at " : " falling at ");
        line.Add(state.Level, 1);
        line.Add(" V");
        canvas.Text(line.Text, foot with { X = foot.X + 440, Width = 360 }, Font.Body, theme.Dim);
        canvas.Text(state.Triggered ? "triggered" : "free", foot, Font.Body, state.Triggered ? theme.Good : theme.Dim, Align.Right);
    }

    private double Height(Rect box, double volts) => box.Y + (box.Height / 2.0) - (Math.Clamp(volts, -1000, 1000) / state.VoltsPerDivision * box.Height / Rows);

    private void DrawTrace(Canvas canvas, Rect box, int signal, double shown)
    {
        var samples = state.Samples(signal);
        if (samples.Length < 2) return;
        // A column of pixels that many samples fall into shows the lowest and the highest of them: no peak is lost between two columns.
        var width = box.Width;
        var each = shown / width;
        if (each >= 1.5)
        {
            var n = 0;
            for (var x = 0; x < width && n + 4 <= _points.Length; x++)
            {
                var from = (int)(state.First + (x * each));
                var to = Math.Min(samples.Length, Math.Max(from + 1, (int)(state.First + ((x + 1) * each)) + 1));
                if (from < 0 || from >= samples.Length) break;
                var (low, high) = (float.MaxValue, float.MinValue);
                for (var i = from; i < to; i++)
                {
                    var v = float.IsFinite(samples[i]) ? samples[i] : 0;
                    (low, high) = (Math.Min(low, v), Math.Max(high, v));
                }

                // Down and up in turn, so that the line runs on.
                var (first, second) = x % 2 == 0 ? (low, high) : (high, low);
                (_points[n], _points[n + 1]) = (box.X + x, (float)Height(box, first));
                (_points[n + 2], _points[n + 3]) = (box.X + x + 0.5f, (float)Height(box, second));
                n += 4;
            }

            canvas.Polygon(_points.AsSpan(0, n), canvas.Theme.Traces[signal]);
            return;
        }

        var count = 0;
        for (var x = 0; x < width && count < _ys.Length; x += 2)
        {
            var at = state.First + (x * each);
            var i = (int)at;
            if (i < 0 || i + 1 >= samples.Length) break;
            var (a, b) = (float.IsFinite(samples[i]) ? samples[i] : 0, float.IsFinite(samples[i + 1]) ? samples[i + 1] : 0);
            _ys[count++] = (float)Height(box, a + ((b - a) * (at - i)));
        }

        canvas.Trace(box.X, 2, _ys.AsSpan(0, count), canvas.Theme.Traces[signal]);
    }

    private void DrawSpectrum(Canvas canvas, Rect all)
    {
        var theme = canvas.Theme;
        var box = all with { Height = all.Height - 28 };
        Span<char> room = stackalloc char[32];
        for (var db = (int)FloorDb; db <= TopDb; db += 20)
        {
            var y = box.Bottom - ((db - FloorDb) / (TopDb - FloorDb) * box.Height);
            canvas.Line(box.X, y, box.Right, y, theme.Line.Towards(theme.Card, 0.55), 1);
            var line = new TextLine(room);
            line.Add((long)db);
            line.Add(" dB");
            if (db < TopDb) canvas.Text(line.Text, box.X + 4, y - 20, Font.Small, theme.Dim);
        }

        foreach (var hertz in (ReadOnlySpan<float>)[20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000])
        {
            var x = box.X + Across(box, hertz);
            canvas.Line(x, box.Y, x, box.Bottom, theme.Line.Towards(theme.Card, 0.55), 1);
            var line = new TextLine(room);
            line.Add((long)(hertz >= 1000 ? hertz / 1000 : hertz));
            line.Add(hertz >= 1000 ? " kHz" : " Hz");
            canvas.Text(line.Text, x, box.Bottom + 6, Font.Small, theme.Dim, hertz == LowHertz ? Align.Left : hertz == HighHertz ? Align.Right : Align.Center);
        }

        canvas.Clip(box);
        for (var i = ScopePage.Signals - 1; i >= 0; i--)
        {
            var levels = state.Spectrum(i);
            if (levels.IsEmpty) continue;
            var n = 0;
            var perBin = state.Rate / SpectrumAnalyzer.Size;
            // Where several bins fall into a column of pixels the loudest of them is drawn.
            var last = -1;
            for (var k = 1; k < levels.Length && n + 2 <= _points.Length; k++)
            {
                var x = (int)Across(box, k * perBin);
                var y = (float)(box.Bottom - ((levels[k] - FloorDb) / (TopDb - FloorDb) * box.Height));
                if (x == last)
                {
                    _points[n - 1] = Math.Min(_points[n - 1], y);
                    continue;
                }

                last = x;
                (_points[n], _points[n + 1]) = (box.X + x, y);
                n += 2;
            }

            canvas.Polygon(_points.AsSpan(0, n), theme.Traces[i]);
        }

        canvas.Unclip();
    }

    private static double Across(Rect box, double hertz) => box.Width * Math.Log(hertz / LowHertz) / Math.Log(HighHertz / LowHertz);

    private void DrawFigure(Canvas canvas, Rect all)
    {
        var box = new Rect(all.X + ((all.Width - all.Height) / 2), all.Y, all.Height, all.Height);
        Grid(canvas, box, Rows, Rows);
        var xs = state.Samples(0);
        var ys = state.Samples(1);
        var n = Math.Min(Math.Min(xs.Length, ys.Length), _points.Length / 2);
        if (n < 2)
        {
            canvas.Text("Signals 1 and 2 are drawn against each other: choose both.", all, Font.Body, canvas.Theme.Dim, Align.Center);
            return;
        }

        xs = xs[^n..];
        ys = ys[^n..];
        for (var i = 0; i < n; i++)
        {
            _points[2 * i] = (float)(box.X + (box.Width / 2.0) + ((float.IsFinite(xs[i]) ? Math.Clamp(xs[i], -1000, 1000) : 0) / state.VoltsPerDivision * box.Width / Rows));
            _points[(2 * i) + 1] = (float)Height(box, float.IsFinite(ys[i]) ? ys[i] : 0);
        }

        canvas.Clip(box);
        canvas.Polygon(_points.AsSpan(0, 2 * n), canvas.Theme.Traces[0], 1.5);
        canvas.Unclip();
        Span<char> room = stackalloc char[32];
        var line = new TextLine(room);
        line.Add("E2  ");
        line.AddValue((float)state.VoltsPerDivision, "V");
        line.Add(" / div");
        canvas.Text(line.Text, all.X + 4, all.Bottom - 24, Font.Body, canvas.Theme.Dim);
    }

    private void DrawTuner(Canvas canvas, Rect box)
    {
        var theme = canvas.Theme;
        var middle = box.X + (box.Width / 2.0);
        var scale = new Rect(box.X + 120, box.Y + 230, box.Width - 240, 20);
        canvas.FillRound(scale, 10, theme.Background);
        Span<char> room = stackalloc char[48];
        for (var cents = -50; cents <= 50; cents += 10)
        {
            var x = middle + (scale.Width * cents / 100.0);
            canvas.Line(x, scale.Y - (cents % 50 == 0 ? 18 : 8), x, scale.Y - 4, cents == 0 ? theme.Text : theme.Line, 2);
            if (cents % 50 != 0) continue;
            var number = new TextLine(room);
            if (cents > 0) number.Add('+');
            number.Add((long)cents);
            canvas.Text(number.Text, x, scale.Bottom + 8, Font.Small, theme.Dim, Align.Center);
        }

        var line = new TextLine(room);
        line.Add("signal ");
        line.Add((long)state.Chosen + 1);
        canvas.Text(line.Text, box.X + 4, box.Y, Font.Strong, theme.Traces[state.Chosen]);
        if (double.IsNaN(state.Pitch))
        {
            canvas.Text("no tone is heard", box with { Y = box.Y + 70, Height = 100 }, Font.Large, theme.Dim, Align.Center);
            return;
        }

        // C4, the note at 0 V, is 261.63 Hz: equal temperament from A4 = 440 Hz.
        var volts = Math.Log2(state.Pitch / 440) + 0.75;
        var off = (volts * 12) - Math.Round(volts * 12);
        var good = Math.Abs(off) < 0.03;
        line = new TextLine(room);
        line.AddValue((float)(Math.Round(volts * 12) / 12), "V/oct");
        canvas.Text(line.Text, box with { Y = box.Y + 40, Height = 60 }, Font.Huge, good ? theme.Good : theme.Text, Align.Center);
        line = new TextLine(room);
        if (off > 0) line.Add('+');
        line.Add(off * 100, 1);
        line.Add(" cents");
        canvas.Text(line.Text, box with { Y = box.Y + 108, Height = 34 }, Font.Large, good ? theme.Good : theme.Warning, Align.Center);
        line = new TextLine(room);
        line.Add(state.Pitch, 2);
        line.Add(" Hz     ");
        line.Add(volts, 3);
        line.Add(" V");
        canvas.Text(line.Text, box with { Y = box.Y + 150, Height = 28 }, Font.Body, theme.Dim, Align.Center);
        canvas.Disc(middle + (scale.Width * off), scale.Y + 10, 15, good ? theme.Good : theme.Warning);
    }
}
