// Denormals are zero on every thread that renders, or a decaying filter costs more than a loud one and results differ between threads.
using SspHost.Engine.Probes;

namespace SspHost.Engine.Threads;

/// <summary>MXCSR FTZ and DAZ on x86-64, FPCR.FZ on arm64. Per thread: offline and test threads that render set it too.</summary>
public static class FlushToZero
{
    /// <summary>Switches it on for the calling thread; false if the register does not keep it.</summary>
    public static bool Enable() => NativeCalls.SetFlushToZero(1) != 0;

    /// <summary>Back to what the language promises, for threads that also do ordinary work.</summary>
    public static bool Disable() => NativeCalls.SetFlushToZero(0) != 0;

    /// <summary>What the register says.</summary>
    public static bool IsEnabled => NativeCalls.FlushToZero() != 0;

    /// <summary>The whole control register, for reports.</summary>
    public static ulong ControlRegister => NativeCalls.FloatControl();
}
