// A page over a page: a text to read.
using SspHost.Panel.Input;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;

namespace SspHost.Panel.Pages;

/// <summary>Shows a text; encoders and arrows go through it.</summary>
internal sealed class ReadPage : Page
{
    private readonly string _title;
    private readonly Prose _prose;

    public ReadPage(FrontPanel panel, string title, string text)
        : base(panel)
    {
        _title = title;
        _prose = View.Add(new Prose { Bounds = Body.Inset(16), Text = text });
    }

    public override string Id => "read";

    public override string Title => _title;

    public override string Help => "Any encoder, or up and down, goes through the text; K6, or Shift R alone, goes back.";

    public override SoftKey Key(int index, bool shift) => index == 5 ? new SoftKey("Back") : default;

    public override void Press(int index, bool shift, bool held) => Panel.Back();

    public override void Turn(int encoder, in Gesture turn) => _prose.Scroll(turn.Steps);

    public override void Arrow(Control arrow, bool shift) => _prose.Scroll(arrow is Control.Up or Control.Left ? -3 : 3);
}
