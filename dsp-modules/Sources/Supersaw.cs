// Supersaw: seven saws, six of them a little out of tune, across the stereo field.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// The oscillator of the Roland JP-8000 as Szabo measured it (How to Emulate the Super Saw, KTH 2010): the distances between the seven, the
/// curve of the detune knob and the levels of middle and sides over the mix knob are his. Its aliases are not kept: each saw is
/// band-limited (see <see cref="BlepSegment"/>), so that the high-pass that hid them is not needed.
/// The seven start at random phases, the same ones after each reset. The output lags by 16 frames.
/// </summary>
public unsafe struct Supersaw : IModule<Supersaw>
{
    private const int PitchIn = 0, DetuneIn = 1, MixIn = 2;
    private const int PitchParam = 0, Fine = 1, Detune = 2, Mix = 3, Spread = 4;
    private const int Left = 0, Right = 1;
    private const int Saws = 7, Lanes = 8;
    private const float Volts = 5f;

    private Voice* _voices;
    private float* _buffers;
    private float* _table;
    private ulong _seed;

    private struct Voice
    {
        public fixed double Phase[Saws];
        public fixed float LeftGain[Lanes];
        public fixed float RightGain[Lanes];
        public bool Runs;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "supersaw",
        Name = "Supersaw",
        Family = "Sources",
        Text = "Seven detuned saws in stereo: wide leads, trance chords, swarms.",
        Help = """
            One note played by seven saws at once. The middle one is in tune; three pairs lie below and above it, at the uneven distances
            that made a synthesizer of 1996 famous, and beat against each other without ever repeating.

            Detune is gentle over most of its travel and wild at the end, Mix brings the six beside the middle one up. Spread places them
            between left and right; at 0 both outputs are the same, for patches in mono. The loudness stays while you turn.

            - A low-pass or a high-pass at the played note after it gives the classic pad; no filter at all gives the classic lead.
            - A slow envelope at Detune CV lets a chord begin in tune and widen.
            - Patch a cable with several channels into Pitch: each note gets its own seven.

            Try first: left and right to the output, Detune at 0.4, Mix full, and play wide chords with a slow attack.
            """,
        Inputs =
        [
            new PortDescriptor("pitch", "Pitch", "1 V an octave; 0 V is middle C."),
            new PortDescriptor("detune", "Detune CV", "10 V are the knob's whole travel."),
            new PortDescriptor("mix", "Mix CV", "10 V are the knob's whole travel."),
        ],
        Outputs =
        [
            new PortDescriptor("left", "Left", "The left side."),
            new PortDescriptor("right", "Right", "The right side."),
        ],
        Parameters =
        [
            new ParameterDescriptor("pitch", "Pitch", "V/oct", -5f, 5f, 0f, ParameterCurve.Linear, "The note, added to the pitch input."),
            new ParameterDescriptor("fine", "Fine", "cent", -100f, 100f, 0f, ParameterCurve.Linear, "Fine tuning, a semitone either way."),
            new ParameterDescriptor("detune", "Detune", "", 0f, 1f, 0.4f, ParameterCurve.Linear,
                "How far the six are out of tune; at most two semitones."),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 0.7f, ParameterCurve.Linear, "How loud the six are beside the middle one."),
            new ParameterDescriptor("spread", "Spread", "", 0f, 1f, 0.8f, ParameterCurve.Linear, "How far apart the seven are in stereo."),
        ],
    };

    public static long SharedBytes(float sampleRate) => BlepTable.Bytes;

    public static void BuildShared(void* shared, float sampleRate) => BlepTable.Build((float*)shared);

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Voice>(Limits.MaxChannels);
        need.Need<float>(Limits.MaxChannels * 2 * BlepSegment.Stride);
    }

    public static void Construct(ref Supersaw self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        self._buffers = memory.Take<float>(Limits.MaxChannels * 2 * BlepSegment.Stride);
        self._table = (float*)setup.Shared;
        self._seed = setup.Seed;
        timing.LatencyFrames = BlepTable.Latency;
        timing.TailFrames = -1;
        if (!memory.Overdrawn) Reset(ref self);
    }

    public static void Reset(ref Supersaw self)
    {
        Block.Clear(self._buffers, Limits.MaxChannels * 2 * BlepSegment.Stride);
        for (var channel = 0; channel < Limits.MaxChannels; channel++)
        {
            // Every voice begins alike: a chord's notes differ in pitch, not by chance.
            var random = new Xorshift(self._seed);
            self._voices[channel] = default;
            for (var saw = 0; saw < Saws; saw++) self._voices[channel].Phase[saw] = (random.Next() >> 11) * (1.0 / (1UL << 53));
        }
    }

    public static ProcessResult Process(ref Supersaw self, in ProcessContext context)
    {
        for (var channel = 0; channel < context.Outputs[Left].Channels; channel++)
        {
            var left = self._buffers + (channel * 2 * BlepSegment.Stride);
            var right = left + BlepSegment.Stride;
            for (var segment = 0; segment < context.Segments; segment++)
            {
                self.Render(self._voices + channel, left, right, in context, segment, channel);
                var at = segment * Limits.Grid;
                Block.ScaleSegment(context.Out(Left, channel) + at, left, new GridRamp(Volts, Volts));
                Block.ScaleSegment(context.Out(Right, channel) + at, right, new GridRamp(Volts, Volts));
                BlepSegment.Shift(left);
                BlepSegment.Shift(right);
            }
        }

        return ProcessResult.Continue;
    }

    private readonly void Render(Voice* voice, float* left, float* right, in ProcessContext context, int segment, int channel)
    {
        var at = segment * Limits.Grid;
        var note = new GridRamp(in context, PitchParam, segment);
        var fine = new GridRamp(in context, Fine, segment);
        var turns = SegmentPitch.Turns(context.In(PitchIn, channel) + at, in note, in fine, 1f / context.SampleRate);
        var detune = Part(context.Param(Detune, segment + 1) + (context.In(DetuneIn, channel)[at + Limits.Grid - 1] * 0.1f));
        var mix = Part(context.Param(Mix, segment + 1) + (context.In(MixIn, channel)[at + Limits.Grid - 1] * 0.1f));
        var amount = DetuneCurve(detune);

        float* leftGain = stackalloc float[Lanes], rightGain = stackalloc float[Lanes], phases = stackalloc float[Limits.Grid];
        Gains(mix, context.Param(Spread, segment + 1), leftGain, rightGain);
        for (var saw = 0; saw < Saws; saw++)
        {
            var increment = Math.Min(turns * (1.0 + (Offset(saw) * amount)), 0.5);
            var (fromLeft, fromRight) = voice->Runs
                ? (voice->LeftGain[saw], voice->RightGain[saw]) : (leftGain[saw], rightGain[saw]);
            var (rampLeft, rampRight) = (new GridRamp(fromLeft, leftGain[saw]), new GridRamp(fromRight, rightGain[saw]));
            var phase = voice->Phase[saw];
            BlepSegment.Phases(phases, phase, increment);
            for (var i = 0; i < Limits.Grid; i += 4)
            {
                var p = Vector128.Load(phases + i);
                var ideal = p + p - Vector128<float>.One;
                var l = left + BlepTable.Latency + i;
                var r = right + BlepTable.Latency + i;
                (Vector128.Load(l) + (ideal * rampLeft.Four(i))).Store(l);
                (Vector128.Load(r) + (ideal * rampRight.Four(i))).Store(r);
            }

            BlepSegment.Corners(left, right, _table, phase, increment, 0.0, 0, -(fromLeft + leftGain[saw]), -(fromRight + rightGain[saw]));
            voice->Phase[saw] = BlepSegment.After(phase, increment);
            voice->LeftGain[saw] = leftGain[saw];
            voice->RightGain[saw] = rightGain[saw];
        }

        voice->Runs = true;
    }

    // Levels of the middle and of the six over the mix knob (Szabo 2010, 3.3), at equal power, each between left and right at equal power.
    private static void Gains(float mix, float spread, float* left, float* right)
    {
        var middle = 0.99785f - (0.55366f * mix);
        var side = 0.044372f + (mix * (1.2841f - (0.73764f * mix)));
        var scale = MathF.Sqrt(2f / ((middle * middle) + (6f * side * side)));
        for (var i = 0; i < Lanes; i += 4)
        {
            var place = i == 0 ? Vector128.Create(-1f, 0.6f, -0.3f, 0f) : Vector128.Create(0.3f, -0.6f, 1f, 0f);
            var level = i == 0 ? Vector128.Create(side, side, side, middle) : Vector128.Create(side, side, side, 0f);
            var (eighth, p) = (Vector128.Create(0.125f), place * Vector128.Create(spread * 0.125f));
            level *= Vector128.Create(scale);
            (FastMath.SinTurns(eighth - p) * level).Store(left + i);
            (FastMath.SinTurns(eighth + p) * level).Store(right + i);
        }
    }

    // Distance from the middle one at full detune, as a part of the frequency (Szabo 2010, 3.1).
    private static double Offset(int saw) => saw switch
    {
        0 => -0.11002313,
        1 => -0.06288439,
        2 => -0.01952356,
        4 => 0.01991221,
        5 => 0.06216538,
        6 => 0.10745242,
        _ => 0.0,
    };

    // The detune knob's curve (Szabo 2010, 3.2): his polynomial of eleventh degree. In double, because its terms cancel.
    private static double DetuneCurve(double x)
    {
        var y = (10_028.7312891634 * x) - 50_818.8652045924;
        y = (y * x) + 111_363.4808729368;
        y = (y * x) - 138_150.6761080548;
        y = (y * x) + 106_649.6679158292;
        y = (y * x) - 53_046.9642751875;
        y = (y * x) + 17_019.9518580080;
        y = (y * x) - 3_425.0836591318;
        y = (y * x) + 404.2703938388;
        y = (y * x) - 24.1878824391;
        y = (y * x) + 0.6717417634;
        return (y * x) + 0.0030115596;
    }

    private static float Part(float x) => x >= 0f ? Math.Min(x, 1f) : 0f;
}
