// A non-linear filter circuit at a multiple of the rate: tuning, drive, thermal noise and rest, the same for every circuit.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>The filter at the core of a <see cref="Circuit{TCore}"/>; signals are relative to where it saturates.</summary>
public unsafe interface ICircuitCore
{
    /// <summary>Volts that count as 1.</summary>
    static abstract float Volts { get; }

    /// <summary>Feedback at resonance 1.</summary>
    static abstract float MostFeedback { get; }

    /// <summary>Feedback from which it sings.</summary>
    static abstract float Sings { get; }

    /// <summary>
    /// Filters <paramref name="count"/> frames in place. Tuning j, cutoff over the rate it runs at (0..0.23) and feedback, holds for
    /// 2^<paramref name="doublings"/> frames; a <paramref name="step"/> of 0 means the first one throughout. The weights of its taps move
    /// from those of one mode to those of another.
    /// </summary>
    void Run(
        Vector128<float>* x, Vector128<float>* turns, Vector128<float>* k, int step, int count, int doublings, int modeFrom, int modeTo);

    /// <summary>Largest stored magnitude, by voice.</summary>
    Vector128<float> Peak();

    /// <summary>Forgets the voices whose mask is set.</summary>
    void Clear(Vector128<float> mask);
}

/// <summary>
/// Four voices of a circuit. Twice the rate keeps what the saturation adds out of hearing and the bilinear transform straight to
/// 10 kHz, eight times the rate to 16 kHz. Inputs are 0 the sound and 1 the cutoff CV; parameters 0 cutoff, 1 resonance, 2 drive,
/// 3 amount of the CV, 4 mode.
/// </summary>
public unsafe struct Circuit<TCore> where TCore : unmanaged, ICircuitCore
{
    /// <summary>Doublings of the rate at standard quality.</summary>
    public const int Standard = 1;

    /// <summary>Doublings of the rate at high quality.</summary>
    public const int High = Oversampler.MostDoublings;

    private const int Cutoff = 0, Resonance = 1, Drive = 2, Amount = 3, Mode = 4;

    // Thermal noise starts the oscillation of a circuit: 10 uV here, 114 dB below 5 V, and only where it can sing.
    private const float NoiseVolts = 1e-5f;

    // Relative to the saturation; far above any signal, low enough that nothing overflows.
    private const float Most = 100f;

    private TCore _core;
    private Oversampler _up, _down;

    /// <summary>One quantum of a whole module. True when every voice is at rest and may sleep.</summary>
    public static bool Process(Circuit<TCore>* groups, int doublings, ref Xorshift random, in ProcessContext context)
    {
        var channels = context.Outputs[0].Channels;
        var asleep = context.Inputs[0].Silent;
        var noise = stackalloc float[Limits.Grid];
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var most = Math.Max(context.Param(Resonance, segment), context.Param(Resonance, segment + 1));
            var sings = most * TCore.MostFeedback >= TCore.Sings;
            for (var i = 0; i < Limits.Grid; i++) noise[i] = sings ? random.NextBipolar() * (NoiseVolts / TCore.Volts) : 0f;
            asleep &= !sings;
            for (var first = 0; first < channels; first += 4)
                asleep &= groups[first / 4].Segment(in context, segment, first, channels, doublings, noise) && !sings;
        }

        for (var voice = 0; asleep && voice < channels; voice++) asleep = Block.IsZero(context.Out(0, voice), context.Frames);
        return asleep;
    }

    [SkipLocalsInit]
    private bool Segment(in ProcessContext context, int segment, int first, int channels, int doublings, float* noise)
    {
        var x = stackalloc Vector128<float>[Oversampler.Scratch];
        var turns = stackalloc Vector128<float>[Limits.Grid];
        var k = stackalloc Vector128<float>[Limits.Grid];
        Lanes.Load(in context, 0, segment, first, channels, x);
        var quiet = Lanes.Quiet(x);
        var drive = new DriveRamp(in context, Drive, segment, TCore.Volts);
        drive.Push(x, Most);
        for (var i = 0; i < Limits.Grid; i++) x[i] += Vector128.Create(noise[i]);

        var step = Tune(in context, segment, first, channels, doublings, turns, k);
        _up.Up(x, doublings);
        var (from, to) = ((int)context.Param(Mode, segment), (int)context.Param(Mode, segment + 1));
        var core = _core;
        core.Run(x, turns, k, step, Limits.Grid << doublings, doublings, from, to);
        _core = core;
        _down.Down(x, doublings);
        drive.Return(x);
        Lanes.Store(in context, 0, segment, first, channels, x);

        var peak = Vector128.MaxNative(_core.Peak(), Vector128.MaxNative(_up.Peak(), _down.Peak()));
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        _core.Clear(mask);
        _up.Clear(mask);
        _down.Clear(mask);
        return Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));
    }

    // Cutoff and feedback of every frame, or of the first alone where nothing moves them (0 is returned).
    private static int Tune(
        in ProcessContext context, int segment, int first, int channels, int doublings, Vector128<float>* turns, Vector128<float>* k)
    {
        var cutoff = new GridRamp(in context, Cutoff, segment);
        var resonance = new GridRamp(in context, Resonance, segment);
        var amount = new GridRamp(in context, Amount, segment);
        var down = 1f / (1 << doublings);
        var perFrame = down / context.SampleRate;
        var lowest = Vector128.Create(perFrame);
        var highest = Vector128.Create(Math.Min(20_000f * perFrame, 0.455f * down));
        k[0] = Vector128.Create(resonance.Start * TCore.MostFeedback);
        if (context.Inputs[1].Silent && cutoff.Step == 0f && resonance.Step == 0f)
        {
            turns[0] = Lanes.Within(Vector128.Create(cutoff.Start * perFrame), lowest, highest);
            return 0;
        }

        Lanes.Load(in context, 1, segment, first, channels, turns);
        for (var i = 0; i < Limits.Grid; i++)
        {
            var t = Vector128.Create(cutoff.At(i) * perFrame) * FastMath.Exp2(turns[i] * Vector128.Create(amount.At(i)));
            turns[i] = Lanes.Within(t, lowest, highest);
            k[i] = Vector128.Create(resonance.At(i) * TCore.MostFeedback);
        }

        return 1;
    }
}
