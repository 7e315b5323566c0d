// Nothing that plays may leave memory: read from the kernel while a patch plays, and shown by the experiments, locked beside not locked.
using System.Diagnostics;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class LockedMemoryTests
{
    [Fact]
    public unsafe void Region_stacks_code_and_constants_of_a_playing_engine_are_locked_and_in_memory()
    {
        if (!Environment.IsPrivilegedProcess) return;
        using var host = new PlayingHost(Executables.Patch("acid-line"));
        WaitUntilAllIsTouched(host.Look);
        var header = host.Look.Map.Header;
        var report = LockAudit.Of(host.Look.Process!.Pid, header->StacksOffset, header->StackStride * header->StackCount);
        Assert.True(report.Holds, LockAudit.Format(report));
        Assert.Equal(["code", "constants", "data", "region", "stacks"], report.Parts.Where(p => p.RealTime).Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.All(report.Parts.Where(p => p.RealTime), p => Assert.True(p.Locked > 0 && p.Locked == p.Resident, LockAudit.Format(report)));
        Assert.Equal(header->Bytes, report.Parts.Where(p => p.Name is "region" or "stacks").Sum(p => p.Resident) + Guards(host.Look.Process.Pid));

        // The engine's own account says the same.
        Assert.True(host.Look.TrySteward(out var steward));
        Assert.Equal(steward.LockWanted, steward.Locked);
        Assert.Equal(steward.ImageWanted, steward.ImageLocked);
        Assert.Equal(0, steward.LockError);
        host.End();
    }

    [Fact]
    public void Children_memory_pressure_swap_and_interrupts_from_a_neighbour_cause_no_fault_on_a_real_time_thread()
    {
        if (!Environment.IsPrivilegedProcess) return;
        using var host = new PlayingHost(Executables.Patch("acid-line"));
        WaitUntilAllIsTouched(host.Look);
        var before = host.Audio;
        using var swap = TemporarySwap.Create(host.Directory, 128 << 20);
        using var paging = new Paging(host.Look.Process!.Pid);
        var mappings = Mapping.Of(host.Look.Process.Pid);
        using var stop = new CancellationTokenSource();
        var storm = Storm(stop.Token);
        for (var i = 0; i < 20; i++)
        {
            using (var child = Process.Start(new ProcessStartInfo("/bin/true"))!) child.WaitForExit();
            foreach (var m in mappings) _ = paging.Out(m.Start, m.End);
        }

        stop.Cancel();
        foreach (var thread in storm) thread.Join();
        var after = host.Audio;
        Eventually.True(() => (after = host.Audio).Quanta > before.Quanta + 500, "it plays on");
        Assert.Equal(before.Faults, after.Faults);
        Assert.Equal(0, LockingWatch.Swapped(host.Look.Process.Pid));
        host.End();
    }

    [Theory]
    [InlineData("thread-swapped")]
    [InlineData("thread-swapped", "--swap", "128")]
    [InlineData("count-glitches", "--swap", "128")]
    public async Task An_experiment_shows_what_happens_without_locking_and_that_locking_cures_it(string experiment, params string[] more)
    {
        if (!Environment.IsPrivilegedProcess) return;
        using var runtime = new Runtime();
        var run = await Executables.Run(Executables.Ssp, runtime.Directory, ["experiment", experiment, "--seconds", "1", "--json", .. more]);
        var report = JsonSerializer.Deserialize(run.Output, DiagnosticsJson.Default.LockingReport)!;
        Assert.True(report.Shown && report.Cured && run.ExitCode == 0, run.ToString());
        Assert.True(report.NotLocked.Faults > 0 && 2 * report.NotLocked.RoundsTaken > report.NotLocked.Rounds, run.ToString());
        Assert.Equal((0UL, 0, 0, 0L), (report.Locked.Faults, report.Locked.RoundsTaken, report.Locked.RoundsFaulted, report.Locked.SwappedBytes));
        Assert.True(report.Locked.RefusedBytes > 0); // the kernel said no because they are locked, not because there was nothing
    }

    [Fact]
    public async Task Memory_made_short_beside_an_engine_takes_pages_from_the_one_that_locks_none_and_none_from_the_one_that_does()
    {
        if (!Environment.IsPrivilegedProcess) return;
        using var runtime = new Runtime();
        const int Tries = 3; // how soon the kernel gets at pages in use is its affair
        for (var i = 1; ; i++)
        {
            var run = await Executables.Run(Executables.Ssp, runtime.Directory, "experiment", "memload", "--seconds", "2", "--swap", "384", "--json");
            Assert.True(run.Output.Length > 0, run.ToString());
            var report = JsonSerializer.Deserialize(run.Output, DiagnosticsJson.Default.LockingReport)!;
            Assert.True(report.Cured, run.ToString());
            Assert.Equal(0, report.Locked.SwappedBytes);
            if (report is { Shown: true, NotLocked.SwappedBytes: > 0 } || i == Tries)
            {
                Assert.True(report.Shown, run.ToString());
                break;
            }
        }
    }

    private static unsafe void WaitUntilAllIsTouched(EngineLink link) =>
        Eventually.True(() => link.Map.PoolStats->TryRead(out var s) && s.Offered == s.Limit && link.TrySteward(out var t) && t.LockWanted >= s.Limit, "all of the pool is touched");

    // Pages between the stacks, and in front of the pool up to a huge page's border: mapped, never in memory.
    private static long Guards(int pid) =>
        Mapping.Of(pid).Where(m => m.Path.StartsWith("/memfd:ssp-region", StringComparison.Ordinal)).Sum(m => m.Size - m.Resident);

    // Memory mapped and unmapped, and barriers for whole processes: each makes the kernel interrupt other cores.
    private static unsafe List<Thread> Storm(CancellationToken stop)
    {
        var threads = new List<Thread>();
        for (var i = 0; i < 2; i++)
        {
            var thread = new Thread(() =>
            {
                while (!stop.IsCancellationRequested)
                {
                    var block = Linux.Mmap(null, 1 << 20, Linux.ProtRead | Linux.ProtWrite, 0x22, -1, 0);
                    new Span<byte>(block, 1 << 20).Fill(1);
                    _ = Linux.Munmap(block, 1 << 20);
                    Interlocked.MemoryBarrierProcessWide();
                }
            }) { IsBackground = true };
            thread.Start();
            threads.Add(thread);
        }

        return threads;
    }
}
