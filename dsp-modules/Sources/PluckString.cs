// String: plucked by a trigger, or made to sing by whatever sound is sent into it.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// The extended Karplus-Strong string (see <see cref="PluckedString"/> for the sources) with a pluck of its own: one period of half noise,
/// half ramp, which always has its fundamental, through a low-pass. The picking point is a comb behind the string: filters of a linear loop
/// may change places. A pluck lies as a finger on what still rings.
/// </summary>
public unsafe struct PluckString : IModule<PluckString>
{
    private const int Trigger = 0, Accent = 1, PitchIn = 2, ExciterIn = 3, BrightnessIn = 4, DecayIn = 5;
    private const int PitchParam = 0, DecayParam = 1, Brightness = 2, Position = 3, Stiffness = 4, AccentParam = 5;
    private const int Groups = Limits.MaxChannels / 4;

    private const float PluckVolts = 4f;
    private const float ExciterGain = 0.3f;

    // A steady voltage would push the string to one side for good: the exciter is heard from here on.
    private const float ExciterHertz = 15f;

    // What a finger leaves of the sound it interrupts, each time it comes round.
    private const float Finger = 0.3f;

    private Group* _groups;
    private float* _rings;
    private ulong _seed;
    private int _frames;

    private struct Group
    {
        public DrumGroup Strikes;
        public PluckedString String;
        public StringShape Shape, Target;
        public Vector128<float> Hertz, Seconds, Bright, Softness;
        public Vector128<float> Left, Length, Strength, Soft;
        public Vector128<float> Rest, Direct;
        public float Stiff;
        public bool Sounds;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "string",
        Name = "String",
        Family = "Sources",
        Text = "A string that is plucked by a trigger or made to sing by any sound, in tune over its whole range.",
        Help = """
            A string that exists only as a delay: a pluck runs round and round in it and loses a little each time. Pitch follows 1 V
            an octave from 20 Hz to 4.4 kHz, and Decay is the time in which the fundamental dies away, the same for every note.

            Brightness says how long the overtones live and how hard the pluck is, Position where it is plucked: near the bridge
            thin, in the middle hollow. Stiffness stretches the overtones as in a piano wire or a rod. Whatever comes into Exciter
            shakes the string as well: noise bows it, a drum loop makes it ring along. Each channel of a wide cable has a string of
            its own.

            Try a sequencer's gate into Pluck and its pitch into Pitch. Then patch an envelope into Brightness CV, move
            Position by hand, and last patch a quiet noise into Exciter instead of the plucks.
            """,
        Inputs =
        [
            new PortDescriptor("trigger", "Pluck", "Plucks the string; unpatched, it is plucked once when placed."),
            new PortDescriptor("accent", "Accent", "How hard, 0 to 10 V, taken at the pluck."),
            new PortDescriptor("pitch", "Pitch", "1 V an octave; 0 V is middle C."),
            new PortDescriptor("exciter", "Exciter", "Sound that shakes the string."),
            new PortDescriptor("brightness", "Brightness CV", "10 V go the whole way."),
            new PortDescriptor("decay", "Decay CV", "Doubles the decay with each volt; -5 V is a hand on the string."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The string.")],
        Parameters =
        [
            new ParameterDescriptor("pitch", "Pitch", "V/oct", -4f, 4f, 0f, ParameterCurve.Linear, "The note, added to the pitch input."),
            new ParameterDescriptor("decay", "Decay", "s", 0.1f, 20f, 4f, ParameterCurve.Exponential,
                "Time in which the fundamental falls by 60 dB."),
            new ParameterDescriptor("brightness", "Brightness", "", 0f, 1f, 0.6f, ParameterCurve.Linear,
                "How long overtones ring and how hard the pluck is."),
            new ParameterDescriptor("position", "Position", "", 0.02f, 0.5f, 0.17f, ParameterCurve.Linear,
                "Where it is plucked, as a part of its length."),
            new ParameterDescriptor("stiffness", "Stiffness", "", 0f, 1f, 0f, ParameterCurve.Linear, "Stretches the overtones."),
            new ParameterDescriptor("accent", "Accent amount", "", 0f, 1f, 0.7f, ParameterCurve.Linear,
                "How much of the loudness the accent decides."),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Group>(Groups);
        need.Need<float>((long)Limits.MaxChannels * PluckedString.RingFrames(setup.SampleRate));
    }

    public static void Construct(ref PluckString self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._frames = PluckedString.RingFrames(setup.SampleRate);
        self._groups = memory.Take<Group>(Groups);
        self._rings = memory.Take<float>((long)Limits.MaxChannels * self._frames);
        self._seed = setup.Seed;
        timing.TailFrames = -1;
        if (!memory.Overdrawn) Reset(ref self);
    }

    public static void Reset(ref PluckString self)
    {
        Block.Zero(self._groups, Groups);
        Block.Zero(self._rings, Limits.MaxChannels * self._frames);
        for (var i = 0; i < Groups; i++) self._groups[i].Rest = Vector128<float>.AllBitsSet;
    }

    public static ProcessResult Process(ref PluckString self, in ProcessContext context)
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
        var rings = _rings + ((nint)first * _frames);
        var at = segment * Limits.Grid;
        var frames = stackalloc Vector128<float>[Limits.Grid];
        var strikes = stackalloc Vector128<float>[Limits.Grid];
        var ports = new StrikePorts(Trigger, Accent);
        var struck = group->Strikes.Read(in context, in ports, first, channels, segment, context.Param(AccentParam, segment), 128, strikes);
        VoiceLanes.Load(in context, ExciterIn, first, channels, at, frames);
        var mute = VoiceLanes.Silent(frames);
        if (!struck && !group->Sounds && VoiceLanes.All(mute))
        {
            VoiceLanes.Store(in context, 0, first, channels, at, frames);
            return false;
        }

        var plucked = Vector128<float>.Zero;
        for (var i = 0; struck && i < Limits.Grid; i++) plucked |= Vector128.GreaterThan(strikes[i], Vector128<float>.Zero);
        Tune(group, in context, segment, first, channels);

        // A string at rest, or one that is plucked, has its pitch at once; one that rings glides there within the segment.
        group->Shape.Take(in group->Target, plucked | group->Rest);
        var start = group->Shape;
        var position = new GridRamp(in context, Position, segment);
        var softness = group->Softness;
        var direct = Vector128.Create(2f * OnePole.Coefficient(ExciterHertz, context.SampleRate));
        var noise = stackalloc float[Limits.Grid];
        TimedNoise.Fill(in context, _seed, segment, 0.5f, noise);
        var (zero, one) = (Vector128<float>.Zero, Vector128<float>.One);
        var loudest = zero;
        for (var i = 0; i < Limits.Grid; i++)
        {
            if (struck)
            {
                var mask = Vector128.GreaterThan(strikes[i], zero);
                group->Strength = Vector128.ConditionalSelect(mask, strikes[i] * Vector128.Create(PluckVolts), group->Strength);
                group->Length = Vector128.ConditionalSelect(mask, group->Shape.Period, group->Length);
                group->Left = Vector128.ConditionalSelect(mask, group->Shape.Period, group->Left);
            }

            // The ramp falls from +0.5 to -0.5 in one period.
            var plucks = Vector128.GreaterThan(group->Left, zero);
            var ramp = (group->Left / Vector128.MaxNative(group->Length, one)) - Vector128.Create(0.5f);
            var pluck = (ramp + Vector128.Create(noise[i])) * group->Strength & plucks;
            group->Left = Vector128.MaxNative(group->Left - one, zero);
            group->Soft = Denormal.Flush(group->Soft + ((pluck - group->Soft) * softness));
            group->Shape.Move(in start, in group->Target, 1f / Limits.Grid);
            var x = Vector128.MinNative(Vector128.MaxNative(frames[i], Vector128.Create(-20f)), Vector128.Create(20f));
            group->Direct = Denormal.Flush(group->Direct + ((x - group->Direct) * direct));
            x -= group->Direct;
            var damp = Vector128.ConditionalSelect(plucks, Vector128.Create(Finger), one);
            var y = group->String.Next(rings, _frames, in group->Shape, group->Soft + (x * Vector128.Create(ExciterGain)), damp);
            loudest = Vector128.MaxNative(loudest, Vector128.Abs(y) + Vector128.Abs(group->Soft));
            var comb = group->String.Past(rings, _frames, group->Shape.Period * Vector128.Create(position.At(i)));
            frames[i] = y - comb;
        }

        group->Shape = group->Target;
        VoiceLanes.Store(in context, 0, first, channels, at, frames);
        var silent = mute & Vector128.Equals(loudest, zero) & Vector128.Equals(group->Left, zero) & Vector128.Equals(group->Direct, zero);
        group->Rest = group->String.Settle(silent, _frames, Limits.Grid);
        group->Sounds = !VoiceLanes.All(group->Rest);
        return true;
    }

    // Voltages are read at the end of the segment, where the glide that begins now arrives. What stands still is not worked out again.
    private static void Tune(Group* group, in ProcessContext context, int segment, int first, int channels)
    {
        var last = (segment * Limits.Grid) + Limits.Grid - 1;
        var note = context.Param(PitchParam, segment + 1);
        var seconds = context.Param(DecayParam, segment + 1);
        var bright = context.Param(Brightness, segment + 1);
        var stiff = context.Param(Stiffness, segment + 1);
        var stiffer = stiff != group->Stiff;
        group->Stiff = stiff;
        for (var lane = 0; lane < 4; lane++)
        {
            var voice = first + lane;
            if (voice >= channels) continue;
            var volts = Math.Min(Math.Max(note + context.In(PitchIn, voice)[last], -8f), 8f);
            var hertz = Pitch.ToHertz(volts);
            var longer = Math.Min(Math.Max(context.In(DecayIn, voice)[last], -8f), 3f);
            var time = Math.Min(Math.Max(seconds * FastMath.Exp2(longer), 0.005f), 60f);
            var light = Math.Min(Math.Max(bright + (context.In(BrightnessIn, voice)[last] * 0.1f), 0f), 1f);
            var oldHertz = (float*)&group->Hertz + lane;
            var oldTime = (float*)&group->Seconds + lane;
            var oldLight = (float*)&group->Bright + lane;
            if (!stiffer && hertz == *oldHertz && time == *oldTime && light == *oldLight) continue;
            (*oldHertz, *oldTime, *oldLight) = (hertz, time, light);
            ((float*)&group->Softness)[lane] = 2f * OnePole.Coefficient(700f * FastMath.Exp2(5f * light), context.SampleRate);
            PluckedString.Work(hertz, time, light, stiff, context.SampleRate, &group->Target, lane);
        }
    }
}
