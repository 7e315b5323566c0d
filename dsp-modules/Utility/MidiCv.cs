// MIDI to CV: notes, bends, pressure, controllers and clock as voltages, each at the frame it comes.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// One voice plays the newest, lowest or highest of the keys that are down; several take a note each. A voice that has to play a new note
/// while its gate is open closes it for one frame, so that envelopes hear it; a note that ends in the frame in which it began still gives a
/// frame of gate. MPE as the MIDI Association's specification 1.0 (2018) has it, lower zone: channel 1 speaks for all, the others each for
/// the notes on them, with bends of 48 semitones.
/// </summary>
public unsafe struct MidiCv : IModule<MidiCv>
{
    private const int Pitch = 0, Gate = 1, Velocity = 2, Trigger = 3, Pressure = 4, Timbre = 5;
    private const int ControllerA = 6, ControllerB = 7, Clock = 8, Run = 9, Start = 10, OutputCount = 11;
    private const int Channel = 0, Bend = 1, Priority = 2, Legato = 3, Allocation = 4, Glide = 5, GlideWhen = 6, Smooth = 7, NumberA = 8,
        NumberB = 9, Division = 10, Transpose = 11;
    private const int Low = 1, High = 2;
    private const int Rotate = 0, Reuse = 1;
    private const int Keys = 128, MiddleC = 60, Channels = 16;
    private const int Pedal = 64, Brightness = 74, AllSoundOff = 120, ResetControllers = 121, AllNotesOff = 123;
    private const float NoGlide = 0.001f;
    private const float MemberBend = 48f;

    private Voice* _voices;
    private Key* _keys;
    private Shared* _channels;
    private LinearGlide _a, _b;
    private TriggerPulse _clock, _start;
    private long _order;
    private int _voiceCount, _last, _ticks, _pedals, _triggerFrames;
    private bool _mpe, _running, _transport;

    private struct Voice
    {
        public LinearGlide Pitch, Bend, Pressure, Timbre;
        public TriggerPulse Trigger;
        public long Order;
        public float Velocity, KeyPressure;
        public int Key, Channel;
        public bool Held, Sustained, Starts, Dips, High, Played;

        public readonly bool IsOpen => Held || Sustained;
    }

    // A key of a single voice: when it went down (0: it is not) and whether only the pedal holds it.
    private struct Key
    {
        public long Order;
        public float Velocity;
        public bool Sustained;
    }

    private struct Shared
    {
        public float Bend, Pressure, Timbre;
    }

