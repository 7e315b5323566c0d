// Sallen-Key: a rough two-pole filter whose resonance screams when it is pushed.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// 12 dB per octave. Resonance 0..1 is a feedback of 0..2.2, clipped by diodes at 5 V: a Q of 1 / (2 - feedback), singing from 0.91. The
/// gain at DC stays 1 whatever the resonance. See <see cref="SallenKey"/>.
/// </summary>
public unsafe struct SallenKeyFilter : IModule<SallenKeyFilter>
{
    private CircuitFilter<SallenKey> _circuit;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "sallen-key",
        Name = "Sallen-Key",
        Family = "Filters",
        Text = "A rough two-pole filter: low, band or high, with a resonance that screams when pushed.",
        Help = """
            Two poles around one amplifier, with diodes that clip the feedback: the filter of the Japanese semi-modular that every
            noise musician wants. It keeps all of its bass when the resonance rises, and because it is the feedback that clips and
            not the sound, loud sounds drive the resonance out and quiet ones let it ring. That is its character: every decay of a
            note ends in a cry.

            Low, band and high are 12 dB an octave each. Two in a row, high then low with both resonances up, are the original's
            voice. From a resonance of 0.91 it whistles at the cutoff, an octave per volt at amount 1.

            Try a square wave at In, resonance at 0.85, drive at 12 dB, and sweep the cutoff with an LFO or an envelope at Cutoff
            CV. Turn drive down to 0 and the same sweep whistles; turn it up and it barks. Drums love it, too: a high-pass with
            resonance makes a thin loop punch. An envelope at Resonance CV makes each note begin with the cry.

            High quality runs the circuit at eight times the rate, for about four times the work.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be filtered."),
            new PortDescriptor("cutoff", "Cutoff CV", "Moves the cutoff, 1 V an octave at amount 1; may be audio."),
            CircuitFilter<SallenKey>.ResonanceIn,
        ],
        Outputs = [new PortDescriptor("out", "Out", "The filtered sound.")],
        Parameters =
        [
            new ParameterDescriptor("cutoff", "Cutoff", "Hz", 16f, 20_000f, 1_000f, ParameterCurve.Exponential,
                "Where it divides, and the pitch it whistles at."),
            new ParameterDescriptor("resonance", "Resonance", "", 0f, 1f, 0.3f, ParameterCurve.Linear,
                "Emphasis at the cutoff; from 0.91 it whistles by itself."),
            new ParameterDescriptor("drive", "Drive", "dB", 0f, 24f, 0f, ParameterCurve.Linear, "Pushes the sound into saturation."),
            new ParameterDescriptor("amount", "CV amount", "", -1f, 1f, 1f, ParameterCurve.Linear,
                "How far the CV moves the cutoff, in octaves per volt."),
            new ParameterDescriptor("mode", "Mode", "", 0f, 2f, 0f, ParameterCurve.Stepped, "What is kept.",
                "low", "band", "high"),
            CircuitFilter<SallenKey>.ResonanceAmount,
        ],
        Settings = [CircuitFilter<SallenKey>.Quality],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => CircuitFilter<SallenKey>.Require(ref need);

    public static void Construct(ref SallenKeyFilter self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) =>
        self._circuit = new CircuitFilter<SallenKey>(in setup, ref memory, ref timing);

    public static void Reset(ref SallenKeyFilter self) => self._circuit.Reset();

    public static ProcessResult Process(ref SallenKeyFilter self, in ProcessContext context) => self._circuit.Process(in context);
}
