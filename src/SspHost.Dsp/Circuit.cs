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
/// 10 kHz, eight times the rate to 16 kHz. Inputs are 0 the sound, 1 the cutoff CV and 2 the resonance CV; parameters 0 cutoff,
/// 1 resonance, 2 drive, 3 amount of the cutoff CV, 4 mode, 5 amount of the resonance CV (10 V are the whole travel).
/// </summary>
public unsafe struct Circuit<TCore> where TCore : unmanaged, ICircuitCore
{
    private const int In = 0, CutoffIn = 1, ResonanceIn = 2;
    private const int Cutoff = 0, Resonance = 1, Drive = 2, Amount = 3, Mode = 4, ResonanceAmount = 5;

    // Thermal noise starts the oscillation of a circuit: 10 uV here, 114 dB below 5 V, and only where it can sing.
    private const float NoiseVolts = 1e-5f;

    // Relative to the saturation; far above any signal, low enough that nothing overflows.
    private const float Most = 100f;

    private TCore _core;
    private Oversampler _up, _down;

    /// <summary>
    /// Four voices over one segment, <paramref name="noise"/> being what the noise of every voice that sings is made of. True when all
    /// four are at rest for good.
    /// </summary>
    [SkipLocalsInit]
    internal bool Segment(in ProcessContext context, int segment, int first, int channels, int doublings, ulong noise)
    {
        var x = stackalloc Vector128<float>[Oversampler.Scratch];
        var turns = stackalloc Vector128<float>[Limits.Grid];
        var k = stackalloc Vector128<float>[Limits.Grid];
        Lanes.Load(in context, In, segment, first, channels, x);
        var quiet = Lanes.Quiet(x);
        var drive = new DriveRamp(in context, Drive, segment, TCore.Volts);
        drive.Push(x, Most);
        var step = Tune(in context, segment, first, channels, doublings, turns, k, out var sings);
        if (sings != Vector128<float>.Zero) AddNoise(x, sings, noise);

        _up.Up(x, doublings);
        var (from, to) = ((int)context.Param(Mode, segment), (int)context.Param(Mode, segment + 1));
        var core = _core;
        core.Run(x, turns, k, step, Limits.Grid << doublings, doublings, from, to);
        _core = core;
        _down.Down(x, doublings);
        drive.Return(x);
        Lanes.Store(in context, 0, segment, first, channels, x);

        var peak = Vector128.MaxNative(_core.Peak(), Vector128.MaxNative(_up.Peak(), _down.Peak()));
        var mask = Vector128.AndNot(quiet, sings) & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        _core.Clear(mask);
        _up.Clear(mask);
        _down.Clear(mask);
        return VoiceLanes.All(mask);
    }

    private static void AddNoise(Vector128<float>* x, Vector128<float> sings, ulong noise)
    {
        var random = new Xorshift(noise);
        for (var i = 0; i < Limits.Grid; i++) x[i] += Vector128.Create(random.NextBipolar() * (NoiseVolts / TCore.Volts)) & sings;
    }

    // Cutoff and feedback of every frame, or of the first alone where nothing moves them (0 is returned); which voices can sing.
    private static int Tune(
        in ProcessContext context, int segment, int first, int channels, int doublings, Vector128<float>* turns, Vector128<float>* k,
        out Vector128<float> sings)
    {
        var cutoff = new GridRamp(in context, Cutoff, segment);
        var resonance = new GridRamp(in context, Resonance, segment);
        var amount = new GridRamp(in context, Amount, segment);
        var down = 1f / (1 << doublings);
        var perFrame = down / context.SampleRate;
        var lowest = Vector128.Create(perFrame);
        var highest = Vector128.Create(Math.Min(20_000f * perFrame, 0.455f * down));
        var threshold = Vector128.Create(TCore.Sings);
        k[0] = Vector128.Create(resonance.Start * TCore.MostFeedback);
        sings = Vector128.GreaterThanOrEqual(k[0], threshold);
        if (context.Inputs[CutoffIn].Silent && context.Inputs[ResonanceIn].Silent && cutoff.Step == 0f && resonance.Step == 0f)
        {
            turns[0] = Lanes.Within(Vector128.Create(cutoff.Start * perFrame), lowest, highest);
            return 0;
        }

        Lanes.Load(in context, CutoffIn, segment, first, channels, turns);
        for (var i = 0; i < Limits.Grid; i++)
        {
            var t = Vector128.Create(cutoff.At(i) * perFrame) * FastMath.Exp2(turns[i] * Vector128.Create(amount.At(i)));
            turns[i] = Lanes.Within(t, lowest, highest);
        }

        Feedback(in context, segment, first, channels, in resonance, k);
        for (var i = 0; i < Limits.Grid; i++) sings |= Vector128.GreaterThanOrEqual(k[i], threshold);
        return 1;
    }

    private static void Feedback(
        in ProcessContext context, int segment, int first, int channels, in GridRamp resonance, Vector128<float>* k)
    {
        if (context.Inputs[ResonanceIn].Silent)
        {
            for (var i = 0; i < Limits.Grid; i++) k[i] = Vector128.Create(resonance.At(i) * TCore.MostFeedback);
            return;
        }

        var amount = new GridRamp(in context, ResonanceAmount, segment);
        Lanes.Load(in context, ResonanceIn, segment, first, channels, k);
        for (var i = 0; i < Limits.Grid; i++)
        {
            var r = Vector128.Create(resonance.At(i)) + (k[i] * Vector128.Create(amount.At(i) * 0.1f));
            k[i] = Lanes.Within(r, Vector128<float>.Zero, Vector128<float>.One) * Vector128.Create(TCore.MostFeedback);
        }
    }
}