    public static ModuleDescriptor Describe()
    {
        var channels = new string[Channels + 1];
        channels[0] = "all";
        for (var i = 1; i <= Channels; i++) channels[i] = $"{i}";
        return new ModuleDescriptor
        {
            Id = "midi-cv",
            Name = "MIDI to CV",
            Family = "Utility",
            Text = "Plays the patch from a MIDI keyboard: pitch, gate, velocity, pressure, controllers and clock.",
            Help = """
                Turns what a keyboard or a sequencer sends into voltages. With one voice (the setting Voices) it is a keyboard of the old
                kind: of the keys that are down it plays the last, the lowest or the highest, and goes back when you let go. Legato
                decides whether a note that is played into another one starts the envelopes again. With more voices its outputs
                are wide cables with a note on each channel.

                When all voices are busy the one that the pedal alone holds longest is taken, or else the oldest. Before
                that, "rotate" goes round, so that tails may ring; "reuse" gives a key the voice it had last; "lowest" fills from below.

                - Pitch follows the bend wheel over the bend range, and glides if Glide is above its lowest.
                - The sustain pedal holds notes. A controller of your choice comes out at each of CC A and CC B.
                - Clock gives a trigger for each note value you choose, Start one at the start, Run is high while the song plays.
                - Setting MPE to on makes it listen to keyboards that send each note on a channel of its own, with its own bend, pressure
                and timbre.

                Try: Pitch into an oscillator, Gate into an ADSR, Velocity into its velocity. Then set Voices to 4: everything
                behind it follows.
                """,
            Outputs =
            [
                new PortDescriptor("pitch", "Pitch", "The note with its bend, 1 V an octave; middle C is 0 V.", ChannelRule.Setting, 0),
                new PortDescriptor("gate", "Gate", "10 V while a note lasts.", ChannelRule.Setting, 0),
                new PortDescriptor("velocity", "Velocity", "How hard the note was played, 0 to 10 V.", ChannelRule.Setting, 0),
                new PortDescriptor("trigger", "Trigger", "A trigger at the start of each note.", ChannelRule.Setting, 0),
                new PortDescriptor("pressure", "Pressure", "How hard the key is pressed now, 0 to 10 V.", ChannelRule.Setting, 0),
                new PortDescriptor("timbre", "Timbre", "Controller 74, 0 to 10 V; with MPE of each note.", ChannelRule.Setting, 0),
                new PortDescriptor("cc_a", "CC A", "The first controller, 0 to 10 V.", ChannelRule.Fixed),
                new PortDescriptor("cc_b", "CC B", "The second controller, 0 to 10 V.", ChannelRule.Fixed),
                new PortDescriptor("clock", "Clock", "A trigger for each note value of the MIDI clock.", ChannelRule.Fixed),
                new PortDescriptor("run", "Run", "High while the song plays.", ChannelRule.Fixed),
                new PortDescriptor("start", "Start", "A trigger when the song starts from its beginning.", ChannelRule.Fixed),
            ],
            Parameters =
            [
                new ParameterDescriptor("channel", "Channel", "", 0f, Channels, 0f, ParameterCurve.Stepped,
                    "The MIDI channel that is heard; MPE hears all.", channels),
                new ParameterDescriptor("bend", "Bend range", "semitones", 0f, 24f, 2f, ParameterCurve.Stepped,
                    "How far the bend wheel bends."),
                new ParameterDescriptor("priority", "Priority", "", 0f, 2f, 0f, ParameterCurve.Stepped,
                    "Which key a single voice plays.", "last", "lowest", "highest"),
                new ParameterDescriptor("legato", "Legato", "", 0f, 1f, 0f, ParameterCurve.Stepped,
                    "Whether a single voice starts anew for a note played into another.", "retrigger", "legato"),
                new ParameterDescriptor("allocation", "Allocation", "", 0f, 2f, 0f, ParameterCurve.Stepped,
                    "Which of several free voices takes a note.", "rotate", "reuse", "lowest"),
                new ParameterDescriptor("glide", "Glide", "s", NoGlide, 5f, NoGlide, ParameterCurve.Exponential,
                    "Time from note to note; at its lowest none."),
                new ParameterDescriptor("glide_when", "Glide when", "", 0f, 1f, 0f, ParameterCurve.Stepped,
                    "Always, or only while another key is down.", "always", "overlap"),
                new ParameterDescriptor("smooth", "Smooth", "s", NoGlide, 0.5f, 0.005f, ParameterCurve.Exponential,
                    "Time in which bends, pressure and controllers move; at its lowest they step."),
                new ParameterDescriptor("number_a", "CC A number", "", 0f, 127f, 1f, ParameterCurve.Stepped,
                    "Which controller comes out at CC A; 1 is the modulation wheel."),
                new ParameterDescriptor("number_b", "CC B number", "", 0f, 127f, 11f, ParameterCurve.Stepped,
                    "Which controller comes out at CC B; 11 is the expression pedal."),
                new ParameterDescriptor("division", "Clock", "", 0f, 6f, 2f, ParameterCurve.Stepped,
                    "The note value of the clock; a tick is a 24th of a quarter.", "tick", "1/32", "1/16", "1/8", "1/4", "1/2", "1/1"),
                new ParameterDescriptor("transpose", "Transpose", "semitones", -36f, 36f, 0f, ParameterCurve.Stepped,
                    "Moves all notes."),
            ],
            Settings =
            [
                new SettingDescriptor("voices", "Voices", 1, Limits.MaxChannels, 1, "How many notes can sound at once."),
                new SettingDescriptor("mpe", "MPE", 0, 1, 0, "For keyboards that send each note on a channel of its own.", "off", "on"),
            ],
            Telemetry = [new TelemetryDescriptor("voices", TelemetryKind.Value, 1, "", "How many notes are held.")],
            AcceptsEvents = true,
        };
    }

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Voice>(setup.Settings[0]);
        need.Need<Key>(Keys);
        need.Need<Shared>(Channels);
    }

    public static void Construct(ref MidiCv self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voiceCount = setup.Settings[0];
        self._mpe = setup.Settings[1] != 0;
        self._voices = memory.Take<Voice>(self._voiceCount);
        self._keys = memory.Take<Key>(Keys);
        self._channels = memory.Take<Shared>(Channels);
        self._triggerFrames = TriggerPulse.Frames(setup.SampleRate);
        timing.TailFrames = -1; // a held note holds its pitch
        if (!memory.Overdrawn) Reset(ref self);
    }

    public static void Reset(ref MidiCv self)
    {
        var kept = self;
        self = default;
        self._voices = kept._voices;
        self._keys = kept._keys;
        self._channels = kept._channels;
        (self._voiceCount, self._mpe, self._triggerFrames) = (kept._voiceCount, kept._mpe, kept._triggerFrames);
        Block.Zero(self._voices, self._voiceCount);
        Block.Zero(self._keys, Keys);
        Block.Zero(self._channels, Channels);
        for (var i = 0; i < self._voiceCount; i++) self._voices[i].Key = -1;
        self._last = self._voiceCount - 1;
    }

    public static ProcessResult Process(ref MidiCv self, in ProcessContext context)
    {
        var cursor = 0;
        var next = context.NextEvent(ref cursor);
        var quiet = next == null;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            // From event to event all is straight lines.
            var end = (segment + 1) * Limits.Grid;
            for (var from = segment * Limits.Grid; from < end;)
            {
                while (next != null && (int)next->Frame <= from)
                {
                    self.Take(in *next, in context, segment);
                    next = context.NextEvent(ref cursor);
                }

                var to = next == null ? end : Math.Min(end, (int)next->Frame);
                self.Render(in context, segment, from, to);
                from = to;
            }
        }

        var held = 0;
        for (var i = 0; i < self._voiceCount; i++) held += self._voices[i].IsOpen ? 1 : 0;
        context.Telemetry[0] = held;
        return quiet && held == 0 && self.IsSilent(in context) ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private readonly bool IsSilent(in ProcessContext context)
    {
        for (var output = 0; output < OutputCount; output++)
        {
            for (var channel = 0; channel < context.Outputs[output].Channels; channel++)
            {
                if (!Block.IsZero(context.Out(output, channel), context.Frames)) return false;
            }
        }

        // At rest, not passing through 0 V.
        for (var i = 0; i < _voiceCount; i++)
        {
            var v = _voices + i;
            if (!(v->Pitch.AtRest && v->Bend.AtRest && v->Pressure.AtRest && v->Timbre.AtRest) || v->Starts) return false;
        }

        return _a.AtRest && _b.AtRest;
    }

    private void Render(in ProcessContext context, int segment, int from, int to)
    {
        var transpose = context.Param(Transpose, segment) * (1f / 12f);
        for (var i = 0; i < _voiceCount; i++)
        {
            var v = _voices + i;
            var pitch = context.Out(Pitch, i);
            var gate = context.Out(Gate, i);
            var velocity = context.Out(Velocity, i);
            var trigger = context.Out(Trigger, i);
            var pressure = context.Out(Pressure, i);
            var timbre = context.Out(Timbre, i);
            for (var frame = from; frame < to; frame++)
            {
                var high = v->IsOpen || v->Starts;
                if (v->Dips)
                {
                    high = v->Dips = false;
                }
                else if (v->Starts)
                {
                    v->Starts = false;
                    v->Trigger.Fire(_triggerFrames);
                }

                v->High = high;
                gate[frame] = TriggerPulse.Gate(high);
                trigger[frame] = v->Trigger.Next();
                pitch[frame] = v->Played ? v->Pitch.Next() + v->Bend.Next() + transpose : 0f;
                velocity[frame] = v->Velocity;
                pressure[frame] = v->Pressure.Next();
                timbre[frame] = v->Timbre.Next();
            }
        }

        for (var frame = from; frame < to; frame++)
        {
            context.Out(ControllerA)[frame] = _a.Next();
            context.Out(ControllerB)[frame] = _b.Next();
            context.Out(Clock)[frame] = _clock.Next();
            context.Out(Run)[frame] = TriggerPulse.Gate(_running);
            context.Out(Start)[frame] = _start.Next();
        }
    }

    private void Take(in ModuleEvent e, in ProcessContext context, int segment)
    {
        if (e.Kind is EventKind.Clock or EventKind.Start or EventKind.Continue or EventKind.Stop)
        {
            Transport(e.Kind, in context, segment);
            return;
        }

        // What is no number must not stay in a controller.
        if (!float.IsFinite(e.Value)) return;
        var wanted = (int)(context.Param(Channel, segment) + 0.5f);
        if (!_mpe && wanted != 0 && e.Channel != wanted - 1) return;

        // Without MPE all channels that are heard are one.
        var channel = _mpe ? e.Channel & (Channels - 1) : 0;
        var smooth = Frames(in context, Smooth, segment);
        switch (e.Kind)
        {
            case EventKind.NoteOn when e.Index is >= 0 and < Keys && e.Value > 0f:
                NoteOn(e.Index, channel, Math.Min(e.Value, 1f), in context, segment);
                break;
            case EventKind.NoteOn or EventKind.NoteOff when e.Index is >= 0 and < Keys:
                NoteOff(e.Index, channel, in context, segment);
                break;
            case EventKind.Controller:
                Controller(e.Index, channel, Math.Min(Math.Max(e.Value, 0f), 1f), in context, segment);
                break;
            case EventKind.PitchBend:
                _channels[channel].Bend = Math.Min(Math.Max(e.Value, -1f), 1f);
                Express(in context, segment, smooth);
                break;
            case EventKind.Pressure:
                _channels[channel].Pressure = Math.Min(Math.Max(e.Value, 0f), 1f);
                Express(in context, segment, smooth);
                break;
            case EventKind.KeyPressure:
                for (var i = 0; i < _voiceCount; i++)
                {
                    if (_voices[i].Key == e.Index && _voices[i].Channel == channel)
                        _voices[i].KeyPressure = Math.Min(Math.Max(e.Value, 0f), 1f);
                }

                Express(in context, segment, smooth);
                break;
            default:
                break;
        }
    }

    private void Transport(EventKind kind, in ProcessContext context, int segment)
    {
        if (kind == EventKind.Clock)
        {
            // Who sends a clock and never starts it means it to run.
            _running |= !_transport;
            if (!_running) return;
            var length =
                (int)(context.Param(Division, segment) + 0.5f) switch { 0 => 1, 1 => 3, 2 => 6, 3 => 12, 4 => 24, 5 => 48, _ => 96 };
            if (_ticks >= length) _ticks = 0;
            if (_ticks == 0) _clock.Fire(_triggerFrames);
            _ticks++;
            return;
        }

        _transport = true;
        _running = kind != EventKind.Stop;
        if (kind != EventKind.Start) return;
        _ticks = 0;
        _start.Fire(_triggerFrames);
    }

    private void Controller(int number, int channel, float value, in ProcessContext context, int segment)
    {
        var smooth = Frames(in context, Smooth, segment);
        if (number == (int)(context.Param(NumberA, segment) + 0.5f)) _a.GoTo(10f * value, smooth);
        if (number == (int)(context.Param(NumberB, segment) + 0.5f)) _b.GoTo(10f * value, smooth);
        switch (number)
        {
            case Pedal when value >= 0.5f:
                _pedals |= 1 << channel;
                break;
            case Pedal:
                _pedals &= ~(1 << channel);
                PedalUp(channel, in context, segment);
                break;
            case Brightness:
                _channels[channel].Timbre = value;
                Express(in context, segment, smooth);
                break;
            case ResetControllers:
                _channels[channel] = default;
                _pedals &= ~(1 << channel);
                PedalUp(channel, in context, segment);
                Express(in context, segment, smooth);
                break;
            case AllSoundOff or AllNotesOff:
                for (var i = 0; i < _voiceCount; i++)
                {
                    if (_voices[i].Channel == channel || channel == 0) _voices[i].Held = _voices[i].Sustained = false;
                }

                for (var key = 0; key < Keys; key++) _keys[key] = default;
                break;
            default:
                break;
        }
    }

    private readonly bool IsPedalDown(int channel) => (_pedals >> channel & 1) != 0 || (_pedals & 1) != 0;

    private void PedalUp(int channel, in ProcessContext context, int segment)
    {
        for (var key = 0; key < Keys; key++)
        {
            if (_keys[key].Sustained) _keys[key] = default;
        }

        if (IsMono)
        {
            FallBack(in context, segment);
            return;
        }

        for (var i = 0; i < _voiceCount; i++)
        {
            if (_voices[i].Channel == channel || channel == 0) _voices[i].Sustained &= IsPedalDown(_voices[i].Channel);
        }
    }

    private readonly bool IsMono => _voiceCount == 1 && !_mpe;

    private void NoteOn(int key, int channel, float velocity, in ProcessContext context, int segment)
    {
        if (!IsMono)
        {
            var voice = Choose(key, channel, (int)(context.Param(Allocation, segment) + 0.5f));
            _last = voice;
            Begin(_voices + voice, key, channel, velocity, true, in context, segment);
            return;
        }

        _keys[key] = new Key { Order = ++_order, Velocity = velocity };
        if (Pick((int)(context.Param(Priority, segment) + 0.5f)) != key) return;
        var again = !_voices->IsOpen || context.Param(Legato, segment) < 0.5f;
        Begin(_voices, key, channel, velocity, again, in context, segment);
    }

    private void NoteOff(int key, int channel, in ProcessContext context, int segment)
    {
        var pedal = IsPedalDown(channel);
        if (IsMono)
        {
            if (_keys[key].Order == 0) return;
            if (pedal) _keys[key].Sustained = true;
            else _keys[key] = default;
            FallBack(in context, segment);
            return;
        }

        for (var i = 0; i < _voiceCount; i++)
        {
            var v = _voices + i;
            if (!v->Held || v->Key != key || v->Channel != channel) continue;
            v->Held = false;
            v->Sustained = pedal;
        }
    }

    // A key went up: the single voice goes back to one that is still down, or ends.
    private void FallBack(in ProcessContext context, int segment)
    {
        var key = Pick((int)(context.Param(Priority, segment) + 0.5f));
        if (key < 0)
        {
            _voices->Held = _voices->Sustained = false;
            return;
        }

        if (key == _voices->Key && _voices->IsOpen) return;
        Begin(_voices, key, 0, _keys[key].Velocity, context.Param(Legato, segment) < 0.5f, in context, segment);
    }

    private readonly int Pick(int priority)
    {
        var best = -1;
        for (var key = 0; key < Keys; key++)
        {
            if (_keys[key].Order == 0) continue;
            if (best < 0 || (priority == High) || (priority != Low && _keys[key].Order > _keys[best].Order)) best = key;
        }

        return best;
    }

    private readonly int Choose(int key, int channel, int allocation)
    {
        // A key that still sounds is played again where it sounds.
        for (var i = 0; i < _voiceCount; i++)
        {
            if (_voices[i].IsOpen && _voices[i].Key == key && _voices[i].Channel == channel) return i;
        }

        var free = -1;
        for (var n = 1; n <= _voiceCount; n++)
        {
            var i = allocation == Rotate ? _last + n : n - 1;
            if (i >= _voiceCount) i -= _voiceCount;
            var v = _voices + i;
            if (v->IsOpen) continue;
            if (allocation != Reuse) return i;
            if (v->Key == key) return i;
            if (free < 0 || v->Order < _voices[free].Order) free = i;
        }

        if (free >= 0) return free;
        var stolen = 0;
        for (var i = 1; i < _voiceCount; i++)
        {
            var a = _voices + i;
            var b = _voices + stolen;
            if (a->Held != b->Held ? b->Held : a->Order < b->Order) stolen = i;
        }

        return stolen;
    }

    private void Begin(Voice* v, int key, int channel, float velocity, bool again, in ProcessContext context, int segment)
    {
        var overlaps = false;
        for (var i = 0; i < _voiceCount; i++) overlaps |= _voices[i].Held;
        var glide = v->Played && (overlaps || context.Param(GlideWhen, segment) < 0.5f) ? Frames(in context, Glide, segment) : 0;
        v->Pitch.GoTo((key - MiddleC) * (1f / 12f), glide);
        v->Key = key;
        v->Channel = channel;
        v->Held = true;
        v->Sustained = false;
        v->Order = ++_order;
        v->KeyPressure = 0f;
        v->Played = true;
        if (!again)
        {
            // The pressure on the key before is not this one's.
            Express(v, in context, segment, Frames(in context, Smooth, segment));
            return;
        }

        v->Velocity = 10f * velocity;
        v->Dips = v->High;
        v->Starts = true;
        Express(v, in context, segment, 0);
    }

    private void Express(in ProcessContext context, int segment, long frames)
    {
        for (var i = 0; i < _voiceCount; i++) Express(_voices + i, in context, segment, frames);
    }

    // What channel and key say of a voice, to be there in so many frames.
    private readonly void Express(Voice* v, in ProcessContext context, int segment, long frames)
    {
        var own = _channels + v->Channel;
        var all = _channels;
        var bend = all->Bend * context.Param(Bend, segment);
        if (v->Channel != 0) bend += own->Bend * MemberBend;
        Move(ref v->Bend, bend * (1f / 12f), frames);
        Move(ref v->Pressure, 10f * Math.Max(Math.Max(own->Pressure, all->Pressure), v->KeyPressure), frames);
        Move(ref v->Timbre, 10f * own->Timbre, frames);
    }

    // What is on its way already keeps its time of arrival.
    private static void Move(ref LinearGlide glide, float target, long frames)
    {
        if (frames == 0 || glide.Target != target) glide.GoTo(target, frames);
    }

    private static long Frames(in ProcessContext context, int parameter, int segment)
    {
        var seconds = context.Param(parameter, segment);
        return seconds <= NoGlide ? 0 : (long)((seconds * (double)context.SampleRate) + 0.5);
    }
}
