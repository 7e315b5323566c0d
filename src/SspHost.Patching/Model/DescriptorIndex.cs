// Finds module types, ports and parameters by the names that patch files use.
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>One module type: its descriptor, its number in plans, and its names.</summary>
public sealed class ModuleType
{
    private readonly Dictionary<string, int> _inputs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _outputs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _parameters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _settings = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _assets = new(StringComparer.Ordinal);

    internal ModuleType(ModuleDescriptor descriptor, int number)
    {
        Descriptor = descriptor;
        Number = number;
        for (var i = 0; i < descriptor.Inputs.Count; i++) _inputs.TryAdd(descriptor.Inputs[i].Id, i);
        for (var i = 0; i < descriptor.Outputs.Count; i++) _outputs.TryAdd(descriptor.Outputs[i].Id, i);
        for (var i = 0; i < descriptor.Parameters.Count; i++) _parameters.TryAdd(descriptor.Parameters[i].Id, i);
        for (var i = 0; i < descriptor.Settings.Count; i++) _settings.TryAdd(descriptor.Settings[i].Id, i);
        for (var i = 0; i < descriptor.Assets.Count; i++) _assets.TryAdd(descriptor.Assets[i].Id, i);
    }

    public ModuleDescriptor Descriptor { get; }

    /// <summary>Index in the engine's descriptor list: <see cref="PlanNode.Module"/>.</summary>
    public int Number { get; }

    /// <summary>Index of an input by id, or -1.</summary>
    public int Input(string id) => _inputs.TryGetValue(id, out var i) ? i : -1;

    /// <summary>Index of an output by id, or -1.</summary>
    public int Output(string id) => _outputs.TryGetValue(id, out var i) ? i : -1;

    /// <summary>Index of a parameter by id, or -1.</summary>
    public int Parameter(string id) => _parameters.TryGetValue(id, out var i) ? i : -1;

    /// <summary>Index of a setting by id, or -1.</summary>
    public int Setting(string id) => _settings.TryGetValue(id, out var i) ? i : -1;

    /// <summary>Index of an asset slot by id, or -1.</summary>
    public int Asset(string id) => _assets.TryGetValue(id, out var i) ? i : -1;
}

/// <summary>All module types an engine has, by id. Immutable.</summary>
public sealed class DescriptorIndex
{
    private readonly Dictionary<string, ModuleType> _types;
    private readonly ModuleType[] _list;

    /// <summary>Indexes descriptors in the engine's order (<see cref="DescriptorBlob.Read"/>).</summary>
    public DescriptorIndex(IReadOnlyList<ModuleDescriptor> descriptors)
    {
        _list = new ModuleType[descriptors.Count];
        _types = new Dictionary<string, ModuleType>(descriptors.Count, StringComparer.Ordinal);
        for (var i = 0; i < _list.Length; i++)
        {
            _list[i] = new ModuleType(descriptors[i], i);
            _types.TryAdd(descriptors[i].Id, _list[i]);
        }
    }

    /// <summary>Types by number.</summary>
    public IReadOnlyList<ModuleType> Types => _list;

    /// <summary>The type called <paramref name="id"/>, or null.</summary>
    public ModuleType? Find(string id) => _types.GetValueOrDefault(id);

    /// <summary>Indexes a descriptor blob. Throws <see cref="InvalidDataException"/> where it is none.</summary>
    public static DescriptorIndex Read(ReadOnlySpan<byte> blob) => new(DescriptorBlob.Read(blob));
}
