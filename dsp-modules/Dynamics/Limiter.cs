// Limiter: nothing comes out above the ceiling, and it is down before the peak is there.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Look-ahead brick wall. The gain that each frame needs goes through a running minimum over the look-ahead, an exponential release, and
/// two moving averages in a row which together are as long as the look-ahead: what comes out is a weighted mean of values of which none is
/// larger than what the delayed frame needs (the scheme of Hämäläinen, Smoothing of the Control Signal Without Clipped Output in Digital
/// Peak Limiters, DAFx 2002). The averages are sums of whole numbers, so they neither drift nor round up. The minimum over 2^n frames takes n
/// steps (each doubles the window), the same in every frame. True peaks are found at four times the rate by the interpolator of ITU-R
/// BS.1770-4, annex 2.
/// </summary>
public unsafe struct Limiter : IModule<Limiter>
{
    private const int LeftIn = 0, RightIn = 1;
    private const int LeftOut = 0, RightOut = 1, ReductionOut = 2;
    private const int Gain = 0, Ceiling = 1, Release = 2;
    private const int Lookahead = 0, Peaks = 1;
    private const int Groups = Limits.MaxChannels / 4;
    private const float FullScale = 5f;
    private const float LongestRelease = 2f;
    private const float Log2E = 1.442695f;
    private const float VoltsPerDecibel = 1f / 3f;
    private const float Octave = 6.02059991f;
    private const float Decibel = 1f / Octave;

    // Twelve taps of the interpolator: its four values lie between the sample of six frames ago and that of five frames ago.
    private const int Taps = 12;
    private const int PeakDelay = 5;

    // Frames are counted to a number that rings of 2^n and of twelve both divide.
    private const int Turn = 3 << 20;

    // The last bit of a gain just below 1: a release that would fall below it goes on in such steps, and arrives.
    private const float LeastStep = 6e-8f;

    // ln(1e5) time constants to where the least steps begin, and one of these.
    private const float TimeConstantsOfTail = 13f;

    private Voices* _groups;
    private Vector128<float>* _rings; // by group: _vectors of them
    private int _stages; // log2 of the look-ahead
    private int _half, _delay, _vectors, _quiet;
    private float _unit; // what a gain of 1 is as a whole number: as large as a sum of _half of them allows
    private bool _truePeaks;

    private struct Voices
    {
        public Vector128<float> Released;
        public Vector128<int> First, Second;
        public int Time;
        public bool Running;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "limiter",
        Name = "Limiter",
        Family = "Dynamics",
        Text = "Keeps a sound below a ceiling, always, and so gently that it can be driven hard.",
        Help = """
            It looks ahead: the sound is delayed by a millisecond or more, and the gain is already on its way down when a peak
            arrives. So nothing ever comes out above the ceiling, and nothing is clipped. Left and right get the same gain; with a
            polyphonic cable each voice has its own.

            Drive it with Gain: what stands out is taken down, the rest comes up. Release is the time in which the gain comes back;
            short is loud and dense, long keeps the balance. A longer look-ahead is smoother in the bass and adds as much latency.
            True peaks, a setting, also keeps what lies between the samples below the ceiling, which matters for recordings that
            will be converted or compressed.

            - Try it as the last module before Audio Out, ceiling -0.5 dB, to keep an accident in the patch from hurting.
            - Try a drum loop with 12 dB of gain and a release of 50 ms, then of 500 ms.
            - Patch Reduction (1 V for 3 dB) into a voltmeter to see what it does, or into a filter to let it breathe along.
            """,
        Inputs =
        [
            new PortDescriptor("left", "Left", "Sound, or the left side of it."),
            new PortDescriptor("right", "Right", "The right side; unpatched it is the left one."),
        ],
        Outputs =
        [
            new PortDescriptor("left", "Left", "Left, limited."),
            new PortDescriptor("right", "Right", "Right, limited by as much."),
            new PortDescriptor("reduction", "Reduction", "How much it takes away, 1 V for 3 dB."),
        ],
        Parameters =
        [
            new ParameterDescriptor("gain", "Gain", "dB", -12f, 36f, 0f, ParameterCurve.Linear, "Gain before it: how hard it has to work."),
            new ParameterDescriptor("ceiling", "Ceiling", "dB", -24f, 6f, 0f, ParameterCurve.Linear, "Nothing is louder than this; 0 dB is 5 V."),
            new ParameterDescriptor("release", "Release", "s", 0.005f, LongestRelease, 0.1f, ParameterCurve.Exponential, "Time to give back."),
        ],
        Settings =
        [
            new SettingDescriptor("lookahead", "Look-ahead", 0, 2, 1, "How early it sees a peak; as much latency.", "1.3 ms", "2.7 ms", "5.3 ms"),
            new SettingDescriptor("peaks", "Peaks", 0, 1, 0, "What stays below the ceiling.", "samples", "true peaks"),
        ],
        Telemetry = [new TelemetryDescriptor("reduction", TelemetryKind.Value, 1, "dB", "What the first voice is turned down by.")],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Voices>(Groups);
        need.Need<Vector128<float>>((long)Groups * Vectors(Stages(in setup), setup.Settings[Peaks] == 1));
    }

