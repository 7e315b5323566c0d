// A load in 16 bits: exact enough for every quantum of an hour, small enough to keep them all.
namespace SspHost.Diagnostics.Html;

/// <summary>
/// Load = render time / budget, as a code. 0 is a gap: nobody knows that quantum. Codes grow with the load, so that sorting or comparing codes
/// sorts or compares loads. In units of 2^-17 (5 ns of a budget of 667 us): codes below 8192 are that many units; above, the upper four
/// bits less one are a shift s and the lower twelve a mantissa m, (4096 + m) * 2^s units. So the step is 2^-17 below a load of 1/16 and at most
/// 1/4096 of the load above; the error is half a step. The largest code, a load of 1023.875, stands for everything beyond, too.
/// </summary>
public static class LoadCode
{
    /// <summary>Nothing is known of this quantum.</summary>
    public const ushort Gap = 0;

    /// <summary>A load of exactly 1: the whole budget. Everything above it was late.</summary>
    public const ushort One = 6 << MantissaBits;

    private const int MantissaBits = 12;
    private const double UnitsInOne = 1 << 17;

    /// <summary>The code of a load. Rounds to the nearest, yet what is above 1 stays above 1. What is no number is a gap, what is below the smallest is the smallest.</summary>
    public static ushort Encode(double load)
    {
        if (double.IsNaN(load)) return Gap;
        var units = load * UnitsInOne;
        if (units < 1.5) return 1;
        if (units >= (double)(8191 << 14)) return ushort.MaxValue;
        var shift = Math.Max(0, Math.ILogB(units) - MantissaBits);
        var code = (shift << MantissaBits) + (int)Math.Round(Math.ScaleB(units, -shift), MidpointRounding.ToEven);
        return (ushort)(code == One && load > 1 ? One + 1 : code);
    }

    /// <summary>The load of a code, exactly; not a number for a gap.</summary>
    public static double Decode(ushort code)
    {
        if (code == Gap) return double.NaN;
        if (code < 2 << MantissaBits) return code / UnitsInOne;
        return Math.ScaleB((code & ((1 << MantissaBits) - 1)) + (1 << MantissaBits), (code >> MantissaBits) - 1) / UnitsInOne;
    }
}
