// The patches that ship.
using SspHost.Patching;

namespace SspHost.EndToEnd.Tests.Changes;

internal static class DemoPatches
{
    private static readonly DescriptorIndex Modules = new(Chain.Shipped().Descriptors);

    /// <summary>Their file names.</summary>
    public static IReadOnlyList<string> Files { get; } =
        [.. Directory.GetFiles(Path.Combine(Executables.Root, "patches"), "*.json").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    public static IReadOnlyList<Patch> All { get; } = [.. Files.Select(Load)];

    public static Patch Load(string file)
    {
        var load = PatchJson.TryLoad(Path.Combine(Executables.Root, "patches", file), Modules);
        return load.Patch ?? throw new InvalidOperationException(load.Error!.ToString());
    }
}
