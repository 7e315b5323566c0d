// The two rings between a file and the engine, seen from the engine: interleaved sample values there, volts per jack here.
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>
/// Reads frames from one <see cref="StreamRing"/> and writes frames to another; either may be missing (silence, nobody listens). Channel
/// c is jack c; more
/// jacks than channels read silence or are not written. Counts are published after the frames (release order), so that a peer in another
/// process sees whole
/// frames only.
/// </summary>
public unsafe struct StreamEnds
{
    private readonly StreamRing* _input, _output;
    private readonly int _inputChannels, _outputChannels; // copies: the other process could change the header under us
    private readonly uint _inputMask, _outputMask;

    private StreamEnds(StreamRing* input, StreamRing* output)
    {
        _input = input;
        _output = output;
        if (input != null) (_inputChannels, _inputMask) = (input->Channels, (uint)input->Capacity - 1);
        if (output != null) (_outputChannels, _outputMask) = (output->Channels, (uint)output->Capacity - 1);
    }

    public readonly bool HasInput => _input != null;

    /// <summary>
    /// The rings named by a configuration within a region; false if one is not wholly inside, or its channels (1..32) or capacity (a
    /// power of two, at least
    /// two quanta) are impossible.
    /// </summary>
    public static bool TryOpen(in AudioConfig config, byte* region, long regionBytes, out StreamEnds ends)
    {
        ends = default;
        if (!IsRing(config.InputStream, config.Quantum, region, regionBytes) || !IsRing(config.OutputStream, config.Quantum, region, regionBytes)) return false;
        ends = new StreamEnds(
            config.InputStream == 0 ? null : (StreamRing*)(region + config.InputStream),
            config.OutputStream == 0 ? null : (StreamRing*)(region + config.OutputStream));
        return true;
    }

    private static bool IsRing(long offset, int quantum, byte* region, long regionBytes)
    {
        if (offset == 0) return true;
        if (offset < 0 || (offset & 63) != 0 || offset > regionBytes - sizeof(StreamRing)) return false;
        var ring = (StreamRing*)(region + offset);
        var (channels, capacity) = (ring->Channels, ring->Capacity);
        if (channels is < 1 or > Limits.MaxJacks || capacity < 2 * quantum || (capacity & (capacity - 1)) != 0) return false;
        return (long)capacity * channels * sizeof(float) <= regionBytes - offset - sizeof(StreamRing);
    }

    /// <summary>Frames that can be read, and whether no more will come after them. Without an input: any number.</summary>
    public readonly ulong Readable(out bool last)
    {
        last = false;
        if (_input == null) return ulong.MaxValue;
        last = Volatile.Read(ref _input->Ended) != 0; // before the count: what is there after the end is all there will be
        return Volatile.Read(ref _input->Tail) - _input->Head;
    }

    /// <summary>Frames that can be written. Without an output: any number.</summary>
    public readonly ulong Writable => _output == null ? ulong.MaxValue : (ulong)_outputMask + 1 - (_output->Tail - Volatile.Read(ref _output->Head));

    /// <summary>Reads up to <paramref name="frames"/> frames into the jacks, silence after them; the frames read.</summary>
    public readonly int Read(float** jacks, int jackCount, int frames)
    {
        var got = _input == null ? frames : (int)Math.Min(Readable(out _), (ulong)frames);
        for (var j = 0; j < jackCount; j++)
        {
            var there = j < _inputChannels ? got : 0;
            for (var i = 0; i < there; i++)
            {
                var frame = (uint)(_input->Head + (ulong)i) & _inputMask;
                jacks[j][i] = Samples(_input)[((nint)frame * _inputChannels) + j] * Volts.FullScale;
            }

            new Span<float>(jacks[j] + there, frames - there).Clear();
        }

        if (_input != null) Volatile.Write(ref _input->Head, _input->Head + (ulong)got);
        return got;
    }

    /// <summary>Takes up to <paramref name="frames"/> frames without looking at them; the frames taken.</summary>
    public readonly ulong Skip(ulong frames)
    {
        if (_input == null) return frames;
        var got = Math.Min(Readable(out _), frames);
        Volatile.Write(ref _input->Head, _input->Head + got);
        return got;
    }

    /// <summary>
    /// Writes frames of the jacks; there must be room. Channels without a jack get silence. Not clipped: float files keep what exceeds
    /// full scale.
    /// </summary>
    public readonly void Write(float** jacks, int jackCount, int frames)
    {
        if (_output == null) return;
        for (var c = 0; c < _outputChannels; c++)
        {
            for (var i = 0; i < frames; i++)
            {
                var frame = (uint)(_output->Tail + (ulong)i) & _outputMask;
                Samples(_output)[((nint)frame * _outputChannels) + c] = c < jackCount ? jacks[c][i] * Volts.PerVolt : 0;
            }
        }

        Volatile.Write(ref _output->Tail, _output->Tail + (ulong)frames);
    }

    /// <summary>Writes up to <paramref name="frames"/> frames of silence, as many as there is room for; the frames written.</summary>
    public readonly ulong WriteSilence(ulong frames)
    {
        if (_output == null) return frames;
        var room = Math.Min(Writable, frames);
        for (ulong i = 0; i < room; i++)
        {
            var frame = (uint)(_output->Tail + i) & _outputMask;
            new Span<float>(Samples(_output) + ((nint)frame * _outputChannels), _outputChannels).Clear();
        }

        Volatile.Write(ref _output->Tail, _output->Tail + room);
        return room;
    }

    /// <summary>
    /// Sleeps until the peer moved the ring that holds us up, or for half a millisecond. A peer that wants no delay wakes the low word
    /// of the count
    /// it moved (Tail of the input, Head of the output) as a futex.
    /// </summary>
    public readonly void WaitForPeer(bool forInput)
    {
        const ulong Nap = 500_000;
        var word = forInput ? (uint*)&_input->Tail : (uint*)&_output->Head; // little-endian: the low half comes first
        Linux.Wait(word, Volatile.Read(ref *word), Nap);
    }

    private static float* Samples(StreamRing* ring) => (float*)((byte*)ring + sizeof(StreamRing));
}
