// Attenuverter: four times amount and offset, or four voltages by hand.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>Row r: out = in * amount + offset, voice by voice; an unpatched input leaves the offset.</summary>
public unsafe struct Attenuverter : IModule<Attenuverter>
{
    private const int Rows = 4;

    public static ModuleDescriptor Describe()
    {
        var inputs = new PortDescriptor[Rows];
        var outputs = new PortDescriptor[Rows];
        var parameters = new ParameterDescriptor[2 * Rows];
        for (var row = 0; row < Rows; row++)
        {
            var n = row + 1;
            inputs[row] = new PortDescriptor($"in{n}", $"In {n}", "Sound or voltage; unpatched only the offset comes out.");
            outputs[row] = new PortDescriptor($"out{n}", $"Out {n}", "The input by the amount, plus the offset.");
            parameters[2 * row] = new ParameterDescriptor($"amount{n}", $"Amount {n}", "", -2f, 2f, 1f, ParameterCurve.Linear,
                "1 passes, 0 stops, below 0 turns upside down.");
            parameters[(2 * row) + 1] = new ParameterDescriptor($"offset{n}", $"Offset {n}", "V", -10f, 10f, 0f, ParameterCurve.Linear,
                "Voltage that is added.");
        }

        return new ModuleDescriptor
        {
            Id = "attenuverter",
            Name = "Attenuverter",
            Family = "Utility",
            Text = "Makes voltages smaller, larger or upside down and moves them; unpatched, four voltages by hand.",
            Help = """
                Four rows, each with an amount and an offset: the input times the amount, plus the offset, comes out. An amount of 1
                passes a voltage as it is, 0 stops it, below 0 turns it upside down, 2 doubles it. With nothing patched in, a row gives
                its offset: four voltages by hand.

                It is what stands between a source of movement and the thing that moves: an LFO of 5 V is too much for most pitches and
                hardly enough for a filter. Wide cables pass voice by voice.

                - An envelope with amount -1 and offset 10 V closes what it used to open.
                - Amount 0.5 and offset 5 V turn a wave around 0 V into one between 2.5 and 7.5 V.

                Try: an LFO into In 1 with an amount of 0.02, Out 1 into the pitch of an oscillator: a vibrato.
                """,
            Inputs = inputs,
            Outputs = outputs,
            Parameters = parameters,
        };
    }

    public static void Construct(ref Attenuverter self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
    }

    public static void Reset(ref Attenuverter self)
    {
    }

    public static ProcessResult Process(ref Attenuverter self, in ProcessContext context)
    {
        var asleep = true;
        for (var row = 0; row < Rows; row++)
        {
            var silent = context.Inputs[row].Silent;
            asleep &= silent && context.Param((2 * row) + 1, context.Segments) == 0f;
            for (var voice = 0; voice < context.Outputs[row].Channels; voice++)
            {
                var source = context.In(row, voice);
                var target = context.Out(row, voice);
                for (var segment = 0; segment < context.Segments; segment++)
                {
                    var amount = new GridRamp(in context, 2 * row, segment);
                    var offset = new GridRamp(in context, (2 * row) + 1, segment);
                    var at = segment * Limits.Grid;
                    for (var i = 0; i < Limits.Grid; i += 4)
                        ((Vector128.Load(source + at + i) * amount.Four(i)) + offset.Four(i)).Store(target + at + i);
                }

                asleep &= Block.IsZero(target, context.Frames);
            }
        }

        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }
}
