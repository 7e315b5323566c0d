// Double-precision functions for building tables: by series, so that every platform builds the same table.
namespace SspHost.Dsp;

/// <summary>sin(pi x) and the Bessel function I0. Slow, off the RT threads only.</summary>
public static class ExactMath
{
    /// <summary>sin(pi x); Taylor series on the reduced range, error below 1e-15.</summary>
    public static double SinPi(double x)
    {
        x -= 2.0 * Math.Floor((x + 1.0) * 0.5);
        if (x > 0.5) x = 1.0 - x;
        else if (x < -0.5) x = -1.0 - x;
        var r = x * Math.PI;
        var (term, sum) = (r, r);
        for (var k = 1; k <= 12; k++)
        {
            term *= -r * r / (2.0 * k * ((2.0 * k) + 1.0));
            sum += term;
        }

        return sum;
    }

    /// <summary>sin(pi x) / (pi x).</summary>
    public static double Sinc(double x) => Math.Abs(x) < 1e-9 ? 1.0 : SinPi(x) / (Math.PI * x);

    /// <summary>I0(x), modified Bessel function of the first kind; power series, |x| &lt;= 30.</summary>
    public static double BesselI0(double x)
    {
        var (term, sum) = (1.0, 1.0);
        for (var k = 1; term > sum * 1e-18; k++)
        {
            term *= x * x / (4.0 * k * k);
            sum += term;
        }

        return sum;
    }
}
