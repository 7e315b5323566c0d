// A library in C# is one more runtime in the engine's process: its collector, its threads, its signals and its heap, and what becomes of them.
using System.Globalization;
using System.Text.Json.Nodes;
using SspHost.Abi;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class CSharpLibraryTests : IClassFixture<CSharpLibrary>, IDisposable
{
    private const string TrapId = "test-trap";

    private readonly CSharpLibrary _library;
    private readonly Runtime _files = new();

    public CSharpLibraryTests(CSharpLibrary library)
    {
        _library = library;
        Environment.SetEnvironmentVariable(CSharpLibrary.Traps, null);
    }

    private string Modules => Directory.CreateDirectory(_files.File("modules")).FullName;

    private string Installed => Path.Combine(Modules, CSharpLibrary.Name + ".so");

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(CSharpLibrary.Traps, null);
        _files.Dispose();
    }

    [Fact]
    public async Task What_the_command_writes_builds_without_a_warning_and_keeps_every_rule()
    {
        Assert.Equal(Path.Combine(CSharpLibrary.Name, "out", CSharpLibrary.Name + ".so"), _library.Built.Output.Trim());
        Assert.Equal("", _library.Built.Error);
        var tested = await Executables.Run(Executables.Ssp, _files.Directory, "module", "test", _library.File);
        Assert.True(tested.ExitCode == 0, tested.ToString());
        Assert.Matches(@"^door: (\d+) of \1 rules kept\n$", tested.Output);
    }

    [Fact]
    public async Task The_template_of_dotnet_new_makes_the_same_module_and_it_compiles_without_a_warning()
    {
        var sdk = Path.Combine(Executables.Root, "dsp-modules", "sdk");
        string[] hive = ["--debug:custom-hive", _files.File("hive")];
        var installed = await CSharpLibrary.RunAtHome(_files.Directory, "dotnet", ["new", "install", Path.Combine(sdk, "template", "csharp"), .. hive]);
        Assert.True(installed.ExitCode == 0, installed.ToString());
        var made = await CSharpLibrary.RunAtHome(_files.Directory, "dotnet", ["new", "ssp-module", "-n", CSharpLibrary.Title, "--sdk", Path.Combine(sdk, "csharp"), .. hive]);
        Assert.True(made.ExitCode == 0, made.ToString());
        var directory = _files.File(CSharpLibrary.Title);
        var texts = CSharpLibrary.Texts(directory).ToDictionary(static p => p.Key, p => p.Value.Replace(Path.Combine(sdk, "csharp") + "/", "ssp/", StringComparison.Ordinal));
        Assert.Equal(texts.OrderBy(static p => p.Key, StringComparer.Ordinal), _library.Written.Where(static p => !p.Key.StartsWith("ssp", StringComparison.Ordinal)).OrderBy(static p => p.Key, StringComparer.Ordinal));
        foreach (var (path, text) in _library.Written.Where(static p => p.Key.StartsWith("ssp", StringComparison.Ordinal)))
        {
            var original = path.StartsWith("ssp/contract", StringComparison.Ordinal) ? Path.Combine(Executables.Root, "src", "SspHost.Abi") : Path.Combine(sdk, "csharp");
            Assert.Equal(await File.ReadAllTextAsync(Path.Combine(original, Path.GetFileName(path))), text);
        }

        var built = await CSharpLibrary.RunAtHome(_files.Directory, "dotnet", "build", directory, "-c", "Release", "-v", "m", "--nologo", "-nodeReuse:false", "-p:UseSharedCompilation=false", "-p:TreatWarningsAsErrors=true");
        Assert.True(built.ExitCode == 0, built.ToString());
        Assert.DoesNotContain("warning", built.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void It_comes_while_the_music_plays_and_changes_nothing_of_the_engine_but_that_it_is_there()
    {
        Environment.SetEnvironmentVariable(CSharpLibrary.Traps, "1");
        using var host = Play("""{"id":"lfo","type":"lfo"}""", """{"from":"lfo.out","to":"out.in1"}""");
        using var control = new Control(Path.Combine(host.Directory, "control.sock"));
        var pid = host.Look.Process!.Pid;
        Eventually.True(() => Process(pid).Threads.Any(static t => t.Name == "ssp-events"), "the last of the engine's own threads runs");
        var before = Process(pid);
        File.Copy(_library.File, Installed);
        var report = control.Ask(new JsonObject { ["command"] = "reload" });
        Assert.Equal(["door", TrapId], report["loaded"]!.AsArray().Single()!["modules"]!.AsArray().Select(static m => (string)m!));
        Open(control, Patch("""{"id":"t","type":"test-trap"},{"id":"door","type":"door"}""", """{"from":"t.out","to":"door.in"},{"from":"door.out","to":"out.in1"}"""));
        Eventually.True(() => LibraryTests.Peak(host) > 0.3f, "both its modules are heard");
        var played = host.Audio;
        Eventually.True(() => host.Audio.Quanta > played.Quanta + 1000, "they play on");

        // Signals: whoever caught one catches it still, and only what the runtime stops its own threads by may have come.
        var after = Process(pid);
        Assert.Equal(before.Caught, after.Caught & ~RealTimeSignal);
        Assert.Equal(before.Blocked, after.Blocked);

        // Threads: one, which finalises; neither of real time nor named as one that is.
        var came = after.Threads.ExceptBy(before.Threads.Select(static t => t.Tid), static t => t.Tid).ToArray();
        Assert.True(came.Length <= 1, string.Join(", ", came.AsEnumerable()));
        Assert.All(came, static t => Assert.Equal(0, t.Policy));
        Assert.DoesNotContain(came, static t => t.Name is "ssp-audio" or "ssp-watchdog" || t.Name.StartsWith("ssp-worker", StringComparison.Ordinal));

        // Memory: addresses for the heap that the limit allows, not for all the machine has, and no arena of malloc's for each thread.
        Assert.InRange(after.AddressKib - before.AddressKib, 0, 160 * 1024);

        // RT threads: known to it, outside of any quantum; none of them asked malloc for anything, faulted or collected.
        Assert.Equal(1, LibrariesKnown(host));
        Assert.True(host.Look.TrySteward(out var steward));
        Assert.Equal(0UL, steward.HeapCalls);
        Assert.Equal(played.Faults, host.Audio.Faults);
        Assert.DoesNotContain("has collected", host.Text, StringComparison.Ordinal);
        Assert.Equal(1, LibraryTests.Number(host, out _, entry: 1, TrapId)); // denormals are zero where it plays, as the engine has set it
        EngineProcessTests.AssertHeapStoodStill(host.Look);

        // Replaced: a second runtime beside the first, which stays, with the state of what played.
        var number = LibraryTests.Number(host, out var key, 0, TrapId);
        File.SetLastWriteTimeUtc(Installed, DateTime.UtcNow.AddSeconds(1));
        Assert.Single(control.Ask(new JsonObject { ["command"] = "reload" })["loaded"]!.AsArray());
        var next = 0UL;
        Eventually.True(() => LibraryTests.Number(host, out next, 0, TrapId) == number && next != key, "the number went over");
        Eventually.True(() => LibraryTests.Number(host, out _, 1, TrapId) == 1, "it plays");
        Assert.Equal(2, LibrariesKnown(host));
        Assert.Equal(2, File.ReadLines($"/proc/{pid}/maps").Where(static l => l.EndsWith("-door.so", StringComparison.Ordinal)).Select(static l => l[l.IndexOf('/', StringComparison.Ordinal)..]).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(before.Caught, Process(pid).Caught & ~RealTimeSignal);
        EngineProcessTests.AssertHeapStoodStill(host.Look);
        host.End();
    }

    [Fact]
    public void What_a_module_of_it_must_not_do_is_told_or_costs_that_module_and_nothing_else()
    {
        Environment.SetEnvironmentVariable(CSharpLibrary.Traps, "1");
        File.Copy(_library.File, Installed);
        using var host = Play(
            """{"id":"good","type":"lfo"},""" + string.Join(',', new[] { "g1", "g2", "t1", "t2", "t3" }.Select(static id => $$"""{"id":"{{id}}","type":"test-trap"}""")),
            """{"from":"good.out","to":"out.in1"},{"from":"g1.out","to":"out.in2"},{"from":"g2.out","to":"out.in2"},{"from":"t1.out","to":"out.in2"},{"from":"t2.out","to":"out.in2"},{"from":"t3.out","to":"out.in2"}""");
        using var control = new Control(Path.Combine(host.Directory, "control.sock"));
        var pid = host.Look.Process!.Pid;

        // Its collector runs: where a module allocates in a quantum, and on the steward while modules play, whom it stops. One that takes too long
        // costs the module of the library in whose quantum it was: the watchdog does not ask whose fault it is.
        Do(control, "g1", 1);
        Until(host, () => host.Text.Contains($"the runtime of {Installed} has collected ", StringComparison.Ordinal) || WasLate(host), "it is told");
        Do(control, "g1", 0);
        Do(control, "g2", 2);
        Until(host, () => Enumerable.Range(0, 16).Any(i => Collections(host, i) > 50) || WasLate(host), "it collects again and again while they play");
        Do(control, "g2", 0);
        PlaysOn(host);

        // 16 MiB is what it has: then it is an exception, and that nobody can catch. Its runtime ends by signal 6, or by 11 where there is no memory
        // left to say so with, and the thread with it; those after it wait in there for the end that never comes.
        Do(control, "t3", 5);
        Told(host, "'t3': switched off because it faulted (signal ", "the full heap is held and named");
        PlaysOn(host);
        Do(control, "t2", 4);
        Told(host, "'t2': switched off because it did not come back", "the exception is held and named");
        PlaysOn(host);

        // A null reference is a fault that the engine holds: the handler is its own, though the library's runtime put in one of its own.
        Do(control, "t1", 3);
        Told(host, "'t1': switched off because it faulted (signal 11)", "the fault is held and named");
        PlaysOn(host);
        Assert.Equal(pid, host.Look.Process!.Pid);
        host.End();
    }

    // The thread that was lost is in its code for ever, so it never stops to collect: all of that library wait for it, and nobody else.
    [Fact]
    public void A_collection_after_a_fault_costs_every_module_of_that_library_and_no_other()
    {
        Environment.SetEnvironmentVariable(CSharpLibrary.Traps, "1");
        File.Copy(_library.File, Installed);
        using var host = Play(
            """{"id":"t1","type":"test-trap"},{"id":"t2","type":"test-trap"},{"id":"lfo","type":"lfo"}""",
            """{"from":"t1.out","to":"out.in2"},{"from":"t2.out","to":"out.in2"},{"from":"lfo.out","to":"out.in1"}""");
        using var control = new Control(Path.Combine(host.Directory, "control.sock"));
        Do(control, "t1", 3);
        Told(host, "'t1': switched off because it faulted (signal 11)", "the fault is held and named");
        Do(control, "t2", 1);
        Told(host, "'t2': switched off because it did not come back", "so is who waits for it");
        PlaysOn(host);
    }

    private static void Told(PlayingHost host, string words, string what) => Until(host, () => host.Text.Contains(words, StringComparison.Ordinal), what);

    private static bool WasLate(PlayingHost host) => host.Text.Contains("switched off because it did not come back", StringComparison.Ordinal);

    // Says what was told instead, as it is at the end.
    private static void Until(PlayingHost host, Func<bool> holds, string what)
    {
        for (var i = 0; i < 300 && !holds(); i++) System.Threading.Thread.Sleep(100);
        Assert.True(holds(), $"after 30 s still not: {what}\n{host.Text}");
    }

    private static void PlaysOn(PlayingHost host)
    {
        var quanta = host.Audio.Quanta;
        Eventually.True(() => host.Audio.Quanta > quanta + 500 && LibraryTests.Peak(host) > 0.1f, "the music plays on\n" + host.Text);
    }

    // To the audio thread.
    private static unsafe int LibrariesKnown(PlayingHost host) => host.Look.Map.Threads[0].Attached;

    private static unsafe float Collections(PlayingHost host, int slot)
    {
        var record = host.Look.Map.Instances[slot];
        return record.State == InstanceState.Active && record.Telemetry != 0 && host.Look.ReadDescriptors()[record.Module].Id == TrapId ? ((float*)host.Look.Map.At(record.Telemetry))[2] : 0;
    }

    private PlayingHost Play(string modules, string cables) => new(Patch(modules, cables), "--module-dir", Modules);

    private string Patch(string modules, string cables)
    {
        var file = _files.File("patch.json");
        File.WriteAllText(file, $$"""{"format":1,"id":"csharp","modules":[{{modules}},{"id":"out","type":"audio-out"}],"cables":[{{cables}}]}""");
        return file;
    }

    private static void Open(Control control, string patch) => control.Ask(new JsonObject { ["command"] = "load", ["path"] = patch, ["wait"] = true });

    private static void Do(Control control, string module, int what) => control.Ask(new JsonObject
    {
        ["command"] = "edit",
        ["edits"] = new JsonObject { ["op"] = "param", ["module"] = module, ["param"] = "do", ["value"] = what },
    });

    private const ulong RealTimeSignal = 1UL << (34 - 1); // SIGRTMIN, as the C library leaves it

    private sealed record Thread(int Tid, string Name, int Policy);

    private sealed record State(ulong Caught, ulong Blocked, long AddressKib, IReadOnlyList<Thread> Threads);

    // As the kernel has it. A signal mask is in hexadecimal, bit 0 for signal 1.
    private static State Process(int pid)
    {
        var status = File.ReadAllLines($"/proc/{pid}/status").Select(static l => l.Split(':', 2)).ToDictionary(static p => p[0], static p => p[1].Trim(), StringComparer.Ordinal);
        ulong Mask(string key) => ulong.Parse(status[key], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var threads = Directory.GetDirectories($"/proc/{pid}/task").Select(static t =>
        {
            const int PolicyAt = 38; // field 41 of stat, counted behind the name
            var stat = File.ReadAllText(Path.Combine(t, "stat"));
            return new Thread(
                int.Parse(Path.GetFileName(t), CultureInfo.InvariantCulture),
                File.ReadAllText(Path.Combine(t, "comm")).Trim(),
                int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[PolicyAt], CultureInfo.InvariantCulture));
        }).ToArray();
        return new State(Mask("SigCgt") & ~RealTimeSignal, Mask("SigBlk"), long.Parse(status["VmSize"].Split(' ')[0], CultureInfo.InvariantCulture), threads);
    }
}
