// What a number of the converter means in volts: the one place that says so.
namespace SspHost.Engine.Audio;

/// <summary>
/// Full scale of a card without calibration. DC-coupled Eurorack converters span about +-10 V, so that audio (+-5 V) keeps 6 dB of
/// headroom and
/// 0..10 V of CV fits; files use the same scale.
/// </summary>
public static class Volts
{
    /// <summary>Volts at a sample value of 1.0.</summary>
    public const float FullScale = 10f;

    /// <summary>Sample value of 1 V.</summary>
    public const float PerVolt = 1f / FullScale;
}
