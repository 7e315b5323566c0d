// The four signals beside the picture: what they are, and their figures.
using SspHost.Panel.Drawing;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;

namespace SspHost.Panel.Pages.Scopes;

internal sealed class SignalList(ScopeState state) : Widget
{
    protected override void Look(ref Looks looks)
    {
        looks.Add(state.Chosen);
        looks.Add(state.Measuring);
        for (var i = 0; i < ScopePage.Signals; i++)
        {
            looks.Add(state.Sources[i] is not null);
            if (state.Sources[i] is not { } source) continue;
            looks.Add(source.Module);
            looks.Add(source.Port);
            if (!state.Measuring) continue;
            ref readonly var figures = ref state.Figures(i);
            looks.Add((int)(figures.Peak * 100));
            looks.Add((int)(figures.Rms * 100));
            looks.Add((float)figures.Hertz);
        }
    }

    public override void Draw(Canvas canvas)
    {
        var theme = canvas.Theme;
        Span<char> room = stackalloc char[96];
        var height = (Bounds.Height - 24) / ScopePage.Signals;
        for (var i = 0; i < ScopePage.Signals; i++)
        {
            var field = new Rect(Bounds.X, Bounds.Y + (i * (height + 8)), Bounds.Width, height);
            canvas.FillRound(field, 10, i == state.Chosen ? theme.Selected : theme.Card);
            if (i == state.Chosen) canvas.FrameRound(field, 10, theme.Focus);
            canvas.FillRound(new Rect(field.X + 10, field.Y + 12, 6, field.Height - 24), 3, theme.Traces[i]);
            var line = new TextLine(room);
            line.Add((long)i + 1);
            var top = new Rect(field.X + 28, field.Y + 8, field.Width - 40, 26);
            canvas.Text(line.Text, top, Font.Strong, theme.Dim);
            if (state.Sources[i] is not { } source)
            {
                canvas.Text("no signal: K2", top with { X = top.X + 24, Width = top.Width - 24 }, Font.Body, theme.Dim);
                continue;
            }

            line = new TextLine(room);
            line.Add(source.Module);
            line.Add(".");
            line.Add(source.Port);
            canvas.Text(line.Text, top with { X = top.X + 24, Width = top.Width - 24 }, Font.Strong, theme.Text);
            if (!state.Measuring) continue;
            ref readonly var figures = ref state.Figures(i);
            line = new TextLine(room);
            line.Add("peak ");
            line.Add(figures.Peak, 2);
            line.Add(" V    RMS ");
            line.Add(figures.Rms, 2);
            line.Add(" V");
            canvas.Text(line.Text, top with { Y = top.Y + 26 }, Font.Small, theme.Text);
            line = new TextLine(room);
            if (double.IsFinite(figures.Hertz) && figures.Hertz > 0)
            {
                line.AddValue((float)figures.Hertz, "Hz");
                line.Add("    ");
                line.AddValue((float)(1 / figures.Hertz), "s");
            }
            else
            {
                line.Add("no frequency");
            }

            canvas.Text(line.Text, top with { Y = top.Y + 48 }, Font.Small, theme.Text);
        }
    }
}
