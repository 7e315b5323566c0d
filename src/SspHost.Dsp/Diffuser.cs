// One click becomes a short burst: four allpass filters in a row, which colour nothing that lasts.
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>
/// Schroeder's allpass sections (Natural Sounding Artificial Reverberation, JAES 1962), sixteen frames at a time. What goes round in a
/// section also decays by a rate of its own, so that a room behind it may decay faster than a lossless section would ring.
/// </summary>
public unsafe struct Diffuser
{
    /// <summary>Sections.</summary>
    public const int Stages = 4;

    private readonly SegmentLine* _lines;
    private readonly float _early, _late;
    private fixed int _lengths[Stages];
    private fixed float _kept[Stages];
    private float _decay, _amount;

    /// <summary>Floats to ask for, for sections of <paramref name="lengths"/> frames, each at least <see cref="SegmentLine.Shortest"/>.</summary>
    public static long Floats(int* lengths)
    {
        long floats = Stages * sizeof(SegmentLine) / sizeof(float);
        for (var stage = 0; stage < Stages; stage++) floats += SegmentLine.Floats(lengths[stage]);
        return floats;
    }

    /// <summary>Over a zeroed block of <see cref="Floats"/>.</summary>
    /// <param name="block">Memory.</param>
    /// <param name="lengths">Frames of each section.</param>
    /// <param name="early">Coefficient of the first two sections.</param>
    /// <param name="late">Coefficient of the last two.</param>
    public Diffuser(float* block, int* lengths, float early, float late)
    {
        _lines = (SegmentLine*)block;
        _early = early;
        _late = late;
        _amount = 1f;
        block += Stages * sizeof(SegmentLine) / sizeof(float);
        for (var stage = 0; stage < Stages; stage++)
        {
            _lengths[stage] = lengths[stage];
            _kept[stage] = 1f;
            _lines[stage] = new SegmentLine(block, lengths[stage]);
            block += SegmentLine.Floats(lengths[stage]);
        }
    }

    /// <summary>Whether everything stored is exactly zero.</summary>
    public readonly bool AtRest => _lines[0].AtRest && _lines[1].AtRest && _lines[2].AtRest && _lines[3].AtRest;

    /// <summary>How loud noise comes out as it is set: the square root of the energy of the response to 1.</summary>
    public float Loss { get; private set; } = 1f;

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        for (var stage = 0; stage < Stages; stage++) _lines[stage].Clear();
    }

    /// <summary>
    /// What goes round decays by 60 dB in <paramref name="frames"/>, beside what the sections let out; <paramref name="amount"/> 0..1
    /// scales the coefficients.
    /// </summary>
    public void Set(float frames, float amount)
    {
        if (frames == _decay && amount == _amount) return;
        (_decay, _amount) = (frames, amount);
        var power = 1f;
        for (var stage = 0; stage < Stages; stage++)
        {
            var kept = FastMath.Exp2(-9.96578428f * _lengths[stage] / frames);
            var gain = (stage < 2 ? _early : _late) * amount;
            var (square, keptSquare) = (gain * gain, kept * kept);
            power *= square + ((1f - square) * (1f - square) * keptSquare / (1f - (square * keptSquare)));
            _kept[stage] = kept;
        }

        Loss = MathF.Sqrt(power);
    }

    /// <summary>One segment in place.</summary>
    public void Segment(float* samples)
    {
        var past = stackalloc float[Limits.Grid];
        var kept = stackalloc float[Limits.Grid];
        for (var stage = 0; stage < Stages; stage++)
        {
            _lines[stage].Read(past, _lengths[stage]);
            var loss = Vector128.Create(_kept[stage]);
            var gain = Vector128.Create((stage < 2 ? _early : _late) * _amount);
            for (var i = 0; i < Limits.Grid; i += 4)
            {
                var d = Vector128.Load(past + i) * loss;
                var w = Denormal.Flush(Vector128.Load(samples + i) + (gain * d));
                w.Store(kept + i);
                (d - (gain * w)).Store(samples + i);
            }

            _lines[stage].Write(kept);
            _lines[stage].Advance();
        }
    }
}
