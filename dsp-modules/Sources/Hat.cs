// Hat: six squares and hiss through a high-pass, short when closed, long when open.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// The metal of the analogue drum machines (see <see cref="MetalOscillators"/> for the source), mixed with noise, behind an exponential
/// envelope and two high-passes in series. A closed strike ends an open one, as one pair of cymbals must. The oscillators run while a voice
/// sounds, so that two strikes are not quite the same; they are band-limited.
/// </summary>
public unsafe struct Hat : IModule<Hat>
{
    private const int Trigger = 0, OpenTrigger = 1, Accent = 2, PitchIn = 3, DecayIn = 4;
    private const int Tune = 0, Closed = 1, Open = 2, Tone = 3, NoiseMix = 4, AccentParam = 5, Key = 6, OpenKey = 7;
    private const int Groups = Limits.MaxChannels / 4;

    // Squares of 0.4 V keep the filters' own damping out of it (it grows with the square of the voltage); the gain behind them makes
    // what is left above 7 kHz of six squares a sound of 5 V at its peaks.
    private const float SquareVolts = 0.4f;
    private const float NoiseVolts = 0.7f;
    private const float Gain = 12f;

    private Group* _groups;
    private MetalOscillators* _metal;
    private float* _table;
    private ulong _seed;

    private struct Group
    {
        public DrumGroup Strikes, OpenStrikes;
        public LinearSvf First, Second;
        public Vector128<float> Level, IsOpen;
        public bool Sounds;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "hat",
        Name = "Hi-hat",
        Family = "Sources",
        Text = "Closed and open hi-hat from six clashing square waves, like the early drum machines.",
        Help = """
            A pair of cymbals as the early drum machines made it: six square waves that share no note clash into metal, and a
            high-pass leaves only the sheen. Two triggers play it: closed is short, open is long, and a closed strike ends an open
            one, as a foot on the pedal does.

            Noise blends hiss into the metal, Tune moves the squares together, Tone how much of their body is left: low it is a ride or a
            cowbell, high it is a tick. The accent input makes strikes quieter below 10 V. Notes strike it, too: the Key knobs say which.

            Try a fast clock into Closed and a slower one on the off-beat into Open. Then patch a slow LFO into Decay CV, and a random
            voltage into Accent so that no two strikes are equally loud.
            """,
        Inputs =
        [
            new PortDescriptor("trigger", "Closed", "Strikes the closed hat; unpatched, it strikes once when placed."),
            new PortDescriptor("open", "Open", "Strikes the open hat."),
            new PortDescriptor("accent", "Accent", "How hard, 0 to 10 V, taken at the strike."),
            new PortDescriptor("pitch", "Pitch", "Moves the metal, 1 V an octave."),
            new PortDescriptor("decay", "Decay CV", "Doubles both decays with each volt."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The cymbals.")],
        Parameters =
        [
            new ParameterDescriptor("tune", "Tune", "oct", -2f, 2f, 0f, ParameterCurve.Linear, "Moves the six squares together."),
            new ParameterDescriptor("closed", "Closed decay", "s", 0.02f, 2f, 0.12f, ParameterCurve.Exponential,
                "Time in which a closed strike falls by 60 dB."),
            new ParameterDescriptor("open", "Open decay", "s", 0.05f, 6f, 1.2f, ParameterCurve.Exponential,
                "Time in which an open strike falls by 60 dB."),
            new ParameterDescriptor("tone", "Tone", "Hz", 300f, 12_000f, 7_000f, ParameterCurve.Exponential,
                "What is below this frequency is taken away."),
            new ParameterDescriptor("noise", "Noise", "", 0f, 1f, 0.2f, ParameterCurve.Linear, "From the six squares to plain hiss."),
            new ParameterDescriptor("accent", "Accent amount", "", 0f, 1f, 0.7f, ParameterCurve.Linear,
                "How much of the loudness the accent and the velocity decide."),
            new ParameterDescriptor("key", "Closed key", "", -1f, 127f, 42f, ParameterCurve.Stepped, "Note that strikes closed; -1: any."),
            new ParameterDescriptor("open_key", "Open key", "", -1f, 127f, 46f, ParameterCurve.Stepped, "Note that strikes open; -1: any."),
        ],
        AcceptsEvents = true,
        HasTail = true,
    };

    public static long SharedBytes(float sampleRate) => BlepTable.Bytes;

    public static void BuildShared(void* shared, float sampleRate) => BlepTable.Build((float*)shared);

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Group>(Groups);
        need.Need<MetalOscillators>(Limits.MaxChannels);
    }

    public static void Construct(ref Hat self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._groups = memory.Take<Group>(Groups);
        self._metal = memory.Take<MetalOscillators>(Limits.MaxChannels);
        self._table = (float*)setup.Shared;
        self._seed = setup.Seed;
        timing.TailFrames = -1;
    }

    public static void Reset(ref Hat self)
    {
        Block.Zero(self._groups, Groups);
        Block.Zero(self._metal, Limits.MaxChannels);
    }

