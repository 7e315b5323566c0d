// Drive: a sound pushed up to where a circuit bends it, and half of the decibels taken back behind.
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>Gains before and behind a non-linear circuit over one segment, from a parameter in dB.</summary>
public readonly unsafe struct DriveRamp
{
    // One decibel in octaves of amplitude.
    private const float Octaves = 0.166096405f;

    private readonly GridRamp _before, _behind;

    /// <summary>From parameter <paramref name="index"/> (dB); <paramref name="volts"/> is the level that counts as 1 inside.</summary>
    public DriveRamp(in ProcessContext context, int index, int segment, float volts)
    {
        var from = context.Param(index, segment) * Octaves;
        var to = context.Param(index, segment + 1) * Octaves;
        _before = new GridRamp(FastMath.Exp2(from) / volts, FastMath.Exp2(to) / volts);
        _behind = new GridRamp(FastMath.Exp2(-0.5f * from) * volts, FastMath.Exp2(-0.5f * to) * volts);
    }

    /// <summary>Drives a segment in place, cut at <paramref name="most"/>.</summary>
    public void Push(Vector128<float>* block, float most)
    {
        var cut = Vector128.Create(most);
        for (var i = 0; i < Limits.Grid; i++) block[i] = Lanes.Within(block[i] * Vector128.Create(_before.At(i)), -cut, cut);
    }

    /// <summary>Brings a segment back in place.</summary>
    public void Return(Vector128<float>* block)
    {
        for (var i = 0; i < Limits.Grid; i++) block[i] *= Vector128.Create(_behind.At(i));
    }
}
