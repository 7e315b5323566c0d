// VCA: a voltage decides how loud.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Out = in * level * response(cv / 10 V), cv held within 0..10 V; with nothing patched into it, cv counts as 10 V.
/// Linear response: x. Exponential: 80 dB over the travel, (10^(4x) - 1) / (10^4 - 1), exactly 0 at 0 V and 1 at 10 V.
/// </summary>
public unsafe struct Vca : IModule<Vca>
{
    private const int Level = 0, Response = 1;
    private const float OpenSeconds = 0.005f;
    private const float OctavesOf80Decibels = 13.2877124f;

    // How much of its gain is that of a VCA without CV, 0..1; negative: as the cable says, at once. A cable that comes or goes takes over
    // in 5 ms: its own fade begins and ends at 0 V, which is silence, and not at the full gain of an unpatched input.
    private float _open;
    private float _step; // per segment

    public static ModuleDescriptor Describe() => new()
    {
        Id = "vca",
        Name = "VCA",
        Family = "Dynamics",
        Text = "Makes a sound louder and quieter as a voltage says: patch an envelope into CV.",
        Help = """
            Nothing moves in a patch without it: a VCA multiplies what goes in by what a voltage says. Patched between an oscillator
            and the output, with an envelope at CV, it turns a steady tone into notes. It passes anything, so it also makes an LFO's
            sweep deeper or a melody's vibrato come and go.

            Linear response multiplies by a tenth of the CV: right for voltages and for tremolo. Exponential spreads 80 dB over the
            10 V, as ears hear loudness, and is exactly silent at 0 V and exactly open at 10 V: right for fades and for envelopes
            whose tail should ring long. Level is the gain when CV is full. Without a cable at CV it is open.

            - Try an ADSR at CV and a VCO at In: notes.
            - Try an LFO of 5 Hz at CV, linear, its Range upwards and its Level at 10: tremolo. Put the LFO through a second VCA and
            open that one by hand.
            - Patch two oscillators into In and CV: the part of the second above 0 V chops the first.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound or voltage."),
            new PortDescriptor("cv", "CV", "0 V is silent, 10 V is full; unpatched it is full."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The input, as loud as CV and Level say.")],
        Parameters =
        [
            new ParameterDescriptor("level", "Level", "", 0f, 1f, 1f, ParameterCurve.Linear, "Gain at full CV."),
            new ParameterDescriptor("response", "Response", "", 0f, 1f, 0f, ParameterCurve.Stepped,
                "Linear for voltages, exponential for natural fades.", "linear", "exponential"),
        ],
    };

    public static void Construct(ref Vca self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._step = Limits.Grid / (OpenSeconds * setup.SampleRate);
        self._open = -1f;
    }

    public static void Reset(ref Vca self) => self._open = -1f;

    public static ProcessResult Process(ref Vca self, in ProcessContext context)
    {
        var silent = context.Inputs[0].Silent;
        var wanted = context.Inputs[1].Connected ? 0f : 1f;
        var from = silent || self._open < 0f ? wanted : self._open;
        self._open = silent ? -1f : Open(from, wanted, self._step, context.Segments);
        for (var voice = 0; voice < context.Outputs[0].Channels; voice++)
        {
            var target = context.Out(0, voice);
            if (silent)
            {
                Block.Clear(target, context.Frames);
                continue;
            }

            var source = context.In(0, voice);
            var cv = context.In(1, voice);
            for (var segment = 0; segment < context.Segments; segment++)
            {
                var level = new GridRamp(in context, Level, segment);
                var at = segment * Limits.Grid;
                var open = new GridRamp(Open(from, wanted, self._step, segment), Open(from, wanted, self._step, segment + 1));
                if (open.Start == 1f && open.Step == 0f)
                {
                    Block.ScaleSegment(target + at, source + at, in level);
                    continue;
                }

                var exponential = context.Param(Response, segment) >= 0.5f;
                for (var i = 0; i < Limits.Grid; i += 4)
                {
                    var x = Vector128.Load(cv + at + i) * Vector128.Create(0.1f);
                    x = Vector128.MinNative(Vector128.MaxNative(x, Vector128<float>.Zero), Vector128<float>.One);
                    if (exponential)
                    {
                        var e = FastMath.Exp2Minus1(x * Vector128.Create(OctavesOf80Decibels));
                        x = Vector128.MinNative(e * Vector128.Create(1f / 9999f), Vector128<float>.One);
                    }

                    x += (Vector128<float>.One - x) * open.Four(i);
                    (Vector128.Load(source + at + i) * (level.Four(i) * x)).Store(target + at + i);
                }
            }
        }

        return silent ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static float Open(float from, float to, float step, int segment) =>
        to > from ? Math.Min(from + (step * segment), 1f) : Math.Max(from - (step * segment), to);
}
