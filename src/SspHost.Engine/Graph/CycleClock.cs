// The clock of per-module times, in one place so that a cycle counter can take its seat.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>Nanoseconds for differences; CLOCK_MONOTONIC through the vDSO.</summary>
internal static class CycleClock
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Now() => Linux.Now();
}
