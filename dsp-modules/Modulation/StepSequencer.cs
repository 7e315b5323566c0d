// Step Sequencer: four tracks of thirty-two steps, each step with its own note, length, chance, repeats and slide.
using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// All tracks hear one <see cref="StepClock"/>, each goes on at every n-th step of it (Every). Repeats divide the time of a step, as long as
/// the one before it was (or as the tempo says), evenly: repeat k begins at the first frame not before k / n of it.
/// A custom event edits a step: Index = step + 32 * track + 128 * field, all counted from 0, with Value by field:
/// 0 on (0 or 1, negative turns over), 1 note in V, 2 length 0..1 (1 ties), 3 chance 0..1, 4 repeats 1..8, 5 slide (as on), 6 velocity 0..1.
/// Saved state, version 1: of each step of each track note (float32), length, chance (bytes, of 255), switches (bit 0 on, bit 1 slide, bits
/// 2..4 repeats less 1), velocity (byte, of 255); then stopped (byte) and three zeros.
/// </summary>
public unsafe struct StepSequencer : IModule<StepSequencer>
{
    private const int Tracks = 4, Steps = 32;
    private const int ClockIn = 0, ResetIn = 1, TransposeIn = 2;
    private const int Gate = 1, Velocity = 2, OutputsPerTrack = 3, First = Tracks * OutputsPerTrack;
    private const int Direction = 1, Every = 2, Transpose = 3, PerTrack = 4, Slide = Tracks * PerTrack, Tempo = Slide + 1;
    private const int StepBytes = 8, Saved = (Tracks * Steps * StepBytes) + 4;
    private const int MostRepeats = 8;
    private const byte Tie = 255;
    private const float MostVolts = 10f;

    // Part of a repeat its gate is open at most: repeats that ran into each other would be one.
    private const double LongestRepeat = 0.9;

    private Step* _steps;
    private Track* _tracks;
    private StepClock _clock;
    private SchmittTrigger _reset;
    private TriggerPulse _first;
    private Xorshift _random;
    private ulong _seed;
    private int _triggerFrames;

    private struct Step
    {
        public float Pitch;
        public byte Length, Chance, Repeats, Velocity;
        public bool On, Slides;
    }

    private struct Track
    {
        public LinearGlide Pitch;
        public double Frames, Part;
        public long Since;
        public float Velocity;
        public int Step, Ticks, Repeats;
        public bool Sounds, Tied, Back, High, Dips;
    }

