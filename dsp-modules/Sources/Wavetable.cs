// Wavetable: an oscillator whose wave is a place in a row of waves.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Reads two neighbouring waves (see <see cref="WaveTable"/>) and mixes them by where Morph stands between them. Computed at twice the
/// rate: frequency and phase modulation and sync spread a sound beyond what its table holds, and what they put between 28 and 76 kHz (at
/// 48) is filtered out instead of folding back. The phase between two frames is the cubic through four of them.
/// Sync does not jump: the old wave and one that starts at phase 0 at the exact time are mixed by a band-limited step of ten frames, which
/// is what a band-limited jump is. Syncs that come closer than that cut each other short.
/// A loaded file is cut into cycles: of the length it names, else of 2048 frames, else of the largest power of two that its length is a
/// multiple of. Each is taken apart into harmonics and put together at every width of band by a job off the RT threads; until it is done
/// the built-in waves sound. A file of more waves than there is room for is thinned evenly.
/// </summary>
public unsafe struct Wavetable : IModule<Wavetable>
{
    private const int PitchIn = 0, FmIn = 1, PhaseIn = 2, SyncIn = 3, MorphIn = 4;
    private const int PitchParam = 0, Fine = 1, Bank = 2, Morph = 3, MorphAmount = 4, Fm = 5, FmMode = 6, PhaseAmount = 7;
    private const int Room = 0;
    private const int Build = 1;
    private const int Groups = Limits.MaxChannels / 4;
    private const float Volts = 5f;

    // Frames by which reading lags, so that a sync can begin before its time; histories hold them and the segment at hand.
    private const int Lag = 6, Kept = 8, First = Kept - Lag;

    // Segments after which a band is widened.
    private const int Widening = 150;

    // The band-limited step: five frames to either side, 512 positions a frame (errs by 100 dB less than it steps).
    private const int StepFrames = 5, StepSteps = 512, StepFloats = (2 * StepFrames * StepSteps) + 2;

    private nint _sample;
    private Voice* _voices;
    private HalfBand* _downs;
    private float* _tables;
    private double* _scratch;
    private float* _banks;
    private float* _kernel;
    private float* _step;
    private float _limit, _syncedLimit;
    private uint _serial;
    private int _room, _loaded;
    private bool _asked;

