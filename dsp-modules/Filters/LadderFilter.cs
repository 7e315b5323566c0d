// Ladder: the transistor ladder, in tune when it sings, with six slopes from its taps.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Cutoff is the frequency of the four poles, which is where it self-oscillates: without resonance the low pass of 24 dB is 12 dB down
/// there. Resonance 0..1 is a feedback of 0..5; it sings from 0.8. Gain at DC is 1 / (1 + feedback), as in the original. 20 V is where the
/// saturation bites; drive pushes the signal up to it and takes half of its decibels back behind it. See <see cref="Ladder"/>.
/// </summary>
public unsafe struct LadderFilter : IModule<LadderFilter>
{
    private CircuitFilter<Ladder> _circuit;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "ladder",
        Name = "Ladder",
        Family = "Filters",
        Text = "The classic warm low-pass: darkens a sound, whistles at full resonance.",
        Help = """
            The low-pass of the first transportable synthesizers: four equal poles in a row, with a feedback around them that makes
            the resonance. It takes highs away steeply, 24 dB an octave, and does it warmly, because its transistors bend loud
            sounds.

            Resonance lifts what is at the cutoff and thins out the bass below it, as the original does. From 0.8 it whistles, a
            sine at the cutoff; 1 V at Cutoff CV moves it an octave at amount 1, so a melody there plays it in tune. 10 V at
            Resonance CV are its whole travel at an amount of 1: a gate there makes it whistle on that note alone. Drive pushes
            the sound into the saturation: a little thickens, a lot growls.

            Mode picks other slopes from the same four poles: a gentler low-pass, two band-passes and two high-passes, all with the
            same whistle.

            Try a saw or two slightly detuned ones at In, an envelope with a quick attack and half a second of decay at Cutoff CV,
            cutoff at 200 Hz, resonance at 0.4. Then raise the drive. For the sound of a bass line, turn resonance up until it
            nearly whistles.

            High quality runs the circuit at eight times the rate: its response is right within 0.2 dB up to 16 kHz, for about four
            times the work.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be filtered."),
            new PortDescriptor("cutoff", "Cutoff CV", "Moves the cutoff, 1 V an octave at amount 1; may be audio."),
            CircuitFilter<Ladder>.ResonanceIn,
        ],
        Outputs = [new PortDescriptor("out", "Out", "The filtered sound.")],
        Parameters =
        [
            new ParameterDescriptor("cutoff", "Cutoff", "Hz", 16f, 20_000f, 1_000f, ParameterCurve.Exponential,
                "Where the highs begin to go, and the pitch it whistles at."),
            new ParameterDescriptor("resonance", "Resonance", "", 0f, 1f, 0.3f, ParameterCurve.Linear,
                "Emphasis at the cutoff; from 0.8 it whistles by itself."),
            new ParameterDescriptor("drive", "Drive", "dB", 0f, 24f, 0f, ParameterCurve.Linear, "Pushes the sound into saturation."),
            new ParameterDescriptor("amount", "CV amount", "", -1f, 1f, 1f, ParameterCurve.Linear,
                "How far the CV moves the cutoff, in octaves per volt."),
            new ParameterDescriptor("mode", "Mode", "", 0f, 5f, 0f, ParameterCurve.Stepped, "Which slope comes out.",
                "low 24", "low 12", "band 24", "band 12", "high 24", "high 12"),
            CircuitFilter<Ladder>.ResonanceAmount,
        ],
        Settings = [CircuitFilter<Ladder>.Quality],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => CircuitFilter<Ladder>.Require(ref need);

    public static void Construct(ref LadderFilter self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) =>
        self._circuit = new CircuitFilter<Ladder>(in setup, ref memory, ref timing);

    public static void Reset(ref LadderFilter self) => self._circuit.Reset();

    public static ProcessResult Process(ref LadderFilter self, in ProcessContext context) => self._circuit.Process(in context);
}
