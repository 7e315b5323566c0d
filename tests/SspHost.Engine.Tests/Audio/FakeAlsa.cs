// A sound card in place of libasound's: what it has available, when it fails and what its wait says are a test's to decide.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio;

/// <summary>A playback device of type hw. One at a time: the functions of libasound are looked up once per process.</summary>
internal sealed unsafe class FakeAlsa : IDisposable
{
    private const int Channels = 2, Frames = 1 << 14;

    private static byte* s_memory;
    private static AlsaArea* s_areas;
    private static ulong s_period, s_buffer;

    /// <summary>What the device says is available, or -errno.</summary>
    internal static long Available;

    /// <summary>What linking two of them says, and how often one was started.</summary>
    internal static int LinkResult, Starts;

    /// <summary>CLOCK_MONOTONIC in ns of the hardware's last move; 0: the device has no timestamps.</summary>
    internal static ulong StampedAt;

    /// <summary>What its wait returns, at once; and how often it was asked.</summary>
    internal static int WaitResult, Waits;

    internal FakeAlsa()
    {
        s_memory = (byte*)NativeMemory.AllocZeroed(Frames * Channels * 4);
        s_areas = (AlsaArea*)NativeMemory.AllocZeroed(Channels, (nuint)sizeof(AlsaArea));
        for (var c = 0; c < Channels; c++) s_areas[c] = new AlsaArea { Address = s_memory, First = (uint)c * 32, Step = Channels * 32 };
        (Available, WaitResult, Waits, StampedAt) = (0, 1, 0, 0);
        (LinkResult, Starts) = (0, 0);

        AlsaLibrary.Open = &Open;
        AlsaLibrary.Close = AlsaLibrary.Prepare = AlsaLibrary.Drop = AlsaLibrary.Type = &Zero; // SND_PCM_TYPE_HW is 0
        AlsaLibrary.Start = &Start;
        AlsaLibrary.Link = &Link;
        AlsaLibrary.AvailUpdate = &AvailUpdate;
        AlsaLibrary.Wait = &Wait;
        AlsaLibrary.MmapBegin = &MmapBegin;
        AlsaLibrary.MmapCommit = &MmapCommit;
        AlsaLibrary.HwMalloc = AlsaLibrary.SwMalloc = AlsaLibrary.StatusMalloc = &Allocate;
        AlsaLibrary.HwFree = AlsaLibrary.SwFree = AlsaLibrary.StatusFree = &Free;
        AlsaLibrary.HwAny = AlsaLibrary.HwInstall = AlsaLibrary.SwCurrent = AlsaLibrary.SwInstall = &Zero;
        AlsaLibrary.HwSetAccess = AlsaLibrary.HwSetFormat = AlsaLibrary.HwTestFormat = &Zero;
        AlsaLibrary.HwSetRate = &Rate;
        AlsaLibrary.HwSetRateNear = &RateNear;
        AlsaLibrary.HwSetResample = &Resample;
        AlsaLibrary.SwSetTimestampMode = AlsaLibrary.SwSetTimestampType = &Zero;
        AlsaLibrary.HTimestamp = &HTimestamp;
        AlsaLibrary.Resume = AlsaLibrary.State = &Zero;
        AlsaLibrary.Status = &Zero;
        AlsaLibrary.StatusTrigger = &NoTrigger;
        AlsaLibrary.GetChmap = &NoChmap;
        AlsaLibrary.HwSetChannelsNear = &SetChannels;
        AlsaLibrary.HwSetPeriodNear = &SetPeriod;
        AlsaLibrary.HwSetBufferNear = &SetBuffer;
        AlsaLibrary.HwGetPeriod = &GetPeriod;
        AlsaLibrary.HwGetBuffer = &GetBuffer;
        AlsaLibrary.SwGetBoundary = &GetBoundary;
        AlsaLibrary.SwSetStartThreshold = AlsaLibrary.SwSetStopThreshold = AlsaLibrary.SwSetAvailMin = &Threshold;
        AlsaLibrary.Loaded = true;
    }

    public void Dispose()
    {
        AlsaLibrary.Loaded = false; // the next one looks the real ones up again
        NativeMemory.Free(s_memory);
        NativeMemory.Free(s_areas);
    }

    [UnmanagedCallersOnly]
    private static int Open(void** pcm, byte* name, int stream, int mode)
    {
        *pcm = s_memory;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int Start(void* pcm)
    {
        Starts++;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int Link(void* a, void* b) => LinkResult;

    [UnmanagedCallersOnly]
    private static int Zero(void* pcm) => 0;

    [UnmanagedCallersOnly]
    private static int Zero(void* pcm, void* parameters) => 0;

    [UnmanagedCallersOnly]
    private static int Zero(void* pcm, void* parameters, int value) => 0;

    [UnmanagedCallersOnly]
    private static int Rate(void* pcm, void* parameters, uint rate, int direction) => 0;

    [UnmanagedCallersOnly]
    private static int RateNear(void* pcm, void* parameters, uint* rate, int* direction) => 0;

    [UnmanagedCallersOnly]
    private static int Resample(void* pcm, void* parameters, uint on) => 0;

    [UnmanagedCallersOnly]
    private static int HTimestamp(void* pcm, ulong* available, Linux.TimeSpec* at)
    {
        if (StampedAt == 0) return -38; // ENOSYS
        *available = (ulong)Available;
        *at = Linux.TimeSpec.FromNanoseconds(StampedAt);
        return 0;
    }

    [UnmanagedCallersOnly]
    private static void NoTrigger(void* status, Linux.TimeSpec* at) => *at = default;

    [UnmanagedCallersOnly]
    private static int* NoChmap(void* pcm) => null;

    [UnmanagedCallersOnly]
    private static int Threshold(void* pcm, void* parameters, ulong frames) => 0;

    [UnmanagedCallersOnly]
    private static long AvailUpdate(void* pcm) => Available;

    [UnmanagedCallersOnly]
    private static int Wait(void* pcm, int milliseconds)
    {
        Waits++;
        return WaitResult;
    }

    [UnmanagedCallersOnly]
    private static int MmapBegin(void* pcm, AlsaArea** areas, ulong* offset, ulong* frames)
    {
        *areas = s_areas;
        *offset = 0;
        *frames = Math.Min(*frames, Frames);
        return 0;
    }

    [UnmanagedCallersOnly]
    private static long MmapCommit(void* pcm, ulong offset, ulong frames) => (long)frames;

    [UnmanagedCallersOnly]
    private static int Allocate(void** parameters)
    {
        *parameters = s_memory;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static void Free(void* parameters)
    {
    }

    [UnmanagedCallersOnly]
    private static int SetChannels(void* pcm, void* parameters, uint* channels)
    {
        *channels = Channels;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int SetPeriod(void* pcm, void* parameters, ulong* period, int* direction)
    {
        s_period = *period;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int SetBuffer(void* pcm, void* parameters, ulong* buffer)
    {
        s_buffer = *buffer;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int GetPeriod(void* parameters, ulong* period, int* direction)
    {
        *period = s_period;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int GetBuffer(void* parameters, ulong* buffer)
    {
        *buffer = s_buffer;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int GetBoundary(void* parameters, ulong* boundary)
    {
        *boundary = 1UL << 62;
        return 0;
    }
}
