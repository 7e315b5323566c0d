// Looper: records a phrase, plays it round and round, and lays more upon it.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Positions are whole half frames, so that length and half speed are exact. The seam is a crossfade of what came after the end into
/// the beginning. Each overdub writes new versions of the blocks of 16 frames it passes; undo marks the overdub's number as undone, and
/// a block is read from its newest version that is not: undoing takes no time and brings back the very bits. Jumps of any kind (stop, undo,
/// clear) are bridged by the difference, which dies away with 2 ms. What is stored is linear up to 10 V and then bends towards 20 V.
/// </summary>
public unsafe struct Looper : IModule<Looper>
{
    private const int LeftIn = 0, RightIn = 1, RecordIn = 2, PlayIn = 3, UndoIn = 4, ClearIn = 5, ClockIn = 6;
    private const int LoopOut = 2;
    private const int Record = 0, Play = 1, Sync = 2, Speed = 3, Reverse = 4, Feedback = 5, Level = 6, Through = 7;
    private const int SecondsSetting = 0, LayersSetting = 1;
    private const int RecordPress = 0, PlayPress = 1, UndoPress = 2, RedoPress = 3, ClearPress = 4;
    private const int Empty = 0, Recording = 1, Playing = 2, Overdubbing = 3, Stopped = 4;
    private const int Block = 16, MostLayers = 4, MostTakes = 65_536;
    private const int Shortest = 64;
    private const float SeamSeconds = 0.01f, RampSeconds = 0.005f, BridgeSeconds = 0.002f;
    private const float Knee = 10f, MostVolts = 1000f;

