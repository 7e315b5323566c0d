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
        if (from == to)
        {
            var (before, behind) = from == 0f ? (1f / volts, volts) : (FastMath.Exp2(from) / volts, FastMath.Exp2(-0.5f * from) * volts);
            (_before, _behind) = (new GridRamp(before, before), new GridRamp(behind, behind));
            return;
        }

        _before = new GridRamp(FastMath.Exp2(from) / volts, FastMath.Exp2(to) / volts);
        _behind = new GridRamp(FastMath.Exp2(-0.5f * from) * volts, FastMath.Exp2(-0.5f * to) * volts);
    }

    /// <summary>Drives a segment in place, cut at <paramref name="most"/>.</summary>
    public void Push(Vector128<float>* block, float most)
    {
        var cut = Vector128.Create(most);
        if (_before.Step == 0f)
        {
            var gain = Vector128.Create(_before.Start);
            for (var end = block + Limits.Grid; block < end; block++) *block = Lanes.Within(*block * gain, -cut, cut);
            return;
        }

        for (var i = 0; i < Limits.Grid; i++) block[i] = Lanes.Within(block[i] * Vector128.Create(_before.At(i)), -cut, cut);
    }

    /// <summary>A segment of one voice, driven and cut at <paramref name="most"/>.</summary>
    public void Push(float* target, float* source, float most)
    {
        var cut = Vector128.Create(most);
        for (var i = 0; i < Limits.Grid; i += 4) Lanes.Within(Vector128.Load(source + i) * _before.Four(i), -cut, cut).Store(target + i);
    }

    /// <summary>The gain that brings a segment back.</summary>
    public GridRamp Behind => _behind;

    /// <summary>Brings a segment back in place.</summary>
    public void Return(Vector128<float>* block)
    {
        if (_behind.Step == 0f)
        {
            if (_behind.Start == 1f) return;
            var gain = Vector128.Create(_behind.Start);
            for (var end = block + Limits.Grid; block < end; block++) *block *= gain;
            return;
        }

        for (var i = 0; i < Limits.Grid; i++) block[i] *= Vector128.Create(_behind.At(i));
    }
}
