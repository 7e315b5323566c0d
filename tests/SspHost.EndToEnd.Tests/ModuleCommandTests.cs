// From an empty directory to a module that plays, by the commands alone, as docs/modules.md tells it.
using System.Diagnostics;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class ModuleCommandTests : IDisposable
{
    private readonly Runtime _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task A_module_in_C_is_written_built_tested_listed_patched_played_and_reloaded()
    {
        var created = await Ssp("module", "new", "my-filter");
        Assert.True(created.ExitCode == 0, created.ToString());
        Assert.Equal(["my-filter.c", "ssp/ssp_module.h"], Directory.GetFiles(_files.File("my-filter"), "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(_files.File("my-filter"), f)).Order(StringComparer.Ordinal));
        var built = await Ssp("module", "build", "my-filter");
        Assert.True(built.ExitCode == 0, built.ToString());
        Assert.Equal(("my-filter/out/my-filter.so\n", ""), (built.Output, built.Error));
        var tested = await Ssp("module", "test", "my-filter/out/my-filter.so");
        Assert.True(tested.ExitCode == 0, tested.ToString());
        Assert.Matches(@"^my-filter: (\d+) of \1 rules kept\n$", tested.Output);

        // Into the directory where everything looks.
        var modules = Directory.CreateDirectory(_files.File("ssphost/modules")).FullName;
        var patch = _files.File("patch.json");
        await File.WriteAllTextAsync(patch, """
            {"format":1,"id":"mine","modules":[{"id":"lfo","type":"lfo"},{"id":"mine","type":"my-filter"},{"id":"out","type":"audio-out"}],
             "cables":[{"from":"lfo.out","to":"mine.in"},{"from":"mine.out","to":"out.in1"}]}
            """);
        var unknown = await Ssp("patch", "check", patch);
        Assert.Equal(1, unknown.ExitCode);
        Assert.Contains("my-filter", unknown.Error, StringComparison.Ordinal);
        var elsewhere = await Ssp("patch", "check", patch, "--module-dir", "my-filter/out");
        Assert.True(elsewhere.ExitCode == 0, elsewhere.ToString());
        var listed = await Ssp("modules", "my-filter", "--module-dir", "my-filter/out");
        Assert.Contains($"from {_files.File("my-filter/out/my-filter.so")}\n", listed.Output, StringComparison.Ordinal);
        File.Copy(_files.File("my-filter/out/my-filter.so"), Path.Combine(modules, "my-filter.so"));
        var known = await Ssp("patch", "check", patch);
        Assert.True(known.ExitCode == 0, known.ToString());

        using var host = new PlayingHost(patch, "--module-dir", modules);
        Eventually.True(() => LibraryTests.Peak(host) > 0.1f, "it is heard");

        // What plays is asked first; directories that are named come before it.
        var playing = await Executables.Run(Executables.Ssp, host.Directory, "modules", "my-filter");
        Assert.Contains($"from {modules}/my-filter.so\n", playing.Output, StringComparison.Ordinal);
        var other = await Executables.Run(Executables.Ssp, host.Directory, "modules", "my-filter", "--module-dir", _files.File("my-filter/out"));
        Assert.Contains($"from {_files.File("my-filter/out/my-filter.so")}\n", other.Output, StringComparison.Ordinal);

        // Changed, built, copied, reloaded.
        var source = _files.File("my-filter/my-filter.c");
        await File.WriteAllTextAsync(source, (await File.ReadAllTextAsync(source)).Replace("*in++ *", "0.0f * *in++ *", StringComparison.Ordinal));
        Assert.Equal(0, (await Ssp("module", "build", "my-filter")).ExitCode);
        File.Copy(_files.File("my-filter/out/my-filter.so"), Path.Combine(modules, "my-filter.so"), overwrite: true);
        var reloaded = await Executables.Run(Executables.Ssp, host.Directory, "module", "reload");
        Assert.Equal((0, $"{modules}/my-filter.so: my-filter\n"), (reloaded.ExitCode, reloaded.Output));
        Eventually.True(() => LibraryTests.Peak(host) == 0, "the new one plays, which lets nothing through");
        host.End();
    }

    [Fact]
    public async Task What_cannot_be_built_or_tested_is_one_line_that_says_why()
    {
        await File.WriteAllTextAsync(_files.File("taken"), "");
        Directory.CreateDirectory(_files.File("empty"));
        await File.WriteAllTextAsync(_files.File("text.so"), "no library");
        foreach (var (arguments, expected) in new (string[], string)[]
        {
            (["new", "Filter"], "expected a name of a-z 0-9 - that begins with a letter"),
            (["new", "../up"], "expected a name of a-z 0-9 - that begins with a letter"),
            (["new", "taken"], "taken: exists already"),
            (["new", "mine", "--language", "rust"], "expected c or csharp, not 'rust'"),
            (["build", "nowhere"], "nowhere: no such directory"),
            (["build", "empty"], "there is neither a *.csproj nor a *.c file in it"),
            (["test", "nowhere.so"], "nowhere.so: no such file"),
            (["test", "text.so"], "text.so: it cannot be loaded"),
        })
        {
            var outcome = await Ssp(["module", .. arguments]);
            Assert.True(outcome.ExitCode != 0, string.Join(' ', arguments));
            Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
        }

        // A compiler's errors are its own; what was there stays.
        Assert.Equal(0, (await Ssp("module", "new", "wrong")).ExitCode);
        Assert.Equal(0, (await Ssp("module", "build", "wrong")).ExitCode);
        var before = await File.ReadAllBytesAsync(_files.File("wrong/out/wrong.so"));
        await File.AppendAllTextAsync(_files.File("wrong/wrong.c"), "this is no C\n");
        var broken = await Ssp("module", "build", "wrong");
        Assert.Equal(1, broken.ExitCode);
        Assert.Contains("wrong.c:", broken.Error, StringComparison.Ordinal);
        Assert.Contains("cc left with 1: the module was not built", broken.Error, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(_files.File("wrong/out/wrong.so")));
    }

    private Task<Outcome> Ssp(params string[] arguments) => Executables.Run(Executables.Ssp, _files.Directory, arguments);
}
