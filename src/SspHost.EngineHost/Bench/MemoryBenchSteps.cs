// Worst case in instructions, where time means little: a child process is single-stepped through every allocate and free.
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Engine.Memory;

namespace SspHost.EngineHost.Bench;

/// <summary>
/// The child calls a stub of machine code (<c>int3; ret</c>) with a number before and after each operation; the parent, as its debugger, counts
/// the steps between. What an empty call counts is subtracted. x86-64 only: arm64 has no such count by PTRACE_PEEKUSER.
/// </summary>
internal static unsafe partial class MemoryBenchSteps
{
    // The stub's argument: an operation begins, it is over, or (afterwards, when the child has looked) what it was.
    private const int Begin = 0, End = 1, Calibrate = 2, Allocate = 3, Free = 4, AllocateDrain = 5, FreeDrain = 6, FreeRemote = 7, Refused = 8;

    /// <summary>TLSF's published worst case: what ours is held against.</summary>
    private const int Target = 168;

    private const int TraceMe = 0, PeekUser = 3, Continue = 7, SingleStep = 9;
    private const int RipOffset = 16 * 8, RdiOffset = 14 * 8;
    private const int SigTrap = 5;

    private static readonly string[] Names =
        ["", "", "", "alloc", "free", "alloc that brings a block home", "free that brings a block home", "free of another arena's block", "alloc that is refused"];

    /// <summary>The traced side: a fuzzed corpus on a span of 1 MiB (as the RT arenas have) that is now nearly full, now nearly empty.</summary>
    public static int Child(int ops)
    {
        var page = (byte*)MemoryBenchPosix.ExecutablePage([0xCC, 0xC3]);
        if (page == null) return 3;
        var mark = (delegate* unmanaged[SuppressGCTransition]<long, void>)page;
        var region = Region.Create(Region.MinBytes * 2, default, "bench", out var error, PoolFlags.None) ?? throw new IOException(error);
        var pool = region.Pool;
        const int slots = 1200; // about as much as fits, so that now and then something does not
        var blocks = (void**)MemoryBenchPosix.Pages(slots * sizeof(void*));
        var random = new Random(1);
        if (Ptrace(TraceMe, 0, 0, 0) != 0) return 4;

        for (var i = 0; i < 20; i++)
        {
            mark(Begin);
            _ = Nothing(pool, 1, 64, 1);
            mark(End);
            mark(Calibrate);
        }

        PoolStats stats = default;
        var grow = true;
        for (var done = 0; done < ops; done++)
        {
            if (random.Next(2000) == 0) grow = !grow;
            var slot = random.Next(slots);
            pool->ReadStats(ref stats);
            var homeBefore = stats.RemoteFrees;
            if (blocks[slot] != null)
            {
                if (grow && random.Next(3) != 0) continue;
                var arena = random.Next(5) == 0 ? 2 : 1; // now and then as RT thread 1 would
                var block = blocks[slot];
                mark(Begin);
                pool->Free(arena, block);
                mark(End);
                pool->ReadStats(ref stats);
                mark(arena == 2 ? FreeRemote : stats.RemoteFrees != homeBefore ? FreeDrain : Free);
                blocks[slot] = null;
            }
            else
            {
                if (!grow && random.Next(3) != 0) continue;

                // Mostly small, now and then as large as makes many splits; some cannot fit.
                var bytes = random.Next(200) == 0 ? 2L << 20 : (long)(16 * Math.Pow(2, random.NextDouble() * (random.Next(8) == 0 ? 13 : 9)));
                var owner = (uint)random.Next(3) switch { 0 => 0u, 1 => 7u, _ => Pool.FirstGrantOwner + 1 };
                mark(Begin);
                var block = pool->Allocate(1, bytes, owner);
                mark(End);
                pool->ReadStats(ref stats);
                mark(block == null ? Refused : stats.RemoteFrees != homeBefore ? AllocateDrain : Allocate);
                blocks[slot] = block;
            }
        }

        return pool->Verify() == null ? 0 : 5;
    }

