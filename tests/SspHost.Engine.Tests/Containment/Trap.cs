// A module that does not come back: really, on the thread that runs it.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Tests.Containment;

/// <summary>What a trap does when it springs.</summary>
internal enum TrapKind
{
    /// <summary>Outputs silence from then on: what the others should hear in all the cases below.</summary>
    Silence = 0,

    /// <summary>Computes for ever.</summary>
    Spin = 1,

    /// <summary>Computes for ever and writes its outputs all the while, at addresses that belong to others at other times.</summary>
    Scribble = 2,

    Sleep = 3,
    Mutex = 4,
    WriteToNull = 5,
    WriteToSilence = 6,
    DivideByZero = 7,

    /// <summary>Takes its time, and comes back.</summary>
    Slow = 8,

    // In managed code: as a C# module would in the engine. Under the JIT only where nothing is ever collected.
    StackOverflow = 9,
    ManagedWriteToNull = 10,
    ManagedDivideByZero = 11,
}

/// <summary>
/// Sounds until quantum number <c>at</c>, then springs once, on the kind of thread asked for. Settings: kind, at. It can be released; after a
/// reset it only sounds.
/// </summary>
internal unsafe partial struct Trap : IModule<Trap>
{
    /// <summary>pthread_mutex_t that <see cref="TrapKind.Mutex"/> blocks on: 40 bytes here, 48 on arm64.</summary>
    public static readonly void* Mutex = NativeMemory.AllocZeroed(64);

    /// <summary>Not 0: whatever is held may come back.</summary>
    public static int Release;

    /// <summary>Thread that may be trapped: 0 = any, 1 = the audio thread, 2 = a worker.</summary>
    public static int Wanted;

    /// <summary>The record of the audio thread, by which it is told.</summary>
    public static ThreadRecord* Audio;

    /// <summary>Quantum in which it sprang, counted from 0; -1: not yet. Its thread, and CLOCK_MONOTONIC.</summary>
    public static int SprungAt, SprungOn;
    public static ulong SprungTime;

    /// <summary>ns of <see cref="TrapKind.Slow"/>.</summary>
    public static ulong SlowNs;

