// A module that is held for as long as a test wants, in each of the ways there are, and goes on as if nothing had been.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Tests.Containment;

internal enum HoldKind
{
    None = 0,
    Spin = 1,
    Sleep = 2,
    Mutex = 3,

    /// <summary>Reads memory that was taken away before, page by page.</summary>
    PageFault = 4,
}

internal unsafe partial struct Held : IModule<Held>
{
    public const int Pages = 8192, Page = 4096;

    /// <summary>pthread_mutex_t.</summary>
    public static readonly void* Mutex = NativeMemory.AllocZeroed(64);

    /// <summary>How it is to be held; None: let go.</summary>
    public static int Kind;

    /// <summary>Thread it was caught on, set when it is caught; and a word that is woken then.</summary>
    public static int Caught;
    public static ulong CaughtAt;
    public static uint Bell;

    public static byte* Memory;
    public static int Sum;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "held", Name = "Held", Family = "Test", Text = "Is held", Inputs = [new("in", "In")], Outputs = [new("out", "Out")], Sheddable = false,
    };

    public static void Construct(ref Held self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) { }

    public static void Reset(ref Held self) { }

    public static ProcessResult Process(ref Held self, in ProcessContext context)
    {
        var kind = (HoldKind)Volatile.Read(ref Kind);
        new Span<float>(context.Out(0), context.Frames).Fill(1);
        if (kind == HoldKind.None) return ProcessResult.Continue;
        CaughtAt = Linux.Now();
        Volatile.Write(ref Caught, NativeCalls.GetTid());
        fixed (uint* bell = &Bell)
        {
            Volatile.Write(ref *bell, 1);
            Linux.Wake(bell, 1);
        }

        switch (kind)
        {
            case HoldKind.Spin:
                while (Volatile.Read(ref Kind) != 0) { }
                break;
            case HoldKind.Sleep:
                while (Volatile.Read(ref Kind) != 0) _ = USleep(20_000);
                break;
            case HoldKind.Mutex:
                _ = Trap.MutexLock(Mutex);
                _ = Trap.MutexUnlock(Mutex);
                break;
            case HoldKind.PageFault:
                for (var page = 0; Volatile.Read(ref Kind) != 0; page++) Sum += Memory[page % Pages * Page];
                break;
        }

        Volatile.Write(ref Caught, 0);
        return ProcessResult.Continue;
    }

    [LibraryImport("libc", EntryPoint = "usleep")]
    private static partial int USleep(uint microseconds);
}
