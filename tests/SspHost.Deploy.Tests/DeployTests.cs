// ssp-deploy against a real SSH server and the host as it was built: what is sent, what is refused, what is taken back.
using System.Globalization;

namespace SspHost.Deploy.Tests;

public sealed class DeployTests(Bench bench) : IClassFixture<Bench>
{
    // The tool in the place of the real one, which lies beside it.
    private const string Real = "\"$(dirname \"$(readlink -f \"$0\")\")/real\"";

    [Fact]
    public async Task Only_what_has_changed_is_sent_and_the_rest_is_shared_with_the_release_before()
    {
        await bench.Plays();
        var (before, engine) = (bench.Current, await bench.Engine());
        var o = await bench.Push(await bench.Good());
        Assert.True(o.ExitCode == 0, o.ToString());
        Assert.Contains(": 1 of ", o.Output, StringComparison.Ordinal);
        Assert.EndsWith($"{bench.Current} plays\n", o.Output, StringComparison.Ordinal);
        Assert.Equal(before, bench.Previous);
        Assert.NotEqual(before, bench.Current);
        Assert.Equal("playing", await bench.State());
        Assert.NotEqual(engine, await bench.Engine());
        var inodes = await Shell.Must("stat", "-c", "%i", $"{bench.Releases}/{before}/bin/ssp-engine", $"{bench.Releases}/{bench.Current}/bin/ssp-engine");
        Assert.Single(inodes.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct());
        Assert.Equal(0, (await Shell.Run("sh", "-c", $"cd {bench.Releases}/{bench.Current} && sha256sum -c --quiet MANIFEST")).ExitCode);
    }

    [Fact]
    public async Task What_runs_already_is_left_alone()
    {
        await bench.Plays();
        var good = await bench.Good();
        Assert.Equal(0, (await bench.Push(good)).ExitCode);
        var engine = await bench.Engine();
        var o = await bench.Push(good);
        Assert.True(o.ExitCode == 0, o.ToString());
        Assert.Contains("runs here already", o.Output, StringComparison.Ordinal);
        Assert.Equal(engine, await bench.Engine());
    }

    [Theory]
    [InlineData("ssp-engine", "kill -SEGV $$", "it does not play after 3 s", "3")]
    [InlineData("ssp", "exit 1", "it does not play after 3 s (state: none)", "3")]
    [InlineData("ssp-engine", "p=$$; (while kill -STOP $p && sleep 0.5 && kill -CONT $p; do sleep 0.2; done) >/dev/null 2>&1 & exec " + Real + " \"$@\"", " dropouts in 1 s", "60")]
    public async Task What_does_not_play_well_is_taken_back_by_itself(string program, string instead, string why, string patience)
    {
        await bench.Plays();
        if (bench.Previous.Length == 0) Assert.Equal(0, (await bench.Push(await bench.Good())).ExitCode); // what was before is kept, too
        var (current, previous) = (bench.Current, bench.Previous);
        var bad = await bench.Release(folder =>
        {
            var file = Path.Combine(folder, "bin", program);
            File.Move(file, Path.Combine(folder, "bin/real"));
            File.WriteAllText(file, $"#!/bin/sh\n{instead}\n");
            File.SetUnixFileMode(file, File.GetUnixFileMode(Path.Combine(folder, "bin/real")));
        });
        var o = await bench.Push(bad, patience);
        Assert.True(o.ExitCode == 1, o.ToString());
        Assert.Contains(why, o.Output, StringComparison.Ordinal);
        Assert.True(o.Output.EndsWith($"{current} plays again\n", StringComparison.Ordinal), o.ToString());
        Assert.Equal((current, previous), (bench.Current, bench.Previous));
        Assert.Equal("playing", await bench.State());
    }

    [Fact]
    public async Task A_rollback_goes_to_the_release_before_and_the_next_comes_back()
    {
        await bench.Plays();
        if (bench.Previous.Length == 0) Assert.Equal(0, (await bench.Push(await bench.Good())).ExitCode);
        var (now, before) = (bench.Current, bench.Previous);
        var o = await bench.Deploy("--seconds", "1", "--patience", "60", "rollback");
        Assert.True(o.ExitCode == 0, o.ToString());
        Assert.Equal((before, now), (bench.Current, bench.Previous));
        o = await bench.Deploy("--seconds", "1", "--patience", "60", "rollback");
        Assert.True(o.ExitCode == 0, o.ToString());
        Assert.Equal((now, before), (bench.Current, bench.Previous));
        Assert.Equal("playing", await bench.State());
    }

