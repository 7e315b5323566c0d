// Quantizer: any voltage becomes the nearest note of a scale.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Notes are whole twelfths of a volt, correctly rounded. A note is left only 10 cents beyond the border to its neighbour, so that an
/// input at the border does not chatter. The transposition is added behind the scale, in semitones. The scale "own" is made of the notes that
/// are switched on, counted from the root; if none is, of all.
/// </summary>
public unsafe struct Quantizer : IModule<Quantizer>
{
    private const int In = 0, TriggerIn = 1, TransposeIn = 2;
    private const int PitchOut = 0, TriggerOut = 1;
    private const int Scale = 0, Root = 1, Transpose = 2, Own = 3;
    private const int Notes = 12, OwnScale = 19;
    private const float Hysteresis = 0.1f;
    private const float MostVolts = 20f;

    private Voice* _voices;
    private int _triggerFrames;

    private struct Voice
    {
        public SchmittTrigger Trigger;
        public float Lower, Upper;
        public TriggerPulse Changed;
        public int Mask, Note, Shift, Sounding;
        public bool Running;
    }

    // Bit n is set where the note n semitones above the root belongs to the scale.
    private static int Mask(int scale) => scale switch
    {
        1 => 0b1010_1011_0101, // major: 0 2 4 5 7 9 11
        2 => 0b0101_1010_1101, // natural minor: 0 2 3 5 7 8 10
        3 => 0b1001_1010_1101, // harmonic minor: 0 2 3 5 7 8 11
        4 => 0b1010_1010_1101, // melodic minor: 0 2 3 5 7 9 11
        5 => 0b0110_1010_1101, // dorian: 0 2 3 5 7 9 10
        6 => 0b0101_1010_1011, // phrygian: 0 1 3 5 7 8 10
        7 => 0b1010_1101_0101, // lydian: 0 2 4 6 7 9 11
        8 => 0b0110_1011_0101, // mixolydian: 0 2 4 5 7 9 10
        9 => 0b0101_0110_1011, // locrian: 0 1 3 5 6 8 10
        10 => 0b0010_1001_0101, // major pentatonic: 0 2 4 7 9
        11 => 0b0100_1010_1001, // minor pentatonic: 0 3 5 7 10
        12 => 0b0100_1110_1001, // blues: 0 3 5 6 7 10
        13 => 0b0101_0101_0101, // whole tones: 0 2 4 6 8 10
        14 => 0b1011_0110_1101, // diminished: 0 2 3 5 6 8 9 11
        15 => 0b0000_1001_0001, // major triad: 0 4 7
        16 => 0b0000_1000_1001, // minor triad: 0 3 7
        17 => 0b0000_1000_0001, // fifths: 0 7
        18 => 0b0000_0000_0001, // octaves: 0
        _ => 0b1111_1111_1111, // chromatic
    };

    public static ModuleDescriptor Describe()
    {
        string[] scales =
        [
            "chromatic", "major", "minor", "harmonic minor", "melodic minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian",
            "major pentatonic", "minor pentatonic", "blues", "whole tones", "diminished", "major triad", "minor triad", "fifths", "octaves",
            "own",
        ];
        string[] names = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
        var own = new ParameterDescriptor[Notes];
        for (var note = 0; note < Notes; note++)
            own[note] = new ParameterDescriptor($"own{note}", $"Own {names[note]}", "", 0f, 1f, note is 0 or 3 or 7 or 10 ? 1f : 0f,
                ParameterCurve.Stepped, $"Whether {names[note]} belongs to the scale \"own\", as it is with the root C.", "off", "on");
        return new ModuleDescriptor
        {
            Id = "quantizer",
            Name = "Quantizer",
            Family = "Modulation",
            Text = "Turns any voltage into the nearest note of a scale.",
            Help = """
                Whatever voltage comes in, a note of the scale comes out: the nearest one. Scale and Root choose the notes; the scale
                "own" is made of those you switch on below. An input that trembles at the border between two notes does not chatter: a note
                is left 10 cents behind the border.

                With a cable at Trigger a note is taken only when that rises, so that a wandering voltage becomes a melody in time.
                Changed gives a trigger whenever the note changes: it starts an envelope for each note without any clock. Transpose
                moves what comes out by whole semitones, behind the scale.

                - Wide cables are quantized voice by voice.

                Try: a slow LFO or a sample & hold into In, Pitch into an oscillator, Changed into the Trigger of a Function.
                """,
            Inputs =
            [
                new PortDescriptor("in", "In", "The voltage to be brought into tune."),
                new PortDescriptor("trigger", "Trigger", "If patched, a new note is taken only when this rises."),
                new PortDescriptor("transpose", "Transpose", "Moves the notes by whole semitones, 1 V an octave."),
            ],
            Outputs =
            [
                new PortDescriptor("pitch", "Pitch", "The note, 1 V an octave."),
                new PortDescriptor("changed", "Changed", "A trigger whenever the note changes."),
            ],
            Parameters =
            [
                new ParameterDescriptor("scale", "Scale", "", 0f, scales.Length - 1f, 11f, ParameterCurve.Stepped,
                    "The notes there are.", scales),
                new ParameterDescriptor("root", "Root", "", 0f, 11f, 0f, ParameterCurve.Stepped, "The note the scale starts from.", names),
                new ParameterDescriptor("transpose", "Transpose", "semitones", -36f, 36f, 0f, ParameterCurve.Stepped,
                    "Moves the notes up or down."),
                .. own,
            ],
            Telemetry = [new TelemetryDescriptor("note", TelemetryKind.Step, 1, "", "The note, in semitones above C.")],
        };
    }

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voice>(Limits.MaxChannels);

