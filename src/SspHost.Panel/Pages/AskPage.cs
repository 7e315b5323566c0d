// A page over a page: a question, before something is done that nobody can take back.
using SspHost.Panel.Widgets;

namespace SspHost.Panel.Pages;

/// <summary>Asks; does it on K1, goes back on K6.</summary>
internal sealed class AskPage : Page
{
    private readonly string _title;
    private readonly string _yes;
    private readonly Action _done;

    public AskPage(FrontPanel panel, string title, string question, string yes, Action done)
        : base(panel)
    {
        (_title, _yes, _done) = (title, yes, done);
        View.Add(new Prose { Bounds = Body.Inset(24), Text = question });
    }

    public override string Id => "ask";

    public override string Title => _title;

    public override string Help => "K1 does it. K6, or Shift R alone, goes back and changes nothing.";

    public override SoftKey Key(int index, bool shift) => index switch { 0 => new SoftKey(_yes), 5 => new SoftKey("No, back"), _ => default };

    public override void Press(int index, bool shift, bool held)
    {
        Panel.Back();
        if (index == 0) _done();
    }
}
