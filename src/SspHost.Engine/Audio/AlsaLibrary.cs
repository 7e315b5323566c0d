// libasound, looked up when a sound card is first wanted: a machine without it still plays on the simulated card.
using System.Runtime.InteropServices;

namespace SspHost.Engine.Audio;

/// <summary>snd_pcm_channel_area_t: where the samples of a channel lie; positions in bits.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct AlsaArea
{
    internal byte* Address;
    internal uint First, Step;
}

/// <summary>
/// The functions of libasound used here, by their own names without the prefix. Nothing managed is allocated by loading it.
/// </summary>
internal static unsafe partial class AlsaLibrary
{
    internal const int Playback = 0, Capture = 1;
    internal const int NonBlock = 1;
    internal const int MmapInterleaved = 0, MmapNonInterleaved = 1, MmapComplex = 2;
    internal const int FormatS16 = 2, FormatS24 = 6, FormatS32 = 10, FormatFloat = 14, FormatS24Packed = 32;
    internal const int TypeHw = 0;

    internal static delegate* unmanaged<void**, byte*, int, int, int> Open;
    internal static delegate* unmanaged<void*, int> Close, Prepare, Start, Drop, Type;
    internal static delegate* unmanaged<void*, void*, int> Link;
    internal static delegate* unmanaged<void*, long> AvailUpdate;
    internal static delegate* unmanaged<void*, int, int> Wait;
    internal static delegate* unmanaged<void*, AlsaArea**, ulong*, ulong*, int> MmapBegin;
    internal static delegate* unmanaged<void*, ulong, ulong, long> MmapCommit;
    internal static delegate* unmanaged<void**, int> HwMalloc, SwMalloc;
    internal static delegate* unmanaged<void*, void> HwFree, SwFree;
    internal static delegate* unmanaged<void*, void*, int> HwAny, HwInstall, SwCurrent, SwInstall;
    internal static delegate* unmanaged<void*, void*, int, int> HwSetAccess, HwSetFormat, HwTestFormat;
    internal static delegate* unmanaged<void*, void*, uint, int, int> HwSetRate;
    internal static delegate* unmanaged<void*, void*, uint*, int> HwSetChannelsNear;
    internal static delegate* unmanaged<void*, void*, ulong*, int*, int> HwSetPeriodNear;
    internal static delegate* unmanaged<void*, void*, ulong*, int> HwSetBufferNear;
    internal static delegate* unmanaged<void*, ulong*, int*, int> HwGetPeriod;
    internal static delegate* unmanaged<void*, ulong*, int> HwGetBuffer;
    internal static delegate* unmanaged<void*, ulong*, int> SwGetBoundary;
    internal static delegate* unmanaged<void*, void*, ulong, int> SwSetStartThreshold, SwSetStopThreshold, SwSetAvailMin;

    /// <summary>Whether all of them are there.</summary>
    internal static bool Loaded;

