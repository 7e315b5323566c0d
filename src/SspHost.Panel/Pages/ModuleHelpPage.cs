// The help page of a module: what its maker says of it, and what its ports and knobs say of themselves.
using System.Text;
using SspHost.Abi;
using SspHost.Panel.Input;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;

namespace SspHost.Panel.Pages;

internal sealed class ModuleHelpPage : Page
{
    private readonly ModuleDescriptor _module;
    private readonly Prose _prose;

    public ModuleHelpPage(FrontPanel panel, ModuleDescriptor module)
        : base(panel)
    {
        _module = module;
        _prose = View.Add(new Prose { Bounds = Body.Inset(16), Text = TextOf(module) });
    }

    public override string Id => "about";

    public override string Title => _module.Name;

    public override string Help => "The help of a module. Any encoder, or up and down, goes through it; K6, or Shift R alone, goes back.";

    /// <summary>The whole help of a module.</summary>
    public static string TextOf(ModuleDescriptor module)
    {
        var text = new StringBuilder();
        text.Append(module.Text).Append("\n\n");
        if (module.Help.Length > 0) text.Append(module.Help.Trim()).Append("\n\n");
        List(text, "Inputs", module.Inputs.Select(p => (p.Name, p.Text)));
        List(text, "Outputs", module.Outputs.Select(p => (p.Name, p.Text)));
        List(text, "Knobs", module.Parameters.Select(p => (p.Name, p.Text)));
        List(text, "Settings", module.Settings.Select(s => (s.Name, s.Text)));
        List(text, "Files", module.Assets.Select(a => (a.Name, a.Text)));
        return text.ToString().TrimEnd();
    }

    public override SoftKey Key(int index, bool shift) => index == 5 ? new SoftKey("Back") : default;

    public override void Press(int index, bool shift, bool held) => Panel.Back();

    public override void Turn(int encoder, in Gesture turn) => _prose.Scroll(turn.Steps);

    public override void Arrow(Control arrow, bool shift) => _prose.Scroll(arrow is Control.Up or Control.Left ? -3 : 3);

    private static void List(StringBuilder text, string title, IEnumerable<(string Name, string Text)> items)
    {
        var any = false;
        foreach (var (name, what) in items)
        {
            if (!any) text.Append(title).Append(":\n");
            any = true;
            text.Append("- ").Append(name);
            if (what.Length > 0) text.Append(": ").Append(what);
            text.Append('\n');
        }

        if (any) text.Append('\n');
    }
}
