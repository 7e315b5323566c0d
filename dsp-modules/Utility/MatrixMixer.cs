// Matrix Mixer: four inputs to four outputs, sixteen levels, all at once.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>Output c = sum over r of level(r, c) * in r, voice by voice, summed in that order; levels ramp from grid point to grid
/// point.</summary>
public unsafe struct MatrixMixer : IModule<MatrixMixer>
{
    private const int Size = 4;

    public static ModuleDescriptor Describe()
    {
        var inputs = new PortDescriptor[Size];
        var outputs = new PortDescriptor[Size];
        var parameters = new ParameterDescriptor[Size * Size];
        for (var row = 0; row < Size; row++)
        {
            var n = row + 1;
            inputs[row] = new PortDescriptor($"in{n}", $"In {n}", "Sound or voltage.");
            outputs[row] = new PortDescriptor($"out{n}", $"Out {n}", "The sum of all inputs by this column's levels.");
            for (var column = 0; column < Size; column++)
                parameters[(row * Size) + column] = new ParameterDescriptor($"level{n}_{column + 1}", $"{n} to {column + 1}", "", -1f, 1f,
                    row == column ? 1f : 0f, ParameterCurve.Linear,
                        $"How much of input {n} is in output {column + 1}; below 0 upside down.");
        }

        return new ModuleDescriptor
        {
            Id = "matrix-mixer",
            Name = "Matrix Mixer",
            Family = "Utility",
            Text = "Mixes four sounds or voltages into four outputs, each with its own level in each.",
            Help = """
                Four mixers that share their inputs: each of the sixteen levels says how much of one input is in one output. Below 0 it
                is turned upside down, so that what is in two outputs with opposite signs cancels where they meet again. As placed, each
                input goes straight to the output of its number.

                It is made for sound and voltages alike, and for wide cables, whose voices stay apart. Four envelopes into four
                destinations, each getting its own blend, is what it does best.

                - As four sends: a voice into an input, effects at the outputs.
                - As feedback: the output of a delay back into an input, a little of it at a time.

                Try: two slow waves and two envelopes into the inputs, the cutoffs of two filters, a fold and a pan at the outputs,
                and move the levels with controllers.
                """,
            Inputs = inputs,
            Outputs = outputs,
            Parameters = parameters,
        };
    }

    public static void Construct(ref MatrixMixer self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
    }

    public static void Reset(ref MatrixMixer self)
    {
    }

    public static ProcessResult Process(ref MatrixMixer self, in ProcessContext context)
    {
        var silent = true;
        for (var row = 0; row < Size; row++) silent &= context.Inputs[row].Silent;
        for (var column = 0; column < Size; column++)
        {
            for (var voice = 0; voice < context.Outputs[column].Channels; voice++)
            {
                var target = context.Out(column, voice);
                Block.Clear(target, context.Frames);
                for (var row = 0; row < Size && !silent; row++) AddRow(in context, row, (row * Size) + column, voice, target);
            }
        }

        return silent ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static void AddRow(in ProcessContext context, int row, int level, int voice, float* target)
    {
        // Most of a matrix is empty most of the time.
        if (context.Inputs[row].Silent) return;
        if (context.Param(level) == 0f && (context.Moving >> level & 1) == 0) return;
        var source = context.In(row, voice);
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var at = segment * Limits.Grid;
            Block.AddScaledSegment(target + at, source + at, new GridRamp(in context, level, segment));
        }
    }
}
