// The largest step that sources and ramps allow at each jack, from gains alone: no sample is looked at.
using SspHost.Abi;

namespace SspHost.EndToEnd.Tests.Changes;

/// <summary>
/// A signal is bounded by its amplitude A and its step D from sample to sample. Through a gain that moves by at most d a sample and is at most
/// g, A becomes g A and D becomes g D + d A; sums add. A raised cosine over N frames moves by at most pi / (2 N) of its span. For modules that
/// are sums of their inputs.
/// </summary>
internal sealed class StepBounds(int rate, int quantum, Func<ReferenceModule, int, (double A, double D)> source)
{
    private readonly int _fade = ReferenceGain.FramesAt(rate);
    private readonly Dictionary<object, double> _before = new(ReferenceEqualityComparer.Instance); // what a gain moved by in the quantum before
    private readonly Dictionary<(ReferenceModule, int), (double A, double D)> _outputs = [];

    /// <summary>Largest step at each jack in the quantum that was rendered last.</summary>
    public double[] After(Reference reference)
    {
        var jacks = new double[Chain.Jacks];
        var now = new Dictionary<object, double>(ReferenceEqualityComparer.Instance);
        _outputs.Clear();
        foreach (var m in reference.Order)
        {
            for (var o = 0; o < m.OutChannels.Length; o++) _outputs[(m, o)] = Output(m, o, now);
        }

        foreach (var l in reference.Lines) jacks[l.Jack] += Through(_outputs[(l.Module, l.Port)], l.Ramp, l, now).D;
        _before.Clear();
        foreach (var (gain, moved) in now) _before[gain] = moved;
        return jacks;
    }

    private (double A, double D) Output(ReferenceModule m, int output, Dictionary<object, double> now)
    {
        var (own, passed) = (default((double A, double D)), default((double A, double D)));
        switch (m.Type.Descriptor.Id)
        {
            case "mixer":
                for (var i = 0; i < m.Cables.Length; i++)
                {
                    var input = Input(m, i, now);
                    var level = (double)m.Wanted(i) * m.Wanted(m.Cables.Length);
                    own = (own.A + (level * input.A), own.D + (level * input.D));
                    if (i == 0) passed = input;
                }

                break;
            case "audio-out":
                own = Input(m, output, now);
                break;
            default:
                own = source(m, output);
                break;
        }

        if (m.Type.Descriptor.Outputs[output].Kind != PortKind.Cable) passed = default;
        var (wet, dry) = (Through(own, m.Wet, (m, output, 0), now), Through(passed, m.Dry, (m, output, 1), now));
        return (wet.A + dry.A, wet.D + dry.D);
    }

    private (double A, double D) Input(ReferenceModule m, int input, Dictionary<object, double> now)
    {
        var sum = default((double A, double D));
        foreach (var c in m.Cables[input])
        {
            var (a, d) = Through(_outputs[(c.From, c.FromPort)], c.Ramp, c, now);
            sum = (sum.A + a, sum.D + d);
        }

        return sum;
    }

    // The first step of a quantum is still the way of the ramp before, if it was aimed anew.
    private (double A, double D) Through((double A, double D) signal, in ReferenceGain gain, object of, Dictionary<object, double> now)
    {
        var moves = gain.Age - quantum < _fade;
        var slope = moves ? Math.Abs((double)gain.To - gain.From) * Math.PI / (2 * _fade) : 0;
        var most = Math.Max(Math.Abs(gain.To), moves ? Math.Abs(gain.From) : 0);
        if (of is not ValueType) now[of] = slope;
        slope = Math.Max(slope, of is not ValueType && _before.TryGetValue(of, out var was) ? was : 0);
        return (most * signal.A, (most * signal.D) + (slope * signal.A));
    }
}
