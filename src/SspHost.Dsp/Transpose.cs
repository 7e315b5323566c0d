// Four rows of four become four columns: between samples side by side and voices side by side.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
#if !PORTABLE
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
#endif

namespace SspHost.Dsp;

/// <summary>A 4 x 4 matrix turned over in registers.</summary>
public static class Transpose
{
    /// <summary>Element i of vector j changes places with element j of vector i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Four(ref Vector128<float> a, ref Vector128<float> b, ref Vector128<float> c, ref Vector128<float> d)
    {
        Interleave(a, c, out var acLow, out var acHigh);
        Interleave(b, d, out var bdLow, out var bdHigh);
        Interleave(acLow, bdLow, out a, out b);
        Interleave(acHigh, bdHigh, out c, out d);
    }

    // x0 y0 x1 y1 and x2 y2 x3 y3.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Interleave(Vector128<float> x, Vector128<float> y, out Vector128<float> low, out Vector128<float> high)
    {
#if !PORTABLE
        if (Sse.IsSupported)
        {
            low = Sse.UnpackLow(x, y);
            high = Sse.UnpackHigh(x, y);
            return;
        }

        if (AdvSimd.Arm64.IsSupported)
        {
            low = AdvSimd.Arm64.ZipLow(x, y);
            high = AdvSimd.Arm64.ZipHigh(x, y);
            return;
        }
#endif
        low = Vector128.Create(x[0], y[0], x[1], y[1]);
        high = Vector128.Create(x[2], y[2], x[3], y[3]);
    }
}