    private struct Voice
    {
        public fixed float Increments[Kept + Limits.Grid];
        public fixed float Phases[Kept + Limits.Grid];
        public fixed float Syncs[Kept + Limits.Grid];
        public int Level, Patience;
        public double Old, New;
        public float Since, Place;
        public SyncInput Sync;
        public bool Fades, Runs;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "wavetable",
        Name = "Wavetable",
        Family = "Sources",
        Text = "Morphs through rows of waves, built in or from a file; FM, phase modulation and sync.",
        Help = """
            One oscillator, many waves. Bank chooses a row of sixteen, Morph the place in it, and between two waves it blends; an envelope
            or an LFO at Morph CV makes the sound speak, open or shimmer while the note stands. Six rows are built in: the classic shapes, a
            pulse that narrows, a resonance that climbs, the vowels a e i o u, FM, and the drawbars of an organ.

            A WAV file of waves, as other wavetable synthesizers use them, takes the place of the bank: each cycle of 2048 frames, or of the
            length that the file names, is one wave. Any recording will do: it becomes as many waves as it has pieces.

            - FM, linear, runs through zero and keeps the pitch; exponential, it is a vibrato or a scream.
            - Phase moves the reading place without touching the pitch: patch a sine there for the sound of the first digital pianos.
            - Sync starts the wave again with another oscillator.
            - Pitch follows 1 V an octave; a cable with several channels gives as many voices.

            Try first: Bank at vowels, a slow triangle LFO at Morph CV, Morph amount full. Then FM from a VCO an octave and a fifth higher.
            """,
        Inputs =
        [
            new PortDescriptor("pitch", "Pitch", "1 V an octave; 0 V is middle C."),
            new PortDescriptor("fm", "FM", "Moves the frequency, up to audio rate."),
            new PortDescriptor("phase", "Phase", "Moves the reading place, up to audio rate."),
            new PortDescriptor("sync", "Sync", "Starts the wave again each time it rises through 1 V."),
            new PortDescriptor("morph", "Morph CV", "Moves the place in the row by the morph amount."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The wave.")],
        Parameters =
        [
            new ParameterDescriptor("pitch", "Pitch", "V/oct", -5f, 5f, 0f, ParameterCurve.Linear, "The note, added to the pitch input."),
            new ParameterDescriptor("fine", "Fine", "cent", -100f, 100f, 0f, ParameterCurve.Linear, "Fine tuning, a semitone either way."),
            new ParameterDescriptor("bank", "Bank", "", 0f, WaveBanks.Banks - 1, 0f, ParameterCurve.Stepped,
                "The row of waves; a loaded file takes its place.", "shapes", "pulse", "resonance", "vowels", "fm", "organ"),
            new ParameterDescriptor("morph", "Morph", "", 0f, 1f, 0.5f, ParameterCurve.Linear, "The place in the row."),
            new ParameterDescriptor("morph_amount", "Morph amount", "", -1f, 1f, 1f, ParameterCurve.Linear,
                "How far 10 V at the morph CV move it, as a part of the row."),
            new ParameterDescriptor("fm", "FM amount", "", 0f, 4f, 0f, ParameterCurve.Linear,
                "Exponential: octaves per volt. Linear: multiples of the frequency per 5 V; above 1 it runs through zero."),
            new ParameterDescriptor("fm_mode", "FM mode", "", 0f, 1f, 1f, ParameterCurve.Stepped, "How the FM input moves the frequency.",
                "exponential", "linear"),
            new ParameterDescriptor("phase", "Phase amount", "", 0f, 2f, 0.5f, ParameterCurve.Linear,
                "Turns that 5 V at the phase input move it."),
        ],
        Settings =
        [
            new SettingDescriptor("room", "Room", 1, 256, 64, "Waves that a file may bring; each takes 51 KB of memory."),
        ],
        Assets = [new AssetDescriptor("waves", "Waves", "A file of single cycles, one after the other.")],
    };

    public static long SharedBytes(float sampleRate) =>
        (WaveTable.ScratchDoubles * sizeof(double)) + ((WaveBanks.Floats + WaveTable.KernelFloats + StepFloats) * sizeof(float));

    public static void BuildShared(void* shared, float sampleRate)
    {
        var scratch = (double*)shared;
        var banks = (float*)(scratch + WaveTable.ScratchDoubles);
        WaveTable.Prepare(scratch);
        WaveBanks.Build(banks, scratch);
        WaveTable.BuildKernel(banks + WaveBanks.Floats);
        BuildStep(banks + WaveBanks.Floats + WaveTable.KernelFloats);
    }

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Voice>(Limits.MaxChannels);
        need.Need<HalfBand>(Groups);
        need.Need<float>((long)setup.Settings[Room] * WaveTable.WaveFloats);
        need.Need<double>(WaveTable.ScratchDoubles);
    }

    public static void Construct(ref Wavetable self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        self._downs = memory.Take<HalfBand>(Groups);
        self._room = setup.Settings[Room];
        self._tables = memory.Take<float>((long)self._room * WaveTable.WaveFloats);
        self._scratch = memory.Take<double>(WaveTable.ScratchDoubles);
        self._banks = (float*)((double*)setup.Shared + WaveTable.ScratchDoubles);
        self._kernel = self._banks + WaveBanks.Floats;
        self._step = self._kernel + WaveTable.KernelFloats;
        self._asked = true;

        // At twice the rate nothing folds back below 20 kHz that lies below 76 (at 48): harmonics are kept to a little less. A sync
        // multiplies them by a step that reaches to 48 kHz itself.
        self._limit = 0.92f * (2f - (20_000f / setup.SampleRate));
        self._syncedLimit = 1f - (20_000f / setup.SampleRate);
        timing.LatencyFrames = Lag + 2;
        timing.TailFrames = -1;
    }

    public static void Reset(ref Wavetable self)
    {
        for (var i = 0; i < Limits.MaxChannels; i++) self._voices[i] = default;
        for (var i = 0; i < Groups; i++) self._downs[i] = default;
    }

    public static void AssetChanged(ref Wavetable self, int slot, Asset* asset)
    {
        var usable = asset != null && asset->Frames >= 2 && asset->Channels >= 1;
        Volatile.Write(ref self._sample, usable ? (nint)asset : 0);
        self._serial++;
        self._loaded = 0;
        self._asked = !usable;
    }

    /// <summary>
    /// Cuts the file into cycles and builds their tables. The asset is freed by the thread that runs this; the tables are read by process
    /// only after the reply for the same asset, and written only while there is none.
    /// </summary>
    public static void Work(ref Wavetable self, ref WorkJob job)
    {
        var asset = (Asset*)Volatile.Read(ref self._sample);
        job.Result = 0;
        if (job.Kind != Build || asset == null) return;
        var cycle = Cycle(asset);
        var cycles = asset->Frames / cycle;
        var waves = (int)Math.Min(cycles, self._room);
        WaveTable.Prepare(self._scratch);
        for (var wave = 0; wave < waves; wave++)
        {
            var at = waves > 1 ? wave * (cycles - 1) / (waves - 1) : 0;
            WaveTable.Analyse(Asset.Channel(asset, 0) + (at * cycle), cycle, self._scratch);
            WaveTable.Synthesize(self._tables + ((long)wave * WaveTable.WaveFloats), self._scratch, 1.0);
        }

        job.Result = (job.Argument << 32) | (uint)waves;
    }

