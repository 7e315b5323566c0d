// A delay line that is read and written sixteen frames at a time: the past of one channel, four samples in a register.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>
/// A ring in memory the host gave. Delays are counted from the frame itself: delay D at frame i is what is written as frame i - D. Read
/// before the segment's <see cref="Write"/> the shortest delay is <see cref="Shortest"/>, so that what is read may be fed back; after it
/// (and before <see cref="Advance"/>) <see cref="ShortestAfter"/>. Between samples by <see cref="Lagrange"/>; whole delays are exact.
/// </summary>
public unsafe struct SegmentLine
{
    /// <summary>Shortest delay in frames of a segment that is not written yet.</summary>
    public const float Shortest = Limits.Grid + Lagrange.After + 1f;

    /// <summary>Shortest delay in frames, not whole, of a segment that is written.</summary>
    public const float ShortestAfter = Lagrange.After + 1f;

    // The ring's first samples again behind its end, so that a read never has to wrap.
    private const int Guard = 2 * Limits.Grid;
    private const int Margin = Limits.Grid + 8;

    private readonly float* _data;
    private readonly int _mask;
    private int _write, _quiet;

    /// <summary>Floats to ask for where the longest delay is <paramref name="frames"/>.</summary>
    public static long Floats(long frames) => Ring(frames) + Guard;

    /// <summary>Over a zeroed block of <see cref="Floats"/>(<paramref name="frames"/>).</summary>
    public SegmentLine(float* block, long frames)
    {
        _data = block;
        _mask = (int)Ring(frames) - 1;
    }

    /// <summary>Frames after which nothing written before can be read.</summary>
    public readonly int Length => _mask + 1;

    /// <summary>Whether everything that can be read is exactly zero.</summary>
    public readonly bool AtRest => _quiet > _mask;

    /// <summary>Where the next sample goes; see <see cref="Sample"/>.</summary>
    public readonly int Position => _write;

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Block.Zero(_data, _mask + 1 + Guard);
        _write = 0;
        _quiet = 0;
    }

    /// <summary>Where sixteen frames with a standing delay are found: in the line itself, or between samples in <paramref name="scratch"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float* Standing(float* scratch, double frames)
    {
        var whole = (int)frames;
        if (whole == frames) return _data + ((_write - whole) & _mask);
        Read(scratch, frames);
        return scratch;
    }

    /// <summary>Sixteen frames with a standing delay.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Read(float* target, double frames)
    {
        var whole = (int)frames;
        var part = (float)(frames - whole);
        if (part == 0f)
        {
            var source = _data + ((_write - whole) & _mask);
            for (var i = 0; i < Limits.Grid; i += 4) Vector128.Load(source + i).Store(target + i);
            return;
        }

        Lagrange.Weights(Vector128.Create(1f - part), out var w0, out var w1, out var w2, out var w3, out var w4, out var w5);
        var first = _data + ((_write - whole - 1 - Lagrange.Before) & _mask);
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var at = first + i;
            var near = (Vector128.Load(at + 2) * w2) + (Vector128.Load(at + 3) * w3);
            var middle = (Vector128.Load(at + 1) * w1) + (Vector128.Load(at + 4) * w4);
            var far = (Vector128.Load(at) * w0) + (Vector128.Load(at + 5) * w5);
            (near + (middle + far)).Store(target + i);
        }
    }

    /// <summary>Sixteen frames whose delay runs along a line, <paramref name="to"/> being that of the next segment's first frame.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Read(float* target, double from, double to)
    {
        if (from == to)
        {
            Read(target, from);
            return;
        }

        var whole = (int)from;
        var speed = Vector128.Create(1f - (float)((to - from) * (1.0 / Limits.Grid)));
        var start = Vector128.Create((float)(whole - from));
        var frame = Vector128.Create(0f, 1f, 2f, 3f);
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            Four(start + ((frame + Vector128.Create((float)i)) * speed), _write - whole).Store(target + i);
        }
    }

    /// <summary>Sixteen frames, each with a delay of its own: <paramref name="whole"/> + <paramref name="more"/>[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Read(float* target, int whole, float* more)
    {
        var frame = Vector128.Create(0f, 1f, 2f, 3f);
        for (var i = 0; i < Limits.Grid; i += 4)
            Four(frame + Vector128.Create((float)i) - Vector128.Load(more + i), _write - whole).Store(target + i);
    }

    /// <summary>As the same of a segment that is written: delays from 0 on, where they stand rounded below <see cref="ShortestAfter"/>.</summary>
    public readonly void ReadWritten(float* target, double from, double to)
    {
        if (from == to) Read(target, from >= ShortestAfter ? from : Math.Round(from));
        else Read(target, Math.Max(from, ShortestAfter), Math.Max(to, ShortestAfter));
    }

    /// <summary>Takes the sixteen samples of this segment; they may be read from now on, by delays from the same frames.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(float* source)
    {
        var bits = Vector128<float>.Zero;
        var target = _data + _write;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var x = Vector128.Load(source + i);
            x.Store(target + i);
            bits |= x;
        }

        Written(bits);
    }

    /// <summary>Where this segment's samples go, for loops that write them themselves and then say so.</summary>
    public readonly float* Room => _data + _write;

    /// <summary>Ends what <see cref="Room"/> began: <paramref name="bits"/> are all sixteen samples or-ed together.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Written(Vector128<float> bits)
    {
        var target = _data + _write;
        if (_write < Guard)
        {
            for (var i = 0; i < Limits.Grid; i += 4) Vector128.Load(target + i).Store(target + _mask + 1 + i);
        }

        // A sum of bits: +0 alone leaves none.
        if (Vector128.EqualsAll(bits, Vector128<float>.Zero)) _quiet += _quiet > _mask ? 0 : Limits.Grid;
        else _quiet = 0;
    }

    /// <summary>Goes on to the next segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Advance() => _write = (_write + Limits.Grid) & _mask;

    /// <summary>
    /// For loops shorter than a segment: the sample at a position of <see cref="Position"/> + frame - delay. Written ones count at once.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float* Sample(int position) => _data + (position & _mask);

    /// <summary>For the same: sets frame <paramref name="i"/> of this segment. <see cref="Write"/> still ends the segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Set(int i, float x)
    {
        _data[_write + i] = x;
        if (_write < Guard) _data[_write + i + _mask + 1] = x;
    }

    // The four values at positions `at` (frames from `origin`), between samples.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector128<float> Four(Vector128<float> at, int origin)
    {
        var floor = Vector128.Floor(at);
        Lagrange.Weights(at - floor, out var w0, out var w1, out var w2, out var w3, out var w4, out var w5);
        var index = (Vector128.ConvertToInt32Native(floor) + Vector128.Create(origin - Lagrange.Before)) & Vector128.Create(_mask);
        var p0 = _data + index[0];
        var p1 = _data + index[1];
        var p2 = _data + index[2];
        var p3 = _data + index[3];
        var (a, b, c, d) = (Vector128.Load(p0), Vector128.Load(p1), Vector128.Load(p2), Vector128.Load(p3));
        Transpose.Four(ref a, ref b, ref c, ref d);
        var (e, f, g, h) = (Vector128.Load(p0 + 4), Vector128.Load(p1 + 4), Vector128.Load(p2 + 4), Vector128.Load(p3 + 4));
        Transpose.Four(ref e, ref f, ref g, ref h);
        return ((c * w2) + (d * w3)) + (((b * w1) + (e * w4)) + ((a * w0) + (f * w5)));
    }

    private static long Ring(long frames) => (long)BitOperations.RoundUpToPowerOf2((ulong)(frames + Margin));
}
