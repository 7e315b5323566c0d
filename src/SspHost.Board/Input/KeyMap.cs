// Which key is which control: on the panel's own keys, and on a usual keyboard that stands beside it.
using SspHost.Panel.Surface;

namespace SspHost.Board;

/// <summary>
/// Key codes are those of linux/input-event-codes.h.
/// <para>The panel (gpio-keys): KEY_1..KEY_4, BTN_0..BTN_3 push the encoders; KEY_F1..KEY_F8 are the soft keys; the arrows and the two shifts are themselves.</para>
/// <para>
/// A keyboard: F1..F8 are the soft keys, the arrows themselves, the left and right Ctrl the two shifts, F9..F12 push the encoders. With Alt, Q and A, W and S,
/// E and D, R and F turn E1..E4 up and down, and 1..4 push them. Everything else types, as on an American keyboard.
/// </para>
/// </summary>
public static class KeyMap
{
    /// <summary>The panel's keys.</summary>
    public static IReadOnlyDictionary<int, Control> Panel { get; } = new Dictionary<int, Control>
    {
        [2] = Control.E1, [3] = Control.E2, [4] = Control.E3, [5] = Control.E4,
        [0x100] = Control.E1, [0x101] = Control.E2, [0x102] = Control.E3, [0x103] = Control.E4,
        [59] = Control.K1, [60] = Control.K2, [61] = Control.K3, [62] = Control.K4,
        [63] = Control.K5, [64] = Control.K6, [65] = Control.K7, [66] = Control.K8,
        [105] = Control.Left, [106] = Control.Right, [103] = Control.Up, [108] = Control.Down,
        [42] = Control.ShiftLeft, [54] = Control.ShiftRight,
    };

    /// <summary>A keyboard's.</summary>
    public static IReadOnlyDictionary<int, Control> Keyboard { get; } = new Dictionary<int, Control>
    {
        [59] = Control.K1, [60] = Control.K2, [61] = Control.K3, [62] = Control.K4,
        [63] = Control.K5, [64] = Control.K6, [65] = Control.K7, [66] = Control.K8,
        [67] = Control.E1, [68] = Control.E2, [87] = Control.E3, [88] = Control.E4,
        [105] = Control.Left, [106] = Control.Right, [103] = Control.Up, [108] = Control.Down,
        [29] = Control.ShiftLeft, [97] = Control.ShiftRight,
    };

    internal const int LeftShift = 42, RightShift = 54, LeftAlt = 56, RightAlt = 100;

    // By key code, from 0; a space where there is no character. Then with a shift.
    private const string Plain = "  1234567890-=  qwertyuiop[]  asdfghjkl;'` \\zxcvbnm,./";
    private const string Shifted = "  !@#$%^&*()_+  QWERTYUIOP{}  ASDFGHJKL:\"~ |ZXCVBNM<>?";

    /// <summary>What a key types: a code point, 8 deletes, 13 is done, 27 cancels; 0: nothing.</summary>
    internal static int Character(int code, bool shift)
    {
        switch (code)
        {
            case 1: return 27;
            case 14: return 8;
            case 28 or 96: return 13;
            case 57: return ' ';
        }

        if (code < 0 || code >= Plain.Length) return 0;
        var character = (shift ? Shifted : Plain)[code];
        return character == ' ' ? 0 : character;
    }

    /// <summary>What a letter turns while Alt is down.</summary>
    internal static bool Turns(int code, out Control encoder, out int detents)
    {
        (encoder, detents) = code switch
        {
            >= 16 and <= 19 => ((Control)(code - 16), 1), // Q W E R
            >= 30 and <= 33 => ((Control)(code - 30), -1), // A S D F
            _ => (Control.E1, 0),
        };
        return detents != 0;
    }
}