    public static void Construct(ref Limiter self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._stages = Stages(in setup);
        self._truePeaks = setup.Settings[Peaks] == 1;
        self._half = 1 << (self._stages - 1);
        self._unit = (1 << 30) / self._half;
        self._delay = Delay(self._stages, self._truePeaks);
        self._vectors = Vectors(self._stages, self._truePeaks);
        self._groups = memory.Take<Voices>(Groups);
        self._rings = memory.Take<Vector128<float>>((long)Groups * self._vectors);
        timing.LatencyFrames = self._delay;
        timing.TailFrames = (long)(TimeConstantsOfTail * LongestRelease * setup.SampleRate) + (4L << self._stages) + (4 * Limits.MaxQuantum);
    }

    public static void Reset(ref Limiter self)
    {
        Block.Zero(self._groups, Groups);
        Block.Clear((float*)self._rings, Groups * self._vectors * 4);
        self._quiet = 0;
    }

    public static ProcessResult Process(ref Limiter self, in ProcessContext context)
    {
        var channels = context.Outputs[LeftOut].Channels;
        var rest = context.Inputs[LeftIn].Silent && context.Inputs[RightIn].Silent;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            for (var first = 0; first < channels; first += 4)
                rest &= Segment(ref self, self._groups + (first / 4), self._rings + ((long)(first / 4) * self._vectors),
                    in context, segment, first, channels);
        }

        // Once every ring has been filled with silence and gains of 1, it does not matter where in it one is.
        self._quiet = rest ? Math.Min(self._quiet + context.Frames, 1 << 20) : 0;
        context.Telemetry[0] = context.Out(ReductionOut)[context.Frames - 1] * (1f / VoltsPerDecibel);
        return self._quiet > (4 << self._stages) + Limits.MaxQuantum ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // A power of two frames: 64, 128 or 256 at 44.1 and 48 kHz, twice and four times as many at the higher rates.
    private static int Stages(in InstanceSetup setup) =>
        6 + setup.Settings[Lookahead] + (setup.SampleRate > 150_000f ? 2 : setup.SampleRate > 75_000f ? 1 : 0);

    private static int Delay(int stages, bool truePeaks) => (1 << stages) - 1 + (truePeaks ? PeakDelay : 0);

    // The two sides, the doubling windows of the minimum, the two averages, the interpolator's past.
    private static int Vectors(int stages, bool truePeaks) =>
        (2 << (stages + 1)) + (1 << stages) + (1 << stages) + (truePeaks ? 4 * Taps : 0);