    /// <summary>The counting side. Returns 0, 1 where a worst case is above the target, 3 where it cannot be counted here.</summary>
    public static int Parent(int ops, bool json)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64) return Sorry("only on x86-64");
        _ = MemoryBenchPosix.Pin(Environment.ProcessorCount - 1); // both sides on one core: a step is a switch, not a wake-up elsewhere
        var pid = Spawn(ops);
        if (pid <= 0) return Sorry("the child process did not start");

        var counts = new List<int>[Names.Length];
        for (var i = 0; i < counts.Length; i++) counts[i] = [];
        var status = 0;
        nint stub = 0;
        var steps = 0;
        while (WaitPid(pid, &status, 0) == pid && (status & 0xFF) == 0x7F)
        {
            var signal = (status >> 8) & 0xFF;
            if (signal != SigTrap)
            {
                _ = Ptrace(Continue, pid, 0, signal);
                continue;
            }

            if (stub == 0) stub = Peek(pid, RipOffset);
            var kind = (int)Peek(pid, RdiOffset);
            if (kind == Begin) steps = Count(pid, stub);
            else if (kind > End && kind < counts.Length) counts[kind].Add(steps);
            _ = Ptrace(Continue, pid, 0, 0);
        }

        if (status != 0 || counts[Calibrate].Count == 0) return Sorry($"the child process ended with status {status:x}");
        var empty = counts[Calibrate].Min();
        var worst = 0;
        for (var kind = Allocate; kind < Names.Length; kind++)
        {
            counts[kind].Sort();
            for (var i = 0; i < counts[kind].Count; i++) counts[kind][i] -= empty;
            if (kind < Refused && counts[kind].Count > 0) worst = Math.Max(worst, counts[kind][^1]);
        }

        Write(counts, json);
        return worst <= Target ? 0 : 1;
    }

    // Steps until the stub is met again. Stepping over its int3 leaves the instruction pointer where the first stop left it.
    private static int Count(int pid, nint stub)
    {
        for (var steps = 1; ; steps++)
        {
            int status;
            if (Ptrace(SingleStep, pid, 0, 0) != 0 || WaitPid(pid, &status, 0) != pid || (status & 0xFFFF) != (SigTrap << 8 | 0x7F))
                throw new IOException("bench memory: the child process left its path while it was counted");
            if (Peek(pid, RipOffset) == stub) return steps;
        }
    }

    private static void Write(List<int>[] counts, bool json)
    {
        if (!json)
        {
            Console.WriteLine($"instructions, worst case of TLSF as published: {Target}");
            Console.WriteLine("                                      operations     p50     p99     max");
        }

        using var stream = new MemoryStream();
        using var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        w.WriteStartObject();
        w.WriteString("bench", "memory instructions");
        w.WriteNumber("target", Target);
        w.WriteStartArray("results");
        for (var kind = Allocate; kind < Names.Length; kind++)
        {
            var c = counts[kind];
            if (c.Count == 0) continue;
            var (p50, p99) = (c[c.Count / 2], c[c.Count * 99 / 100]);
            if (!json) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Names[kind],-36} {c.Count,11} {p50,7} {p99,7} {c[^1],7}"));
            w.WriteStartObject();
            w.WriteString("operation", Names[kind]);
            w.WriteNumber("count", c.Count);
            w.WriteNumber("p50", p50);
            w.WriteNumber("p99", p99);
            w.WriteNumber("max", c[^1]);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteEndObject();
        w.Flush();
        if (json) Console.WriteLine(Encoding.UTF8.GetString(stream.ToArray()));
    }

    private static int Sorry(string why)
    {
        Console.Error.WriteLine($"bench memory: instructions cannot be counted here: {why}");
        return 3;
    }

    // Not by Process: the runtime's own waiting for children would take the stops away.
    private static int Spawn(int ops)
    {
        string[] args = [Environment.ProcessPath!, "bench", "memory", "--stepped", ops.ToString(CultureInfo.InvariantCulture)];
        var argv = stackalloc byte*[args.Length + 1];
        for (var i = 0; i < args.Length; i++) argv[i] = (byte*)Marshal.StringToCoTaskMemUTF8(args[i]);
        argv[args.Length] = null;
        var environment = stackalloc byte*[1];
        environment[0] = null;
        int pid;
        var failed = PosixSpawn(&pid, argv[0], null, null, argv, environment);
        for (var i = 0; i < args.Length; i++) Marshal.FreeCoTaskMem((nint)argv[i]);
        return failed == 0 ? pid : -1;
    }

    private static nint Peek(int pid, nint offset)
    {
        nint value;
        _ = RawPtrace(101, PeekUser, pid, offset, &value); // the system call itself stores the word; glibc's wrapper returns it
        return value;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* Nothing(Pool* pool, int arena, long bytes, uint owner) => null;

    [LibraryImport("libc", EntryPoint = "ptrace")]
    private static partial long Ptrace(long request, int pid, nint address, nint data);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial long RawPtrace(long number, long request, long pid, nint address, nint* data);

    [LibraryImport("libc", EntryPoint = "waitpid")]
    private static partial int WaitPid(int pid, int* status, int options);

    [LibraryImport("libc", EntryPoint = "posix_spawn")]
    private static partial int PosixSpawn(int* pid, byte* path, void* actions, void* attributes, byte** argv, byte** environment);
}
