// Parametric EQ: two shelves and two peaks that keep their analogue shape all the way up.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Four bands in a row, each with a frequency and a gain, the peaks with a Q; see <see cref="EqualizerBands"/>. A cut undoes the boost
/// of the same decibels exactly. High quality runs at four times the rate.
/// </summary>
public unsafe struct ParametricEq : IModule<ParametricEq>
{
    private const int LowFrequency = 0, LowGain = 1, Frequency1 = 2, Gain1 = 3, Q1 = 4, Frequency2 = 5, Gain2 = 6, Q2 = 7;
    private const int HighFrequency = 8, HighGain = 9, Level = 10;
    private const int Groups = Limits.MaxChannels / 4;
    private const float ShelfQ = 0.70710678f;

    // One decibel in octaves of amplitude.
    private const float Octaves = 0.166096405f;

    // Far above any signal: what the filters store stays a number.
    private const float Most = 100f;
    private const float MostOut = 900f;

    private Group* _groups;
    private EqualizerBands _from, _to;
    private Vector128<float> _frequencies, _gains, _qs;
    private int _doublings;
    private bool _running;

    private struct Group
    {
        public LinearSvf Low, Peak1, Peak2, High;
        public Oversampler Up, Down;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "parametric-eq",
        Name = "Parametric EQ",
        Family = "Filters",
        Text = "Two shelves and two peaks: shapes the balance of a sound without a sound of its own.",
        Help = """
            An equalizer for the end of a voice or of a mix. The low shelf lifts or lowers everything below its frequency, the high
            shelf everything above; the two peaks lift or lower what lies around theirs, as wide as Q says: 0.5 is two octaves, 10 a
            narrow notch or ring.

            A cut is the exact opposite of a boost, so two of these in a row can undo each other. The shapes are those of analogue
            equalizers and stay so up to the top: a peak at 12 kHz is as wide and as symmetrical as one at 200 Hz.

            Try the low shelf at 120 Hz and +4 dB under a thin drum machine, and find what is harsh by sweeping peak 2 at +12 dB and
            a Q of 4; where it hurts most, turn the gain to -4 dB. It is polyphonic and knows no left or right: patch a stereo cable
            through and both sides are shaped alike.

            High quality, at four times the rate, is right within 0.2 dB up to 16 kHz even for boosts of 18 dB up there.
            """,
        Inputs = [new PortDescriptor("in", "In", "Sound to be shaped.")],
        Outputs = [new PortDescriptor("out", "Out", "The shaped sound.")],
        Parameters =
        [
            new ParameterDescriptor("low_freq", "Low frequency", "Hz", 20f, 2_000f, 120f, ParameterCurve.Exponential,
                "Where the low shelf is halfway up."),
            new ParameterDescriptor("low_gain", "Low gain", "dB", -18f, 18f, 3f, ParameterCurve.Linear,
                "What is below gets so much louder."),
            new ParameterDescriptor("freq1", "Peak 1 frequency", "Hz", 20f, 18_000f, 500f, ParameterCurve.Exponential,
                "The middle of peak 1."),
            new ParameterDescriptor("gain1", "Peak 1 gain", "dB", -18f, 18f, -3f, ParameterCurve.Linear, "Lifts or lowers peak 1."),
            new ParameterDescriptor("q1", "Peak 1 Q", "", 0.5f, 10f, 1f, ParameterCurve.Exponential, "How narrow peak 1 is."),
            new ParameterDescriptor("freq2", "Peak 2 frequency", "Hz", 20f, 18_000f, 3_000f, ParameterCurve.Exponential,
                "The middle of peak 2."),
            new ParameterDescriptor("gain2", "Peak 2 gain", "dB", -18f, 18f, 0f, ParameterCurve.Linear, "Lifts or lowers peak 2."),
            new ParameterDescriptor("q2", "Peak 2 Q", "", 0.5f, 10f, 1f, ParameterCurve.Exponential, "How narrow peak 2 is."),
            new ParameterDescriptor("high_freq", "High frequency", "Hz", 500f, 18_000f, 6_000f, ParameterCurve.Exponential,
                "Where the high shelf is halfway up."),
            new ParameterDescriptor("high_gain", "High gain", "dB", -18f, 18f, 3f, ParameterCurve.Linear,
                "What is above gets so much louder."),
            new ParameterDescriptor("level", "Level", "dB", -24f, 12f, 0f, ParameterCurve.Linear, "Loudness of the whole."),
        ],
        Settings =
        [
            new SettingDescriptor("quality", "Quality", 0, 1, 0,
                "High keeps the analogue shapes up to 16 kHz, for six times the work.", "standard", "high"),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Group>(Groups);

    public static void Construct(ref ParametricEq self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._groups = memory.Take<Group>(Groups);
        self._doublings = 2 * setup.Settings[0];
        timing.LatencyFrames = Oversampler.Latency(self._doublings);

        // 200 dB at 20 Hz and the most Q: seconds.
        timing.TailFrames = (long)(60f * setup.SampleRate);
    }

    public static void Reset(ref ParametricEq self)
    {
        Block.Zero(self._groups, Groups);
        self._running = false;
    }

    public static ProcessResult Process(ref ParametricEq self, in ProcessContext context)
    {
        var channels = context.Outputs[0].Channels;
        var asleep = context.Inputs[0].Silent;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            self.Tune(in context, segment + 1);
            for (var first = 0; first < channels; first += 4)
                asleep &= self.Segment(self._groups + (first / 4), in context, segment, first, channels);
        }

        for (var voice = 0; asleep && voice < channels; voice++) asleep = Block.IsZero(context.Out(0, voice), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // The bands at the end of the segment; they move there from those of its start along a straight line.
    private void Tune(in ProcessContext context, int point)
    {
        var frequencies = Vector128.Create(context.Param(LowFrequency, point), context.Param(Frequency1, point),
            context.Param(Frequency2, point), context.Param(HighFrequency, point));
        var gains = Vector128.Create(context.Param(LowGain, point), context.Param(Gain1, point), context.Param(Gain2, point),
            context.Param(HighGain, point));
        var qs = Vector128.Create(ShelfQ, context.Param(Q1, point), context.Param(Q2, point), ShelfQ);
        if (!_running) _from = _to = Bands4(in context, frequencies, gains, qs);
        else _from = _to;
        var same = Vector128.EqualsAll(frequencies, _frequencies) && Vector128.EqualsAll(gains, _gains) && Vector128.EqualsAll(qs, _qs);
        if (_running && same) return;
        _to = Bands4(in context, frequencies, gains, qs);
        (_frequencies, _gains, _qs, _running) = (frequencies, gains, qs, true);
    }

    private readonly EqualizerBands Bands4(
        in ProcessContext context, Vector128<float> frequencies, Vector128<float> gains, Vector128<float> qs)
    {
        var turns = Vector128.MinNative(frequencies / Vector128.Create(context.SampleRate), Vector128.Create(0.45f));
        return EqualizerBands.Of(turns * Vector128.Create(1f / (1 << _doublings)), gains, qs);
    }

    [SkipLocalsInit]
    private readonly bool Segment(Group* group, in ProcessContext context, int segment, int first, int channels)
    {
        var x = stackalloc Vector128<float>[Oversampler.Scratch];
        Lanes.Load(in context, 0, segment, first, channels, x);
        var quiet = Lanes.Quiet(x);
        var most = Vector128.Create(Most);
        for (var i = 0; i < Limits.Grid; i++) x[i] = Lanes.Within(x[i], -most, most);
        if (_doublings > 0) group->Up.Up(x, _doublings);
        var count = Limits.Grid << _doublings;
        Band(ref group->Low, x, count, 0);
        Band(ref group->Peak1, x, count, 1);
        Band(ref group->Peak2, x, count, 2);
        Band(ref group->High, x, count, 3);
        if (_doublings > 0) group->Down.Down(x, _doublings);

        var level = new GridRamp(
            FastMath.Exp2(context.Param(Level, segment) * Octaves), FastMath.Exp2(context.Param(Level, segment + 1) * Octaves));
        most = Vector128.Create(MostOut);
        for (var i = 0; i < Limits.Grid; i++) x[i] = Lanes.Within(x[i] * Vector128.Create(level.At(i)), -most, most);
        Lanes.Store(in context, 0, segment, first, channels, x);

        var peak = Vector128.MaxNative(group->Low.Peak(), group->Peak1.Peak());
        peak = Vector128.MaxNative(peak, Vector128.MaxNative(group->Peak2.Peak(), group->High.Peak()));
        peak = Vector128.MaxNative(peak, Vector128.MaxNative(group->Up.Peak(), group->Down.Peak()));
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        group->Low.Clear(mask);
        group->Peak1.Clear(mask);
        group->Peak2.Clear(mask);
        group->High.Clear(mask);
        group->Up.Clear(mask);
        group->Down.Clear(mask);
        return Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));
    }

