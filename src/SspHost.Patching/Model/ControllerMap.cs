// A MIDI controller in charge of a parameter: what "learn" leaves in the patch.
namespace SspHost.Patching;

/// <summary>
/// Its identity is (port, channel, number, module, parameter): one controller may move many parameters, and one parameter may be moved by many.
/// </summary>
public sealed record ControllerMap
{
    /// <summary>Name of the MIDI port it comes from, as the host lists it; empty: any.</summary>
    public string Port { get; init; } = "";

    /// <summary>MIDI channel 1..16; 0: any.</summary>
    public int Channel { get; init; }

    /// <summary>Controller 0..127; with <see cref="Fine"/> 0..31.</summary>
    public required int Number { get; init; }

    /// <summary>14 bits: controller <see cref="Number"/> has the upper seven, <see cref="Number"/> + 32 the lower seven.</summary>
    public bool Fine { get; init; }

    /// <summary>The module in the patch.</summary>
    public required string Module { get; init; }

    /// <summary>Its parameter.</summary>
    public required string Parameter { get; init; }

    /// <summary>Values at the controller's ends, in the parameter's own unit; between them along the parameter's curve. From may be the larger.</summary>
    public required float From { get; init; }

    /// <inheritdoc cref="From"/>
    public required float To { get; init; }

    /// <summary>Fields of the file that this version does not know, as JSON: kept and written back.</summary>
    public NamedValues<string> Unknown { get; init; }

    /// <summary>Whether both are the same controller on the same parameter.</summary>
    public bool SameAs(ControllerMap other) =>
        Port == other.Port && Channel == other.Channel && Number == other.Number && Module == other.Module && Parameter == other.Parameter;
}
