// Noise: hiss and rumble in six colours.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// White noise within +-5 V (the sum of four uniform numbers, nearly Gaussian, 1.44 V RMS) and five colours of it, all equally strong
/// (see <see cref="NoiseColour"/> and <see cref="GreyNoise"/>). Each channel is a noise of its own; the
/// instance's seed makes a render repeat.
/// </summary>
public unsafe struct Noise : IModule<Noise>
{
    private const int White = 0, Pink = 1, Red = 2, Blue = 3, Violet = 4, Grey = 5, Colours = 6;
    private const int Level = 0;
    private const int ChannelsSetting = 0;

    private Voice* _voices;
    private NoiseColour _colour;
    private GreyNoise _grey;
    private ulong _seed;
    private int _channels;

    private struct Voice
    {
        public NoiseColour.State Colour;
        public GreyNoise.State Grey;
        public Xorshift Random;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "noise",
        Name = "Noise",
        Family = "Sources",
        Text = "Noise in six colours, from rumble to hiss: wind, drums, random voltages.",
        Help = """
            Chance as a sound. Each output is the same noise in another colour, all of them equally strong: white has as much in every
            hertz, pink as much in every octave, which is what the ear calls even; red (or brown) rumbles, blue and violet hiss. Grey is
            even by the ear's own curve: as the ear hardly hears the lowest, it is made of them for the most part.

            It has no inputs: it plays as soon as it is patched. Channels makes one cable carry up to sixteen noises that have nothing in
            common, a different one for each voice of a chord.

            - White through an envelope of a few milliseconds is the start of every drum; through a resonant filter it is wind.
            - Pink is the one for testing speakers and for breath under a flute.
            - Red moves slowly enough to steer something: patched into a pitch, a filter or a pan, it wanders.
            - White into a sample and hold gives random steps.

            Try first: Pink into a band-pass with a slow LFO on its cutoff, for surf; then Red into the pitch of a VCO with little amount.
            """,
        Outputs =
        [
            new PortDescriptor("white", "White", "Hiss: all frequencies alike.", ChannelRule.Setting, ChannelsSetting),
            new PortDescriptor("pink", "Pink", "Waterfall: 3 dB less each octave, all octaves alike.", ChannelRule.Setting,
                ChannelsSetting),
            new PortDescriptor("red", "Red", "Rumble: 6 dB less each octave; also a slow random voltage.", ChannelRule.Setting,
                ChannelsSetting),
            new PortDescriptor("blue", "Blue", "Bright hiss: 3 dB more each octave.", ChannelRule.Setting, ChannelsSetting),
            new PortDescriptor("violet", "Violet", "The brightest: 6 dB more each octave.", ChannelRule.Setting, ChannelsSetting),
            new PortDescriptor("grey", "Grey", "Equally loud to the ear at every pitch, from 30 Hz to 20 kHz.", ChannelRule.Setting,
                ChannelsSetting),
        ],
        Parameters =
        [
            new ParameterDescriptor("level", "Level", "V", 0f, 10f, 5f, ParameterCurve.Linear, "The largest voltage of the white noise."),
        ],
        Settings =
        [
            new SettingDescriptor("channels", "Channels", 1, Limits.MaxChannels, 1,
                "Independent noises, one in each channel of the cable."),
        ],
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voice>(setup.Settings[ChannelsSetting]);

    public static void Construct(ref Noise self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._channels = setup.Settings[ChannelsSetting];
        self._voices = memory.Take<Voice>(self._channels);
        self._seed = setup.Seed;
        self._colour = new NoiseColour(setup.SampleRate);
        self._grey = new GreyNoise(setup.SampleRate);
        timing.TailFrames = -1;
        if (!memory.Overdrawn) Reset(ref self);
    }

    public static void Reset(ref Noise self)
    {
        var seeds = new Xorshift(self._seed);
        for (var i = 0; i < self._channels; i++) self._voices[i] = new Voice { Random = new Xorshift(seeds.Next()) };
    }

    public static ProcessResult Process(ref Noise self, in ProcessContext context)
    {
        // Colours nobody listens to cost nothing; white is what the others are made of.
        var coloured = false;
        for (var output = Pink; output < Grey; output++) coloured |= context.Outputs[output].Connected;

        for (var channel = 0; channel < self._channels; channel++)
        {
            var voice = self._voices + channel;
            var white = context.Out(White, channel);
            var pink = context.Out(Pink, channel);
            var red = context.Out(Red, channel);
            var blue = context.Out(Blue, channel);
            var violet = context.Out(Violet, channel);
            for (var i = 0; i < context.Frames; i++)
            {
                white[i] = Gauss(ref voice->Random);
                if (coloured) self._colour.Next(ref voice->Colour, white[i], out pink[i], out red[i], out blue[i], out violet[i]);
            }

            if (context.Outputs[Grey].Connected)
            {
                var grey = context.Out(Grey, channel);
                for (var i = 0; i < context.Frames; i++) grey[i] = self._grey.Next(ref voice->Grey, white[i]);
            }

            for (var output = 0; output < Colours; output++)
            {
                if (!context.Outputs[output].Connected)
                {
                    context.LeaveUnwritten(output);
                    continue;
                }

                var target = context.Out(output, channel);
                for (var segment = 0; segment < context.Segments; segment++)
                {
                    var at = target + (segment * Limits.Grid);
                    Block.ScaleSegment(at, at, new GridRamp(in context, Level, segment));
                }
            }
        }

        return ProcessResult.Continue;
    }

    // Four uniform numbers of 16 bits each, -1..1 in all: standard deviation 1 / sqrt(12).
    private static float Gauss(ref Xorshift random)
    {
        var bits = random.Next();
        var sum = (int)(bits & 0xFFFF) + (int)((bits >> 16) & 0xFFFF) + (int)((bits >> 32) & 0xFFFF) + (int)(bits >> 48);
        return (sum - 131_070) * (1f / 131_070f);
    }
}
