// A patch: modules, cables and what the player wrote about them. Immutable; an edit makes a new one that shares the rest.
using System.Collections.Immutable;
using System.Globalization;

namespace SspHost.Patching;

/// <summary>
/// A place on a module: "vco1.saw". A cable may also end at a parameter, "svf1.@cutoff": 10 V, times the cable's gain, are its whole travel.
/// </summary>
public readonly record struct PortRef(string Module, string Port)
{
    /// <summary>What stands before a parameter's id where a cable ends at it.</summary>
    public const char ParameterMark = '@';

    /// <summary>Whether it is a parameter that is meant; its id is what follows the mark.</summary>
    public bool IsParameter => Port.Length > 1 && Port[0] == ParameterMark;

    /// <summary>Reads "module.port"; false where there is no dot or nothing on one side of it.</summary>
    public static bool TryParse(string text, out PortRef port)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        port = dot > 0 && dot < text.Length - 1 ? new PortRef(text[..dot], text[(dot + 1)..]) : default;
        return port.Module is not null;
    }

    public override string ToString() => $"{Module}.{Port}";
}

/// <summary>Saved state of a module: opaque bytes and the version of the module that wrote them is the module's own.</summary>
public readonly struct StateBlob(ImmutableArray<byte> bytes) : IEquatable<StateBlob>
{
    private readonly ImmutableArray<byte> _bytes = bytes;

    /// <summary>The bytes; empty where nothing was saved.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.IsDefault ? default : _bytes.AsSpan();

    public bool IsEmpty => _bytes.IsDefaultOrEmpty;

    public static bool operator ==(StateBlob left, StateBlob right) => left.Equals(right);

    public static bool operator !=(StateBlob left, StateBlob right) => !left.Equals(right);

    public bool Equals(StateBlob other) => Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => obj is StateBlob other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }
}

/// <summary>A module in a patch. What is not said has the descriptor's default.</summary>
public sealed record Module
{
    /// <summary>Its name in this patch: "vco1". Never changes, for the running instance is found by it.</summary>
    public required string Id { get; init; }

    /// <summary>Module type: "vco".</summary>
    public required string Type { get; init; }

    /// <summary>Version of the module type that this was made with, and that wrote <see cref="State"/>.</summary>
    public uint Version { get; init; } = 1;

    /// <summary>What the player calls it; empty: its id.</summary>
    public string Label { get; init; } = "";

    /// <summary>Cells that the player has moved its card away from the place that the panel's layout gives it; 0: none.</summary>
    public int X { get; init; }

    /// <inheritdoc cref="X"/>
    public int Y { get; init; }

    /// <summary>Passes its inputs on unchanged.</summary>
    public bool Bypass { get; init; }

    /// <summary>Whole numbers fixed when the instance is made.</summary>
    public NamedValues<int> Settings { get; init; }

    /// <summary>Values in the parameter's own unit.</summary>
    public NamedValues<float> Parameters { get; init; }

    /// <summary>Files by asset slot, relative to the patch.</summary>
    public NamedValues<string> Assets { get; init; }

    /// <summary>What the module saved of itself.</summary>
    public StateBlob State { get; init; }

    /// <summary>Fields of the file that this version does not know, as JSON: kept and written back.</summary>
    public NamedValues<string> Unknown { get; init; }
}

/// <summary>A cable. Its identity is (from, to, delayed).</summary>
public sealed record Cable(PortRef From, PortRef To)
{
    /// <summary>Linear gain, -100..100.</summary>
    public float Gain { get; init; } = 1f;

    /// <summary>Set for the cable that closed a loop: its signal arrives one quantum later. See <see cref="Loops"/>.</summary>
    public bool Delayed { get; init; }

    /// <summary>Fields of the file that this version does not know, as JSON: kept and written back.</summary>
    public NamedValues<string> Unknown { get; init; }
}

/// <summary>A whole patch. The order of modules breaks ties; the order of cables is the order in which an input sums them.</summary>
public sealed record Patch
{
    private ModuleNames? _names;

    /// <summary>A patch without anything in it.</summary>
    public static Patch Empty { get; } = new() { Id = "empty" };

    /// <summary>A new patch with an identity of its own.</summary>
    public static Patch New() => Empty with { Id = PatchLimits.NewPatchId() };

    /// <summary>Identity of the patch: instances of different patches are never taken for one another.</summary>
    public required string Id { get; init; }

    public string Name { get; init; } = "";

