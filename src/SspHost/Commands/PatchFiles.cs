// Which patch plays when nobody named one.
namespace SspHost.Commands;

/// <summary>Finds the patches that come with the program.</summary>
internal static class PatchFiles
{
    /// <summary>
    /// The directory of patches: the configured one, else "patches" beside the program or in a directory above it (the source tree),
    /// else /usr/share/ssphost/patches. Null where there is none.
    /// </summary>
    public static string? Directory(string configured)
    {
        if (configured.Length > 0) return System.IO.Directory.Exists(configured) ? configured : throw new CommandException($"{configured}: the configured directory of patches does not exist");
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d != null; d = d.Parent)
        {
            var patches = Path.Combine(d.FullName, "patches");
            if (System.IO.Directory.Exists(patches) && Demos(patches).Length > 0) return patches;
        }

        return System.IO.Directory.Exists("/usr/share/ssphost/patches") ? "/usr/share/ssphost/patches" : null;
    }

    /// <summary>The first demo patch by name, or null.</summary>
    public static string? FirstDemo(string configured) => Directory(configured) is { } d ? Demos(d).FirstOrDefault() : null;

    private static string[] Demos(string directory) =>
        [.. System.IO.Directory.EnumerateFiles(directory, "*.json").Where(f => !f.EndsWith(".schema.json", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
