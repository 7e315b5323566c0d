// Home: the patch as cards and cables.
namespace SspHost.Panel.Pages;

internal sealed class PatchPage(FrontPanel panel) : Page(panel)
{
    public override string Id => "patch";

    public override string Title => "Patch";

    public override string Help => "The patch.";
}
