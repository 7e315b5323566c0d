// Crossover: a sound in two, three or four ranges that add up to it again.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Linkwitz-Riley, 24 dB per octave (Linkwitz, Active Crossover Networks for Noncoincident Drivers, JAES 1976): two Butterworth filters
/// in a row on either side, both 6 dB down at the split and in phase. Lower ranges pass the allpasses of the splits above them
/// (D'Appolito, Active Realization of Multiway All-Pass Crossover Systems, JAES 1987), so that the sum is allpass whatever the
/// frequencies. Twice the rate keeps the slopes right up to 10 kHz, high quality at eight times up to 16 kHz.
/// </summary>
public unsafe struct Crossover : IModule<Crossover>
{
    private const int Outputs = 4;
    private const int WaysSetting = 0, QualitySetting = 1;
    private const int Splits = 3;
    private const int Groups = Limits.MaxChannels / 4;
    private const float Damping = 1.41421356f;
    private const float Most = 200f;

    private Group* _groups;
    private int _ways, _doublings;

    // One split: the first Butterworth is shared by both sides.
    private struct Split
    {
        public LinearSvf Both, Low, High;
    }

    private struct Group
    {
        public Split Split0, Split1, Split2;
        public LinearSvf Low1, Low2, Middle2;
        public Oversampler Up, Down0, Down1, Down2, Down3;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "crossover",
        Name = "Crossover",
        Family = "Filters",
        Text = "Cuts a sound into two, three or four ranges that add up to it again.",
        Help = """
            Each output carries one range of the sound, 24 dB an octave steep at both ends, and all of them mixed again are the
            sound that came in: only its phase is turned, its balance is untouched. What is done to one range alone is heard in that
            range alone.

            Ways says how many ranges there are. With two, low and high meet at split 1; with three, low mid lies between splits 1
            and 2; with four, high mid lies between splits 2 and 3. Outputs that a setting leaves out are silent.

            Try three ways with the splits at 150 Hz and 2 kHz, a saturator behind low mid, a chorus behind high, and nothing behind
            low, and mix the three: a wide, dirty bass whose bottom stands firm. Or put a compressor behind each range for a
            multiband compressor.

            It runs at twice the rate, or at eight times in high quality, so that the slopes keep their analogue shape near the top;
            that costs three or five frames of delay.
            """,
        Inputs = [new PortDescriptor("in", "In", "Sound to be cut up.")],
        Outputs =
        [
            new PortDescriptor("low", "Low", "What is below split 1."),
            new PortDescriptor("low_mid", "Low mid", "From split 1 to split 2, with three ways or four."),
            new PortDescriptor("high_mid", "High mid", "From split 2 to split 3, with four ways."),
            new PortDescriptor("high", "High", "What is above the last split."),
        ],
        Parameters =
        [
            new ParameterDescriptor("split1", "Split 1", "Hz", 30f, 12_000f, 200f, ParameterCurve.Exponential, "Where low ends."),
            new ParameterDescriptor("split2", "Split 2", "Hz", 30f, 12_000f, 2_000f, ParameterCurve.Exponential,
                "Where low mid ends, with three ways or four."),
            new ParameterDescriptor("split3", "Split 3", "Hz", 30f, 12_000f, 6_000f, ParameterCurve.Exponential,
                "Where high mid ends, with four ways."),
        ],
        Settings =
        [
            new SettingDescriptor("ways", "Ways", 2, 4, 3, "Into how many ranges the sound is cut."),
            new SettingDescriptor("quality", "Quality", 0, 1, 0,
                "High keeps the analogue slopes up to 16 kHz, for four times the work.", "standard", "high"),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Group>(Groups);

    public static void Construct(ref Crossover self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._groups = memory.Take<Group>(Groups);
        self._ways = setup.Settings[WaysSetting];
        self._doublings = setup.Settings[QualitySetting] == 0 ? 1 : Oversampler.MostDoublings;
        timing.LatencyFrames = Oversampler.Latency(self._doublings);

        // 220 dB of a Butterworth pair at 30 Hz.
        timing.TailFrames = (long)(2f * setup.SampleRate);
    }

    public static void Reset(ref Crossover self) => Block.Zero(self._groups, Groups);

    public static ProcessResult Process(ref Crossover self, in ProcessContext context)
    {
        var channels = context.Outputs[0].Channels;
        var asleep = context.Inputs[0].Silent;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            for (var first = 0; first < channels; first += 4)
                asleep &= self.Segment(self._groups + (first / 4), in context, segment, first, channels);
        }

        for (var output = 0; asleep && output < Outputs; output++)
        {
            for (var voice = 0; asleep && voice < channels; voice++) asleep = Block.IsZero(context.Out(output, voice), context.Frames);
        }

        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    [SkipLocalsInit]
    private readonly bool Segment(Group* group, in ProcessContext context, int segment, int first, int channels)
    {
        var y = stackalloc Vector128<float>[Outputs * Oversampler.Scratch];
        var low = y;
        var lowMid = low + Oversampler.Scratch;
        var highMid = lowMid + Oversampler.Scratch;
        var high = highMid + Oversampler.Scratch;
        Lanes.Load(in context, 0, segment, first, channels, low);
        var quiet = Lanes.Quiet(low);
        var most = Vector128.Create(Most);
        for (var i = 0; i < Limits.Grid; i++) low[i] = Lanes.Within(low[i], -most, most);
        var count = Limits.Grid << _doublings;
        group->Up.Up(low, _doublings);
        var (g, gStep) = Tuning(in context, segment, 0, count);
        if (_ways == 2)
        {
            Cut(ref group->Split0, g, gStep, count, low, low, high);
            for (var i = 0; i < Limits.Grid; i++) lowMid[i] = highMid[i] = Vector128<float>.Zero;
        }
        else
        {
            Cut(ref group->Split0, g, gStep, count, low, low, lowMid);
            (g, gStep) = Tuning(in context, segment, 1, count);
            Turn(ref group->Low1, g, gStep, count, low);
            if (_ways == 3)
            {
                Cut(ref group->Split1, g, gStep, count, lowMid, lowMid, high);
                for (var i = 0; i < Limits.Grid; i++) highMid[i] = Vector128<float>.Zero;
            }
            else
            {
                Cut(ref group->Split1, g, gStep, count, lowMid, lowMid, highMid);
                (g, gStep) = Tuning(in context, segment, 2, count);
                Turn(ref group->Low2, g, gStep, count, low);
                Turn(ref group->Middle2, g, gStep, count, lowMid);
                Cut(ref group->Split2, g, gStep, count, highMid, highMid, high);
                group->Down2.Down(highMid, _doublings);
            }

            group->Down1.Down(lowMid, _doublings);
        }

        group->Down0.Down(low, _doublings);
        group->Down3.Down(high, _doublings);
        for (var output = 0; output < Outputs; output++)
            Lanes.Store(in context, output, segment, first, channels, y + (output * Oversampler.Scratch));
        return Settle(group, quiet);
    }

    private readonly (float Start, float Step) Tuning(in ProcessContext context, int segment, int split, int count)
    {
        var perFrame = 1f / (context.SampleRate * (1 << _doublings));
        var turns = Vector128.Create(context.Param(split, segment), context.Param(split, segment + 1), 0f, 0f) * Vector128.Create(perFrame);
        var g = FastMath.Tan(turns * Vector128.Create(MathF.PI));
        return (g[0], (g[1] - g[0]) / count);
    }

    // x may be one of the two results.
    private static void Cut(
        ref Split split, float start, float step, int count, Vector128<float>* x, Vector128<float>* low, Vector128<float>* high)
    {
        var s = split;
        var k = Vector128.Create(Damping);
        for (var i = 0; i < count; i++)
        {
            var g = Vector128.Create(start + (step * i));
            var inverse = Vector128<float>.One / (Vector128<float>.One + (g * (g + k)));
            s.Both.Next(x[i], g, k, inverse, out var l, out _, out var h);
            s.Low.Next(l, g, k, inverse, out low[i], out _, out _);
            s.High.Next(h, g, k, inverse, out _, out _, out high[i]);
        }

        split = s;
    }

    // The allpass that low and high of a split add up to.
    private static void Turn(ref LinearSvf filter, float start, float step, int count, Vector128<float>* x)
    {
        var f = filter;
        var k = Vector128.Create(Damping);
        for (var i = 0; i < count; i++)
        {
            var g = Vector128.Create(start + (step * i));
            f.Next(x[i], g, k, Vector128<float>.One / (Vector128<float>.One + (g * (g + k))), out _, out var band, out _);
            x[i] -= (k + k) * band;
        }

        filter = f;
    }

    private static bool Settle(Group* group, Vector128<float> quiet)
    {
        // Three splits of three filters and three allpasses lie side by side, and so do the resamplers.
        var filters = (LinearSvf*)group;
        const int Filters = (3 * Splits) + 3;
        var resamplers = &group->Up;
        var peak = Vector128<float>.Zero;
        for (var i = 0; i < Filters; i++) peak = Vector128.MaxNative(peak, filters[i].Peak());
        for (var i = 0; i <= Outputs; i++) peak = Vector128.MaxNative(peak, resamplers[i].Peak());
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        for (var i = 0; i < Filters; i++) filters[i].Clear(mask);
        for (var i = 0; i <= Outputs; i++) resamplers[i].Clear(mask);
        return Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));
    }
}