    public static void Construct(ref Quantizer self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        self._triggerFrames = TriggerPulse.Frames(setup.SampleRate);
        timing.TailFrames = -1;
    }

    public static void Reset(ref Quantizer self) => Block.Zero(self._voices, Limits.MaxChannels);

    public static ProcessResult Process(ref Quantizer self, in ProcessContext context)
    {
        var channels = context.Outputs[PitchOut].Channels;
        var asleep = context.Inputs[In].Silent && context.Inputs[TriggerIn].Silent && context.Inputs[TransposeIn].Silent;
        for (var voice = 0; voice < channels; voice++)
        {
            for (var segment = 0; segment < context.Segments; segment++)
                Segment(self._voices + voice, in context, segment, voice, self._triggerFrames);
            asleep &= self._voices[voice].Changed.AtRest && Block.IsZero(context.Out(PitchOut, voice), context.Frames)
                && Block.IsZero(context.Out(TriggerOut, voice), context.Frames);
        }

        context.Telemetry[0] = Modulo12(self._voices->Sounding);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static void Segment(Voice* v, in ProcessContext context, int segment, int voice, int triggerFrames)
    {
        var at = segment * Limits.Grid;
        var source = context.In(In, voice) + at;
        var trigger = context.In(TriggerIn, voice) + at;
        var transpose = context.In(TransposeIn, voice) + at;
        var pitch = context.Out(PitchOut, voice) + at;
        var changed = context.Out(TriggerOut, voice) + at;
        var sampled = context.Inputs[TriggerIn].Connected;
        var scale = (int)(context.Param(Scale, segment) + 0.5f);
        var mask = Rotate(scale == OwnScale ? OwnMask(in context, segment) : Mask(scale), (int)(context.Param(Root, segment) + 0.5f));
        var shift = (int)MathF.Round(context.Param(Transpose, segment));
        if (v->Mask != mask)
        {
            // Another scale: the old note counts for nothing.
            v->Mask = mask;
            v->Lower = float.PositiveInfinity;
        }

        for (var i = 0; i < Limits.Grid; i++)
        {
            var rises = v->Trigger.Rises(trigger[i]);
            if (!sampled || rises)
            {
                var x = 12f * Math.Clamp(source[i], -MostVolts, MostVolts);
                if (!(x >= v->Lower && x <= v->Upper)) Choose(v, x);
                var moved = 12f * Math.Clamp(transpose[i], -MostVolts, MostVolts);
                if (!(Math.Abs(moved - v->Shift) <= 0.5f + Hysteresis)) v->Shift = (int)MathF.Round(moved);
            }

            var sounding = v->Note + v->Shift + shift;
            if (sounding != v->Sounding && v->Running) v->Changed.Fire(triggerFrames);
            v->Sounding = sounding;
            v->Running = true;
            pitch[i] = sounding / 12f;
            changed[i] = v->Changed.Next();
        }
    }

    // The nearest note of the scale, the lower one of two equally near, and how far the input may go before the next is taken.
    private static void Choose(Voice* v, float x)
    {
        if (!float.IsFinite(x)) return;
        var below = (int)MathF.Floor(x);
        while ((v->Mask >> Modulo12(below) & 1) == 0) below--;
        var above = below + 1;
        while ((v->Mask >> Modulo12(above) & 1) == 0) above++;
        v->Note = x - below <= above - x ? below : above;
        var (lower, upper) = (v->Note - 1, v->Note + 1);
        while ((v->Mask >> Modulo12(lower) & 1) == 0) lower--;
        while ((v->Mask >> Modulo12(upper) & 1) == 0) upper++;
        v->Lower = (0.5f * (v->Note + lower)) - Hysteresis;
        v->Upper = (0.5f * (v->Note + upper)) + Hysteresis;
    }

    private static int OwnMask(in ProcessContext context, int segment)
    {
        var mask = 0;
        for (var note = 0; note < Notes; note++) mask |= context.Param(Own + note, segment) >= 0.5f ? 1 << note : 0;
        return mask == 0 ? (1 << Notes) - 1 : mask;
    }

    private static int Rotate(int mask, int by) => ((mask << by) | (mask >> (12 - by))) & 0xFFF;

    private static int Modulo12(int note) => ((note % 12) + 12) % 12;
}
