// `ssp run` on the simulated card: it plays, either process may be killed at any time, and Ctrl-C leaves nothing behind.
using System.Diagnostics;
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class RunTests : IDisposable
{
    private const int Kills = 100;
    private const int SigInt = 2;

    private readonly Runtime _runtime = new();
    private readonly string _patch = Executables.Patch("acid-line");

    public void Dispose()
    {
        // A test that failed left its host running, and a host brings its engine back: it goes first.
        foreach (var pid in _lines.Keys)
        {
            using var left = EngineProcess.Open(pid);
            left?.Signal(9);
        }

        _runtime.Dispose();
    }

    [Fact]
    public void A_demo_patch_plays_and_every_promise_about_its_threads_and_heap_is_kept()
    {
        using var ssp = Run();
        using (var look = Playing())
        {
            Eventually.True(() => Peak(look) > 0.1f, "sound at an output");
            Assert.True(look.TryAudio(out var audio));
            Assert.Equal(48_000, audio.Rate);
            Eventually.True(() => look.TrySteward(out var steward) && steward.Instances > 3, "the patch's modules in the steward's account");
            EngineProcessTests.AssertHeapStoodStill(look);
            AssertThreads(look, audio.Threads);
        }

        CtrlC(ssp);
    }

    [Fact]
    public void Ctrl_C_fades_out_ends_both_processes_and_leaves_with_0()
    {
        using var ssp = Run();
        int engine;
        using (var look = Playing()) engine = look.Process!.Pid;
        CtrlC(ssp);
        Assert.Null(EngineProcess.Open(engine));
        Assert.Null(EngineFile.TryRead(_runtime.Directory));
    }

    [Fact]
    public void Killing_the_control_process_a_hundred_times_does_not_stop_the_audio()
    {
        var ssp = Run();
        try
        {
            using var look = Playing();
            var engine = look.Process!.Pid;
            var serial = Audio(look).PlanSerial;
            var random = new Random(1);
            for (var i = 0; i < Kills; i++)
            {
                if (i % 3 == 0) Thread.Sleep(random.Next(0, 40)); // sometimes in the middle of attaching, sometimes after
                ssp.Kill();
                ssp.WaitForExit();
                ssp.Dispose();
                var before = Audio(look);
                Assert.False(look.Process.HasExited);
                ssp = Run();
                var pid = ssp.Id;
                Eventually.True(() => Audio(look).Quanta > before.Quanta + 20, $"audio goes on after kill {i + 1}");
                if (i % 3 != 1) Eventually.True(() => ControlPid(look) == pid, $"control process {i + 2} attaches");
            }

            Eventually.True(() => ControlPid(look) == ssp.Id, "the last control process attaches");
            Assert.Equal(engine, EngineFile.TryRead(_runtime.Directory)!.Pid);
            Assert.Equal(serial, Audio(look).PlanSerial); // nobody installed it again
            EngineProcessTests.AssertHeapStoodStill(look);
            CtrlC(ssp);
        }
        finally
        {
            ssp.Dispose();
        }
    }

    [Fact]
    public void Killing_the_engine_a_hundred_times_brings_it_back_with_the_patch_each_time()
    {
        using var ssp = Run();
        for (var i = 0; i < Kills; i++)
        {
            using var look = Playing();
            var engine = look.Process!.Pid;
            look.Process.Signal(9);
            Eventually.True(() => EngineFile.TryRead(_runtime.Directory) is { } f && f.Pid != engine && f.IsAlive(), $"a new engine after kill {i + 1}");
            Assert.False(ssp.HasExited);
        }

        using (var last = Playing()) Eventually.True(() => Peak(last) > 0.1f, "sound after the last kill");
        CtrlC(ssp);
    }

    [Fact]
    public void Without_a_patch_the_last_one_plays_again()
    {
        using (var first = Run())
        {
            using (Playing())
            {
            }

            CtrlC(first);
        }

        using var again = Executables.Start(Executables.Ssp, _runtime.Directory, ["run", "--device", "sim", .. Executables.NoPanel]);
        var lines = Executables.Follow(again);
        using (var look = Playing()) Eventually.True(() => Peak(look) > 0.1f, "sound");
        CtrlC(again);
        Assert.DoesNotContain("error", lines.Text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task On_a_terminal_a_status_line_moves_and_otherwise_plain_lines_come()
    {
        using (var plain = Run())
        {
            using (Playing())
            {
            }

            CtrlC(plain, out var text);
            Assert.DoesNotContain('\x1b', text);
            Assert.Contains("stopped after", text, StringComparison.Ordinal);
        }

        // `script` gives it a terminal, `timeout` presses Ctrl-C after a while.
        var command = $"timeout --foreground -s INT 5 {Executables.Ssp} run {_patch} --device sim";
        var outcome = await Executables.Run("script", _runtime.Directory, "-qec", command, "/dev/null");
        Assert.True(outcome.Output.Split("load ").Length > 4, outcome.ToString());
        Assert.Contains('\r', outcome.Output);
    }

    [Fact]
    public async Task Two_hosts_do_not_share_a_runtime_directory()
    {
        using var first = Run();
        using (Playing())
        {
        }

        var second = await Executables.Run(Executables.Ssp, _runtime.Directory, ["run", _patch, "--device", "sim", .. Executables.NoPanel]);
        Assert.NotEqual(0, second.ExitCode);
        Assert.Single(second.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.False(first.HasExited);
        CtrlC(first);
    }

    private readonly Dictionary<int, Lines> _lines = [];

    private Process Run()
    {
        var process = Executables.Start(Executables.Ssp, _runtime.Directory, ["run", _patch, "--device", "sim", .. Executables.NoPanel]);
        _lines[process.Id] = Executables.Follow(process);
        return process;
    }

    private EngineLink Playing()
    {
        EngineLink? link = null;
        Eventually.True(
            () =>
            {
                try
                {
                    link ??= EngineLink.Look(_runtime.Directory);
                    if (link.State == EngineState.Playing && link.TryAudio(out var a) && a.PlanSerial != 0 && a.Quanta > 50) return true;
                    if (link.Process!.HasExited) Drop(ref link);
                }
                catch (Exception e) when (e is EngineGoneException or IOException or InvalidDataException)
                {
                    Drop(ref link);
                }

                return false;
            },
            "a plan plays\n" + string.Join('\n', _lines.Values.Select(l => l.Text)));
        return link!;
    }

    private static void Drop(ref EngineLink? link)
    {
        link?.Dispose();
        link = null;
    }

    private void CtrlC(Process ssp) => CtrlC(ssp, out _);

    private void CtrlC(Process ssp, out string text)
    {
        using (var handle = EngineProcess.Open(ssp.Id)) handle?.Signal(SigInt);
        Assert.True(ssp.WaitForExit(120_000), "Ctrl-C ends it");
        ssp.WaitForExit();
        text = _lines.TryGetValue(ssp.Id, out var lines) ? lines.Text : "";
        Assert.True(ssp.ExitCode == 0, $"exit code {ssp.ExitCode}\n{text}");
    }

    private static AudioStatus Audio(EngineLink look)
    {
        AudioStatus status = default;
        Eventually.True(() => look.TryAudio(out status), "an audio snapshot");
        return status;
    }

    private static unsafe int ControlPid(EngineLink look) => Volatile.Read(ref look.Map.Header->ControlPid);

    private static unsafe float Peak(EngineLink look)
    {
        var status = Audio(look);
        return Math.Max(status.OutputPeaks[0], status.OutputPeaks[1]);
    }

    // Asked of the kernel, not of the engine: policy and priority from /proc, flush-to-zero and stack from the thread's own record.
    private static unsafe void AssertThreads(EngineLink look, int threads)
    {
        Assert.True(threads >= 1);
        for (var t = 0; t < threads; t++)
        {
            var record = look.Map.Threads[t];
            var stat = File.ReadAllText($"/proc/{look.Process!.Pid}/task/{record.Tid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            if (Environment.IsPrivilegedProcess)
            {
                Assert.Equal("1", fields[38]); // policy: SCHED_FIFO
                Assert.Equal(t == 0 ? "80" : "79", fields[37]);
            }

            Assert.Contains(t == 0 ? "(ssp-audio)" : $"(ssp-worker-{t})", stat, StringComparison.Ordinal);
            Assert.Equal(1, record.FlushToZero);
            if (Environment.IsPrivilegedProcess) Assert.Equal(1, record.StackLocked);
        }
    }
}
