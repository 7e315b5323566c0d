// How it goes: load over time, its histogram, cores, memory, what was lost and why, what the doctor says.
using SspHost.Diagnostics;
using SspHost.Panel.Drawing;
using SspHost.Panel.Input;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;

namespace SspHost.Panel.Pages;

internal sealed class SystemPage : Page
{
    private const int Left = 780;

    private static readonly string[] ViewNames = ["Incidents", "Doctor", "Threads"];

    private readonly ListBox _list;
    private readonly List<Action> _open = [];
    private int _view;
    private long _incident = -1;
    private object? _of; // what the list was made of
    private bool _working;

    public SystemPage(FrontPanel panel)
        : base(panel)
    {
        View.Add(new LoadPlot(this) { Bounds = new Rect(12, Body.Y + 8, Left, 150) });
        View.Add(new LoadHistogram(this) { Bounds = new Rect(12, Body.Y + 166, 386, Body.Height - 174) });
        View.Add(new Machine(this) { Bounds = new Rect(406, Body.Y + 166, 386, Body.Height - 174) });
        _list = View.Add(new ListBox { Bounds = new Rect(Left + 24, Body.Y + 8, PanelSize.Width - Left - 36, Body.Height - 16) });
    }

    public override string Id => "system";

    public override string Title => "System";

    public override string Help =>
        """
        Above, the load of the last ten minutes: 99 of 100 blocks of a second took less than that share of the time there is. Below, how often each load was reached since the last reset; the cores, and what audio has of them; memory, temperature.

        - K2 goes from what happened to what the doctor found, and to the threads of audio. E1, or up and down, goes through the list; a push of E1 says all there is to say.
        - K1 forgets histogram and counters: what happens from now on is counted.
        - K3 lets the doctor look again. K4 writes a report, for whoever is asked for help. K5 begins a trace, and ends it into a file.
        - K6 goes back.

        A dropout is heard; a late block need not be, but says that there is no room left. Each says its cause, and the module, where there was one.
        """;

    private ISystemDesk? Desk => Host.Machine;

    // Since the last reset.
    private ulong Dropouts => Host.Live.Dropouts - Math.Min(Host.Live.Dropouts, Desk?.DropoutsBefore ?? 0);

    private ulong Late => Host.Live.Late - Math.Min(Host.Live.Late, Desk?.LateBefore ?? 0);

    public override void Enter() => _of = null;

    public override void Update(ulong now)
    {
        if (_view == 0 ? _of is null || _incident != Host.Incidents.Last : !ReferenceEquals(_of, _view == 1 ? Desk?.Findings : Host.Status.Threads)) Fill();
    }

    public override SoftKey Key(int index, bool shift)
    {
        var none = Desk is null ? "there are no tools here" : _working ? "one moment" : null;
        return index switch
        {
            0 => new SoftKey("Reset", Off: none),
            1 => new SoftKey(ViewNames[_view]),
            2 => new SoftKey("Examine", Off: none),
            3 => new SoftKey("Report", Off: none),
            4 => new SoftKey(Desk?.Tracing == true ? "End trace" : "Trace", Desk?.Tracing == true, none),
            5 => new SoftKey("Back"),
            _ => default,
        };
    }

    public override void Press(int index, bool shift, bool held)
    {
        switch (index)
        {
            case 0:
                if (Desk!.Reset() is { } why) Panel.Say(why, bad: true);
                else Panel.Say("counted from now on");
                break;
            case 1:
                _view = (_view + 1) % ViewNames.Length;
                _of = null;
                _list.Chosen = 0;
                break;
            case 2:
                Work(() => (null, Desk!.Examine()), "examined");
                break;
            case 3:
                Work(Desk!.WriteReport, "report");
                break;
            case 4:
                var on = !Desk!.Tracing;
                Work(() => Desk.Trace(on), on ? "tracing; K5 ends it" : "trace");
                break;
            case 5:
                Panel.Back();
                break;
        }
    }

