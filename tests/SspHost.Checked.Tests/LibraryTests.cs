// Modules of other people in the checked engine: a report names the file they came with, and one in C# that keeps the rules is not reported.
using System.Diagnostics;
using System.Text.Json.Nodes;
using SspHost.Abi.Link;
using SspHost.EndToEnd.Tests;

namespace SspHost.Checked.Tests;

public sealed class LibraryTests : IDisposable
{
    private readonly Runtime _runtime = new();

    private string Modules => Directory.CreateDirectory(_runtime.File("modules")).FullName;

    private string Library => Path.Combine(Modules, "phase.so");

    public void Dispose() => _runtime.Dispose();

    [Fact]
    public async Task A_module_that_mallocs_in_a_quantum_is_named_with_its_file_and_the_place_in_it()
    {
        Build("-DMALLOCS", "-fno-builtin");
        using var ssp = CheckedEngine.Start(Executables.Ssp, "warn", _runtime.Directory, "run", Patch("test-phase"), "--device", "sim", "--module-dir", Modules, "--web", "off");
        try
        {
            var log = _runtime.File("engine.log");
            Eventually.True(() => File.Exists(log) && CheckedEngine.Reports(Read(log)).Any(static r => r.Detail == "malloc" && r.Frames.Count > 0), "it is reported");
            var report = CheckedEngine.Reports(Read(log)).First(static r => r.Detail == "malloc");
            Assert.Equal(("native allocation", $"in module 'm' (test-phase from {Library})"), (report.What, report.Place.Split(", ")[0]));

            // Its own function, by number: a library shows those it exports only.
            Assert.Matches(@"^0x[0-9a-f]+ \(\d+-1-phase\.so\)$", report.At);
            Assert.Equal(report.At, report.Frames.First(static f => f.Contains("phase.so", StringComparison.Ordinal)));
        }
        finally
        {
            ssp.Kill();
            await ssp.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task A_module_that_mallocs_ends_the_engine_and_the_last_line_names_its_file()
    {
        Build("-DMALLOCS", "-fno-builtin");
        var outcome = await CheckedEngine.Run(Executables.Ssp, "abort", "render", Patch("test-phase"), "--out", _runtime.File("out.wav"), "--seconds", "1", "--module-dir", Modules);
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.Contains($"aborts for a violation: native allocation in module 'm' (test-phase from {Library})", outcome.Error, StringComparison.Ordinal);
    }

    private static string Read(string log)
    {
        using var file = new StreamReader(new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return file.ReadToEnd();
    }

    private string Patch(string type)
    {
        var patch = _runtime.File("patch.json");
        File.WriteAllText(patch, $$"""
            {"format":1,"id":"library","modules":[{"id":"m","type":"{{type}}"},{"id":"out","type":"audio-out"}],"cables":[{"from":"m.out","to":"out.in1"}]}
            """);
        return patch;
    }

    private void Build(params string[] flags)
    {
        var root = Executables.Root;
        string[] arguments =
        [
            "-std=gnu11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-I", Path.Combine(root, "dsp-modules", "sdk"), .. flags,
            Path.Combine(root, "tests", "libraries", "phase.c"), "-lm", "-o", Library,
        ];
        using var cc = Process.Start(new ProcessStartInfo("cc", arguments))!;
        cc.WaitForExit();
        Assert.Equal(0, cc.ExitCode);
    }
}
