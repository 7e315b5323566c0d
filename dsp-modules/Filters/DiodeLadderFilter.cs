// Diode ladder: the squelching low-pass of acid bass lines.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Cutoff is where it self-oscillates; resonance 0..1 is a feedback of 0..20 around four poles that load each other, and it sings from
/// 0.85. Gain at DC is 1 / (1 + feedback). 15 V is where the saturation bites. See <see cref="DiodeLadder"/>.
/// </summary>
public unsafe struct DiodeLadderFilter : IModule<DiodeLadderFilter>
{
    private CircuitFilter<DiodeLadder> _circuit;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "diode-ladder",
        Name = "Diode Ladder",
        Family = "Filters",
        Text = "The squelching low-pass of acid lines: soft at the knee, rubbery when it resonates.",
        Help = """
            A ladder of diodes, where each of the four poles loads its neighbours. The highs start to go far below the cutoff and go
            ever more steeply, so that it sounds rounder than the transistor ladder; its resonance is narrow, rubbery, and eats the
            bass as it rises.

            It is the filter of the silver box whose bass lines became a style: short notes, resonance high, and an envelope or a
            hand on the cutoff. Drive gives it bite; with a distortion behind it, it screams. From a resonance of 0.85 it whistles
            at the cutoff, in tune over the whole range, an octave per volt at amount 1.

            Try a saw at In, a sequence of sixteenth notes, an envelope with no attack and 200 ms of decay at Cutoff CV, cutoff at
            400 Hz and resonance at 0.75, and move the cutoff by hand while it plays. Accents are louder notes with a higher
            envelope, and with 2 or 3 V more at Resonance CV.

            The low 18 mode leaves out the last pole: brighter, and a little more open. High quality runs the circuit at eight times
            the rate, for about four times the work.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be filtered."),
            new PortDescriptor("cutoff", "Cutoff CV", "Moves the cutoff, 1 V an octave at amount 1; may be audio."),
            CircuitFilter<DiodeLadder>.ResonanceIn,
        ],
        Outputs = [new PortDescriptor("out", "Out", "The filtered sound.")],
        Parameters =
        [
            new ParameterDescriptor("cutoff", "Cutoff", "Hz", 16f, 20_000f, 1_000f, ParameterCurve.Exponential,
                "The pitch of its resonance; the highs begin to go well below it."),
            new ParameterDescriptor("resonance", "Resonance", "", 0f, 1f, 0.3f, ParameterCurve.Linear,
                "Emphasis at the cutoff; from 0.85 it whistles by itself."),
            new ParameterDescriptor("drive", "Drive", "dB", 0f, 24f, 0f, ParameterCurve.Linear, "Pushes the sound into saturation."),
            new ParameterDescriptor("amount", "CV amount", "", -1f, 1f, 1f, ParameterCurve.Linear,
                "How far the CV moves the cutoff, in octaves per volt."),
            new ParameterDescriptor("mode", "Mode", "", 0f, 1f, 0f, ParameterCurve.Stepped, "Four poles, or the three below the last.",
                "low 24", "low 18"),
            CircuitFilter<DiodeLadder>.ResonanceAmount,
        ],
        Settings = [CircuitFilter<DiodeLadder>.Quality],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => CircuitFilter<DiodeLadder>.Require(ref need);

    public static void Construct(ref DiodeLadderFilter self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) =>
        self._circuit = new CircuitFilter<DiodeLadder>(in setup, ref memory, ref timing);

    public static void Reset(ref DiodeLadderFilter self) => self._circuit.Reset();

    public static ProcessResult Process(ref DiodeLadderFilter self, in ProcessContext context) => self._circuit.Process(in context);
}
