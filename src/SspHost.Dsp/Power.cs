// Two to a power in double precision, for constants that are multiplied a million times.
namespace SspHost.Dsp;

/// <summary>By series, without libm, so that every platform has the same bits.</summary>
public static class Power
{
    private const double Ln2 = 0.693147180559945309417;

    /// <summary>2^x for x in [-1000, 1000]; relative error below 1e-15.</summary>
    public static double Exp2(double x)
    {
        x = Math.Min(Math.Max(x, -1000.0), 1000.0);
        var whole = Math.Floor(x + 0.5);
        var r = (x - whole) * Ln2;
        var (term, sum) = (1.0, 1.0);
        for (var k = 1; k <= 14; k++)
        {
            term *= r / k;
            sum += term;
        }

        return sum * BitConverter.Int64BitsToDouble(((long)whole + 1023L) << 52);
    }
}