    public static ProcessResult Process(ref Wavetable self, in ProcessContext context)
    {
        if (context.TryTakeReply(out _, out var result) && (uint)(result >> 32) == self._serial && self._serial != 0)
            self._loaded = (int)(result & 0xFFFF);
        if (!self._asked) self._asked = context.RequestWork(Build, self._serial);

        var channels = context.Outputs[0].Channels;
        var twice = stackalloc Vector128<float>[2 * Limits.Grid];
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var at = segment * Limits.Grid;
            for (var first = 0; first < channels; first += 4)
            {
                for (var i = 0; i < 2 * Limits.Grid; i++) twice[i] = Vector128<float>.Zero;
                for (var lane = 0; lane < 4 && first + lane < channels; lane++)
                    self.Render(self._voices + first + lane, (float*)twice + lane, in context, segment, first + lane);
                var down = self._downs[first / 4];
                for (var i = 0; i < Limits.Grid; i++) twice[i] = down.Down(twice[2 * i], twice[(2 * i) + 1]) * Vector128.Create(Volts);
                self._downs[first / 4] = down;
                for (var lane = 0; lane < 4 && first + lane < channels; lane++)
                {
                    var target = context.Out(0, first + lane) + at;
                    for (var i = 0; i < Limits.Grid; i++) target[i] = ((float*)(twice + i))[lane];
                }
            }
        }

        return ProcessResult.Continue;
    }

    // Frames of a cycle.
    private static int Cycle(Asset* asset)
    {
        if (asset->CycleFrames is >= 2 and <= WaveTable.MostFrames && asset->CycleFrames <= asset->Frames) return asset->CycleFrames;
        var cycle = 2048;
        while (cycle > 64 && asset->Frames % cycle != 0) cycle >>= 1;
        if (asset->Frames % cycle == 0) return cycle;
        return (int)Math.Min(asset->Frames, 2048);
    }

    // Thirty-two frames of one voice at twice the rate, four floats apart.
    private readonly void Render(Voice* voice, float* target, in ProcessContext context, int segment, int channel)
    {
        Listen(voice, in context, segment, channel);
        var fastest = 0f;
        for (var j = First - 1; j <= First + Limits.Grid; j++)
            fastest = Math.Max(fastest, Math.Abs(voice->Increments[j]) + Math.Abs(voice->Phases[j] - voice->Phases[j - 1]));
        var level = Level(voice, WaveTable.LevelFor(fastest, context.Inputs[SyncIn].Connected ? _syncedLimit : _limit));
        var size = (float)WaveTable.Size(level);
        var bank = (int)Within(context.Param(Bank, segment) + 0.5f, 0f, WaveBanks.Banks - 1);
        var row = _loaded > 0 ? _tables : _banks + ((long)bank * WaveBanks.Waves * WaveTable.WaveFloats);
        row += WaveTable.Offset(level);
        var last = (_loaded > 0 ? _loaded : WaveBanks.Waves) - 1;

        var morph = new GridRamp(in context, Morph, segment);
        var amount = new GridRamp(in context, MorphAmount, segment);
        var cv = context.In(MorphIn, channel) + (segment * Limits.Grid);
        var before = voice->Place;
        for (var i = 0; i < Limits.Grid; i++)
        {
            var j = First + i;
            var place = Within(morph.At(i) + (cv[i] * amount.At(i) * 0.1f), 0f, 1f) * last;
            if (!voice->Runs) before = place;
            voice->Runs = true;
            if (voice->Syncs[j + StepFrames] >= 0f) Begin(voice, j);

            // The way to the middle between two frames: the cubic through the four phases around it.
            var step = (double)voice->Increments[j];
            var half = (0.5 * step) + ((voice->Increments[j - 1] - (double)voice->Increments[j + 1]) * (1.0 / 16.0));
            var middle = ((voice->Phases[j - 1] + voice->Phases[j]) * (9f / 16f))
                - ((voice->Phases[j - 2] + voice->Phases[j + 1]) * (1f / 16f));
            target[8 * i] = Read(voice, half, middle, row, size, 0.5f * (before + place), last);
            target[(8 * i) + 4] = Read(voice, step - half, voice->Phases[j], row, size, place, last);
            before = place;
        }

        voice->Place = before;
    }

