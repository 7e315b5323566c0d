// Sample & Hold: catches a voltage at a trigger and keeps it; unpatched it makes random voltages by itself.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Two sections. An unpatched input is a uniform random voltage within +-5 V, an unpatched trigger of the first section its own clock of
/// Rate, one of the second section the first one's trigger. Sample takes the input at the frame of the rising edge; track follows it
/// while the gate is open. Glide is the time constant of an exponential approach: 63 % of a step; at its lowest it is off.
/// </summary>
public unsafe struct SampleHold : IModule<SampleHold>
{
    private const int Sections = 2;
    private const int Rate = 0, Mode = 1, Glide = 2, ParametersPerSection = 2;
    private const float ShortestGlide = 0.001f;
    private const float Volts = 5f;
    private const float Log2E = 1.442695f;

    private Voice* _voices;
    private ulong _seed;
    private double _clock;

    private struct Voice
    {
        public SchmittTrigger Trigger;
        public Xorshift Random;
        public float Held;

        // In double precision: a glide of seconds moves by less than a float's last bit a frame, and would stop before it arrives.
        public double Out;
    }

    public static ModuleDescriptor Describe()
    {
        var inputs = new PortDescriptor[Sections * 2];
        var outputs = new PortDescriptor[Sections];
        var parameters = new ParameterDescriptor[1 + (Sections * ParametersPerSection)];
        parameters[Rate] = new ParameterDescriptor("rate", "Rate", "Hz", 0.05f, 50f, 4f, ParameterCurve.Exponential,
            "Clock of section 1 while nothing is patched into its trigger.");
        for (var s = 0; s < Sections; s++)
        {
            var n = s + 1;
            inputs[s * 2] = new PortDescriptor($"in{n}", $"In {n}", "What is caught; unpatched it is a random voltage.");
            inputs[(s * 2) + 1] = new PortDescriptor($"trigger{n}", $"Trigger {n}",
                s == 0 ? "Each rise catches the input; unpatched it goes at Rate."
                    : "Each rise catches the input; unpatched it is Trigger 1.");
            outputs[s] = new PortDescriptor($"out{n}", $"Out {n}", "The caught voltage.");
            parameters[Mode + (s * ParametersPerSection)] = new ParameterDescriptor($"mode{n}", $"Mode {n}", "", 0f, 1f, 0f,
                ParameterCurve.Stepped, "Catch at the rise of the trigger, or follow while it is high.", "sample", "track");
            parameters[Glide + (s * ParametersPerSection)] = new ParameterDescriptor($"glide{n}", $"Glide {n}", "s", ShortestGlide, 5f,
                ShortestGlide, ParameterCurve.Exponential, "Slides to the next voltage; at its lowest it jumps.");
        }

        return new ModuleDescriptor
        {
            Id = "sample-hold",
            Name = "Sample & Hold",
            Family = "Modulation",
            Text = "Catches a voltage at each trigger and holds it; by itself it makes random steps.",
            Help = """
                Two sections. Each catches the voltage at its In when its Trigger rises and holds it until the next rise; in the mode
                "track" it follows the input while the trigger is high and holds what was last. With nothing at In a new random voltage
                within 5 V is thrown each time, so that, left alone, it makes random steps at its own Rate; section 2 then goes along
                with section 1.

                Glide slides to each new voltage, an exponential approach in that time; at its lowest it jumps.

                - A ramp into In and a clock into Trigger make stairs.
                - The pitch of a melody caught by a slower trigger is a bass line.
                - Each voice of a wide trigger catches, or throws, its own.

                Try: Out 1 into the cutoff of a filter with some resonance and a clock into Trigger 1: the sound of a computer that thinks.
                """,
            Inputs = inputs,
            Outputs = outputs,
            Parameters = parameters,
            Telemetry = [new TelemetryDescriptor("held", TelemetryKind.Meter, Sections, "V", "What both sections give.")],
        };
    }

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voice>(Sections * Limits.MaxChannels);

    public static void Construct(ref SampleHold self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Sections * Limits.MaxChannels);
        self._seed = setup.Seed;
        timing.TailFrames = -1;
        if (!memory.Overdrawn) Reset(ref self);
    }

    public static void Reset(ref SampleHold self)
    {
        var seeds = new Xorshift(self._seed);
        for (var i = 0; i < Sections * Limits.MaxChannels; i++) self._voices[i] = new Voice { Random = new Xorshift(seeds.Next()) };
        self._clock = 1.0;
    }

    public static ProcessResult Process(ref SampleHold self, in ProcessContext context)
    {
        var ticks = stackalloc float[Limits.Grid];
        var asleep = context.Inputs[1].Connected;
        for (var i = 0; i < Sections * 2; i++) asleep &= context.Inputs[i].Silent;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            self.Clock(ticks, context.Param(Rate, segment) / (double)context.SampleRate);
            for (var section = 0; section < Sections; section++)
            {
                for (var voice = 0; voice < context.Outputs[section].Channels; voice++)
                    Segment(self._voices + (section * Limits.MaxChannels) + voice, in context, segment, section, voice, ticks);
            }
        }

        for (var section = 0; section < Sections; section++)
        {
            context.Telemetry[section] = context.Out(section)[context.Frames - 1];
            for (var voice = 0; asleep && voice < context.Outputs[section].Channels; voice++)
                asleep = self._voices[(section * Limits.MaxChannels) + voice].Held == 0f
                    && Block.IsZero(context.Out(section, voice), context.Frames);
        }

        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // A square wave whose rises are the ticks; the first comes at once.
    private void Clock(float* ticks, double turns)
    {
        for (var i = 0; i < Limits.Grid; i++)
        {
            if (_clock >= 1.0) _clock -= 1.0;
            ticks[i] = _clock < 0.5 ? 10f : 0f;
            _clock += turns;
        }
    }

    private static void Segment(Voice* v, in ProcessContext context, int segment, int section, int voice, float* ticks)
    {
        var at = segment * Limits.Grid;
        var input = section * 2;
        var source = context.In(input, voice) + at;
        var random = !context.Inputs[input].Connected;
        var trigger = context.Inputs[input + 1].Connected ? context.In(input + 1, voice) + at
            : context.Inputs[1].Connected ? context.In(1, voice) + at
            : ticks;
        var target = context.Out(section, voice) + at;
        var tracks = context.Param(Mode + (section * ParametersPerSection), segment) >= 0.5f;
        var glide = context.Param(Glide + (section * ParametersPerSection), segment);
        var part = glide <= ShortestGlide ? 1f : -FastMath.Exp2Minus1(-Log2E / (glide * context.SampleRate));
        for (var i = 0; i < Limits.Grid; i++)
        {
            var rises = v->Trigger.Rises(trigger[i]);
            if (tracks ? v->Trigger.IsHigh : rises) v->Held = random ? v->Random.NextBipolar() * Volts : source[i];

            // The last bit of a glide is below hearing: it arrives, and the module may sleep.
            var left = v->Held - v->Out;
            v->Out = Math.Abs(left) < 1e-6 || part == 1f ? v->Held : v->Out + (left * part);
            target[i] = (float)v->Out;
        }
    }
}
