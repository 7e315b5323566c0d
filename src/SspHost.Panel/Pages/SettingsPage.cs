// Settings: sound card, rate, block, cores, network; tried for fifteen seconds, and kept only where the player says so.
using SspHost.Panel.Drawing;
using SspHost.Panel.Input;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;

namespace SspHost.Panel.Pages;

internal sealed class SettingsPage : Page
{
    private static readonly int[] Rates = [44_100, 48_000, 88_200, 96_000];
    private static readonly int[] Blocks = [0, 16, 32, 64, 128, 256];
    private static readonly int[] Periods = [0, 16, 32, 64, 128, 256, 512, 1024];
    private static readonly int[] Counts = [0, 2, 3, 4, 6, 8];
    private static readonly string[] Names = ["Audio device", "Sample rate", "Block", "Period", "Periods", "Cores", "Panel on the network", "Colours"];

    private readonly ListBox _list;
    private readonly Prose _about;
    private readonly TrialLine _line;
    private HostSettings? _draft;
    private HostSettings? _shown, _kept;
    private bool _tried, _working;

    public SettingsPage(FrontPanel panel)
        : base(panel)
    {
        _list = View.Add(new ListBox { Bounds = new Rect(12, Body.Y + 8, 760, 8 * 32), Empty = "nothing can be set here" });
        _line = View.Add(new TrialLine(this) { Bounds = new Rect(12, Body.Y + 276, 760, Body.Height - 284) });
        _about = View.Add(new Prose { Bounds = new Rect(796, Body.Y + 12, 788, Body.Height - 24), Columns = 1 });
    }

    public override string Id => "settings";

    public override string Title => "Settings";

    public override string Help =>
        """
        How the host plays.

        - E1, or up and down, chooses a line; E2, or left and right, changes it. Nothing happens yet.
        - K1 tries what was changed. Sound stops for a moment.
        - Within fifteen seconds K1 keeps it. Without that, or with K2, everything goes back to what it was, on whichever page the panel is: a wrong sound card cannot lock anybody out.
        - K3 installs a new version where there is one; K4 goes back to the one before.
        - K6 goes back.

        A smaller block makes the way from a jack through the patch to another jack shorter, and costs more. A period is what the sound card takes at a time; it is at least a block.

        On the network, anybody who knows the token can play this panel: it stands in the address.
        """;

    private ISettingsDesk? Desk => Host.Settings;

    private bool Changed => Desk is { } desk && _draft is { } draft && draft != desk.Kept;

    private bool Trying => Desk?.Trial is not null;

    public override void Enter()
    {
        if (Desk is not { } desk) return;
        _tried = Trying;
        _draft = desk.Trial ?? desk.Kept;
        _shown = null;
        _ = desk.Devices; // asked for now, so that they are known by the time that somebody turns
        About(desk);
    }

    private void About(ISettingsDesk desk)
    {
        var text = new System.Text.StringBuilder("In a browser:\n");
        foreach (var a in desk.Addresses) text.Append("- ").Append(a).Append('\n');
        if (desk.Addresses.Count == 0) text.Append("- nowhere\n");
        text.Append("\nThis device:\n");
        foreach (var a in desk.About) text.Append("- ").Append(a).Append('\n');
        if (desk.Newer is { } newer) text.Append("\nVersion ").Append(newer).Append(" is ready: K3 installs it.");
        if (desk.Older is { } older) text.Append("\n\nK4 goes back to version ").Append(older).Append('.');
        _about.Text = text.ToString();
    }

    public override void Update(ulong now)
    {
        if (Desk is not { } desk) return;
        _line.Seconds = desk.TrialSeconds;
        if (_tried && !Trying && !_working)
        {
            _draft = desk.Kept;
            Panel.Say("not confirmed within fifteen seconds: back to what it was", bad: true);
            About(desk);
        }

        _tried = Trying;
        if (ReferenceEquals(_shown, _draft) && ReferenceEquals(_kept, desk.Kept)) return;
        (_shown, _kept) = (_draft, desk.Kept);
        Show();
    }

    public override SoftKey Key(int index, bool shift)
    {
        var none = Desk is null ? "nothing can be set here" : _working ? "one moment" : null;
        return index switch
        {
            0 when Trying && !_working => new SoftKey("Keep it", On: true),
            0 => new SoftKey("Try it", Off: none ?? (Changed ? null : "nothing was changed")),
            1 when Trying && !_working => new SoftKey("Go back"),
            1 => new SoftKey("As it was", Off: none ?? (Changed ? null : "nothing was changed")),
            2 => new SoftKey("Update", Off: none ?? (Desk!.Newer is null ? "this is the newest version" : null)),
            3 => new SoftKey("Roll back", Off: none ?? (Desk!.Older is null ? "there is no version to go back to" : null)),
            5 => new SoftKey("Back"),
            _ => default,
        };
    }

    public override void Press(int index, bool shift, bool held)
    {
        var desk = Desk;
        switch (index)
        {
            case 0 when Trying:
                Work(desk!.Keep, "kept");
                break;
            case 0:
                Try();
                break;
            case 1 when Trying:
                Work(desk!.Revert, "as it was");
                break;
            case 1:
                _draft = desk!.Kept;
                break;
            case 2:
                Panel.Over(new AskPage(Panel, "Update", $"Version {desk!.Newer} will be installed and started. Sound stops for some seconds; the patch comes back as it is.\n\nK4 on the Settings page goes back to the version of now.", "Install it", () => Install(desk.Update)));
                break;
            case 3:
                Panel.Over(new AskPage(Panel, "Roll back", $"Version {desk!.Older} will be started in place of this one. Sound stops for some seconds; the patch comes back as it is.", "Go back to it", () => Install(desk.RollBack)));
                break;
            case 5:
                Panel.Back();
                break;
        }
    }

