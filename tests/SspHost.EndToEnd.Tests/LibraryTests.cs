// Modules of other people, in an engine that plays: what must not be loaded is refused and heard by nobody, what is rebuilt goes on where it was.
using System.Diagnostics;
using System.Text.Json.Nodes;
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class LibraryTests : IDisposable
{
    private static readonly string Source = Path.Combine(Executables.Root, "tests", "libraries", "phase.c");
    private static readonly string Sdk = Path.Combine(Executables.Root, "dsp-modules", "sdk");

    private readonly Runtime _files = new();

    private string Modules => Directory.CreateDirectory(_files.File("modules")).FullName;

    public void Dispose() => _files.Dispose();

    [Fact]
    public void What_must_not_be_loaded_is_refused_in_a_sentence_each_while_the_music_plays_on()
    {
        Build("phase");
        using var host = Play("test-phase", "out");
        Assert.True(Peak(host) > 0.1f, "it is heard");
        Build("version", "-DID=\"test-version\"", "-DVERSION=7");
        Build("symbol", "-DNO_SYMBOL");
        Build("crash", "-DID=\"test-crash\"", "-DCRASH");
        Build("dies", "-DID=\"test-dies\"", "-DDIE_AT_CONSTRUCT");
        Build("hang", "-DID=\"test-hang\"", "-DHANG");
        Build("twice"); // test-phase again, from another file
        Build("taken", "-DID=\"vco\"");
        File.WriteAllText(Path.Combine(Modules, "garbage.so"), "this is no library");
        var before = host.Audio;
        using var control = new Control(Path.Combine(host.Directory, "control.sock"));
        var report = control.Ask(new JsonObject { ["command"] = "reload" });
        var refused = report["refused"]!.AsArray().ToDictionary(r => Path.GetFileNameWithoutExtension((string)r!["file"]!), r => (string)r!["why"]!);
        Assert.Empty(report["loaded"]!.AsArray());
        Assert.Equal(["crash", "dies", "garbage", "hang", "symbol", "taken", "twice", "version"], refused.Keys.Order(StringComparer.Ordinal));
        Assert.Contains("built for version 7 of ssp_module.h, this engine speaks 1", refused["version"], StringComparison.Ordinal);
        Assert.Contains("no function ssp_module_get", refused["symbol"], StringComparison.Ordinal);
        Assert.Matches(@"ends the process it is tried in: .*signal.* \(loading\)", refused["crash"]);
        Assert.Contains("(making 'test-dies')", refused["dies"], StringComparison.Ordinal);
        Assert.Contains("does not come back within 10 s (loading)", refused["hang"], StringComparison.Ordinal);
        Assert.Contains("cannot be loaded", refused["garbage"], StringComparison.Ordinal);
        Assert.Contains("there is a module 'test-phase' already, from ", refused["twice"], StringComparison.Ordinal);
        Assert.Contains("there is a module 'vco' already, which ships with the engine", refused["taken"], StringComparison.Ordinal);
        var after = host.Audio;
        Assert.True(after.Quanta > before.Quanta && after.PlanSerial == before.PlanSerial && Peak(host) > 0.1f, "it plays on");
        Assert.Equal(["test-phase"], Types(host));
        EngineProcessTests.AssertHeapStoodStill(host.Look);
        host.End();
    }

    [Fact]
    public async Task A_rebuilt_library_takes_over_with_the_state_it_finds_and_without_a_step()
    {
        const int Frames = 240; // of the ramp: 5 ms
        Build("phase");
        using var host = Play("test-phase", "out");
        using var control = new Control(Path.Combine(host.Directory, "control.sock"));
        var number = Number(host, out var key);
        var take = Path.Combine(host.Directory, "take.wav");
        control.Ask(new JsonObject { ["command"] = "record", ["path"] = take, ["outputs"] = new JsonArray(1) });
        for (var round = 0; round < 3; round++)
        {
            Build("phase", "-DLEVEL=" + (round % 2 == 0 ? "3.0f" : "5.0f"));
            var report = control.Ask(new JsonObject { ["command"] = "reload" });
            Assert.True(report["loaded"]!.AsArray().Count == 1, report.ToJsonString());
            Eventually.True(() => host.Look.TrySteward(out var s) && s.Instances == 2, "only the patch is left in the engine");
            var (former, next) = (key, 0UL);
            // It is only in the state: the new instance's seed is another.
            Eventually.True(() => Number(host, out next) == number && next != former, "the number went over");
            key = next;
        }

        var told = control.Ask(new JsonObject { ["command"] = "recordStop" });
        var samples = await Recordings.Channel(take, 0);
        var (largest, looked) = (0.0, 0);
        for (var i = 1; i < samples.Length; i++)
        {
            // A machine that is busy elsewhere loses frames: that silence is not the module's.
            if (told["gaps"]!.AsArray().Any(g => i > (long)g!["at"]! - 500 && i < (long)g["at"]! + (long)g["frames"]! + 500)) continue;
            largest = Math.Max(largest, Math.Abs(samples[i] - samples[i - 1]) * 10.0);
            looked++;
        }

        Assert.True(looked > samples.Length / 2, $"{looked} of {samples.Length} frames were looked at");

        // A sine of 50 Hz and 5 V moves 0.033 V a frame; both at once, as the ramp trades one for the other, and what it adds itself at its
        // steepest where they are 10 V apart. A cut would be a step of volts.
        var bound = (2 * 5 * 2 * Math.PI * 50 / 48_000) + (10 * Math.PI / 2 / Frames);
        Assert.True(samples.Max() * 10 > 2.9 && largest <= bound, $"a step of {largest:0.000} V, allowed {bound:0.000} V");
        EngineProcessTests.AssertHeapStoodStill(host.Look);
        host.End();
    }

    [Fact]
    public unsafe void Every_real_time_thread_is_known_to_a_librarys_runtime_before_it_plays_and_its_collections_are_told()
    {
        Build("phase");
        using var host = Play("test-phase", "out");
        var number = Number(host, out var key);
        Build("phase", "-DRUNTIME"); // comes while the audio thread plays
        using var control = new Control(Path.Combine(host.Directory, "control.sock"));
        var report = control.Ask(new JsonObject { ["command"] = "reload" });
        Assert.True(report["loaded"]!.AsArray().Count == 1, report.ToJsonString());
        var next = 0UL;
        Eventually.True(() => Number(host, out next) == number && next != key, "it plays on threads that the library knows");
        Assert.True(Number(host, out _, entry: 1) >= 1 + Limits.StandbyThreads, "those that stand by are known, too");
        Assert.Equal(1, host.Look.Map.Threads[0].Attached);
        Eventually.True(() => host.Text.Contains("the runtime of " + Path.Combine(Modules, "phase.so") + " has collected ", StringComparison.Ordinal), "its collections are told\n" + host.Text);
        EngineProcessTests.AssertHeapStoodStill(host.Look);
        Assert.Equal(0UL, host.Look.TrySteward(out var steward) ? steward.HeapCalls : 1);
        host.End();
    }

    [Fact]
    public void A_rebuilt_library_that_the_patch_does_not_fit_is_refused_and_the_old_one_plays_on()
    {
        Build("phase");
        using var host = Play("test-phase", "out");
        using var control = new Control(Path.Combine(host.Directory, "control.sock"));
        Build("phase", "-DOUTPUT_ID=\"other\"");
        var report = control.Ask(new JsonObject { ["command"] = "reload", ["module"] = "test-phase" });
        Assert.Contains("the patch that plays does not fit it", (string)report["refused"]![0]!["why"]!, StringComparison.Ordinal);
        Assert.Equal(["test-phase"], Types(host));
        Assert.True(Peak(host) > 0.1f, "it plays on");
        host.End();
    }

    [Fact]
    public void A_library_that_takes_the_engine_down_twice_is_named_and_bypassed()
    {
        Build("dies", "-DID=\"test-dies\"", "-DDIE_AFTER=1500"); // a second: the probe plays less
        using var host = Play("test-dies", "out");
        Eventually.True(() => host.Text.Contains("the engine died twice", StringComparison.Ordinal), "the second death is judged\n" + host.Text, 90);
        Eventually.True(() => host.Text.Contains("'m' bypassed, the patch is open and stopped", StringComparison.Ordinal), "and acted upon\n" + host.Text);
    }

    [Fact]
    public void Twenty_replaced_copies_are_said_once_because_none_of_them_can_be_unloaded()
    {
        Build("phase");
        using var host = Play("test-phase", "out");
        using var control = new Control(Path.Combine(host.Directory, "control.sock"));
        var number = Number(host, out _);
        const string Warning = "20 replaced libraries are still in the engine's memory";
        for (var round = 0; round < 22; round++)
        {
            Assert.Equal(round > 19, host.Text.Contains(Warning, StringComparison.Ordinal));
            Assert.Single(control.Ask(new JsonObject { ["command"] = "reload", ["module"] = "test-phase" })["loaded"]!.AsArray());
            if (round == 19) Eventually.True(() => host.Text.Contains(Warning, StringComparison.Ordinal), "it is said\n" + host.Text);
        }

        Assert.Equal(2, host.Text.Split(Warning).Length);
        Eventually.True(() => Number(host, out _) == number && Peak(host) > 0.1f, "it plays, with its state");
        EngineProcessTests.AssertHeapStoodStill(host.Look);
        host.End();
    }

    [Fact]
    public async Task What_is_rebuilt_in_a_watched_directory_plays_at_once_and_what_is_half_written_does_not()
    {
        var configuration = _files.File("ssp.json");
        await File.WriteAllTextAsync(configuration, new JsonObject { ["modules"] = new JsonObject { ["directories"] = new JsonArray(Modules), ["watch"] = true } }.ToJsonString());
        Build("phase");
        using var host = new PlayingHost(PatchOf("test-phase", "out"), "--config", configuration);
        var number = Number(host, out var key);

        // As a linker that takes its time: the first half is there, and the file open.
        Build("late", "-DID=\"test-late\"");
        var late = Path.Combine(Modules, "late.so");
        Eventually.True(() => Said(host, "loaded " + late) == 1, "what is new is loaded\n" + host.Text);
        var whole = await File.ReadAllBytesAsync(late);
        await using (var writer = new FileStream(late, FileMode.Create, FileAccess.Write, FileShare.ReadWrite))
        {
            writer.Write(whole.AsSpan(0, whole.Length / 2));
            writer.Flush(flushToDisk: true);

            // Another comes meanwhile, for which everything is looked at.
            Build("phase", "-DLEVEL=3.0f");
            var next = 0UL;
            Eventually.True(() => Number(host, out next, type: "test-phase") == number && next != key, "the rebuilt one plays, with its state\n" + host.Text);
            Eventually.True(() => Said(host, "loaded " + late) == 1, "it is loaded once\n" + host.Text);
            Assert.Equal(0, Said(host, late + ": not loaded"));
            writer.Write(whole.AsSpan(whole.Length / 2));
        }

        Eventually.True(() => Said(host, "loaded " + late) == 2, "it is loaded when it is whole\n" + host.Text);

        // Whoever wrote it has died of it: nobody writes any more, and it is not whole.
        await File.WriteAllBytesAsync(late, whole[..(whole.Length / 2)]);
        Eventually.True(() => Said(host, late + ": not loaded: it ends before its own tables do") == 1, "it is refused, once\n" + host.Text);

        // The directory itself may be another.
        Directory.Move(Modules, Modules + ".old");
        Build("again", "-DID=\"test-again\"");
        Eventually.True(() => Said(host, "loaded " + Path.Combine(Modules, "again.so")) == 1, "a new directory of the same name is watched, too\n" + host.Text);
        Assert.Equal(1, Said(host, late + ": not loaded"));
        host.End();
    }

    [Fact]
    public async Task What_others_could_have_written_is_not_loaded_and_one_line_says_so()
    {
        Build("phase");
        Build("open", "-DID=\"test-open\"");
        var open = Path.Combine(Modules, "open.so");
        File.SetUnixFileMode(open, File.GetUnixFileMode(open) | UnixFileMode.OtherWrite);
        using var host = Play("test-phase", "out");
        Eventually.True(() => Said(host, open + ": not loaded: it can be written by everybody (chmod o-w)") == 1, "one line says so\n" + host.Text);
        Assert.Equal(["test-phase"], Types(host));

        // The whole directory, and whatever is in it; sticky or not, anybody could add to it.
        using var control = new Control(Path.Combine(host.Directory, "control.sock"));
        var mode = File.GetUnixFileMode(Modules);
        foreach (var bits in new[] { UnixFileMode.OtherWrite, UnixFileMode.OtherWrite | UnixFileMode.StickyBit })
        {
            File.SetUnixFileMode(Modules, mode | bits);
            Build("new", "-DID=\"test-new\"");
            var refused = control.Ask(new JsonObject { ["command"] = "reload" })["refused"]!.AsArray().Single()!;
            Assert.Equal((Modules, "it can be written by everybody (chmod o-w), so nothing in it is loaded"), ((string)refused["file"]!, (string)refused["why"]!));
            var listed = await Executables.Run(Executables.Ssp, _files.Directory, "modules", "--module-dir", Modules);
            Assert.Contains($"{Modules}: it can be written by everybody (chmod o-w), so nothing in it is loaded\n", listed.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("test-", listed.Output, StringComparison.Ordinal);
        }

        // And one above it.
        File.SetUnixFileMode(Modules, mode);
        var above = _files.File("above");
        Directory.CreateDirectory(above);
        Directory.Move(Modules, Path.Combine(above, "modules"));
        Directory.CreateSymbolicLink(_files.File("modules"), Path.Combine(above, "modules"));
        File.SetUnixFileMode(above, mode | UnixFileMode.OtherWrite);
        var why = (string)control.Ask(new JsonObject { ["command"] = "reload" })["refused"]!.AsArray().Single()!["why"]!;
        Assert.Equal($"{above} can be written by everybody (chmod o-w), so nothing in it is loaded", why);
        Assert.Equal(["test-phase"], Types(host));
        Assert.True(Peak(host) > 0.1f, "what was loaded plays on");

        File.SetUnixFileMode(above, mode);
        Assert.Single(control.Ask(new JsonObject { ["command"] = "reload" })["loaded"]!.AsArray()); // test-new; the other file is open yet
        host.End();
    }

    [Fact]
    public void A_module_that_mallocs_where_it_plays_is_served_counted_and_named_once_and_audio_plays_on()
    {
        Build("phase", "-DMALLOCS", "-fno-builtin");
        using var host = Play("test-phase", "out");
        Eventually.True(() => host.Text.Contains("'m': called malloc on a real-time thread", StringComparison.Ordinal), "it is said\n" + host.Text);
        var quanta = host.Audio.Quanta;
        Eventually.True(() => host.Audio.Quanta > quanta + 2000, "audio plays on");
        Assert.Single(HeapTests.Counted(host, out var outside));
        Assert.Equal(0UL, outside);
        Assert.Equal(["m"], HeapTests.Blamed().Matches(host.Text).Select(static m => m.Groups[1].Value));
        EngineProcessTests.AssertHeapStoodStill(host.Look);
        host.End();
    }

    private PlayingHost Play(string type, string output) => new(PatchOf(type, output), "--module-dir", Modules);

    // One module and the outputs.
    private string PatchOf(string type, string output)
    {
        var patch = _files.File("patch.json");
        File.WriteAllText(patch, $$"""
            {"format":1,"id":"library","modules":[{"id":"m","type":"{{type}}"},{"id":"out","type":"audio-out"}],"cables":[{"from":"m.{{output}}","to":"out.in1"}]}
            """);
        return patch;
    }

    private static int Said(PlayingHost host, string words) => host.Text.Split(words).Length - 1;

    // Linked elsewhere and moved there, as a build does it.
    private void Build(string name, params string[] flags)
    {
        var built = _files.File(name + ".new");
        using var cc = Process.Start(new ProcessStartInfo("cc", ["-std=gnu11", "-O2", "-fPIC", "-shared", "-I", Sdk, .. flags, Source, "-lm", "-o", built]))!;
        cc.WaitForExit();
        Assert.Equal(0, cc.ExitCode);
        File.Move(built, Path.Combine(Modules, name + ".so"), overwrite: true);
    }

    private static IEnumerable<string> Types(PlayingHost host) => host.Look.ReadDescriptors().Where(d => d.File.Length > 0).Select(d => d.Id);

    internal static unsafe float Peak(PlayingHost host)
    {
        var audio = host.Audio;
        return audio.OutputPeaks[0];
    }

    // Telemetry of the one instance of a library's type.
    internal static unsafe float Number(PlayingHost host, out ulong key, int entry = 0, string? type = null)
    {
        var types = host.Look.ReadDescriptors();
        for (var slot = 0; slot < Limits.MaxInstances; slot++)
        {
            var record = host.Look.Map.Instances[slot];
            if (record.State != InstanceState.Active || record.Module >= types.Count || types[record.Module].File.Length == 0) continue;
            if (type != null && types[record.Module].Id != type) continue;
            key = record.Key;
            return ((float*)host.Look.Map.At(record.Telemetry))[entry];
        }

        throw new InvalidOperationException("no module of a library plays");
    }
}
