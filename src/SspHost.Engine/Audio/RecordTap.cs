// A tap on the jacks: copies what each quantum carried into a recording's ring, and never waits for whoever writes it down.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>
/// A recording as the audio thread needs it. The header in the region can be written by the control process at any time, so what must hold is
/// copied from it once.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct RecordTap
{
    private RecordRing* _ring;
    private int _channels, _capacity;
    private fixed ushort _jacks[RecordRing.MaxChannels];

    /// <summary>The ring; null: nothing is recorded. [steward]</summary>
    public readonly RecordRing* Ring => _ring;

    /// <summary>Checks a ring that lies in a block of <paramref name="bytes"/> bytes; false if it describes more or less than that. [steward]</summary>
    public static bool TryMake(RecordRing* ring, long bytes, out RecordTap tap)
    {
        tap = default;
        if (bytes < sizeof(RecordRing)) return false;
        var (channels, capacity) = (ring->Channels, ring->Capacity);
        if (channels is < 1 or > RecordRing.MaxChannels || capacity < 1 || (capacity & (capacity - 1)) != 0 || RecordRing.BytesFor(channels, capacity) > bytes) return false;
        for (var c = 0; c < channels; c++)
        {
            tap._jacks[c] = ring->Jacks[c];
            if ((tap._jacks[c] & ~RecordRing.Input) >= Limits.MaxJacks) return false;
        }

        tap._ring = ring;
        (tap._channels, tap._capacity) = (channels, capacity);
        (ring->Head, ring->Tail, ring->Dropped) = (0, 0, 0);
        return true;
    }

    /// <summary>Takes a quantum. [audio-thread]</summary>
    public readonly void Push(in RecordBlock head, float** inputs, int inputCount, float** outputs, int outputCount)
    {
        var tail = _ring->Tail;
        if (tail - Volatile.Read(ref _ring->Head) >= (ulong)_capacity)
        {
            Volatile.Write(ref _ring->Dropped, _ring->Dropped + 1);
            return;
        }

        var block = RecordRing.Block(_ring, tail, _channels, _capacity);
        *block = head;
        var to = (float*)(block + 1);
        for (var c = 0; c < _channels; c++, to += head.Frames)
        {
            var jack = _jacks[c] & ~RecordRing.Input;
            var input = (_jacks[c] & RecordRing.Input) != 0;
            var from = input ? inputs : outputs;
            var count = input ? inputCount : outputCount;
            if (jack < count) NativeMemory.Copy(from[jack], to, (nuint)head.Frames * sizeof(float));
            else NativeMemory.Clear(to, (nuint)head.Frames * sizeof(float));
        }

        Volatile.Write(ref _ring->Tail, tail + 1);
    }
}

/// <summary>Where steward and audio thread meet: one tap is used while the other is made ready. At a fixed address of the region.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct RecordTaps
{
    /// <summary>Starts of audio so far. [steward, stopped]</summary>
    public int Starts;

    private int _next;
    private RecordTap _a, _b;
    private nint _current;

    /// <summary>What is recorded now, or null. [audio-thread]</summary>
    public static RecordTap* Current(RecordTaps* taps) => (RecordTap*)Volatile.Read(ref taps->_current);

    /// <summary>
    /// Puts a tap in place of the one before; what the audio thread may still be writing to is free once it has finished the quantum after this.
    /// [steward]
    /// </summary>
    public static void Use(RecordTaps* taps, in RecordTap tap)
    {
        var place = (taps->_next++ & 1) == 0 ? &taps->_a : &taps->_b;
        *place = tap;
        Volatile.Write(ref taps->_current, (nint)place);
    }

    /// <summary>Takes it out; as after <see cref="Use"/>. Again is harmless: what the audio thread may still read stays as it is. [steward]</summary>
    public static void UseNone(RecordTaps* taps) => Volatile.Write(ref taps->_current, 0);
}
