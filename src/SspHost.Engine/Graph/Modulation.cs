// Parameters under voltages: on the grid, after the ramps, along the parameter's curve.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>A parameter that cables end at.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ModulationOp
{
    public CableOp* Cables;
    public int Count;
    public int Parameter;

    /// <summary>Its whole travel: in its unit, or in octaves where it is exponential.</summary>
    public float Span;

    public float Min, Max;
    public ParameterCurve Curve;

    /// <summary>Fills in what the parameter's range says.</summary>
    public void Set(ParameterRange* range)
    {
        (Min, Max, Curve) = (range->Min, range->Max, range->Curve);
        Span = Curve == ParameterCurve.Exponential ? MathF.Log2(Max / Min) : Max - Min;
    }

    /// <summary>The value <paramref name="travel"/> (1: from one end to the other) away from <paramref name="value"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float At(float value, float travel)
    {
        travel = MathF.Max(-1f, MathF.Min(travel, 1f));
        var v = Curve == ParameterCurve.Exponential ? value * Modulation.Exp2(travel * Span) : value + (travel * Span);
        if (Curve == ParameterCurve.Stepped) v = v < 0 ? -MathF.Floor(0.5f - v) : MathF.Floor(v + 0.5f);
        return MathF.Max(Min, MathF.Min(v, Max));
    }
}

/// <summary>
/// 10 V times the cable's gain are the whole travel. A grid point hears the last sample before it, so that its value does not depend on where quanta
/// begin; the first one of a quantum is the last one of the quantum before. [audio-thread or worker; one thread at a time per node]
/// </summary>
internal static unsafe class Modulation
{
    /// <summary>
    /// Moves the rows of the node's modulated parameters; those in <paramref name="filled"/> hold their values without voltages already, the others are
    /// constant. Bits of the parameters that move in this quantum.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Run(RenderState* state, Node* node, ulong filled)
    {
        var instance = node->Instance;
        var moving = Leave(instance, instance->Modulated & ~node->Modulated);
        instance->Modulated = node->Modulated;
        var segments = state->Frames / Limits.Grid;
        for (var m = 0; m < node->ModulationCount; m++)
        {
            var op = node->Modulations + m;
            var row = instance->Params + (op->Parameter * Limits.GridPoints);
            var volts = instance->Volts;
            volts[0] = instance->LastVolts[op->Parameter];
            for (var g = 1; g <= segments; g++) volts[g] = 0;
            for (var k = 0; k < op->Count; k++) Plug(state, op->Cables + k, volts, segments);
            instance->LastVolts[op->Parameter] = volts[segments];

            var bit = 1UL << op->Parameter;
            var still = (filled & bit) == 0;
            var constant = instance->Ramps[op->Parameter].Value;
            var moves = false;
            for (var g = 0; g <= segments; g++)
            {
                row[g] = op->At(still ? constant : row[g], volts[g] * 0.1f);
                moves |= row[g] != row[0];
            }

            if (moves) moving |= bit;
        }

        return moving;
    }

    // Its last cable has gone: the row is the ramp's again.
    private static ulong Leave(Instance* instance, ulong gone)
    {
        for (var todo = gone; todo != 0; todo &= todo - 1)
        {
            var p = System.Numerics.BitOperations.TrailingZeroCount(todo);
            instance->LastVolts[p] = 0;
            if ((instance->Ramping >> p & 1) != 0) continue; // it has just been filled
            var row = instance->Params + (p * Limits.GridPoints);
            for (var g = 0; g < Limits.GridPoints; g++) row[g] = instance->Ramps[p].Value;
        }

        return gone;
    }

    // Adds what a cable says at the end of each segment: its first channel.
    private static void Plug(RenderState* state, CableOp* cable, float* volts, int segments)
    {
        var silent = cable->SourceFlags != null && (*cable->SourceFlags & SignalFlags.Silent) != 0;
        var gain = cable->Gain;
        if (cable->Ramp != null)
        {
            var ramp = &cable->Ramp->Gain;
            gain = ramp->Target;
            if (!ramp->Rests(state->FadeFrames))
            {
                var span = ramp->Target - ramp->Start;
                for (var g = 1; g <= segments && !silent; g++)
                {
                    var at = (g * Limits.Grid) - 1;
                    volts[g] += cable->Source[at] * (ramp->Start + (span * state->FadeShape[ramp->At + at]));
                }

                ramp->At += state->Frames;
                return;
            }
        }

        if (silent || gain == 0) return;
        for (var g = 1; g <= segments; g++) volts[g] += cable->Source[(g * Limits.Grid) - 1] * gain;
    }

    /// <summary>
    /// 2 to the power of <paramref name="x"/>, -126..126: the Taylor series of the fraction in -0.5..0.5, less than 0.001 cent off. The same bits on
    /// every machine.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Exp2(float x)
    {
        x = MathF.Max(-126f, MathF.Min(x, 126f));
        var whole = MathF.Floor(x + 0.5f);
        var f = x - whole;
        var p = 1f + (f * (0.69314718f + (f * (0.24022651f + (f * (0.05550411f + (f * (0.00961813f + (f * (0.00133336f + (f * 0.00015404f)))))))))));
        return p * BitConverter.Int32BitsToSingle(((int)whole + 127) << 23);
    }
}