    public override void Turn(int encoder, in Gesture turn)
    {
        if (encoder == 0) _list.Chosen += turn.Steps;
        else if (encoder == 1) Change(turn.Steps);
    }

    public override void Arrow(Control arrow, bool shift)
    {
        if (arrow is Control.Up or Control.Down) _list.Chosen += arrow == Control.Up ? -1 : 1;
        else Change(arrow == Control.Left ? -1 : 1);
    }

    private void Change(int steps)
    {
        if (_draft is not { } d || Desk is not { } desk || _working || Trying) return;
        var next = _list.Chosen switch
        {
            0 => d with { Device = Next(desk.Devices, d.Device, steps) },
            1 => d with { Rate = Next(Rates, d.Rate, steps) },
            2 => d with { Quantum = Next(Blocks, d.Quantum, steps) },
            3 => d with { Period = Next(Periods, d.Period, steps) },
            4 => d with { Periods = Next(Counts, d.Periods, steps) },
            5 => d with { Cores = Next(desk.CoreChoices, d.Cores, steps) },
            6 => d with { Network = steps > 0 },
            _ => d with { Theme = Next([.. Theme.All.Select(t => t.Name)], d.Theme, steps) },
        };
        if (next != d) _draft = next;
    }

    // A value that is not among the choices counts as the first.
    private static T Next<T>(IReadOnlyList<T> choices, T now, int steps)
    {
        var at = 0;
        for (var i = 0; i < choices.Count; i++)
        {
            if (EqualityComparer<T>.Default.Equals(choices[i], now)) at = i;
        }

        return choices.Count == 0 ? now : choices[Math.Clamp(at + steps, 0, choices.Count - 1)];
    }

    private void Try()
    {
        var (desk, draft) = (Desk!, _draft!);
        Work(() => desk.Try(draft), "this is being tried", keepsDraft: true);
    }

    // Whatever became of it, the page shows what is now; where it was refused, what was wanted can still be mended.
    private void Work(Func<string?> work, string done, bool keepsDraft = false)
    {
        _working = true;
        Panel.Say("one moment");
        Host.Run(work, why =>
        {
            _working = false;
            _tried = Trying;
            if (Desk is not { } desk) return;
            if (!keepsDraft) _draft = desk.Trial ?? desk.Kept;
            About(desk);
            if (Told(why)) Panel.Say(done);
        });
    }

    private void Install(Func<string?> work)
    {
        _working = true;
        Panel.Say("one moment: the version is being changed");
        Host.Run(work, why =>
        {
            _working = false;
            Told(why);
        });
    }

    private bool Told(string? why)
    {
        if (why != null) Panel.Say(why, bad: true);
        return why is null;
    }

    private void Show()
    {
        if (_draft is not { } d || Desk is not { } desk) return;
        var accent = Panel.Canvas.Theme.Focus;
        var lines = new ListLine[Names.Length];
        for (var i = 0; i < lines.Length; i++)
        {
            var (now, kept) = (Value(d, i), Value(desk.Kept, i));
            lines[i] = new ListLine(Names[i], now == kept ? now : $"{kept}  ->  {now}", now == kept ? default : accent);
        }

        _list.Lines = lines;
    }

    private static string Value(HostSettings s, int line) => line switch
    {
        0 => s.Device,
        1 => FormattableString.Invariant($"{s.Rate / 1000.0:0.#} kHz"),
        2 => Frames(s.Quantum, s.Rate, "as the patch says"),
        3 => Frames(s.Period, s.Rate, "one block"),
        4 => s.Periods == 0 ? "the host decides" : FormattableString.Invariant($"{s.Periods}"),
        5 => s.Cores.Length == 0 ? "the host decides" : s.Cores,
        6 => s.Network ? "yes" : "no",
        _ => s.Theme,
    };

    private static string Frames(int frames, int rate, string none) =>
        frames == 0 ? none : FormattableString.Invariant($"{frames} frames, {frames * 1000.0 / Math.Max(1, rate):0.##} ms");

    /// <summary>What happens with what was changed.</summary>
    private sealed class TrialLine(SettingsPage page) : Widget
    {
        /// <summary>Seconds until it goes back.</summary>
        public int Seconds { get; set; }

        protected override void Look(ref Looks looks)
        {
            looks.Add(page.Trying);
            looks.Add(page.Changed);
            looks.Add(page._working);
            looks.Add(Seconds);
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            canvas.FillRound(Bounds, 10, theme.Card);
            var box = new Rect(Bounds.X + 20, Bounds.Y + 12, Bounds.Width - 40, 32);
            if (!page.Trying)
            {
                canvas.Text(page._working ? "One moment." : page.Changed ? "K1 tries what was changed, for fifteen seconds." : "E1 chooses a line, E2 changes it.", box, Font.Body, page.Changed ? theme.Focus : theme.Dim);
                return;
            }

            Span<char> room = stackalloc char[48];
            var line = new TextLine(room);
            line.Add("Back to what it was in ");
            line.Add((long)Seconds);
            line.Add(" s");
            canvas.Text(line.Text, box, Font.Large, theme.Warning);
            canvas.Text("Does it play? K1 keeps it.", box with { Y = box.Y + 36 }, Font.Body, theme.Text);
            var bar = new Rect(box.X, Bounds.Bottom - 22, box.Width, 8);
            canvas.FillRound(bar, 4, theme.Line);
            canvas.FillRound(bar with { Width = bar.Width * Seconds / ISettingsDesk.TrialLength }, 4, theme.Warning);
        }
    }
}