    private int _kind, _at, _count, _done;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "trap",
        Name = "Trap",
        Family = "Test",
        Text = "Does not come back",
        Inputs = [new("in", "In")],
        Outputs = [new("out", "Out", Rule: ChannelRule.Fixed), new("wide", "Wide", Rule: ChannelRule.Fixed, Channels: 3)],
        Settings = [new("kind", "Kind", 0, 16, 0), new("at", "At", 0, 1 << 24, 0)],
        Assets = [new("sample", "Sample")],
        StateBytes = 4,
    };

    public static void Set(int wanted, ThreadRecord* audio)
    {
        (Release, Wanted, SprungAt, SprungOn) = (0, wanted, -1, 0);
        Audio = audio;
    }

    public static void Construct(ref Trap self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing) =>
        (self._kind, self._at) = (setup.Settings[0], setup.Settings[1]);

    public static void Reset(ref Trap self) => (self._count, self._done) = (0, 1);

    public static ProcessResult Process(ref Trap self, in ProcessContext context)
    {
        var count = self._count++;
        if (count < self._at || self._done != 0)
        {
            Sound(in context, count);
            return ProcessResult.Continue;
        }

        if (self._kind == (int)TrapKind.Silence)
        {
            for (var c = 0; c < 3; c++) new Span<float>(context.Out(1, c), context.Frames).Clear();
            new Span<float>(context.Out(0), context.Frames).Clear();
            return ProcessResult.Continue;
        }

        var tid = NativeCalls.GetTid();
        if (Wanted != 0 && tid == Audio->Tid != (Wanted == 1))
        {
            Sound(in context, count);
            // Busy for a while, so that next time another thread may be the first to come by.
            for (var until = Linux.Now() + 20_000 + ((ulong)count % 7 * 10_000); Linux.Now() < until;) { }
            return ProcessResult.Continue;
        }

        if (self._kind != (int)TrapKind.Slow) self._done = 1;
        (SprungOn, SprungTime) = (tid, Linux.Now());
        Volatile.Write(ref SprungAt, count);
        Hold((TrapKind)self._kind, in context);
        Sound(in context, count);
        return ProcessResult.Continue;
    }

    /// <summary>What it sounds like in its n-th quantum.</summary>
    private static void Sound(in ProcessContext context, int count)
    {
        var input = context.In(0);
        for (var i = 0; i < context.Frames; i++)
        {
            context.Out(0)[i] = (input[i] * 0.5f) + (count % 17 * 0.1f);
            for (var c = 0; c < 3; c++) context.Out(1, c)[i] = input[i] - (c * 0.25f);
        }
    }

    public static void Hold(TrapKind kind, in ProcessContext context)
    {
        switch (kind)
        {
            case TrapKind.Spin:
                while (Volatile.Read(ref Release) == 0) { }
                break;
            case TrapKind.Scribble:
                while (Volatile.Read(ref Release) == 0)
                {
                    for (var i = 0; i < context.Frames; i++)
                    {
                        context.Out(0)[i] = 900 + i;
                        for (var c = 0; c < 3; c++) context.Out(1, c)[i] = float.NaN;
                    }
                }

                break;
            case TrapKind.Sleep:
                while (Volatile.Read(ref Release) == 0) _ = USleep(50_000);
                break;
            case TrapKind.Mutex:
                _ = MutexLock(Mutex);
                _ = MutexUnlock(Mutex);
                break;
            // In C, so that under the JIT the collector need not wait for a thread that never comes back.
            case TrapKind.WriteToNull:
                _ = MemSet(null, 1, 64);
                break;
            case TrapKind.WriteToSilence:
                _ = MemSet(context.Silence, 1, 64);
                break;
            case TrapKind.DivideByZero:
                _ = Div(1, 0);
                break;
            case TrapKind.StackOverflow:
                SprungOn += Dig(1);
                break;
            case TrapKind.ManagedWriteToNull:
                *(int*)Volatile.Read(ref Release) = 1;
                break;
            case TrapKind.ManagedDivideByZero:
                SprungOn /= Volatile.Read(ref Release);
                break;
            case TrapKind.Slow:
                for (var until = Linux.Now() + SlowNs; Linux.Now() < until;) { }
                break;
        }
    }

    private static int Dig(int depth)
    {
        var hole = stackalloc int[100];
        hole[depth % 100] = depth;
        return Dig(depth + 1) + hole[(depth + 1) % 100];
    }

    // The other calls the audio thread makes on a module.
    public static int SaveState(ref Trap self, Span<byte> state)
    {
        if (self._kind == (int)TrapKind.Mutex && self._done == 0)
        {
            self._done = 1;
            Hold(TrapKind.Mutex, default);
        }

        state[0] = 42; // late, into whatever it was given
        return 4;
    }

    public static void AssetChanged(ref Trap self, int slot, Asset* asset)
    {
        if (self._kind != (int)TrapKind.Mutex || self._done != 0) return;
        self._done = 1;
        Hold(TrapKind.Mutex, default);
    }

    [LibraryImport("libc", EntryPoint = "usleep")]
    private static partial int USleep(uint microseconds);

    [LibraryImport("libc", EntryPoint = "pthread_mutex_lock")]
    public static partial int MutexLock(void* mutex);

    [LibraryImport("libc", EntryPoint = "pthread_mutex_unlock")]
    public static partial int MutexUnlock(void* mutex);

    [LibraryImport("libc", EntryPoint = "memset")]
    private static partial void* MemSet(void* at, int value, nuint bytes);

    [LibraryImport("libc", EntryPoint = "div")]
    private static partial long Div(int numerator, int denominator);
}