    public static ModuleDescriptor Describe()
    {
        var outputs = new PortDescriptor[First + 1];
        var parameters = new ParameterDescriptor[Tempo + 1];
        for (var track = 0; track < Tracks; track++)
        {
            var n = track + 1;
            var output = track * OutputsPerTrack;
            outputs[output] = new PortDescriptor($"pitch{n}", $"Pitch {n}", "The note, 1 V an octave.", ChannelRule.Fixed);
            outputs[output + Gate] = new PortDescriptor($"gate{n}", $"Gate {n}", "10 V while a note lasts.", ChannelRule.Fixed);
            outputs[output + Velocity] = new PortDescriptor($"velocity{n}", $"Velocity {n}", "How hard the note is played, 0 to 10 V.",
                ChannelRule.Fixed);
            var first = track * PerTrack;
            parameters[first] = new ParameterDescriptor($"length{n}", $"Length {n}", "", 1f, Steps, 16f, ParameterCurve.Stepped,
                "Steps of this track.");
            parameters[first + Direction] = new ParameterDescriptor($"direction{n}", $"Direction {n}", "", 0f, 4f, 0f,
                ParameterCurve.Stepped, "The way through the steps.", "forward", "backward", "to and fro", "random", "walk");
            parameters[first + Every] = new ParameterDescriptor($"every{n}", $"Every {n}", "", 1f, 16f, 1f, ParameterCurve.Stepped,
                "Ticks of the clock to a step of this track.");
            parameters[first + Transpose] = new ParameterDescriptor($"transpose{n}", $"Transpose {n}", "semitones", -24f, 24f, 0f,
                ParameterCurve.Stepped, "Moves all notes of this track.");
        }

        outputs[First] = new PortDescriptor("first", "First", "A trigger at the first step of track 1.", ChannelRule.Fixed);
        parameters[Slide] = new ParameterDescriptor("slide", "Slide", "s", 0.005f, 2f, 0.06f, ParameterCurve.Exponential,
            "Time of a slide from note to note.");
        parameters[Tempo] = new ParameterDescriptor("tempo", "Tempo", "BPM", 20f, 300f, 120f, ParameterCurve.Exponential,
            "Speed without a clock, four steps a beat.");
        return new ModuleDescriptor
        {
            Id = "step-sequencer",
            Name = "Step Sequencer",
            Family = "Modulation",
            Text = "Four tracks of up to 32 steps, each with its own note, length, chance, repeats, slide and velocity.",
            Help = """
                Four tracks hear one clock. Each has a length, a direction and a divider of its own, so that a bass line of 16 steps, a
                melody of 7 that comes back every 7 and a drum in three can run side by side; Reset brings all of them to their first
                step. The steps are saved with the patch, a pattern for a start is there.

                A step is on or off, and has a note, a length (full length ties it to the next), a chance to be played at all,
                up to eight repeats within its time, a slide, and a velocity. Steps are edited by events: index = step + 32 x track
                + 128 x field, all from 0. The fields are:

                - 0 on (0 or 1; negative turns over), 1 note in volts, 2 length 0 to 1, 3 chance 0 to 1
                - 4 repeats 1 to 8, 5 slide (0 or 1), 6 velocity 0 to 1

                Without a clock it keeps to a MIDI clock once one is heard, or else to its own tempo; MIDI start, stop and continue
                do what they say. "To and fro" does not repeat the ends, "walk" goes one step either way or stays.

                Try: Pitch 1 into an oscillator, Gate 1 into an ADSR and Velocity 1 into its velocity. Then set Length 1 to 7 and
                Direction 2 to "walk".
                """,
            Inputs =
            [
                new PortDescriptor("clock", "Clock", "Each rise is a tick.", ChannelRule.Fixed),
                new PortDescriptor("reset", "Reset", "After a rise the next tick plays the first step of all tracks.", ChannelRule.Fixed),
                new PortDescriptor("transpose", "Transpose CV", "Moves the notes of all tracks, 1 V an octave.", ChannelRule.Fixed),
            ],
            Outputs = outputs,
            Parameters = parameters,
            Telemetry = [new TelemetryDescriptor("steps", TelemetryKind.Step, Tracks, "", "The step of each track.")],
            StateBytes = Saved,
            AcceptsEvents = true,
        };
    }

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Step>(Tracks * Steps);
        need.Need<Track>(Tracks);
    }

    public static void Construct(ref StepSequencer self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._steps = memory.Take<Step>(Tracks * Steps);
        self._tracks = memory.Take<Track>(Tracks);
        self._triggerFrames = TriggerPulse.Frames(setup.SampleRate);
        self._seed = setup.Seed;
        timing.TailFrames = -1;
        if (!memory.Overdrawn) Reset(ref self);
    }

    public static void Reset(ref StepSequencer self)
    {
        var kept = self;
        self = default;
        self._steps = kept._steps;
        self._tracks = kept._tracks;
        self._seed = kept._seed;
        self._triggerFrames = kept._triggerFrames;
        self._random = new Xorshift(kept._seed);
        Block.Zero(kept._tracks, Tracks);
        self._clock.Rewind();
        self.Rewind();
        for (var track = 0; track < Tracks; track++)
        {
            var rhythm = EuclideanRhythm.Pattern(track switch { 0 => 9, 1 => 5, 2 => 4, _ => 7 }, 16);
            for (var step = 0; step < Steps; step++)
            {
                kept._steps[(track * Steps) + step] = new Step
                {
                    Pitch = Semitones(track, step & 7) / 12f,
                    On = (rhythm >> (step & 15) & 1) != 0,
                    Length = 128,
                    Chance = 255,
                    Repeats = 1,
                    Velocity = (step & 3) == 0 ? (byte)230 : (byte)160,
                };
            }
        }
    }

    public static int SaveState(ref StepSequencer self, Span<byte> state)
    {
        for (var i = 0; i < Tracks * Steps; i++)
        {
            var step = self._steps + i;
            var at = state.Slice(i * StepBytes, StepBytes);
            BinaryPrimitives.WriteSingleLittleEndian(at, step->Pitch);
            at[4] = step->Length;
            at[5] = step->Chance;
            at[6] = (byte)((step->On ? 1 : 0) | (step->Slides ? 2 : 0) | ((step->Repeats - 1) << 2));
            at[7] = step->Velocity;
        }

        var end = state.Slice(Saved - 4, 4);
        end.Clear();
        end[0] = self._clock.Stopped ? (byte)1 : (byte)0;
        return Saved;
    }

    public static bool LoadState(ref StepSequencer self, uint version, ReadOnlySpan<byte> state)
    {
        if (state.IsEmpty) return true;
        if (version != 1 || state.Length != Saved) return false;
        var end = state.Slice(Saved - 4, 4);
        if (end[0] > 1 || end[1] != 0 || end[2] != 0 || end[3] != 0) return false;
        for (var i = 0; i < Tracks * Steps; i++)
        {
            var at = state.Slice(i * StepBytes, StepBytes);
            if (!(Math.Abs(BinaryPrimitives.ReadSingleLittleEndian(at)) <= MostVolts) || at[6] >= 1 << 5) return false;
        }

        for (var i = 0; i < Tracks * Steps; i++)
        {
            var at = state.Slice(i * StepBytes, StepBytes);
            self._steps[i] = new Step
            {
                Pitch = BinaryPrimitives.ReadSingleLittleEndian(at),
                Length = at[4],
                Chance = at[5],
                On = (at[6] & 1) != 0,
                Slides = (at[6] & 2) != 0,
                Repeats = (byte)((at[6] >> 2) + 1),
                Velocity = at[7],
            };
        }

        self._clock.Stopped = end[0] == 1;
        return true;
    }

    public static ProcessResult Process(ref StepSequencer self, in ProcessContext context)
    {
        var cursor = 0;
        var next = context.NextEvent(ref cursor);
        var patched = context.Inputs[ClockIn].Connected;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var framesPerStep = context.SampleRate * 15.0 / context.Param(Tempo, segment);

            // From one thing that happens to the next all is straight lines.
            var from = segment * Limits.Grid;
            var end = from + Limits.Grid;
            for (var frame = from; frame < end; frame++)
            {
                while (next != null && (int)next->Frame <= frame)
                {
                    self.Render(in context, segment, ref from, frame);
                    self.Take(in *next, patched);
                    next = context.NextEvent(ref cursor);
                }

                if (self._reset.Rises(context.In(ResetIn)[frame]))
                {
                    self.Render(in context, segment, ref from, frame);
                    self._clock.Rewind();
                    self.Rewind();
                }

                if (!self._clock.Next(context.In(ClockIn)[frame], patched, framesPerStep)) continue;
                self.Render(in context, segment, ref from, frame);
                self.Tick(in context, segment);
            }

            self.Render(in context, segment, ref from, end);
        }

        for (var track = 0; track < Tracks; track++) context.Telemetry[track] = Math.Max(self._tracks[track].Step, 0);
        return ProcessResult.Continue;
    }

    private void Take(in ModuleEvent e, bool patched)
    {
        if (e.Kind == EventKind.Custom)
        {
            if (e.Index >= 0) Edit(_steps + (e.Index & ((Tracks * Steps) - 1)), e.Index / (Tracks * Steps), e.Value);
            return;
        }

        if (_clock.Take(in e, patched)) Rewind();
        if (!_clock.Stopped) return;
        for (var track = 0; track < Tracks; track++) _tracks[track].Sounds = false;
    }

    private static void Edit(Step* step, int field, float value)
    {
        if (!float.IsFinite(value)) return;
        var part = (byte)((Math.Min(Math.Max(value, 0f), 1f) * 255f) + 0.5f);
        switch (field)
        {
            case 0:
                step->On = value < 0f ? !step->On : value >= 0.5f;
                break;
            case 1:
                step->Pitch = Math.Min(Math.Max(value, -MostVolts), MostVolts);
                break;
            case 2:
                step->Length = part;
                break;
            case 3:
                step->Chance = part;
                break;
            case 4:
                step->Repeats = (byte)(Math.Min(Math.Max(value, 1f), MostRepeats) + 0.5f);
                break;
            case 5:
                step->Slides = value < 0f ? !step->Slides : value >= 0.5f;
                break;
            case 6:
                step->Velocity = part;
                break;
            default:
                break;
        }
    }

    private readonly void Rewind()
    {
        for (var track = 0; track < Tracks; track++)
        {
            _tracks[track].Step = -1;
            _tracks[track].Ticks = 0;
            _tracks[track].Back = false;
        }
    }

    private void Tick(in ProcessContext context, int segment)
    {
        for (var track = 0; track < Tracks; track++)
        {
            var t = _tracks + track;
            var every = (int)(context.Param((track * PerTrack) + Every, segment) + 0.5f);
            if (t->Ticks > 0)
            {
                t->Ticks = t->Ticks + 1 < every ? t->Ticks + 1 : 0;
                continue;
            }

            t->Ticks = every > 1 ? 1 : 0;
            var length = (int)(context.Param(track * PerTrack, segment) + 0.5f);
            t->Step = Next(t, length, (int)(context.Param((track * PerTrack) + Direction, segment) + 0.5f));
            if (track == 0 && t->Step == 0) _first.Fire(_triggerFrames);
            Play(t, _steps + (track * Steps) + t->Step, _clock.Period * every, (long)(context.Param(Slide, segment) * context.SampleRate));
        }
    }

    private void Play(Track* t, Step* step, double frames, long slide)
    {
        // Drawn for every step, so that a step switched on or off leaves the chances of the others as they were.
        var plays = _random.NextUnipolar() * 255f < step->Chance;
        t->Since = 0;
        t->Frames = Math.Max(frames, 1.0);
        var tied = t->Tied && t->Sounds;
        t->Sounds = step->On && plays;
        if (!t->Sounds) return;

        // A tick that comes early finds the gate open: it closes for a frame, else the note would be lost.
        t->Dips = t->High && !tied;
        t->Repeats = step->Repeats;
        t->Tied = step->Length == Tie && step->Repeats == 1;
        t->Part = step->Length * (1.0 / 255.0);
        if (step->Repeats > 1) t->Part = Math.Min(t->Part, LongestRepeat);
        t->Velocity = step->Velocity * (10f / 255f);
        if (step->Slides) t->Pitch.GoTo(step->Pitch, slide);
        else t->Pitch.Jump(step->Pitch);
    }

    // The step after this one. Before the first there is none: -1.
    private int Next(Track* t, int length, int direction)
    {
        var step = t->Step;
        if (step >= length) step = length - 1;
        switch (direction)
        {
            case 1:
                return step <= 0 ? length - 1 : step - 1;
            case 2:
                if (length == 1) return 0;
                if (step < 0) return 0;
                if (step == 0) t->Back = false;
                else if (step == length - 1) t->Back = true;
                return t->Back ? step - 1 : step + 1;
            case 3:
                return Math.Min((int)(_random.NextUnipolar() * length), length - 1);
            case 4:
                if (step < 0) return 0;
                step += (int)(_random.NextUnipolar() * 3f) - 1;
                return step < 0 ? length - 1 : step >= length ? 0 : step;
            default:
                return step + 1 < length ? step + 1 : 0;
        }
    }

    // Frames from..to - 1, in which nothing happens.
    private void Render(in ProcessContext context, int segment, ref int from, int to)
    {
        if (from == to) return;
        var cv = context.In(TransposeIn);
        for (var track = 0; track < Tracks; track++)
        {
            var t = _tracks + track;
            var output = track * OutputsPerTrack;
            var pitch = context.Out(output);
            var gate = context.Out(output + Gate);
            var velocity = context.Out(output + Velocity);
            var transpose = context.Param((track * PerTrack) + Transpose, segment) * (1f / 12f);
            if (t->Pitch.AtRest) AddTo(pitch, cv, t->Pitch.Target + transpose, from, to);
            else for (var frame = from; frame < to; frame++) pitch[frame] = t->Pitch.Next() + transpose + cv[frame];
            Fill(velocity, t->Velocity, from, to);
            if (t->Sounds && (!t->Tied || t->Dips))
            {
                Repeat(t, gate, from, to);
            }
            else
            {
                t->High = t->Sounds;
                t->Dips = false;
                Fill(gate, TriggerPulse.Gate(t->High), from, to);
            }

            t->Since += to - from;
        }

        var first = context.Out(First);
        if (_first.AtRest) Fill(first, 0f, from, to);
        else for (var frame = from; frame < to; frame++) first[frame] = _first.Next();
        from = to;
    }

    // Each frame by itself: a gate that opens and closes within the step.
    private static void Repeat(Track* t, float* gate, int from, int to)
    {
        var since = t->Since;
        for (var frame = from; frame < to; frame++, since++)
        {
            t->High = (t->Tied || IsOpen(t, since)) && !t->Dips;
            t->Dips = false;
            gate[frame] = TriggerPulse.Gate(t->High);
        }
    }

    private static void AddTo(float* target, float* source, float x, int from, int to)
    {
        for (; from + 4 <= to; from += 4) (Vector128.Load(source + from) + Vector128.Create(x)).Store(target + from);
        for (; from < to; from++) target[from] = source[from] + x;
    }

    private static void Fill(float* target, float x, int from, int to)
    {
        for (; from + 4 <= to; from += 4) Vector128.Create(x).Store(target + from);
        for (; from < to; from++) target[from] = x;
    }

    private static bool IsOpen(Track* t, long since)
    {
        var repeats = since * t->Repeats / t->Frames;
        var whole = Math.Floor(repeats);
        return whole < t->Repeats && (repeats - whole < t->Part || since <= 1);
    }

    // A riff in C minor and its bass, so that it plays when it is placed.
    private static int Semitones(int track, int step) => track switch
    {
        0 => step switch { 1 => 3, 2 => 7, 3 => 10, 4 => 12, 5 => 7, 6 => 5, 7 => -2, _ => 0 },
        1 => step < 4 ? -12 : step < 6 ? -16 : -14,
        _ => 0,
    };
}
