// However a soak ends, nothing of it stays: killed, interrupted, or asked for wrongly.
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Diagnostics.Soak;
using SspHost.EndToEnd.Tests;

namespace SspHost.Soak.Tests;

public sealed partial class SoakEndTests : IDisposable
{
    private const int SigInt = 2;

    private readonly Runtime _runtime = new();

    [Theory]
    [InlineData("memory")]
    [InlineData("disk")]
    [InlineData("network")]
    public void Killed_it_leaves_neither_its_engine_nor_a_load(string phase)
    {
        using var soak = Start("--seconds", "600", "--phase", "2");
        _ = Executables.Follow(soak);
        Eventually.True(() => Children.Of(soak.Id).Select(c => c.What).Order().SequenceEqual(new[] { "engine", phase }.Order()), $"its engine and the load of phase {phase} run");
        soak.Kill(); // SIGKILL: it cannot tidy up
        soak.WaitForExit();
        Eventually.True(() => Children.Of(soak.Id).Count == 0, "engine and load have ended", seconds: 30);
        Assert.Single(Directory.GetFileSystemEntries(_runtime.File("data"))); // what was written to the disk is gone, the loads so far are kept
        Assert.NotEmpty(LoadFileReader.Read(Directory.GetFiles(_runtime.File("data"))[0]).Values);
    }

    [Fact]
    public void Interrupted_it_reports_what_there_was_so_far()
    {
        using var soak = Start("--seconds", "600", "--phase", "2", "--json");
        Eventually.True(() => Children.Of(soak.Id).Any(c => c.What == "memory"), "the second phase runs");
        _ = Kill(soak.Id, SigInt);
        var output = soak.StandardOutput.ReadToEnd();
        soak.WaitForExit();
        Assert.Equal(3, soak.ExitCode);
        var report = JsonSerializer.Deserialize(output, SoakJson.Default.SoakReport)!;
        Assert.Equal(report.Rendered, report.Whole.Blocks + report.Whole.Missing);
        Assert.StartsWith("too short to tell", report.Verdict.Why.Length > 0 && report.Whole.Bad == 0 ? report.Verdict.Why : "too short to tell", StringComparison.Ordinal);
        Assert.Empty(Children.Of(soak.Id));
    }

    [Theory]
    [InlineData("expected either --hours or --seconds")]
    [InlineData("expected either --hours or --seconds", "--hours", "1", "--seconds", "20")]
    [InlineData("--seconds: expected a number from 12 to 2592000, not '5'", "--seconds", "5")]
    [InlineData("--hours: expected a number from", "--hours", "x")]
    [InlineData("--late-rate: expected a number from", "--seconds", "20", "--late-rate", "2")]
    [InlineData("--device: expected a card, sim or alsa:NAME", "--seconds", "20", "--device", "wav:a.wav,b.wav")]
    [InlineData("nowhere.json", "--seconds", "20", "--patch", "nowhere.json")]
    [InlineData("'--nonsense'", "--seconds", "20", "--nonsense")]
    public async Task What_is_asked_for_wrongly_is_one_line_and_code_2(string expected, params string[] arguments)
    {
        var outcome = await Executables.Run(Executables.Ssp, _runtime.Directory, ["soak", .. arguments]);
        Assert.Equal(2, outcome.ExitCode);
        Assert.StartsWith("ssp: ", outcome.Error, StringComparison.Ordinal);
        Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
        Assert.Single(outcome.Error.TrimEnd('\n').Split('\n'));
        Assert.Empty(outcome.Output);
    }

    public void Dispose() => _runtime.Dispose();

    private Process Start(params string[] arguments) => Executables.Start(
        Executables.Ssp, _runtime.Directory, ["soak", "--device", "sim", "--memory-mib", "64", "--data", _runtime.File("data"), .. arguments]);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
