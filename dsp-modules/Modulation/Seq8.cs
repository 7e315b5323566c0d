// Sequencer: eight notes in a row, stepped by a clock.
using System.Buffers.Binary;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Steps on rising edges at Clock; with nothing patched there, on each sixteenth of a MIDI clock once one is heard, else of its own tempo.
/// Events: a note transposes (key 60 = as written), start goes to the first step, stop and continue do what they say, and a custom
/// event switches step Index on (Value at least 0.5) or off (below 0.5), or over (negative).
/// Saved state, version 2: steps that are on (byte), stopped (byte), 0 (ushort), transposition in V (float32). Version 1 was the first
/// byte.
/// </summary>
public unsafe struct Seq8 : IModule<Seq8>, IEventFrames
{
    private const int Steps = 8;
    private const int ClockIn = 0, ResetIn = 1;
    private const int PitchOut = 0, GateOut = 1, FirstOut = 2;
    private const int GateLength = Steps, Length = Steps + 1, Tempo = Steps + 2;
    private const int StateBytes1 = 1, StateBytes2 = 8;
    private const float MostTransposition = 128f / 12f;

    private StepClock _clock;
    private SchmittTrigger _reset;
    private TriggerPulse _first;
    private float _transposition;
    private int _mask, _step, _sounding, _triggerFrames;
    private long _gateLeft;

    public static ModuleDescriptor Describe()
    {
        var parameters = new ParameterDescriptor[Steps + 3];
        ReadOnlySpan<float> semitones = [0, 3, 7, 10, 12, 7, 3, -2];
        for (var i = 0; i < Steps; i++)
            parameters[i] = new ParameterDescriptor($"pitch{i + 1}", $"Pitch {i + 1}", "V/oct", -4f, 4f, semitones[i] / 12f,
                ParameterCurve.Linear, $"Note of step {i + 1}.");

        parameters[GateLength] = new ParameterDescriptor("gate", "Gate", "", 0.02f, 1f, 0.5f, ParameterCurve.Linear,
            "Part of a step the gate is open; 1 ties the notes.");
        parameters[Length] = new ParameterDescriptor("steps", "Steps", "", 1f, Steps, Steps, ParameterCurve.Stepped,
            "How many steps are played before it starts again.");
        parameters[Tempo] = new ParameterDescriptor("tempo", "Tempo", "BPM", 20f, 300f, 120f, ParameterCurve.Exponential,
            "Speed without a clock, four steps a beat.");
        return new ModuleDescriptor
        {
            Id = "seq8",
            Version = 2,
            Name = "Sequencer",
            Family = "Modulation",
            Text = "Plays eight notes in a row, one at each clock; steps can be switched off.",
            Help = """
                Eight knobs, eight notes, played one after the other: each rise at Clock goes one step further. Gate says which part of a
                step a note lasts, Steps how many are played before it begins again. Without a clock it keeps to a MIDI clock once one is
                heard, or else to its own tempo, four steps a beat.

                A note from a MIDI keyboard transposes the row (middle C leaves it as it is). A step can be switched off and on by a custom
                event with its number, from 0: then the note before it is held and no gate comes. Switches and transposition are saved
                with the patch.

                - Reset makes the next step the first: patch the bar of a clock there.
                - First gives a trigger at the first step, to set something else going with it.

                Try: Pitch into an oscillator, Gate into an ADSR that opens a VCA, and the knobs while it plays. For more steps,
                slides and chance there is the Step Sequencer.
                """,
            Inputs =
            [
                new PortDescriptor("clock", "Clock", "Each rise goes one step further.", ChannelRule.Fixed),
                new PortDescriptor("reset", "Reset", "After a rise the next step is the first.", ChannelRule.Fixed),
            ],
            Outputs =
            [
                new PortDescriptor("pitch", "Pitch", "The note, 1 V an octave.", ChannelRule.Fixed),
                new PortDescriptor("gate", "Gate", "10 V while a note lasts.", ChannelRule.Fixed),
                new PortDescriptor("first", "First", "A trigger at the first step.", ChannelRule.Fixed),
            ],
            Parameters = parameters,
            Telemetry = [new TelemetryDescriptor("step", TelemetryKind.Step, 1, "", "The step that plays.")],
            StateBytes = StateBytes2,
            AcceptsEvents = true,
        };
    }

