// `ssp-engine bench heap`: what malloc costs with the interposer in front of it, and what it costs where the pool serves.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Engine.Memory;

namespace SspHost.EngineHost.Bench;

/// <summary>
/// Pairs of free and malloc on this image's own threads, the C library called directly beside the interposer. <c>--check LIBRARY</c> is no
/// measurement: see <see cref="HeapCheck"/>.
/// </summary>
internal static unsafe partial class HeapBench
{
    private const int Arena = Region.FirstArenas + 1;
    private const int Rounds = 9, Pairs = 400_000, Live = 1024;
    private const string Usage = "usage: ssp-engine bench heap [--json] [--check LIBRARY]";

    private sealed record Row(string What, double Direct, double Through, double Pool);

    /// <summary>Runs the benchmark; the process's exit code: 0, 1 where a check failed, 2 for arguments it does not understand.</summary>
    public static int Run(string[] args)
    {
        var json = args is ["--json"];
        if (args is ["--check", var library]) return HeapCheck.Run(library);
        if (!json && args.Length > 0)
        {
            Console.Error.WriteLine($"bench heap: cannot use '{args[0]}'");
            Console.Error.WriteLine(Usage);
            return 2;
        }

        var region = Region.Create(Region.DefaultBytes, default, "bench", out var error) ?? throw new IOException(error);
        Heap.Serve(region);
        if (!Heap.IsServed || !region.Pool->OpenArena(Arena, 16 << 20)) throw new IOException("bench heap: the interposer is not in front of this process");
        _ = MemoryBenchPosix.Pin(BenchCores.Last);
        _ = MemoryBenchPosix.MakeRealTime();
        Row[] rows =
        [
            Compare("64 bytes, again and again", 64, 1),
            Compare("16 B to 8 KiB, 1024 live", 0, Live),
        ];
        foreach (var r in rows)
        {
            var name = "heap." + BenchFigures.Slug(r.What);
            BenchFigures.Add(name + ".glibc", "ns", BenchFigures.Neither, r.Direct);
            BenchFigures.Add(name + ".through", "ns", BenchFigures.Less, r.Through);
            BenchFigures.Add(name + ".pool", "ns", BenchFigures.Less, r.Pool);
            BenchFigures.Add(name + ".pool-over-glibc", "1", BenchFigures.Less, r.Pool / r.Direct);
        }

        if (json) WriteJson(rows);
        else
        {
            Console.WriteLine("free and malloc, ns a pair         glibc direct   through the interposer   its price   on an RT thread (pool)");
            foreach (var r in rows)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{r.What,-32}{r.Direct,15:F1}{r.Through,25:F1}{r.Through - r.Direct,12:F1}{r.Pool,25:F1}"));
        }

        return 0;
    }

    // In turn, so that what else goes on in the machine meets all alike; the least of each counts.
    private static Row Compare(string what, int bytes, int live)
    {
        var (direct, through, pool) = (double.MaxValue, double.MaxValue, double.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            direct = Math.Min(direct, Measure(&LibcMalloc, &LibcFree, bytes, live));
            through = Math.Min(through, Measure(&MemoryBenchPosix.Malloc, &MemoryBenchPosix.Free, bytes, live));
            EnterRt(Arena, null, null);
            pool = Math.Min(pool, Measure(&MemoryBenchPosix.Malloc, &MemoryBenchPosix.Free, bytes, live));
            LeaveRt();
        }

        return new Row(what, direct, through, pool);
    }

    private static double Measure(delegate*<nuint, void*> malloc, delegate*<void*, void> free, int bytes, int live)
    {
        var blocks = stackalloc void*[live];
        var sizes = stackalloc ushort[4096];
        var random = new Random(1);
        for (var i = 0; i < 4096; i++) sizes[i] = (ushort)(bytes != 0 ? bytes : 16 * Math.Pow(512, random.NextDouble()));
        for (var i = 0; i < live; i++) blocks[i] = malloc(sizes[i]);
        var start = System.Diagnostics.Stopwatch.GetTimestamp();
        var state = 1u;
        for (var i = 0; i < Pairs; i++)
        {
            state = (state * 1664525) + 1013904223; // D. Knuth's quick one: the same for all three
            ref var slot = ref blocks[(state >> 8) % (uint)live];
            free(slot);
            slot = malloc(sizes[(state >> 18) & 4095]);
        }

        var ns = System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalNanoseconds / Pairs;
        for (var i = 0; i < live; i++) free(blocks[i]);
        return ns;
    }

    private static void WriteJson(Row[] rows)
    {
        using var stream = Console.OpenStandardOutput();
        using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            w.WriteString("bench", "heap");
            w.WriteStartArray("pairs");
            foreach (var r in rows)
            {
                w.WriteStartObject();
                w.WriteString("what", r.What);
                w.WriteNumber("direct_ns", Math.Round(r.Direct, 2));
                w.WriteNumber("through_ns", Math.Round(r.Through, 2));
                w.WriteNumber("pool_ns", Math.Round(r.Pool, 2));
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }

    [SuppressGCTransition]
    [LibraryImport("libc", EntryPoint = "__libc_malloc")]
    private static partial void* LibcMalloc(nuint bytes);

    [SuppressGCTransition]
    [LibraryImport("libc", EntryPoint = "__libc_free")]
    private static partial void LibcFree(void* block);

    [SuppressGCTransition]
    [LibraryImport("libssphost_heap", EntryPoint = "ssp_heap_enter_rt")]
    private static partial void EnterRt(int arena, int* current, int* ghost);

    [SuppressGCTransition]
    [LibraryImport("libssphost_heap", EntryPoint = "ssp_heap_leave_rt")]
    private static partial void LeaveRt();
}
