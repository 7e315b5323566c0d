// Which four of a module's knobs are in view.
using SspHost.Panel.Drawing;
using SspHost.Panel.Pages;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Widgets;

internal sealed class BankTabs(FrontPanel panel) : Widget
{
    private int _version;
    private IReadOnlyList<ModulePage.Bank> _banks = [];

    public IReadOnlyList<ModulePage.Bank> Banks
    {
        get => _banks;
        set
        {
            _banks = value;
            _version++;
        }
    }

    public int Chosen { get; set; }

    protected override void Look(ref Looks looks)
    {
        looks.Add(_version);
        looks.Add(Chosen);
        looks.Add(panel.Selection.Module ?? "");
    }

    public override void Draw(Canvas canvas)
    {
        var theme = canvas.Theme;
        if (Banks.Count == 0)
        {
            canvas.Text("It has nothing to turn.", Bounds, Font.Body, theme.Dim);
            return;
        }

        var width = Math.Min(150, Bounds.Width / Banks.Count);
        for (var i = 0; i < Banks.Count; i++)
        {
            var tab = new Rect(Bounds.X + (i * width), Bounds.Y, width - 6, Bounds.Height);
            canvas.FillRound(tab, 8, i == Chosen ? theme.Selected : theme.Card);
            canvas.Text(Banks[i].Name, tab.Inset(4), i == Chosen ? Font.Strong : Font.Small, i == Chosen ? theme.Text : theme.Dim, Align.Center);
        }
    }
}
