// What the host, the panel and a player know of a module without running it.
namespace SspHost.Abi;

/// <summary>How a port's channels are decided when a patch is compiled.</summary>
public enum ChannelRule : byte
{
    /// <summary>Always <see cref="PortDescriptor.Channels"/> channels (inputs: takes at most that many).</summary>
    Fixed = 0,

    /// <summary>As many as the widest connected input of the module whose rule is <see cref="Follow"/>; at least 1. Inputs with this rule are polyphonic; outputs with
    /// this rule all have the same number.</summary>
    Follow = 1,

    /// <summary>The value of setting number <see cref="PortDescriptor.Channels"/>, 1..16.</summary>
    Setting = 2,
}

/// <summary>Where a port leads.</summary>
public enum PortKind : byte
{
    /// <summary>A cable.</summary>
    Cable = 0,

    /// <summary>
    /// The device: the n-th port of this kind is the device's jack n (plus setting 0, if the module has a setting "first").
    /// An input of this kind reads a jack; an output of this kind is summed into one. Never patched by a cable.
    /// </summary>
    Device = 1,
}

/// <summary>How a parameter's travel maps to its values, and how it ramps.</summary>
public enum ParameterCurve : byte
{
    /// <summary>Even steps; ramps linearly.</summary>
    Linear = 0,

    /// <summary>Even ratios (times, frequencies), both ends positive; ramps geometrically.</summary>
    Exponential = 1,

    /// <summary>Whole numbers or named choices; jumps.</summary>
    Stepped = 2,
}

/// <summary>What a telemetry entry shows.</summary>
public enum TelemetryKind : byte
{
    /// <summary>A level in volts, the peak of the last quantum.</summary>
    Meter = 0,

    /// <summary>A position: the current step, 0-based.</summary>
    Step = 1,

    /// <summary>A scope: Length floats, of which the first is the write position and the rest a ring of samples.</summary>
    Scope = 2,

    /// <summary>A spectrum: Length levels in dB of 5 V, at even ratios of frequency from 20 Hz (first) to 20 kHz (last).</summary>
    Spectrum = 3,

    /// <summary>Numbers in the entry's unit: a pitch that a tuner hears, a gain reduction, voices that sound.</summary>
    Value = 4,

    /// <summary>
    /// A <see cref="RecordRing"/> that the module fills while it records; <c>ssp run</c> writes it to a file. It comes first in the module's
    /// telemetry, which is 64-byte aligned. The module lays it out (Channels, then Capacity) and waits for nobody: Head is the number of blocks
    /// begun, Tail of those finished; a reader that copied a block which is now more than Capacity behind Head has lost it.
    /// </summary>
    Recording = 5,
}

/// <summary>A port.</summary>
/// <param name="Id">Stable name used in patch files, lower case.</param>
/// <param name="Name">What the panel shows.</param>
/// <param name="Text">One line for the player.</param>
public sealed record PortDescriptor(
    string Id, string Name, string Text = "", ChannelRule Rule = ChannelRule.Follow, byte Channels = 1, PortKind Kind = PortKind.Cable);

/// <summary>A parameter: unit, range, curve and default.</summary>
/// <param name="Id">Stable name used in patch files, lower case.</param>
/// <param name="Unit">"Hz", "s", "V", "dB", "" ...; "V/oct" reads as a note.</param>
/// <param name="Choices">Names of the values 0, 1, 2 ... of a stepped parameter, or empty.</param>
public sealed record ParameterDescriptor(
    string Id, string Name, string Unit, float Min, float Max, float Default,
    ParameterCurve Curve = ParameterCurve.Linear, string Text = "", params string[] Choices);

/// <summary>A whole number fixed when the instance is made (voices, longest delay, quality): changing it makes a new instance.</summary>
/// <param name="Choices">Names of the values Min, Min + 1 ..., or empty.</param>
public sealed record SettingDescriptor(string Id, string Name, int Min, int Max, int Default, string Text = "", params string[] Choices);

/// <summary>A slot for sample data.</summary>
public sealed record AssetDescriptor(string Id, string Name, string Text = "");

/// <summary>Telemetry: Length floats that process writes and everybody may read.</summary>
/// <param name="Unit">Unit of the values: "V", "dB", "Hz" ...</param>
/// <param name="Text">One line for the player: what is shown.</param>
public sealed record TelemetryDescriptor(string Id, TelemetryKind Kind, int Length, string Unit = "", string Text = "");

/// <summary>Everything that is known of a module type. Ids are stable; versions rise when saved state changes.</summary>
public sealed record ModuleDescriptor
{
    /// <summary>Stable name used in patch files, lower case: "vco".</summary>
    public required string Id { get; init; }

    /// <summary>Version of the module's saved state; LoadState migrates from lower ones.</summary>
    public uint Version { get; init; } = 1;

    /// <summary>What the panel shows.</summary>
    public required string Name { get; init; }

    /// <summary>The family it is listed under: "Sources", "Filters" ...</summary>
    public required string Family { get; init; }

    /// <summary>One line a player understands.</summary>
    public required string Text { get; init; }

    /// <summary>
    /// The help page, without what the ports and parameters say of themselves: paragraphs separated by an empty line, lines that begin
    /// with "- " are a list. What it is, how it is played, what to patch first. Empty: none.
    /// </summary>
    public string Help { get; init; } = "";

    /// <summary>The library it comes from, as an absolute path; empty: it ships with the engine.</summary>
    public string File { get; init; } = "";

    public IReadOnlyList<PortDescriptor> Inputs { get; init; } = [];

    public IReadOnlyList<PortDescriptor> Outputs { get; init; } = [];

    public IReadOnlyList<ParameterDescriptor> Parameters { get; init; } = [];

    public IReadOnlyList<SettingDescriptor> Settings { get; init; } = [];

    public IReadOnlyList<AssetDescriptor> Assets { get; init; } = [];

    public IReadOnlyList<TelemetryDescriptor> Telemetry { get; init; } = [];

    /// <summary>Most bytes SaveState writes; 0: the parameters are all there is.</summary>
    public int StateBytes { get; init; }

    /// <summary>Whether it reads notes, controllers or clock.</summary>
    public bool AcceptsEvents { get; init; }

    /// <summary>Whether it declares a tail: when it leaves the patch it may ring out.</summary>
    public bool HasTail { get; init; }

    /// <summary>Whether overload may switch it off (false for what must never fall silent, such as the outputs).</summary>
    public bool Sheddable { get; init; } = true;

    /// <summary>Floats of telemetry in all.</summary>
    public int TelemetryFloats
    {
        get
        {
            var sum = 0;
            foreach (var t in Telemetry) sum += t.Length;
            return sum;
        }
    }
}