    [Fact]
    public async Task Three_releases_are_kept_and_those_in_use_whatever_their_age()
    {
        await bench.Plays();
        for (var i = 0; i < 4; i++)
        {
            Directory.CreateDirectory($"{bench.Releases}/newer-{i}");
            Directory.SetLastWriteTimeUtc($"{bench.Releases}/newer-{i}", DateTime.UtcNow.AddHours(1 + i));
        }

        var before = bench.Current;
        Assert.Equal(0, (await bench.Push(await bench.Good())).ExitCode);
        Assert.Equal(
            new[] { bench.Current, before, "newer-1", "newer-2", "newer-3" }.Order(StringComparer.Ordinal),
            Directory.GetDirectories(bench.Releases).Select(d => Path.GetFileName(d)).Where(d => d[0] != '.').Order(StringComparer.Ordinal));
        for (var i = 1; i < 4; i++) Directory.Delete($"{bench.Releases}/newer-{i}");
    }

    [Fact]
    public async Task A_connection_that_is_cut_amid_an_upload_leaves_what_plays_and_the_next_push_completes()
    {
        await bench.Plays();
        var (current, engine) = (bench.Current, await bench.Engine());
        var (cut, bundle) = (bench.File("cut"), await bench.Release(f => File.AppendAllText(Path.Combine(f, "bin/ssp-engine"), "x")));
        var push = bench.DeployWith(bench.Through($"head -c 1500000; while [ ! -e {cut} ]; do sleep 0.1; done"), "", "--seconds", "1", "--bundle", bundle, "push");
        while (Directory.GetFiles(bench.Releases, "ssp-engine", SearchOption.AllDirectories).All(f => !f.Contains(".part/", StringComparison.Ordinal)))
        {
            Assert.False(push.IsCompleted, "the upload has ended too early");
            await Task.Delay(20);
        }

        await bench.Server.Cut();
        await File.WriteAllTextAsync(cut, "");
        var o = await push;
        Assert.True(o.ExitCode != 0, o.ToString());
        Assert.Equal((current, engine), (bench.Current, await bench.Engine()));
        Assert.Equal("playing", await bench.State());
        o = await bench.Push(bundle);
        Assert.True(o.ExitCode == 0, o.ToString());
        Assert.Empty(Directory.GetFileSystemEntries(bench.Releases, ".*"));
        Assert.NotEqual(current, bench.Current);
    }

    [Theory]
    [InlineData("head -c 50; head -c 1 >/dev/null; printf X; cat", "broke off, or came over damaged")]
    [InlineData("head -c 50", "broke off, or came over damaged")]
    [InlineData("gunzip | LC_ALL=C sed 's/\"id\"/\"it\"/' | gzip", "is not what its manifest says")]
    [InlineData("gunzip | tar --delete patches/tape-room.json | gzip", "was not sent and no release has it")]
    public async Task What_comes_over_otherwise_than_it_was_sent_is_refused(string way, string why)
    {
        await bench.Plays();
        var (current, engine) = (bench.Current, await bench.Engine());
        var bundle = await bench.Release(f => File.AppendAllText(Path.Combine(f, "patches/tape-room.json"), new string(' ', 1 + way.Length)));
        var o = await bench.DeployWith(bench.Through(way), "", "--seconds", "1", "--bundle", bundle, "push");
        Assert.True(o.ExitCode == 1, o.ToString());
        Assert.Contains(why, o.Error, StringComparison.Ordinal);
        Assert.Equal((current, engine), (bench.Current, await bench.Engine()));
        Assert.Empty(Directory.GetFileSystemEntries(bench.Releases, ".*"));
    }

