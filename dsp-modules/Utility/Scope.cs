// Scope: up to four signals over time, each sweep begun at the same point of the wave so that the picture stands still.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// A triggered sweep of 256 columns. The moment of the trigger is found between two frames by a straight line, and the columns count from
/// there. Where a column is longer than a frame it holds the least and the greatest of its frames, so that no peak is lost however slow the
/// sweep; where it is shorter it lies on the line between two frames. A sweep is shown when it is whole; one longer than 0.25 s as it
/// grows.
/// </summary>
public unsafe struct Scope : IModule<Scope>
{
    private const int Traces = 4, Columns = 256, Pairs = 2 * Columns, TraceFloats = Pairs + 1;
    private const int TriggerIn = Traces;
    private const int Source = 0, Edge = 1, Level = 2, Mode = 3, Time = 4, Volts = 5, Hold = 6;
    private const int External = 4;
    private const int FrequencyAt = Traces * TraceFloats;
    private const float LongestTime = 10f;

    // Seconds: sweeps that are shown while they grow, patience of the automatic trigger, and of the frequency counter.
    private const float Slow = 0.25f, Patience = 0.1f, Gate = 0.25f, SlowestWave = 2f;

    // Part of the picture's height that a wave must fall below the level before it triggers again: more than its noise.
    private const float Hysteresis = 0.01f;

    private float* _sweep;
    private float* _before;
    private double _at, _step, _sinceWave;
    private float _rate, _source;
    private long _waited, _quiet, _length;
    private int _column, _shown, _waves;
    private bool _sweeping, _armed, _counting;

