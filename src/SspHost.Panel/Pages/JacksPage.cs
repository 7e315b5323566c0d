// The jacks: what comes in, what goes out, and how many volts a number is.
using SspHost.Abi;
using SspHost.Panel.Drawing;
using SspHost.Panel.Input;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;
using SspHost.Patching;

namespace SspHost.Panel.Pages;

internal sealed class JacksPage : Page
{
    private const int Row = 43, Head = 32, Column = 398, PerColumn = 8, Inputs = 16, All = 24;
    private const double Nominal = 10; // V at full scale of a jack that nobody has calibrated

    private readonly JackRow[] _rows = new JackRow[All];
    private readonly Meter[] _meters = new Meter[All];
    private readonly JackHistory _history;
    private int _chosen;

    public JacksPage(FrontPanel panel)
        : base(panel)
    {
        _history = new JackHistory(() => Desk, () => Host.Now);
        for (var column = 0; column < 3; column++)
            View.Add(new Heading(column switch { 0 => "Inputs 1 to 8", 1 => "Inputs 9 to 16", _ => "Outputs" }) { Bounds = new Rect(12 + (column * (Column + 6)), Body.Y + 4, Column, Head - 4) });
        for (var i = 0; i < All; i++)
        {
            var box = new Rect(12 + (i / PerColumn * (Column + 6)), Body.Y + Head + 4 + (i % PerColumn * Row), Column, Row - 4);
            _rows[i] = View.Add(new JackRow(this, i) { Bounds = box });
            _meters[i] = View.Add(new Meter { Horizontal = true, Bounds = new Rect(box.X + 214, box.Y + 13, 116, 13) });
        }

        View.Add(new Facts(this) { Bounds = new Rect(12 + (3 * (Column + 6)), Body.Y + 4, PanelSize.Width - 24 - (3 * (Column + 6)), Body.Height - 12) });
    }

    public override string Id => "jacks";

    public override string Title => "Jacks";

    public override string Help =>
        """
        What comes in and goes out, with its peak: green up to 6 V, yellow above; red for three seconds after the converter clipped.

        - E1, or up and down, chooses a jack; left and right go to the next column.
        - E2 sets its full scale: the volts that the largest number is. With Shift L in finer steps; a push sets 10 V.
        - E3 sets its zero: the volts at number 0. A push sets 0.
        - K1 gives it a name. K2 calibrates it against a voltmeter, step by step. K3 forgets what was set.
        - K6 goes back.

        A jack that was never calibrated is off by up to some per cent: a fifth of a semitone or more for every octave. Oscillators in tune need calibrated outputs; what comes in as V/oct, calibrated inputs.

        These settings belong to the sound card, not to the patch: on this page K7 takes back what was changed on it, and Shift L with K7 does it again.
        """;

    internal override JackHistory? History => Desk is null ? null : _history;

    private IJackDesk? Desk => Host.Jacks;

    private bool IsOutput => _chosen >= Inputs;

    private int Number => Inside(_chosen);

    private bool Exists => Desk is { } desk && Number < (IsOutput ? desk.Outputs : desk.Inputs);

    public override void Update(ulong now)
    {
        var ins = Host.Live.InputPeaks;
        var outs = Host.Live.OutputPeaks;
        for (var i = 0; i < All; i++)
        {
            var peaks = i < Inputs ? ins : outs;
            // The converter clips where its numbers end; a hair below, for its last number is not reached on both sides.
            var setup = Has(i) ? Desk!.Setup(i >= Inputs, Inside(i)) : default;
            _meters[i].Clip = (float)(0.999 * (setup.FullScale != 0 ? Math.Abs(setup.FullScale) - Math.Abs(setup.Zero) : 10));
            _meters[i].Set(Inside(i) < peaks.Length ? peaks[Inside(i)] : 0, now);
        }
    }

