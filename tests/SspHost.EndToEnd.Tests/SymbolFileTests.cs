// The engine's symbol file as it is deployed: made of this very image, and right about it.
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using SspHost.Diagnostics.Symbols;

namespace SspHost.EndToEnd.Tests;

public sealed partial class SymbolFileTests
{
    private static string Debug => Path.Combine(Path.GetDirectoryName(Executables.Bin)!, "symbols", "ssp-engine.dbg");

    [Fact]
    public void The_symbol_file_beside_the_engine_is_of_that_engine()
    {
        var table = SymbolTable.Open(Executables.Engine + ".sym");
        Assert.NotEmpty(table.BuildId);
        Assert.Equal(ElfImage.Open(Executables.Engine).BuildId, table.BuildId);
    }

    [Fact]
    public void It_agrees_with_addr2line_and_nm_on_thousands_of_addresses()
    {
        var table = SymbolTable.Open(Executables.Engine + ".sym");
        var random = new Random(6);
        var all = Tool("nm", ["-S", "--defined-only", Debug]).Split('\n');
        var symbols = all.Select(l => l.Split(' ', 4)).Where(l => l.Length == 4 && l[2] is "t" or "T")
            .Select(l => (Start: Convert.ToUInt64(l[0], 16), Bytes: Convert.ToUInt64(l[1], 16), Name: l[3])).Where(s => s.Bytes > 0).ToList();
        var ours = symbols.Where(s => s.Name.StartsWith("SspHost_", StringComparison.Ordinal) || s.Name.StartsWith("ssp_", StringComparison.Ordinal)).ToList();
        // A function may have several names, and those that assembly gives have no size.
        var byAddress = all.Select(l => l.Split(' ')).Where(l => l.Length >= 3).ToLookup(l => Convert.ToUInt64(l[0], 16), l => l[^1]);
        var addresses = Enumerable.Range(0, 6000).Select(i => i % 3 == 0 ? symbols[random.Next(symbols.Count)] : ours[random.Next(ours.Count)])
            .Select(s => (s.Start, At: s.Start + (ulong)random.NextInt64((long)s.Bytes))).ToList();
        var told = Tool("addr2line", ["-e", Debug], addresses.Select(a => a.At.ToString("x", CultureInfo.InvariantCulture))).Split('\n');
        var lines = 0;
        for (var i = 0; i < addresses.Count; i++)
        {
            var (start, at) = addresses[i];
            var place = table.Find(at);
            Assert.Contains(place.Function, byAddress[at - place.Offset].Select(LinkNames.Readable));
            if (place.Offset != at - start) Assert.InRange(place.Offset, 0u, (uint)(at - start)); // a symbol within another
            var line = told[i].Split(" (")[0];
            var known = OwnFile().Match(line);
            Assert.Equal(known.Success ? (known.Groups[1].Value, known.Groups[2].Value) : ("", "0"), (place.File ?? "", place.Line.ToString(CultureInfo.InvariantCulture)));
            lines += known.Success ? 1 : 0;
        }

        Assert.InRange(lines, 2000, 6000);
    }

    [Fact]
    public async Task A_file_that_is_none_is_one_clear_line()
    {
        foreach (var arguments in new[] { new[] { "symbols", "resolve", Debug, "10" }, ["symbols", "make", Executables.Engine, "-o", "/nowhere/x"], ["symbols", "resolve", Executables.Engine + ".sym", "zz"] })
        {
            var outcome = await Executables.Run(Executables.Ssp, Path.GetTempPath(), arguments);
            Assert.Equal((1, 1), (outcome.ExitCode, outcome.Error.Count(c => c == '\n')));
        }

        var start = Tool("nm", [Debug]).Split('\n').First(l => l.EndsWith(" SspHost_Modules_SspHost_Modules_Vco__Process", StringComparison.Ordinal)).Split(' ')[0];
        var resolved = await Executables.Run(Executables.Ssp, Path.GetTempPath(), "symbols", "resolve", Executables.Engine + ".sym", start);
        Assert.Matches(@"^[0-9a-f]+ SspHost\.Modules\.Vco\.Process \(dsp-modules/Sources/Vco\.cs:\d+\)\n$", resolved.Output);
    }

    private static string Tool(string name, string[] arguments, IEnumerable<string>? input = null)
    {
        using var process = Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        foreach (var line in input ?? []) process.StandardInput.WriteLine(line);
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output.Result;
    }

    [GeneratedRegex(@"^/_/((?:src/SspHost|dsp-modules).*):([1-9]\d*)$")]
    private static partial Regex OwnFile();
}
