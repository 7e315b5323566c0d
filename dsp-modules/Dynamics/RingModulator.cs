// Ring modulator: two sounds multiplied, which leaves the sums and differences of their frequencies.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Multiplier: out = in * carrier / 5 V, exact. At the high quality both are brought to twice the rate, multiplied there and brought back,
/// so that sums above half the rate are left out instead of being mirrored. Diodes: the ring of four diodes, out = d(c + x/2) + d(-c - x/2)
/// - d(c - x/2) - d(-c + x/2) with a diode that conducts from 0.2 V, in a parabola up to 0.4 V and straight from there (Parker, A Simple
/// Digital Model of the Diode-Based Ring-Modulator, DAFx 2011), at eight times the rate. Without a cable at Carrier a sine of its own is
/// taken, 5 V.
/// </summary>
public unsafe struct RingModulator : IModule<RingModulator>
{
    private const int In = 0, CarrierIn = 1, PitchIn = 2;
    private const int Frequency = 0, Mix = 1;
    private const int Quality = 0, Circuit = 1;
    private const int Groups = Limits.MaxChannels / 4;
    private const int Over = 8;
    private const float Volts = 5f;
    private const float MostHertz = 10_000f;
    private const float MostProduct = 500f;

    // The diodes of the model meet 2 V where a cable carries 5: well above where they begin to conduct, as in the original.
    private const float DiodeScale = 0.4f;
    private const float Conducts = 0.2f, Straight = 0.4f;

    // What makes 5 V by 5 V as loud as from the multiplier: far above both knees the ring passes x times the carrier's sign, 2 V of it.
    private const float DiodeGain = 2.5f;

    private Voices* _groups;
    private ulong _due;
    private int _path;
    private bool _running;

    private struct Voices
    {
        public HalfBand InTwo, CarrierTwo, OutTwo;
        public EightTimes InEight, CarrierEight, OutEight;
        public PhaseLanes Phase;
    }

