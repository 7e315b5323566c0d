// A parameter's way from one end to the other: what an encoder, a controller, a morph and a voltage move along.
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>Travel is 0 at a parameter's minimum and 1 at its maximum, along its curve.</summary>
public static class ParameterTravel
{
    /// <summary>Where a value stands, 0..1.</summary>
    public static float Of(ParameterDescriptor parameter, float value) => (float)Travel.Of(parameter.Curve, parameter.Min, parameter.Max, value);

    /// <summary>The value at a place of the travel; within the parameter's range for whatever it is given, and whole where it is stepped.</summary>
    public static float At(ParameterDescriptor parameter, double travel) => Travel.At(parameter.Curve, parameter.Min, parameter.Max, travel);

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
