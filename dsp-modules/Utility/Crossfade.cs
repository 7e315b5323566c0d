// Crossfade: from one sound to another, straight or equally loud.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// With p from 0 (A) to 1 (B): linear, A (1 - p) + B p, whose levels add up to 1, right for voltages and for sounds that are alike; equal
/// power, A cos(p pi / 2) + B sin(p pi / 2), whose squares do, right for sounds that are not. Other is the same with the two exchanged.
/// </summary>
public unsafe struct Crossfade : IModule<Crossfade>
{
    private const int AIn = 0, BIn = 1, FadeIn = 2;
    private const int Out = 0, Other = 1;
    private const int Fade = 0, Amount = 1, Law = 2;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "crossfade",
        Name = "Crossfade",
        Family = "Utility",
        Text = "Fades from one sound or voltage to another, by hand or by a voltage.",
        Help = """
            Two inputs, one place between them: at 0 only A is heard, at 1 only B, in between both. Other gives the opposite mix, so
            that what leaves one side arrives at the other: with a single sound at A it is a pan or a send between two places.

            Two laws are there. "Linear" keeps the sum of both levels at 1: for voltages, and for two versions of one sound, such
            as dry and filtered. "Equal power" keeps the loudness of two sounds that have nothing in common.

            - CV amount says how far the voltage moves it: at 1, 10 V go all the way.
            - Wide cables fade voice by voice, each by its own voltage if there are as many.

            Try: a slow triangle from 0 to 10 V into Fade CV with Fade at 0, two oscillators at A and B, and Other into a
            second channel.
            """,
        Inputs =
        [
            new PortDescriptor("a", "A", "What is heard at 0."),
            new PortDescriptor("b", "B", "What is heard at 1."),
            new PortDescriptor("fade", "Fade CV", "Moves the place: 10 V is all the way, at an amount of 1."),
        ],
        Outputs =
        [
            new PortDescriptor("out", "Out", "The mix of the two."),
            new PortDescriptor("other", "Other", "The mix with the two exchanged."),
        ],
        Parameters =
        [
            new ParameterDescriptor("fade", "Fade", "", 0f, 1f, 0.5f, ParameterCurve.Linear, "0 is A, 1 is B."),
            new ParameterDescriptor("amount", "CV amount", "", -1f, 1f, 1f, ParameterCurve.Linear, "How far the CV moves it."),
            new ParameterDescriptor("law", "Law", "", 0f, 1f, 1f, ParameterCurve.Stepped,
                "Levels that add up to 1, or loudness that stays.", "linear", "equal power"),
        ],
    };

    public static void Construct(ref Crossfade self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
    }

    public static void Reset(ref Crossfade self)
    {
    }

    public static ProcessResult Process(ref Crossfade self, in ProcessContext context)
    {
        var silent = context.Inputs[AIn].Silent && context.Inputs[BIn].Silent;
        for (var voice = 0; voice < context.Outputs[Out].Channels; voice++)
        {
            for (var segment = 0; segment < context.Segments; segment++) Segment(in context, segment, voice);
        }

        return silent ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static void Segment(in ProcessContext context, int segment, int voice)
    {
        var at = segment * Limits.Grid;
        var a = context.In(AIn, voice) + at;
        var b = context.In(BIn, voice) + at;
        var cv = context.In(FadeIn, voice) + at;
        var target = context.Out(Out, voice) + at;
        var other = context.Out(Other, voice) + at;
        var fade = new GridRamp(in context, Fade, segment);
        var amount = new GridRamp(in context, Amount, segment);
        var power = context.Param(Law, segment) >= 0.5f;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var p = fade.Four(i) + (Vector128.Load(cv + i) * amount.Four(i) * Vector128.Create(0.1f));
            p = Vector128.MinNative(Vector128.MaxNative(p, Vector128<float>.Zero), Vector128<float>.One);
            var (gainA, gainB) = (Vector128<float>.One - p, p);
            if (power)
            {
                // The whole way is a quarter turn.
                gainA = FastMath.SinTurns(gainA * Vector128.Create(0.25f));
                gainB = FastMath.SinTurns(gainB * Vector128.Create(0.25f));
            }

            var (x, y) = (Vector128.Load(a + i), Vector128.Load(b + i));
            ((x * gainA) + (y * gainB)).Store(target + i);
            ((x * gainB) + (y * gainA)).Store(other + i);
        }
    }
}