    public override void Turn(int encoder, in Gesture turn) => _list.Chosen += turn.Steps;

    public override void Push(int encoder, bool held)
    {
        if (encoder == 0 && _list.Chosen < _open.Count) _open[_list.Chosen]();
    }

    public override void Arrow(Control arrow, bool shift) =>
        _list.Chosen += arrow switch { Control.Up => -1, Control.Down => 1, Control.Left => -_list.Rows, _ => _list.Rows };

    private void Work(Func<(string? Path, string? Why)> work, string done)
    {
        _working = true;
        Panel.Say("one moment");
        Host.Run(work, result =>
        {
            _working = false;
            if (result.Why != null) Panel.Say(result.Why, bad: true);
            else Panel.Say(result.Path is null ? done : $"{done}: {result.Path}");
        });
    }

    private void Fill()
    {
        _open.Clear();
        var lines = new List<ListLine>();
        var theme = Panel.Canvas.Theme;
        switch (_view)
        {
            case 0:
                _of = Host.Incidents;
                _incident = Host.Incidents.Last;
                _list.Empty = "nothing happened since the host began";
                foreach (var i in Host.Incidents.Since(0, 200).Reverse())
                {
                    lines.Add(new ListLine(i.Text, i.Time.Length >= 19 ? i.Time[11..19] : "", i.Kind is "late" or "clockJump" ? theme.Warning : theme.Bad));
                    _open.Add(() => Panel.Over(new ReadPage(Panel, i.Kind, Words(i))));
                }

                break;
            case 1:
                _of = Desk?.Findings;
                _list.Empty = "the doctor has found nothing to say";
                foreach (var f in Desk?.Findings ?? [])
                {
                    lines.Add(new ListLine(f.Found, f.Severity, f.Severity switch { "error" => theme.Bad, "warning" => theme.Warning, "fine" => theme.Good, _ => theme.Utility }));
                    _open.Add(() => Panel.Over(new ReadPage(Panel, f.Id, Words(f))));
                }

                break;
            default:
                _of = Host.Status.Threads;
                _list.Empty = "audio is stopped: there are no threads";
                foreach (var t in Host.Status.Threads)
                {
                    lines.Add(new ListLine(FormattableString.Invariant($"{t.Name} on core {t.Core}"), FormattableString.Invariant($"{t.Policy} {t.Priority}, {t.Preemptions} times interrupted"), t.Policy == "FIFO" ? theme.Good : theme.Warning));
                }

                break;
        }

        _list.Lines = lines;
    }

    private static string Words(Incident i)
    {
        var text = new System.Text.StringBuilder(i.Text).Append("\n\n");
        text.Append("- at ").Append(i.Time).Append('\n');
        if (i.Cause != null) text.Append("- cause: ").Append(i.Cause).Append('\n');
        if (i.Module != null) text.Append("- module: ").Append(i.Module).Append('\n');
        foreach (var (name, value) in i.Figures) text.Append(System.Globalization.CultureInfo.InvariantCulture, $"- {name}: {value}\n");
        foreach (var line in i.Detail ?? []) text.Append("- ").Append(line).Append('\n');
        return text.ToString();
    }

    private static string Words(Finding f)
    {
        var text = new System.Text.StringBuilder(f.Found);
        if (f.Expected != null) text.Append("\n\nExpected: ").Append(f.Expected);
        if (f.Why != null) text.Append("\n\n").Append(f.Why);
        if (f.Remedy != null) text.Append("\n\nWhat mends it: ").Append(f.Remedy);
        return text.ToString();
    }

    /// <summary>Load by second.</summary>
    private sealed class LoadPlot(SystemPage page) : Widget
    {
        private const int Seconds = 600;

        private readonly float[] _ys = new float[Seconds];

