// Random numbers that repeat: one small state per user, seeded by the host.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>xorshift64* (Marsaglia 2003, Vigna 2016). Zeroed memory must be seeded before use.</summary>
public struct Xorshift
{
    private ulong _state;

    /// <summary>Starts the sequence of <paramref name="seed"/>; any seed is good (splitmix64 finalizer).</summary>
    public Xorshift(ulong seed)
    {
        seed += 0x9E37_79B9_7F4A_7C15UL;
        seed = (seed ^ (seed >> 30)) * 0xBF58_476D_1CE4_E5B9UL;
        seed = (seed ^ (seed >> 27)) * 0x94D0_49BB_1331_11EBUL;
        seed ^= seed >> 31;
        _state = seed == 0 ? 1 : seed;
    }

    /// <summary>Where in the sequence it is, to be saved; setting 0 is ignored, as that is no state.</summary>
    public ulong State
    {
        readonly get => _state;
        set => _state = value == 0 ? _state : value;
    }

    /// <summary>Uniform in [0, 1), 24 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float NextUnipolar() => (int)(Next() >> 40) * (1f / (1 << 24));

    /// <summary>Sixty-four random bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Next()
    {
        var x = _state;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        _state = x;
        return x * 0x2545_F491_4F6C_DD1DUL;
    }

    /// <summary>Uniform in [-1, 1), 24 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float NextBipolar() => ((int)(Next() >> 40) - (1 << 23)) * (1f / (1 << 23));
}
