// Peaks for meters: the largest |volts| of the last 50 to 100 ms, however seldom somebody looks.
using System.Numerics;
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>Two windows of 50 ms for each jack: the one that fills and the one before it.</summary>
public unsafe struct PeakMeter
{
    private fixed float _current[Limits.MaxJacks];
    private fixed float _previous[Limits.MaxJacks];

    /// <summary>
    /// Takes a quantum of jack <paramref name="jack"/>. A NaN counts as no peak: the module that made it is named elsewhere.
    /// </summary>
    public void Take(int jack, float* samples, int frames)
    {
        var peak = PeakOf(samples, frames);
        if (peak > _current[jack]) _current[jack] = peak;
    }

    /// <summary>A window is over.</summary>
    public void Turn()
    {
        for (var j = 0; j < Limits.MaxJacks; j++)
        {
            _previous[j] = _current[j];
            _current[j] = 0;
        }
    }

    /// <summary>Copies the peaks in volts.</summary>
    public readonly void Read(float* peaks, int jacks)
    {
        for (var j = 0; j < jacks; j++) peaks[j] = MathF.Max(_current[j], _previous[j]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float PeakOf(float* samples, int frames)
    {
        var peaks = Vector<float>.Zero;
        for (var i = 0; i < frames; i += Vector<float>.Count) // a quantum is a multiple of 16 floats
        {
            var v = Vector.Abs(*(Vector<float>*)(samples + i));
            peaks = Vector.ConditionalSelect(Vector.GreaterThan(v, peaks), v, peaks);
        }

        var peak = 0f;
        for (var i = 0; i < Vector<float>.Count; i++)
            if (peaks[i] > peak) peak = peaks[i];
        return peak;
    }
}
