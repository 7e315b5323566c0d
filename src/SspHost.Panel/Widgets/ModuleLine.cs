// What a module is, where its cables go, and what it costs: the lines below its knobs.
using SspHost.Panel.Drawing;
using SspHost.Panel.Pages;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Widgets;

internal sealed class ModuleLine(ModulePage page) : Widget
{
    protected override void Look(ref Looks looks)
    {
        looks.Add(page.Module?.Id ?? "");
        looks.Add(page.Module?.Type ?? "");
        looks.Add(page.Module?.Bypass == true);
        looks.Add(page.Cables);
        looks.Add((int)(page.Load * 1000));
        looks.Add(page.Shed ?? "");
    }

    public override void Draw(Canvas canvas)
    {
        var theme = canvas.Theme;
        canvas.FillRound(Bounds, 10, theme.Card);
        var box = new Rect(Bounds.X + 16, Bounds.Y + 8, Bounds.Width - 32, 28);
        if (page.Module is not { } m || page.ModuleType is not { } type)
        {
            canvas.Text("There is no module in this patch: the Patch page adds one.", box, Font.Body, theme.Dim);
            return;
        }

        canvas.Text(type.Descriptor.Name, box, Font.Strong, theme.Of(type.Descriptor.Family));
        canvas.Text(type.Descriptor.Text, box with { X = box.X + 190, Width = box.Width - 190 }, Font.Body, theme.Text);
        Span<char> room = stackalloc char[128];
        var line = new TextLine(room);
        if (page.Shed is { } shed)
        {
            line.Add("switched off: ");
            line.Add(shed);
            canvas.Text(line.Text, box with { Y = box.Y + 34 }, Font.Strong, theme.Bad);
            return;
        }

        if (m.Bypass) line.Add("bypassed     ");
        line.Add((long)page.Cables);
        line.Add(page.Cables == 1 ? " cable" : " cables");
        if (float.IsFinite(page.Load))
        {
            line.Add("     ");
            line.Add(page.Load * 100, 1);
            line.Add(" % of a core");
        }

        canvas.Text(line.Text, box with { Y = box.Y + 34 }, Font.Small, theme.Dim);
    }
}
