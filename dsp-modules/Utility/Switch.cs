// Switch: one of four inputs to an output, and an input to one of four outputs, by steps or by address.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// The way is (steps taken + Place + address) modulo Steps, where the address CV divides 0..10 V evenly among the steps,
/// with a hysteresis. Each way has a
/// gain that goes straight to 0 or 1 within Fade; with a fade of 0 it is there in the frame of the step.
/// </summary>
public unsafe struct Switch : IModule<Switch>
{
    private const int Ways = 4;
    private const int CommonIn = Ways, StepIn = Ways + 1, ResetIn = Ways + 2, AddressIn = Ways + 3;
    private const int CommonOut = Ways;
    private const int Steps = 0, Place = 1, Direction = 2, Fade = 3;
    private const float LongestFade = 0.1f;

    private SchmittTrigger _step, _reset;
    private Xorshift _random;
    private ulong _seed;
    private fixed float _gains[Ways];
    private int _position, _chosen;
    private bool _back, _running;

    public static ModuleDescriptor Describe()
    {
        var inputs = new PortDescriptor[Ways + 4];
        var outputs = new PortDescriptor[Ways + 1];
        for (var way = 0; way < Ways; way++)
        {
            var n = way + 1;
            inputs[way] = new PortDescriptor($"in{n}", $"In {n}", $"Goes to Out on way {n}.");
            outputs[way] = new PortDescriptor($"out{n}", $"Out {n}", $"The common input on way {n}, else nothing.");
        }

        inputs[CommonIn] = new PortDescriptor("in", "In", "Goes to the output of the way.");
        inputs[StepIn] = new PortDescriptor("step", "Step", "Each rise goes one way further.", ChannelRule.Fixed);
        inputs[ResetIn] = new PortDescriptor("reset", "Reset", "A rise goes back to the first way.", ChannelRule.Fixed);
        inputs[AddressIn] = new PortDescriptor("address", "Address", "0 to 10 V choose the way.", ChannelRule.Fixed);
        outputs[CommonOut] = new PortDescriptor("out", "Out", "The input of the way.");
        return new ModuleDescriptor
        {
            Id = "switch",
            Name = "Switch",
            Family = "Utility",
            Text = "Takes turns: four inputs to one output, and one input to four outputs, step by step or by a voltage.",
            Help = """
                Two switches that turn together. One sends In 1 to In 4, one after the other, to Out; the other sends In to Out 1 to Out
                4. A rise at Step goes one way further, Reset back to the first; a voltage at Address chooses directly, and both add up.

                Fade makes it free of clicks: the old way fades out while the new one fades in. For gates, pitches and triggers set
                it to 0, and the switch is there in the very frame of the step.

                - Steps says how many of the four ways take turns.
                - Direction: forward, backward, to and fro, or by chance, never the same way twice in a row.
                - Wide cables pass as they are.

                Try: four outputs of an oscillator into In 1 to In 4 and the beat of a clock into Step: another wave on each beat. Or a
                melody into In and four voices at the outputs.
                """,
            Inputs = inputs,
            Outputs = outputs,
            Parameters =
            [
                new ParameterDescriptor("steps", "Steps", "", 2f, Ways, Ways, ParameterCurve.Stepped, "How many ways take turns."),
                new ParameterDescriptor("place", "Place", "", 0f, Ways - 1f, 0f, ParameterCurve.Stepped, "Where it begins.",
                    "1", "2", "3", "4"),
                new ParameterDescriptor("direction", "Direction", "", 0f, 3f, 0f, ParameterCurve.Stepped, "Which way is next.",
                    "forward", "backward", "to and fro", "random"),
                new ParameterDescriptor("fade", "Fade", "s", 0f, LongestFade, 0.005f, ParameterCurve.Linear,
                    "Time from one way to the next; 0 switches at once."),
            ],
            Telemetry = [new TelemetryDescriptor("way", TelemetryKind.Step, 1, "", "The way that is open.")],
        };
    }

    public static void Construct(ref Switch self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._seed = setup.Seed;
        timing.TailFrames = (long)(LongestFade * setup.SampleRate) + 1;
        Reset(ref self);
    }

