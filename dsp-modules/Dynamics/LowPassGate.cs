// Low-pass gate: opens like an ear and closes like a drum; quiet is also dark.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// The audio path of the Buchla 292 (Parker and D'Angelo, A Digital Model of the Buchla Lowpass-Gate, DAFx 2013): two resistors of a
/// <see cref="Vactrol"/>, R, between them C2 = 220 pF to ground, behind them C1 = 1 nF and a load to ground, and a buffer. From the currents
/// at the two nodes, with a = R / load,
/// H = 1 / ((1 + 2a) + s R (2 C1 + (1 + a)(C2 + C3) - q C3) + s^2 R^2 C1 (C2 + C3)). The load is 5 Mohm, in VCA mode 5 kohm, which divides
/// long before it darkens; in low-pass mode C3 = 4.7 nF feeds q times the output back into the first node, which resonates. Levels are those
/// of full light. Trapezoid rule on a state-variable form of H, frequencies warped so that the lower pole is where it belongs; at the high
/// quality at twice the rate.
/// </summary>
public unsafe struct LowPassGate : IModule<LowPassGate>
{
    private const int In = 0, CvIn = 1, StrikeIn = 2;
    private const int Quality = 0;
    private const int Level = 0, Attack = 1, Decay = 2, Mode = 3, Resonance = 4;
    private const int Groups = Limits.MaxChannels / 4;
    private const float Log2E = 1.442695f;
    private const float LongestDecay = 3f;

    private const float C1 = 1e-9f, C2 = 220e-12f, C3 = 4.7e-9f;
    private const float Load = 5e6f, VcaLoad = 5e3f;

    // At q = 1.472 low-pass mode would sing at full light.
    private const float MostFeedback = 1.4f;

    // A strike lights the LED for so many attack times: to 95 %.
    private const float StrikeAttacks = 3f;

    // From full to 1e-7 of it, and what follows in the filter.
    private const float TimeConstantsOfTail = 17f;

    private Voices* _groups;
    private bool _twice;

