// Clock: beats, their divisions and multiples, exact to the sample for as long as it runs.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Time is counted in whole numbers: the tempo in thousandths of a BPM m, a beat as 60000 * rate units, a frame as m units. Beat k of a
/// standing tempo comes at the first frame n with m n >= 60000 rate k, after ten hours as after one beat. With a cable at Sync, each
/// rise there is the next of so many pulses a beat, to the frame; between two rises time runs as fast as between the last two and waits
/// for a late one.
/// </summary>
public unsafe struct Clock : IModule<Clock>
{
    private const int RunIn = 0, ResetIn = 1, SyncIn = 2, TempoIn = 3;
    private const int Tempo = 0, Run = 1, Swing = 2, Width = 3, SyncPulses = 4;
    private const int Outputs = 9;
    private const int Sixteenths = 1, Beats = 4;
    private const int BeatsPerBar = 4;
    private const int MostBpm = 1000;
    private const double UnitsPerBpm = 1000.0;

    // An interval this many times the one before is a pause and says nothing of the tempo.
    private const int Pause = 4;

    // One counter an output, all in units of time: counting the same whole numbers they can not come apart.
    private fixed long _phases[Outputs];
    private fixed long _periods[Outputs]; // of the rate alone: a division in every frame would cost more than all the rest
    private fixed int _sinceTick[Outputs];
    private SchmittTrigger _run, _reset, _sync;
    private long _beat, _sinceSync, _syncFrames, _syncLeft;
    private int _triggerFrames, _beatInBar, _syncRises, _high;
    private bool _started, _rewind;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "clock",
        Name = "Clock",
        Family = "Modulation",
        Text = "The beat of a patch: clocks from a 24th of a beat to four bars, by itself or after another clock.",
        Help = """
            The beat of a patch. It runs at its own Tempo or after a clock at Sync, and gives nine clocks at once, from 24 ticks a
            beat to one tick every four bars, all of which meet exactly whenever they should. Time is counted in whole numbers: it
            does not drift, however long it plays.

            Swing delays every second sixteenth. Width sets how long the gates are. Reset starts the first bar again; with a sync, at
            its next pulse. Run stops and starts it by hand or by a gate.

            - Sync pulses says how many pulses of the clock at Sync make a beat: 4 for sixteenths, 24 for the old drum machines. Between two
            pulses time runs as fast as between the last two, and waits for one that is late.
            - 1 V at Tempo CV doubles the tempo.

            Try: x4 into a sequencer's Clock, /4 into its Reset, x1 into a kick.
            """,
        Inputs =
        [
            new PortDescriptor("run", "Run", "Runs while this is high; unpatched the knob decides.", ChannelRule.Fixed),
            new PortDescriptor("reset", "Reset", "A rise starts the first bar again.", ChannelRule.Fixed),
            new PortDescriptor("sync", "Sync", "An outside clock to follow.", ChannelRule.Fixed),
            new PortDescriptor("tempo", "Tempo CV", "1 V doubles the tempo.", ChannelRule.Fixed),
        ],
        Outputs =
        [
            new PortDescriptor("x24", "x24", "24 to the beat, for machines that speak so.", ChannelRule.Fixed),
            new PortDescriptor("x4", "x4", "Sixteenths, with swing.", ChannelRule.Fixed),
            new PortDescriptor("x3", "x3", "Triplets of the beat.", ChannelRule.Fixed),
            new PortDescriptor("x2", "x2", "Eighths.", ChannelRule.Fixed),
            new PortDescriptor("x1", "x1", "Beats.", ChannelRule.Fixed),
            new PortDescriptor("d2", "/2", "Every second beat.", ChannelRule.Fixed),
            new PortDescriptor("d4", "/4", "Every bar of four beats.", ChannelRule.Fixed),
            new PortDescriptor("d8", "/8", "Every second bar.", ChannelRule.Fixed),
            new PortDescriptor("d16", "/16", "Every fourth bar.", ChannelRule.Fixed),
        ],
        Parameters =
        [
            new ParameterDescriptor("tempo", "Tempo", "BPM", 20f, 300f, 120f, ParameterCurve.Exponential, "Beats a minute."),
            new ParameterDescriptor("run", "Run", "", 0f, 1f, 1f, ParameterCurve.Stepped, "Starts and stops it.", "stop", "run"),
            new ParameterDescriptor("swing", "Swing", "%", 50f, 75f, 50f, ParameterCurve.Linear,
                "Where in an eighth its second sixteenth comes: 50 is straight, 66.7 a triplet."),
            new ParameterDescriptor("width", "Width", "", 0f, 0.95f, 0.5f, ParameterCurve.Linear,
                "Part of a step its gate is high, never less than a trigger of 1 ms."),
            new ParameterDescriptor("sync_pulses", "Sync pulses", "", 0f, 5f, 2f, ParameterCurve.Stepped,
                "Pulses a beat of the clock at Sync.", "1", "2", "4", "8", "12", "24"),
        ],
        Telemetry = [new TelemetryDescriptor("beat", TelemetryKind.Step, 1, "", "The beat of the bar.")],
    };

    public static void Construct(ref Clock self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self.Prepare((long)(60.0 * UnitsPerBpm * setup.SampleRate), TriggerPulse.Frames(setup.SampleRate));
        timing.TailFrames = -1;
    }

    public static void Reset(ref Clock self)
    {
        var (beat, triggerFrames) = (self._beat, self._triggerFrames);
        self = default;
        self.Prepare(beat, triggerFrames);
    }

    public static ProcessResult Process(ref Clock self, in ProcessContext context)
    {
        var asleep = true;
        for (var i = 0; i <= TempoIn; i++) asleep &= context.Inputs[i].Silent;
        for (var segment = 0; segment < context.Segments; segment++) self.Segment(in context, segment);
        context.Telemetry[0] = self._beatInBar;

        // It sleeps while stopped, with every gate closed; but beside an outside clock it counts the frames.
        asleep &= !context.Inputs[SyncIn].Connected;
        asleep &= context.Inputs[RunIn].Connected || context.Param(Run, context.Segments) < 0.5f;
        for (var output = 0; asleep && output < Outputs; output++) asleep = Block.IsZero(context.Out(output), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private void Segment(in ProcessContext context, int segment)
    {
        var tempo = new GridRamp(in context, Tempo, segment);
        var width = new GridRamp(in context, Width, segment);
        var swing = new GridRamp(in context, Swing, segment);
        var on = context.Param(Run, segment) >= 0.5f;
        var gated = context.Inputs[RunIn].Connected;
        var synced = context.Inputs[SyncIn].Connected;
        var pulse = _beat / PulsesPerBeat((int)(context.Param(SyncPulses, segment) + 0.5f));
        var at = segment * Limits.Grid;
        var run = context.In(RunIn) + at;
        var reset = context.In(ResetIn) + at;
        var sync = context.In(SyncIn) + at;
        var cv = context.In(TempoIn) + at;
        for (var i = 0; i < Limits.Grid; i++)
        {
            _ = _run.Rises(run[i]);
            var running = gated ? _run.IsHigh : on;
            if (_reset.Rises(reset[i])) _rewind = true;
            var rises = _sync.Rises(sync[i]);
            var bpm = tempo.At(i) * (cv[i] == 0f ? 1.0 : FastMath.Exp2(cv[i]));
            var units = (long)((Math.Min(bpm, MostBpm) * UnitsPerBpm) + 0.5);
            long advance = 0;
            if (synced) advance = Follow(rises, running, pulse, units);
            else if (running)
            {
                // Without a sync the first frame is the first beat, and so is the frame of a reset.
                if (!_started) _rewind = true;
                advance = _started && !_rewind ? units : 0;
            }

            var moves = running && (!synced || rises || _started);
            if (running && _rewind && (!synced || rises)) Rewind();
            else if (moves) Advance(advance, swing.At(i));

            for (var output = 0; output < Outputs; output++)
            {
                // A tick into a gate that is still open (a reset, a pulse that comes early) closes it for a frame, else it would be lost.
                var lost = _sinceTick[output] == 0 && (_high >> output & 1) != 0;
                var high = running && _started && !lost && IsHigh(output, width.At(i), swing.At(i));
                _high = high ? _high | (1 << output) : _high & ~(1 << output);
                context.Out(output)[at + i] = TriggerPulse.Gate(high);
                if (running && _sinceTick[output] < _triggerFrames) _sinceTick[output]++;
            }
        }
    }

    // Units of time to advance when an outside clock rules: up to one unit before the next rise is due, and onto it when it comes.
    private long Follow(bool rises, bool running, long pulse, long units)
    {
        _sinceSync++;
        if (!rises)
        {
            if (!running || !_started) return 0;
            var step = _syncFrames > 0 ? pulse / _syncFrames : units;
            step = Math.Min(step, _syncLeft - 1);
            _syncLeft -= step;
            return step;
        }

        var known = _syncRises >= 2;
        if (_syncRises >= 1 && (!known || _sinceSync < Pause * _syncFrames)) _syncFrames = _sinceSync;
        if (_syncRises < 2) _syncRises++;
        _sinceSync = 0;
        if (!running) return 0;
        if (!_started) _rewind = true;
        var left = _syncLeft;
        _syncLeft = pulse;
        return left;
    }

    private void Rewind()
    {
        _rewind = false;
        _started = true;
        _beatInBar = 0;
        for (var output = 0; output < Outputs; output++)
        {
            _phases[output] = 0;
            _sinceTick[output] = 0;
        }
    }

    private void Advance(long units, float swing)
    {
        for (var output = 0; output < Outputs; output++)
        {
            var before = _phases[output];
            var after = before + units;
            var period = _periods[output];
            if (output == Sixteenths)
            {
                // The counter of the sixteenths goes over an eighth and ticks twice.
                var second = Second(period, swing);
                if (before < second && after >= second) _sinceTick[output] = 0;
            }

            if (after >= period)
            {
                after %= period;
                _sinceTick[output] = 0;
                if (output == Beats) _beatInBar = (_beatInBar + 1) % BeatsPerBar;
            }

            _phases[output] = after;
        }
    }

    private readonly bool IsHigh(int output, float width, float swing)
    {
        if (_sinceTick[output] < _triggerFrames) return true;
        var (phase, length) = (_phases[output], _periods[output]);
        if (output == Sixteenths)
        {
            var second = Second(length, swing);
            length = phase < second ? second : length - second;
            if (phase >= second) phase -= second;
        }

        return phase < (long)(length * (double)width);
    }

    private void Prepare(long beat, int triggerFrames)
    {
        _beat = beat;
        _triggerFrames = triggerFrames;
        for (var output = 0; output < Outputs; output++) _periods[output] = Period(output);
    }

    private readonly long Period(int output) => output switch
    {
        0 => _beat / 24,
        Sixteenths => _beat / 2,
        2 => _beat / 3,
        3 => _beat / 2,
        Beats => _beat,
        _ => _beat << (output - Beats),
    };

    private static long Second(long eighth, float swing) => swing == 50f ? eighth / 2 : (long)(eighth * (swing * 0.01));

    private static int PulsesPerBeat(int choice) => choice switch { 0 => 1, 1 => 2, 2 => 4, 3 => 8, 4 => 12, _ => 24 };
}
