// CV Recorder: remembers a gesture and plays it round and round, by seconds or by a clock.
using System.Buffers.Binary;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// A loop is 4096 points over its length, whatever that is: a point is taken where the loop's phase passes it, between two frames on a
/// straight line, and read back by the Hermite curve. By seconds a loop lasts a whole number of frames, exactly; with a clock its phase keeps
/// to it (<see cref="PhaseLock"/>), so that a gesture follows the tempo.
/// Saved state, version 1: the points in 12 V / 32767 (int16).
/// </summary>
public unsafe struct CvRecorder : IModule<CvRecorder>
{
    private const int Points = 4096;
    private const int In = 0, RecordIn = 1, ClockIn = 2, ResetIn = 3;
    private const int Out = 0, Start = 1, Position = 2;
    private const int Record = 0, Mode = 1, Length = 2, Ticks = 3, Level = 4;
    private const float MostVolts = 12f;
    private const float Unit = MostVolts / 32767f;
    private const int Saved = Points * sizeof(short);
    private const double Rounding = 1e-9;

    private float* _points;
    private SchmittTrigger _record, _edge, _reset;
    private ClockFollower _clock;
    private PhaseLock _lock;
    private TriggerPulse _start;
    private double _turns, _before;
    private float _last;
    private int _triggerFrames;
    private bool _running, _recording;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "cv-recorder",
        Name = "CV Recorder",
        Family = "Modulation",
        Text = "Records a movement of a voltage and plays it in a loop, by seconds or in time with a clock.",
        Help = """
            Turn a knob, play a fader, bend a note: what comes in while Record is on is remembered and goes round and round from then on.
            The loop lasts Length seconds; with a cable at Clock it lasts so many ticks instead and follows the tempo, slower or
            faster, as a whole.

            Record can be switched by hand or by a gate, for as short as you like: only what lies under it is written. While
            "replace" records, the input is heard; "add" plays the loop and puts the input on top, pass by pass. Reset starts the loop
            from its beginning.

            - Start gives a trigger each time the loop begins, Position a ramp from 0 to 10 V along it.
            - The loop is kept with the patch, in steps of a third of a millivolt. It has 4096 points: over 4 seconds one a
            millisecond, over a minute one in 15 ms. It is made for movements, not for sound; pulses are better made by a
            sequencer.

            Try: a voltage into In and Out into the cutoff of a filter. Switch Record on, turn the voltage for one round, and
            switch it off.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "The voltage that is recorded, within 12 V.", ChannelRule.Fixed),
            new PortDescriptor("record", "Record", "It records while this is high, or the switch is on.", ChannelRule.Fixed),
            new PortDescriptor("clock", "Clock", "A clock to keep to: the loop then lasts so many ticks.", ChannelRule.Fixed),
            new PortDescriptor("reset", "Reset", "A rise starts the loop from its beginning.", ChannelRule.Fixed),
        ],
        Outputs =
        [
            new PortDescriptor("out", "Out", "The loop; while it is being replaced, the input.", ChannelRule.Fixed),
            new PortDescriptor("start", "Start", "A trigger each time the loop begins.", ChannelRule.Fixed),
            new PortDescriptor("position", "Position", "Where in the loop it is, 0 to 10 V.", ChannelRule.Fixed),
        ],
        Parameters =
        [
            new ParameterDescriptor("record", "Record", "", 0f, 1f, 0f, ParameterCurve.Stepped, "Records while it is on.", "off", "on"),
            new ParameterDescriptor("mode", "Mode", "", 0f, 1f, 0f, ParameterCurve.Stepped,
                "What recording does to what is there.", "replace", "add"),
            new ParameterDescriptor("length", "Length", "s", 0.1f, 60f, 4f, ParameterCurve.Exponential,
                "How long the loop is without a clock."),
            new ParameterDescriptor("ticks", "Ticks", "", 1f, 128f, 16f, ParameterCurve.Stepped,
                "How many ticks of the clock the loop lasts."),
            new ParameterDescriptor("level", "Level", "", -2f, 2f, 1f, ParameterCurve.Linear,
                "How much comes out; below 0 upside down."),
        ],
        Telemetry =
        [
            new TelemetryDescriptor("position", TelemetryKind.Value, 1, "%", "Where in the loop it is."),
            new TelemetryDescriptor("recording", TelemetryKind.Value, 1, "", "1 while it records."),
        ],
        StateBytes = Saved,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<float>(Points);

    public static void Construct(ref CvRecorder self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._points = memory.Take<float>(Points);
        self._triggerFrames = TriggerPulse.Frames(setup.SampleRate);
        timing.TailFrames = -1;
    }

    public static void Reset(ref CvRecorder self)
    {
        var kept = self;
        self = default;
        self._points = kept._points;
        self._triggerFrames = kept._triggerFrames;
        Block.Zero(kept._points, Points);
    }

    public static int SaveState(ref CvRecorder self, Span<byte> state)
    {
        for (var i = 0; i < Points; i++)
            BinaryPrimitives.WriteInt16LittleEndian(state.Slice(i * sizeof(short), sizeof(short)), (short)MathF.Round(self._points[i] / Unit));
        return Saved;
    }

    public static bool LoadState(ref CvRecorder self, uint version, ReadOnlySpan<byte> state)
    {
        if (state.IsEmpty) return true;
        if (version != 1 || state.Length != Saved) return false;
        for (var i = 0; i < Points; i++)
            self._points[i] = Unit * BinaryPrimitives.ReadInt16LittleEndian(state.Slice(i * sizeof(short), sizeof(short)));
        return true;
    }

    public static ProcessResult Process(ref CvRecorder self, in ProcessContext context)
    {
        for (var segment = 0; segment < context.Segments; segment++) self.Segment(in context, segment);
        context.Telemetry[0] = 100f * (float)self._turns;
        context.Telemetry[1] = self._recording ? 1f : 0f;

        // The loop goes on whether or not it holds anything.
        return ProcessResult.Continue;
    }

    private void Segment(in ProcessContext context, int segment)
    {
        var at = segment * Limits.Grid;
        var level = new GridRamp(in context, Level, segment);
        var on = context.Param(Record, segment) >= 0.5f;
        var adds = context.Param(Mode, segment) >= 0.5f;
        var frames = Math.Floor((context.Param(Length, segment) * (double)context.SampleRate) + 0.5);
        var ticks = (int)(context.Param(Ticks, segment) + 0.5f);
        var clocked = context.Inputs[ClockIn].Connected;
        var step = 1.0 / frames;
        for (var i = at; i < at + Limits.Grid; i++)
        {
            var x = Math.Min(Math.Max(context.In(In)[i], -MostVolts), MostVolts);
            var restarts = _reset.Rises(context.In(ResetIn)[i]) || !_running;
            var begins = Move(context.In(ClockIn)[i], clocked, restarts, ticks, step);
            _ = _record.Rises(context.In(RecordIn)[i]);
            var records = on || _record.IsHigh;
            var position = _turns * Points;
            if (records) Write(position, x, adds, !_recording || restarts);
            _recording = records;
            _before = position;
            _last = x;
            if (begins) _start.Fire(_triggerFrames);

            // While points are being added behind the reading place they are heard in the next round.
            var played = Read(position);
            var y = !records ? played : adds ? played + x : x;
            context.Out(Out)[i] = level.At(i - at) * y;
            context.Out(Start)[i] = _start.Next();
            context.Out(Position)[i] = 10f * (float)_turns;
        }
    }

    // To the phase of this frame; true where the loop begins.
    private bool Move(float clock, bool clocked, bool restarts, int ticks, double step)
    {
        var rises = _edge.Rises(clock);
        _clock.Next(rises);
        var before = _turns;
        _running = true;
        if (clocked)
        {
            if (restarts) _lock.Restart(in _clock, rises, 1, ticks);
            else _lock.Next(in _clock, rises, 1, ticks);
            _turns = _lock.Turns;
            return (restarts && _clock.Started) || (rises && _turns == 0.0 && before == 0.0) || _turns < before - 0.5;
        }

        if (restarts)
        {
            _turns = 0.0;
            return true;
        }

        // Adding 1 / N N times misses 1 by rounding only, which must not be carried from round to round.
        _turns += step;
        if (_turns < 1.0 - Rounding) return false;
        _turns -= 1.0;
        if (_turns < Rounding) _turns = 0.0;
        return true;
    }

    // Takes the points that were passed since the frame before.
    private readonly void Write(double position, float x, bool adds, bool begins)
    {
        if (begins)
        {
            if (position == Math.Floor(position)) Put((int)position, x, adds);
            return;
        }

        var way = position - _before;
        if (way < 0.0) way += Points;
        if (way <= 0.0) return;
        var point = (int)_before + 1;
        for (var left = Points; left > 0 && point - _before <= way; left--, point++)
            Put(point & (Points - 1), _last + ((x - _last) * (float)((point - _before) / way)), adds);
    }

    private readonly void Put(int point, float x, bool adds)
    {
        var y = adds ? _points[point] + x : x;
        _points[point] = Math.Min(Math.Max(y, -MostVolts), MostVolts);
    }

    private readonly float Read(double position)
    {
        var whole = (int)position;
        return Hermite.At(_points[(whole - 1) & (Points - 1)], _points[whole & (Points - 1)], _points[(whole + 1) & (Points - 1)],
            _points[(whole + 2) & (Points - 1)], (float)(position - whole));
    }
}
