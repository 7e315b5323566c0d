// What the audio thread plays and hears while a round trip is measured: bursts that are like nothing else, and everything that comes in.
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.EngineHost.Bench;

/// <summary>A burst of noise each <see cref="Gap"/> frames on one output; one input, by the frame of the card's clock at which it was heard. [audio-thread]</summary>
internal unsafe struct LatencyQuantum : IQuantum
{
    /// <summary>Frames from one burst to the next (the longest round trip that is found), before the first, and of one.</summary>
    public const int Gap = 16_384, Lead = 4096, Burst = 256;

    private const float Volts = 5;

    /// <summary>Noise of +-1, always the same; <see cref="Burst"/> of it.</summary>
    public float* Signs;

    /// <summary>Volts heard; <see cref="Frames"/> of them.</summary>
    public float* Heard;

    public long Frames;

    /// <summary>Jacks, from 0, and frames of a quantum.</summary>
    public int Out, In, Quantum;

    /// <summary>The frame after the last that was rendered.</summary>
    public ulong Next;

    public bool Render(float** inputs, int inputCount, float** outputs, int outputCount, ulong frame)
    {
        for (var j = 0; j < outputCount; j++)
        {
            for (var i = 0; i < Quantum; i++)
            {
                var since = (long)frame + i - Lead;
                var at = since % Gap;
                outputs[j][i] = j == Out && since >= 0 && at < Burst ? Signs[at] * Volts : 0;
            }
        }

        for (var i = 0; In < inputCount && i < Quantum && (long)frame + i < Frames; i++) Heard[(long)frame + i] = inputs[In][i];
        Next = frame + (ulong)Quantum;
        return true;
    }

    public readonly bool Resume(float** inputs, int inputCount, float** outputs, int outputCount) => true;

    public readonly void Judge(bool late) { }

    public readonly void Report(ref AudioStatus status) { }

    public readonly Culprit Culprit() => default;
}