    private static bool Segment(
        ref Limiter self, Voices* group, Vector128<float>* rings, in ProcessContext context, int segment, int first, int channels)
    {
        var gain = new GridRamp(
            FastMath.Exp2(context.Param(Gain, segment) * Decibel), FastMath.Exp2(context.Param(Gain, segment + 1) * Decibel));
        var ceiling = new GridRamp(
            FullScale * FastMath.Exp2(context.Param(Ceiling, segment) * Decibel),
            FullScale * FastMath.Exp2(context.Param(Ceiling, segment + 1) * Decibel));
        var release = Vector128.Create(-FastMath.Exp2Minus1(-Log2E / (context.Param(Release, segment) * context.SampleRate)));
        var lefts = stackalloc Vector128<float>[Limits.Grid];
        var rights = stackalloc Vector128<float>[Limits.Grid];
        var gains = stackalloc Vector128<float>[Limits.Grid];
        var at = segment * Limits.Grid;
        VoiceLanes.Load(in context, LeftIn, first, channels, at, lefts);
        if (context.Inputs[RightIn].Connected) VoiceLanes.Load(in context, RightIn, first, channels, at, rights);
        else Copy(lefts, rights);
        if (!group->Running) Begin(ref self, group, rings);

        var length = 1 << self._stages;
        var (half, delay, mask) = (self._half, self._delay, (length << 1) - 1);
        var leftRing = rings;
        var rightRing = rings + (2 * length);
        var windows = rings + (4 * length);
        var firstRing = (Vector128<int>*)(windows + length);
        var secondRing = firstRing + half;
        var interpolator = (Vector128<float>*)(secondRing + half);
        var (one, unit) = (Vector128<float>.One, Vector128.Create(self._unit));
        var fraction = Vector128.Create(1f / self._unit);
        var (released, sum1, sum2, time) = (group->Released, group->First, group->Second, group->Time);
        var perHalf = self._stages - 1;
        var rest = Vector128<float>.Zero;
        for (var i = 0; i < Limits.Grid; i++)
        {
            // In parts of the ceiling, so that a ceiling that moves between now and then is kept, too.
            var scale = Vector128.Create(gain.At(i) / ceiling.At(i));
            var (left, right) = (lefts[i] * scale, rights[i] * scale);
            rest = Vector128.MaxNative(rest, Vector128.MaxNative(Vector128.Abs(left), Vector128.Abs(right)));
            leftRing[time & mask] = left;
            rightRing[time & mask] = right;
            var peak = Vector128.MaxNative(Vector128.Abs(left), Vector128.Abs(right));
            if (self._truePeaks)
            {
                peak = Vector128.MaxNative(TruePeak(interpolator, left, time), TruePeak(interpolator + (2 * Taps), right, time));
            }

            var smallest = one / Vector128.MaxNative(peak, one);

            // Running minimum over 2^stages frames: each stage doubles the window, its past is as long as the window before.
            var window = windows;
            for (var stage = 0; stage < self._stages; stage++)
            {
                var span = 1 << stage;
                var past = window + (time & (span - 1));
                var before = *past;
                *past = smallest;
                smallest = Vector128.MinNative(smallest, before);
                window += span;
            }

            // Down at once, up by and by: never above what is needed.
            var step = Vector128.MaxNative((smallest - released) * release, Vector128.Create(LeastStep));
            released = Vector128.MinNative(smallest, released + step);
            rest = Vector128.MaxNative(rest, one - released);

            // Whole numbers are rounded down.
            var whole = Vector128.ConvertToInt32Native(released * unit);
            var slot = time & (half - 1);
            sum1 += whole - firstRing[slot];
            firstRing[slot] = whole;
            var mean = Vector128.ShiftRightArithmetic(sum1, perHalf);
            sum2 += mean - secondRing[slot];
            secondRing[slot] = mean;
            var g = Vector128.ConvertToSingle(Vector128.ShiftRightArithmetic(sum2, perHalf)) * fraction;
            gains[i] = g;

            // The products may round up by a last bit: the ceiling is the ceiling.
            var then = (time - delay) & mask;
            var volts = Vector128.Create(ceiling.At(i));
            lefts[i] = Vector128.MinNative(Vector128.MaxNative(leftRing[then] * g, -one), one) * volts;
            rights[i] = Vector128.MinNative(Vector128.MaxNative(rightRing[then] * g, -one), one) * volts;
            time = time == Turn - 1 ? 0 : time + 1;
        }

        (group->Released, group->First, group->Second, group->Time) = (released, sum1, sum2, time);
        VoiceLanes.Store(in context, LeftOut, first, channels, at, lefts);
        VoiceLanes.Store(in context, RightOut, first, channels, at, rights);
        for (var i = 0; i < Limits.Grid; i++) gains[i] = FastMath.Log2(gains[i]) * Vector128.Create(-Octave * VoltsPerDecibel);
        VoiceLanes.Store(in context, ReductionOut, first, channels, at, gains);
        return VoiceLanes.All(Vector128.Equals(rest, Vector128<float>.Zero));
    }

