// VCO: the band-limited oscillator as a module.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Four waveforms of +-5 V at once, 1 V/oct. Sync resets the phase where its input rises through 1 V, between two samples.
/// FM is exponential (octaves per volt) or linear through zero (5 V moves the frequency by that many times itself).
/// The output lags by 16 frames; corners are band-limited (see <see cref="BlepTable"/>).
/// </summary>
public unsafe struct Vco : IModule<Vco>
{
    private const int PitchIn = 0, FmIn = 1, SyncIn = 2, WidthIn = 3;
    private const int PitchParam = 0, Fine = 1, Fm = 2, FmMode = 3, Width = 4, WidthAmount = 5;
    private const int WaveCount = 4;
    private const float Volts = 5f;

    private Voice* _voices;
    private float* _buffers;
    private float* _table;

    private struct Voice
    {
        public Oscillator Oscillator;
        public SyncInput Sync;
        public HeldPitch Pitch;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "vco",
        Name = "VCO",
        Family = "Sources",
        Text = "A tone: sine, triangle, saw and pulse at the pitch a voltage says.",
        Help = """
            The oscillator that most patches begin with. Four waves of one pitch leave it at the same time, so a triangle can go to one
            filter while the pulse of the same note goes to another. Pitch follows 1 V an octave and is exact to a tenth of a cent over ten
            octaves; nothing is heard of the digital clock, however high it plays.

            Placed alone it sounds middle C. Pitch and Fine tune it, and what comes in at Pitch is added to them. A cable with several
            channels gives as many voices.

            - FM, linear: the pitch stays while the sound grows bright and metallic; above an amount of 1 it runs backwards through zero.
            - FM, exponential: a vibrato; at audio rate bells and noise, out of tune.
            - Sync starts the wave again with each cycle of another oscillator: sweep Pitch, and the colour tears while the pitch stays.
            - PWM moves the width of the pulse; a slow triangle makes one oscillator sound like two.

            Try first: Saw into a filter, an envelope on the cutoff. Then patch the sine of a second VCO into FM, tune it an octave and a
            fifth higher, and turn FM amount.
            """,
        Inputs =
        [
            new PortDescriptor("pitch", "Pitch", "1 V an octave; 0 V is middle C."),
            new PortDescriptor("fm", "FM", "Moves the frequency, up to audio rate."),
            new PortDescriptor("sync", "Sync", "Starts the wave again each time it rises through 1 V."),
            new PortDescriptor("pwm", "PWM", "Moves the pulse width."),
        ],
        Outputs =
        [
            new PortDescriptor("sine", "Sine", "Only the fundamental."),
            new PortDescriptor("triangle", "Triangle", "Soft, hollow."),
            new PortDescriptor("saw", "Saw", "Bright, all harmonics."),
            new PortDescriptor("pulse", "Pulse", "Hollow to nasal, by width."),
        ],
        Parameters =
        [
            new ParameterDescriptor("pitch", "Pitch", "V/oct", -5f, 5f, 0f, ParameterCurve.Linear, "The note, added to the pitch input."),
            new ParameterDescriptor("fine", "Fine", "cent", -100f, 100f, 0f, ParameterCurve.Linear, "Fine tuning, a semitone either way."),
            new ParameterDescriptor("fm", "FM amount", "", 0f, 4f, 0f, ParameterCurve.Linear,
                "Exponential: octaves per volt. Linear: multiples of the frequency per 5 V; above 1 it runs through zero."),
            new ParameterDescriptor("fm_mode", "FM mode", "", 0f, 1f, 1f, ParameterCurve.Stepped, "How the FM input moves the frequency.",
                "exponential", "linear"),
            new ParameterDescriptor("width", "Pulse width", "", 0.01f, 0.99f, 0.5f, ParameterCurve.Linear,
                "Part of the wave in which the pulse is high."),
            new ParameterDescriptor("pwm", "PWM amount", "", -1f, 1f, 0.5f, ParameterCurve.Linear,
                "How far 10 V at the PWM input moves the width."),
        ],
    };

    public static long SharedBytes(float sampleRate) => BlepTable.Bytes;