    public static void Reset(ref Switch self)
    {
        var seed = self._seed;
        self = default;
        self._seed = seed;
        self._random = new Xorshift(seed);
    }

    public static ProcessResult Process(ref Switch self, in ProcessContext context)
    {
        var gains = stackalloc float[Ways * Limits.Grid];
        var silent = true;
        for (var input = 0; input <= AddressIn; input++) silent &= context.Inputs[input].Silent;
        var settled = true;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            settled = self.Turn(in context, segment, gains);
            Route(in context, segment, gains);
        }

        return silent && settled ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // The gains of a segment; true where they stand.
    private bool Turn(in ProcessContext context, int segment, float* gains)
    {
        var at = segment * Limits.Grid;
        var step = context.In(StepIn) + at;
        var reset = context.In(ResetIn) + at;
        var address = context.In(AddressIn) + at;
        var steps = (int)(context.Param(Steps, segment) + 0.5f);
        var place = (int)(context.Param(Place, segment) + 0.5f);
        var direction = (int)(context.Param(Direction, segment) + 0.5f);
        var fade = context.Param(Fade, segment) * context.SampleRate;
        var travel = fade <= 1f ? 1f : 1f / fade;
        var way = 0;
        for (var i = 0; i < Limits.Grid; i++)
        {
            if (_step.Rises(step[i])) Advance(steps, direction);
            if (_reset.Rises(reset[i]))
            {
                _position = 0;
                _back = false;
            }

            // A way is entered a fiftieth of a step below its voltage, so that the exact voltage is safe, and left a little later.
            var x = Math.Min(Math.Max(address[i], 0f), 10f) * (0.1f * steps);
            if ((int)(x + 0.02f) > _chosen) _chosen = (int)(x + 0.02f);
            else if ((int)(x + 0.07f) < _chosen) _chosen = (int)(x + 0.07f);
            way = Math.Min(_position, steps - 1) + place + Math.Min(_chosen, steps - 1);
            while (way >= steps) way -= steps;
            for (var w = 0; w < Ways; w++)
            {
                var wanted = w == way ? 1f : 0f;
                var gain = _running ? _gains[w] : wanted;
                gain = wanted > gain ? Math.Min(gain + travel, 1f) : Math.Max(gain - travel, wanted);
                _gains[w] = gain;
                gains[(w * Limits.Grid) + i] = gain;
            }

            _running = true;
        }

        context.Telemetry[0] = way;
        for (var w = 0; w < Ways; w++)
        {
            if (_gains[w] is not (0f or 1f)) return false;
        }

        return true;
    }

    private void Advance(int steps, int direction)
    {
        var last = steps - 1;
        var position = Math.Min(_position, last);
        switch (direction)
        {
            case 1:
                position = position == 0 ? last : position - 1;
                break;
            case 2:
                if (position == 0) _back = false;
                else if (position == last) _back = true;
                position += _back ? -1 : 1;
                break;
            case 3:
                position += 1 + Math.Min((int)(_random.NextUnipolar() * last), last - 1);
                if (position > last) position -= steps;
                break;
            default:
                position = position == last ? 0 : position + 1;
                break;
        }

        _position = position;
    }

    private static void Route(in ProcessContext context, int segment, float* gains)
    {
        var at = segment * Limits.Grid;
        for (var voice = 0; voice < context.Outputs[CommonOut].Channels; voice++)
        {
            var common = context.In(CommonIn, voice) + at;
            var sum = context.Out(CommonOut, voice) + at;
            Block.Clear(sum, Limits.Grid);
            for (var way = 0; way < Ways; way++)
            {
                var source = context.In(way, voice) + at;
                var target = context.Out(way, voice) + at;
                for (var i = 0; i < Limits.Grid; i += 4)
                {
                    var gain = Vector128.Load(gains + (way * Limits.Grid) + i);
                    (Vector128.Load(sum + i) + (Vector128.Load(source + i) * gain)).Store(sum + i);
                    (Vector128.Load(common + i) * gain).Store(target + i);
                }
            }
        }
    }
}