    public static void Construct(ref Seq8 self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._triggerFrames = TriggerPulse.Frames(setup.SampleRate);
        timing.TailFrames = -1;
        Reset(ref self);
    }

    public static void Reset(ref Seq8 self)
    {
        var triggerFrames = self._triggerFrames;
        self = default;
        self._triggerFrames = triggerFrames;
        self._mask = 0xFF;
        self._step = -1;
        self._clock.Rewind();
    }

    public static int SaveState(ref Seq8 self, Span<byte> state)
    {
        state[0] = (byte)self._mask;
        state[1] = self._clock.Stopped ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(state[2..], 0);
        BinaryPrimitives.WriteSingleLittleEndian(state[4..], self._transposition);
        return StateBytes2;
    }

    public static bool LoadState(ref Seq8 self, uint version, ReadOnlySpan<byte> state)
    {
        if (state.IsEmpty) return true;
        if (version == 1 && state.Length == StateBytes1)
        {
            self._mask = state[0];
            return true;
        }

        if (version != 2 || state.Length != StateBytes2) return false;
        var transposition = BinaryPrimitives.ReadSingleLittleEndian(state[4..]);
        if (state[1] > 1 || state[2] != 0 || state[3] != 0 || !(Math.Abs(transposition) <= MostTransposition)) return false;
        self._mask = state[0];
        self._clock.Stopped = state[1] == 1;
        self._transposition = transposition;
        return true;
    }

    public static ProcessResult Process(ref Seq8 self, in ProcessContext context)
    {
        EventFrames.Play(ref self, in context);
        context.Telemetry[0] = Math.Max(self._step, 0);
        return ProcessResult.Continue;
    }

    void IEventFrames.Take(in ModuleEvent e, in ProcessContext context)
    {
        var patched = context.Inputs[ClockIn].Connected;
        switch (e.Kind)
        {
            case EventKind.NoteOn:
                _transposition = Math.Clamp((e.Index - 60) / 12f, -MostTransposition, MostTransposition);
                break;
            case EventKind.Custom when e.Index is >= 0 and < Steps:
                var bit = 1 << e.Index;
                if (e.Value < 0f) _mask ^= bit;
                else if (e.Value >= 0.5f) _mask |= bit;
                else _mask &= ~bit;
                break;
            default:
                if (_clock.Take(in e, patched)) _step = -1;
                if (_clock.Stopped) _gateLeft = 0;
                break;
        }
    }

    void IEventFrames.Frame(in ProcessContext context, int segment, int frame)
    {
        if (_reset.Rises(context.In(ResetIn)[frame]))
        {
            _step = -1;
            _clock.Rewind();
        }

        var framesPerStep = context.SampleRate * 15.0 / context.Param(Tempo, segment);
        if (_clock.Next(context.In(ClockIn)[frame], context.Inputs[ClockIn].Connected, framesPerStep)) Advance(in context, segment);

        var at = frame & (Limits.Grid - 1);
        context.Out(PitchOut)[frame] = new GridRamp(in context, _sounding, segment).At(at) + _transposition;
        context.Out(GateOut)[frame] = TriggerPulse.Gate(_gateLeft > 0);
        context.Out(FirstOut)[frame] = _first.Next();
        if (_gateLeft > 0) _gateLeft--;
    }

    // The gate lasts a part of the step before, or of the tempo's where none was measured yet.
    private void Advance(in ProcessContext context, int segment)
    {
        _step++;
        if (_step >= (int)(context.Param(Length, segment) + 0.5f)) _step = 0;
        if (_step == 0) _first.Fire(_triggerFrames);
        if ((_mask >> _step & 1) == 0)
        {
            _gateLeft = 0;
            return;
        }

        _sounding = _step;
        var part = context.Param(GateLength, segment);
        _gateLeft = part >= 1f ? long.MaxValue : Math.Max(1, (long)(part * _clock.Period));
    }
}