    public static ProcessResult Process(ref Hat self, in ProcessContext context)
    {
        var channels = context.Outputs[0].Channels;
        var asleep = true;
        for (var first = 0; first < channels; first += 4)
        {
            for (var segment = 0; segment < context.Segments; segment++) asleep &= !self.Segment(in context, segment, first, channels);
        }

        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // Whether anything sounded.
    private readonly bool Segment(in ProcessContext context, int segment, int first, int channels)
    {
        var group = _groups + (first / 4);
        var at = segment * Limits.Grid;
        var frames = stackalloc Vector128<float>[Limits.Grid];
        var closed = stackalloc Vector128<float>[Limits.Grid];
        var open = stackalloc Vector128<float>[Limits.Grid];
        var (ports, openPorts) = (new StrikePorts(Trigger, Accent), new StrikePorts(OpenTrigger, Accent, mute: true));
        var accent = context.Param(AccentParam, segment);
        var struckClosed = group->Strikes.Read(in context, in ports, first, channels, segment,
            accent, (int)MathF.Round(context.Param(Key, segment)), closed);
        var struckOpen = group->OpenStrikes.Read(in context, in openPorts, first, channels, segment,
            accent, (int)MathF.Round(context.Param(OpenKey, segment)), open);
        if (!struckClosed && !struckOpen && !group->Sounds)
        {
            for (var i = 0; i < Limits.Grid; i++) frames[i] = Vector128<float>.Zero;
            VoiceLanes.Store(in context, 0, first, channels, at, frames);
            return false;
        }

        var rate = context.SampleRate;
        VoiceLanes.Load(in context, DecayIn, first, channels, at, frames);
        var longer = FastMath.Exp2(Vector128.MinNative(Vector128.MaxNative(frames[0], Vector128.Create(-5f)), Vector128.Create(2f)));
        var closedLoss = Decay.Loss(Vector128.Create(context.Param(Closed, segment)) * longer, rate);
        var openLoss = Decay.Loss(Vector128.Create(context.Param(Open, segment)) * longer, rate);
        var mix = new GridRamp(in context, NoiseMix, segment);
        var g = FastMath.TanPi(Vector128.Create(Math.Min(context.Param(Tone, segment) / rate, 0.4f)));
        var k = Vector128.Create(1.2f);
        var inverse = LinearSvf.Inverse(g, k);
        var noise = stackalloc float[Limits.Grid];
        TimedNoise.Fill(in context, _seed, segment, NoiseVolts, noise);
        var metal = stackalloc float[4 * Limits.Grid];
        Metal(group, in context, segment, first, channels, struckClosed ? closed : null, struckOpen ? open : null, metal);

        for (var i = 0; i < Limits.Grid; i++)
        {
            if (struckOpen) Strike(group, open[i], Vector128<float>.AllBitsSet);
            if (struckClosed) Strike(group, closed[i], Vector128<float>.Zero);
            var m = mix.At(i);
            var squares = Vector128.Create(metal[i], metal[i + Limits.Grid], metal[i + (2 * Limits.Grid)], metal[i + (3 * Limits.Grid)]);
            var x = (squares * Vector128.Create((1f - m) * SquareVolts)) + Vector128.Create(m * noise[i]);
            group->First.Next(x * group->Level, g, k, inverse, out _, out _, out var high);
            group->Second.Next(high, g, k, inverse, out _, out _, out var higher);
            frames[i] = higher * Vector128.Create(Gain);
            var loss = Vector128.ConditionalSelect(group->IsOpen, openLoss, closedLoss);
            group->Level = Denormal.Flush(group->Level - (group->Level * loss));
        }

        VoiceLanes.Store(in context, 0, first, channels, at, frames);
        var silent = Vector128.Equals(group->Level, Vector128<float>.Zero);
        var rest = group->First.Settle(silent);
        rest &= group->Second.Settle(silent);
        group->Sounds = !rest;
        return true;
    }

    private static void Strike(Group* group, Vector128<float> strength, Vector128<float> open)
    {
        var mask = Vector128.GreaterThan(strength, Vector128<float>.Zero);
        group->Level = Vector128.ConditionalSelect(mask, strength, group->Level);
        group->IsOpen = Vector128.ConditionalSelect(mask, open, group->IsOpen);
    }

    // The squares of each voice that sounds in this segment; those of the others start anew when they do.
    private readonly void Metal(
        Group* group, in ProcessContext context, int segment, int first, int channels,
        Vector128<float>* closed, Vector128<float>* open, float* metal)
    {
        var sounds = Vector128.GreaterThan(group->Level, Vector128<float>.Zero);
        for (var i = 0; closed != null && i < Limits.Grid; i++) sounds |= Vector128.GreaterThan(closed[i], Vector128<float>.Zero);
        for (var i = 0; open != null && i < Limits.Grid; i++) sounds |= Vector128.GreaterThan(open[i], Vector128<float>.Zero);
        var sounding = (int*)&sounds;
        for (var lane = 0; lane < 4; lane++)
        {
            var oscillators = _metal + first + lane;
            var target = metal + (lane * Limits.Grid);
            if (first + lane >= channels || sounding[lane] == 0)
            {
                oscillators->Reset();
                Block.Clear(target, Limits.Grid);
                continue;
            }

            var pitch = context.In(PitchIn, first + lane)[segment * Limits.Grid];
            var octaves = context.Param(Tune, segment) + Math.Min(Math.Max(pitch, -8f), 8f);
            var perHertz = Math.Min(FastMath.Exp2(octaves) / context.SampleRate, 1f / 4000f);
            oscillators->Render(_table, perHertz, target);
        }
    }
}
