// A ceiling that nothing hits its head on: exact below 10 V, bent towards 20 V above.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>What keeps a feedback path from running away whatever goes round in it.</summary>
public static class SoftLimit
{
    private const float Knee = 10f;

    /// <summary>x up to <see cref="Knee"/> V; beyond, Knee + over / (1 + over / Knee), continuous in its slope. Never above 20 V.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Bend(Vector128<float> x)
    {
        var size = Vector128.Abs(x);
        var over = size - Vector128.Create(Knee);
        if (!Vector128.GreaterThanAny(over, Vector128<float>.Zero)) return x;
        var bent = Vector128.Create(Knee) + (over / (Vector128<float>.One + (over * Vector128.Create(1f / Knee))));
        bent = Vector128.ConditionalSelect(Vector128.GreaterThan(over, Vector128<float>.Zero), bent, size);
        return bent | (x & Vector128.Create(-0f));
    }

    /// <inheritdoc cref="Bend(Vector128{float})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Bend(float x)
    {
        var over = Math.Abs(x) - Knee;
        return over <= 0f ? x : MathF.CopySign(Knee + (over / (1f + (over / Knee))), x);
    }
}
