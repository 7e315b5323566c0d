// A page over a page: a jack against a voltmeter, step by step.
using SspHost.Panel.Drawing;
using SspHost.Panel.Input;
using SspHost.Panel.Widgets;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Pages;

/// <summary>
/// Two points make a jack's line: at each of them the converter's number is known (an output holds it, an input reads it) and the player reads the
/// volts from a meter. Nothing is kept before the last step.
/// </summary>
internal sealed class CalibratePage : Page
{
    private const double Apart = 0.1; // of full scale: closer points make a line of the meter's last digit
    private const double Held = 0.5; // sample of the points on an output
    private const int Last = 3;

    private readonly IJackDesk _desk;
    private readonly JackHistory _history;
    private readonly bool _output;
    private readonly int _number;
    private readonly double[] _samples = new double[2];
    private readonly double[] _volts = new double[2];
    private int _step;
    private bool _turned; // the reading that is asked for: until then it follows what is likely

    public CalibratePage(FrontPanel panel, IJackDesk desk, JackHistory history, bool output, int number)
        : base(panel)
    {
        (_desk, _history, _output, _number) = (desk, history, output, number);
        Title = "Calibrate " + JacksPage.Word(output, number);
        View.Add(new Guide(this) { Bounds = Body.Inset(16) });
    }

    public override string Id => "calibrate";

    public override string Title { get; }

    internal override JackHistory? History => _history;

    public override string Help =>
        """
        Two voltages are compared with a voltmeter; a straight line through them is the jack's calibration.

        - K1 goes on, K2 a step back, K6 leaves everything as it was.
        - Where a reading is asked for: E1 turns tenths of a volt, E2 hundredths, E3 thousandths, until the panel says what the meter says. A push of E4 changes the sign.

        For an output: put the meter's tip on the tip of a plugged cable; the panel holds a voltage there. For an input: any steady voltage will do, from an output that is calibrated, or from a battery; the meter reads it at the same time.

        The two voltages lie at least 1 V apart; 5 V or more are better. Warm the rack up for a quarter of an hour first.
        """;

    /// <summary>What the readings mean; null: not yet.</summary>
    private (double FullScale, double Zero)? Line
    {
        get
        {
            var (s, v) = (_samples[1] - _samples[0], _volts[1] - _volts[0]);
            if (Math.Abs(s) < Apart || Math.Abs(v) < 0.01) return null;
            var full = v / s;
            return (full, _volts[0] - (full * _samples[0]));
        }
    }

    // The reading that is asked for; -1: none.
    private int Reading => _step is 1 or 2 ? _step - 1 : -1;

    public override void Enter() => Hold();

    // Whatever leads away from here: the patch plays on that jack again.
    public override void Leave()
    {
        if (_output) _desk.Hold(_number, null);
    }

    public override void Update(ulong now)
    {
        if (_output && Reading >= 0) Hold(); // it is let go by itself where nobody says it again
        if (!_turned && !_output && Reading is >= 0 and var r) _volts[r] = Likely();
    }

    public override SoftKey Key(int index, bool shift) => index switch
    {
        0 when _step == Last => new SoftKey("Keep it", Off: Line is null ? "the two readings are too near to each other" : null),
        0 => new SoftKey("Go on", Off: Reading >= 0 && double.IsNaN(Now()) ? "nothing comes in: does audio play?" : null),
        1 => new SoftKey("Step back", Off: _step == 0 ? "this is the first step" : null),
        5 => new SoftKey("Cancel"),
        _ => default,
    };

    public override void Press(int index, bool shift, bool held)
    {
        if (index == 5)
        {
            Panel.Back();
        }
        else if (index == 1)
        {
            Step(_step - 1);
        }
        else if (_step < Last)
        {
            if (Reading is >= 0 and var r) _samples[r] = Now();
            Step(_step + 1);
        }
        else if (Line is { } line)
        {
            var why = _history.Set(_output, _number, _desk.Setup(_output, _number) with { FullScale = line.FullScale, Zero = line.Zero, Calibrated = true });
            if (why != null)
            {
                Panel.Say(why, bad: true);
                return;
            }

            Panel.Back();
            Panel.Say($"{JacksPage.Word(_output, _number)} is calibrated");
        }
    }

    public override void Turn(int encoder, in Gesture turn)
    {
        if (Reading is not (>= 0 and var r) || encoder > 2) return;
        _turned = true;
        var step = encoder switch { 0 => 0.1, 1 => 0.01, _ => 0.001 };
        _volts[r] = Math.Clamp(Math.Round(_volts[r] + (step * turn.Steps), 3), -20, 20);
    }

    public override void Push(int encoder, bool held)
    {
        if (encoder != 3 || Reading is not (>= 0 and var r)) return;
        (_turned, _volts[r]) = (true, -_volts[r]);
    }

