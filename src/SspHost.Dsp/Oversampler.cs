// Two, four or eight times the rate and back, a segment of four voices at once.
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>
/// A chain of half-bands: <see cref="HalfBand"/> first, then <see cref="HalfBandWide"/>, which suffices where nothing lies between a fifth
/// and a half of the rate. One oversampler goes up or comes down. What comes down is 100 dB clear of anything above 0.584 of the rate.
/// </summary>
public unsafe struct Oversampler
{
    /// <summary>Most doublings.</summary>
    public const int MostDoublings = 3;

    /// <summary>Vectors of a segment at the highest rate: what a scratch buffer holds.</summary>
    public const int Scratch = Limits.Grid << MostDoublings;

    private HalfBand _first;
    private HalfBandWide _second, _third;

    /// <summary>Frames of the lower rate by which up and down together delay low frequencies, rounded.</summary>
    public static int Latency(int doublings) => doublings == 0 ? 0 : doublings + 2;

    /// <summary>A segment of <see cref="Limits.Grid"/> frames in <paramref name="block"/> becomes 2^doublings times as many, in
    /// place.</summary>
    public void Up(Vector128<float>* block, int doublings)
    {
        var first = _first;
        for (var i = Limits.Grid - 1; i >= 0; i--) block[Scratch - Limits.Grid + i] = block[i];
        var source = block + Scratch - Limits.Grid;
        if (doublings == 1)
        {
            for (var i = 0; i < Limits.Grid; i++) first.Up(source[i], out block[2 * i], out block[(2 * i) + 1]);
        }
        else if (doublings == 2)
        {
            var second = _second;
            for (var i = 0; i < Limits.Grid; i++)
            {
                first.Up(source[i], out var a, out var b);
                second.Up(a, out block[4 * i], out block[(4 * i) + 1]);
                second.Up(b, out block[(4 * i) + 2], out block[(4 * i) + 3]);
            }

            _second = second;
        }
        else
        {
            // The last frames of the source lie where the last frames of the result will: each is read before it is written over.
            var (second, third) = (_second, _third);
            for (var i = 0; i < Limits.Grid; i++)
            {
                first.Up(source[i], out var a, out var b);
                second.Up(a, out var a1, out var a2);
                second.Up(b, out var b1, out var b2);
                var to = block + (8 * i);
                third.Up(a1, out to[0], out to[1]);
                third.Up(a2, out to[2], out to[3]);
                third.Up(b1, out to[4], out to[5]);
                third.Up(b2, out to[6], out to[7]);
            }

            (_second, _third) = (second, third);
        }

        _first = first;
    }

    /// <summary>2^doublings segments in <paramref name="block"/> become one, in place.</summary>
    public void Down(Vector128<float>* block, int doublings)
    {
        var first = _first;
        if (doublings == 1)
        {
            for (var i = 0; i < Limits.Grid; i++) block[i] = first.Down(block[2 * i], block[(2 * i) + 1]);
        }
        else if (doublings == 2)
        {
            var second = _second;
            for (var i = 0; i < Limits.Grid; i++)
            {
                var a = second.Down(block[4 * i], block[(4 * i) + 1]);
                block[i] = first.Down(a, second.Down(block[(4 * i) + 2], block[(4 * i) + 3]));
            }

            _second = second;
        }
        else
        {
            var (second, third) = (_second, _third);
            for (var i = 0; i < Limits.Grid; i++)
            {
                var from = block + (8 * i);
                var a1 = third.Down(from[0], from[1]);
                var a = second.Down(a1, third.Down(from[2], from[3]));
                var b1 = third.Down(from[4], from[5]);
                block[i] = first.Down(a, second.Down(b1, third.Down(from[6], from[7])));
            }

            (_second, _third) = (second, third);
        }

        _first = first;
    }

    /// <summary>Largest stored magnitude, by voice.</summary>
    public readonly Vector128<float> Peak() => Vector128.MaxNative(_first.Peak(), Vector128.MaxNative(_second.Peak(), _third.Peak()));

    /// <summary>Forgets the voices whose mask is set.</summary>
    public void Clear(Vector128<float> mask)
    {
        _first.Clear(mask);
        _second.Clear(mask);
        _third.Clear(mask);
    }
}
