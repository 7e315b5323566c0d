// Logic: what two gates say together.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Six functions of two gates, each read with the hysteresis of a gate (high from 1 V, low from 0.1 V), and a flip-flop that changes at
/// each rise of A and is set back at a rise of B.
/// </summary>
public unsafe struct Logic : IModule<Logic>
{
    private const int AIn = 0, BIn = 1;
    private const int And = 0, Or = 1, Xor = 2, Nand = 3, Nor = 4, Not = 5, Flip = 6, OutputCount = 7;
    private Voice* _voices;

    private struct Voice
    {
        public SchmittTrigger A, B;
        public bool Flipped;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "logic",
        Name = "Logic",
        Family = "Modulation",
        Text = "Combines two gates: both, either, only one, neither; new rhythms from old ones.",
        Help = """
            Seven gates out of two. AND is high while both are, OR while any is, XOR while exactly one is; NAND, NOR and NOT A are their
            opposites. Flip changes over each time A rises, which halves a clock, and a rise at B sets it back.

            A gate counts as high from 1 V and as low again from 0.1 V, so slow waves and even sounds can be used as gates.

            - AND with a slow gate lets a rhythm through only now and then.
            - XOR of two clocks at different ratios makes patterns that come round only after a while.
            - XOR of two sounds is a rough ring modulator.

            Try: two rows of a Euclid at A and B, AND to a clap and XOR to a hi-hat.
            """,
        Inputs =
        [
            new PortDescriptor("a", "A", "A gate."),
            new PortDescriptor("b", "B", "Another gate."),
        ],
        Outputs =
        [
            new PortDescriptor("and", "AND", "High while both are."),
            new PortDescriptor("or", "OR", "High while any is."),
            new PortDescriptor("xor", "XOR", "High while exactly one is."),
            new PortDescriptor("nand", "NAND", "High unless both are."),
            new PortDescriptor("nor", "NOR", "High while none is."),
            new PortDescriptor("not", "NOT A", "High while A is low."),
            new PortDescriptor("flip", "Flip", "Changes at each rise of A, low after a rise of B: halves a clock."),
        ],
        Telemetry = [new TelemetryDescriptor("gates", TelemetryKind.Meter, OutputCount, "V", "The seven gates.")],
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voice>(Limits.MaxChannels);

    public static void Construct(ref Logic self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        timing.TailFrames = -1;
    }

    public static void Reset(ref Logic self) => Block.Zero(self._voices, Limits.MaxChannels);

    public static ProcessResult Process(ref Logic self, in ProcessContext context)
    {
        for (var voice = 0; voice < context.Outputs[0].Channels; voice++)
        {
            var v = self._voices + voice;
            var a = context.In(AIn, voice);
            var b = context.In(BIn, voice);
            var and = context.Out(And, voice);
            var or = context.Out(Or, voice);
            var xor = context.Out(Xor, voice);
            var nand = context.Out(Nand, voice);
            var nor = context.Out(Nor, voice);
            var not = context.Out(Not, voice);
            var flip = context.Out(Flip, voice);
            for (var i = 0; i < context.Frames; i++)
            {
                v->Flipped ^= v->A.Rises(a[i]);
                v->Flipped &= !v->B.Rises(b[i]);
                var (x, y) = (v->A.IsHigh, v->B.IsHigh);
                and[i] = TriggerPulse.Gate(x && y);
                or[i] = TriggerPulse.Gate(x || y);
                xor[i] = TriggerPulse.Gate(x != y);
                nand[i] = TriggerPulse.Gate(!(x && y));
                nor[i] = TriggerPulse.Gate(!(x || y));
                not[i] = TriggerPulse.Gate(!x);
                flip[i] = TriggerPulse.Gate(v->Flipped);
            }
        }

        for (var output = 0; output < OutputCount; output++) context.Telemetry[output] = Block.Peak(context.Out(output), context.Frames);

        // Of a function and its opposite one is always high: it never falls silent.
        return ProcessResult.Continue;
    }
}
