// LFO: slow movement.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// One slow wave a voice, its phase in double precision so that hours do not detune it. With a clock the phase is at its place at each rise
/// and walks straight between two (<see cref="PhaseLock"/>).
/// </summary>
public unsafe struct Lfo : IModule<Lfo>
{
    private const int RateIn = 0, ResetIn = 1, ClockIn = 2;
    private const int Rate = 0, Shape = 1, Phase = 2, Level = 3, Range = 4, Ratio = 5;
    private const int ScopePoints = 128;
    private const float ScopePointsPerSecond = 50f;

    private Voice* _voices;
    private ulong _seed;
    private int _segmentsPerPoint, _segmentsLeft, _point;

    private struct Voice
    {
        public double Turns;
        public SchmittTrigger Reset, ClockEdge;
        public ClockFollower Clock;
        public PhaseLock Lock;
        public Xorshift Random;
        public float Shifted, Held, Next;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "lfo",
        Name = "LFO",
        Family = "Modulation",
        Text = "Moves things slowly up and down: vibrato, tremolo, sweeps, random voltages.",
        Help = """
            A low frequency oscillator: a wave too slow to be heard, which moves other things. Shape is the form of the movement: sine and
            triangle for what should breathe, the ramps for what should start again and again, square for jumps, and two random ones, of
            which "random" holds a new voltage each cycle and "smooth random" wanders from one to the next.

            Without a clock, Rate and its CV say how fast it is. Patch a clock into Clock and it keeps to it instead: Ratio says
            how many cycles fall on a tick, or how many ticks on a cycle. When the tempo changes the wave follows within a tick, without
            a jump. Reset starts the cycle where Phase says.

            - Range "upwards" gives 0 V to Level in place of both sides of 0 V: right for levels and for anything with gates.
            - A wide cable at any input makes as many waves.

            Try: a triangle of 0.3 Hz into the cutoff of a filter; then the beat of a clock into Clock with a ratio of /4, and
            the sweep takes exactly a bar.
            """,
        Inputs =
        [
            new PortDescriptor("rate", "Rate CV", "1 V doubles the rate."),
            new PortDescriptor("reset", "Reset", "A trigger starts the cycle again, where Phase says."),
            new PortDescriptor("clock", "Clock", "A clock to keep to; then Ratio counts instead of Rate."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The slow wave.")],
        Parameters =
        [
            new ParameterDescriptor("rate", "Rate", "Hz", 0.01f, 100f, 1f, ParameterCurve.Exponential, "Cycles a second."),
            new ParameterDescriptor("shape", "Shape", "", 0f, 6f, 0f, ParameterCurve.Stepped, "The form of the movement.", "sine",
                "triangle", "ramp up", "ramp down", "square", "random", "smooth random"),
            new ParameterDescriptor("phase", "Phase", "turns", 0f, 1f, 0f, ParameterCurve.Linear, "Where in the cycle it starts."),
            new ParameterDescriptor("level", "Level", "V", 0f, 10f, 5f, ParameterCurve.Linear, "How far it goes."),
            new ParameterDescriptor("range", "Range", "", 0f, 1f, 0f, ParameterCurve.Stepped, "Around 0 V, or only above it.", "both ways",
                "upwards"),
            new ParameterDescriptor("ratio", "Ratio", "", 0f, ClockRatios.Names.Length - 1f, ClockRatios.One, ParameterCurve.Stepped,
                "Cycles to a tick of the clock, or ticks to a cycle.", ClockRatios.Names),
        ],
        Telemetry = [new TelemetryDescriptor("scope", TelemetryKind.Scope, ScopePoints + 1, "V", "The wave, two and a half seconds of it.")],
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voice>(Limits.MaxChannels);

    public static void Construct(ref Lfo self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        self._seed = setup.Seed;
        self._segmentsPerPoint = Math.Max(1, (int)(setup.SampleRate / (ScopePointsPerSecond * Limits.Grid)));
        timing.TailFrames = -1;
        if (!memory.Overdrawn) Reset(ref self);
    }

    public static void Reset(ref Lfo self)
    {
        for (var i = 0; i < Limits.MaxChannels; i++)
        {
            ref var v = ref self._voices[i];
            v = default;
            v.Random = new Xorshift(self._seed);
            v.Held = v.Random.NextBipolar();
            v.Next = v.Random.NextBipolar();
        }

        self._segmentsLeft = 0;
        self._point = 0;
    }

    public static ProcessResult Process(ref Lfo self, in ProcessContext context)
    {
        for (var segment = 0; segment < context.Segments; segment++)
        {
            for (var voice = 0; voice < context.Outputs[0].Channels; voice++)
                Segment(self._voices + voice, in context, segment, voice);

            if (--self._segmentsLeft > 0) continue;
            self._segmentsLeft = self._segmentsPerPoint;
            context.Telemetry[1 + self._point] = context.Out(0)[segment * Limits.Grid];
            self._point = (self._point + 1) % ScopePoints;
            context.Telemetry[0] = self._point;
        }

        return ProcessResult.Continue;
    }

    [SkipLocalsInit]
    private static void Segment(Voice* v, in ProcessContext context, int segment, int voice)
    {
        var phase = new GridRamp(in context, Phase, segment);
        var level = new GridRamp(in context, Level, segment);
        var shape = (LfoShape)(int)(context.Param(Shape, segment) + 0.5f);
        var upwards = context.Param(Range, segment) >= 0.5f;
        var at = segment * Limits.Grid;
        var target = context.Out(0, voice) + at;
        var turns = stackalloc float[Limits.Grid];
        Turns(v, in context, segment, voice, turns);

        // Most patches leave rest to the phase: then only random levels, of which one may end in any frame, are a matter of single frames.
        if (shape < LfoShape.Random)
        {
            for (var i = 0; i < Limits.Grid; i += 4)
            {
                var shifted = Shifted(Vector128.Load(turns + i) + phase.Four(i));
                shifted.Store(turns + i);
                var value = LfoWave.At(shape, shifted);
                if (upwards) value = Vector128.Create(0.5f) + (Vector128.Create(0.5f) * value);
                (level.Four(i) * value).Store(target + i);
            }

            for (var i = 0; i < Limits.Grid; i++) Follow(v, turns[i]);
            return;
        }

        for (var i = 0; i < Limits.Grid; i++)
        {
            Follow(v, Shifted(Vector128.Create(turns[i] + phase.At(i))).ToScalar());
            var value = LfoWave.At(shape, v->Shifted, v->Held, v->Next);
            target[i] = level.At(i) * (upwards ? 0.5f + (0.5f * value) : value);
        }
    }

    // Within 0..1.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Shifted(Vector128<float> turns)
    {
        turns -= Vector128.Floor(turns);
        return Vector128.AndNot(turns, Vector128.GreaterThanOrEqual(turns, Vector128<float>.One));
    }

    // A new level is drawn with each cycle.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Follow(Voice* v, float shifted)
    {
        if (shifted < v->Shifted - 0.5f)
        {
            v->Held = v->Next;
            v->Next = v->Random.NextBipolar();
        }

        v->Shifted = shifted;
    }

    // The phase of each frame, before it is shifted.
    [SkipLocalsInit]
    private static void Turns(Voice* v, in ProcessContext context, int segment, int voice, float* turns)
    {
        var at = segment * Limits.Grid;
        var rate = new GridRamp(context.Param(Rate, segment) / context.SampleRate, context.Param(Rate, segment + 1) / context.SampleRate);
        var cv = context.In(RateIn, voice) + at;
        var steps = stackalloc float[Limits.Grid];
        for (var i = 0; i < Limits.Grid; i += 4)
            Vector128.MinNative(rate.Four(i) * FastMath.Exp2(Vector128.Load(cv + i)), Vector128.Create(0.5f)).Store(steps + i);
        var clocked = context.Inputs[ClockIn].Connected;
        if (!clocked && context.Inputs[ResetIn].Silent)
        {
            _ = v->Reset.Rises(0f);
            var free = v->Turns;
            for (var i = 0; i < Limits.Grid; i++)
            {
                turns[i] = (float)free;
                free += steps[i];
                if (free >= 1.0) free -= 1.0;
            }

            v->Turns = free;
            return;
        }

        var reset = context.In(ResetIn, voice) + at;
        var clock = context.In(ClockIn, voice) + at;
        ClockRatios.Get((int)(context.Param(Ratio, segment) + 0.5f), out var m, out var d);
        for (var i = 0; i < Limits.Grid; i++)
        {
            var restarts = v->Reset.Rises(reset[i]);
            if (restarts) v->Turns = 0.0;
            if (clocked)
            {
                var rises = v->ClockEdge.Rises(clock[i]);
                v->Clock.Next(rises);
                if (restarts) v->Lock.Restart(in v->Clock, rises, m, d);
                else v->Lock.Next(in v->Clock, rises, m, d);
                v->Turns = v->Lock.Turns;
            }

            turns[i] = (float)v->Turns;
            v->Turns += steps[i];
            if (v->Turns >= 1.0) v->Turns -= 1.0;
        }
    }
}
