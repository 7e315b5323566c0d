// What a WAV file says of its samples beside them: loop, pitch, markers, the length of a wave in a table of waves.
using System.Buffers.Binary;
using System.Globalization;

namespace SspHost.Wav;

/// <summary>
/// The chunks "smpl" ("Multimedia Programming Interface and Data Specifications 1.0, New Multimedia Data Types", Microsoft, 1994), "cue " (IBM and
/// Microsoft, 1991) and "clm " (Serum's: the text "&lt;!>2048" and more). They help and are not needed: what is damaged in them is ignored with a
/// warning that names the byte, and the samples are read all the same.
/// </summary>
internal sealed class WavFacts(string name)
{
    private const int LongestChunk = 1 << 16;
    private const int MostWarnings = 8;
    private const int SamplerBytes = 36, LoopBytes = 24, CueBytes = 24;
    private const int SmallestCycle = 16, LargestCycle = 1 << 16;

    private readonly List<string> _warnings = [];
    private readonly List<long> _cues = [];
    private long _loopAt, _cycleAt, _cuesAt;

    /// <summary>First frame of the loop and the one after its last; both 0: none.</summary>
    public long LoopStart { get; private set; }

    /// <inheritdoc cref="LoopStart"/>
    public long LoopEnd { get; private set; }

    /// <summary>Pitch of the recording in V/oct (0 = C4 = MIDI note 60); NaN: the file does not say.</summary>
    public float Root { get; private set; } = float.NaN;

    /// <summary>Frames of one wave of a table of waves; 0: the file does not say.</summary>
    public int CycleFrames { get; private set; }

    /// <summary>Frames with a marker, in the file's order.</summary>
    public IReadOnlyList<long> Cues => _cues;

    /// <summary>What was ignored, a line each.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Whether this is a chunk that is read here, and its length one that it may have.</summary>
    public bool Wants(ReadOnlySpan<byte> id, long at, long size)
    {
        if (!id.SequenceEqual("smpl"u8) && !id.SequenceEqual("cue "u8) && !id.SequenceEqual("clm "u8)) return false;
        if (size <= LongestChunk) return true;
        Warn(at, string.Create(CultureInfo.InvariantCulture, $"a chunk of at most {LongestChunk} bytes, not {size}"));
        return false;
    }

    /// <summary>Reads a chunk's body, which begins at byte <paramref name="at"/> of the file.</summary>
    public void Read(ReadOnlySpan<byte> id, ReadOnlySpan<byte> body, long at)
    {
        if (id.SequenceEqual("smpl"u8)) ReadSampler(body, at);
        else if (id.SequenceEqual("cue "u8)) ReadCues(body, at);
        else ReadCycle(body, at);
    }

    /// <summary>Holds what was read against the samples, whose number is known last.</summary>
    public void Check(long frames)
    {
        if (LoopEnd > frames)
        {
            Warn(_loopAt, string.Create(CultureInfo.InvariantCulture, $"a loop within the {frames} frames, not {LoopStart} to {LoopEnd - 1}"));
            (LoopStart, LoopEnd) = (0, 0);
        }

        if (CycleFrames > frames)
        {
            Warn(_cycleAt, string.Create(CultureInfo.InvariantCulture, $"waves no longer than the {frames} frames, not {CycleFrames}"));
            CycleFrames = 0;
        }

        var outside = _cues.RemoveAll(c => c > frames);
        if (outside > 0) Warn(_cuesAt, string.Create(CultureInfo.InvariantCulture, $"markers within the {frames} frames, {outside} are not"));
    }

    /// <summary>Remembers that something was ignored.</summary>
    public void Warn(long at, string expected)
    {
        if (_warnings.Count < MostWarnings) _warnings.Add(string.Create(CultureInfo.InvariantCulture, $"{name}, byte {at}: expected {expected}; it is ignored"));
    }

    private void ReadSampler(ReadOnlySpan<byte> body, long at)
    {
        if (body.Length < SamplerBytes)
        {
            Warn(at, string.Create(CultureInfo.InvariantCulture, $"a \"smpl\" chunk of at least {SamplerBytes} bytes, not {body.Length}"));
            return;
        }

        // The fraction is one of a semitone, upwards. Note 0 without one is what writers leave that have no note to tell.
        var (note, fraction) = (Number(body, 12), Number(body, 16));
        if (note > 127) Warn(at + 12, string.Create(CultureInfo.InvariantCulture, $"a MIDI note from 0 to 127, not {note}"));
        else if (note != 0 || fraction != 0) Root = (float)((note + (fraction / 4294967296.0) - 60.0) / 12.0);

        var loops = Number(body, 28);
        if (loops == 0) return;
        if (loops > (uint)((body.Length - SamplerBytes) / LoopBytes))
        {
            Warn(at + 28, string.Create(CultureInfo.InvariantCulture, $"at most {(body.Length - SamplerBytes) / LoopBytes} loops, which is what the chunk has room for, not {loops}"));
            return;
        }

        // The first loop is the one that is held; the last of its frames is named, not the one behind it.
        var (kind, start, last) = (Number(body, SamplerBytes + 4), Number(body, SamplerBytes + 8), Number(body, SamplerBytes + 12));
        if (start >= last)
        {
            Warn(at + SamplerBytes + 8, string.Create(CultureInfo.InvariantCulture, $"a loop that ends after its beginning, not {start} to {last}"));
            return;
        }

        if (kind != 0) Warn(at + SamplerBytes + 4, string.Create(CultureInfo.InvariantCulture, $"a forward loop (0), not kind {kind}; the loop is played forward"));
        (LoopStart, LoopEnd, _loopAt) = (start, last + 1L, at + SamplerBytes + 8);
    }

    private void ReadCues(ReadOnlySpan<byte> body, long at)
    {
        var count = body.Length >= 4 ? Number(body, 0) : uint.MaxValue;
        if (count > (uint)Math.Max(0, (body.Length - 4) / CueBytes))
        {
            Warn(at, string.Create(CultureInfo.InvariantCulture, $"markers of {CueBytes} bytes each in the chunk of {body.Length} bytes"));
            return;
        }

        _cuesAt = at;
        _cues.Clear();
        for (var i = 0; i < (int)count; i++) _cues.Add(Number(body, 4 + (i * CueBytes) + 20));
    }

    private void ReadCycle(ReadOnlySpan<byte> body, long at)
    {
        var digits = 0;
        var frames = 0;
        if (body.StartsWith("<!>"u8))
        {
            for (var i = 3; i < body.Length && digits < 6 && body[i] is >= (byte)'0' and <= (byte)'9'; i++, digits++) frames = (10 * frames) + body[i] - '0';
        }

        if (digits == 0 || frames is < SmallestCycle or > LargestCycle)
            Warn(at, string.Create(CultureInfo.InvariantCulture, $"\"<!>\" and the frames of a wave, {SmallestCycle} to {LargestCycle}"));
        else (CycleFrames, _cycleAt) = (frames, at);
    }

    private static uint Number(ReadOnlySpan<byte> body, int at) => BinaryPrimitives.ReadUInt32LittleEndian(body[at..]);
}
