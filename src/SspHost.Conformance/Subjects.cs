// The modules that rules are tried on, by id: those of a registry, or those of a library.
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Conformance;

/// <summary>Filled once, before the first rig is made.</summary>
public static class Subjects
{
    private static readonly Dictionary<string, (ModuleDescriptor Descriptor, ModuleEntry Entry)> All = new(StringComparer.Ordinal);

    /// <summary>Adds modules.</summary>
    public static void Add(IReadOnlyList<ModuleDescriptor> descriptors, IReadOnlyList<ModuleEntry> entries)
    {
        for (var i = 0; i < descriptors.Count; i++) All[descriptors[i].Id] = (descriptors[i], entries[i]);
    }

    /// <summary>What is known of a module.</summary>
    public static ModuleDescriptor Descriptor(string id) => Find(id).Descriptor;

    /// <summary>Its functions.</summary>
    public static ModuleEntry Entry(string id) => Find(id).Entry;

    private static (ModuleDescriptor Descriptor, ModuleEntry Entry) Find(string id) =>
        All.TryGetValue(id, out var found) ? found : throw new ArgumentException($"no module '{id}'");
}