    private enum Path
    {
        Exact = 0,
        Limited = 1,
        Diodes = 2,
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "ring-modulator",
        Name = "Ring Modulator",
        Family = "Dynamics",
        Text = "Multiplies two sounds: bells, robots and radios.",
        Help = """
            Each partial of one sound meets each of the other, and what comes out are the sums and the differences of their
            frequencies; the originals are gone. Two harmonic sounds in a simple ratio stay harmonic; any other pair becomes a bell,
            a gong or a robot. Below some 20 Hz the carrier is heard as tremolo.

            With nothing at Carrier it uses a sine of its own, which Frequency and Pitch tune. The setting Circuit has two kinds:
            the multiplier is exact and clean; the diodes are four of them in a ring, as in the boxes of the fifties, which let
            nothing of a quiet carrier through and roughen a loud one. The setting Quality keeps the multiplier's sums above half
            the sample rate from coming down again as wrong notes.

            - Try a voice at In with a frequency of 30 Hz, then 200 Hz.
            - Try two oscillators at In and Carrier, a fifth apart, and bend one of them slowly.
            - Patch the same melody into In's oscillator and into Pitch: the bell follows in tune.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be multiplied."),
            new PortDescriptor("carrier", "Carrier", "By what it is multiplied; unpatched a sine of its own."),
            new PortDescriptor("pitch", "Pitch", "Moves the carrier of its own, 1 V an octave."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "Sums and differences.")],
        Parameters =
        [
            new ParameterDescriptor("frequency", "Frequency", "Hz", 0.1f, MostHertz, 220f, ParameterCurve.Exponential, "Its own carrier."),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 1f, ParameterCurve.Linear, "0 is the sound alone, 1 the product."),
        ],
        Settings =
        [
            new SettingDescriptor("quality", "Quality", 0, 1, 0, "High leaves out what does not fit below half the sample rate.", "standard", "high"),
            new SettingDescriptor("circuit", "Circuit", 0, 1, 0, "What multiplies.", "multiplier", "diodes"),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voices>(Groups);

    public static void Construct(ref RingModulator self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._groups = memory.Take<Voices>(Groups);
        var path = setup.Settings[Circuit] == 1 ? Path.Diodes : setup.Settings[Quality] == 1 ? Path.Limited : Path.Exact;
        self._path = (int)path;
        timing.LatencyFrames = path switch { Path.Exact => 0, Path.Limited => 3, _ => EightTimes.Latency };
        timing.TailFrames = path == Path.Exact ? 0 : 2048;
    }

    public static void Reset(ref RingModulator self)
    {
        Block.Zero(self._groups, Groups);
        self._running = false;
    }

    public static ProcessResult Process(ref RingModulator self, in ProcessContext context)
    {
        // Asleep its own carrier went on, at the frequency it has now (a knob that moves wakes it).
        var missed = self._running ? (uint)(context.Time - self._due) : 0u;
        self._running = true;
        self._due = context.Time + (ulong)context.Frames;
        var channels = context.Outputs[0].Channels;
        var asleep = context.Inputs[In].Silent;
        for (var first = 0; first < Limits.MaxChannels; first += 4)
        {
            if (missed != 0) self._groups[first / 4].Phase.Advance(Vector128.Create(context.Param(Frequency) / context.SampleRate), missed);
        }

        for (var segment = 0; segment < context.Segments; segment++)
        {
            for (var first = 0; first < channels; first += 4)
            {
                var group = self._groups + (first / 4);
                asleep &= (Path)self._path switch
                {
                    Path.Exact => Segment(group, Path.Exact, in context, segment, first, channels),
                    Path.Limited => Segment(group, Path.Limited, in context, segment, first, channels),
                    _ => Segment(group, Path.Diodes, in context, segment, first, channels),
                };
            }
        }

        for (var voice = 0; asleep && voice < channels; voice++) asleep = Block.IsZero(context.Out(0, voice), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // Inlined three times, each with its path as a constant.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Segment(Voices* group, Path path, in ProcessContext context, int segment, int first, int channels)
    {
        var mix = new GridRamp(in context, Mix, segment);
        var frames = stackalloc Vector128<float>[Limits.Grid];
        var carriers = stackalloc Vector128<float>[Limits.Grid];
        var inputs = stackalloc Vector128<float>[Over];
        var rings = stackalloc Vector128<float>[Over];
        var at = segment * Limits.Grid;
        VoiceLanes.Load(in context, In, first, channels, at, frames);
        Oscillate(group, in context, segment, first, channels, carriers);
        if (context.Inputs[CarrierIn].Connected) VoiceLanes.Load(in context, CarrierIn, first, channels, at, carriers);
        var silent = VoiceLanes.Silent(frames);
        for (var i = 0; i < Limits.Grid; i++)
        {
            var (x, c) = (frames[i], carriers[i]);
            var wet = Vector128.Create(mix.At(i));
            var dry = Vector128<float>.One - wet;
            wet *= Vector128.Create(1f / Volts);
            if (path == Path.Exact)
            {
                frames[i] = (Bound(x * c) * wet) + (x * dry);
                continue;
            }

            if (path == Path.Limited)
            {
                group->InTwo.Up(x, out var x1, out var x2);
                group->CarrierTwo.Up(c, out var c1, out var c2);
                frames[i] = group->OutTwo.Down((Bound(x1 * c1) * wet) + (x1 * dry), (Bound(x2 * c2) * wet) + (x2 * dry));
                continue;
            }

            wet *= Vector128.Create(Volts * DiodeGain);
            group->InEight.Up(x, inputs);
            group->CarrierEight.Up(c, rings);
            for (var k = 0; k < Over; k++) rings[k] = (Ring(inputs[k], rings[k]) * wet) + (inputs[k] * dry);
            frames[i] = group->OutEight.Down(rings);
        }

        VoiceLanes.Store(in context, 0, first, channels, at, frames);
        return path == Path.Exact ? VoiceLanes.All(silent) : Settle(group, silent, path);
    }

    // 22 V by 22 V: what no two sounds reach.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Bound(Vector128<float> product) =>
        Vector128.MinNative(Vector128.MaxNative(product, Vector128.Create(-MostProduct)), Vector128.Create(MostProduct));

    // Two diodes of opposite direction see a voltage as one sees its magnitude.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Ring(Vector128<float> x, Vector128<float> c)
    {
        c *= Vector128.Create(DiodeScale);
        x *= Vector128.Create(DiodeScale * 0.5f);
        return Diode(Vector128.Abs(c + x)) - Diode(Vector128.Abs(c - x));
    }

    // 0, a parabola, a straight line of slope 1: the parabola's argument held at its end, and what goes beyond.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Diode(Vector128<float> v)
    {
        const float Width = Straight - Conducts;
        var over = Vector128.MaxNative(v - Vector128.Create(Conducts), Vector128<float>.Zero);
        var bend = Vector128.MinNative(over, Vector128.Create(Width));
        return (bend * bend * Vector128.Create(0.5f / Width)) + (over - bend);
    }

    private static void Oscillate(Voices* group, in ProcessContext context, int segment, int first, int channels, Vector128<float>* carriers)
    {
        var frequency = new GridRamp(in context, Frequency, segment);
        var highest = Vector128.Create(2f * MostHertz / context.SampleRate);
        var pitched = !context.Inputs[PitchIn].Silent;
        VoiceLanes.Load(in context, PitchIn, first, channels, segment * Limits.Grid, carriers);
        for (var i = 0; i < Limits.Grid; i++)
        {
            var turns = Vector128.Create(frequency.At(i) / context.SampleRate);
            if (pitched) turns = Vector128.MinNative(turns * FastMath.Exp2(carriers[i]), highest);
            carriers[i] = FastMath.SinTurns(group->Phase.Turns) * Vector128.Create(Volts);
            group->Phase.Advance(turns);
        }
    }

    // The carrier may go on: what it leaves in its own filter is heard only together with the input.
    private static bool Settle(Voices* group, Vector128<float> quiet, Path path)
    {
        var peak = path == Path.Limited
            ? Vector128.MaxNative(group->InTwo.Peak(), group->OutTwo.Peak())
            : Vector128.MaxNative(group->InEight.Peak(), group->OutEight.Peak());
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        if (Vector128.EqualsAll(mask.AsInt32(), Vector128<int>.Zero)) return false;
        group->InTwo.Clear(mask);
        group->OutTwo.Clear(mask);
        group->InEight.Clear(mask);
        group->OutEight.Clear(mask);

        // So that one that slept wakes as one that did not.
        group->CarrierTwo.Clear(mask);
        group->CarrierEight.Clear(mask);
        return VoiceLanes.All(mask);
    }
}