        protected override void Look(ref Looks looks)
        {
            looks.Add(page.Desk?.Version ?? -1);
            looks.Add((int)((page.Host.Status.Audio?.Load.P99 ?? 0) * 1000));
            looks.Add((int)((page.Host.Status.Audio?.Load.Max ?? 0) * 1000));
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            canvas.FillRound(Bounds, 10, theme.Card);
            Span<char> room = stackalloc char[64];
            var line = new TextLine(room);
            line.Add("load ");
            line.Add((page.Host.Status.Audio?.Load.P99 ?? 0) * 100, 1);
            line.Add(" %     longest ");
            line.Add((page.Host.Status.Audio?.Load.Max ?? 0) * 100, 1);
            line.Add(" %");
            canvas.Text(line.Text, Bounds.X + 16, Bounds.Y + 6, Font.Strong, theme.Text);
            canvas.Text("ten minutes", new Rect(Bounds.X, Bounds.Y + 6, Bounds.Width - 16, 22), Font.Small, theme.Dim, Align.Right);
            var box = new Rect(Bounds.X + 60, Bounds.Y + 36, Bounds.Width - 76, Bounds.Height - 48);
            foreach (var percent in (ReadOnlySpan<int>)[0, 50, 100])
            {
                var y = box.Bottom - (box.Height * percent / 110.0);
                canvas.Line(box.X, y, box.Right, y, percent == 100 ? theme.Bad.Towards(theme.Card, 0.4) : theme.Line.Towards(theme.Card, 0.5), 1);
                line = new TextLine(room);
                line.Add((long)percent);
                line.Add(" %");
                canvas.Text(line.Text, box.X - 8, y - 10, Font.Small, theme.Dim, Align.Right);
            }

            var history = page.Desk is { } desk ? desk.History : default;
            history = history[^Math.Min(history.Length, Seconds)..];
            if (history.Length < 2)
            {
                canvas.Text("nothing to show yet", box with { Height = box.Height / 2 }, Font.Body, theme.Dim, Align.Center);
                return;
            }

            for (var i = 0; i < history.Length; i++) _ys[i] = (float)(box.Bottom - (box.Height * Math.Clamp(history[i], 0, 1.1) / 1.1));
            var step = box.Width / (Seconds - 1.0);
            canvas.Trace(box.Right - ((history.Length - 1) * step), step, _ys.AsSpan(0, history.Length), theme.Good);
        }
    }

    /// <summary>How often which load was reached, on a scale of decades.</summary>
    private sealed class LoadHistogram(SystemPage page) : Widget
    {
        protected override void Look(ref Looks looks)
        {
            looks.Add(page.Desk?.Version ?? -1);
            looks.Add((long)page.Dropouts);
            looks.Add((long)page.Late);
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            canvas.FillRound(Bounds, 10, theme.Card);
            Span<char> room = stackalloc char[64];
            var (dropouts, late) = (page.Dropouts, page.Late);
            var line = new TextLine(room);
            line.Add((long)dropouts);
            line.Add(dropouts == 1 ? " dropout     " : " dropouts     ");
            line.Add((long)late);
            line.Add(late == 1 ? " late block" : " late blocks");
            canvas.Text(line.Text, Bounds.X + 16, Bounds.Y + 8, Font.Strong, dropouts > 0 ? theme.Bad : late > 0 ? theme.Warning : theme.Good);
            var box = new Rect(Bounds.X + 16, Bounds.Y + 44, Bounds.Width - 32, Bounds.Height - 76);
            var counts = page.Desk is { } desk ? desk.Histogram : default;
            var most = 0UL;
            foreach (var c in counts) most = Math.Max(most, c);
            if (most == 0)
            {
                canvas.Text("nothing was counted yet", box, Font.Body, theme.Dim, Align.Center);
                return;
            }

            var scale = Math.Log10(most + 1.0);
            var width = box.Width / (double)counts.Length;
            for (var i = 0; i < counts.Length; i++)
            {
                var height = (int)(box.Height * Math.Log10(counts[i] + 1.0) / scale);
                if (counts[i] > 0) height = Math.Max(3, height);
                canvas.Fill(new Rect((int)(box.X + (i * width)), box.Bottom - height, Math.Max(2, (int)width - 2), height), i >= 20 ? theme.Bad : i >= 16 ? theme.Warning : theme.Good);
            }

            canvas.Line(box.X, box.Bottom, box.Right, box.Bottom, theme.Line, 1);
            canvas.Text("0 %", box.X, box.Bottom + 5, Font.Small, theme.Dim);
            var full = box.X + (20 * width);
            canvas.Text("100 % of a block", Math.Min(full, box.Right - 60), box.Bottom + 5, Font.Small, theme.Dim, Align.Center);
        }
    }

