// The audio thread's side of the jacks' workbench: outputs that hold a sample, inputs whose mean is taken.
using System.Numerics;
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>One per loop. Where nobody wishes anything it costs three loads a quantum. [audio-thread]</summary>
internal unsafe struct JackWork(JackBench* bench)
{
    private const int WindowsPerSecond = 10;

    private fixed double _sums[Limits.MaxJacks];
    private int _frames;
    private uint _lines;

    /// <summary>Whether the lines are others than those seen at the call before; they are seen then.</summary>
    internal bool LinesChanged()
    {
        if (bench == null || Volatile.Read(ref bench->Lines) is var lines && lines == _lines) return false;
        _lines = lines;
        return true;
    }

    /// <summary>The card is another one, with the lines of its configuration.</summary>
    internal void ForgetLines() => _lines = 0;

    /// <summary>Hears a quantum of the inputs, in volts.</summary>
    internal void Hear(float** inputs, int count, int frames, int rate, ulong now)
    {
        if (bench == null) return;
        if (now >= Volatile.Read(ref bench->HeardUntil))
        {
            if (_frames != 0) Begin(count);
            if (bench->Windows != 0) Volatile.Write(ref bench->Windows, 0);
            return;
        }

        for (var j = 0; j < count; j++) _sums[j] += SumOf(inputs[j], frames);
        _frames += frames;
        if (_frames < rate / WindowsPerSecond) return;
        for (var j = 0; j < count; j++)
        {
            var line = new JackScale(bench->InputFullScale[j], bench->InputZero[j]);
            Volatile.Write(ref bench->Means[j], (float)((_sums[j] / _frames - line.Zero) / line.VoltsPerCode(1)));
        }

        Begin(count);
        Volatile.Write(ref bench->Windows, bench->Windows + 1);
    }

    /// <summary>Puts what is held in place of what was rendered.</summary>
    internal readonly void Hold(float** outputs, int count, int frames, ulong now)
    {
        if (bench == null || Volatile.Read(ref bench->Held) is not (not 0 and var held) || now >= Volatile.Read(ref bench->HeldUntil)) return;
        for (; held != 0; held &= held - 1)
        {
            var jack = BitOperations.TrailingZeroCount(held);
            var sample = bench->Samples[jack];
            if (jack >= count || !float.IsFinite(sample)) continue;
            var line = new JackScale(bench->OutputFullScale[jack], bench->OutputZero[jack]);
            var volts = (float)(line.Zero + (line.VoltsPerCode(1) * Math.Clamp(sample, -1, 1)));
            for (var i = 0; i < frames; i++) outputs[jack][i] = volts; // a span would check its length, and could throw
        }
    }

    private void Begin(int count)
    {
        for (var j = 0; j < count; j++) _sums[j] = 0;
        _frames = 0;
    }

    private static double SumOf(float* samples, int frames)
    {
        var sums = Vector<float>.Zero;
        for (var i = 0; i < frames; i += Vector<float>.Count) sums += *(Vector<float>*)(samples + i); // a quantum is a multiple of 16 floats
        return Vector.Sum(sums);
    }
}
