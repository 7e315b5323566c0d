// One turn of a spin loop: tells the core that this thread only waits.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using SspHost.Abi;

namespace SspHost.Engine.Graph;

internal static class PauseHint
{
    /// <summary>A pause on x86 (20-70 ns), a yield on arm64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Once()
    {
        if (X86Base.IsSupported) X86Base.Pause();
        else if (ArmBase.IsSupported) ArmBase.Yield();
    }

    /// <summary>Turns per microsecond on this core: best of several runs, since an interruption only makes a run longer. [steward]</summary>
    public static int PerMicrosecond()
    {
        const int Turns = 2000;
        var best = ulong.MaxValue;
        for (var run = 0; run < 5; run++)
        {
            var start = Linux.Now();
            for (var i = 0; i < Turns; i++) Once();
            best = Math.Min(best, Linux.Now() - start);
        }

        return (int)Math.Clamp(Turns * 1000UL / Math.Max(1, best), 1, 2000);
    }
}
