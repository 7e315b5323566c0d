// A parameter's way from one end to the other: what an encoder, a controller, a morph and a voltage move along.
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>Travel is 0 at a parameter's minimum and 1 at its maximum, along its curve.</summary>
public static class ParameterTravel
{
    /// <summary>Where a value stands, 0..1.</summary>
    public static float Of(ParameterDescriptor parameter, float value)
    {
        var (min, max) = (parameter.Min, parameter.Max);
        if (!(max > min)) return 0;
        var at = parameter.Curve == ParameterCurve.Exponential && min > 0
            ? Math.Log(Math.Max(value, min) / (double)min) / Math.Log(max / (double)min)
            : (value - (double)min) / (max - (double)min);
        return double.IsFinite(at) ? (float)Math.Clamp(at, 0, 1) : 0;
    }

    /// <summary>The value at a place of the travel; within the parameter's range for whatever it is given, and whole where it is stepped.</summary>
    public static float At(ParameterDescriptor parameter, double travel)
    {
        var (min, max) = (parameter.Min, parameter.Max);
        if (!(max > min)) return min;
        travel = double.IsFinite(travel) ? Math.Clamp(travel, 0, 1) : 0;
        var value = parameter.Curve == ParameterCurve.Exponential && min > 0
            ? min * Math.Pow(max / (double)min, travel)
            : min + (travel * (max - (double)min));
        if (parameter.Curve == ParameterCurve.Stepped) value = Math.Round(value, MidpointRounding.AwayFromZero);
        return Math.Clamp((float)value, min, max);
    }

    /// <summary>
    /// The value after a turn of an encoder: a hundred <paramref name="amount"/> are the whole travel; a pitch moves by semitones, and by cents
    /// where <paramref name="fine"/>; what is stepped by <paramref name="detents"/>.
    /// </summary>
    public static float Turned(ParameterDescriptor parameter, float value, double amount, int detents, bool fine)
    {
        if (parameter.Curve == ParameterCurve.Stepped) return Math.Clamp(value + detents, parameter.Min, parameter.Max);
        if (parameter.Unit == "V/oct")
        {
            // Cents are counted whole, so that a turn there and back is where it was.
            var cents = Math.Round(value * 1200.0) + (fine ? detents : 100.0 * Math.Round(amount));
            return Math.Clamp((float)(cents / 1200), parameter.Min, parameter.Max);
        }

        return At(parameter, Of(parameter, value) + (amount / 100));
    }
}
