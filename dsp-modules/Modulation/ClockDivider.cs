// Clock Divider: a clock made slower and faster, four times, locked to it to the frame.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Each output counts in whole numbers from rise to rise (<see cref="ClockRatio"/>): tick j of a ratio M / D comes at the first frame not
/// before j D / M periods, after hours as after one. A gate lasts Width of its tick and at least a millisecond, closes for a frame where the
/// next tick would else be lost, and while no tempo is known is a trigger.
/// </summary>
public unsafe struct ClockDivider : IModule<ClockDivider>
{
    private const int Outputs = 4;
    private const int ClockIn = 0, ResetIn = 1;
    private const int Swing = Outputs, Width = (2 * Outputs), OffBeat = Width + 1;

    private Row* _rows;
    private SchmittTrigger _edge, _reset;
    private ClockFollower _clock;
    private int _triggerFrames;
    private bool _rewind;

    private struct Row
    {
        public ClockRatio Ratio;
        public TriggerPulse Trigger;
        public bool High;
    }

    public static ModuleDescriptor Describe()
    {
        ReadOnlySpan<int> defaults = [12, 14, 8, 6];
        var outputs = new PortDescriptor[Outputs];
        var parameters = new ParameterDescriptor[OffBeat];
        for (var i = 0; i < Outputs; i++)
        {
            outputs[i] = new PortDescriptor($"out{i + 1}", $"Out {i + 1}", "The clock at this output's ratio.", ChannelRule.Fixed);
            parameters[i] = new ParameterDescriptor($"ratio{i + 1}", $"Ratio {i + 1}", "", 0f, ClockRatios.Names.Length - 1f, defaults[i],
                ParameterCurve.Stepped, "Ticks for each tick of the clock, or ticks of the clock for each of these.", ClockRatios.Names);
            parameters[Swing + i] = new ParameterDescriptor($"swing{i + 1}", $"Swing {i + 1}", "%", 50f, 75f, 50f, ParameterCurve.Linear,
                "Where between two ticks the one in the middle comes: 50 is straight, 66.7 a triplet.");
        }

        parameters[Width] = new ParameterDescriptor("width", "Width", "", 0f, 0.95f, 0.5f, ParameterCurve.Linear,
            "Part of a tick its gate is high, never less than a trigger of 1 ms.");
        return new ModuleDescriptor
        {
            Id = "clock-divider",
            Name = "Clock Divider",
            Family = "Modulation",
            Text = "Makes a clock slower and faster: four outputs, each with its own ratio and swing.",
            Help = """
                Takes one clock and gives four, each at its own ratio: "/4" gives a tick for every fourth one, "x3" gives three for each,
                "x3/2" three for every two. The ticks between those of the clock are spaced by the time between its last two, so the
                multiples begin with its second tick. All of them meet exactly whenever they should, for as long as it runs; a clock
                that slows down is waited for, one that hurries is followed.

                Reset makes the next tick the first of all four, so that bars line up: patch the reset of your clock or sequencer here
                too. Swing delays every second tick of an output, which on the sixteenths (x4 of a beat) is the shuffle of dance
                music.

                - Width sets how long the gates are; at 0 they are triggers of a millisecond.
                - A ratio can be changed while it plays: it falls into place by itself.

                Try: the beat of a clock into Clock; x4 with a swing of 58 % to a hi-hat, x3/2 to a tom, /4 to the reset of a
                sequencer.
                """,
            Inputs =
            [
                new PortDescriptor("clock", "Clock", "The clock that is divided and multiplied.", ChannelRule.Fixed),
                new PortDescriptor("reset", "Reset", "After a rise the next tick is the first.", ChannelRule.Fixed),
            ],
            Outputs = outputs,
            Parameters = parameters,
            Telemetry = [new TelemetryDescriptor("period", TelemetryKind.Value, 1, "s", "Time between the last two ticks of the clock.")],
        };
    }

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Row>(Outputs);

    public static void Construct(ref ClockDivider self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._rows = memory.Take<Row>(Outputs);
        self._triggerFrames = TriggerPulse.Frames(setup.SampleRate);
        timing.TailFrames = -1;
    }

    public static void Reset(ref ClockDivider self)
    {
        var kept = self;
        self = default;
        self._rows = kept._rows;
        self._triggerFrames = kept._triggerFrames;
        Block.Zero(kept._rows, Outputs);
    }

    public static ProcessResult Process(ref ClockDivider self, in ProcessContext context)
    {
        var asleep = context.Inputs[ResetIn].Silent && context.Inputs[ClockIn].Silent && !self._clock.Started;
        for (var segment = 0; segment < context.Segments; segment++) self.Segment(in context, segment);
        context.Telemetry[0] = self._clock.Period / context.SampleRate;
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private void Segment(in ProcessContext context, int segment)
    {
        var at = segment * Limits.Grid;
        var clock = context.In(ClockIn) + at;
        var reset = context.In(ResetIn) + at;
        var width = context.Param(Width, segment);
        for (var i = 0; i < Limits.Grid; i++)
        {
            // A reset in the frame of a tick, or just before it, is for that tick.
            if (_reset.Rises(reset[i])) _rewind = true;
            var rises = _edge.Rises(clock[i]);
            _clock.Next(rises);
            for (var output = 0; output < Outputs; output++)
            {
                var row = _rows + output;
                if (rises && _rewind) row->Ratio.Rewind();
                ClockRatios.Get((int)(context.Param(output, segment) + 0.5f), out var m, out var d);
                var swing = context.Param(Swing + output, segment);
                var ticks = row->Ratio.Next(in _clock, rises, m, d, swing == 50f ? 0.5 : swing * 0.01);
                if (ticks) row->Trigger.Fire(_triggerFrames + (row->High ? 1 : 0));
                var lost = ticks && row->High;
                row->High = (row->Trigger.Next() > 0f || row->Ratio.IsWithin(in _clock, width)) && !lost;
                context.Out(output)[at + i] = TriggerPulse.Gate(row->High);
            }

            if (rises) _rewind = false;
        }
    }
}