    private float* _data;
    private ushort* _stamps; // [block][version]: the take that wrote it
    private byte* _newest, _undone;
    private fixed int _history[MostLayers + 1]; // takes that can be undone, oldest first
    private long _capacity, _at, _length, _half, _seamAt, _seamFrames;
    private int _versions, _layers, _taken, _undoneCount, _take, _state, _pending, _pulse, _pulseFrames;
    private float _bridge, _ramp, _gain, _lastLeft, _lastRight, _slideLeft, _slideRight, _beforeLeft, _beforeRight;
    private bool _jumped, _recordKnob, _playKnob, _running;
    private float _sampleRate;
    private SchmittTrigger _recordGate, _playGate, _undoGate, _clearGate, _clock;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "looper",
        Name = "Looper",
        Family = "Space",
        Text = "Records a phrase, plays it round and round, and lays more upon it.",
        Help = """
            The looper is a tape without end. The first press of record begins the phrase and the second ends it; from then on it plays
            round and round, and its seam is crossfaded with what was played just after the end. Every further press begins or ends an
            overdub, which lays the sound on top. Undo takes the last overdub away, as if it had never been, and once more brings it back.

            - A press is a trigger, a turn of the record knob, or custom event 0. Play is event 1, undo 2, redo 3, clear 4.
            - With sync on clock every press waits for the next rise at clock. Loop gives a trigger at every beginning.
            - Feedback is what remains of the old where an overdub passes: at 0.7 old layers fade as new ones come.
            - Reverse and half speed work while playing and while overdubbing; an overdub in reverse is heard backwards later.

            How long a phrase may be, and how many overdubs can be undone, are settings: memory is set aside for them. The recording
            itself is not saved with the patch; it is gone when the patch is closed or a setting is changed.

            Try a sequencer's clock into clock with sync on clock, a voice into left and a button into record. Press, let it run for a
            bar, press again, and add to it.
            """,
        Inputs =
        [
            new PortDescriptor("left", "Left", "Sound to be recorded.", ChannelRule.Fixed),
            new PortDescriptor("right", "Right", "Its right side; unpatched it is the left one.", ChannelRule.Fixed),
            new PortDescriptor("record", "Record", "A rise begins and ends the recording, then overdubs.", ChannelRule.Fixed),
            new PortDescriptor("play", "Play", "A rise stops it and starts it from the beginning.", ChannelRule.Fixed),
            new PortDescriptor("undo", "Undo", "A rise takes the last overdub away, or brings it back.", ChannelRule.Fixed),
            new PortDescriptor("clear", "Clear", "A rise forgets everything.", ChannelRule.Fixed),
            new PortDescriptor("clock", "Clock", "Beats that presses wait for.", ChannelRule.Fixed),
        ],
        Outputs =
        [
            new PortDescriptor("left", "Left", "The loop and the sound itself.", ChannelRule.Fixed),
            new PortDescriptor("right", "Right", "The right side of it.", ChannelRule.Fixed),
            new PortDescriptor("loop", "Loop", "A trigger each time the loop begins.", ChannelRule.Fixed),
        ],
        Parameters =
        [
            new ParameterDescriptor("record", "Record", "", 0f, 1f, 0f, ParameterCurve.Stepped,
                "Each turn is a press of record.", "off", "on"),
            new ParameterDescriptor("play", "Play", "", 0f, 1f, 1f, ParameterCurve.Stepped,
                "Turning it stops the loop or starts it.", "stop", "play"),
            new ParameterDescriptor("sync", "Sync", "", 0f, 1f, 0f, ParameterCurve.Stepped,
                "Whether presses wait for the clock.", "free", "clock"),
            new ParameterDescriptor("speed", "Speed", "", 0f, 1f, 1f, ParameterCurve.Stepped,
                "Half speed is an octave lower.", "half", "normal"),
            new ParameterDescriptor("reverse", "Reverse", "", 0f, 1f, 0f, ParameterCurve.Stepped,
                "Which way the tape runs.", "forward", "reverse"),
            new ParameterDescriptor("feedback", "Feedback", "", 0f, 1f, 1f, ParameterCurve.Linear,
                "How much of the old remains where an overdub passes."),
            new ParameterDescriptor("level", "Level", "", 0f, 2f, 1f, ParameterCurve.Linear, "Loudness of the loop."),
            new ParameterDescriptor("through", "Through", "", 0f, 1f, 1f, ParameterCurve.Linear, "Loudness of the sound itself."),
        ],
        Settings =
        [
            new SettingDescriptor("seconds", "Longest loop (s)", 1, 300, 10, "Memory is set aside for it, once more for each layer."),
            new SettingDescriptor("layers", "Undo", 1, MostLayers, 1, "Overdubs that can be undone."),
        ],
        Telemetry =
        [
            new TelemetryDescriptor("state", TelemetryKind.Step, 1, "", "Empty, recording, playing, overdubbing, stopped."),
            new TelemetryDescriptor("position", TelemetryKind.Value, 1, "s", "Time since the loop began."),
            new TelemetryDescriptor("length", TelemetryKind.Value, 1, "s", "How long the loop is."),
        ],
        AcceptsEvents = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        var versions = setup.Settings[LayersSetting] + 1;
        need.Need<float>(2L * versions * Capacity(in setup));
        need.Need<ushort>(versions * (Capacity(in setup) / Block));
        need.Need<byte>(Capacity(in setup) / Block);
        need.Need<byte>(MostTakes);
    }

    public static void Construct(ref Looper self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._capacity = Capacity(in setup);
        self._layers = setup.Settings[LayersSetting];
        self._versions = self._layers + 1;
        self._data = memory.Take<float>(2L * self._versions * self._capacity);
        self._stamps = memory.Take<ushort>(self._versions * (self._capacity / Block));
        self._newest = memory.Take<byte>(self._capacity / Block);
        self._undone = memory.Take<byte>(MostTakes);
        if (memory.Overdrawn) return;
        self._sampleRate = setup.SampleRate;
        self._ramp = 1f / (RampSeconds * setup.SampleRate);
        self._bridge = FastMath.Exp2(-1.442695f / (BridgeSeconds * setup.SampleRate));
        self._pulseFrames = (int)(0.001f * setup.SampleRate);
        timing.TailFrames = -1;
        Reset(ref self);
    }

    public static void Reset(ref Looper self)
    {
        // The sound is not cleared: nothing is read before it is recorded anew.
        self.Forget();
        self._recordGate = self._playGate = self._undoGate = self._clearGate = self._clock = default;
        self._lastLeft = self._lastRight = self._slideLeft = self._slideRight = self._beforeLeft = self._beforeRight = 0f;
        self._pulse = 0;
        self._pending = -1;
        self._jumped = self._running = false;
    }

    public static ProcessResult Process(ref Looper self, in ProcessContext context)
    {
        var cursor = 0;
        var next = context.NextEvent(ref cursor);
        for (var segment = 0; segment < context.Segments; segment++)
        {
            self.Knobs(in context, segment);
            self.Segment(in context, segment, ref cursor, ref next);
        }

        context.Telemetry[0] = self._state;
        context.Telemetry[1] = self._half * 0.5f / self._sampleRate;
        context.Telemetry[2] = (self._state == Recording ? self._at : self._length) / self._sampleRate;
        if (self._state is not (Empty or Stopped)) return ProcessResult.Continue;
        if (self._slideLeft != 0f || self._slideRight != 0f || self._pulse != 0) return ProcessResult.Continue;
        for (var i = 0; i < 7; i++)
        {
            if (!context.Inputs[i].Silent) return ProcessResult.Continue;
        }

        return self._lastLeft == 0f && self._lastRight == 0f ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static long Capacity(in InstanceSetup setup) =>
        ((long)(setup.Settings[SecondsSetting] * (double)setup.SampleRate) + Block - 1) & ~(Block - 1L);

    private void Knobs(in ProcessContext context, int segment)
    {
        var record = context.Param(Record, segment) >= 0.5f;
        var play = context.Param(Play, segment) >= 0.5f;
        if (_running && record != _recordKnob) Press(RecordPress, in context, segment);
        if (_running && play != _playKnob && play == (_state == Stopped)) Press(PlayPress, in context, segment);
        (_recordKnob, _playKnob, _running) = (record, play, true);
    }

    private void Segment(in ProcessContext context, int segment, ref int cursor, ref ModuleEvent* next)
    {
        var at = segment * Limits.Grid;
        var left = context.In(LeftIn) + at;
        var right = context.In(context.Inputs[RightIn].Connected ? RightIn : LeftIn) + at;
        float* record = context.In(RecordIn) + at, play = context.In(PlayIn) + at, undo = context.In(UndoIn) + at;
        float* clear = context.In(ClearIn) + at, clock = context.In(ClockIn) + at;
        float* outLeft = context.Out(0) + at, outRight = context.Out(1) + at, loop = context.Out(LoopOut) + at;
        var feedback = new GridRamp(in context, Feedback, segment);
        var level = new GridRamp(in context, Level, segment);
        var through = new GridRamp(in context, Through, segment);
        var half = context.Param(Speed, segment) < 0.5f;
        var step = (half ? 1 : 2) * (context.Param(Reverse, segment) >= 0.5f ? -1 : 1);
        for (var i = 0; i < Limits.Grid; i++)
        {
            if (_clock.Rises(clock[i]) && _pending >= 0)
            {
                Act(_pending, step);
                _pending = -1;
            }

            while (next != null && (long)next->Frame <= at + i)
            {
                Take(next, in context, segment);
                next = context.NextEvent(ref cursor);
            }

            if (_recordGate.Rises(record[i])) Press(RecordPress, in context, segment);
            if (_playGate.Rises(play[i])) Press(PlayPress, in context, segment);
            if (_undoGate.Rises(undo[i])) Act(_undoneCount > 0 ? RedoPress : UndoPress, step);
            if (_clearGate.Rises(clear[i])) Act(ClearPress, step);

            var (x, y) = (Sound(left[i]), Sound(right[i]));
            if (_state == Recording) Keep(x, y, step);
            if (_seamAt < _seamFrames) Blend(x, y);
            var (l, r) = (0f, 0f);
            if (_state is Playing or Overdubbing)
            {
                (l, r) = (Read(0), Read(1));
                if ((step < 0 ? _half + step < 0 : _half < step)) _pulse = _pulseFrames;
                Dub(x, y, feedback.At(i), half);
                Move(step);
            }

            if (_jumped)
            {
                (_slideLeft, _slideRight, _jumped) = (_lastLeft - l, _lastRight - r, false);
            }

            _lastLeft = l + _slideLeft;
            _lastRight = r + _slideRight;
            _slideLeft = Denormal.Flush(_slideLeft * _bridge);
            _slideRight = Denormal.Flush(_slideRight * _bridge);
            (_beforeLeft, _beforeRight) = (x, y);
            outLeft[i] = (_lastLeft * level.At(i)) + (left[i] * through.At(i));
            outRight[i] = (_lastRight * level.At(i)) + (right[i] * through.At(i));
            loop[i] = _pulse > 0 ? 10f : 0f;
            if (_pulse > 0) _pulse--;
        }
    }

    private void Take(ModuleEvent* e, in ProcessContext context, int segment)
    {
        if (e->Kind == EventKind.Custom && e->Index is >= RecordPress and <= ClearPress) Press(e->Index, in context, segment);
        else if (e->Kind == EventKind.Start && _state == Stopped) Press(PlayPress, in context, segment);
        else if (e->Kind == EventKind.Stop && _state is Playing or Overdubbing) Press(PlayPress, in context, segment);
    }

    // At once, or at the next beat; undo and clear never wait.
    private void Press(int what, in ProcessContext context, int segment)
    {
        var waits = what <= PlayPress && context.Param(Sync, segment) >= 0.5f && context.Inputs[ClockIn].Connected;
        if (waits) _pending = what;
        else Act(what, context.Param(Reverse, segment) >= 0.5f ? -1 : 1);
    }

    private void Act(int what, int direction)
    {
        switch (what)
        {
            case RecordPress when _state == Empty:
                _state = Recording;
                _at = 0;
                break;
            case RecordPress when _state == Recording:
                Close(direction);
                break;
            case RecordPress when _state == Overdubbing:
                _state = Playing;
                break;
            case RecordPress:
                if (_state == Stopped) Begin(direction);
                BeginTake();
                _state = Overdubbing;
                break;
            case PlayPress when _state is Playing or Overdubbing:
                _state = Stopped;
                _gain = 0f;
                _jumped = true;
                break;
            case PlayPress when _state == Stopped:
                Begin(direction);
                break;
            case PlayPress when _state == Recording:
                Close(direction);
                break;
            case UndoPress when _undoneCount < _taken:
                if (_state == Overdubbing) _state = Playing;
                _gain = 0f;
                _undone[_history[_taken - 1 - _undoneCount++]] = 1;
                _jumped = true;
                break;
            case RedoPress when _undoneCount > 0:
                if (_state == Overdubbing) _state = Playing;
                _gain = 0f;
                _undone[_history[_taken - _undoneCount--]] = 0;
                _jumped = true;
                break;
            case ClearPress:
                Forget();
                _jumped = true;
                break;
        }
    }

    private void Forget()
    {
        SspHost.Dsp.Block.Clear((float*)_undone, MostTakes / sizeof(float));
        _state = Empty;
        _at = _length = _half = _seamAt = _seamFrames = 0;
        _taken = _undoneCount = _take = 0;
        _gain = 0f;
    }

    // Takes that were undone are so for good once another begins.
    private void BeginTake()
    {
        _taken -= _undoneCount;
        _undoneCount = 0;
        if (_take < MostTakes - 1) _take++;
        _history[_taken++] = _take;
        if (_taken <= _layers) return;
        for (var i = 1; i < _taken; i++) _history[i - 1] = _history[i];
        _taken = _layers;
    }

    private void Begin(int direction)
    {
        _half = direction < 0 ? (2 * _length) - 2 : 0;
        _state = Playing;
        _jumped = true;
    }

    private void Close(int direction)
    {
        if (_at < Shortest)
        {
            Forget();
            return;
        }

        _length = _at;
        _seamAt = 0;
        _seamFrames = Math.Min((long)(SeamSeconds * _sampleRate), _length / 2);
        Begin(direction);
    }

    private void Keep(float x, float y, int direction)
    {
        if (_at == _capacity)
        {
            Close(direction);
            return;
        }

        var block = _at / Block;
        if (_at % Block == 0)
        {
            _newest[block] = 0;
            for (var version = 0; version < _versions; version++) _stamps[(block * _versions) + version] = 0;
        }

        _data[_at] = x;
        _data[_capacity + _at] = y;
        _at++;
    }

    // What came after the end fades out over the beginning, which fades in.
    private void Blend(float x, float y)
    {
        var old = 0.5f + (0.5f * FastMath.SinTurns((0.5f * _seamAt / _seamFrames) - 0.25f));
        var version = Version(_seamAt / Block);
        for (var channel = 0; channel < 2; channel++)
        {
            ref var kept = ref _data[(((version * 2) + channel) * _capacity) + _seamAt];
            kept = ((channel == 0 ? x : y) * (1f - old)) + (kept * old);
        }

        _seamAt++;
    }

    // The newest version of a block that is not undone.
    private readonly int Version(long block)
    {
        int version = _newest[block];
        for (var i = 1; i < _versions && _undone[_stamps[(block * _versions) + version]] != 0; i++)
            version = version == 0 ? _versions - 1 : version - 1;
        return version;
    }

    private readonly float At(int channel, long frame)
    {
        if (frame < 0) frame += _length;
        if (frame >= _length) frame -= _length;
        return _data[(((Version(frame / Block) * 2) + channel) * _capacity) + frame];
    }

    private readonly float Read(int channel)
    {
        var frame = _half >> 1;
        if ((_half & 1) == 0) return At(channel, frame);
        return Hermite.At(At(channel, frame - 1), At(channel, frame), At(channel, frame + 1), At(channel, frame + 2), 0.5f);
    }

    private void Dub(float x, float y, float feedback, bool half)
    {
        var target = _state == Overdubbing ? 1f : 0f;
        _gain = target > _gain ? Math.Min(_gain + _ramp, 1f) : Math.Max(_gain - _ramp, target);
        if (_gain == 0f || (_half & 1) != 0) return;
        if (half)
        {
            x = 0.5f * (x + _beforeLeft);
            y = 0.5f * (y + _beforeRight);
        }

        var frame = _half >> 1;
        var block = frame / Block;
        var version = Version(block);
        if (_stamps[(block * _versions) + version] != _take) version = Renew(block, version);
        var keep = 1f - (_gain * (1f - feedback));
        for (var channel = 0; channel < 2; channel++)
        {
            ref var kept = ref _data[(((version * 2) + channel) * _capacity) + frame];
            kept = Bend((kept * keep) + (_gain * (channel == 0 ? x : y)));
        }
    }

    // A new version of a block, of what is heard of it now; the oldest one is lost.
    private readonly int Renew(long block, int version)
    {
        var next = version + 1 == _versions ? 0 : version + 1;
        for (var channel = 0; channel < 2; channel++)
        {
            var source = _data + (((version * 2) + channel) * _capacity) + (block * Block);
            var target = _data + (((next * 2) + channel) * _capacity) + (block * Block);
            for (var i = 0; i < Block; i++) target[i] = source[i];
        }

        _newest[block] = (byte)next;
        _stamps[(block * _versions) + next] = (ushort)_take;
        return next;
    }

    private void Move(int step)
    {
        var end = 2 * _length;
        _half += step;
        if ((step & 1) == 0) _half &= ~1L;
        if (_half >= end) _half -= end;
        else if (_half < 0) _half += end;
    }

    // What is no number must not go round.
    private static float Sound(float x) => Math.Abs(x) <= MostVolts ? Bend(x) : 0f;

    private static float Bend(float x)
    {
        var over = Math.Abs(x) - Knee;
        if (over <= 0f) return x;
        return MathF.CopySign(Knee + (over / (1f + (over / Knee))), x);
    }
}
