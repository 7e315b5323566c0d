// Compressor: makes loud passages quieter, so that all of it can be louder.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Feed-forward, in decibels: gain computer with a quadratic knee, then a branching one-pole of attack and release on the reduction
/// (Giannoulis, Massberg, Reiss, Digital Dynamic Range Compressor Design, JAES 2012). 0 dB is 5 V. Left and right are one pair: the louder
/// of them decides for both; a cable at Sidechain decides instead. Reduction comes out as 1 V for 3 dB. What has no memory is computed four
/// frames at a time, the one-poles of up to four voices side by side.
/// </summary>
public unsafe struct Compressor : IModule<Compressor>
{
    private const int LeftIn = 0, RightIn = 1, SidechainIn = 2;
    private const int LeftOut = 0, RightOut = 1, ReductionOut = 2;
    private const int Threshold = 0, Ratio = 1, Attack = 2, Release = 3, Knee = 4, Makeup = 5, Mix = 6;
    private const int Lookahead = 0;
    private const float FullScale = 5f;
    private const float LongestRelease = 3f;
    private const float Log2E = 1.442695f;
    private const float VoltsPerDecibel = 1f / 3f;

    // Decibels in an octave of amplitude.
    private const float Octave = 6.02059991f;

    // Far below hearing in level, and below what an envelope can be told from rest.
    private const double Rest = 1e-6;

    // From 100 dB to rest: ln(1e8) time constants.
    private const float TimeConstantsOfTail = 18.5f;