    private static void Copy(Vector128<float>* source, Vector128<float>* target)
    {
        for (var i = 0; i < Limits.Grid; i++) target[i] = source[i];
    }

    // Everything as after a long silence: gains of 1.
    private static void Begin(ref Limiter self, Voices* group, Vector128<float>* rings)
    {
        var length = 1 << self._stages;
        var windows = rings + (4 * length);
        for (var i = 0; i < length; i++) windows[i] = Vector128<float>.One;
        var whole = (Vector128<int>*)(windows + length);
        for (var i = 0; i < length; i++) whole[i] = Vector128.Create((int)self._unit);
        group->Released = Vector128<float>.One;
        group->First = group->Second = Vector128.Create((int)self._unit * self._half);
        group->Running = true;
    }

    // The largest of the four values a frame has at four times the rate. The past is kept twice, one after the other, so that the twelve
    // newest frames always lie in a row.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> TruePeak(Vector128<float>* past, Vector128<float> x, int time)
    {
        var slot = Taps - 1 - (time % Taps);
        past[slot] = x;
        past[slot + Taps] = x;
        var p = past + slot;
        var a = (p[0] * T(0.001708984375f)) + (p[1] * T(0.010986328125f)) + (p[2] * T(-0.0196533203125f)) + (p[3] * T(0.033203125f))
            + (p[4] * T(-0.0594482421875f)) + (p[5] * T(0.1373291015625f)) + (p[6] * T(0.97216796875f)) + (p[7] * T(-0.102294921875f))
            + (p[8] * T(0.047607421875f)) + (p[9] * T(-0.026611328125f)) + (p[10] * T(0.014892578125f)) + (p[11] * T(-0.00830078125f));
        var b = (p[0] * T(-0.0291748046875f)) + (p[1] * T(0.029296875f)) + (p[2] * T(-0.0517578125f)) + (p[3] * T(0.089111328125f))
            + (p[4] * T(-0.16650390625f)) + (p[5] * T(0.465087890625f)) + (p[6] * T(0.77978515625f)) + (p[7] * T(-0.2003173828125f))
            + (p[8] * T(0.1015625f)) + (p[9] * T(-0.0582275390625f)) + (p[10] * T(0.0330810546875f)) + (p[11] * T(-0.0189208984375f));
        var c = (p[11] * T(-0.0291748046875f)) + (p[10] * T(0.029296875f)) + (p[9] * T(-0.0517578125f)) + (p[8] * T(0.089111328125f))
            + (p[7] * T(-0.16650390625f)) + (p[6] * T(0.465087890625f)) + (p[5] * T(0.77978515625f)) + (p[4] * T(-0.2003173828125f))
            + (p[3] * T(0.1015625f)) + (p[2] * T(-0.0582275390625f)) + (p[1] * T(0.0330810546875f)) + (p[0] * T(-0.0189208984375f));
        var d = (p[11] * T(0.001708984375f)) + (p[10] * T(0.010986328125f)) + (p[9] * T(-0.0196533203125f)) + (p[8] * T(0.033203125f))
            + (p[7] * T(-0.0594482421875f)) + (p[6] * T(0.1373291015625f)) + (p[5] * T(0.97216796875f)) + (p[4] * T(-0.102294921875f))
            + (p[3] * T(0.047607421875f)) + (p[2] * T(-0.026611328125f)) + (p[1] * T(0.014892578125f)) + (p[0] * T(-0.00830078125f));
        var most = Vector128.MaxNative(Vector128.MaxNative(Vector128.Abs(a), Vector128.Abs(b)), Vector128.MaxNative(Vector128.Abs(c), Vector128.Abs(d)));

        // The samples themselves, at the same age.
        return Vector128.MaxNative(most, Vector128.MaxNative(Vector128.Abs(p[5]), Vector128.Abs(p[6])));

        static Vector128<float> T(float tap) => Vector128.Create(tap);
    }
}
