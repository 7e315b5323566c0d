// The pages there are, and the keys that lead to them.
namespace SspHost.Panel.Pages;

/// <summary>Makes the pages and names the way to each: Shift R and a soft key, with Shift L for the second row.</summary>
internal static class PageList
{
    private static readonly string[] First = ["patch", "module", "scenes", "jacks", "scope", "files", "system", "settings"];

    /// <summary>The page behind soft key 0..7; null: none.</summary>
    public static string? Behind(int key, bool shift) => shift ? null : First[key];

    /// <summary>All pages, home first.</summary>
    public static void Make(FrontPanel panel, List<Page> pages)
    {
        pages.Add(new PatchPage(panel));
        pages.Add(new AddPage(panel));
        pages.Add(new ConnectPage(panel));
        pages.Add(new ModulePage(panel));
        pages.Add(new ScenesPage(panel));
        pages.Add(new JacksPage(panel));
        pages.Add(new ScopePage(panel));
        pages.Add(new FilesPage(panel));
        pages.Add(new SystemPage(panel));
        pages.Add(new SettingsPage(panel));
    }
}
