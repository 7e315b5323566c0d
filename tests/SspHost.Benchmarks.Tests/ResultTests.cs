// What is timed is what it says, and the results come out as the one file of results.
using System.Diagnostics;
using SspHost.Diagnostics.Benching;

namespace SspHost.Benchmarks.Tests;

public class ResultTests
{
    [Fact]
    public void The_quantum_that_is_timed_sounds_and_its_loop_goes_on()
    {
        const int Second = 1500; // quanta
        var benchmarks = new QuantumBenchmarks();
        benchmarks.Setup();
        try
        {
            var loudest = 0f;
            for (var q = 0; q < Second; q++)
            {
                Assert.True(benchmarks.RenderAQuantum());
                loudest = Math.Max(loudest, benchmarks.Loudest);
            }

            Assert.InRange(loudest, 0.5f, 12f);
            for (var q = 0; q < Second; q++) Assert.True(benchmarks.LoopStep());
            Assert.True(benchmarks.Quanta >= 2 * Second, $"{benchmarks.Quanta} quanta");
            Assert.True(benchmarks.RenderWhileAKnobTurns());
            Assert.Equal(3, benchmarks.MidiParserNote());
            Assert.Equal(1ul, benchmarks.RecordTapPush());
        }
        finally
        {
            benchmarks.Cleanup();
        }
    }

    [Fact]
    public async Task A_run_writes_its_figures_and_machine()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("ssp-").FullName, "kernels.json");
        try
        {
            var (code, printed) = await Run("--quick", "--filter", "*EngineBenchmarks.SpscRing*", "--out", file);
            Assert.True(code == 0, printed);
            var results = BenchFile.Read(file);
            Assert.Equal("kernels", results.Bench);
            var time = results.Find("kernels.EngineBenchmarks.SpscRingPushAndPop");
            Assert.Equal(5, time!.Values.Length); // iterations of --quick
            Assert.All(time.Values, static ns => Assert.InRange(ns, 0, 1e6)); // 0: no more than the loop around it
            Assert.Equal((0.0, 0.0), (Assert.Single(results.Find("kernels.EngineBenchmarks.SpscRingPushAndPop.allocated")!.Values), results.Figures[1].Target!.Value));
            Assert.Equal(2, results.Figures.Count);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        }
    }

    [Fact]
    public async Task What_cannot_be_done_is_said()
    {
        Assert.Equal((2, "benchmarks: --out: expected a file\n"), await Run("--out"));
        var (code, printed) = await Run("--filter", "*NoSuchThing*");
        Assert.Equal(1, code);
        Assert.Contains("benchmarks: no benchmark ran", printed, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Printed)> Run(params string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "SspHost.Benchmarks.dll");
        var folder = Directory.CreateTempSubdirectory("ssp-").FullName;
        var start = new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Directory.Delete(folder, recursive: true);
        return (process.ExitCode, output + await errors);
    }
}
