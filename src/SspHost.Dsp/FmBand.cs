// How far up a modulated operator reaches, and how far its modulators must be turned down to stay below a frequency.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>What an operator is as a modulator, in four voices.</summary>
/// <param name="index">How far it swings a phase, in radians.</param>
/// <param name="fastest">The highest frequency that counts in it, in turns a frame.</param>
public readonly struct FmReach(Vector128<float> index, Vector128<float> fastest)
{
    /// <summary>Radians.</summary>
    public readonly Vector128<float> Index = index;

    /// <summary>Turns a frame.</summary>
    public readonly Vector128<float> Fastest = fastest;
}

/// <summary>
/// A phase f t + sum I sin(p) never turns faster than f + sum I F, where F is the fastest p turns: Carson's rule with towers of modulators.
/// Beyond that the spectrum falls off: J_n(I) is below 1e-4 from n = I + 3 sqrt(I) + 1.6 on (for I up to 40), so that an operator needs
/// f + sum I F + 3 sqrt(sum I F^2) + 1.6 max F. That is solved for the factor of all I with which it fits under a given top. As a
/// modulator of the next in the tower it counts with its fastest and a part of what falls off, since that modulates, too.
/// </summary>
public struct FmBand
{
    // A loop of a phase upon itself turns 1 / (1 - index) as fast; beyond this much it is a noise, whose band nothing limits.
    private const float MostSpeed = 8f;

    private const float Tail = 3f, Least = 1.6f, Passed = 0.6f;

    private readonly Vector128<float> _frequency;
    // One sideband of a modulator counts from -80 dB on.
    private const float Heard = 1e4f;

    private Vector128<float> _speed, _spread, _largest;

    /// <summary>An operator of a frequency in turns a frame.</summary>
    public FmBand(Vector128<float> frequency) => _frequency = frequency;

    /// <summary>One that modulates it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(in FmReach modulator)
    {
        var speed = modulator.Index * modulator.Fastest;
        _speed += speed;
        _spread += speed * modulator.Fastest;
        var counts = Vector128.MinNative(modulator.Index * Vector128.Create(Heard), Vector128<float>.One);
        _largest = Vector128.MaxNative(_largest, modulator.Fastest * counts);
    }

    /// <summary>
    /// Root of the factor 0..1 of the modulators with which nothing that counts lies above <paramref name="top"/>.
    /// </summary>
    public readonly Vector128<float> Root(Vector128<float> top)
    {
        // u^2 D + u b = room, u the root of the factor.
        var room = Vector128.MaxNative(top - _frequency - (Vector128.Create(Least) * _largest), Vector128<float>.Zero);
        var b = Vector128.Create(Tail) * Vector128.Sqrt(_spread);
        var root = Vector128.Sqrt((Vector128.Create(Tail * Tail) * _spread) + (Vector128.Create(4f) * _speed * room));
        var u = (room + room) / Vector128.MaxNative(b + root, Vector128.Create(1e-20f));
        return Vector128.MinNative(u, Vector128<float>.One);
    }

    /// <summary>What it reaches as a modulator with that root and a feedback of so many radians upon itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Vector128<float> Fastest(Vector128<float> root, Vector128<float> feedback)
    {
        var slack = Vector128.MaxNative(Vector128<float>.One - feedback, Vector128.Create(1f / MostSpeed));
        var beyond = Vector128.Create(Passed) * (Vector128.Sqrt(_spread) + _largest);
        return (_frequency + (root * ((root * _speed) + beyond))) / slack;
    }
}
