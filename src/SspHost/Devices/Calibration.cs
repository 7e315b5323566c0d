// What the calibration of a device's jacks is: a straight line each, from two points a person measured.
using System.Globalization;
using SspHost.Abi;

namespace SspHost.Devices;

/// <summary>Directions of a jack.</summary>
internal enum JackSide
{
    Out,
    In,
}

/// <summary>A jack: which way, and its number from 1.</summary>
internal readonly record struct Jack(JackSide Side, int Number)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(Side == JackSide.Out ? "out" : "in")} {Number}");
}

/// <summary>A jack's line: <c>volts = Zero + FullScale * sample</c>, where 1.0 is the converter's full scale.</summary>
/// <param name="FullScale">Volts between sample values 0 and 1; negative where the converter inverts.</param>
/// <param name="Zero">Volts at sample value 0.</param>
internal readonly record struct JackLine(float FullScale, float Zero)
{
    /// <summary>A card that nobody calibrated.</summary>
    public static JackLine Nominal => new(NominalFullScale, 0);

    /// <summary>Volts at full scale without calibration, as the engine's cards have it.</summary>
    public const float NominalFullScale = 10f;

    /// <summary>
    /// The line through two points, or what is wrong with them. The samples lie apart by at least a tenth of full scale: closer ones would
    /// make a line of the meter's last digit.
    /// </summary>
    public static (JackLine Line, string? Wrong) Through((double Sample, double Volts) a, (double Sample, double Volts) b)
    {
        const double Apart = 0.1;
        if (Math.Abs(b.Sample - a.Sample) < Apart) return (Nominal, string.Create(CultureInfo.InvariantCulture, $"the two points are {Math.Abs(b.Sample - a.Sample) * NominalFullScale:0.###} V apart at the converter, expected at least {Apart * NominalFullScale:0} V: is the cable in the right jack?"));
        var full = (b.Volts - a.Volts) / (b.Sample - a.Sample);
        var zero = a.Volts - (full * a.Sample);
        if (!new JackLine((float)full, (float)zero).IsPossible)
            return (Nominal, string.Create(CultureInfo.InvariantCulture, $"these points mean {full:0.###} V at full scale and {zero:0.###} V at zero; expected {AudioConfig.MinFullScale:0.#} to {AudioConfig.MaxFullScale:0} V: were the voltages read at that jack?"));
        return (new JackLine((float)full, (float)zero), null);
    }

    /// <summary>Whether some converter can be so.</summary>
    public bool IsPossible => Math.Abs(FullScale) is >= AudioConfig.MinFullScale and <= AudioConfig.MaxFullScale && Math.Abs(Zero) <= AudioConfig.MaxFullScale;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"full scale {FullScale:0.0000} V (gain {FullScale / NominalFullScale:0.00000}), zero at {Zero * 1000:0.00} mV");
}
