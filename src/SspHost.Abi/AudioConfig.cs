// What the control process asks of the audio side: which card, how fast, in what pieces, on which cores.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>Kinds of card.</summary>
public enum CardKind : int
{
    /// <summary>A simulated card whose hardware pointer follows the monotonic clock.</summary>
    Simulated = 0,

    /// <summary>
    /// Streams through two rings of the region at whatever speed the control process feeds and drains them: offline rendering.
    /// </summary>
    Stream = 1,

    /// <summary>An ALSA PCM.</summary>
    Alsa = 2,

    /// <summary>The same rings, paced by the monotonic clock like the simulated card: a recording played in real time.</summary>
    PacedStream = 3,
}

/// <summary>Configuration of StartAudio.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct AudioConfig
{
    public CardKind Card;

    /// <summary>Sample rate in Hz.</summary>
    public int Rate;

    /// <summary>Frames of a quantum.</summary>
    public int Quantum;

    /// <summary>Frames of a device period; need not be a multiple of the quantum.</summary>
    public int Period;

    /// <summary>Periods of the device buffer, at least 2.</summary>
    public int Periods;

    /// <summary>Jacks wanted in each direction, 0..32; the device may have fewer.</summary>
    public int Inputs, Outputs;

    /// <summary>RT threads, the audio thread included; 0 = choose.</summary>
    public int Threads;

    /// <summary>
    /// Frames to render before the card ends by itself (an input that ends earlier is followed by silence); 0 = as many as the input has,
    /// or no end without one. Stream cards only.
    /// </summary>
    public ulong Frames;

    /// <summary>
    /// Offsets of the stream rings (<see cref="StreamRing"/>) in granted blocks; 0 = none.
    /// </summary>
    public long InputStream, OutputStream;

    /// <summary>Core of thread i (0 = the audio thread), or -1 to choose. Only the first Threads count.</summary>
    public fixed int Cores[Limits.MaxThreads];

    /// <summary>Name of the ALSA PCM, UTF-8, zero-terminated.</summary>
    public fixed byte Device[DeviceBytes];

    /// <summary>Name of the PCM to capture from; empty: <see cref="Device"/>. Named, it must open.</summary>
    public fixed byte CaptureDevice[DeviceBytes];

    /// <summary>
    /// Volts between the sample values 0 and 1.0 (full scale) of each jack of an ALSA card; negative where the converter inverts. 0 = not
    /// calibrated: 10 V.
    /// </summary>
    public fixed float InputFullScale[Limits.MaxJacks];

    /// <inheritdoc cref="InputFullScale"/>
    public fixed float OutputFullScale[Limits.MaxJacks];

    /// <summary>Volts at each jack where the sample value is 0: the converter's DC offset.</summary>
    public fixed float InputZero[Limits.MaxJacks];

    /// <inheritdoc cref="InputZero"/>
    public fixed float OutputZero[Limits.MaxJacks];

    /// <summary>
    /// Channel of the ALSA device behind each jack, from 1; -1 = none; 0 = the jack's own number, in the standard order of speakers where
    /// the device says which channel is which.
    /// </summary>
    public fixed sbyte InputChannels[Limits.MaxJacks];

    /// <inheritdoc cref="InputChannels"/>
    public fixed sbyte OutputChannels[Limits.MaxJacks];

    /// <summary>
    /// Output jacks (bit = jack) that hold their last voltage in frames nobody rendered: what a pitch CV wants. The others fall silent (0 V).
    /// </summary>
    public uint HoldOutputs;

    private readonly uint _reserved;

    /// <summary>Bytes of a device's name, terminating zero included.</summary>
    public const int DeviceBytes = 128;

    /// <summary>Highest channel of a device that a jack can be behind.</summary>
    public const int MaxDeviceChannels = 64;

    /// <summary>Smallest and largest |volts| of a full scale.</summary>
    public const float MinFullScale = 0.5f, MaxFullScale = 100f;
}

/// <summary>
/// Header of interleaved float frames on their way between a file and the engine; frames follow the header.
/// One producer, one consumer; counts are frames ever written and read.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 384)]
public struct StreamRing
{
    /// <summary>Floats per frame.</summary>
    [FieldOffset(0)]
    public int Channels;

    /// <summary>Frames it holds, a power of two.</summary>
    [FieldOffset(4)]
    public int Capacity;

    /// <summary>1 once the producer wrote its last frame.</summary>
    [FieldOffset(8)]
    public int Ended;

    /// <summary>Frames read; written by the consumer.</summary>
    [FieldOffset(128)]
    public ulong Head;

    /// <summary>Frames written; written by the producer.</summary>
    [FieldOffset(256)]
    public ulong Tail;
}
