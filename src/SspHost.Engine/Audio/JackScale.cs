// One jack's straight line between volts and the converter's codes, both ways.
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>
/// volts = zero + fullScale * code / unit. Double precision: a 24-bit code turned into float volts and back is the same code (the
/// spacing of floats below 10 V, 2^-20 V, is finer than the codes', 10 V * 2^-23; in single precision the way back would round twice).
/// </summary>
internal readonly struct JackScale
{
    private readonly double _fullScale, _zero;

    /// <param name="fullScale">Volts between the sample values 0 and 1; 0 = not calibrated.</param>
    /// <param name="zero">Volts at sample value 0.</param>
    internal JackScale(float fullScale, float zero) => (_fullScale, _zero) = (fullScale == 0 ? Volts.FullScale : fullScale, zero);

    /// <summary>Codes of a volt, where <paramref name="unit"/> is the code of sample value 1.0.</summary>
    internal double CodesPerVolt(double unit) => unit / _fullScale;

    /// <summary>Code of 0 V.</summary>
    internal double CodeOfZero(double unit) => -_zero * unit / _fullScale;

    /// <summary>Volts of a code.</summary>
    internal double VoltsPerCode(double unit) => _fullScale / unit;

    /// <summary>Volts at code 0.</summary>
    internal double Zero => _zero;

    /// <summary>Whether a line can be meant: finite, and a full scale that some converter has (or 0, not calibrated).</summary>
    internal static bool IsPossible(float fullScale, float zero) =>
        float.IsFinite(zero) && MathF.Abs(zero) <= AudioConfig.MaxFullScale
        && (fullScale == 0 || MathF.Abs(fullScale) is >= AudioConfig.MinFullScale and <= AudioConfig.MaxFullScale);
}
