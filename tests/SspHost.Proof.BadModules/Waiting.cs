// Modules whose Process reaches a lock, a wait, an exception, a static that is made at first use, a call nobody lists.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Proof.BadModules;

/// <summary>Takes a lock.</summary>
internal struct Locking : IModule<Locking>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("Locking");

    public static void Construct(ref Locking self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref Locking self) { }

    public static ProcessResult Process(ref Locking self, in ProcessContext context)
    {
        lock (Kept.Gate!) Kept.Number = context.Frames;
        return ProcessResult.Continue;
    }
}

/// <summary>Sleeps, by libc.</summary>
internal unsafe struct Sleeping : IModule<Sleeping>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("Sleeping");

    public static void Construct(ref Sleeping self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref Sleeping self) { }

    public static ProcessResult Process(ref Sleeping self, in ProcessContext context)
    {
        var pause = default(Linux.TimeSpec);
        _ = Calls.NanoSleep(&pause, null);
        return ProcessResult.Continue;
    }
}

/// <summary>Sleeps, by the runtime.</summary>
internal struct SleepingManaged : IModule<SleepingManaged>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("SleepingManaged");

    public static void Construct(ref SleepingManaged self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref SleepingManaged self) { }

    public static ProcessResult Process(ref SleepingManaged self, in ProcessContext context)
    {
        Thread.Sleep(1);
        return ProcessResult.Continue;
    }
}

/// <summary>Calls a library that is looked for at the first call.</summary>
internal struct LateBound : IModule<LateBound>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("LateBound");

    public static void Construct(ref LateBound self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref LateBound self) { }

    public static ProcessResult Process(ref LateBound self, in ProcessContext context)
    {
        Kept.Number = Calls.Late(context.Frames);
        return ProcessResult.Continue;
    }
}

/// <summary>Throws what its caller could have been told.</summary>
internal struct Throwing : IModule<Throwing>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("Throwing");

    public static void Construct(ref Throwing self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref Throwing self) { }

    public static ProcessResult Process(ref Throwing self, in ProcessContext context)
    {
        if (context.Frames == 17) throw new InvalidOperationException();
        return ProcessResult.Continue;
    }
}

/// <summary>Looks into an array with an index nobody checked.</summary>
internal struct OutOfBounds : IModule<OutOfBounds>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("OutOfBounds");

    public static void Construct(ref OutOfBounds self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref OutOfBounds self) { }

    public static ProcessResult Process(ref OutOfBounds self, in ProcessContext context)
    {
        Kept.Number = Kept.Table![context.Frames];
        return ProcessResult.Continue;
    }
}

/// <summary>Uses a table that is built when it is first used.</summary>
internal struct LazyStatic : IModule<LazyStatic>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("LazyStatic");

    public static void Construct(ref LazyStatic self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref LazyStatic self) { }

    public static ProcessResult Process(ref LazyStatic self, in ProcessContext context)
    {
        Kept.Number = Lazy.Table[context.Frames & 3];
        return ProcessResult.Continue;
    }
}

/// <summary>Uses a static of the thread.</summary>
internal struct PerThread : IModule<PerThread>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("PerThread");

    public static void Construct(ref PerThread self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref PerThread self) { }

    public static ProcessResult Process(ref PerThread self, in ProcessContext context)
    {
        Kept.Number = ++PerThreadStatics.Count;
        return ProcessResult.Continue;
    }
}

/// <summary>Asks for a collection.</summary>
internal struct Collecting : IModule<Collecting>
{
    public static ModuleDescriptor Describe() => Plain.Descriptor("Collecting");

    public static void Construct(ref Collecting self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref Collecting self) { }

    public static ProcessResult Process(ref Collecting self, in ProcessContext context)
    {
        GC.Collect();
        return ProcessResult.Continue;
    }
}

/// <summary>Calls a function pointer that no list names.</summary>
internal unsafe struct UnlistedPointer : IModule<UnlistedPointer>
{
    private delegate*<float, float> _function;

    public static ModuleDescriptor Describe() => Plain.Descriptor("UnlistedPointer");

    public static void Construct(ref UnlistedPointer self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref UnlistedPointer self) { }

    public static ProcessResult Process(ref UnlistedPointer self, in ProcessContext context)
    {
        Kept.Number = self._function(context.Frames);
        return ProcessResult.Continue;
    }
}

internal static unsafe partial class Calls
{
    [LibraryImport("libc", EntryPoint = "nanosleep")]
    internal static partial int NanoSleep(Linux.TimeSpec* time, Linux.TimeSpec* left);

    [LibraryImport("libspeex", EntryPoint = "late")]
    internal static partial float Late(int x);
}

internal static class Lazy
{
    internal static readonly float[] Table = Build();

    private static float[] Build()
    {
        var table = new float[4];
        for (var i = 0; i < table.Length; i++) table[i] = MathF.Sin(Environment.TickCount + i);
        return table;
    }
}

internal static class PerThreadStatics
{
    [ThreadStatic]
    internal static int Count;
}
