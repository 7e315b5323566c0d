// What the jacks carried, quantum by quantum, on its way into a recording: each block says when it belongs, so that what is missing can be told.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>
/// Header of a recording's ring; blocks follow it. The control process fills in what is wanted and grants the block; the audio thread pushes a
/// block a quantum and never waits: where there is no room, blocks are counted as dropped, and their numbers are missing.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 640)]
public unsafe struct RecordRing
{
    /// <summary>Bit of <see cref="Jacks"/> that makes it an input jack.</summary>
    public const ushort Input = 0x8000;

    /// <summary>Jacks recorded at most.</summary>
    public const int MaxChannels = 2 * Limits.MaxJacks;

    /// <summary>Jacks recorded, in <see cref="Jacks"/>.</summary>
    [FieldOffset(0)]
    public int Channels;

    /// <summary>Blocks it holds, a power of two.</summary>
    [FieldOffset(4)]
    public int Capacity;

    /// <summary>Jack of each channel, from 0; an input with <see cref="Input"/>. One that the card does not have is silent.</summary>
    [FieldOffset(8)]
    public fixed ushort Jacks[MaxChannels];

    /// <summary>Blocks taken; written by the control process.</summary>
    [FieldOffset(256)]
    public ulong Head;

    /// <summary>Blocks pushed; written by the audio thread.</summary>
    [FieldOffset(384)]
    public ulong Tail;

    /// <summary>Blocks for which there was no room.</summary>
    [FieldOffset(392)]
    public ulong Dropped;

    /// <summary>Bytes of a block: its header and the longest quantum of each channel.</summary>
    public static int BlockBytes(int channels) => sizeof(RecordBlock) + (channels * Limits.MaxQuantum * sizeof(float));

    /// <summary>Bytes of a ring.</summary>
    public static long BytesFor(int channels, int capacity) => sizeof(RecordRing) + ((long)capacity * BlockBytes(channels));

    /// <summary>Block number <paramref name="n"/> of a ring.</summary>
    public static RecordBlock* Block(RecordRing* ring, ulong n, int channels, int capacity) =>
        (RecordBlock*)((byte*)ring + sizeof(RecordRing) + ((long)(n & (uint)(capacity - 1)) * BlockBytes(channels)));
}

/// <summary>A quantum of a recording, in volts; channels follow one after the other, <see cref="Frames"/> floats each.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RecordBlock
{
    /// <summary>Number of its first frame on the card's clock; it jumps by the frames lost in a dropout. It begins anew with each start of audio.</summary>
    public ulong Frame;

    /// <summary>CLOCK_MONOTONIC in ns when it was rendered.</summary>
    public ulong Time;

    public int Frames;

    /// <summary>Sample rate in Hz.</summary>
    public int Rate;

    /// <summary>Starts of audio by this engine so far.</summary>
    public int Start;

    /// <summary>Counts up each time a module begins to record (see <see cref="TelemetryKind.Recording"/>): a new take is a new file. 0 for jacks.</summary>
    public int Take;
}
