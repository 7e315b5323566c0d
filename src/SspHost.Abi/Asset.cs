// Sample data a module plays: decoded by the control process into the region, handed over by one pointer.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>
/// Header of decoded audio in the region; the samples follow at <see cref="DataOffset"/> bytes from this header,
/// planar float32: channel c at <c>data + c * Stride</c>.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Asset
{
    /// <summary>Bytes from this header to the first sample; at least sizeof(Asset), 64-byte aligned.</summary>
    public long DataOffset;

    /// <summary>Frames per channel.</summary>
    public long Frames;

    /// <summary>Floats from one channel to the next.</summary>
    public long Stride;

    /// <summary>Channels, 1..16.</summary>
    public int Channels;

    /// <summary>Sample rate of the recording in Hz.</summary>
    public float Rate;

    /// <summary>First frame of the loop the file names (WAV's <c>smpl</c>), and the one after its last; both 0: none.</summary>
    public long LoopStart, LoopEnd;

    /// <summary>Pitch of the recording as the file names it, in V/oct (0 = C4); NaN: it does not say.</summary>
    public float Root;

    /// <summary>Frames of one wave where the file is a table of waves (WAV's <c>clm </c>); 0: it does not say.</summary>
    public int CycleFrames;

    /// <summary>Samples of one channel. The header must lie in the region, where its offset means something.</summary>
    public static float* Channel(Asset* asset, int channel) =>
        (float*)((byte*)asset + asset->DataOffset) + (channel * asset->Stride);
}
