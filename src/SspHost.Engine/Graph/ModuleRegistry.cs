// Every module type that ships with the engine, in the order that gives them their numbers.
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>Filled by the composition root before the engine starts; what libraries bring later follows in the renderer's tables. [start-up]</summary>
public sealed class ModuleRegistry
{
    private readonly List<ModuleDescriptor> _descriptors = [];
    private readonly List<ModuleEntry> _entries = [];

    /// <summary>Descriptors by number.</summary>
    public IReadOnlyList<ModuleDescriptor> Descriptors => _descriptors;

    /// <summary>Tables by number.</summary>
    public IReadOnlyList<ModuleEntry> Entries => _entries;

    /// <summary>Adds a C# module. Throws where its descriptor breaks the contract's limits or its id is taken.</summary>
    public ModuleRegistry Add<T>() where T : unmanaged, IModule<T>
    {
        var d = T.Describe();
        return Add(d, ModuleEntry.For<T>(d));
    }

    /// <summary>Adds a module by its table. Throws as <see cref="Add{T}"/>.</summary>
    public ModuleRegistry Add(ModuleDescriptor d, ModuleEntry entry)
    {
        if (_descriptors.Exists(other => other.Id == d.Id)) throw new ArgumentException($"module '{d.Id}' is registered twice");
        if (d.Parameters.Count > Limits.MaxParameters) throw new ArgumentException($"module '{d.Id}': {d.Parameters.Count} parameters, at most {Limits.MaxParameters}");
        if (d.Inputs.Count > Limits.MaxPorts || d.Outputs.Count > Limits.MaxPorts) throw new ArgumentException($"module '{d.Id}': more than {Limits.MaxPorts} ports in one direction");
        if (d.Assets.Count > Limits.MaxAssets) throw new ArgumentException($"module '{d.Id}': {d.Assets.Count} asset slots, at most {Limits.MaxAssets}");
        _descriptors.Add(d);
        _entries.Add(entry);
        return this;
    }
}
