// What a player meant by what the controls did.
using SspHost.Panel.Surface;

namespace SspHost.Panel.Input;

/// <summary>Kinds of gestures.</summary>
public enum GestureKind : byte
{
    /// <summary>An encoder was turned.</summary>
    Turn,

    /// <summary>An encoder was pushed and let go.</summary>
    Push,

    /// <summary>An encoder was held down for half a second.</summary>
    LongPush,

    /// <summary>A soft key or an arrow.</summary>
    Key,

    /// <summary>A soft key was held down for half a second.</summary>
    LongKey,

    /// <summary>Shift R was pressed and let go, and nothing else meanwhile.</summary>
    Back,

    /// <summary>A character of a keyboard.</summary>
    Type,
}

/// <summary>A gesture.</summary>
/// <param name="Steps">Detents of a turn, as they are: what moves through a list. The code point of a character.</param>
/// <param name="Amount">
/// Detents of a turn with acceleration, or a tenth of one with Shift L: what moves a value. 100 are a value's whole travel.
/// </param>
/// <param name="Shift">Whether Shift L is down.</param>
/// <param name="Held">Whether the encoder that turns is pushed at the same time.</param>
public readonly record struct Gesture(GestureKind Kind, Control Control, int Steps, double Amount, bool Shift, bool Held, ulong Time);
