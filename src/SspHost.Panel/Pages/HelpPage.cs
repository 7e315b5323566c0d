// The help of the page one came from: what it shows, what the encoders and keys do here.
using SspHost.Panel.Drawing;
using SspHost.Panel.Input;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;

namespace SspHost.Panel.Pages;

/// <summary>A text in two columns; encoders and arrows scroll it.</summary>
internal sealed class HelpPage : Page
{
    private readonly Page _of;
    private readonly Prose _prose;

    public HelpPage(FrontPanel panel, Page of)
        : base(panel)
    {
        _of = of;
        Title = "Help: " + of.Title;
        _prose = View.Add(new Prose { Bounds = Body.Inset(16), Text = of.Help });
    }

    public override string Id => "help";

    public override string Title { get; }

    public override string Help => _of.Help;

    public override SoftKey Key(int index, bool shift) => index == 5 ? new SoftKey("Back") : default;

    public override void Press(int index, bool shift, bool held) => Panel.Back();

    public override void Turn(int encoder, in Gesture turn) => _prose.Scroll(turn.Steps);

    public override void Arrow(Control arrow, bool shift) => _prose.Scroll(arrow is Control.Up or Control.Left ? -3 : 3);
}
