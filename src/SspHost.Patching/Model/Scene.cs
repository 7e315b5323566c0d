// A scene: where every knob of a patch stood at a moment, under a number on the panel.
namespace SspHost.Patching;

/// <summary>
/// Values of parameters, and which modules were bypassed. Modules that came later are left as they are when it is recalled, those that have left
/// are passed over.
/// </summary>
public sealed record Scene
{
    /// <summary>What the player calls it; empty: its number.</summary>
    public string Name { get; init; } = "";

    /// <summary>Parameters by module id, all of them, in their own units.</summary>
    public NamedValues<NamedValues<float>> Parameters { get; init; }

    /// <summary>Bypass by module id.</summary>
    public NamedValues<bool> Bypass { get; init; }

    /// <summary>Fields of the file that this version does not know, as JSON: kept and written back.</summary>
    public NamedValues<string> Unknown { get; init; }
}
