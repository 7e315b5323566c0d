// A gain on its way: the raised cosine by which everything comes and goes without a click.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>
/// From the gain it had when it was aimed to its target over 5 ms, along (1 - cos) / 2: no step, and no corner
/// at either end. Aimed again on its way it goes on from where it is.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct GainRamp
{
    /// <summary>Length of a ramp in seconds.</summary>
    public const float Seconds = 0.005f;

    /// <summary>Most frames of a ramp, and values of a shape: beyond its end it is 1 for a whole quantum, so that a quantum needs no seam.</summary>
    public const int MaxFrames = (int)(Limits.MaxRate * Seconds), ShapeLength = MaxFrames + Limits.MaxQuantum;

    public float Start, Target;

    /// <summary>Frames done since it was aimed.</summary>
    public int At;

    /// <summary>A gain at rest.</summary>
    public static GainRamp Resting(float gain) => new() { Start = gain, Target = gain, At = MaxFrames };

    /// <summary>Frames of a ramp at <paramref name="rate"/> Hz: whole grid segments, so that it ends at the same frame at every quantum.</summary>
    public static int FramesAt(float rate) => (int)MathF.Round(rate * Seconds / Limits.Grid) * Limits.Grid;

    /// <summary>Fills a shape of <see cref="ShapeLength"/> values for ramps of <paramref name="frames"/> frames.</summary>
    public static void FillShape(float* shape, int frames)
    {
        for (var i = 0; i < ShapeLength; i++) shape[i] = i < frames ? (float)(0.5 - (0.5 * Math.Cos(Math.PI * i / frames))) : 1f;
    }

    /// <summary>Whether it has arrived.</summary>
    public readonly bool Rests(int frames) => At >= frames;

    /// <summary>Whether it has arrived at zero.</summary>
    public readonly bool IsOff(int frames) => At >= frames && Target == 0f;

    /// <summary>The gain of the next frame.</summary>
    public readonly float Now(float* shape, int frames) => At >= frames ? Target : Start + ((Target - Start) * shape[At]);

    /// <summary>From where it is to <paramref name="target"/>.</summary>
    public void Aim(float target, float* shape, int frames)
    {
        Start = Now(shape, frames);
        Target = target;
        At = Start == target ? frames : 0;
    }

    /// <summary>to = from * gain, a quantum long.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public readonly void Scale(float* to, float* from, float* shape, int frames) => Lanes.ScaleAlong(to, from, shape + At, Start, Target - Start, frames);

    /// <summary>to += from * gain, a quantum long.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public readonly void Add(float* to, float* from, float* shape, int frames) => Lanes.AddAlong(to, from, shape + At, Start, Target - Start, frames);
}

/// <summary>A cable's ramp, alive as long as a plan uses it: a new plan goes on from where the old one has come to.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CableRamp
{
    public GainRamp Gain;

    /// <summary>Plans alive that use it. [steward]</summary>
    public int Refs;
}

/// <summary>What the next plan finds of a cable by its identity.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct GainEntry
{
    public ulong Id;

    /// <summary>Its ramp; null: the gain is constant.</summary>
    public CableRamp* Ramp;

    /// <summary>Gain this plan wants of it.</summary>
    public float Gain;

    private readonly int _pad;
}

/// <summary>A ramp that begins when the plan is taken.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct GainAim
{
    public CableRamp* Ramp;
    public float Target;
    private readonly int _pad;
}

/// <summary>The gains of a plan by identity: open addressing, half empty at most.</summary>
internal static unsafe class GainTable
{
    /// <summary>Places for <paramref name="gains"/> entries, a power of two.</summary>
    public static int Places(int gains) => (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(2, gains * 2));

    /// <summary>Where an identity stands, or would: look at its Id.</summary>
    public static GainEntry* Find(GainEntry* table, int places, ulong id)
    {
        var at = (int)((id * 0x9E37_79B9_7F4A_7C15) >> 32) & (places - 1);
        while (table[at].Id != 0 && table[at].Id != id) at = (at + 1) & (places - 1);
        return table + at;
    }
}
