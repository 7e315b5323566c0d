// What can be said about the panel's body on a board; nothing has to be: each part is found by default.
using SspHost.Panel.Surface;

namespace SspHost.Board;

/// <summary>Settings of the board.</summary>
public sealed record BoardSettings
{
    public EvdevSettings Evdev { get; init; } = new();

    public GpioSettings Gpio { get; init; } = new();

    public ScreenSettings Screen { get; init; } = new();

    /// <summary>Null: a board with our device tree, or none.</summary>
    public IotSettings? Iot { get; init; }

    public CodecSettings Codec { get; init; } = new();
}

/// <summary>A codec whose registers this host writes, because the kernel has no driver for it.</summary>
public sealed record CodecSettings
{
    /// <summary>What there is a sequence of registers for.</summary>
    public static IReadOnlyList<string> Chips { get; } = ["pcm3168a"];

    /// <summary>One of <see cref="Chips"/>; empty: none.</summary>
    public string Chip { get; init; } = "";

    /// <summary>Its control bus.</summary>
    public string Bus { get; init; } = "/dev/i2c-8";

    /// <summary>Its address on that bus.</summary>
    public int Address { get; init; } = Pcm3168.UsualAddress;

    /// <summary>Name of the GPIO line that is low while it is in reset; empty: it has none.</summary>
    public string Reset { get; init; } = "CODEC_NRST";

    /// <summary>Id of the sound card that it is.</summary>
    public string Card { get; init; } = "SSPIO";

    /// <summary>Volts at full scale of a jack that nobody calibrated: what the amplifiers around it are built for.</summary>
    public double FullScale { get; init; } = 10.3;

    /// <summary>Where gpiochip0... are.</summary>
    public string GpioFolder { get; init; } = "/dev";
}

/// <summary>Keys, and encoders that the kernel decodes.</summary>
public sealed record EvdevSettings
{
    public bool Enabled { get; init; } = true;

    /// <summary>Where the nodes event0, event1... are.</summary>
    public string Folder { get; init; } = "/dev/input";

    /// <summary>Paths, or parts of names ("gpio-keys"); empty: every device that has a key or an axis of the panel.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>Nobody else gets the events of our devices: a console beside the panel does not type what is played.</summary>
    public bool Grab { get; init; }

    /// <summary>Whether usual keyboards and mice are controls, too; null: where the panel has a screen of this board, which is then what they are used at.</summary>
    public bool? Keyboards { get; init; }

    /// <summary>Key codes of panel devices (linux/input-event-codes.h) and their controls.</summary>
    public IReadOnlyDictionary<int, Control> Keys { get; init; } = KeyMap.Panel;

    /// <summary>Key codes of usual keyboards.</summary>
    public IReadOnlyDictionary<int, Control> KeyboardKeys { get; init; } = KeyMap.Keyboard;

    /// <summary>Which axis turns which encoder; what is not named gets the next free encoder, in the order of the devices' names.</summary>
    public IReadOnlyList<EncoderAxis> Encoders { get; init; } = [];
}

/// <summary>An axis of a device that is an encoder.</summary>
/// <param name="Device">Path or part of the name.</param>
/// <param name="Axis">REL_ code; 0 is X, 7 the dial, 8 the wheel.</param>
/// <param name="CountsPerDetent">What the driver counts from one detent to the next; below 0 where it counts the other way.</param>
public sealed record EncoderAxis(string Device, int Axis, Control Control, int CountsPerDetent = 1);

/// <summary>Encoders and keys that are lines of GPIO chips.</summary>
public sealed record GpioSettings
{
    public bool Enabled { get; init; } = true;

    /// <summary>Where the nodes gpiochip0, gpiochip1... are.</summary>
    public string Folder { get; init; } = "/dev";

    /// <summary>A chip's node, name or label: only its lines are meant; empty: all chips are searched for the names.</summary>
    public string Chip { get; init; } = "";

    /// <summary>Encoders; empty: those of lines named ENC1_A, ENC1_B to ENC4_A, ENC4_B.</summary>
    public IReadOnlyList<GpioEncoder> Encoders { get; init; } = [];

    /// <summary>Keys and pushes; empty: pushes on lines named ENC1_SW to ENC4_SW.</summary>
    public IReadOnlyList<GpioKey> Keys { get; init; } = [];

    /// <summary>A contact towards ground reads as pressed.</summary>
    public bool ActiveLow { get; init; } = true;

    /// <summary>Asks the chip for pull-ups; boards whose device tree or resistors pull need not.</summary>
    public bool PullUp { get; init; } = true;

    /// <summary>µs for which a key's level has to stand.</summary>
    public int KeyDebounce { get; init; } = 5000;

    /// <summary>µs for an encoder's lines; 0: the decoder absorbs what bounces.</summary>
    public int EncoderDebounce { get; init; }
}

/// <summary>An encoder on two lines, each by name or by number on <see cref="GpioSettings.Chip"/>.</summary>
/// <param name="A">The line that leads when it is turned clockwise.</param>
/// <param name="StepsPerDetent">Edges from one detent to the next: 1, 2 or 4.</param>
public sealed record GpioEncoder(Control Control, string A, string B, int StepsPerDetent = 4);

/// <summary>A key on a line.</summary>
public sealed record GpioKey(Control Control, string Line);

/// <summary>The screen.</summary>
public sealed record ScreenSettings
{
    public bool Enabled { get; init; } = true;

    /// <summary>"/dev/dri/card0", "/dev/fb0"; empty: the first DRM device that can, else the first frame buffer.</summary>
    public string Device { get; init; } = "";

    public string DrmFolder { get; init; } = "/dev/dri";

    public string FrameBufferFolder { get; init; } = "/dev";

    /// <summary>As "HDMI-A-1"; empty: what is connected, built-in panels first.</summary>
    public string Connector { get; init; } = "";

    /// <summary>As "1600x480" or "1600x480@60"; empty: the panel's size where the display has it, else the one the display prefers.</summary>
    public string Mode { get; init; } = "";

    /// <summary>0, 90, 180 or 270 degrees by which the picture is turned clockwise; null: 90 on an upright display, else 0.</summary>
    public int? Rotation { get; init; }

    /// <summary>Number of the virtual terminal the panel belongs to: away from it the screen is somebody else's; 0: the one in view at start.</summary>
    public int Terminal { get; init; }

    /// <summary>ms between looks at what is connected.</summary>
    public int LookEach { get; init; } = 2000;

    /// <summary>Says which terminal is in view.</summary>
    public string ActiveTerminal { get; init; } = "/sys/class/tty/tty0/active";
}
