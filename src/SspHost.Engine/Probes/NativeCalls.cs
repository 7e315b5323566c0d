// The C part: flush-to-zero, the cycle counter, the raw thread id.
using System.Runtime.InteropServices;

namespace SspHost.Engine.Probes;

/// <summary>P/Invokes into libssphost_native: a .so beside managed builds, linked into native images.</summary>
internal static partial class NativeCalls
{
    private const string Library = "libssphost_native";

    /// <summary>MXCSR or FPCR of the calling thread.</summary>
    [LibraryImport(Library, EntryPoint = "ssp_float_control")]
    [SuppressGCTransition]
    internal static partial ulong FloatControl();

    /// <summary>Switches flush-to-zero of the calling thread; 1 if it reads back as asked.</summary>
    [LibraryImport(Library, EntryPoint = "ssp_set_flush_to_zero")]
    [SuppressGCTransition]
    internal static partial int SetFlushToZero(int on);

    /// <summary>1 where the calling thread flushes denormals to zero.</summary>
    [LibraryImport(Library, EntryPoint = "ssp_flush_to_zero")]
    [SuppressGCTransition]
    internal static partial int FlushToZero();

    [LibraryImport(Library, EntryPoint = "ssp_cycles")]
    [SuppressGCTransition]
    internal static partial ulong Cycles();

    /// <summary>1 where the counter runs at one constant rate.</summary>
    [LibraryImport(Library, EntryPoint = "ssp_cycles_constant")]
    [SuppressGCTransition]
    internal static partial int CyclesConstant();

    /// <summary>Ticks per second against CLOCK_MONOTONIC; sleeps for <paramref name="ns"/>.</summary>
    [LibraryImport(Library, EntryPoint = "ssp_measure_frequency")]
    internal static partial double MeasureFrequency(ulong ns);

    /// <summary>Ticks per second as the architecture states them, or 0.</summary>
    [LibraryImport(Library, EntryPoint = "ssp_stated_frequency")]
    [SuppressGCTransition]
    internal static partial ulong StatedFrequency();

    /// <summary>The kernel's id of the calling thread.</summary>
    [LibraryImport(Library, EntryPoint = "ssp_gettid")]
    [SuppressGCTransition]
    internal static partial int GetTid();
}