    public override SoftKey Key(int index, bool shift)
    {
        var none = Desk is null ? "nothing can be set up here" : Exists ? null : "the sound card has no such jack";
        return index switch
        {
            0 => new SoftKey("Name", Off: none),
            1 => new SoftKey("Calibrate", Off: none ?? (Host.Live.Playing ? null : "audio is stopped: calibrating needs it")),
            2 => new SoftKey("Forget", Off: none ?? (Desk!.Setup(IsOutput, Number).Calibrated ? null : "nothing was set here")),
            5 => new SoftKey("Back"),
            _ => default,
        };
    }

    public override void Press(int index, bool shift, bool held)
    {
        switch (index)
        {
            case 0:
                var (output, number) = (IsOutput, Number);
                Panel.Over(new TextPage(Panel, $"Name of {Word(output, number)}", Desk!.Setup(output, number).Name, PatchLimits.NameLength, static _ => null, name =>
                    Told(_history.Set(output, number, Desk.Setup(output, number) with { Name = name }))));
                break;
            case 1:
                Panel.Over(new CalibratePage(Panel, Desk!, _history, IsOutput, Number));
                break;
            case 2:
                if (Told(_history.Set(IsOutput, Number, new JackSetup(Desk!.Setup(IsOutput, Number).Name, Nominal, 0, Calibrated: false)))) Panel.Say($"{Word(IsOutput, Number)} is as if nobody had calibrated it");
                break;
            case 5:
                Panel.Back();
                break;
        }
    }

    public override void Turn(int encoder, in Gesture turn)
    {
        if (encoder == 0) Choose(_chosen + turn.Steps);
        if (!Exists || encoder is not (1 or 2)) return;
        var setup = Desk!.Setup(IsOutput, Number);
        var next = encoder == 1
            ? setup with { FullScale = Math.Sign(setup.FullScale == 0 ? 1 : setup.FullScale) * Math.Clamp(Math.Abs(setup.FullScale) + (turn.Amount * 0.005), AudioConfig.MinFullScale, AudioConfig.MaxFullScale) }
            : setup with { Zero = Math.Clamp(setup.Zero + (turn.Amount * 0.001), -5, 5) };
        Told(_history.Set(IsOutput, Number, next with { Calibrated = true }, encoder));
    }

    public override void Push(int encoder, bool held)
    {
        if (!Exists || encoder is not (1 or 2)) return;
        var setup = Desk!.Setup(IsOutput, Number);
        Told(_history.Set(IsOutput, Number, (encoder == 1 ? setup with { FullScale = Nominal } : setup with { Zero = 0 }) with { Calibrated = true }));
    }

    public override void Arrow(Control arrow, bool shift) => Choose(_chosen + arrow switch { Control.Up => -1, Control.Down => 1, Control.Left => -PerColumn, _ => PerColumn });

    /// <summary>"input 3".</summary>
    internal static string Word(bool output, int number) => FormattableString.Invariant($"{(output ? "output" : "input")} {number + 1}");

    private static int Inside(int jack) => jack < Inputs ? jack : jack - Inputs;

    private bool Has(int jack) => Desk is { } desk && Inside(jack) < (jack < Inputs ? desk.Inputs : desk.Outputs);

    private void Choose(int jack) => _chosen = Math.Clamp(jack, 0, All - 1);

    private bool Told(string? why)
    {
        if (why != null) Panel.Say(why, bad: true);
        return why is null;
    }

    private sealed class Heading(string text) : Widget
    {
        protected override void Look(ref Looks looks)
        {
        }

        public override void Draw(Canvas canvas) => canvas.Text(text, Bounds with { X = Bounds.X + 4 }, Font.Strong, canvas.Theme.Dim);
    }

