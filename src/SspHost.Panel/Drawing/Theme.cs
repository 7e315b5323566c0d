// The one table of colours: a theme is a row of it, and nothing else names a colour.
namespace SspHost.Panel.Drawing;

/// <summary>Colours by what they mean. Text on any ground it stands on has a contrast of at least 4.5 to 1.</summary>
public sealed record Theme
{
    public required string Name { get; init; }

    /// <summary>Behind everything.</summary>
    public required Color Background { get; init; }

    /// <summary>Cards, fields, soft keys.</summary>
    public required Color Card { get; init; }

    /// <summary>What is selected.</summary>
    public required Color Selected { get; init; }

    /// <summary>Lines, tracks of arcs and meters, empty jacks.</summary>
    public required Color Line { get; init; }

    public required Color Text { get; init; }

    /// <summary>What matters less.</summary>
    public required Color Dim { get; init; }

    /// <summary>What has the focus.</summary>
    public required Color Focus { get; init; }

    /// <summary>Fine; near the limit; over it.</summary>
    public required Color Good { get; init; }

    /// <inheritdoc cref="Good"/>
    public required Color Warning { get; init; }

    /// <inheritdoc cref="Good"/>
    public required Color Bad { get; init; }

    /// <summary>Traces of a scope, the first four signals.</summary>
    public required Color[] Traces { get; init; }

    public required Color Sources { get; init; }

    public required Color Filters { get; init; }

    public required Color Dynamics { get; init; }

    public required Color Space { get; init; }

    public required Color Modulation { get; init; }

    public required Color Utility { get; init; }

    /// <summary>Families that others made.</summary>
    public required Color Other { get; init; }

    /// <summary>For a dark stage.</summary>
    public static Theme Dark { get; } = new()
    {
        Name = "dark",
        Background = Color.Of(0x0E1116),
        Card = Color.Of(0x1B2129),
        Selected = Color.Of(0x2B3542),
        Line = Color.Of(0x46525F),
        Text = Color.Of(0xF1F4F7),
        Dim = Color.Of(0xA9B4C0),
        Focus = Color.Of(0xFFC247),
        Good = Color.Of(0x5BD68B),
        Warning = Color.Of(0xFFB454),
        Bad = Color.Of(0xFF7A70),
        Traces = [Color.Of(0x5AC8FA), Color.Of(0xFFC247), Color.Of(0x5BD68B), Color.Of(0xFF8FC7)],
        Sources = Color.Of(0xFF9E5E),
        Filters = Color.Of(0x5AC8FA),
        Dynamics = Color.Of(0xFF8A80),
        Space = Color.Of(0xB39DFF),
        Modulation = Color.Of(0x6FDB9A),
        Utility = Color.Of(0xB8C4D0),
        Other = Color.Of(0xE3D26F),
    };

    /// <summary>For daylight.</summary>
    public static Theme Light { get; } = new()
    {
        Name = "light",
        Background = Color.Of(0xF4F5F7),
        Card = Color.Of(0xFFFFFF),
        Selected = Color.Of(0xDCE6F2),
        Line = Color.Of(0xA3AEBA),
        Text = Color.Of(0x14181D),
        Dim = Color.Of(0x4A5561),
        Focus = Color.Of(0x8A5200),
        Good = Color.Of(0x0E6B35),
        Warning = Color.Of(0x8A4B00),
        Bad = Color.Of(0xB3261E),
        Traces = [Color.Of(0x00639B), Color.Of(0x8A5200), Color.Of(0x0E6B35), Color.Of(0xA0216B)],
        Sources = Color.Of(0x9A4400),
        Filters = Color.Of(0x00639B),
        Dynamics = Color.Of(0xB3261E),
        Space = Color.Of(0x5B3FC4),
        Modulation = Color.Of(0x0E6B35),
        Utility = Color.Of(0x4A5561),
        Other = Color.Of(0x6B5C00),
    };

    /// <summary>All themes.</summary>
    public static IReadOnlyList<Theme> All { get; } = [Dark, Light];

    /// <summary>The colour of a family of modules.</summary>
    public Color Of(string family) => family switch
    {
        "Sources" => Sources,
        "Filters" => Filters,
        "Dynamics" => Dynamics,
        "Space" => Space,
        "Modulation" => Modulation,
        "Utility" => Utility,
        _ => Other,
    };
}
