// Voltage: a constant, set by hand.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>Out = volts, ramped from grid point to grid point when the knob moves.</summary>
public unsafe struct Voltage : IModule<Voltage>
{
    private const int Volts = 0;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "voltage",
        Name = "Voltage",
        Family = "Utility",
        Text = "A steady voltage: an offset, a held pitch, or a known level to measure with.",
        Help = """
            One knob, one voltage, as long as it is there. Patched into a pitch it is a note (1 V an octave, 0 V is middle C), into
            a level it opens it, into a mixer it moves the others.

            It moves without steps when the knob is turned, so it can be played: as a hand on a filter, or recorded by a CV
            Recorder. It is as exact as a number can be, which makes it a known level to measure and calibrate with.

            Try: 0.5833 V, seven twelfths, into the pitch of a second oscillator: a fifth above the first.
            """,
        Outputs = [new PortDescriptor("out", "Out", "The voltage.", ChannelRule.Fixed)],
        Parameters = [new ParameterDescriptor("volts", "Volts", "V", -10f, 10f, 0f, ParameterCurve.Linear, "How many volts.")],
    };

    public static void Construct(ref Voltage self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) =>
        timing.TailFrames = -1; // it never falls silent by itself

    public static void Reset(ref Voltage self)
    {
    }

    public static ProcessResult Process(ref Voltage self, in ProcessContext context)
    {
        var target = context.Out(0);
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var ramp = new GridRamp(in context, Volts, segment);
            var at = target + (segment * Limits.Grid);
            for (var i = 0; i < Limits.Grid; i++) at[i] = ramp.At(i);
        }

        return ProcessResult.Continue;
    }
}
