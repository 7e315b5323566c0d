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

    internal ModuleType(ModuleDescriptor descriptor, int number, uint revision)
    {
        Descriptor = descriptor;
        Number = number;
        Revision = revision;
        for (var i = 0; i < descriptor.Inputs.Count; i++) _inputs.TryAdd(descriptor.Inputs[i].Id, i);
        for (var i = 0; i < descriptor.Outputs.Count; i++) _outputs.TryAdd(descriptor.Outputs[i].Id, i);
        for (var i = 0; i < descriptor.Parameters.Count; i++) _parameters.TryAdd(descriptor.Parameters[i].Id, i);
        for (var i = 0; i < descriptor.Settings.Count; i++) _settings.TryAdd(descriptor.Settings[i].Id, i);
        for (var i = 0; i < descriptor.Assets.Count; i++) _assets.TryAdd(descriptor.Assets[i].Id, i);
    }

    public ModuleDescriptor Descriptor { get; }

    /// <summary>Index in the engine's descriptor list: <see cref="PlanNode.Module"/>.</summary>
    public int Number { get; }

    /// <summary>How many types of this id it has replaced: an instance of another revision is another instance.</summary>
    public uint Revision { get; }

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

/// <summary>
/// All module types an engine has, by id. Whoever holds one sees it grow when a library is loaded (<see cref="Update"/>); of several types of one
/// id the last one counts, the others live on for instances that are leaving. Thread-safe: what is read belongs together.
/// </summary>
public sealed class DescriptorIndex
{
    private Content _content;

    /// <summary>Indexes descriptors in the engine's order (<see cref="DescriptorBlob.Read"/>).</summary>
    public DescriptorIndex(IReadOnlyList<ModuleDescriptor> descriptors) => _content = new Content(descriptors);

    /// <summary>Types by number, those that were replaced included.</summary>
    public IReadOnlyList<ModuleType> Types => Volatile.Read(ref _content).List;

    /// <summary>Descriptors by number, likewise.</summary>
    public IReadOnlyList<ModuleDescriptor> Descriptors => Volatile.Read(ref _content).Descriptors;

    /// <summary>What can be patched: the descriptors of types that were not replaced.</summary>
    public IReadOnlyList<ModuleDescriptor> Current
    {
        get
        {
            var content = Volatile.Read(ref _content);
            return [.. content.List.Where(t => content.Types[t.Descriptor.Id] == t).Select(t => t.Descriptor)];
        }
    }

    /// <summary>The type called <paramref name="id"/>, or null.</summary>
    public ModuleType? Find(string id) => Volatile.Read(ref _content).Types.GetValueOrDefault(id);

    /// <summary>The engine has other types now: those there were keep their numbers, unless the engine is another one.</summary>
    public void Update(IReadOnlyList<ModuleDescriptor> descriptors) => Volatile.Write(ref _content, new Content(descriptors));

    /// <summary>Indexes a descriptor blob. Throws <see cref="InvalidDataException"/> where it is none.</summary>
    public static DescriptorIndex Read(ReadOnlySpan<byte> blob) => new(DescriptorBlob.Read(blob));

    private sealed class Content
    {
        public Content(IReadOnlyList<ModuleDescriptor> descriptors)
        {
            Descriptors = descriptors;
            List = new ModuleType[descriptors.Count];
            Types = new Dictionary<string, ModuleType>(descriptors.Count, StringComparer.Ordinal);
            for (var i = 0; i < List.Length; i++)
            {
                var revision = Types.TryGetValue(descriptors[i].Id, out var earlier) ? earlier.Revision + 1 : 0;
                Types[descriptors[i].Id] = List[i] = new ModuleType(descriptors[i], i, revision);
            }
        }

        public IReadOnlyList<ModuleDescriptor> Descriptors { get; }

        public ModuleType[] List { get; }

        public Dictionary<string, ModuleType> Types { get; }
    }
}