    private double* _reductions;
    private float* _past; // by voice: left, then right, of _lookahead frames each
    private int _lookahead, _position;
    private long _quiet;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "compressor",
        Name = "Compressor",
        Family = "Dynamics",
        Text = "Evens out loud and quiet, glues a mix together, or ducks one sound under another.",
        Help = """
            Whatever is louder than the threshold is turned down: at a ratio of 4, a sound 8 dB above it comes out 2 dB above it.
            What was quiet stays as it is, so the whole can be made louder behind it with Makeup. Left and right are turned down
            together, so a stereo picture does not sway; with a polyphonic cable each voice has a compressor of its own.

            Attack and Release are the times in which it takes away and gives back 63 % of the decibels. A long attack lets the
            stroke of a drum through and presses what follows, which makes it punchier; a release in time with the music makes it
            breathe. The knee rounds the corner at the threshold. Mix adds the sound as it was: heavy compression under a dry drum
            keeps its strokes and lifts its room.

            - Try a drum loop at ratio 4, attack 30 ms, release 100 ms, and turn the threshold down until Reduction shows 6 dB.
            - Try a pad at Left and Right and a kick at Sidechain, ratio 10, attack 1 ms, release 200 ms: the pad ducks at each kick.
            - Patch Reduction (1 V for 3 dB) elsewhere: a filter that closes when the mix is loud.

            The setting Look-ahead delays the sound by so much against what decides, so that the gain is down when the stroke comes.
            It adds that latency.
            """,
        Inputs =
        [
            new PortDescriptor("left", "Left", "Sound, or the left side of it."),
            new PortDescriptor("right", "Right", "The right side; unpatched it is the left one."),
            new PortDescriptor("sidechain", "Sidechain", "If patched, this sound decides: a kick here makes the rest pump."),
        ],
        Outputs =
        [
            new PortDescriptor("left", "Left", "Left, compressed."),
            new PortDescriptor("right", "Right", "Right, compressed by as much."),
            new PortDescriptor("reduction", "Reduction", "How much it takes away, 1 V for 3 dB."),
        ],
        Parameters =
        [
            new ParameterDescriptor("threshold", "Threshold", "dB", -60f, 0f, -18f, ParameterCurve.Linear,
                "Louder than this is made quieter; 0 dB is 5 V."),
            new ParameterDescriptor("ratio", "Ratio", "", 1f, 50f, 4f, ParameterCurve.Exponential,
                "How many decibels more in make one more out; 50 is a limiter."),
            new ParameterDescriptor("attack", "Attack", "s", 0.0001f, 0.5f, 0.01f, ParameterCurve.Exponential,
                "Time to take away; longer lets the strike of a drum through."),
            new ParameterDescriptor("release", "Release", "s", 0.005f, LongestRelease, 0.15f, ParameterCurve.Exponential,
                "Time to give back."),
            new ParameterDescriptor("knee", "Knee", "dB", 0f, 24f, 6f, ParameterCurve.Linear, "How gradually it sets in."),
            new ParameterDescriptor("makeup", "Makeup", "dB", 0f, 18f, 0f, ParameterCurve.Linear, "Gain behind it."),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 1f, ParameterCurve.Linear, "0 is the sound alone, 1 the compressed one."),
        ],
        Settings =
        [
            new SettingDescriptor("lookahead", "Look-ahead", 0, 10, 0,
                "Milliseconds by which it hears a sound before it lets it out; as much latency."),
        ],
        Telemetry = [new TelemetryDescriptor("reduction", TelemetryKind.Value, 1, "dB", "What the first voice is turned down by.")],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<double>(Limits.MaxChannels);
        var frames = Frames(in setup);
        if (frames > 0) need.Need<float>(2L * Limits.MaxChannels * frames);
    }

    public static void Construct(ref Compressor self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._reductions = memory.Take<double>(Limits.MaxChannels);
        self._lookahead = Frames(in setup);
        if (self._lookahead > 0) self._past = memory.Take<float>(2L * Limits.MaxChannels * self._lookahead);
        timing.LatencyFrames = self._lookahead;
        timing.TailFrames = (long)(TimeConstantsOfTail * LongestRelease * setup.SampleRate) + self._lookahead;
    }

    public static void Reset(ref Compressor self)
    {
        Block.Zero(self._reductions, Limits.MaxChannels);
        if (self._past != null) Block.Clear(self._past, 2 * Limits.MaxChannels * self._lookahead);
        self._position = 0;
        self._quiet = 0;
    }

    public static ProcessResult Process(ref Compressor self, in ProcessContext context)
    {
        var silent = context.Inputs[LeftIn].Silent && context.Inputs[RightIn].Silent && context.Inputs[SidechainIn].Silent;
        self._quiet = silent ? self._quiet + context.Frames : 0;
        var asleep = self._quiet > self._lookahead + Limits.MaxQuantum;
        var channels = context.Outputs[LeftOut].Channels;
        for (var voice = 0; voice < channels; voice++) asleep &= self._reductions[voice] == 0.0;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            for (var first = 0; first < channels; first += 4)
                Segment(ref self, in context, segment, first, Math.Min(4, channels - first));
            self._position += Limits.Grid;
            if (self._position >= self._lookahead) self._position = 0;
        }

        context.Telemetry[0] = (float)self._reductions[0];
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // Whole segments, so that one is taken out of the ring before the next one goes in.
    private static int Frames(in InstanceSetup setup) =>
        (int)Math.Ceiling(setup.Settings[Lookahead] * 0.001 * setup.SampleRate / Limits.Grid) * Limits.Grid;

    private static void Segment(ref Compressor self, in ProcessContext context, int segment, int first, int voices)
    {
        var threshold = new GridRamp(in context, Threshold, segment);
        var slope = new GridRamp(1f - (1f / context.Param(Ratio, segment)), 1f - (1f / context.Param(Ratio, segment + 1)));
        var knee = new GridRamp(in context, Knee, segment);
        var reductions = stackalloc float[4 * Limits.Grid];
        var at = segment * Limits.Grid;
        var rightPatched = context.Inputs[RightIn].Connected;
        var keyed = context.Inputs[SidechainIn].Connected;
        for (var lane = 0; lane < voices; lane++)
        {
            var left = context.In(LeftIn, first + lane) + at;
            var right = rightPatched ? context.In(RightIn, first + lane) + at : left;
            var decides = keyed ? context.In(SidechainIn, first + lane) + at : left;
            Wanted(decides, keyed ? decides : right, in threshold, in slope, in knee, reductions + (lane * Limits.Grid));
        }

        double attack = -FastMath.Exp2Minus1(-Log2E / (context.Param(Attack, segment) * context.SampleRate));
        double release = -FastMath.Exp2Minus1(-Log2E / (context.Param(Release, segment) * context.SampleRate));
        var ballistics = new Ballistics(attack, release);
        if (voices == 1) Follow(reductions, self._reductions + first, in ballistics);
        else FollowFour(reductions, self._reductions + first, in ballistics);

        var makeup = new GridRamp(in context, Makeup, segment);
        var mix = new GridRamp(in context, Mix, segment);
        for (var lane = 0; lane < voices; lane++)
        {
            var voice = first + lane;
            var left = context.In(LeftIn, voice) + at;
            var right = rightPatched ? context.In(RightIn, voice) + at : left;
            var leftOut = context.Out(LeftOut, voice) + at;
            var rightOut = context.Out(RightOut, voice) + at;
            var reductionOut = context.Out(ReductionOut, voice) + at;
            if (self._lookahead > 0)
            {
                var past = self._past + (2L * voice * self._lookahead) + self._position;
                Exchange(past, left, leftOut);
                Exchange(past + self._lookahead, right, rightOut);
                left = leftOut;
                right = rightOut;
            }

            for (var i = 0; i < Limits.Grid; i += 4)
            {
                var taken = Vector128.Load(reductions + (lane * Limits.Grid) + i);
                var gain = FastMath.Exp2((makeup.Four(i) - taken) * Vector128.Create(1f / Octave));
                var part = mix.Four(i);
                gain = (gain * part) + (Vector128<float>.One - part);
                var (l, r) = (Vector128.Load(left + i), Vector128.Load(right + i));
                (taken * Vector128.Create(VoltsPerDecibel)).Store(reductionOut + i);
                (l * gain).Store(leftOut + i);
                (r * gain).Store(rightOut + i);
            }
        }
    }

    // What the gain computer wants taken away, in decibels: 0, then a parabola over the knee, then the slope.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Wanted(float* a, float* b, in GridRamp threshold, in GridRamp slope, in GridRamp knee, float* wanted)
    {
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var level = Vector128.MaxNative(Vector128.Abs(Vector128.Load(a + i)), Vector128.Abs(Vector128.Load(b + i)));
            level = Vector128.MaxNative(level * Vector128.Create(1f / FullScale), Vector128.Create(1e-9f));
            var over = (FastMath.Log2(level) * Vector128.Create(Octave)) - threshold.Four(i);
            var width = Vector128.MaxNative(knee.Four(i), Vector128.Create(1e-3f));
            var half = width * Vector128.Create(0.5f);
            var bend = Vector128.MinNative(Vector128.MaxNative(over + half, Vector128<float>.Zero), width);
            (((bend * bend / (width + width)) + Vector128.MaxNative(over - half, Vector128<float>.Zero)) * slope.Four(i)).Store(wanted + i);
        }
    }

    // One voice. Both lanes are the same.
    private static void Follow(float* w, double* state, in Ballistics ballistics)
    {
        var y = Vector128.Create(*state);
        for (var i = 0; i < Limits.Grid; i += 2)
        {
            ballistics.Two(Vector128.Create((double)w[i]), Vector128.Create((double)w[i + 1]), ref y, out var first);
            w[i] = (float)first[0];
            w[i + 1] = (float)y[0];
        }

        *state = y[0] < Rest ? 0.0 : y[0];
    }

    // Four voices, w by voice.
    private static void FollowFour(float* w, double* state, in Ballistics ballistics)
    {
        var (low, high) = (Vector128.Load(state), Vector128.Load(state + 2));
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var (w0, w1) = (Vector128.Load(w + i), Vector128.Load(w + Limits.Grid + i));
            var (w2, w3) = (Vector128.Load(w + (2 * Limits.Grid) + i), Vector128.Load(w + (3 * Limits.Grid) + i));
            Transpose.Four(ref w0, ref w1, ref w2, ref w3);
            Two(ref w0, ref w1, in ballistics, ref low, ref high);
            Two(ref w2, ref w3, in ballistics, ref low, ref high);
            Transpose.Four(ref w0, ref w1, ref w2, ref w3);
            w0.Store(w + i);
            w1.Store(w + Limits.Grid + i);
            w2.Store(w + (2 * Limits.Grid) + i);
            w3.Store(w + (3 * Limits.Grid) + i);
        }

        var rest = Vector128.Create(Rest);
        Vector128.AndNot(low, Vector128.LessThan(low, rest)).Store(state);
        Vector128.AndNot(high, Vector128.LessThan(high, rest)).Store(state + 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Two(
        ref Vector128<float> a, ref Vector128<float> b, in Ballistics ballistics, ref Vector128<double> low, ref Vector128<double> high)
    {
        var (aLow, aHigh) = Vector128.Widen(a);
        var (bLow, bHigh) = Vector128.Widen(b);
        ballistics.Two(aLow, bLow, ref low, out var firstLow);
        ballistics.Two(aHigh, bHigh, ref high, out var firstHigh);
        a = Vector128.Narrow(firstLow, firstHigh);
        b = Vector128.Narrow(low, high);
    }

    // The segment of long ago comes out, this one goes in. Source and target may be the same memory.
    private static void Exchange(float* past, float* source, float* target)
    {
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var x = Vector128.Load(source + i);
            Vector128.Load(past + i).Store(target + i);
            x.Store(past + i);
        }
    }

    // y' = y + (x - y) a, a by whether x lies above y: of the two results the larger one where the attack is the faster of the two, else the
    // smaller one. Both rise with y, so two frames are the largest of the three lines that their combinations make: the loop waits once for two
    // frames. The smaller one of two is the larger one of both turned over, so the sign of everything says which is meant.
    private readonly struct Ballistics
    {
        private readonly Vector128<double> _a, _r, _keepA, _keepR, _keepAa, _keepAr, _keepRr, _sign;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Ballistics(double attack, double release)
        {
            var (keepA, keepR) = (1.0 - attack, 1.0 - release);
            _a = Vector128.Create(attack);
            _r = Vector128.Create(release);
            _keepA = Vector128.Create(keepA);
            _keepR = Vector128.Create(keepR);
            _keepAa = Vector128.Create(keepA * keepA);
            _keepAr = Vector128.Create(keepA * keepR);
            _keepRr = Vector128.Create(keepR * keepR);
            _sign = Vector128.Create(attack >= release ? 0.0 : -0.0);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Two(Vector128<double> x1, Vector128<double> x2, ref Vector128<double> y, out Vector128<double> first)
        {
            x1 ^= _sign;
            x2 ^= _sign;
            var z = y ^ _sign;
            var (a1, r1, a2, r2) = (x1 * _a, x1 * _r, x2 * _a, x2 * _r);
            var aa = (a1 * _keepA) + a2;
            var ar = Vector128.MaxNative((a1 * _keepR) + r2, (r1 * _keepA) + a2);
            var rr = (r1 * _keepR) + r2;
            first = Vector128.MaxNative((z * _keepA) + a1, (z * _keepR) + r1) ^ _sign;
            y = Vector128.MaxNative(Vector128.MaxNative((z * _keepAa) + aa, (z * _keepRr) + rr), (z * _keepAr) + ar) ^ _sign;
        }
    }
}
