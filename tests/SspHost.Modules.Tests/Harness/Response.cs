// Frequency responses of filters from their answer to one small impulse, and how far they are from what mathematics asks for.
namespace SspHost.Modules.Tests;

/// <summary>Magnitudes by the definition of the Fourier transform, in double precision.</summary>
public static class Response
{
    /// <summary>Third octaves and a few between, from 25 Hz up to <paramref name="highest"/>.</summary>
    public static double[] Grid(double highest)
    {
        var list = new List<double>();
        for (var f = 25.0; f < highest; f *= Math.Pow(2.0, 1.0 / 4.0)) list.Add(f);
        list.Add(highest);
        return [.. list];
    }

    /// <summary>The answer at <paramref name="output"/> to an impulse of <paramref name="volts"/> at input 0, per volt.</summary>
    public static double[] Impulse(Rig rig, string output, int frames, float volts = 0.01f)
    {
        var port = rig.Descriptor.Inputs.Count > 0 ? 0 : -1;
        var others = rig.Input;
        rig.Input = (p, c, frame) => p == port ? frame == 0 ? volts : 0f : others(p, c, frame);
        return [.. rig.Run(output, frames).Select(v => v / (double)volts)];
    }

    /// <summary>Its value at <paramref name="turns"/> per frame.</summary>
    public static System.Numerics.Complex At(double[] impulse, double turns)
    {
        // Horner's rule on the unit circle.
        var z = System.Numerics.Complex.FromPolarCoordinates(1.0, -2.0 * Math.PI * turns);
        var sum = System.Numerics.Complex.Zero;
        for (var i = impulse.Length - 1; i >= 0; i--) sum = (sum * z) + impulse[i];
        return sum;
    }

    /// <summary>
    /// The largest difference in dB between an impulse's spectrum and <paramref name="wanted"/> (a magnitude at Hz) up to
    /// <paramref name="highest"/> Hz, where what is wanted is above <paramref name="floor"/> dB.
    /// </summary>
    public static double Worst(double[] impulse, double rate, double highest, Func<double, double> wanted, double floor = -24.0)
    {
        var hertz = Grid(highest);
        double worst = 0;
        foreach (var f in hertz)
        {
            var want = Spectrum.Decibels(wanted(f));
            if (want < floor) continue;
            worst = Math.Max(worst, Math.Abs(Spectrum.Decibels(At(impulse, f / rate).Magnitude) - want));
        }

        return worst;
    }
}
