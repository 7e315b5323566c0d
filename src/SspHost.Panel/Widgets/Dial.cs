// A parameter on an encoder: an arc, the value, and what moves it.
using SspHost.Abi;
using SspHost.Panel.Drawing;
using SspHost.Panel.Surface;
using SspHost.Patching;

namespace SspHost.Panel.Widgets;

/// <summary>Shows one parameter. The page sets what it shows before each frame; without a parameter nothing is drawn.</summary>
internal sealed class Dial : Widget
{
    private const double First = 0.75 * Math.PI, Sweep = 1.5 * Math.PI; // from lower left over the top to lower right

    /// <summary>The parameter; null: none.</summary>
    public ParameterDescriptor? Parameter { get; set; }

    /// <summary>Which encoder it is on, 0..3.</summary>
    public int Encoder { get; set; }

    /// <summary>What the patch says.</summary>
    public float Value { get; set; }

    /// <summary>What plays at this moment, with everything that moves it; NaN: not known.</summary>
    public float Live { get; set; } = float.NaN;

    /// <summary>What moves it besides a hand: "CC 74", "lfo1.sine"; null: nothing.</summary>
    public string? MovedBy { get; set; }

    /// <summary>Whether it waits for a controller to be moved.</summary>
    public bool Learning { get; set; }

    /// <summary>Colour of the module's family.</summary>
    public Color Accent { get; set; }

    protected override void Look(ref Looks looks)
    {
        looks.Add(Parameter?.Id ?? "");
        looks.Add(Parameter?.Name ?? "");
        looks.Add(Value);
        looks.Add(float.IsFinite(Live) && Parameter is { } p ? (int)(ParameterTravel.Of(p, Live) * 500) : -1); // half a degree
        looks.Add(MovedBy ?? "");
        looks.Add(Learning);
        looks.Add(Accent.Argb);
    }

    public override void Draw(Canvas canvas)
    {
        if (Parameter is not { } p) return;
        var theme = canvas.Theme;
        canvas.FillRound(Bounds, 10, theme.Card);
        if (Learning) canvas.FrameRound(Bounds, 10, theme.Focus, 3);
        Span<char> room = stackalloc char[48];
        var line = new TextLine(room);
        line.Add('E');
        line.Add((long)(Encoder + 1));
        canvas.Text(line.Text, Bounds.X + 12, Bounds.Y + 8, Font.Small, theme.Dim);
        canvas.Text(p.Name, new Rect(Bounds.X + 36, Bounds.Y + 6, Bounds.Width - 48, 24), Font.Strong, Font.Small, theme.Text, Align.Center);

        var radius = Math.Min(Bounds.Width / 2.0 - 24, (Bounds.Height - 84) / 1.75);
        var (x, y) = (Bounds.X + (Bounds.Width / 2.0), Bounds.Y + 40 + radius);
        canvas.Arc(x, y, radius, First, First + Sweep, theme.Line, 8);
        var at = ParameterTravel.Of(p, Value);
        // What goes both ways is drawn from its middle.
        var from = p.Min < 0 && p.Max > 0 ? ParameterTravel.Of(p, 0) : 0;
        if (Math.Abs(at - from) > 0.002) canvas.Arc(x, y, radius, First + (Sweep * Math.Min(from, at)), First + (Sweep * Math.Max(from, at)), Accent, 8);
        var angle = First + (Sweep * at);
        canvas.Disc(x + (radius * Math.Cos(angle)), y + (radius * Math.Sin(angle)), 7, theme.Text);
        if (float.IsFinite(Live))
        {
            var live = First + (Sweep * ParameterTravel.Of(p, Live));
            canvas.Line(x + ((radius - 18) * Math.Cos(live)), y + ((radius - 18) * Math.Sin(live)), x + ((radius - 8) * Math.Cos(live)), y + ((radius - 8) * Math.Sin(live)), theme.Focus, 4);
        }

        line = new TextLine(room);
        line.AddParameter(p, Value);
        canvas.Text(line.Text, new Rect(Bounds.X + 8, (int)y - 16, Bounds.Width - 16, 32), Font.Large, theme.Text, Align.Center);
        var below = Learning ? "move a controller" : MovedBy;
        if (below != null) canvas.Text(below, new Rect(Bounds.X + 8, Bounds.Bottom - 28, Bounds.Width - 16, 22), Font.Small, Learning ? theme.Focus : theme.Dim, Align.Center);
    }
}
