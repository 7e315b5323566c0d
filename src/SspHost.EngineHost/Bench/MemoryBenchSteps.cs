// Worst case in instructions, where time means little: counted by the processor, or by single-stepping a child process through every call.
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Engine.Memory;

namespace SspHost.EngineHost.Bench;

/// <summary>
/// Where perf_event gives the processor's own counter to this process, the corpus runs here and each call is counted by it. Otherwise
/// the child calls a stub of machine code (<c>int3; ret</c>) with a number before and after each operation; the parent, as its debugger,
/// counts
/// the steps between. What an empty call counts is subtracted. x86-64 only: arm64 has no such count by PTRACE_PEEKUSER.
/// </summary>
internal static unsafe partial class MemoryBenchSteps
{
    // The stub's argument: an operation begins, it is over, or (afterwards, when the child has looked) what it was.
    private const int Begin = 0, End = 1, Calibrate = 2, Allocate = 3, Free = 4, AllocateDrain = 5, FreeDrain = 6, FreeRemote = 7,
        Refused = 8;

    /// <summary>TLSF's published worst case: what ours is held against.</summary>
    public const int Target = 168;

    private const int TraceMe = 0, PeekUser = 3, Continue = 7, SingleStep = 9;
    private const int RipOffset = 16 * 8, RdiOffset = 14 * 8;
    private const int SigTrap = 5;

    private static readonly string[] Names =
        ["", "", "", "alloc", "free", "alloc that brings a block home", "free that brings a block home", "free of another arena's block",
            "alloc that is refused"];

    /// <summary>
    /// The traced side: a fuzzed corpus on a span of 1 MiB (as the RT arenas have) that is now nearly full, now nearly empty.
    /// </summary>
    public static int Child(int ops)
    {
        var page = (byte*)MemoryBenchPosix.ExecutablePage([0xCC, 0xC3]);
        if (page == null) return 3;
        s_stub = (delegate* unmanaged[SuppressGCTransition]<long, void>)page;
        return Ptrace(TraceMe, 0, 0, 0) != 0 ? 4 : Corpus(ops);
    }

    private static int Corpus(int ops)
    {
        var region = Region.Create(Region.MinBytes * 2, default, "bench", out var error, PoolFlags.None) ?? throw new IOException(error);
        var pool = region.Pool;
        const int slots = 1200; // about as much as fits, so that now and then something does not
        var blocks = (void**)MemoryBenchPosix.Pages(slots * sizeof(void*));
        var random = new Random(1);
        for (var i = 0; i < 20; i++)
        {
            Mark(Begin);
            _ = Nothing(pool, 1, 64, 1);
            Mark(End);
            Mark(Calibrate);
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
                Mark(Begin);
                pool->Free(arena, block);
                Mark(End);
                pool->ReadStats(ref stats);
                Mark(arena == 2 ? FreeRemote : stats.RemoteFrees != homeBefore ? FreeDrain : Free);
                blocks[slot] = null;
            }
            else
            {
                if (!grow && random.Next(3) != 0) continue;

                // Mostly small, now and then as large as makes many splits; some cannot fit.
                var bytes = random.Next(200) == 0 ? 2L << 20
                    : (long)(16 * Math.Pow(2, random.NextDouble() * (random.Next(8) == 0 ? 13 : 9)));
                var owner = (uint)random.Next(3) switch { 0 => 0u, 1 => 7u, _ => Pool.FirstGrantOwner + 1 };
                Mark(Begin);
                var block = pool->Allocate(1, bytes, owner);
                Mark(End);
                pool->ReadStats(ref stats);
                Mark(block == null ? Refused : stats.RemoteFrees != homeBefore ? AllocateDrain : Allocate);
                blocks[slot] = block;
            }
        }