    private readonly void Band(ref LinearSvf filter, Vector128<float>* x, int count, int band)
    {
        var part = Vector128.Create(1f / count);
        var one = Vector128<float>.One;
        var (g, gStep) = Ramp(_from.G, _to.G, band, part);
        var (k, kStep) = Ramp(_from.K, _to.K, band, part);
        var (low, lowStep) = Ramp(_from.Low, _to.Low, band, part);
        var (mid, midStep) = Ramp(_from.Band, _to.Band, band, part);
        var (high, highStep) = Ramp(_from.High, _to.High, band, part);
        var inverse = one / (one + (g * (g + k)));
        var f = filter;
        if (Vector128.EqualsAll(gStep, Vector128<float>.Zero) && Vector128.EqualsAll(kStep, Vector128<float>.Zero)
            && Vector128.EqualsAll(midStep, Vector128<float>.Zero))
        {
            for (var i = 0; i < count; i++)
            {
                f.Next(x[i], g, k, inverse, out var l, out var b, out var h);
                x[i] = (low * l) + (mid * b) + (high * h);
            }
        }
        else
        {
            for (var i = 0; i < count; i++)
            {
                g += gStep;
                k += kStep;
                low += lowStep;
                mid += midStep;
                high += highStep;
                f.Next(x[i], g, k, one / (one + (g * (g + k))), out var l, out var b, out var h);
                x[i] = (low * l) + (mid * b) + (high * h);
            }
        }

        filter = f;
    }

    private static (Vector128<float> Start, Vector128<float> Step) Ramp(
        Vector128<float> from, Vector128<float> to, int band, Vector128<float> part)
    {
        var start = Vector128.Create(((float*)&from)[band]);
        return (start, (Vector128.Create(((float*)&to)[band]) - start) * part);
    }
}
