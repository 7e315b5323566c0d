// drm/drm.h and drm/drm_mode.h as far as they are used.
namespace SspHost.Board;

internal struct DrmGetCap
{
    public ulong Capability, Value;
}

internal unsafe struct DrmModeModeinfo
{
    public uint Clock;
    public ushort Hdisplay, HsyncStart, HsyncEnd, Htotal, Hskew, Vdisplay, VsyncStart, VsyncEnd, Vtotal, Vscan;
    public uint Vrefresh, Flags, Type;
    public fixed byte Name[32];
}

internal struct DrmModeCardRes
{
    public ulong FbIdPtr, CrtcIdPtr, ConnectorIdPtr, EncoderIdPtr;
    public uint CountFbs, CountCrtcs, CountConnectors, CountEncoders, MinWidth, MaxWidth, MinHeight, MaxHeight;
}

internal struct DrmModeCrtc
{
    public ulong SetConnectorsPtr;
    public uint CountConnectors, CrtcId, FbId, X, Y, GammaSize, ModeValid;
    public DrmModeModeinfo Mode;
}

internal struct DrmModeGetEncoder
{
    public uint EncoderId, EncoderType, CrtcId, PossibleCrtcs, PossibleClones;
}

internal struct DrmModeGetConnector
{
    public ulong EncodersPtr, ModesPtr, PropsPtr, PropValuesPtr;
    public uint CountModes, CountProps, CountEncoders, EncoderId, ConnectorId, ConnectorType, ConnectorTypeId, Connection, MmWidth, MmHeight, Subpixel, Pad;
}

internal struct DrmModeFbCmd
{
    public uint FbId, Width, Height, Pitch, Bpp, Depth, Handle;
}

internal struct DrmModeFbDirtyCmd
{
    public uint FbId, Flags, Color, NumClips;
    public ulong ClipsPtr;
}

internal struct DrmModeCrtcPageFlip
{
    public uint CrtcId, FbId, Flags, Reserved;
    public ulong UserData;
}

internal struct DrmModeCreateDumb
{
    public uint Height, Width, Bpp, Flags, Handle, Pitch;
    public ulong Size;
}

internal struct DrmModeMapDumb
{
    public uint Handle, Pad;
    public ulong Offset;
}

internal struct DrmModeDestroyDumb
{
    public uint Handle;
}

/// <summary>struct drm_event and drm_event_vblank.</summary>
internal struct DrmEventVblank
{
    public uint Type, Length;
    public ulong UserData;
    public uint TvSec, TvUsec, Sequence, CrtcId;
}

internal static unsafe class DrmAbi
{
    public const ulong CapabilityDumbBuffer = 1;
    public const uint Connected = 1;
    public const uint FlagInterlace = 1 << 4, TypePreferred = 1 << 3;
    public const uint FlipEvent = 1, FlipComplete = 2;

    public static readonly uint GetCap = IoctlNumber.ReadWrite('d', 0x0c, sizeof(DrmGetCap));
    public static readonly uint SetMaster = IoctlNumber.None('d', 0x1e);
    public static readonly uint DropMaster = IoctlNumber.None('d', 0x1f);
    public static readonly uint GetResources = IoctlNumber.ReadWrite('d', 0xa0, sizeof(DrmModeCardRes));
    public static readonly uint SetCrtc = IoctlNumber.ReadWrite('d', 0xa2, sizeof(DrmModeCrtc));
    public static readonly uint GetEncoder = IoctlNumber.ReadWrite('d', 0xa6, sizeof(DrmModeGetEncoder));
    public static readonly uint GetConnector = IoctlNumber.ReadWrite('d', 0xa7, sizeof(DrmModeGetConnector));
    public static readonly uint AddFb = IoctlNumber.ReadWrite('d', 0xae, sizeof(DrmModeFbCmd));
    public static readonly uint RemoveFb = IoctlNumber.ReadWrite('d', 0xaf, sizeof(uint));
    public static readonly uint PageFlip = IoctlNumber.ReadWrite('d', 0xb0, sizeof(DrmModeCrtcPageFlip));
    public static readonly uint DirtyFb = IoctlNumber.ReadWrite('d', 0xb1, sizeof(DrmModeFbDirtyCmd));
    public static readonly uint CreateDumb = IoctlNumber.ReadWrite('d', 0xb2, sizeof(DrmModeCreateDumb));
    public static readonly uint MapDumb = IoctlNumber.ReadWrite('d', 0xb3, sizeof(DrmModeMapDumb));
    public static readonly uint DestroyDumb = IoctlNumber.ReadWrite('d', 0xb4, sizeof(DrmModeDestroyDumb));

    // Names as the kernel writes them in /sys/class/drm, by connector type.
    private static readonly string[] ConnectorNames =
    [
        "Unknown", "VGA", "DVI-I", "DVI-D", "DVI-A", "Composite", "SVIDEO", "LVDS", "Component", "DIN", "DP", "HDMI-A", "HDMI-B", "TV", "eDP", "Virtual",
        "DSI", "DPI", "Writeback", "SPI", "USB",
    ];

    public static string ConnectorName(uint type, uint number) => $"{(type < ConnectorNames.Length ? ConnectorNames[type] : "Unknown")}-{number}";

    /// <summary>LVDS, eDP, DSI, DPI, SPI: what is screwed to the board.</summary>
    public static bool IsBuiltIn(uint type) => type is 7 or 14 or 16 or 17 or 19;

    /// <summary>Writes into memory, shows nothing.</summary>
    public static bool IsWriteback(uint type) => type == 18;
}
