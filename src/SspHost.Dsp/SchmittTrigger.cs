// Gates and triggers as Eurorack reads them: high above 1 V, low again below 0.1 V.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>A comparator with hysteresis. Zeroed memory is the low state.</summary>
public struct SchmittTrigger
{
    /// <summary>Volts at and above which the state becomes high.</summary>
    public const float High = 1f;

    /// <summary>Volts at and below which the state becomes low.</summary>
    public const float Low = 0.1f;

    /// <summary>Whether the gate is high.</summary>
    public bool IsHigh { get; private set; }

    /// <summary>Takes one sample; true at a rising edge.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Rises(float volts)
    {
        if (IsHigh)
        {
            if (volts <= Low) IsHigh = false;
            return false;
        }

        if (!(volts >= High)) return false;
        IsHigh = true;
        return true;
    }
}
