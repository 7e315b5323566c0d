// The log of histograms: a line a window, exact where it says so, nothing of what stood still.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using SspHost.Abi;
using SspHost.Diagnostics;

namespace SspHost.Tests;

public sealed unsafe partial class HistogramLogTests : IDisposable
{
    private const ulong Second = 1_000_000_000;

    private readonly string _directory = Directory.CreateTempSubdirectory().FullName;
    private readonly Histogram* _h = (Histogram*)NativeMemory.AllocZeroed(2, (nuint)sizeof(Histogram));
    private readonly List<string> _said = [];

    private string File => Path.Combine(_directory, "histograms.log");

    public void Dispose()
    {
        NativeMemory.Free(_h);
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void A_line_has_the_figures_of_its_own_window_and_an_idle_one_none()
    {
        var log = new HistogramLog(File, _said.Add);
        HistogramSource[] sources = [new("quantum", "", _h, 1), new("module", "say \"hi\"\n", _h + 1, 1)];
        _h->Record(9_000_000); // before the first window
        Assert.Equal(0, log.Write(sources, 100 * Second));
        var values = new List<ulong>();
        var random = new Random(1);
        for (var i = 0; i < 10_000; i++) values.Add((ulong)random.Next(1000, 100_000));
        foreach (var v in values) _h->Record(v);
        Assert.Equal(1, log.Write(sources, 160 * Second));
        Assert.Equal(0, log.Write(sources, 220 * Second));
        _h[1].Record(77);
        Assert.Equal(1, log.Write(sources, 280 * Second));

        var lines = System.IO.File.ReadAllLines(File);
        Assert.Equal(2, lines.Length);
        var first = Fields(lines[0]);
        Assert.Equal(("quantum", "10000", "60.0s"), (first["what"], first["count"], first["window"]));
        values.Sort();
        Assert.Equal(values[^1] / 1e3, Us(first["max"]), 3); // of the window, not of the 9 ms before it
        Assert.InRange(Us(first["p99"]), values[9899] / 1e3, values[9899] / 1e3 * 1.0626);
        Assert.InRange(Us(first["p50"]), values[4999] / 1e3, values[4999] / 1e3 * 1.0626);
        Assert.Equal(values.Average(v => (double)v) / 1e3, Us(first["mean"]), 3);
        var second = Fields(lines[1]);
        Assert.Equal(("module", "say \\\"hi\\\" ", "0.077us"), (second["what"], second["name"], second["max"]));
        Assert.Empty(_said);
    }

    [Fact]
    public void The_file_is_bounded_and_a_disk_that_is_full_is_said_once()
    {
        var log = new HistogramLog(File, _said.Add);
        HistogramSource[] sources = [new("load", "", _h, 0)];
        _ = log.Write(sources, Second);
        System.IO.File.WriteAllText(File, new string('x', (int)HistogramLog.MaxBytes + 1));
        _h->Record(500_000);
        _ = log.Write(sources, 61 * Second);
        Assert.Contains("max=50.00%", System.IO.File.ReadAllText(File), StringComparison.Ordinal);
        Assert.True(System.IO.File.Exists(File + ".1"));

        var full = new HistogramLog("/dev/full", _said.Add);
        _ = full.Write(sources, Second);
        for (var i = 0UL; i < 3; i++)
        {
            _h->Record(1);
            Assert.Equal(1, full.Write(sources, (62 + i) * Second));
        }

        Assert.Contains("/dev/full", Assert.Single(_said), StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Fields(string line) =>
        Field().Matches(line).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Success ? m.Groups[2].Value : m.Groups[3].Value, StringComparer.Ordinal);

    private static double Us(string text) => double.Parse(text[..^2], CultureInfo.InvariantCulture);

    [GeneratedRegex("""([a-z0-9.]+)=(?:"((?:[^"\\]|\\.)*)"|(\S+))""")]
    private static partial Regex Field();
}
