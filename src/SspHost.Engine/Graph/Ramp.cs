// A parameter on its way: values on the 16-frame grid that are the same at every quantum.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>
/// State of one parameter. A move at frame F starts at the grid point at or before F and arrives 10 ms later (a stepped parameter: one
/// grid point later). The grid counts frames, not quanta, so the values at grid points do not depend on the quantum.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Ramp
{
    /// <summary>Length of a ramp in seconds.</summary>
    public const float Seconds = 0.010f;

    /// <summary>Value at grid point <see cref="At"/> of this quantum, where it goes, and what each grid point adds or multiplies.</summary>
    public float Value, Target, Step;

    /// <summary>Grid points to go until Target.</summary>
    public int Left;

    /// <summary>Points of this quantum's row that are final; 0 between quanta.</summary>
    public int At;

    /// <summary>1: Step is a factor.</summary>
    public int Geometric;

    /// <summary>Grid points of a ramp at <paramref name="rate"/> Hz.</summary>
    public static int StepsAt(float rate) => Math.Max(1, (int)MathF.Round(rate * Seconds / Limits.Grid));

    /// <summary>Fills the row up to and including grid point <paramref name="point"/>.</summary>
    public void AdvanceTo(float* row, int point)
    {
        var v = Value;
        row[At] = v;
        while (At < point)
        {
            if (Left > 0)
            {
                Left--;
                v = Left == 0 ? Target : Geometric != 0 ? v * Step : v + Step; // arrives exactly, whatever was rounded on the way
            }

            row[++At] = v;
        }

        Value = v;
    }

    /// <summary>From the grid point reached so far, go to <paramref name="target"/> in <paramref name="steps"/> grid points.</summary>
    public void Aim(float target, int steps, ParameterCurve curve)
    {
        Target = target;
        Left = curve == ParameterCurve.Stepped ? 1 : steps;
        // Both ends of an exponential parameter are positive (checked when the module was registered), so the ratio is too.
        Geometric = curve == ParameterCurve.Exponential ? 1 : 0;
        Step = Geometric != 0 ? MathF.Pow(target / Value, 1f / Left) : (target - Value) / Left;
    }
}
