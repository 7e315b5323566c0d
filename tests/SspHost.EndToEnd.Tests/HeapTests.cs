// malloc in the engine process: the whole family by the book, whoever serves it, and a module that calls it where it must not is named.
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using SspHost.Abi;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed partial class HeapTests : IDisposable
{
    private static readonly string[] Family =
    [
        "malloc", "calloc", "realloc", "reallocarray", "free", "posix_memalign", "aligned_alloc", "memalign", "valloc", "pvalloc", "malloc_usable_size", "cfree",
    ];

    private readonly Runtime _runtime = new();

    public void Dispose() => _runtime.Dispose();

    private static string Interposer => Path.Combine(Executables.Bin, "libssphost_heap.so");

    private static string Source(string name) => Path.Combine(Executables.Root, "tests", "heap", name);

    /// <summary>What POSIX, C11 and glibc's manual promise, threads and children included. The C library itself is the control: it keeps them, too.</summary>
    [Theory]
    [InlineData("the C library")]
    [InlineData("the interposer")]
    [InlineData("the interposer of a C library without names of its own")]
    public async Task The_family_keeps_its_promises(string served)
    {
        var program = _runtime.File("family");
        await Compile(program, "-pthread", Source("family.c"));
        var preload = "";
        if (served == "the interposer") preload = Interposer;
        else if (served != "the C library")
        {
            preload = _runtime.File("libheap.so");
            var native = Path.Combine(Executables.Root, "src", "SspHost.Native", "heap");
            await Compile(preload, "-shared", "-fPIC", "-fvisibility=hidden", "-DSSP_HEAP_BY_DLSYM", Path.Combine(native, "heap.c"), Path.Combine(native, "libc.c"));
        }

        var outcome = await Executables.Run("LD_PRELOAD=" + preload, _runtime.Directory, preload.Length > 0 ? [program, "strict"] : [program]);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.StartsWith("0 promises broken", outcome.Output, StringComparison.Ordinal);
    }

    /// <summary>Found before the C library, and found by it: what it calls itself is looked up in the same order.</summary>
    [Fact]
    public async Task The_engine_loads_the_interposer_before_the_C_library_and_the_control_process_does_not()
    {
        var needed = Needed().Matches((await Executables.Run("readelf", _runtime.Directory, "-d", Executables.Engine)).Output).Select(m => m.Groups[1].Value).ToList();
        Assert.InRange(needed.IndexOf("libssphost_heap.so"), 0, needed.IndexOf("libc.so.6") - 1);
        Assert.DoesNotContain("libssphost_heap", (await Executables.Run("readelf", _runtime.Directory, "-d", Executables.Ssp)).Output, StringComparison.Ordinal);
        Assert.True(File.Exists(Interposer), "it lies beside the engine, where its RUNPATH looks");

        var exported = (await Executables.Run("nm", _runtime.Directory, "-D", "--defined-only", Interposer)).Output.Split('\n').Select(l => l.Split(' ')[^1]).ToHashSet(StringComparer.Ordinal);
        Assert.All(Family, f => Assert.Contains(f, exported));

        // LD_DEBUG is the dynamic linker's own word for who is bound to whom.
        var bindings = (await Executables.Run("LD_DEBUG=bindings", _runtime.Directory, Executables.Engine, "--version")).Error;
        foreach (var from in new[] { "libc.so.6", "ssp-engine" })
            Assert.Matches($@"binding file \S*{Regex.Escape(from)} \[0\] to \S*libssphost_heap\.so \[0\]: normal symbol `malloc'", bindings);
    }

    /// <summary>
    /// In the image: the family in a scope and on RT threads, blocks freed across threads while children are made, an arena without room, the trap;
    /// and a module with a C library of its own, from its construction to its end.
    /// </summary>
    [Fact]
    public async Task A_module_with_a_library_of_its_own_has_its_heap_in_the_region_counted_and_given_back()
    {
        var library = _runtime.File("plugin.so");
        await Compile(library, "-shared", "-fPIC", "-DLIBRARY", Source("family.c"), Source("plugin.c"));
        var outcome = await Executables.Run(Executables.Engine, _runtime.Directory, "bench", "heap", "--check", library);
        var lines = outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.Equal("all of it", lines[^1]);
        Assert.InRange(lines.Length, 25, 60);
        Assert.All(lines[..^1], l => Assert.StartsWith("ok ", l, StringComparison.Ordinal));
    }

    /// <summary>
    /// malloc is called in any mode of a thread, so what serves it may not reach anything for which the mode matters: the closure of its calls in the
    /// machine code is the pool's own, the vectorised fill and search, and what ends a checked process.
    /// </summary>
    [Fact]
    public async Task What_the_interposer_calls_in_the_image_are_leaves()
    {
        var symbols = Path.Combine(Executables.Bin, "..", "symbols", "ssp-engine.dbg");
        var named = (await Executables.Run("nm", _runtime.Directory, symbols)).Output.Split('\n').Select(l => l.Split(' ')).Where(p => p.Length == 3 && p[1] is "t" or "T")
            .Select(p => (At: ulong.Parse(p[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture), Name: p[2])).OrderBy(s => s.At).ToArray();
        var starts = named.Select(s => s.At).ToArray();
        int Index(ulong address) => Array.BinarySearch(starts, address) is >= 0 and var i ? Array.LastIndexOf(starts, address) : ~Array.BinarySearch(starts, address) - 1;

        string[] may = ["SspHost_Engine_SspHost_Engine_Memory_", "S_P_CoreLib_System_SpanHelpers__Fill", "S_P_CoreLib_System_SpanHelpers__NonPackedIndexOfValueType"];
        const string End = "Pool__EndProcess"; // where a checked pool found damage; never comes back
        var todo = new Stack<int>(Enumerable.Range(0, named.Length).Where(i => EntryPoint().IsMatch(named[i].Name)));
        Assert.Equal(4, todo.Count);
        var seen = new HashSet<int>();
        while (todo.TryPop(out var at))
        {
            if (!seen.Add(at)) continue;
            var (from, to) = (named[at].At, named.Skip(at + 1).First(s => s.At > named[at].At).At);
            var code = (await Executables.Run("objdump", _runtime.Directory, "-d", "--no-show-raw-insn", $"--start-address={from}", $"--stop-address={to}", Executables.Engine)).Output;
            Assert.DoesNotMatch(@"\t(call|jmp|blr|br)\s+(\*|x\d)", code); // nothing indirect
            foreach (Match call in Call().Matches(code))
            {
                var target = ulong.Parse(call.Groups[1].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                if (target >= from && target < to) continue;
                var callee = Index(target);
                Assert.Equal(target, named[callee].At);
                if (named[callee].Name.EndsWith(End, StringComparison.Ordinal)) continue;
                Assert.True(may.Any(m => named[callee].Name.StartsWith(m, StringComparison.Ordinal)), $"{named[at].Name} calls {named[callee].Name}");
                todo.Push(callee);
            }
        }

        Assert.Contains(seen, i => named[i].Name.EndsWith("Pool__Refuse", StringComparison.Ordinal)); // it did look
    }

    [Fact]
    public void The_engine_and_its_own_modules_call_malloc_on_no_real_time_thread()
    {
        foreach (var patch in new[] { "acid-line", "breathing-storm" })
        {
            using var host = new PlayingHost(Executables.Patch(patch));
            var quanta = host.Audio.Quanta;
            Eventually.True(() => host.Audio.Quanta > quanta + 300, "it plays");
            _ = EngineProcessTests.StatusFromNow(host.Look);
            Assert.Empty(Counted(host, out var outside));
            Assert.Equal(0UL, outside);
            host.End();
        }
    }

    // Slots that called malloc on RT threads, and how often it was called in no module.
    internal static unsafe List<int> Counted(PlayingHost host, out ulong outside)
    {
        StewardStatus status = default;
        Eventually.True(() => host.Look.TrySteward(out status), "a status");
        outside = status.HeapCalls;
        var slots = new List<int>();
        for (var slot = 0; slot < Limits.MaxInstances; slot++)
            if (host.Look.Map.Instances[slot].HeapCalls != 0) slots.Add(slot);
        return slots;
    }

    private async Task Compile(string output, params string[] arguments)
    {
        var outcome = await Executables.Run("cc", _runtime.Directory, ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fno-builtin", "-o", output, .. arguments]);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
    }

    [GeneratedRegex(@"\(NEEDED\).*\[(.*)\]")]
    private static partial Regex Needed();

    [GeneratedRegex("Memory_HeapService__(Allocate|Release|Resize|Usable)$")]
    private static partial Regex EntryPoint();

    [GeneratedRegex(@"\t(?:call|j\w+|bl|b|b\.\w+|cbn?z|tbn?z)\s.*?\b([0-9a-f]{4,})\b <")]
    private static partial Regex Call();

    [GeneratedRegex("'([^']*)': called malloc on a real-time thread")]
    internal static partial Regex Blamed();
}
