// Where what comes with the program is, and which patch plays when nobody named one.
namespace SspHost.Commands;

/// <summary>Finds patches and presets that come with the program.</summary>
internal static class PatchFiles
{
    /// <summary>
    /// The directory of patches: the configured one, else "patches" beside the program or in a directory above it (the source tree),
    /// else /usr/share/ssphost/patches. Null where there is none.
    /// </summary>
    public static string? Directory(string configured)
    {
        if (configured.Length > 0) return System.IO.Directory.Exists(configured) ? configured : throw new CommandException($"{configured}: the configured directory of patches does not exist");
        return Shipped("patches", static patches => Demos(patches).Length > 0);
    }

    /// <summary>The directory of the modules' presets that come with the program; null where there is none.</summary>
    public static string? Presets() => Shipped("presets", static presets => System.IO.Directory.EnumerateFiles(presets, "*.json", SearchOption.AllDirectories).Any());

    /// <summary>The first demo patch by name, or null.</summary>
    public static string? FirstDemo(string configured) => Directory(configured) is { } d ? Demos(d).FirstOrDefault() : null;

    private static string? Shipped(string name, Func<string, bool> holds)
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d != null; d = d.Parent)
        {
            var directory = Path.Combine(d.FullName, name);
            if (System.IO.Directory.Exists(directory) && holds(directory)) return directory;
        }

        var shared = Path.Combine("/usr/share/ssphost", name);
        return System.IO.Directory.Exists(shared) ? shared : null;
    }

    /// <summary>All patches of the directory by name; empty where there is none.</summary>
    public static IReadOnlyList<string> All(string configured) => Directory(configured) is { } d ? Demos(d) : [];

    private static string[] Demos(string directory) =>
        [.. System.IO.Directory.EnumerateFiles(directory, "*.json").Where(f => !f.EndsWith(".schema.json", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
