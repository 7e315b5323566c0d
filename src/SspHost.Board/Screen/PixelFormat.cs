// How a screen's memory holds a pixel.
namespace SspHost.Board;

internal enum PixelFormat : byte
{
    /// <summary>32 bits, red in bits 16..23: as the panel draws.</summary>
    Xrgb8888,

    /// <summary>32 bits, blue in bits 16..23.</summary>
    Xbgr8888,

    /// <summary>16 bits, red in the upper five.</summary>
    Rgb565,
}
