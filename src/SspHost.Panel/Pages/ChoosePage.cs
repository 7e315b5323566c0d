// A page over a page: one of a list.
using SspHost.Panel.Input;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;

namespace SspHost.Panel.Pages;

/// <summary>Shows a list and gives the index of what was chosen back; nothing where the player goes back.</summary>
internal sealed class ChoosePage : Page
{
    private readonly string _title;
    private readonly Action<int> _chosen;
    private readonly ListBox _list;

    public ChoosePage(FrontPanel panel, string title, IReadOnlyList<ListLine> lines, Action<int> chosen, int first = 0)
        : base(panel)
    {
        (_title, _chosen) = (title, chosen);
        _list = View.Add(new ListBox { Bounds = Body.Inset(12), Lines = lines, Empty = "there is nothing to choose from" });
        _list.Chosen = first;
    }

    public override string Id => "choose";

    public override string Title => _title;

    public override string Help => "Turn E1 or press up and down to go through the list. Push E1 or press K1 to choose. K6, or Shift R alone, goes back and changes nothing.";

    public override SoftKey Key(int index, bool shift) => index switch
    {
        0 => new SoftKey("Choose", Off: _list.Lines.Count == 0 ? "there is nothing to choose from" : null),
        5 => new SoftKey("Back"),
        _ => default,
    };

    public override void Press(int index, bool shift, bool held)
    {
        if (index == 0) Choose();
        else if (index == 5) Panel.Back();
    }

    public override void Turn(int encoder, in Gesture turn) => _list.Chosen += turn.Steps;

    public override void Push(int encoder, bool held) => Choose();

    public override void Arrow(Control arrow, bool shift) =>
        _list.Chosen += arrow switch { Control.Up => -1, Control.Down => 1, Control.Left => -_list.Rows, _ => _list.Rows };

    private void Choose()
    {
        if (_list.Lines.Count == 0 || _list.Lines[_list.Chosen].Dim) return;
        Panel.Back();
        _chosen(_list.Chosen);
    }
}
