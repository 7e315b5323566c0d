// What each image holds, as nm sees it: the guards are in the checked one and nowhere else, and no allocation helper goes around them.
using System.Diagnostics;
using SspHost.EndToEnd.Tests;

namespace SspHost.Checked.Tests;

public sealed class ImageTests
{
    private static readonly string[] Guards =
        ["__wrap_RhpNewFast", "__wrap_RhpNewArray", "__wrap_RhNewString", "__wrap_RhpThrowEx", "ssp_guard_enter", "ssp_guard_stub", "guard_trap_system_calls", "guard_violation"];

    [Fact]
    public void The_release_image_has_no_guard_and_no_wrapped_helper()
    {
        var release = Names(Path.Combine(Path.GetDirectoryName(Executables.Bin)!, "symbols", "ssp-engine.dbg"));
        var made = Names(CheckedEngine.Symbols); // nm finds them where they are: the positive control
        Assert.All(Guards, g => Assert.Contains(g, made));
        Assert.DoesNotContain(release, n => n.StartsWith("__wrap_", StringComparison.Ordinal) || n.StartsWith("ssp_guard_", StringComparison.Ordinal) || n.StartsWith("guard_", StringComparison.Ordinal)
            || n.Contains("RtGuard", StringComparison.Ordinal) || n.Contains("Violations", StringComparison.Ordinal));
        Assert.Contains(release, n => n.Contains("NodeRunner__Run", StringComparison.Ordinal)); // it is the image, and its names are there
        Assert.Contains("RhpNewFast", release);
    }

    [Fact]
    public void An_allocation_helper_without_a_wrapper_fails_the_build()
    {
        var directory = Directory.CreateTempSubdirectory("ssp-helpers-").FullName;
        try
        {
            // What a runtime of another version could refer to, as an object file of its own.
            var source = Path.Combine(directory, "object.s");
            File.WriteAllText(source, ".data\n.quad RhpNewFast\n.quad RhpNewSomethingElse\n.quad RhGetTotalAllocatedBytes\n");
            var made = Path.Combine(directory, "object.o");
            Assert.Equal(0, Sh("cc", "-c", source, "-o", made).Code);
            var library = Directory.GetFiles(Path.Combine(Executables.Root, "artifacts", "native"), "libssphost_guard.a", SearchOption.AllDirectories)[0];
            var script = Path.Combine(Executables.Root, "src", "SspHost.Native", "checked", "helpers.sh");
            var (code, output) = Sh("sh", script, made, library, Path.Combine(directory, "wraps.rsp"));
            Assert.Equal(1, code);
            Assert.Contains("RhpNewSomethingElse has no wrapper", output, StringComparison.Ordinal);
            Assert.False(File.Exists(Path.Combine(directory, "wraps.rsp")));

            File.WriteAllText(source, ".data\n.quad RhpNewFast\n.quad RhGetTotalAllocatedBytes\n");
            Assert.Equal(0, Sh("cc", "-c", source, "-o", made).Code);
            Assert.Equal(0, Sh("sh", script, made, library, Path.Combine(directory, "wraps.rsp")).Code);
            Assert.Equal("-Wl,--wrap=RhpNewFast,--undefined=RhpNewFast\n", File.ReadAllText(Path.Combine(directory, "wraps.rsp")));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static HashSet<string> Names(string image)
    {
        var (code, output) = Sh("nm", "--defined-only", image);
        Assert.True(code == 0, output);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l[(l.LastIndexOf(' ') + 1)..])];
    }

    private static (int Code, string Output) Sh(string file, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.GetAwaiter().GetResult());
    }
}