    private void Step(int step)
    {
        _step = step;
        Hold();
        if (Reading is not (>= 0 and var r)) return;
        _turned = false;
        _volts[r] = Likely();
    }

    // What the meter will say, about: by the jack as it is set up now.
    private double Likely()
    {
        var setup = _desk.Setup(_output, _number);
        var now = Now();
        return Math.Round(setup.Zero + (setup.FullScale * (double.IsNaN(now) ? 0 : now)), _output ? 2 : 1);
    }

    private void Hold()
    {
        if (_output) _desk.Hold(_number, Reading >= 0 ? Now() : null);
    }

    // The converter's number at this step.
    private double Now() => !_output ? _desk.Raw(_number) : Reading == 0 ? -Held : Held;

    private sealed class Guide(CalibratePage page) : Widget
    {
        protected override void Look(ref Looks looks)
        {
            looks.Add(page._step);
            if (page.Reading is >= 0 and var r) looks.Add((float)page._volts[r]);
            if (page is { _output: false, Reading: >= 0 }) looks.Add((int)(page.Now() * 10_000));
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            Span<char> room = stackalloc char[64];
            for (var i = 0; i <= Last; i++)
            {
                var dot = new Rect(Bounds.X + (i * 48), Bounds.Y, 36, 36);
                canvas.FillRound(dot, 18, i == page._step ? theme.Selected : theme.Card);
                if (i == page._step) canvas.FrameRound(dot, 18, theme.Focus);
                var number = new TextLine(room);
                number.Add((long)i + 1);
                canvas.Text(number.Text, dot, Font.Strong, i <= page._step ? theme.Text : theme.Dim, Align.Center);
            }

            var y = Bounds.Y + 64;
            foreach (var text in Words())
            {
                canvas.Text(text, Bounds.X, y, Font.Large, theme.Text, most: Bounds.Width);
                y += 40;
            }

            var line = new TextLine(room);
            if (page.Reading is >= 0 and var r)
            {
                line.Add(page._volts[r], 3);
                line.Add(" V");
                var field = new Rect(Bounds.X, Bounds.Bottom - 140, 420, 84);
                canvas.FillRound(field, 10, theme.Card);
                canvas.FrameRound(field, 10, theme.Focus);
                canvas.Text(line.Text, field.Inset(16), Font.Huge, theme.Text, Align.Center);
                canvas.Text("E1 tenths     E2 hundredths     E3 thousandths     push E4: sign", Bounds.X, Bounds.Bottom - 44, Font.Body, theme.Dim);
                if (page._output) return;
                line = new TextLine(room);
                line.Add("the input reads ");
                line.Add(page.Now() * 100, 2);
                line.Add(" % of its range");
                canvas.Text(line.Text, Bounds.X + 460, Bounds.Bottom - 112, Font.Body, theme.Dim);
            }
            else if (page._step == Last && page.Line is { } made)
            {
                line.Add("full scale ");
                line.Add(made.FullScale, 3);
                line.Add(" V     zero ");
                line.Add(made.Zero * 1000, 1);
                line.Add(" mV");
                canvas.Text(line.Text, Bounds.X, Bounds.Bottom - 120, Font.Large, theme.Good);
            }
        }

        private string[] Words() => (page._step, page._output) switch
        {
            (0, true) => OutputFirst,
            (0, false) => InputFirst,
            (1, true) => OutputLow,
            (1, false) => InputLow,
            (2, true) => OutputHigh,
            (2, false) => InputHigh,
            _ => page.Line is null ? Wrong : Right,
        };

        private static readonly string[] OutputFirst = ["Put a cable into this output and the voltmeter on its tip and sleeve.", "The panel will hold two voltages there. Turn down what is connected to it."];
        private static readonly string[] InputFirst = ["Put a steady voltage into this input, and the voltmeter beside it.", "Two different ones are needed, best about -5 V and 5 V; 0 V and 9 V of a battery will do."];
        private static readonly string[] OutputLow = ["The output holds about -5 V.", "Turn until the panel says what the meter says."];
        private static readonly string[] OutputHigh = ["Now the output holds about 5 V.", "Turn until the panel says what the meter says."];
        private static readonly string[] InputLow = ["The first voltage: is it steady?", "Turn until the panel says what the meter says."];
        private static readonly string[] InputHigh = ["Change to the second voltage, at least 1 V away.", "Turn until the panel says what the meter says."];
        private static readonly string[] Right = ["Done. This is what the two readings mean:", ""];
        private static readonly string[] Wrong = ["The two readings are too near to each other.", "K2 goes a step back. Is the cable in the right jack?"];
    }
}
