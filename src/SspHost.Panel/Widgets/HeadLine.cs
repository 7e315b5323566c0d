// The line at the top of every page: where one is, what plays, whether it plays well.
using SspHost.Panel.Drawing;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Widgets;

/// <summary>Page, patch, load, frames lost; a message to the player stands in place of the patch's name for some seconds.</summary>
internal sealed class HeadLine : Widget
{
    private readonly FrontPanel _panel;

    public HeadLine(FrontPanel panel)
    {
        _panel = panel;
        Bounds = new Rect(0, 0, PanelSize.Width, 40);
    }

    protected override void Look(ref Looks looks)
    {
        var host = _panel.Host;
        looks.Add(_panel.Current.Title);
        looks.Add(_panel.Message?.Text ?? "");
        looks.Add(host.Session.Current.Name);
        looks.Add(host.Session.Saved is { Unchanged: true });
        looks.Add(host.Session.Trouble ?? "");
        looks.Add(host.Settings?.TrialSeconds ?? 0);
        looks.Add((int)(host.Status.Audio?.Load.P99 * 100 ?? 0));
        looks.Add((long)Lost(host));
        looks.Add(host.Live.Playing);
        looks.Add(host.Status.Recording != null);
    }

    public override void Draw(Canvas canvas)
    {
        var (theme, host) = (canvas.Theme, _panel.Host);
        canvas.Fill(Bounds, theme.Card);
        canvas.Text(_panel.Current.Title, new Rect(16, 0, 300, 40), Font.Large, theme.Text);
        var middle = new Rect(330, 0, 860, 40);
        if (_panel.Message is { } m) canvas.Text(m.Text, middle, Font.Strong, m.Bad ? theme.Bad : theme.Good);
        else if (host.Session.Trouble is { } trouble) canvas.Text(trouble, middle, Font.Strong, theme.Bad);
        else if (host.Settings?.TrialSeconds is > 0 and var seconds) DrawTrial(canvas, middle, seconds);
        else DrawName(canvas, middle);
        DrawLoad(canvas, new Rect(1210, 0, 374, 40));
    }

    private static void DrawTrial(Canvas canvas, Rect box, int seconds)
    {
        Span<char> room = stackalloc char[96];
        var line = new TextLine(room);
        line.Add("settings are tried: back to what it was in ");
        line.Add((long)seconds);
        line.Add(" s");
        canvas.Text(line.Text, box, Font.Strong, canvas.Theme.Warning);
    }

    private void DrawName(Canvas canvas, Rect box)
    {
        var session = _panel.Host.Session;
        Span<char> room = stackalloc char[128];
        var line = new TextLine(room);
        line.Add(session.Current.Name.Length > 0 ? session.Current.Name : "untitled");
        if (session.Saved is not { Unchanged: true }) line.Add("  (not saved to a file)");
        canvas.Text(line.Text, box, Font.Body, canvas.Theme.Dim);
    }

    // Since the last reset on the System page.
    private static ulong Lost(IPanelHost host) => host.Live.Dropouts - Math.Min(host.Live.Dropouts, host.Machine?.DropoutsBefore ?? 0);

    private void DrawLoad(Canvas canvas, Rect box)
    {
        var (theme, host) = (canvas.Theme, _panel.Host);
        Span<char> room = stackalloc char[64];
        if (!host.Live.Playing)
        {
            canvas.Text("stopped", box, Font.Strong, theme.Warning, Align.Right);
            return;
        }

        var load = host.Status.Audio?.Load.P99 ?? 0;
        var lost = Lost(host);
        var line = new TextLine(room);
        if (lost > 0)
        {
            line.Add((long)lost);
            line.Add(lost == 1 ? " dropout   " : " dropouts   ");
        }

        line.Add("load ");
        line.Add((long)(load * 100));
        line.Add(" %");
        canvas.Text(line.Text, box, Font.Strong, lost > 0 || load > 1 ? theme.Bad : load > 0.8 ? theme.Warning : theme.Good, Align.Right);
        if (host.Status.Recording == null) return;
        var left = box.Right - canvas.Measure(line.Text, Font.Strong) - 20;
        canvas.Text("REC", new Rect(box.X, box.Y, (int)(left - box.X), box.Height), Font.Strong, theme.Bad, Align.Right);
    }
}
