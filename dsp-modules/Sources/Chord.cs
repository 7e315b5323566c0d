// Chord: four oscillators on one note, at the intervals of a chord.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Sixteen kinds of chord as four notes each. A chord is its tones within an octave or so, going on an octave higher for ever; an inversion
/// starts further up in that row, a voicing moves single notes by octaves. Tuned equally (semitones of 2^(1/12)) or justly (ratios of whole
/// numbers to the root, 5-limit: no beats). Each note is a band-limited <see cref="Oscillator"/>; the output lags by 16 frames.
/// </summary>
public unsafe struct Chord : IModule<Chord>
{
    private const int PitchIn = 0, ChordIn = 1, InversionIn = 2, WidthIn = 3;
    private const int PitchParam = 0, Fine = 1, Kind = 2, Inversion = 3, Voicing = 4, Tuning = 5, Wave = 6, Width = 7, Detune = 8;
    private const int Mix = 0, Notes = 4, Kinds = 16, KindFloats = 5;
    private const int Drop2 = 1, Drop3 = 2, Open = 3;
    private const float Volts = 5f;

    private Oscillator* _oscillators;
    private float* _buffers;
    private float* _table;
    private float* _kinds;
    private float* _just;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "chord",
        Name = "Chord",
        Family = "Sources",
        Text = "Four oscillators that play a chord on one note, in any inversion, in equal or just tuning.",
        Help = """
            One pitch in, a chord out. Chord chooses what is built on the note, from a bare fifth over triads and sevenths to ninths;
            Inversion takes notes from the bottom to the top, Voicing pulls single notes an octave away. Each of the four notes also has an
            output of its own, to be filtered or panned alone.

            Equal tuning agrees with every other instrument in the patch. Just tuning makes the intervals whole-number ratios, 4:5:6 for a
            major triad: the beating stops and the chord locks into one sound. Detune puts life back by moving the outer notes apart.

            - A sequencer at Chord CV changes the harmony: 10 V run through all sixteen kinds.
            - A volt at Inversion CV is one inversion: slow random steps there make a pad wander without leaving its harmony.
            - Sines in just tuning are an organ; pulses with a little Detune are a string machine.

            Try first: Mix to a filter, a slow sequence at Pitch, Chord at minor 7, then turn Voicing to open.
            """,
        Inputs =
        [
            new PortDescriptor("pitch", "Pitch", "Pitch of the root, 1 V an octave; 0 V is middle C."),
            new PortDescriptor("chord", "Chord CV", "Moves through the kinds of chord: 10 V are all of them."),
            new PortDescriptor("inversion", "Inversion CV", "Moves the inversion, one a volt."),
            new PortDescriptor("pwm", "PWM", "Moves the pulse width; 10 V are its whole travel."),
        ],
        Outputs =
        [
            new PortDescriptor("mix", "Mix", "The chord."),
            new PortDescriptor("note1", "Note 1", "The lowest note alone, in close voicing."),
            new PortDescriptor("note2", "Note 2", "The second note alone."),
            new PortDescriptor("note3", "Note 3", "The third note alone."),
            new PortDescriptor("note4", "Note 4", "The fourth note alone."),
        ],
        Parameters =
        [
            new ParameterDescriptor("pitch", "Pitch", "V/oct", -5f, 5f, 0f, ParameterCurve.Linear, "The root, added to the pitch input."),
            new ParameterDescriptor("fine", "Fine", "cent", -100f, 100f, 0f, ParameterCurve.Linear, "Fine tuning, a semitone either way."),
            new ParameterDescriptor("chord", "Chord", "", 0f, Kinds - 1, 4f, ParameterCurve.Stepped, "What is built on the root.",
                "fifth", "sus 2", "sus 4", "minor", "major", "minor 6", "major 6", "minor 7", "dominant 7", "major 7", "minor 9",
                "dominant 9", "major 9", "diminished 7", "half-diminished", "augmented"),
            new ParameterDescriptor("inversion", "Inversion", "", 0f, 3f, 0f, ParameterCurve.Stepped,
                "How many notes go from the bottom to the top."),
            new ParameterDescriptor("voicing", "Voicing", "", 0f, 3f, 0f, ParameterCurve.Stepped,
                "Which notes move by an octave: none, the third or the second one down, or the second and fourth up.",
                "close", "drop 2", "drop 3", "open"),
            new ParameterDescriptor("tuning", "Tuning", "", 0f, 1f, 0f, ParameterCurve.Stepped,
                "Twelve equal semitones, or whole-number ratios.", "equal", "just"),
            new ParameterDescriptor("wave", "Wave", "", 0f, 3f, 2f, ParameterCurve.Stepped, "What each note sounds like.",
                "sine", "triangle", "saw", "pulse"),
            new ParameterDescriptor("width", "Pulse width", "", 0.01f, 0.99f, 0.5f, ParameterCurve.Linear,
                "Part of the wave in which the pulse is high."),
            new ParameterDescriptor("detune", "Detune", "cent", 0f, 25f, 0f, ParameterCurve.Linear,
                "How far the lowest note is flat and the highest sharp; the others a third of it."),
        ],
    };

    public static long SharedBytes(float sampleRate) => BlepTable.Bytes + (((Kinds * KindFloats) + 12) * sizeof(float));

    public static void BuildShared(void* shared, float sampleRate)
    {
        BlepTable.Build((float*)shared);
        var kinds = (float*)((byte*)shared + BlepTable.Bytes);

        // How many tones before it goes on an octave higher, and the tones in semitones.
        ReadOnlySpan<byte> tones =
        [
            2, 0, 7, 0, 0, 3, 0, 2, 7, 0, 3, 0, 5, 7, 0, 3, 0, 3, 7, 0, 3, 0, 4, 7, 0, 4, 0, 3, 7, 9, 4, 0, 4, 7, 9, 4, 0, 3, 7, 10,
            4, 0, 4, 7, 10, 4, 0, 4, 7, 11, 4, 0, 3, 10, 14, 4, 0, 4, 10, 14, 4, 0, 4, 11, 14, 4, 0, 3, 6, 9, 4, 0, 3, 6, 10, 3, 0, 4, 8, 0,
        ];
        for (var i = 0; i < tones.Length; i++) kinds[i] = tones[i];

        // Ratios to the root of the twelve semitones, 5-limit.
        ReadOnlySpan<float> just =
            [1f, 16f / 15f, 9f / 8f, 6f / 5f, 5f / 4f, 4f / 3f, 45f / 32f, 3f / 2f, 8f / 5f, 5f / 3f, 9f / 5f, 15f / 8f];
        for (var i = 0; i < just.Length; i++) kinds[(Kinds * KindFloats) + i] = just[i];
    }

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Oscillator>(Limits.MaxChannels * Notes);
        need.Need<float>(Limits.MaxChannels * Notes * Oscillator.BufferFloats);
    }

    public static void Construct(ref Chord self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._oscillators = memory.Take<Oscillator>(Limits.MaxChannels * Notes);
        self._buffers = memory.Take<float>(Limits.MaxChannels * Notes * Oscillator.BufferFloats);
        self._table = (float*)setup.Shared;
        self._kinds = (float*)((byte*)setup.Shared + BlepTable.Bytes);
        self._just = self._kinds + (Kinds * KindFloats);
        timing.LatencyFrames = BlepTable.Latency;
        timing.TailFrames = -1;
    }

    public static void Reset(ref Chord self)
    {
        for (var i = 0; i < Limits.MaxChannels * Notes; i++) self._oscillators[i].Reset(self._buffers + (i * Oscillator.BufferFloats));
    }

    public static ProcessResult Process(ref Chord self, in ProcessContext context)
    {
        for (var channel = 0; channel < context.Outputs[Mix].Channels; channel++)
        {
            for (var segment = 0; segment < context.Segments; segment++) self.Render(in context, segment, channel);
        }

        return ProcessResult.Continue;
    }

    private readonly void Render(in ProcessContext context, int segment, int channel)
    {
        var at = segment * Limits.Grid;
        var note = new GridRamp(in context, PitchParam, segment);
        var fine = new GridRamp(in context, Fine, segment);
        var width = new GridRamp(in context, Width, segment);
        var pitch = context.In(PitchIn, channel) + at;
        var pwm = context.In(WidthIn, channel) + at;
        var wave = (int)(context.Param(Wave, segment) + 0.5f);
        var waves = (Waves)(1 << wave);
        var root = stackalloc float[Limits.Grid];
        var rendered = stackalloc float[Limits.Grid];
        OscillatorInput input;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            (SegmentPitch.Four(pitch, in note, in fine, i) * Vector128.Create(1f / context.SampleRate)).Store(root + i);
            var w = width.Four(i) + (Vector128.Load(pwm + i) * Vector128.Create(0.1f));
            Vector128.MinNative(Vector128.MaxNative(w, Vector128.Create(0.01f)), Vector128.Create(0.99f)).Store(input.Width + i);
            Vector128.Create(-1f).Store(input.Sync + i);
        }

        var mix = context.Out(Mix, channel) + at;
        Block.Clear(mix, Limits.Grid);
        for (var n = 0; n < Notes; n++)
        {
            var ratio = Vector128.Create(Ratio(in context, segment, channel, n));
            for (var i = 0; i < Limits.Grid; i += 4)
            {
                var turns = Vector128.MinNative(Vector128.Load(root + i) * ratio, Vector128.Create(0.5f));
                (turns & Vector128.Equals(turns, turns)).Store(input.Increment + i);
            }

            var index = (channel * Notes) + n;
            var buffer = _buffers + (index * Oscillator.BufferFloats);
            _oscillators[index].Render(buffer, _table, in input, waves);

            // Four strangers together are twice as loud as one.
            _oscillators[index].Take(buffer, wave, rendered, Volts);
            Block.AddScaledSegment(mix, rendered, new GridRamp(0.5f, 0.5f));
            if (channel < context.Outputs[n + 1].Channels) Block.Copy(context.Out(n + 1, channel) + at, rendered, Limits.Grid);
        }
    }

    // Frequency of a note as a multiple of the root's.
    private readonly float Ratio(in ProcessContext context, int segment, int channel, int n)
    {
        var at = segment * Limits.Grid;
        var kind = Choice(context.Param(Kind, segment) + (context.In(ChordIn, channel)[at] * ((Kinds - 1) / 10f)), Kinds - 1);
        var place = n + Choice(context.Param(Inversion, segment) + context.In(InversionIn, channel)[at], 3);
        var voicing = Choice(context.Param(Voicing, segment), 3);
        var tones = _kinds + (kind * KindFloats);
        var count = (int)tones[0];
        var octaves = 0;
        while (place >= count && octaves < Notes + 3)
        {
            place -= count;
            octaves++;
        }

        if ((voicing == Drop2 && n == 2) || (voicing == Drop3 && n == 1)) octaves--;
        else if (voicing == Open && (n & 1) != 0) octaves++;
        var semitones = (int)tones[1 + place];
        if (semitones >= 12)
        {
            semitones -= 12;
            octaves++;
        }

        var cents = context.Param(Detune, segment) * ((2f / 3f * n) - 1f);
        if (Choice(context.Param(Tuning, segment), 1) == 1) return _just[semitones] * FastMath.Exp2(octaves + (cents * (1f / 1200f)));
        return FastMath.Exp2(octaves + (semitones * (1f / 12f)) + (cents * (1f / 1200f)));
    }

    private static int Choice(float value, int most) => (int)Math.Min(value >= 0f ? value + 0.5f : 0f, most);
}