    /// <summary>What the player is told: what it is, what to turn.</summary>
    public string Notes { get; init; } = "";

    /// <summary>Frames of a quantum, a power of two in 16..256.</summary>
    public int Quantum { get; init; } = 32;

    public ImmutableArray<Module> Modules { get; init; } = [];

    public ImmutableArray<Cable> Cables { get; init; } = [];

    /// <summary>The eight scenes (<see cref="PatchLimits.Scenes"/>), or fewer where the last ones are empty; null: an empty one.</summary>
    public ImmutableArray<Scene?> Scenes { get; init; } = [];

    /// <summary>MIDI controllers in charge of parameters.</summary>
    public ImmutableArray<ControllerMap> Controllers { get; init; } = [];

    /// <summary>Fields of the file that this version does not know, as JSON: kept and written back.</summary>
    public NamedValues<string> Unknown { get; init; }

    /// <summary>Index of a module in <see cref="Modules"/>, or -1.</summary>
    public int IndexOf(string id)
    {
        if (Modules.Length <= 8)
        {
            for (var i = 0; i < Modules.Length; i++)
            {
                if (string.Equals(Modules[i].Id, id, StringComparison.Ordinal)) return i;
            }

            return -1;
        }

        // Two threads may build it at once: both build the same. A copy made by `with` brings the names of the patch it came from,
        // which hold only for the very same array of modules.
        var names = Volatile.Read(ref _names);
        if (names is null || names.Of != Modules)
        {
            names = new ModuleNames(Modules);
            Volatile.Write(ref _names, names);
        }

        return names.Find(id);
    }

    /// <summary>The same with other modules of the same ids in the same order: who stands where needs not be found out again.</summary>
    internal Patch WithModules(ImmutableArray<Module> modules)
    {
        var names = Volatile.Read(ref _names);
        return this with { Modules = modules, _names = names is not null && names.Of == Modules ? names.For(modules) : null };
    }

    /// <summary>The module called <paramref name="id"/>, or null.</summary>
    public Module? Find(string id)
    {
        var i = IndexOf(id);
        return i < 0 ? null : Modules[i];
    }

    /// <summary>Index of the cable between two ports in <see cref="Cables"/>, or -1.</summary>
    public int IndexOf(PortRef from, PortRef to)
    {
        for (var i = 0; i < Cables.Length; i++)
        {
            if (Cables[i].From == from && Cables[i].To == to) return i;
        }

        return -1;
    }

    /// <summary>An id nobody has yet for a module of this type: "vco1", "vco2" ...</summary>
    public string FreeId(string type)
    {
        var stem = type[(type.LastIndexOf('/') + 1)..].Replace('.', '-');
        if (stem.Length > PatchLimits.IdLength - 5) stem = stem[..(PatchLimits.IdLength - 5)];
        for (var n = 1; ; n++)
        {
            var id = stem + n.ToString(CultureInfo.InvariantCulture);
            if (IndexOf(id) < 0) return id;
        }
    }

    /// <summary>Equal by value: the same modules and cables in the same order.</summary>
    public bool Equals(Patch? other)
    {
        if (ReferenceEquals(this, other)) return true;
        if (other is null || Id != other.Id || Name != other.Name || Notes != other.Notes || Quantum != other.Quantum || Unknown != other.Unknown) return false;
        return Modules.AsSpan().SequenceEqual(other.Modules.AsSpan()) && Cables.AsSpan().SequenceEqual(other.Cables.AsSpan())
            && Scenes.AsSpan().SequenceEqual(other.Scenes.AsSpan()) && Controllers.AsSpan().SequenceEqual(other.Controllers.AsSpan());
    }

    public override int GetHashCode() => HashCode.Combine(Id, Name, Quantum, Modules.Length, Cables.Length);

    private sealed class ModuleNames
    {
        private readonly Dictionary<string, int> _index;

        public ModuleNames(ImmutableArray<Module> modules)
        {
            Of = modules;
            _index = new Dictionary<string, int>(modules.Length, StringComparer.Ordinal);
            for (var i = 0; i < modules.Length; i++) _index[modules[i].Id] = i;
        }

        private ModuleNames(ImmutableArray<Module> modules, Dictionary<string, int> index) => (Of, _index) = (modules, index);

        public ImmutableArray<Module> Of { get; }

        /// <summary>The same names for an array with the same ids.</summary>
        public ModuleNames For(ImmutableArray<Module> modules) => new(modules, _index);

        public int Find(string id) => _index.GetValueOrDefault(id, -1);
    }
}
