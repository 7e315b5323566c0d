// Mute: the smallest module there is, and the second of this library: one library holds as many as you like.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace Example;

/// <summary>Lets a sound through, or not.</summary>
public unsafe struct Mute : IModule<Mute>
{
    private const int In = 0, Out = 0, Level = 0;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "example-mute",
        Name = "Mute",
        Family = "Utility",
        Text = "A volume knob that goes down to nothing.",
        Help = """
            One knob between a sound and everything behind it. At 1 the sound passes as it is, at 0 nothing does, and in between it is softer; the
            knob can be turned as fast as you like without a click.

            Try it before a mixer, to bring a voice in and out by hand while the rest plays on; or before an echo, which then rings out by itself.
            """.ReplaceLineEndings("\n").Trim(),
        Inputs = [new PortDescriptor("in", "In", "Any voltage.")],
        Outputs = [new PortDescriptor("out", "Out", "The same, times the level.")],
        Parameters = [new ParameterDescriptor("level", "Level", "", 0f, 1f, 1f, ParameterCurve.Linear, "How much of it passes.")],
    };

    public static void Construct(ref Mute self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        // Nothing to keep: it has neither a tail nor a latency.
    }

    public static void Reset(ref Mute self)
    {
        // Nothing to forget.
    }

    public static ProcessResult Process(ref Mute self, in ProcessContext context)
    {
        var channels = context.Outputs[Out].Channels;
        if (context.Inputs[In].Silent)
        {
            for (var v = 0; v < channels; v++) NativeMemory.Clear(context.Out(Out, v), (nuint)context.Frames * sizeof(float));
            return ProcessResult.Sleep;
        }

        for (var segment = 0; segment < context.Segments; segment++)
        {
            var (at, level) = (segment * Limits.Grid, context.Param(Level, segment));
            var step = (context.Param(Level, segment + 1) - level) / Limits.Grid;
            for (var v = 0; v < channels; v++)
            {
                var from = context.In(In, v) + at;
                var to = context.Out(Out, v) + at;
                for (var i = 0; i < Limits.Grid; i++) to[i] = from[i] * (level + (step * i));
            }
        }

        return ProcessResult.Continue;
    }
}