    public static ModuleDescriptor Describe()
    {
        var inputs = new PortDescriptor[Traces + 1];
        var outputs = new PortDescriptor[Traces];
        var telemetry = new TelemetryDescriptor[Traces + 1];
        for (var trace = 0; trace < Traces; trace++)
        {
            var n = trace + 1;
            inputs[trace] = new PortDescriptor($"in{n}", $"In {n}", $"What trace {n} shows: the first voice of the cable.");
            outputs[trace] = new PortDescriptor($"thru{n}", $"Thru {n}", $"In {n}, unchanged.");
            telemetry[trace] = new TelemetryDescriptor($"trace{n}", TelemetryKind.Scope, TraceFloats, "V",
                $"Input {n} from the trigger on: for each of 256 columns its least and its greatest voltage.");
        }

        inputs[TriggerIn] = new PortDescriptor("trigger", "Trigger", "Begins the sweeps where the source is external.", ChannelRule.Fixed);
        telemetry[Traces] = new TelemetryDescriptor("frequency", TelemetryKind.Value, 1, "Hz",
            "Waves a second at the trigger's source; 0 below 0.5 Hz.");
        return new ModuleDescriptor
        {
            Id = "scope",
            Name = "Scope",
            Family = "Utility",
            Text = "Draws up to four voltages over time and holds the picture still.",
            Help = """
                An oscilloscope with four traces. What comes in goes out unchanged at the thru output below, so it can sit in the middle
                of any cable. Time is the width of the picture, volts its height above and below zero.

                Each sweep begins when the source rises (or falls) through the level. As every wave then begins at the same point, the
                picture stands still. On auto it sweeps on when nothing crosses the level for a while; on normal it waits and keeps the
                last picture. External takes the moment from the trigger input: with a clock there, a whole bar stays in its place.

                No peak is lost: with a slow sweep each column shows the lowest and the highest voltage that fell into it, down to a single
                sample. The frequency of the source is counted beside the picture. Hold keeps what is shown.

                Try this:

                - an LFO into in 1 and the sound it modulates into in 2, time at 2 s
                - a filter's input and output into in 1 and in 2, source in 1, and turn the resonance up
                - an envelope into in 1 with its gate into trigger, source external, mode normal: each note is drawn from its beginning
                """,
            Inputs = inputs,
            Outputs = outputs,
            Parameters =
            [
                new ParameterDescriptor(
                    "source", "Source", "", 0f, 4f, 0f, ParameterCurve.Stepped, "What begins a sweep.", "in 1", "in 2", "in 3",
                    "in 4", "external"),
                new ParameterDescriptor("edge", "Edge", "", 0f, 1f, 0f, ParameterCurve.Stepped, "Which way it crosses the level.", "rising",
                    "falling"),
                new ParameterDescriptor("level", "Level", "V", -10f, 10f, 0f, ParameterCurve.Linear,
                    "The voltage that begins a sweep; 1 V suits gates."),
                new ParameterDescriptor(
                    "mode", "Mode", "", 0f, 1f, 0f, ParameterCurve.Stepped, "Whether it sweeps without a trigger.", "auto",
                    "normal"),
                new ParameterDescriptor(
                    "time", "Time", "s", 0.0005f, LongestTime, 0.02f, ParameterCurve.Exponential, "Width of the picture."),
                new ParameterDescriptor("volts", "Volts", "V", 0.1f, 20f, 10f, ParameterCurve.Exponential,
                    "Height of the picture above and below 0 V."),
                new ParameterDescriptor("hold", "Hold", "", 0f, 1f, 0f, ParameterCurve.Stepped, "Keeps the picture.", "off", "on"),
            ],
            Telemetry = telemetry,
        };
    }

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<float>(Traces * Pairs);
        need.Need<float>(Traces);
    }

    public static void Construct(ref Scope self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._sweep = memory.Take<float>(Traces * Pairs);
        self._before = memory.Take<float>(Traces);
        self._rate = setup.SampleRate;

        // Two whole sweeps of silence are shown before it sleeps.
        timing.TailFrames = (long)(((2f * LongestTime) + Patience + SlowestWave) * setup.SampleRate) + Limits.MaxQuantum;
        if (!memory.Overdrawn) Reset(ref self);
    }

    public static void Reset(ref Scope self)
    {
        Block.Clear(self._sweep, Traces * Pairs);
        Block.Clear(self._before, Traces);
        (self._at, self._step, self._sinceWave, self._source) = (0.0, 0.0, 0.0, 0f);
        (self._waited, self._quiet, self._length) = (0, 0, 0);
        (self._column, self._shown, self._waves) = (0, 0, 0);
        (self._sweeping, self._armed, self._counting) = (false, false, false);
    }

    public static ProcessResult Process(ref Scope self, in ProcessContext context)
    {
        var silent = context.Inputs[TriggerIn].Silent;
        for (var trace = 0; trace < Traces; trace++)
        {
            silent &= context.Inputs[trace].Silent;
            for (var voice = 0; voice < context.Outputs[trace].Channels; voice++)
                Block.Copy(context.Out(trace, voice), context.In(trace, voice), context.Frames);
        }

        if (context.Param(Hold) < 0.5f)
        {
            self._length = (long)(context.Param(Time) * self._rate);
            self.Sweep(in context);
            if (self._sweeping && self._length > (long)(Slow * self._rate)) self.Show(in context, self._column, 2 * self._column);
        }

        self._quiet = silent ? self._quiet + context.Frames : 0;
        var enough = (2 * self._length) + (long)((Patience + SlowestWave) * self._rate);
        return silent && self._quiet >= enough ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private void Sweep(in ProcessContext context)
    {
        // A falling edge is a rising one upside down.
        var sign = context.Param(Edge) >= 0.5f ? -1f : 1f;
        var level = sign * context.Param(Level);
        var armedBelow = level - (Hysteresis * context.Param(Volts));
        var patience = context.Param(Mode) < 0.5f ? (long)(Patience * _rate) : long.MaxValue;
        var source = context.In(Math.Min((int)(context.Param(Source) + 0.5f), External));
        float* a = context.In(0), b = context.In(1), c = context.In(2), d = context.In(3);
        for (var i = 0; i < context.Frames; i++)
        {
            var x = sign * source[i];
            var (fires, late) = (false, 0f);
            _sinceWave += 1.0;
            if (x < armedBelow)
            {
                _armed = true;
            }
            else if (_armed && x >= level)
            {
                // How long ago the line between the two frames crossed the level; compared so that what is no number is 0.
                late = (x - level) / (x - _source);
                if (!(late >= 0f && late <= 1f)) late = 0f;
                (fires, _armed) = (true, false);
                Count(in context, late);
            }

            _source = x;
            if (!_sweeping && (fires || ++_waited >= patience)) Begin(in context, late);
            if (_sweeping) Draw(in context, a[i], b[i], c[i], d[i]);
            (_before[0], _before[1], _before[2], _before[3]) = (a[i], b[i], c[i], d[i]);
        }

        if (!_counting || _sinceWave <= SlowestWave * _rate) return;
        _counting = false;
        context.Telemetry[FrequencyAt] = 0f;
    }

    private void Begin(in ProcessContext context, float late)
    {
        _sweeping = true;
        _step = Columns / (context.Param(Time) * (double)_rate);
        _at = late * _step;
        (_column, _shown, _waited) = (0, 0, 0);
    }

    private void Draw(in ProcessContext context, float a, float b, float c, float d)
    {
        if (_step <= 1.0)
        {
            var column = (int)_at;
            if (column < Columns)
            {
                var begins = column >= _column;
                Widen(0, column, a, begins);
                Widen(1, column, b, begins);
                Widen(2, column, c, begins);
                Widen(3, column, d, begins);
                _column = column + 1;
            }
            else
            {
                End(in context);
                return;
            }
        }
        else
        {
            for (; _column < Columns && _column <= _at; _column++)
            {
                var t = (float)((_column - _at) / _step);
                Place(0, a, t);
                Place(1, b, t);
                Place(2, c, t);
                Place(3, d, t);
            }

            if (_column == Columns)
            {
                End(in context);
                return;
            }
        }

        _at += _step;
    }

    private readonly void Widen(int trace, int column, float v, bool begins)
    {
        var pair = _sweep + (trace * Pairs) + (2 * column);
        if (begins || v < pair[0]) pair[0] = v;
        if (begins || v > pair[1]) pair[1] = v;
    }

    private readonly void Place(int trace, float v, float t)
    {
        var pair = _sweep + (trace * Pairs) + (2 * _column);
        pair[0] = pair[1] = v + ((v - _before[trace]) * t);
    }

    private void End(in ProcessContext context)
    {
        Show(in context, Columns, 0);
        _sweeping = false;
    }

    // What is new of the sweep; the picture's write position is where the older one still stands.
    private void Show(in ProcessContext context, int columns, int position)
    {
        for (var trace = 0; trace < Traces; trace++)
        {
            var target = context.Telemetry + (trace * TraceFloats);
            var source = _sweep + (trace * Pairs);
            for (var i = 2 * _shown; i < 2 * columns; i++) target[1 + i] = source[i];
            target[0] = position;
        }

        // The last column may still widen.
        _shown = Math.Max(0, columns - 1);
    }

    // Whole waves over at least the gate's time.
    private void Count(in ProcessContext context, float late)
    {
        _waves++;
        var elapsed = _sinceWave - late;
        if (!_counting || elapsed >= Gate * _rate)
        {
            if (_counting) context.Telemetry[FrequencyAt] = (float)(_waves * (double)_rate / elapsed);
            (_counting, _waves, _sinceWave) = (true, 0, late);
        }
    }
}
