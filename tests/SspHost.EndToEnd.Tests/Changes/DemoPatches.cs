// The patches that ship.
using SspHost.Patching;

namespace SspHost.EndToEnd.Tests.Changes;

internal static class DemoPatches
{
    private static readonly DescriptorIndex Modules = new(Chain.Shipped().Descriptors);

    private static readonly string Folder = Find();

    /// <summary>Their file names.</summary>
    public static IReadOnlyList<string> Files { get; } =
        [.. Directory.GetFiles(Folder, "*.json").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    public static IReadOnlyList<Patch> All { get; } = [.. Files.Select(Load)];

    public static Patch Load(string file)
    {
        var load = PatchJson.TryLoad(Path.Combine(Folder, file), Modules);
        return load.Patch ?? throw new InvalidOperationException(load.Error!.ToString());
    }

    // These tests need no executables, so they do not ask for them.
    private static string Find()
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d != null; d = d.Parent)
            if (File.Exists(Path.Combine(d.FullName, "SspHost.sln"))) return Path.Combine(d.FullName, "patches");
        throw new DirectoryNotFoundException("the tests run outside of their repository");
    }
}