    /// <summary>Cores, memory, temperature.</summary>
    private sealed class Machine(SystemPage page) : Widget
    {
        private const int MostCores = 8;

        protected override void Look(ref Looks looks)
        {
            looks.Add(page.Desk?.Version ?? -1);
            looks.Add(page.Host.Status.Memory?.PoolLive ?? 0);
            looks.Add(page.Host.Status.Memory?.PoolBytes ?? 0);
            looks.Add(page.Host.Status.Audio?.RealTime == true);
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            canvas.FillRound(Bounds, 10, theme.Card);
            Span<char> room = stackalloc char[64];
            var cores = page.Desk is { } desk ? desk.Cores : default;
            var shown = Math.Min(MostCores, cores.Length);
            var y = Bounds.Y + 10;
            var height = shown > 4 ? 20 : 26;
            for (var i = 0; i < shown; i++, y += height)
            {
                var line = new TextLine(room);
                line.Add("core ");
                line.Add((long)cores[i].Core);
                canvas.Text(line.Text, Bounds.X + 16, y, Font.Small, cores[i].RealTime ? theme.Focus : theme.Dim);
                var bar = new Rect(Bounds.X + 84, y + 5, Bounds.Width - 170, 10);
                canvas.FillRound(bar, 4, theme.Background);
                var busy = Math.Clamp(cores[i].Busy, 0, 1);
                if (busy > 0.01) canvas.FillRound(bar with { Width = Math.Max(4, (int)(bar.Width * busy)) }, 4, busy > 0.9 ? theme.Warning : theme.Good);
                canvas.Text(cores[i].RealTime ? "audio" : "", Bounds.Right - 16, y, Font.Small, theme.Focus, Align.Right);
            }

            var box = new Rect(Bounds.X + 16, Bounds.Bottom - 88, Bounds.Width - 32, 24);
            var memory = new TextLine(room);
            if (page.Host.Status.Memory is { } m)
            {
                memory.Add(m.PoolLive / 1048576.0, 1);
                memory.Add(" of ");
                memory.Add(m.PoolBytes >> 20);
                memory.Add(" MiB");
            }
            else
            {
                memory.Add("not known");
            }

            Fact(canvas, box, "pool", memory.Text, theme.Text);
            var heat = page.Desk?.Temperature ?? float.NaN;
            var degrees = new TextLine(room);
            if (float.IsFinite(heat))
            {
                degrees.Add(heat, 0);
                degrees.Add(" °C");
            }
            else
            {
                degrees.Add("no sensor");
            }

            Fact(canvas, box with { Y = box.Y + 26 }, "temperature", degrees.Text, heat >= 80 ? theme.Bad : heat >= 70 ? theme.Warning : theme.Text);
            Fact(canvas, box with { Y = box.Y + 52 }, "real time", page.Host.Status.Audio?.RealTime == true ? "yes" : "no", page.Host.Status.Audio?.RealTime == true ? theme.Good : theme.Warning);
        }

        private static void Fact(Canvas canvas, Rect box, string name, ReadOnlySpan<char> value, Color color)
        {
            canvas.Text(name, box, Font.Small, canvas.Theme.Dim);
            canvas.Text(value, box, Font.Body, color, Align.Right);
        }
    }
}
