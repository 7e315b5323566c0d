// Audio Out: what is patched here is heard.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>Eight inputs, scaled, to eight jacks, with a peak meter for each.</summary>
public unsafe struct AudioOut : IModule<AudioOut>
{
    private const int Jacks = 8;
    private const int Level = 0;

    public static ModuleDescriptor Describe()
    {
        var inputs = new PortDescriptor[Jacks];
        var outputs = new PortDescriptor[Jacks];
        for (var i = 0; i < Jacks; i++)
        {
            inputs[i] = new PortDescriptor($"in{i + 1}", $"In {i + 1}", "What goes out at the jack.", ChannelRule.Fixed);
            outputs[i] = new PortDescriptor($"jack{i + 1}", $"Jack {i + 1}", "An output jack of the device.", ChannelRule.Fixed, 1,
                PortKind.Device);
        }

        return new ModuleDescriptor
        {
            Id = "audio-out",
            Name = "Audio Out",
            Family = "Utility",
            Text = "Sends sound and voltages to the output jacks; patch something here to hear it.",
            Help = """
                The way out: what is patched here is heard. Each input goes to the output jack of its number, sounds and voltages alike,
                so a patch can play other machines as well as a loudspeaker. A cable of many voices is summed by a mixer or a panner
                before it.

                Level is the volume of all eight. The setting First jack skips jacks: with 8, a second module of this kind plays jacks 9
                to 16. Several modules may use one jack; they are added. The meters show the peak of each. Overload never switches this
                module off.

                Try: an oscillator into In 1 and In 2, with Level at 0.5 for the first time.
                """,
            Inputs = inputs,
            Outputs = outputs,
            Parameters = [new ParameterDescriptor("level", "Level", "", 0f, 2f, 1f, ParameterCurve.Linear,
                "Volume of all jacks of this module; 1 is unchanged.")],
            Settings = [new SettingDescriptor("first", "First jack", 0, Limits.MaxJacks - Jacks, 0,
                "Number of jacks to skip before the first one used.")],
            Telemetry = [new TelemetryDescriptor("peaks", TelemetryKind.Meter, Jacks, "V", "The peak at each jack.")],
            Sheddable = false,
        };
    }

    public static void Construct(ref AudioOut self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
    }

    public static void Reset(ref AudioOut self)
    {
    }

    public static ProcessResult Process(ref AudioOut self, in ProcessContext context)
    {
        var silent = true;
        for (var jack = 0; jack < Jacks; jack++)
        {
            var target = context.Out(jack);
            if (context.Inputs[jack].Silent)
            {
                Block.Clear(target, context.Frames);
                context.Telemetry[jack] = 0f;
                continue;
            }

            silent = false;
            for (var segment = 0; segment < context.Segments; segment++)
            {
                var at = segment * Limits.Grid;
                Block.ScaleSegment(target + at, context.In(jack) + at, new GridRamp(in context, Level, segment));
            }

            context.Telemetry[jack] = Block.Peak(target, context.Frames);
        }

        return silent ? ProcessResult.Sleep : ProcessResult.Continue;
    }
}
