// Audio In: the device's input jacks as outputs of a module.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>Copies eight jacks, scaled.</summary>
public unsafe struct AudioIn : IModule<AudioIn>
{
    private const int Jacks = 8;
    private const int Level = 0;

    public static ModuleDescriptor Describe()
    {
        var inputs = new PortDescriptor[Jacks];
        var outputs = new PortDescriptor[Jacks];
        for (var i = 0; i < Jacks; i++)
        {
            inputs[i] = new PortDescriptor($"jack{i + 1}", $"Jack {i + 1}", "An input jack of the device.", ChannelRule.Fixed, 1,
                PortKind.Device);
            outputs[i] = new PortDescriptor($"out{i + 1}", $"Out {i + 1}", "What comes in at the jack.", ChannelRule.Fixed);
        }

        return new ModuleDescriptor
        {
            Id = "audio-in",
            Name = "Audio In",
            Family = "Utility",
            Text = "Brings the sound and voltages at the input jacks into the patch.",
            Help = """
                What comes in at eight input jacks of the device, as outputs that can be patched: an instrument, a microphone, the
                voltages of a modular. Everything is in volts: what comes in with 5 V goes on with 5 V, and steady voltages pass as they
                are where the device's inputs do.

                Level scales all eight. The setting First jack skips jacks: with 8, a second module of this kind brings in jacks 9 to 16. A
                jack the device does not have is silent.

                Try: Out 1 into an envelope follower and into a filter, and let the sound open its own filter.
                """,
            Inputs = inputs,
            Outputs = outputs,
            Parameters = [new ParameterDescriptor("level", "Level", "", 0f, 2f, 1f, ParameterCurve.Linear,
                "How much of the jacks comes in; 1 is unchanged.")],
            Settings = [new SettingDescriptor("first", "First jack", 0, Limits.MaxJacks - Jacks, 0,
                "Number of jacks to skip before the first one used.")],
        };
    }

    public static void Construct(ref AudioIn self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
    }

    public static void Reset(ref AudioIn self)
    {
    }

    public static ProcessResult Process(ref AudioIn self, in ProcessContext context)
    {
        var silent = true;
        for (var jack = 0; jack < Jacks; jack++)
        {
            if (context.Inputs[jack].Silent)
            {
                Block.Clear(context.Out(jack), context.Frames);
                continue;
            }

            silent = false;
            for (var segment = 0; segment < context.Segments; segment++)
            {
                var at = segment * Limits.Grid;
                Block.ScaleSegment(context.Out(jack) + at, context.In(jack) + at, new GridRamp(in context, Level, segment));
            }
        }

        return silent ? ProcessResult.Sleep : ProcessResult.Continue;
    }
}
