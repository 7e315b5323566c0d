// ssp bench compare A.json B.json: what changed beyond noise, as a table and as an exit code.
using System.Globalization;
using System.Text.Json;
using SspHost.Diagnostics.Benching;

namespace SspHost.Commands;

internal static class CompareBench
{
    private const int Fine = 0, BadInput = 2, SomethingWorse = 3;

    /// <summary>0: nothing is worse beyond noise, 3: something is, 2: a file cannot be used.</summary>
    public static int Run(IReadOnlyList<string> files, bool json)
    {
        if (files.Count != 2)
        {
            Console.Error.WriteLine($"ssp: bench compare: expected two files of results, not {files.Count} (ssp bench all --runs 5 --out A.json writes one)");
            return BadInput;
        }

        BenchComparison comparison;
        try
        {
            comparison = BenchComparison.Of(BenchFile.Read(files[0]), BenchFile.Read(files[1]));
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine("ssp: bench compare: " + e.Message);
            return BadInput;
        }

        if (json) Console.WriteLine(JsonSerializer.Serialize(comparison, BenchComparisonJson.Default.BenchComparison));
        else Print(comparison, files);
        return comparison.Worse > 0 ? SomethingWorse : Fine;
    }

    private static void Print(BenchComparison c, IReadOnlyList<string> files)
    {
        if (!c.SameMachine)
        {
            Console.WriteLine("!! DIFFERENT MACHINES: this compares machines, not programs");
            Console.WriteLine($"!!   {files[0]}: {Machine(c.A)}");
            Console.WriteLine($"!!   {files[1]}: {Machine(c.B)}");
        }

        foreach (var difference in c.Differences) Console.WriteLine("!  " + difference);
        var width = Math.Max(20, c.Changes.Select(f => f.Name.Length).DefaultIfEmpty().Max());
        Console.WriteLine($"{"".PadRight(width)} {"unit",-8}{"A median",12} {"(quartiles)",-24}{"B median",12} {"(quartiles)",-24}{"B / A",8}{"chance",9}");
        foreach (var f in c.Changes)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{f.Name.PadRight(width)} {f.Unit,-8}{Side(f.A)}{Side(f.B)}{(f.Ratio is { } r ? r.ToString("0.000", CultureInfo.InvariantCulture) : ""),8}{(f.Chance is { } p ? p.ToString("0.0000", CultureInfo.InvariantCulture) : ""),9}  {Word(f)}"));
        }

        var told = c.Changes.Count(f => f.Verdict is not (BenchVerdict.Missing or BenchVerdict.TooFewRuns));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{c.Changes.Count} figures: {c.Worse} worse, {Count(c, BenchVerdict.Better)} better, {Count(c, BenchVerdict.Changed)} changed, {Count(c, BenchVerdict.Same)} within noise, {Count(c, BenchVerdict.TooFewRuns)} with too few runs, {Count(c, BenchVerdict.Missing)} not in both"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"beyond noise: a chance of at most {BenchComparison.Sure} (exact rank test on the runs) and medians {BenchComparison.Least * 100:0} % apart; of {told} figures about {told * BenchComparison.Sure:0.#} would be so by chance"));
    }

    private static int Count(BenchComparison c, BenchVerdict verdict) => c.Changes.Count(f => f.Verdict == verdict);

    private static string Machine(BenchMachine m) => string.Create(
        CultureInfo.InvariantCulture, $"{(m.Board.Length > 0 ? m.Board + ", " : "")}{m.Cpu}, {m.Cores} cores, virtual: {m.Virtual}, {m.MemoryBytes >> 20} MiB, {m.Kernel}, {m.Date}");

    private static string Side(BenchSpread? s) => s == null ? $"{"-",12} {"",-24}" : $"{Number(s.Median),12} {$"({Number(s.Low)} - {Number(s.High)})",-24}";

    private static string Number(double v) => v.ToString(Math.Abs(v) is >= 1e6 or (< 1e-3 and > 0) ? "0.###e+0" : Math.Abs(v) < 100 ? "0.###" : "0.#", CultureInfo.InvariantCulture);

    private static string Word(BenchChange f) => f.Verdict switch
    {
        BenchVerdict.Better => "better",
        BenchVerdict.Worse => "WORSE",
        BenchVerdict.Changed => "changed",
        BenchVerdict.Same => "",
        _ => f.Word,
    };
}
