// What can be said about a board without our device tree: numbered pins, expanders, a small display and a mixer, by the packages the field knows.
using SspHost.Panel.Surface;

namespace SspHost.Board;

/// <summary>The key "board.iot"; read by every build, understood by those with the IoT devices.</summary>
public sealed record IotSettings
{
    /// <summary>Encoders on pins of the board itself: an expander is asked too seldom for them.</summary>
    public IReadOnlyList<IotEncoder> Encoders { get; init; } = [];

    public IReadOnlyList<IotKey> Keys { get; init; } = [];

    public IReadOnlyList<IotExpander> Expanders { get; init; } = [];

    public IotDisplay? Display { get; init; }

    public IotMixer? Mixer { get; init; }
}

/// <summary>An encoder on two pins.</summary>
/// <param name="A">The pin that leads when it is turned clockwise.</param>
/// <param name="StepsPerDetent">Edges from one detent to the next: 1, 2 or 4.</param>
public sealed record IotEncoder(Control Control, int A, int B, int StepsPerDetent = 4);

/// <summary>A key, or an encoder's push, from a pin towards ground.</summary>
/// <param name="Expander">Name of the expander; empty: the board's own pins.</param>
public sealed record IotKey(Control Control, int Pin, string Expander = "");

/// <summary>Sixteen pins on an I2C bus.</summary>
public sealed record IotExpander(string Name, IotChip Chip, int Bus, int Address);

/// <summary>A small display: on I2C with bus and address (SSD1306), on SPI with bus, chip select and two pins (ILI9341, ILI9342).</summary>
public sealed record IotDisplay
{
    public IotChip Chip { get; init; } = IotChip.Ssd1306;

    public int Bus { get; init; } = 1;

    /// <summary>I2C address; 0x3c is the usual one of an SSD1306.</summary>
    public int Address { get; init; } = 0x3c;

    public int ChipSelect { get; init; }

    public int DataCommand { get; init; } = -1;

    public int Reset { get; init; } = -1;

    /// <summary>Rows of an SSD1306: 64 or 32.</summary>
    public int Rows { get; init; } = 64;

    /// <summary>The whole panel, as small as it becomes; else a window of it as high as the panel and as wide as the display's shape asks for.</summary>
    public bool Whole { get; init; }

    /// <summary>First column of that window.</summary>
    public int X { get; init; }

    /// <summary>Degrees clockwise; null: 90 on an upright display.</summary>
    public int? Rotation { get; init; }
}

/// <summary>Volume of a card's first mixer element, in the card's own unit.</summary>
public sealed record IotMixer(string Device, long Volume);

/// <summary>A chip that a binding is used of.</summary>
public enum IotChip : byte
{
    Mcp23017,
    Pca9555,
    Ssd1306,
    Ili9341,
    Ili9342,
}