    private struct Voices
    {
        public Vactrol Vactrol;
        public Vector128<float> Struck; // frames left
        public Vector128<float> Band, Low;
        public Vector128<float> High; // mask: the strike input is high
        public HalfBand Up, Down;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "lpg",
        Name = "Low-Pass Gate",
        Family = "Dynamics",
        Text = "A gate that gets darker as it gets quieter: struck, it sounds like wood and skin.",
        Help = """
            In a vactrol a small lamp shines on a resistor that is quick to see light and slow to forget it. Two of these make a
            volume control and a filter in one: as a note dies away it also loses its overtones, as struck things do. That is the
            sound of west-coast percussion.

            A trigger at Strike lights the lamp for a moment and lets go; Decay is the time the resistor takes to forget. CV opens
            it like a VCA, with the vactrol's inertia, so gates and steps become soft. Level holds it open. With neither CV nor
            Strike patched it is open. Mode chooses the circuit: both volume and brightness, nearly volume alone (VCA), or a
            low-pass filter with resonance.

            - Try a clock into Strike and a sine or a folded wave into In: bongos. Change Decay while it plays.
            - Patch random voltages into CV instead: every note is as bright as it is loud.
            - Try a saw in low-pass mode with the resonance up, and a slow LFO at CV.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound; plain waves work well."),
            new PortDescriptor("cv", "CV", "0 V is closed, 10 V is open."),
            new PortDescriptor("strike", "Strike", "A trigger here plucks it."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The sound, as loud and as bright as the vactrol lets it.")],
        Parameters =
        [
            new ParameterDescriptor("level", "Level", "", 0f, 1f, 0f, ParameterCurve.Linear, "How far it is open without CV."),
            new ParameterDescriptor("attack", "Attack", "s", 0.001f, 0.2f, 0.012f, ParameterCurve.Exponential, "Time to see light."),
            new ParameterDescriptor("decay", "Decay", "s", 0.02f, LongestDecay, 0.25f, ParameterCurve.Exponential, "Time to forget it."),
            new ParameterDescriptor("mode", "Mode", "", 0f, 2f, 0f, ParameterCurve.Stepped, "What the vactrol controls.",
                "both", "VCA", "low pass"),
            new ParameterDescriptor("resonance", "Resonance", "", 0f, 1f, 0.5f, ParameterCurve.Linear, "Emphasis in low-pass mode."),
        ],
        Settings =
        [
            new SettingDescriptor("quality", "Quality", 0, 1, 0, "High is truer to the circuit above 5 kHz.", "standard", "high"),
        ],
        Telemetry = [new TelemetryDescriptor("light", TelemetryKind.Value, 1, "", "What the first voice's vactrol sees, 0 to 1.")],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voices>(Groups);

    public static void Construct(ref LowPassGate self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._groups = memory.Take<Voices>(Groups);
        self._twice = setup.Settings[Quality] == 1;
        timing.LatencyFrames = self._twice ? 3 : 0;
        timing.TailFrames = (long)(TimeConstantsOfTail * LongestDecay * setup.SampleRate);
    }

    public static void Reset(ref LowPassGate self) => Block.Zero(self._groups, Groups);

    public static ProcessResult Process(ref LowPassGate self, in ProcessContext context)
    {
        var channels = context.Outputs[0].Channels;
        var asleep = context.Inputs[In].Silent && context.Inputs[CvIn].Silent && context.Inputs[StrikeIn].Silent;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            for (var first = 0; first < channels; first += 4)
            {
                asleep &= self._twice
                    ? Segment(self._groups + (first / 4), true, in context, segment, first, channels)
                    : Segment(self._groups + (first / 4), false, in context, segment, first, channels);
            }
        }

        for (var voice = 0; asleep && voice < channels; voice++) asleep = Block.IsZero(context.Out(0, voice), context.Frames);
        context.Telemetry[0] = self._groups->Vactrol.Light[0];
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // Inlined twice, each with its rate as a constant.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Segment(Voices* group, bool twice, in ProcessContext context, int segment, int first, int channels)
    {
        var patched = context.Inputs[CvIn].Connected || context.Inputs[StrikeIn].Connected;
        var level = patched ? new GridRamp(in context, Level, segment) : new GridRamp(1f, 1f);
        var attackFrames = context.Param(Attack, segment) * context.SampleRate;
        var up = Vector128.Create(-FastMath.Exp2Minus1(-Log2E / attackFrames));
        var down = Vector128.Create(-FastMath.Exp2Minus1(-Log2E / (context.Param(Decay, segment) * context.SampleRate)));
        var pulse = Vector128.Create(MathF.Floor((StrikeAttacks * attackFrames) + 0.5f));
        var mode = (int)context.Param(Mode, segment);
        var feedback = new GridRamp(in context, Resonance, segment);
        var circuit = new Circuit(mode, twice ? 2f * context.SampleRate : context.SampleRate);
        var frames = stackalloc Vector128<float>[Limits.Grid];
        var cvs = stackalloc Vector128<float>[Limits.Grid];
        var strikes = stackalloc Vector128<float>[Limits.Grid];
        var at = segment * Limits.Grid;
        VoiceLanes.Load(in context, In, first, channels, at, frames);
        VoiceLanes.Load(in context, CvIn, first, channels, at, cvs);
        VoiceLanes.Load(in context, StrikeIn, first, channels, at, strikes);
        var silent = VoiceLanes.Silent(frames);
        var (zero, one) = (Vector128<float>.Zero, Vector128<float>.One);
        var (band, low) = (group->Band, group->Low);
        var seen = Vector128.Create(-1f);
        var target = zero;
        Vector128<float> g = default, k = default, dc = default, inverse = default;
        var still = feedback.Step == 0f || mode != 2;
        for (var i = 0; i < Limits.Grid; i++)
        {
            // A strike counts when the input rises past 1 V; it must fall to 0.1 V before the next.
            var high = Vector128.GreaterThanOrEqual(strikes[i], Vector128.Create(SchmittTrigger.High))
                | (group->High & Vector128.GreaterThan(strikes[i], Vector128.Create(SchmittTrigger.Low)));
            group->Struck = Vector128.ConditionalSelect(Vector128.AndNot(high, group->High), pulse, group->Struck);
            group->High = high;
            var open = Vector128.Create(level.At(i)) + (cvs[i] * Vector128.Create(0.1f));
            open = Vector128.MinNative(Vector128.MaxNative(open, zero), one);
            target = Vector128.ConditionalSelect(Vector128.GreaterThan(group->Struck, zero), one, open * open);
            group->Struck = Vector128.MaxNative(group->Struck - one, zero);
            group->Vactrol.Follow(target, up, down);
            var light = group->Vactrol.Light;
            if (!still || !Vector128.EqualsAll(light, seen))
            {
                seen = light;
                circuit.At(Vactrol.Resistance(light), feedback.At(i) * MostFeedback, out g, out k, out dc);
                inverse = one / (one + (g * (k + (g * dc))));
            }

            if (twice)
            {
                group->Up.Up(frames[i], out var a, out var b);
                a = Step(a, g, dc, inverse, ref band, ref low);
                frames[i] = group->Down.Down(a, Step(b, g, dc, inverse, ref band, ref low)) * circuit.Makeup;
            }
            else
            {
                frames[i] = Step(frames[i], g, dc, inverse, ref band, ref low) * circuit.Makeup;
            }
        }

        var peak = Vector128.MaxNative(Vector128.Abs(band), Vector128.Abs(low));
        if (twice) peak = Vector128.MaxNative(peak, Vector128.MaxNative(group->Up.Peak(), group->Down.Peak()));
        var settled = Vector128.Equals(group->Vactrol.Light, target) & Vector128.Equals(group->Struck, zero);
        var quiet = silent & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        group->Band = Vector128.AndNot(band, quiet);
        group->Low = Vector128.AndNot(low, quiet);
        if (twice)
        {
            group->Up.Clear(quiet);
            group->Down.Clear(quiet);
        }

        VoiceLanes.Store(in context, 0, first, channels, at, frames);
        return VoiceLanes.All(quiet & settled & Vector128.Equals(group->High.AsInt32(), Vector128<int>.Zero).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Step(
        Vector128<float> x, Vector128<float> g, Vector128<float> dc, Vector128<float> inverse,
        ref Vector128<float> band, ref Vector128<float> low)
    {
        var b = (band + (g * (x - (dc * low)))) * inverse;
        var l = low + (g * b);
        band = b + b - band;
        low = l + l - low;
        return l;
    }

    // H's coefficients for a resistance, as g of the trapezoid rule and the state-variable form 1 / (dc + k s + s^2).
    private readonly struct Circuit
    {
        public readonly Vector128<float> Makeup;
        private readonly float _load, _second, _third, _root, _perFrame;

        public Circuit(int mode, float sampleRate)
        {
            _load = 1f / (mode == 1 ? VcaLoad : Load);
            _third = mode == 2 ? C3 : 0f;
            _second = C2 + _third;
            _root = MathF.Sqrt(C1 * _second);
            _perFrame = 0.5f / sampleRate;
            Makeup = Vector128.Create(1f + (2f * Vactrol.Least * _load));
        }

        public void At(
            Vector128<float> ohms, float feedback, out Vector128<float> g, out Vector128<float> k, out Vector128<float> dc)
        {
            var a = ohms * Vector128.Create(_load);
            dc = Vector128<float>.One + a + a;
            var seconds = Vector128.Create((2f * C1) + _second - (feedback * _third)) + (a * Vector128.Create(_second));
            k = seconds * Vector128.Create(1f / _root);

            // Half the angle a frame of 1 / (R sqrt(C1 (C2 + C3))), and of the lower pole, which is at about dc / k of it.
            var half = Vector128.Create(_perFrame / _root) / ohms;
            var pole = half * Vector128.MinNative(dc / k, Vector128<float>.One) * Vector128.Create(1f / MathF.PI);
            pole = Vector128.MinNative(pole, Vector128.Create(0.3f));
            g = half * FastMath.TanPi(pole) / (pole * Vector128.Create(MathF.PI));
        }
    }
}
