// What main.c calls.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.Kernels;

/// <summary>The C side of <see cref="Stage"/>. Never called from C#.</summary>
public static unsafe class Exports
{
    [UnmanagedCallersOnly(EntryPoint = "ssp_kernel_prepare")]
    public static int Prepare(Stage* stage, Score* score, long arenaBytes) => PrepareNow(stage, score, arenaBytes);

    [UnmanagedCallersOnly(EntryPoint = "ssp_kernel_play")]
    public static int Play(Stage* stage, int quanta) => PlayNow(stage, quanta);

    /// <summary>Where the samples of the last quantum are.</summary>
    [UnmanagedCallersOnly(EntryPoint = "ssp_kernel_output")]
    public static float* Output(Stage* stage) => stage->Output;

    /// <summary>What the compiler wants of an executable; an object with exports is all that is used of it.</summary>
    public static int Main() => 0;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int PrepareNow(Stage* stage, Score* score, long arenaBytes) => Stage.Prepare(stage, in *score, arenaBytes) ? 0 : 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int PlayNow(Stage* stage, int quanta) => Stage.Play(stage, quanta) ? 0 : 1;
}
