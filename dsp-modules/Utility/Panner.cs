// Panner: places sounds between left and right, equally loud everywhere.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Equal power: with p from -1 (left) to 1 (right), left is cos and right is sin of (p + 1) pi / 4: -3 dB each in the middle, and the
/// sum of the squares is that of the input at any place. The voices of a wide cable are spread evenly over Spread around Pan, the
/// first at the left, and summed.
/// </summary>
public unsafe struct Panner : IModule<Panner>
{
    private const int In = 0, PanIn = 1;
    private const int Left = 0, Right = 1;
    private const int Pan = 0, Amount = 1, Spread = 2, Level = 3;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "panner",
        Name = "Stereo Panner",
        Family = "Utility",
        Text = "Places a sound between left and right, or spreads the voices of a chord over the room.",
        Help = """
            Places a sound between left and right. It is equally loud everywhere: in the middle each side gets 3 dB less. A voltage
            at Pan CV moves it, 5 V all the way to one side.

            A wide cable is spread: Spread sets how far apart its first and last voice are, around the place of Pan, and each voice
            has its own. A chord of four voices becomes a wide one with a single knob; a pan voltage with as many voices moves each
            by itself.

            - The meters show the peaks of both sides.

            Try: a polyphonic voice into In with Spread at 0.7, and a slow LFO into Pan CV with a small CV amount.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound; each voice of it gets a place.", ChannelRule.Fixed, Limits.MaxChannels),
            new PortDescriptor("pan", "Pan CV", "-5 V is left, 5 V is right.", ChannelRule.Fixed, Limits.MaxChannels),
        ],
        Outputs =
        [
            new PortDescriptor("left", "Left", "What is heard left.", ChannelRule.Fixed),
            new PortDescriptor("right", "Right", "What is heard right.", ChannelRule.Fixed),
        ],
        Parameters =
        [
            new ParameterDescriptor("pan", "Pan", "", -1f, 1f, 0f, ParameterCurve.Linear, "-1 is left, 0 the middle, 1 right."),
            new ParameterDescriptor("amount", "CV amount", "", -1f, 1f, 1f, ParameterCurve.Linear, "How far the CV moves it."),
            new ParameterDescriptor("spread", "Spread", "", 0f, 1f, 1f, ParameterCurve.Linear,
                "How far apart the first and the last voice are; 1 is from side to side."),
            new ParameterDescriptor("level", "Level", "", 0f, 2f, 1f, ParameterCurve.Linear, "Volume; 1 is unchanged."),
        ],
        Telemetry = [new TelemetryDescriptor("peaks", TelemetryKind.Meter, 2, "V", "The peaks of both sides.")],
    };

    public static void Construct(ref Panner self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
    }

    public static void Reset(ref Panner self)
    {
    }

    public static ProcessResult Process(ref Panner self, in ProcessContext context)
    {
        var silent = context.Inputs[In].Silent;
        if (silent)
        {
            Block.Clear(context.Out(Left), context.Frames);
            Block.Clear(context.Out(Right), context.Frames);
        }
        else if (context.Inputs[PanIn].Silent && !(GridRamp.Moves(in context, Pan) || GridRamp.Moves(in context, Spread) || GridRamp.Moves(in context, Level)))
        {
            Stand(in context);
        }
        else
        {
            Move(in context);
        }

        for (var side = Left; side <= Right; side++)
            context.Telemetry[side] = context.Outputs[side].Connected ? Block.Peak(context.Out(side), context.Frames) : 0f;
        return silent ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // Most voices stay where they are: their places are worked out once a quantum, all of them.
    [SkipLocalsInit]
    private static void Stand(in ProcessContext context)
    {
        var voices = context.Inputs[In].Channels;
        var gains = stackalloc float[2 * Limits.MaxChannels];
        var (pan, spread, level) = (Vector128.Create(context.Param(Pan)), Vector128.Create(context.Param(Spread)), Vector128.Create(context.Param(Level)));
        for (var voice = 0; voice < voices; voice += 4)
        {
            var places = Vector128.Create(PlaceOf(voice, voices), PlaceOf(voice + 1, voices), PlaceOf(voice + 2, voices), PlaceOf(voice + 3, voices));
            var (left, right) = Gains(pan + (spread * places));
            (left * level).Store(gains + voice);
            (right * level).Store(gains + Limits.MaxChannels + voice);
        }

        Sum(in context, Left, gains);
        Sum(in context, Right, gains + Limits.MaxChannels);
    }

    // One side: sixteen frames of all voices in four registers.
    private static void Sum(in ProcessContext context, int side, float* gains)
    {
        var target = context.Out(side);
        if (!context.Outputs[side].Connected)
        {
            context.LeaveUnwritten(side);
            return;
        }

        var (voices, stride) = (context.Inputs[In].Channels, (nint)context.Inputs[In].Stride);
        for (var at = 0; at < context.Frames; at += Limits.Grid)
        {
            var source = context.In(In) + at;
            Vector128<float> a = default, b = default, c = default, d = default;
            for (var voice = 0; voice < voices; voice++, source += stride)
            {
                var gain = Vector128.Create(gains[voice]);
                a += Vector128.Load(source) * gain;
                b += Vector128.Load(source + 4) * gain;
                c += Vector128.Load(source + 8) * gain;
                d += Vector128.Load(source + 12) * gain;
            }

            a.Store(target + at);
            b.Store(target + at + 4);
            c.Store(target + at + 8);
            d.Store(target + at + 12);
        }
    }

    private static void Move(in ProcessContext context)
    {
        var left = context.Out(Left);
        var right = context.Out(Right);
        Block.Clear(left, context.Frames);
        Block.Clear(right, context.Frames);
        var voices = context.Inputs[In].Channels;
        for (var voice = 0; voice < voices; voice++)
        {
            var source = context.In(In, voice);
            var cv = context.In(PanIn, voice);
            var place = Vector128.Create(PlaceOf(voice, voices));
            for (var segment = 0; segment < context.Segments; segment++)
            {
                var pan = new GridRamp(in context, Pan, segment);
                var amount = new GridRamp(in context, Amount, segment);
                var spread = new GridRamp(in context, Spread, segment);
                var level = new GridRamp(in context, Level, segment);
                var at = segment * Limits.Grid;
                for (var i = at; i < at + Limits.Grid; i += 4)
                {
                    var moved = Vector128.Load(cv + i) * amount.Four(i - at) * Vector128.Create(0.2f);
                    var (toLeft, toRight) = Gains(pan.Four(i - at) + (spread.Four(i - at) * place) + moved);
                    var x = Vector128.Load(source + i) * level.Four(i - at);
                    (Vector128.Load(left + i) + (x * toLeft)).Store(left + i);
                    (Vector128.Load(right + i) + (x * toRight)).Store(right + i);
                }
            }
        }
    }

    // -1 for the first voice, 1 for the last, 0 for a single one.
    private static float PlaceOf(int voice, int voices) => voices > 1 ? (2f * voice / (voices - 1)) - 1f : 0f;

    // Of a place between -1 and 1: a quarter turn from side to side is an eighth of a turn each way.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<float> Left, Vector128<float> Right) Gains(Vector128<float> place)
    {
        place = Vector128.MinNative(Vector128.MaxNative(place, Vector128.Create(-1f)), Vector128<float>.One);
        var turns = (place + Vector128<float>.One) * Vector128.Create(0.125f);
        return (FastMath.SinTurns(Vector128.Create(0.25f) - turns), FastMath.SinTurns(turns));
    }
}
