// `ssp-engine bench modules`: what each module costs a quantum, asleep, fed, with all its knobs in motion and with four voices.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Probes;

namespace SspHost.EngineHost.Bench;

/// <summary>A module in one state at one quantum; ns per quantum.</summary>
/// <param name="Module">Its id.</param>
/// <param name="State">idle, audio, modulated or poly.</param>
/// <param name="Quantum">Frames.</param>
/// <param name="Median">Half of the quanta take longer.</param>
/// <param name="P99">One in a hundred takes longer.</param>
/// <param name="Sleeps">It would not be called at all: the time is that of a call all the same.</param>
internal readonly record struct ModuleFigure(string Module, string State, int Quantum, double Median, double P99, bool Sleeps)
{
    /// <summary>Part of a core at 48 kHz in percent; what sleeps takes none.</summary>
    public double Percent => Sleeps ? 0 : Median / (Quantum * 1e9 / ModuleBenchRig.Rate) * 100;
}

/// <summary>Every registered module in every state, through the engine's own tables, without the graph around it.</summary>
internal static unsafe class ModuleBench
{
    private const string Usage = """
        usage: ssp-engine bench modules [--json] [--quick] [--module ID] [--peers FILE]... [--report FILE]

          --json         one JSON object on standard output
          --report FILE  the JSON object into a file as well
          --quick        quanta of 32 frames only, fewer of them
          --module ID    this one only; "none": nothing but what --peers compares
          --peers FILE   compare with the algorithms in this library as well (see tests/Peers); may be given several times
        """;

    private static readonly string[] States = ["idle", "audio", "modulated", "poly"];
    private static readonly int[] AllQuanta = [16, 32, 64, 128, 256];

    /// <summary>Runs the benchmark; the process's exit code: 0, 1 where a library is none, or 2 for arguments it does not understand.</summary>
    public static int Run(string[] args)
    {
        bool json = false, quick = false;
        string? only = null, report = null;
        var peers = new List<string>();
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--json": json = true; continue;
                case "--quick": quick = true; continue;
                case "--module" when value != null: only = value; break;
                case "--report" when value != null: report = value; break;
                case "--peers" when value != null: peers.Add(value); break;
                default: return Fail($"cannot use '{args[i]}'{Environment.NewLine}{Usage}", 2);
            }

