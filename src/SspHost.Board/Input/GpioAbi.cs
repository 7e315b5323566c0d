// linux/gpio.h, version 2, as far as it is used.
namespace SspHost.Board;

/// <summary>struct gpiochip_info.</summary>
internal unsafe struct GpioChipInfo
{
    public fixed byte Name[32];
    public fixed byte Label[32];
    public uint Lines;
}

/// <summary>struct gpio_v2_line_attribute; the union is one 64-bit word.</summary>
internal struct GpioLineAttribute
{
    public uint Id, Padding;
    public ulong Flags;
}

/// <summary>struct gpio_v2_line_config_attribute.</summary>
internal struct GpioLineConfigAttribute
{
    public GpioLineAttribute Attr;
    public ulong Mask;
}

/// <summary>struct gpio_v2_line_config.</summary>
internal unsafe struct GpioLineConfig
{
    public ulong Flags;
    public uint NumAttrs;
    public fixed uint Padding[5];
    public GpioLineConfigAttribute Attr0, Attr1, Attr2, Attr3, Attr4, Attr5, Attr6, Attr7, Attr8, Attr9;
}

/// <summary>struct gpio_v2_line_request.</summary>
internal unsafe struct GpioLineRequest
{
    public fixed uint Offsets[64];
    public fixed byte Consumer[32];
    public GpioLineConfig Config;
    public uint NumLines, EventBufferSize;
    public fixed uint Padding[5];
    public int Fd;
}

/// <summary>struct gpio_v2_line_info.</summary>
internal unsafe struct GpioLineInfo
{
    public fixed byte Name[32];
    public fixed byte Consumer[32];
    public uint Offset, NumAttrs;
    public ulong Flags;
    public fixed ulong Attrs[20];
    public fixed uint Padding[4];
}

/// <summary>struct gpio_v2_line_values.</summary>
internal struct GpioLineValues
{
    public ulong Bits, Mask;
}

/// <summary>struct gpio_v2_line_event.</summary>
internal unsafe struct GpioLineEvent
{
    public ulong TimestampNs;
    public uint Id, Offset, Seqno, LineSeqno;
    public fixed uint Padding[6];
}

internal static unsafe class GpioAbi
{
    public const ulong Used = 1, ActiveLow = 2, InputLine = 4, OutputLine = 8, EdgeRising = 16, EdgeFalling = 32, PullUp = 256;
    public const uint AttributeValues = 2, AttributeDebounce = 3;
    public const uint Rising = 1, Falling = 2;

    public static readonly uint GetChipInfo = IoctlNumber.Read((char)0xB4, 0x01, sizeof(GpioChipInfo));
    public static readonly uint GetLineInfo = IoctlNumber.ReadWrite((char)0xB4, 0x05, sizeof(GpioLineInfo));
    public static readonly uint GetLine = IoctlNumber.ReadWrite((char)0xB4, 0x07, sizeof(GpioLineRequest));
    public static readonly uint GetValues = IoctlNumber.ReadWrite((char)0xB4, 0x0E, sizeof(GpioLineValues));
    public static readonly uint SetValues = IoctlNumber.ReadWrite((char)0xB4, 0x0F, sizeof(GpioLineValues));
}
