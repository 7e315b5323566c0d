// libasound, looked up when a sound card is first wanted: a machine without it still plays on the simulated card.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Loading;

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
    internal const int FormatS16Big = 3, FormatS24Big = 7, FormatS32Big = 11, FormatFloatBig = 15, FormatS24PackedBig = 33;
    internal const int TypeHw = 0;
    internal const int StateSuspended = 7;
    internal const int TimestampsOn = 1, TimestampsMonotonic = 1;

    internal static delegate* unmanaged<void**, byte*, int, int, int> Open;
    internal static delegate* unmanaged<void*, int> Close, Prepare, Start, Drop, Type, Resume, State;
    internal static delegate* unmanaged<void*, void*, int> Link;
    internal static delegate* unmanaged<void*, long> AvailUpdate;
    internal static delegate* unmanaged<void*, int, int> Wait;
    internal static delegate* unmanaged<void*, ulong*, Linux.TimeSpec*, int> HTimestamp;
    internal static delegate* unmanaged<void*, int*> GetChmap;
    internal static delegate* unmanaged<void*, int*, int> SetChmap;
    internal static delegate* unmanaged<delegate* unmanaged<byte*, int, byte*, int, byte*, void>, int> SetErrorHandler;
    internal static delegate* unmanaged<void*, AlsaArea**, ulong*, ulong*, int> MmapBegin;
    internal static delegate* unmanaged<void*, ulong, ulong, long> MmapCommit;
    internal static delegate* unmanaged<void**, int> HwMalloc, SwMalloc, StatusMalloc;
    internal static delegate* unmanaged<void*, void> HwFree, SwFree, StatusFree;
    internal static delegate* unmanaged<void*, void*, int> HwAny, HwInstall, SwCurrent, SwInstall, Status;
    internal static delegate* unmanaged<void*, Linux.TimeSpec*, void> StatusTrigger;
    internal static delegate* unmanaged<void*, void*, int, int> HwSetAccess, HwSetFormat, HwTestFormat, SwSetTimestampMode, SwSetTimestampType;
    internal static delegate* unmanaged<void*, void*, uint, int, int> HwSetRate;
    internal static delegate* unmanaged<void*, void*, uint*, int*, int> HwSetRateNear;
    internal static delegate* unmanaged<void*, void*, uint, int> HwSetResample;
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
        if (Loaded) return true;
        if (!SystemLibrary.TryOpen("libasound.so.2\0"u8, out var library)) return false;

        Open = (delegate* unmanaged<void**, byte*, int, int, int>)library.Find("snd_pcm_open\0"u8);
        Close = (delegate* unmanaged<void*, int>)library.Find("snd_pcm_close\0"u8);
        Prepare = (delegate* unmanaged<void*, int>)library.Find("snd_pcm_prepare\0"u8);
        Start = (delegate* unmanaged<void*, int>)library.Find("snd_pcm_start\0"u8);
        Drop = (delegate* unmanaged<void*, int>)library.Find("snd_pcm_drop\0"u8);
        Type = (delegate* unmanaged<void*, int>)library.Find("snd_pcm_type\0"u8);
        Link = (delegate* unmanaged<void*, void*, int>)library.Find("snd_pcm_link\0"u8);
        AvailUpdate = (delegate* unmanaged<void*, long>)library.Find("snd_pcm_avail_update\0"u8);
        Wait = (delegate* unmanaged<void*, int, int>)library.Find("snd_pcm_wait\0"u8);
        MmapBegin = (delegate* unmanaged<void*, AlsaArea**, ulong*, ulong*, int>)library.Find("snd_pcm_mmap_begin\0"u8);
        MmapCommit = (delegate* unmanaged<void*, ulong, ulong, long>)library.Find("snd_pcm_mmap_commit\0"u8);
        HTimestamp = (delegate* unmanaged<void*, ulong*, Linux.TimeSpec*, int>)library.Find("snd_pcm_htimestamp\0"u8);
        Resume = (delegate* unmanaged<void*, int>)library.Find("snd_pcm_resume\0"u8);
        State = (delegate* unmanaged<void*, int>)library.Find("snd_pcm_state\0"u8);
        GetChmap = (delegate* unmanaged<void*, int*>)library.Find("snd_pcm_get_chmap\0"u8);
        SetChmap = (delegate* unmanaged<void*, int*, int>)library.Find("snd_pcm_set_chmap\0"u8);
        SetErrorHandler = (delegate* unmanaged<delegate* unmanaged<byte*, int, byte*, int, byte*, void>, int>)library.Find("snd_lib_error_set_handler\0"u8);
        StatusMalloc = (delegate* unmanaged<void**, int>)library.Find("snd_pcm_status_malloc\0"u8);
        StatusFree = (delegate* unmanaged<void*, void>)library.Find("snd_pcm_status_free\0"u8);
        Status = (delegate* unmanaged<void*, void*, int>)library.Find("snd_pcm_status\0"u8);
        StatusTrigger = (delegate* unmanaged<void*, Linux.TimeSpec*, void>)library.Find("snd_pcm_status_get_trigger_htstamp\0"u8);
        SwSetTimestampMode = (delegate* unmanaged<void*, void*, int, int>)library.Find("snd_pcm_sw_params_set_tstamp_mode\0"u8);
        SwSetTimestampType = (delegate* unmanaged<void*, void*, int, int>)library.Find("snd_pcm_sw_params_set_tstamp_type\0"u8);
        HwSetRateNear = (delegate* unmanaged<void*, void*, uint*, int*, int>)library.Find("snd_pcm_hw_params_set_rate_near\0"u8);
        HwSetResample = (delegate* unmanaged<void*, void*, uint, int>)library.Find("snd_pcm_hw_params_set_rate_resample\0"u8);
        HwMalloc = (delegate* unmanaged<void**, int>)library.Find("snd_pcm_hw_params_malloc\0"u8);
        SwMalloc = (delegate* unmanaged<void**, int>)library.Find("snd_pcm_sw_params_malloc\0"u8);
        HwFree = (delegate* unmanaged<void*, void>)library.Find("snd_pcm_hw_params_free\0"u8);
        SwFree = (delegate* unmanaged<void*, void>)library.Find("snd_pcm_sw_params_free\0"u8);
        HwAny = (delegate* unmanaged<void*, void*, int>)library.Find("snd_pcm_hw_params_any\0"u8);
        HwInstall = (delegate* unmanaged<void*, void*, int>)library.Find("snd_pcm_hw_params\0"u8);
        SwCurrent = (delegate* unmanaged<void*, void*, int>)library.Find("snd_pcm_sw_params_current\0"u8);
        SwInstall = (delegate* unmanaged<void*, void*, int>)library.Find("snd_pcm_sw_params\0"u8);
        HwSetAccess = (delegate* unmanaged<void*, void*, int, int>)library.Find("snd_pcm_hw_params_set_access\0"u8);
        HwSetFormat = (delegate* unmanaged<void*, void*, int, int>)library.Find("snd_pcm_hw_params_set_format\0"u8);
        HwTestFormat = (delegate* unmanaged<void*, void*, int, int>)library.Find("snd_pcm_hw_params_test_format\0"u8);
        HwSetRate = (delegate* unmanaged<void*, void*, uint, int, int>)library.Find("snd_pcm_hw_params_set_rate\0"u8);
        HwSetChannelsNear = (delegate* unmanaged<void*, void*, uint*, int>)library.Find("snd_pcm_hw_params_set_channels_near\0"u8);
        HwSetPeriodNear = (delegate* unmanaged<void*, void*, ulong*, int*, int>)library.Find("snd_pcm_hw_params_set_period_size_near\0"u8);
        HwSetBufferNear = (delegate* unmanaged<void*, void*, ulong*, int>)library.Find("snd_pcm_hw_params_set_buffer_size_near\0"u8);
        HwGetPeriod = (delegate* unmanaged<void*, ulong*, int*, int>)library.Find("snd_pcm_hw_params_get_period_size\0"u8);
        HwGetBuffer = (delegate* unmanaged<void*, ulong*, int>)library.Find("snd_pcm_hw_params_get_buffer_size\0"u8);
        SwGetBoundary = (delegate* unmanaged<void*, ulong*, int>)library.Find("snd_pcm_sw_params_get_boundary\0"u8);
        SwSetStartThreshold = (delegate* unmanaged<void*, void*, ulong, int>)library.Find("snd_pcm_sw_params_set_start_threshold\0"u8);
        SwSetStopThreshold = (delegate* unmanaged<void*, void*, ulong, int>)library.Find("snd_pcm_sw_params_set_stop_threshold\0"u8);
        SwSetAvailMin = (delegate* unmanaged<void*, void*, ulong, int>)library.Find("snd_pcm_sw_params_set_avail_min\0"u8);

        Loaded = library.IsWhole;
        if (Loaded) _ = SetErrorHandler(&Quiet);
        return Loaded;
    }

    // The library writes to standard error whatever fails, also while a lost device is looked for five times a second: what failed is in
    // the reply, and said once. The variable arguments that C passes behind these five are left alone.
    [UnmanagedCallersOnly]
    private static void Quiet(byte* file, int line, byte* function, int error, byte* format)
    {
    }

    /// <summary>Frees what the library allocated for its caller.</summary>
    [LibraryImport("libc", EntryPoint = "free")]
    internal static partial void Release(void* block);
}
