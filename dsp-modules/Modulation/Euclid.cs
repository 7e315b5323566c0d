// Euclid: four rhythms of pulses spread as evenly as they can be.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Each row steps with the clock through a pattern of <see cref="EuclideanRhythm"/>, rotated; rows of different lengths go in and out of
/// phase. A gate is as long as the clock's own is high, so that two pulses in a row are two gates.
/// </summary>
public unsafe struct Euclid : IModule<Euclid>, IEventFrames
{
    private const int Rows = 4;
    private const int ClockIn = 0, ResetIn = 1;
    private const int Pulses = 1, Rotation = 2, PerRow = 3, Tempo = Rows * PerRow;
    private const int Any = Rows, None = Rows + 1;

    private StepClock _clock;
    private SchmittTrigger _reset;
    private double _framesPerStep;
    private Row* _rows;
    private bool _started;

    private struct Row
    {
        public int Step, Steps, Pulses, Rotation;
        public uint Pattern;
    }

    public static ModuleDescriptor Describe()
    {
        ReadOnlySpan<byte> defaults = [16, 4, 0, 8, 3, 0, 16, 7, 2, 12, 5, 0];
        var outputs = new PortDescriptor[Rows + 2];
        var parameters = new ParameterDescriptor[Tempo + 1];
        for (var row = 0; row < Rows; row++)
        {
            var n = row + 1;
            var first = row * PerRow;
            outputs[row] = new PortDescriptor($"gate{n}", $"Gate {n}", $"The rhythm of row {n}.", ChannelRule.Fixed);
            parameters[first] = new ParameterDescriptor($"steps{n}", $"Steps {n}", "", 1f, EuclideanRhythm.Longest, defaults[first],
                ParameterCurve.Stepped, "How many steps the rhythm has.");
            parameters[first + Pulses] = new ParameterDescriptor($"pulses{n}", $"Pulses {n}", "", 0f, EuclideanRhythm.Longest,
                defaults[first + Pulses], ParameterCurve.Stepped, "How many of them sound; more than there are steps is all of them.");
            parameters[first + Rotation] = new ParameterDescriptor($"rotation{n}", $"Rotation {n}", "", 0f, EuclideanRhythm.Longest - 1f,
                defaults[first + Rotation], ParameterCurve.Stepped, "How many steps later it begins.");
        }

        outputs[Any] = new PortDescriptor("any", "Any", "High while any row is.", ChannelRule.Fixed);
        outputs[None] = new PortDescriptor("rest", "Rest", "High on the steps on which no row sounds.", ChannelRule.Fixed);
        parameters[Tempo] = new ParameterDescriptor("tempo", "Tempo", "BPM", 20f, 300f, 120f, ParameterCurve.Exponential,
            "Speed without a clock, four steps a beat.");
        return new ModuleDescriptor
        {
            Id = "euclid",
            Name = "Euclid",
            Family = "Modulation",
            Text = "Four rhythms, each of so many pulses spread over so many steps as evenly as they can be.",
            Help = """
                Say how many steps a rhythm has and how many of them sound, and it spreads them as evenly as they can be. That simple rule
                gives rhythms that people have found everywhere: 3 in 8 is the tresillo, 5 in 8 the cinquillo, 7 in 12 a bell
                pattern of West Africa, 5 in 16 a bossa nova, 4 in 16 a house kick. Rotation starts it somewhere else.

                All rows step with the same clock; give them different numbers of steps and they drift against each other until they meet
                again. Reset lines them up. A gate is as long as the clock is high, so a clock with a longer width makes longer
                gates.

                - Without a clock it keeps to a MIDI clock once one is heard, or else to its own tempo.
                - Any plays wherever something does, Rest where nothing does: for the hi-hat that fills the gaps.

                Try: sixteenths of a clock into Clock, the rows into kick, snare, hat and clap; then turn the pulses of one of
                them while it plays.
                """,
            Inputs =
            [
                new PortDescriptor("clock", "Clock", "Each rise goes one step further.", ChannelRule.Fixed),
                new PortDescriptor("reset", "Reset", "After a rise the next step is the first of all rows.", ChannelRule.Fixed),
            ],
            Outputs = outputs,
            Parameters = parameters,
            Telemetry = [new TelemetryDescriptor("steps", TelemetryKind.Step, Rows, "", "The step of each row.")],
            AcceptsEvents = true,
        };
    }

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Row>(Rows);

    public static void Construct(ref Euclid self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._rows = memory.Take<Row>(Rows);
        timing.TailFrames = -1;
        if (!memory.Overdrawn) Reset(ref self);
    }

    public static void Reset(ref Euclid self)
    {
        var rows = self._rows;
        self = default;
        self._rows = rows;
        Block.Zero(rows, Rows);
        self._clock.Rewind();
    }

    public static ProcessResult Process(ref Euclid self, in ProcessContext context)
    {
        EventFrames.Play(ref self, in context);
        for (var row = 0; row < Rows; row++) context.Telemetry[row] = self._rows[row].Step;
        return ProcessResult.Continue;
    }

    // A pattern is worked out when its knobs have moved, not at each step.
    private readonly void Learn(Row* row, in ProcessContext context, int segment, int first)
    {
        var steps = (int)(context.Param(first, segment) + 0.5f);
        var pulses = (int)(context.Param(first + Pulses, segment) + 0.5f);
        var rotation = (int)(context.Param(first + Rotation, segment) + 0.5f);
        if (steps == row->Steps && pulses == row->Pulses && rotation == row->Rotation) return;
        (row->Steps, row->Pulses, row->Rotation) = (steps, pulses, rotation);
        row->Pattern = EuclideanRhythm.Rotate(EuclideanRhythm.Pattern(pulses, steps), steps, rotation);
    }

    private void Step()
    {
        for (var row = 0; row < Rows; row++)
        {
            var r = _rows + row;
            r->Step = _started && r->Step + 1 < r->Steps ? r->Step + 1 : 0;
        }

        _started = true;
    }

    void IEventFrames.Take(in ModuleEvent e, in ProcessContext context)
    {
        if (_clock.Take(in e, context.Inputs[ClockIn].Connected)) _started = false;
    }

    void IEventFrames.Frame(in ProcessContext context, int segment, int frame)
    {
        if ((frame & (Limits.Grid - 1)) == 0)
        {
            for (var row = 0; row < Rows; row++) Learn(_rows + row, in context, segment, row * PerRow);
            _framesPerStep = context.SampleRate * 15.0 / context.Param(Tempo, segment);
        }

        if (_reset.Rises(context.In(ResetIn)[frame]))
        {
            _started = false;
            _clock.Rewind();
        }

        if (_clock.Next(context.In(ClockIn)[frame], context.Inputs[ClockIn].Connected, _framesPerStep)) Step();
        Sound(in context, frame);
    }

    private readonly void Sound(in ProcessContext context, int frame)
    {
        var high = _started && !_clock.Stopped && _clock.IsHigh;
        var any = false;
        for (var row = 0; row < Rows; row++)
        {
            var sounds = (_rows[row].Pattern >> _rows[row].Step & 1) != 0;
            any |= sounds;
            context.Out(row)[frame] = TriggerPulse.Gate(high && sounds);
        }

        context.Out(Any)[frame] = TriggerPulse.Gate(high && any);
        context.Out(None)[frame] = TriggerPulse.Gate(high && !any);
    }
}