        return pool->Verify() == null ? 0 : 5;
    }

    private static delegate* unmanaged[SuppressGCTransition]<long, void> s_stub;

    private static InstructionCounter? s_counter;
    private static List<int>[] s_counted = [];
    private static long s_begun, s_took;

    // What stands before and after each call. Never inlined: what it takes is the same around an empty call, and the calls that are counted are
    // compiled as they would be without it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Mark(int kind)
    {
        if (s_counter == null) s_stub(kind);
        else if (kind == Begin) s_begun = s_counter.Now();
        else if (kind == End) s_took = s_counter.Now() - s_begun;
        else s_counted[kind].Add((int)s_took);
    }

    /// <summary>
    /// Counts; by operation, what an empty call takes already subtracted, sorted. Null where it cannot be counted here, with why in
    /// <paramref name="how"/>, which otherwise says how it was.
    /// </summary>
    public static (string Operation, List<int> Counts)[]? Count(int ops, out string how)
    {
        s_counter = InstructionCounter.Open(out var refused);
        var counts = s_counter != null ? ByCounter(ops, out how) : ByStepping(ops, out how);
        if (s_counter == null) how = $"{how} ({refused})";
        s_counter?.Dispose();
        if (counts == null) return null;
        var empty = counts[Calibrate].Min();
        foreach (var c in counts)
        {
            c.Sort();
            for (var i = 0; i < c.Count; i++) c[i] -= empty;
        }

        return [.. Enumerable.Range(Allocate, Names.Length - Allocate).Where(k => counts[k].Count > 0).Select(k => (Names[k], counts[k]))];
    }

    private static List<int>[] Empty() => [.. Names.Select(_ => new List<int>())];

    private static List<int>[]? ByCounter(int ops, out string how)
    {
        how = "counted by the processor";
        s_counted = Empty();
        if (Corpus(ops) == 0) return s_counted;
        how = "the pool was not in order after it";
        return null;
    }

    private static List<int>[]? ByStepping(int ops, out string how)
    {
        how = "counted by single steps";
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            how = "cannot be counted: single steps are counted on x86-64 only";
            return null;
        }

        _ = MemoryBenchPosix.Pin(BenchCores.Last); // both sides on one core: a step is a switch, not a wake-up elsewhere
        var pid = Spawn(ops);
        if (pid <= 0)
        {
            how = "cannot be counted: the child process did not start";
            return null;
        }

        var counts = Empty();
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
            if (kind == Begin) steps = Steps(pid, stub);
            else if (kind > End && kind < counts.Length) counts[kind].Add(steps);
            _ = Ptrace(Continue, pid, 0, 0);
        }

        if (status == 0 && counts[Calibrate].Count > 0) return counts;
        how = $"cannot be counted: the child process ended with status {status:x}";
        return null;
    }

    /// <summary>`--instructions` by itself. Returns 0, 1 where a worst case is above the target, 3 where it cannot be counted here.</summary>
    public static int Run(int ops, bool json)
    {
        if (Count(ops, out var how) is not { } counts)
        {
            Console.Error.WriteLine($"bench memory: instructions {how}");
            return 3;
        }

        Add(counts, how);
        if (json) WriteJson(counts, how);
        else WriteTable(counts, how);
        return counts.All(c => c.Operation == Names[Refused] || c.Counts[^1] <= Target) ? 0 : 1;
    }

    /// <summary>As figures.</summary>
    public static void Add((string Operation, List<int> Counts)[]? counts, string how)
    {
        if (counts == null) BenchFigures.Add("memory.instructions.max", "instructions", BenchFigures.Less, null, Target, how);
        foreach (var (operation, c) in counts ?? [])
        {
            var name = "memory.instructions." + BenchFigures.Slug(operation);
            BenchFigures.Add(name + ".p50", "instructions", BenchFigures.Less, c[c.Count / 2], note: how);
            BenchFigures.Add(name + ".max", "instructions", BenchFigures.Less, c[^1], operation == Names[Refused] ? null : Target, how);
        }
    }

    public static void WriteTable((string Operation, List<int> Counts)[] counts, string how)
    {
        Console.WriteLine($"instructions, {how}; worst case of TLSF as published: {Target}");
        Console.WriteLine("                                      operations     p50     p99     max");
        foreach (var (operation, c) in counts)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{operation,-36} {c.Count,11} {c[c.Count / 2],7} {c[c.Count * 99 / 100],7} {c[^1],7}"));
    }

    // Steps until the stub is met again. Stepping over its int3 leaves the instruction pointer where the first stop left it.
    private static int Steps(int pid, nint stub)
    {
        for (var steps = 1; ; steps++)
        {
            int status;
            if (Ptrace(SingleStep, pid, 0, 0) != 0 || WaitPid(pid, &status, 0) != pid || (status & 0xFFFF) != (SigTrap << 8 | 0x7F))
                throw new IOException("bench memory: the child process left its path while it was counted");
            if (Peek(pid, RipOffset) == stub) return steps;
        }
    }

    private static void WriteJson((string Operation, List<int> Counts)[] counts, string how)
    {
        using var stream = Console.OpenStandardOutput();
        using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            w.WriteString("bench", "memory instructions");
            Write(w, counts, how);
            w.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }

    /// <summary>As a part of an object.</summary>
    public static void Write(Utf8JsonWriter w, (string Operation, List<int> Counts)[] counts, string how)
    {
        w.WriteNumber("target", Target);
        w.WriteString("counted", how);
        w.WriteStartArray("results");
        foreach (var (operation, c) in counts)
        {
            w.WriteStartObject();
            w.WriteString("operation", operation);
            w.WriteNumber("count", c.Count);
            w.WriteNumber("p50", c[c.Count / 2]);
            w.WriteNumber("p99", c[c.Count * 99 / 100]);
            w.WriteNumber("max", c[^1]);
            w.WriteEndObject();
        }

        w.WriteEndArray();
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