    /// <summary>Loads it once; false where it is missing or too old. [steward]</summary>
    internal static bool TryLoad()
    {
        const int Now = 2;
        if (Loaded) return true;
        void* library;
        fixed (byte* name = "libasound.so.2\0"u8) library = DlOpen(name, Now);
        if (library == null) return false;

        Open = (delegate* unmanaged<void**, byte*, int, int, int>)Find(library, "snd_pcm_open\0"u8);
        Close = (delegate* unmanaged<void*, int>)Find(library, "snd_pcm_close\0"u8);
        Prepare = (delegate* unmanaged<void*, int>)Find(library, "snd_pcm_prepare\0"u8);
        Start = (delegate* unmanaged<void*, int>)Find(library, "snd_pcm_start\0"u8);
        Drop = (delegate* unmanaged<void*, int>)Find(library, "snd_pcm_drop\0"u8);
        Type = (delegate* unmanaged<void*, int>)Find(library, "snd_pcm_type\0"u8);
        Link = (delegate* unmanaged<void*, void*, int>)Find(library, "snd_pcm_link\0"u8);
        AvailUpdate = (delegate* unmanaged<void*, long>)Find(library, "snd_pcm_avail_update\0"u8);
        Wait = (delegate* unmanaged<void*, int, int>)Find(library, "snd_pcm_wait\0"u8);
        MmapBegin = (delegate* unmanaged<void*, AlsaArea**, ulong*, ulong*, int>)Find(library, "snd_pcm_mmap_begin\0"u8);
        MmapCommit = (delegate* unmanaged<void*, ulong, ulong, long>)Find(library, "snd_pcm_mmap_commit\0"u8);
        HwMalloc = (delegate* unmanaged<void**, int>)Find(library, "snd_pcm_hw_params_malloc\0"u8);
        SwMalloc = (delegate* unmanaged<void**, int>)Find(library, "snd_pcm_sw_params_malloc\0"u8);
        HwFree = (delegate* unmanaged<void*, void>)Find(library, "snd_pcm_hw_params_free\0"u8);
        SwFree = (delegate* unmanaged<void*, void>)Find(library, "snd_pcm_sw_params_free\0"u8);
        HwAny = (delegate* unmanaged<void*, void*, int>)Find(library, "snd_pcm_hw_params_any\0"u8);
        HwInstall = (delegate* unmanaged<void*, void*, int>)Find(library, "snd_pcm_hw_params\0"u8);
        SwCurrent = (delegate* unmanaged<void*, void*, int>)Find(library, "snd_pcm_sw_params_current\0"u8);
        SwInstall = (delegate* unmanaged<void*, void*, int>)Find(library, "snd_pcm_sw_params\0"u8);
        HwSetAccess = (delegate* unmanaged<void*, void*, int, int>)Find(library, "snd_pcm_hw_params_set_access\0"u8);
        HwSetFormat = (delegate* unmanaged<void*, void*, int, int>)Find(library, "snd_pcm_hw_params_set_format\0"u8);
        HwTestFormat = (delegate* unmanaged<void*, void*, int, int>)Find(library, "snd_pcm_hw_params_test_format\0"u8);
        HwSetRate = (delegate* unmanaged<void*, void*, uint, int, int>)Find(library, "snd_pcm_hw_params_set_rate\0"u8);
        HwSetChannelsNear = (delegate* unmanaged<void*, void*, uint*, int>)Find(library, "snd_pcm_hw_params_set_channels_near\0"u8);
        HwSetPeriodNear = (delegate* unmanaged<void*, void*, ulong*, int*, int>)Find(library, "snd_pcm_hw_params_set_period_size_near\0"u8);
        HwSetBufferNear = (delegate* unmanaged<void*, void*, ulong*, int>)Find(library, "snd_pcm_hw_params_set_buffer_size_near\0"u8);
        HwGetPeriod = (delegate* unmanaged<void*, ulong*, int*, int>)Find(library, "snd_pcm_hw_params_get_period_size\0"u8);
        HwGetBuffer = (delegate* unmanaged<void*, ulong*, int>)Find(library, "snd_pcm_hw_params_get_buffer_size\0"u8);
        SwGetBoundary = (delegate* unmanaged<void*, ulong*, int>)Find(library, "snd_pcm_sw_params_get_boundary\0"u8);
        SwSetStartThreshold = (delegate* unmanaged<void*, void*, ulong, int>)Find(library, "snd_pcm_sw_params_set_start_threshold\0"u8);
        SwSetStopThreshold = (delegate* unmanaged<void*, void*, ulong, int>)Find(library, "snd_pcm_sw_params_set_stop_threshold\0"u8);
        SwSetAvailMin = (delegate* unmanaged<void*, void*, ulong, int>)Find(library, "snd_pcm_sw_params_set_avail_min\0"u8);

        Loaded = s_missing == 0;
        return Loaded;
    }

    private static int s_missing;

    private static void* Find(void* library, ReadOnlySpan<byte> name)
    {
        fixed (byte* n = name)
        {
            var address = DlSym(library, n);
            if (address == null) s_missing++;
            return address;
        }
    }

    [LibraryImport("libc", EntryPoint = "dlopen")]
    private static partial void* DlOpen(byte* name, int flags);

    [LibraryImport("libc", EntryPoint = "dlsym")]
    private static partial void* DlSym(void* library, byte* name);
}