    /// <summary>A jack: number, name, scale; its meter lies over it.</summary>
    private sealed class JackRow(JacksPage page, int jack) : Widget
    {
        protected override void Look(ref Looks looks)
        {
            looks.Add(page._chosen == jack);
            looks.Add(page.Has(jack));
            looks.Add(page.Desk?.Version ?? 0);
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            var chosen = page._chosen == jack;
            canvas.FillRound(Bounds, 8, chosen ? theme.Selected : theme.Card);
            if (chosen) canvas.FrameRound(Bounds, 8, theme.Focus);
            Span<char> room = stackalloc char[24];
            var line = new TextLine(room);
            line.Add((long)Inside(jack) + 1);
            var has = page.Has(jack);
            canvas.Text(line.Text, new Rect(Bounds.X + 8, Bounds.Y, 28, Bounds.Height), Font.Strong, has ? theme.Text : theme.Dim, Align.Right);
            var name = new Rect(Bounds.X + 48, Bounds.Y, 160, Bounds.Height);
            if (!has)
            {
                canvas.Text("-", name, Font.Body, theme.Dim);
                return;
            }

            var setup = page.Desk!.Setup(jack >= Inputs, Inside(jack));
            canvas.Text(setup.Name, name, Font.Body, theme.Text);
            line = new TextLine(room);
            line.Add(setup.FullScale, 2);
            line.Add(" V");
            canvas.Text(line.Text, Bounds with { Width = Bounds.Width - 8 }, Font.Small, setup.Calibrated ? theme.Good : theme.Dim, Align.Right);
        }
    }

    /// <summary>The chosen jack at large.</summary>
    private sealed class Facts(JacksPage page) : Widget
    {
        protected override void Look(ref Looks looks)
        {
            looks.Add(page._chosen);
            looks.Add(page.Exists);
            looks.Add(page.Desk?.Version ?? 0);
            looks.Add(Millivolts());
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            canvas.FillRound(Bounds, 10, theme.Card);
            Span<char> room = stackalloc char[48];
            var line = new TextLine(room);
            line.Add(page.IsOutput ? "Output " : "Input ");
            line.Add((long)page.Number + 1);
            var box = new Rect(Bounds.X + 20, Bounds.Y + 12, Bounds.Width - 40, 32);
            canvas.Text(line.Text, box, Font.Large, theme.Text);
            if (!page.Exists)
            {
                canvas.Text(page.Desk is null ? "Nothing can be set up here." : "The sound card has no such jack.", box with { Y = box.Y + 40 }, Font.Body, theme.Dim);
                return;
            }

            var setup = page.Desk!.Setup(page.IsOutput, page.Number);
            canvas.Text(setup.Name.Length > 0 ? setup.Name : "no name yet: K1", box with { Y = box.Y + 34 }, Font.Body, theme.Dim);
            line = new TextLine(room);
            line.Add(Millivolts() / 1000.0, 2);
            line.Add(" V");
            canvas.Text(line.Text, box with { Y = box.Y + 76, Height = 56 }, Font.Huge, theme.Text);
            canvas.Text("peak now", box with { Y = box.Y + 128, Height = 24 }, Font.Small, theme.Dim);
            line = new TextLine(room);
            line.Add(setup.FullScale, 3);
            line.Add(" V");
            Fact(canvas, box with { Y = box.Y + 170 }, "E2", "full scale", line.Text);
            line = new TextLine(room);
            line.Add(setup.Zero * 1000, 1);
            line.Add(" mV");
            Fact(canvas, box with { Y = box.Y + 210 }, "E3", "zero", line.Text);
            canvas.Text(setup.Calibrated ? "calibrated" : "never calibrated: K2 does it", box with { Y = box.Y + 264 }, Font.Strong, setup.Calibrated ? theme.Good : theme.Warning);
        }

        private static void Fact(Canvas canvas, Rect box, string encoder, string name, ReadOnlySpan<char> value)
        {
            canvas.Text(encoder, box, Font.Small, canvas.Theme.Dim);
            canvas.Text(name, box with { X = box.X + 36, Width = 120 }, Font.Body, canvas.Theme.Dim);
            canvas.Text(value, box, Font.Large, canvas.Theme.Text, Align.Right);
        }

        // In steps of 10 mV: what an eye can follow.
        private int Millivolts()
        {
            var peaks = page.IsOutput ? page.Host.Live.OutputPeaks : page.Host.Live.InputPeaks;
            return page.Number < peaks.Length && float.IsFinite(peaks[page.Number]) ? (int)Math.Round(peaks[page.Number] * 100) * 10 : 0;
        }
    }
}