    // Goes on by `step` and reads.
    private readonly float Read(Voice* voice, double step, float offset, float* row, float size, float place, int last)
    {
        var wave = Math.Min((int)place, Math.Max(last - 1, 0));
        var a = row + ((long)wave * WaveTable.WaveFloats);
        var b = wave < last ? a + WaveTable.WaveFloats : a;
        var mix = place - wave;
        voice->Old = Turn(voice->Old + step);
        var old = WaveTable.At(a, b, _kernel, size, Phase(voice->Old + offset), mix);
        if (!voice->Fades) return old;

        voice->New = Turn(voice->New + step);
        voice->Since += 0.5f;
        if (voice->Since >= StepFrames)
        {
            voice->Fades = false;
            voice->Old = voice->New;
            return WaveTable.At(a, b, _kernel, size, Phase(voice->Old + offset), mix);
        }

        var x = Math.Max(voice->Since + StepFrames, 0f) * StepSteps;
        var whole = (int)x;
        var part = _step[whole] + ((_step[whole + 1] - _step[whole]) * (x - whole));
        return old + ((WaveTable.At(a, b, _kernel, size, Phase(voice->New + offset), mix) - old) * part);
    }

    // A band is narrowed at once and widened after fifty milliseconds: one that came and went with each turn of an FM would itself be
    // heard.
    private static int Level(Voice* voice, int wanted)
    {
        voice->Patience = wanted < voice->Level ? voice->Patience + 1 : 0;
        if (wanted > voice->Level || voice->Patience > Widening || !voice->Runs)
        {
            voice->Level = wanted;
            voice->Patience = 0;
        }

        return voice->Level;
    }

    // A sync comes in five frames and a part of one: the new wave starts so far before phase 0.
    private static void Begin(Voice* voice, int j)
    {
        var part = voice->Syncs[j + StepFrames];
        var way = voice->Increments[j + StepFrames] * (double)part;
        for (var i = 0; i < StepFrames; i++) way += voice->Increments[j + i];
        if (voice->Fades) voice->Old = voice->New;
        voice->New = Turn(-way);
        voice->Since = -(StepFrames + part);
        voice->Fades = true;
    }

    // Takes in a segment of the inputs behind what is kept of the ones before.
    private static void Listen(Voice* voice, in ProcessContext context, int segment, int channel)
    {
        for (var i = 0; i < Kept; i++)
        {
            voice->Increments[i] = voice->Increments[i + Limits.Grid];
            voice->Phases[i] = voice->Phases[i + Limits.Grid];
            voice->Syncs[i] = voice->Runs ? voice->Syncs[i + Limits.Grid] : -1f;
        }

        var at = segment * Limits.Grid;
        ModulatedPitch.Turns(
            voice->Increments + Kept, context.In(PitchIn, channel) + at, context.In(FmIn, channel) + at,
            new GridRamp(in context, PitchParam, segment), new GridRamp(in context, Fine, segment), new GridRamp(in context, Fm, segment),
            context.Param(FmMode, segment) >= 0.5f, context.SampleRate);
        var amount = new GridRamp(in context, PhaseAmount, segment);
        var phase = context.In(PhaseIn, channel) + at;
        var synced = context.Inputs[SyncIn].Connected;
        var sync = context.In(SyncIn, channel) + at;
        for (var i = 0; i < Limits.Grid; i++)
        {
            voice->Phases[Kept + i] = Within(phase[i] * amount.At(i) * (1f / Volts), -64f, 64f);
            voice->Syncs[Kept + i] = synced ? voice->Sync.Next(sync[i]) : -1f;
        }
    }

    private static double Turn(double x) => x - Math.Floor(x);

    private static float Phase(double x) => Math.Min((float)(x - Math.Floor(x)), 0.99999994f);

    private static float Within(float x, float least, float most) => x >= least ? Math.Min(x, most) : least;

    // The integral of a Kaiser-windowed sinc that passes 24 kHz and stops 48 kHz (at 48), from 0 to 1.
    private static void BuildStep(float* step)
    {
        const int Count = 2 * StepFrames * StepSteps;
        double sum = 0;
        for (var pass = 0; pass < 2; pass++)
        {
            double running = 0;
            for (var i = 0; i <= Count; i++)
            {
                if (pass == 1) step[i] = (float)(running / sum);
                var t = ((i + 0.5) / StepSteps) - StepFrames;
                var x = t / StepFrames;
                if (i < Count) running += ExactMath.Sinc(1.5 * t) * ExactMath.BesselI0(8.0 * Math.Sqrt(Math.Max(0.0, 1.0 - (x * x))));
            }

            sum = running;
        }

        step[Count + 1] = 1f;
    }
}
