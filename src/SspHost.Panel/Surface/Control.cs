// The controls of the panel, and what they say: the same from a key in the rack, a line event, or a browser.
namespace SspHost.Panel.Surface;

/// <summary>A control. Encoders turn and are pushed; the rest are keys.</summary>
public enum Control : byte
{
    E1 = 0,
    E2 = 1,
    E3 = 2,
    E4 = 3,

    /// <summary>Soft keys, under the screen from left to right.</summary>
    K1 = 4,
    K2 = 5,
    K3 = 6,
    K4 = 7,
    K5 = 8,
    K6 = 9,
    K7 = 10,
    K8 = 11,

    Left = 12,
    Right = 13,
    Up = 14,
    Down = 15,

    ShiftLeft = 16,
    ShiftRight = 17,
}

/// <summary>What a control did.</summary>
public enum ControlAction : byte
{
    /// <summary>A key, or an encoder's push, went down.</summary>
    Press,

    /// <summary>It came up.</summary>
    Release,

    /// <summary>An encoder was turned by <see cref="ControlEvent.Value"/> detents, clockwise is positive.</summary>
    Turn,

    /// <summary>A character from a keyboard that somebody has beside the panel: <see cref="ControlEvent.Value"/> is its code point; 8 deletes, 13 is done, 27 cancels.</summary>
    Type,
}

/// <summary>One event.</summary>
/// <param name="Control">Which; of no meaning for <see cref="ControlAction.Type"/>.</param>
/// <param name="Value">Detents or code point; 0 otherwise.</param>
/// <param name="Time">CLOCK_MONOTONIC in ns of the moment it happened, the kernel's where it tells.</param>
/// <param name="Source">Number of the body it came from: what was pressed there is released there.</param>
public readonly record struct ControlEvent(Control Control, ControlAction Action, int Value, ulong Time, byte Source = 0);

/// <summary>Words and kinds of controls.</summary>
public static class Controls
{
    public const int Count = 18;

    public const int Encoders = 4;

    public const int SoftKeys = 8;

    public static bool IsEncoder(this Control control) => control <= Control.E4;

    public static bool IsSoftKey(this Control control) => control is >= Control.K1 and <= Control.K8;

    public static bool IsArrow(this Control control) => control is >= Control.Left and <= Control.Down;

    /// <summary>0..7 of a soft key.</summary>
    public static int Number(this Control softKey) => softKey - Control.K1;
}
