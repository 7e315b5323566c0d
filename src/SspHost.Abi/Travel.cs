// A parameter's way from one end to the other, in numbers: the same for the panel's knobs and for controllers in the engine.
namespace SspHost.Abi;

/// <summary>Travel is 0 at a parameter's minimum and 1 at its maximum, along its curve.</summary>
public static class Travel
{
    /// <summary>Where a value stands, 0..1.</summary>
    public static double Of(ParameterCurve curve, float min, float max, float value)
    {
        if (!(max > min)) return 0;
        var at = curve == ParameterCurve.Exponential && min > 0
            ? Math.Log(Math.Max(value, min) / (double)min) / Math.Log(max / (double)min)
            : (value - (double)min) / (max - (double)min);
        return double.IsFinite(at) ? Math.Clamp(at, 0, 1) : 0;
    }

    /// <summary>The value at a place of the travel; within the range for whatever it is given, and whole where it is stepped.</summary>
    public static float At(ParameterCurve curve, float min, float max, double travel)
    {
        if (!(max > min)) return min;
        travel = double.IsFinite(travel) ? Math.Clamp(travel, 0, 1) : 0;
        var value = curve == ParameterCurve.Exponential && min > 0
            ? min * Math.Pow(max / (double)min, travel)
            : min + (travel * (max - (double)min));
        if (curve == ParameterCurve.Stepped) value = Math.Round(value, MidpointRounding.AwayFromZero);
        return Math.Max(min, Math.Min((float)value, max)); // no Math.Clamp: it can throw, and real-time threads call this
    }
}
