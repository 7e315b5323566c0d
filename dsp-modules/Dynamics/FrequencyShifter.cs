// Frequency shifter: moves every partial by the same number of hertz, up and down.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Single-sideband modulation by the phasing method (Bode and Moog, A High-Accuracy Frequency Shifter for Professional Audio Applications,
/// JAES 1972): a <see cref="HilbertPair"/> times cosine and sine of the shift; their difference is the sound moved up, their sum moved
/// down. The other sideband is at least 60 dB down from 40 Hz to 20 kHz. Shifts go through zero. Feedback takes the upper output back a frame
/// later, without DC (a high-pass at 20 Hz) and bent beyond 10 V so that it stays bounded.
/// </summary>
public unsafe struct FrequencyShifter : IModule<FrequencyShifter>
{
    private const int In = 0, CvIn = 1;
    private const int Up = 0, Down = 1;
    private const int Shift = 0, Fine = 1, Amount = 2, Feedback = 3;
    private const int Groups = Limits.MaxChannels / 4;
    private const float BlockerHertz = 20f;

    private Voices* _groups;
    private ulong _due;
    private float _blocker;
    private bool _running;

    private struct Voices
    {
        public HilbertPair Pair;
        public PhaseLanes Phase;
        public OnePoleLanes Blocker;
        public Vector128<float> Back;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "frequency-shifter",
        Name = "Frequency Shifter",
        Family = "Dynamics",
        Text = "Moves every partial by the same number of hertz, up at one output and down at the other.",
        Help = """
            A pitch shifter multiplies frequencies and keeps a sound's harmonies; a frequency shifter adds to them and takes these
            apart. 100, 200 and 300 Hz moved up by 30 Hz become 130, 230 and 330 Hz: no longer a harmonic sound, but a clang. The
            two outputs move by the same amount in opposite directions. Moved below zero, a partial comes back upwards.

            A few hertz or less is quite another effect: mixed with the dry sound it makes a phaser that only ever rises, or falls,
            and never arrives; Up to the left and Down to the right make a slowly turning stereo. Feedback sends what was moved
            through again, so that each partial becomes a ladder of partials.

            - Try a drum loop with a shift of 60 Hz, then of -60 Hz.
            - Try a chord with a shift of 0, a fine shift of 0.3 Hz and feedback at 0.7, mixed with the dry chord.
            - Patch an envelope into Shift CV with an amount of 100 Hz per volt for struck, falling bells; an audio oscillator there
            makes it stranger.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be moved."),
            new PortDescriptor("shift", "Shift CV", "Moves the shift by its amount, through zero; may be audio."),
        ],
        Outputs =
        [
            new PortDescriptor("up", "Up", "Moved up by the shift."),
            new PortDescriptor("down", "Down", "Moved down by the shift."),
        ],
        Parameters =
        [
            new ParameterDescriptor("shift", "Shift", "Hz", -2000f, 2000f, 50f, ParameterCurve.Linear, "By how much; below 0 up and down change places."),
            new ParameterDescriptor("fine", "Fine", "Hz", -5f, 5f, 0f, ParameterCurve.Linear, "Added to it: for slow phasing."),
            new ParameterDescriptor("amount", "Shift amount", "Hz", -500f, 500f, 100f, ParameterCurve.Linear,
                "How far the shift CV moves it, in hertz per volt."),
            new ParameterDescriptor("feedback", "Feedback", "", 0f, 0.9f, 0f, ParameterCurve.Linear, "How much of Up goes through again."),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voices>(Groups);

    public static void Construct(ref FrequencyShifter self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._groups = memory.Take<Voices>(Groups);
        self._blocker = OnePole.Coefficient(BlockerHertz, setup.SampleRate);

        // How long feedback rings depends on what is in it.
        timing.TailFrames = -1;
    }

    public static void Reset(ref FrequencyShifter self)
    {
        Block.Zero(self._groups, Groups);
        self._running = false;
    }

    public static ProcessResult Process(ref FrequencyShifter self, in ProcessContext context)
    {
        // Asleep its oscillators went on, at the shift it has now (a knob that moves wakes it).
        var missed = self._running ? (uint)(context.Time - self._due) : 0u;
        self._running = true;
        self._due = context.Time + (ulong)context.Frames;
        for (var group = 0; missed != 0 && group < Groups; group++)
            self._groups[group].Phase.Advance(
                Vector128.Create((context.Param(Shift) + context.Param(Fine)) / context.SampleRate), missed);

        var channels = context.Outputs[Up].Channels;
        var asleep = context.Inputs[In].Silent;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            for (var first = 0; first < channels; first += 4)
                asleep &= Segment(self._groups + (first / 4), self._blocker, in context, segment, first, channels);
        }

        for (var voice = 0; asleep && voice < channels; voice++)
            asleep = Block.IsZero(context.Out(Up, voice), context.Frames) && Block.IsZero(context.Out(Down, voice), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static bool Segment(Voices* group, float blocker, in ProcessContext context, int segment, int first, int channels)
    {
        var shift = new GridRamp(
            context.Param(Shift, segment) + context.Param(Fine, segment), context.Param(Shift, segment + 1) + context.Param(Fine, segment + 1));
        var amount = new GridRamp(in context, Amount, segment);
        var feedback = new GridRamp(in context, Feedback, segment);
        var frames = stackalloc Vector128<float>[Limits.Grid];
        var shifts = stackalloc Vector128<float>[Limits.Grid];
        var at = segment * Limits.Grid;
        VoiceLanes.Load(in context, In, first, channels, at, frames);
        VoiceLanes.Load(in context, CvIn, first, channels, at, shifts);
        var silent = VoiceLanes.Silent(frames);
        var cut = Vector128.Create(blocker);
        for (var i = 0; i < Limits.Grid; i++)
        {
            var back = group->Back * Vector128.Create(feedback.At(i));
            group->Pair.Next(frames[i] + back, i, out var cosine, out var sine);
            var turns = group->Phase.Turns;
            var c = FastMath.SinTurns(turns + Vector128.Create(0.25f));
            var s = FastMath.SinTurns(turns);
            group->Phase.Advance((Vector128.Create(shift.At(i)) + (shifts[i] * Vector128.Create(amount.At(i)))) / Vector128.Create(context.SampleRate));
            var (a, b) = (cosine * c, sine * s);
            var up = a - b;
            frames[i] = up;
            shifts[i] = a + b;
            group->Back = SoftLimit.Bend(up - group->Blocker.LowPass(up, cut));
        }

        VoiceLanes.Store(in context, Up, first, channels, at, frames);
        VoiceLanes.Store(in context, Down, first, channels, at, shifts);

        var peak = Vector128.MaxNative(group->Blocker.Peak(), Vector128.Abs(group->Back));
        var quiet = silent & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        if (!group->Pair.Settle(quiet)) return false;
        group->Blocker.Clear(quiet);
        group->Back = Vector128.AndNot(group->Back, quiet);
        return true;
    }
}
