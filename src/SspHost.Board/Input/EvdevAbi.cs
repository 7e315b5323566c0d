// linux/input.h as far as it is used; 64-bit systems.
namespace SspHost.Board;

/// <summary>struct input_event.</summary>
internal struct InputEvent
{
    public long Seconds, Microseconds;
    public ushort Type, Code;
    public int Value;
}

internal static class EvdevAbi
{
    public const int Sync = 0, Key = 1, Relative = 2;
    public const int Report = 0, Dropped = 3;
    public const int KeyCount = 0x300, KeyBytes = KeyCount / 8, AxisCount = 16;
    public const int AxisX = 0, AxisY = 1, HorizontalWheel = 6, Dial = 7, Wheel = 8, LeftButton = 0x110;
    public const int NameLength = 128;

    public static readonly uint GetName = IoctlNumber.Read('E', 0x06, NameLength);
    public static readonly uint GetKeyState = IoctlNumber.Read('E', 0x18, KeyBytes);
    public static readonly uint Grab = IoctlNumber.Write('E', 0x90, sizeof(int));
    public static readonly uint SetClock = IoctlNumber.Write('E', 0xa0, sizeof(int));

    /// <summary>Which codes of a type a device has; of type 0: which types.</summary>
    public static uint GetBits(uint type, int bytes) => IoctlNumber.Read('E', 0x20 + type, bytes);

    public static bool Has(ReadOnlySpan<byte> bits, int code) => (bits[code >> 3] & (1 << (code & 7))) != 0;
}
