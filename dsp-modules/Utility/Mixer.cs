// Mixer: four inputs, four levels, one sum.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>Out = master * (level1 * in1 + ... + level4 * in4), voice by voice, summed in that order.</summary>
public unsafe struct Mixer : IModule<Mixer>
{
    private const int Channels = 4;
    private const int Master = Channels;

    public static ModuleDescriptor Describe()
    {
        var inputs = new PortDescriptor[Channels];
        var parameters = new ParameterDescriptor[Channels + 1];
        for (var i = 0; i < Channels; i++)
        {
            inputs[i] = new PortDescriptor($"in{i + 1}", $"In {i + 1}", "Sound or voltage to be mixed.");
            parameters[i] = new ParameterDescriptor($"level{i + 1}", $"Level {i + 1}", "", 0f, 1f, 1f, ParameterCurve.Linear,
                $"How much of input {i + 1} is in the mix.");
        }

        parameters[Master] = new ParameterDescriptor("master", "Master", "", 0f, 2f, 1f, ParameterCurve.Linear, "How loud the mix is.");
        return new ModuleDescriptor
        {
            Id = "mixer",
            Name = "Mixer",
            Family = "Utility",
            Text = "Adds up to four sounds or voltages, each with its own level.",
            Help = """
                Four inputs, four levels, one sum, and a master for all of it. It adds sounds for the ear and voltages for whatever they
                move: two LFOs and an envelope on one filter are a mixer before the filter's cutoff.

                Wide cables are mixed voice by voice: the first voice with the first, and so on, so that four oscillators of four voices
                stay four voices. All levels move without clicks.

                - Sounds of 5 V add up: with four of them, levels of a quarter keep the sum at 5 V.
                - To turn something upside down, use an attenuverter before it, or the Matrix Mixer.

                Try: two oscillators a few cents apart into In 1 and In 2, and a third one an octave below, softly, into In 3.
                """,
            Inputs = inputs,
            Outputs = [new PortDescriptor("out", "Out", "The sum.")],
            Parameters = parameters,
        };
    }

    public static void Construct(ref Mixer self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
    }

    public static void Reset(ref Mixer self)
    {
    }

    public static ProcessResult Process(ref Mixer self, in ProcessContext context)
    {
        var silent = true;
        for (var i = 0; i < Channels; i++) silent &= context.Inputs[i].Silent;

        for (var voice = 0; voice < context.Outputs[0].Channels; voice++)
        {
            var target = context.Out(0, voice);
            Block.Clear(target, context.Frames);
            for (var i = 0; i < Channels && !silent; i++)
            {
                if (context.Inputs[i].Silent) continue;
                var source = context.In(i, voice);
                for (var segment = 0; segment < context.Segments; segment++)
                {
                    var at = segment * Limits.Grid;
                    Block.AddScaledSegment(target + at, source + at, new GridRamp(in context, i, segment));
                }
            }

            for (var segment = 0; segment < context.Segments && !silent; segment++)
            {
                var at = target + (segment * Limits.Grid);
                Block.ScaleSegment(at, at, new GridRamp(in context, Master, segment));
            }
        }

        return silent ? ProcessResult.Sleep : ProcessResult.Continue;
    }
}