    public static void BuildShared(void* shared, float sampleRate) => BlepTable.Build((float*)shared);

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Voice>(Limits.MaxChannels);
        need.Need<float>(Limits.MaxChannels * Oscillator.BufferFloats);
    }

    public static void Construct(ref Vco self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        self._buffers = memory.Take<float>(Limits.MaxChannels * Oscillator.BufferFloats);
        self._table = (float*)setup.Shared;
        timing.LatencyFrames = BlepTable.Latency;
        timing.TailFrames = -1;
    }

    public static void Reset(ref Vco self)
    {
        for (var i = 0; i < Limits.MaxChannels; i++)
        {
            self._voices[i] = default;
            self._voices[i].Oscillator.Reset(self._buffers + (i * Oscillator.BufferFloats));
        }
    }

    [SkipLocalsInit]
    public static ProcessResult Process(ref Vco self, in ProcessContext context)
    {
        var channels = 1;
        var waves = Waves.None;
        for (var wave = 0; wave < WaveCount; wave++)
        {
            channels = Math.Max(channels, context.Outputs[wave].Channels);
            if (context.Outputs[wave].Connected) waves |= (Waves)(1 << wave);
            else context.LeaveUnwritten(wave);
        }

        // Where nothing moves but the phase and, voice by voice, the pitch, a voice is worked out for the whole quantum.
        var still = StandsStill(in context, waves);
        var tuning = ModulatedPitch.Tuning(context.Param(PitchParam), context.Param(Fine));
        var unheard = stackalloc float[Limits.MaxQuantum];
        var targets = stackalloc float*[WaveCount];
        for (var channel = 0; channel < channels; channel++)
        {
            for (var wanted = (uint)waves; wanted != 0; wanted &= wanted - 1)
            {
                var wave = BitOperations.TrailingZeroCount(wanted);
                targets[wave] = channel < context.Outputs[wave].Channels ? context.Out(wave, channel) : unheard;
            }

            var voice = self._voices + channel;
            var buffer = self._buffers + (channel * Oscillator.BufferFloats);
            if (still
                && voice->Pitch.TryTurns(context.In(PitchIn, channel), context.Frames, tuning, context.SampleRate, out var turns)
                && voice->Oscillator.TryRenderStill(buffer, self._table, turns, context.Param(Width), waves, context.Segments, targets, Volts)) continue;
            for (var segment = 0; segment < context.Segments; segment++) Move(ref self, in context, segment, channel, waves, targets);
        }

        return ProcessResult.Continue;
    }

    // Frame by frame, where that is needed.
    private static void Move(ref Vco self, in ProcessContext context, int segment, int channel, Waves waves, float** targets)
    {
        var at = segment * Limits.Grid;
        var voice = self._voices + channel;
        var buffer = self._buffers + (channel * Oscillator.BufferFloats);
        OscillatorInput input;
        Frequencies(&input, in context, segment, channel);
        Widths(&input, in context, segment, channel, waves);
        Syncs(&input, voice, in context, at, channel);
        voice->Oscillator.Render(buffer, self._table, in input, waves);
        for (var wanted = (uint)waves; wanted != 0; wanted &= wanted - 1)
        {
            var wave = BitOperations.TrailingZeroCount(wanted);
            voice->Oscillator.Take(buffer, wave, targets[wave] + at, Volts);
        }
    }

    private static bool StandsStill(in ProcessContext context, Waves waves)
    {
        if (GridRamp.Moves(in context, PitchParam) || GridRamp.Moves(in context, Fine)) return false;
        if (!context.Inputs[FmIn].Silent || context.Inputs[SyncIn].Connected) return false;
        return (waves & Waves.Pulse) == 0 || (context.Inputs[WidthIn].Silent && !GridRamp.Moves(in context, Width));
    }

    private static void Frequencies(OscillatorInput* input, in ProcessContext context, int segment, int channel)
    {
        var at = segment * Limits.Grid;
        ModulatedPitch.Turns(
            input->Increment, context.In(PitchIn, channel) + at, context.In(FmIn, channel) + at,
            new GridRamp(in context, PitchParam, segment), new GridRamp(in context, Fine, segment), new GridRamp(in context, Fm, segment),
            context.Param(FmMode, segment) >= 0.5f, context.SampleRate);
    }

    private static void Widths(OscillatorInput* input, in ProcessContext context, int segment, int channel, Waves waves)
    {
        if ((waves & Waves.Pulse) == 0)
        {
            // Nobody hears it, but it tells where the pulse would be when somebody does.
            var last = context.Param(Width, segment + 1);
            for (var i = 0; i < Limits.Grid; i += 4) Vector128.Create(last).Store(input->Width + i);
            return;
        }

        var width = new GridRamp(in context, Width, segment);
        var amount = new GridRamp(in context, WidthAmount, segment);
        var cv = context.In(WidthIn, channel) + (segment * Limits.Grid);
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var w = width.Four(i) + (Vector128.Load(cv + i) * amount.Four(i) * Vector128.Create(0.1f));
            w = Vector128.MinNative(Vector128.MaxNative(w, Vector128.Create(0.01f)), Vector128.Create(0.99f));
            w.Store(input->Width + i);
        }
    }

    private static void Syncs(OscillatorInput* input, Voice* voice, in ProcessContext context, int at, int channel)
    {
        for (var i = 0; i < Limits.Grid; i += 4) Vector128.Create(-1f).Store(input->Sync + i);
        if (!context.Inputs[SyncIn].Connected) return;
        var sync = context.In(SyncIn, channel) + at;
        for (var i = 0; i < Limits.Grid; i++) input->Sync[i] = voice->Sync.Next(sync[i]);
    }
}