            i++;
        }

        var registry = Modules.Register();
        int[] modules = [.. Enumerable.Range(0, registry.Descriptors.Count).Where(m => only == null || registry.Descriptors[m].Id == only)];
        if (modules.Length == 0 && only != "none") return Fail($"there is no module '{only}'", 2);
        CycleClock.Calibrate(50_000_000);
        var figures = new List<ModuleFigure>();
        var comparisons = new List<PeerFigure>();
        string? wrong = null;
        _ = GraphBenchRig.On(0, 1, () =>
        {
            foreach (var m in modules) Measure(registry, m, quick, figures);
            wrong = PeerBench.Run(registry, peers, only is null or "none" ? null : only, quick, comparisons);
        });
        if (wrong != null) return Fail(wrong, 1);
        foreach (var f in figures)
        {
            var name = FormattableString.Invariant($"modules.{BenchFigures.Slug(f.Module)}.{f.State}.{f.Quantum}");
            BenchFigures.Add(name + ".p50", "ns", BenchFigures.Less, f.Median, note: f.Sleeps ? "asleep: it would not be called" : "");
            BenchFigures.Add(name + ".p99", "ns", BenchFigures.Neither, f.P99);
        }

        foreach (var c in comparisons)
        {
            var name = FormattableString.Invariant($"peers.{BenchFigures.Slug(c.Peer)}.{BenchFigures.Slug(c.Case)}.{c.Voices}");
            BenchFigures.Add(name + ".ratio.p50", "1", BenchFigures.Less, c.Ratio, target: PeerBench.Wanted);
        }

        if (report != null)
        {
            using var file = File.Create(report);
            WriteJson(file, figures, comparisons);
        }

        if (json)
        {
            using var stream = Console.OpenStandardOutput();
            WriteJson(stream, figures, comparisons);
        }
        else
        {
            WriteTable(registry, figures, quick ? [32] : AllQuanta, comparisons);
        }

        return 0;
    }

    private static int Fail(string message, int code)
    {
        Console.Error.WriteLine($"bench modules: {message}");
        return code;
    }

    private static void Measure(ModuleRegistry registry, int module, bool quick, List<ModuleFigure> figures)
    {
        var shared = Shared(registry.Entries[module]);
        foreach (var state in States)
        {
            foreach (var quantum in quick ? [32] : AllQuanta)
            {
                using var rig = new ModuleBenchRig(registry, new ModuleBenchSetup(module, quantum, state == "poly" ? 4 : 1)
                {
                    Inputs = state == "idle" ? [] : null,
                    Moves = state == "modulated",
                }, shared);
                figures.Add(Measure(rig, registry.Descriptors[module].Id, state, quantum, quick ? 200 : 500));
            }
        }

        NativeMemory.AlignedFree(shared);
    }

    private static ModuleFigure Measure(ModuleBenchRig rig, string id, string state, int quantum, int count)
    {
        var times = new double[count];
        var clock = ClockTime();
        var slept = 0;
        for (var q = -count / 4; q < count; q++)
        {
            rig.Prepare();
            var start = CycleClock.Now();
            var result = rig.Run();
            var ns = CycleClock.ToNanoseconds(CycleClock.Now() - start);
            if (q < 0) continue;
            times[q] = Math.Max(ns - clock, 0);
            if (result == ProcessResult.Sleep) slept++;
        }

        Array.Sort(times);
        return new ModuleFigure(id, state, quantum, times[count / 2], times[count * 99 / 100], state == "idle" && slept > count * 3 / 4);
    }

    // What reading the clock twice takes.
    private static double ClockTime()
    {
        var times = new double[1001];
        for (var i = 0; i < times.Length; i++)
        {
            var start = CycleClock.Now();
            times[i] = CycleClock.ToNanoseconds(CycleClock.Now() - start);
        }

        Array.Sort(times);
        return times[times.Length / 2];
    }

    /// <summary>The data that instances of a type share; to be freed by AlignedFree, null where there are none.</summary>
    public static void* Shared(ModuleEntry entry)
    {
        var bytes = entry.SharedBytes(entry.Context, ModuleBenchRig.Rate);
        if (bytes <= 0) return null;
        var shared = NativeMemory.AlignedAlloc((nuint)bytes, 64);
        NativeMemory.Clear(shared, (nuint)bytes);
        entry.BuildShared(entry.Context, shared, ModuleBenchRig.Rate);
        return shared;
    }

    private static void WriteTable(ModuleRegistry registry, List<ModuleFigure> figures, int[] quanta, List<PeerFigure> comparisons)
    {
        if (figures.Count > 0)
        {
            Console.WriteLine($"ns per quantum (median / 99th of a hundred) and percent of a core at {ModuleBenchRig.Rate / 1000} kHz by quantum; clock resolution {CycleClock.Resolution:F2} ns");
            Console.WriteLine($"{"",-28}{string.Concat(quanta.Select(q => $"{q + " frames",26}"))}");
        }

        foreach (var family in registry.Descriptors.GroupBy(d => d.Family, StringComparer.Ordinal))
        {
            var shown = family.Where(d => figures.Exists(f => f.Module == d.Id)).ToList();
            if (shown.Count > 0) Console.WriteLine(family.Key);
            foreach (var module in shown)
            {
                foreach (var state in States)
                {
                    var row = figures.Where(f => f.Module == module.Id && f.State == state).Select(f => f.Sleeps
                        ? $"{"asleep",26}"
                        : string.Create(CultureInfo.InvariantCulture, $"{f.Median,10:0} /{f.P99,6:0} {f.Percent,6:0.00}%"));
                    Console.WriteLine($"  {(state == States[0] ? module.Id : ""),-15} {state,-10}{string.Concat(row)}");
                }
            }
        }

        PeerBench.WriteTable(comparisons);
    }

    private static void WriteJson(Stream stream, List<ModuleFigure> figures, List<PeerFigure> comparisons)
    {
        using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            w.WriteString("bench", "modules");
            w.WriteNumber("rate", ModuleBenchRig.Rate);
            w.WriteStartArray("modules");
            foreach (var f in figures)
            {
                w.WriteStartObject();
                w.WriteString("module", f.Module);
                w.WriteString("state", f.State);
                w.WriteNumber("quantum", f.Quantum);
                w.WriteNumber("p50_ns", Math.Round(f.Median, 1));
                w.WriteNumber("p99_ns", Math.Round(f.P99, 1));
                w.WriteNumber("percent_of_a_core", Math.Round(f.Percent, 4));
                w.WriteBoolean("sleeps", f.Sleeps);
                w.WriteEndObject();
            }

            w.WriteEndArray();
            PeerBench.WriteJson(w, comparisons);
            w.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }
}
