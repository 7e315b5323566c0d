// Rules broken by waiting or writing: locks, sleeps, the console.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Violations;

internal struct LockModule : IViolation<LockModule>
{
    public static string Name => "lock";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ProcessResult Process(ref LockModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        lock (Violate.Held) // here: lock
        {
            Violate.Count++;
        }

        return ProcessResult.Continue;
    }
}

internal struct ConsoleModule : IViolation<ConsoleModule>
{
    public static string Name => "console";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ProcessResult Process(ref ConsoleModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        Console.WriteLine(Violate.Text); // here: console
        return ProcessResult.Continue;
    }
}

internal struct SleepModule : IViolation<SleepModule>
{
    public static string Name => "sleep";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ProcessResult Process(ref SleepModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        Thread.Sleep(1); // here: sleep
        return ProcessResult.Continue;
    }
}

internal struct SemaphoreModule : IViolation<SemaphoreModule>
{
    public static string Name => "sem-wait";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static unsafe ProcessResult Process(ref SemaphoreModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        _ = LibC.SemWait(Violate.Semaphore); // here: sem-wait
        return ProcessResult.Continue;
    }
}

internal struct NanosleepModule : IViolation<NanosleepModule>
{
    public static string Name => "clock-nanosleep";

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static unsafe ProcessResult Process(ref NanosleepModule self, in ProcessContext context)
    {
        if (!Violate.Now(context)) return ProcessResult.Continue;
        var time = Linux.TimeSpec.FromNanoseconds(1_000_000);
        _ = LibC.ClockNanosleep(Linux.ClockMonotonic, 0, &time, null); // here: clock-nanosleep
        return ProcessResult.Continue;
    }
}