    [Fact]
    public async Task A_bundle_that_is_not_what_its_manifest_says_is_not_sent()
    {
        await bench.Plays();
        var bundle = await bench.Good();
        File.AppendAllText(Path.Combine(bundle, "bin/ssp-engine"), "x");
        var o = await bench.Push(bundle);
        Assert.True(o.ExitCode == 1, o.ToString());
        Assert.Contains($"{bundle} is not what its manifest says", o.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("are sent", o.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bundle_of_another_architecture_is_not_sent()
    {
        await bench.Plays();
        var bundle = await bench.Release(f => File.WriteAllText(Path.Combine(f, "VERSION"), File.ReadAllText(Path.Combine(f, "VERSION")).Replace("rid=linux-", "rid=freebsd-", StringComparison.Ordinal)));
        var o = await bench.Push(bundle);
        Assert.True(o.ExitCode == 1, o.ToString());
        Assert.Contains("is for freebsd-", o.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_has_rotten_on_the_target_is_sent_again()
    {
        await bench.Plays();
        foreach (var release in Directory.GetDirectories(bench.Releases))
        {
            var file = Path.Combine(release, "patches/folded-garden.json");
            if (!File.Exists(file)) continue;
            File.Delete(file);
            File.WriteAllText(file, "rotten");
        }

        var o = await bench.Push(await bench.Good());
        Assert.True(o.ExitCode == 0, o.ToString());
        Assert.Contains(": 2 of ", o.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_do_not_deploy_at_once()
    {
        await bench.Plays();
        var engine = await bench.Engine();
        var bundle = await bench.Good();
        var held = Shell.Run("flock", $"{bench.Prefix}/.lock", "sh", "-c", $"touch {bench.File("held")}; while [ -e {bench.File("held")} ]; do sleep 0.1; done");
        while (!File.Exists(bench.File("held"))) await Task.Delay(10);
        var o = await bench.Push(bundle);
        File.Delete(bench.File("held"));
        await held;
        Assert.True(o.ExitCode == 1, o.ToString());
        Assert.Contains("somebody else deploys", o.Error, StringComparison.Ordinal);
        Assert.Equal(engine, await bench.Engine());
    }

    [Fact]
    public async Task Where_nothing_was_deployed_the_systems_own_release_plays_and_comes_back()
    {
        await bench.Plays();
        var (current, previous) = (bench.Current, bench.Previous);
        Directory.CreateSymbolicLink(bench.File("slot"), Path.Combine(bench.Releases, current));
        foreach (var link in new[] { "current", "previous" }) File.Delete(Path.Combine(bench.Prefix, link));
        try
        {
            var bad = await bench.Release(f => File.WriteAllText(Path.Combine(f, "bin/ssp-engine"), "#!/bin/sh\nexit 1\n"));
            var o = await bench.Push(bad, "3");
            Assert.True(o.ExitCode == 1, o.ToString());
            Assert.True(o.Output.EndsWith("the system's own release plays again\n", StringComparison.Ordinal), o.ToString());
            Assert.Equal(("", ""), (bench.Current, bench.Previous));
            o = await bench.Deploy("status");
            Assert.Contains("the system's own release (current)", o.Output, StringComparison.Ordinal);
            o = await bench.Deploy("rollback");
            Assert.True(o.ExitCode == 1, o.ToString());
            Assert.Contains("there is no release before", o.Error, StringComparison.Ordinal);
        }
        finally
        {
            File.CreateSymbolicLink(Path.Combine(bench.Prefix, "current"), "releases/" + current);
            if (previous.Length > 0) File.CreateSymbolicLink(Path.Combine(bench.Prefix, "previous"), "releases/" + previous);
            File.Delete(bench.File("slot"));
        }
    }

    [Fact]
    public async Task What_runs_there_is_asked_from_here()
    {
        await bench.Plays();
        var o = await bench.Deploy("status");
        Assert.Contains($"{bench.Current} (current)\n", o.Output, StringComparison.Ordinal);
        Assert.Contains((await bench.Engine()).ToString(CultureInfo.InvariantCulture), o.Output, StringComparison.Ordinal);
        o = await bench.Deploy("trace", "state");
        Assert.True(o.ExitCode == 0 && o.Output.Contains("tracing", StringComparison.OrdinalIgnoreCase), o.ToString());
        o = await bench.Deploy("bench", "--help");
        Assert.True(o.ExitCode == 0 && o.Output.Contains("ssp bench", StringComparison.Ordinal), o.ToString());
        o = await bench.DeployWith(new(), "echo six times seven is $((6*7)); exit\n", "shell");
        Assert.Contains("six times seven is 42", o.Output, StringComparison.Ordinal);
        o = await bench.Deploy("report", bench.File("report.tar.gz"));
        Assert.True(o.ExitCode == 0, o.ToString());
        Assert.NotEmpty(await Shell.Must("tar", "-tzf", bench.File("report.tar.gz")));
        o = await bench.Deploy("logs");
        Assert.True(o.ExitCode == 1 && o.Error.Contains("no ssp.service", StringComparison.Ordinal), o.ToString());
    }

    [Fact]
    public async Task Kernels_are_sent_once_and_timed_there()
    {
        // In place of the benchmarks, whose bundle is made on demand: what came with them, what they were told, and where they were.
        var (bundle, results) = (bench.File("kernels"), bench.File("kernels.json"));
        Directory.CreateDirectory(bundle);
        var program = Path.Combine(bundle, "SspHost.Benchmarks");
        File.WriteAllText(program, """
            #!/bin/sh
            echo "a table"
            while [ $# -gt 1 ]; do told="$told$1 "; shift; done
            echo "$told$(dirname "$0")" >"$1"
            [ ! -e "$(dirname "$0")/wrong" ] || exit 1

            """.ReplaceLineEndings("\n"));
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        File.WriteAllText(Path.Combine(bundle, "VERSION"), File.ReadAllText(Path.Combine(bench.Bundle, "VERSION")).Replace("name=ssphost", "name=kernels", StringComparison.Ordinal));
        Bench.Seal(bundle);
        var o = await bench.Deploy("--bundle", bundle, "kernels", results, "--filter", "*Two Words*");
        Assert.True(o.ExitCode == 0, o.ToString());
        Assert.Equal(results + "\n", o.Output);
        Assert.Contains("a table", o.Error, StringComparison.Ordinal);
        Assert.Contains(": 2 files are sent", o.Error, StringComparison.Ordinal);
        Assert.StartsWith($"--filter *Two Words* --out {bench.Prefix}/benchmarks/kernels-", await File.ReadAllTextAsync(results), StringComparison.Ordinal);
        o = await bench.Deploy("--bundle", bundle, "kernels", results);
        Assert.True(o.ExitCode == 0 && !o.Error.Contains("are sent", StringComparison.Ordinal), o.ToString());

        // Another takes its place, and a run that found something wrong says so; its results are there.
        File.WriteAllText(Path.Combine(bundle, "wrong"), "");
        File.AppendAllText(Path.Combine(bundle, "VERSION"), "\n");
        o = await bench.Deploy("--bundle", bundle, "kernels", results);
        Assert.Contains("is not what its manifest says", o.Error, StringComparison.Ordinal);
        Bench.Seal(bundle);
        File.Delete(results);
        o = await bench.Deploy("--bundle", bundle, "kernels", results);
        Assert.True(o.ExitCode == 1 && File.Exists(results), o.ToString());
        Assert.Single(Directory.GetDirectories(Path.Combine(bench.Prefix, "benchmarks")));
        o = await bench.Deploy("--bundle", bench.Bundle, "kernels", results);
        Assert.Contains("has no benchmarks in it; 'make bundle RID=linux-", o.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_said_wrongly_is_answered_in_a_line()
    {
        foreach (var (arguments, host, expected) in new (string[], string, string)[]
        {
            (["push"], "", "which target? Say --host USER@HOST"),
            (["pusch"], "x@y", "there is no command 'pusch'"),
            (["--fast", "push"], "x@y", "there is no option --fast"),
            (["--seconds", "ten", "push"], "x@y", "--seconds is a whole number of seconds, not 'ten'"),
            (["--seconds"], "x@y", "--seconds needs a value"),
        })
        {
            var o = await bench.DeployWith(new() { ["SSP_HOST"] = host }, "", arguments);
            Assert.True(o.ExitCode == 2, o.ToString());
            Assert.Contains(expected, o.Error, StringComparison.Ordinal);
        }

        var none = await bench.Deploy("--bundle", bench.File("none"), "push");
        Assert.True(none.ExitCode == 1, none.ToString());
        Assert.Contains($"there is no bundle in {bench.File("none")}; 'make bundle RID=linux-", none.Error, StringComparison.Ordinal);
        var away = await bench.DeployWith(new() { ["SSP_HOST"] = "nobody@127.0.0.1" }, "", "push");
        Assert.True(away.ExitCode == 1, away.ToString());
        Assert.Contains("nobody@127.0.0.1 does not answer", away.Error, StringComparison.Ordinal);
    }
}
