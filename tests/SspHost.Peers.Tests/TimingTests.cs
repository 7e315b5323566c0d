// The measures themselves: slopes, spreads, what the kernel says of a process, and the program that times others.
using System.Diagnostics;
using SspHost.Peers.Timing;

namespace SspHost.Peers.Tests;

public sealed class TimingTests
{
    [Fact]
    public void A_slope_is_what_one_more_costs_whatever_the_start_takes()
    {
        Assert.Equal(3, Slope.Of([(100, 1000 + 300), (900, 1000 + 2700)]), 9);
        Assert.Equal(2, Slope.Of([(1, 2), (2, 4), (3, 6), (4, 8)]), 9);
        Assert.Equal(0.7, Slope.Of([(2, 1), (4, 3), (8, 5.4)]), 1); // least squares: mean of x 14/3, of y 9.4/3
        _ = Assert.Throws<ArgumentException>(() => Slope.Of([(1, 2), (1, 3)]));
    }

    [Fact]
    public void A_spread_has_the_median_of_all()
    {
        Assert.Equal(new Spread(3, 1, 9), Spread.Of([9, 1, 3]));
        Assert.Equal(new Spread(2.5, 1, 9), Spread.Of([9, 1, 3, 2]));
        _ = Assert.Throws<ArgumentException>(() => Spread.Of([]));
        Assert.Equal(1, Spread.Percentile([1, 2, 3, 4], 0.25));
        Assert.Equal(2, Spread.Percentile([1, 2, 3, 4], 0.2501));
        Assert.Equal(4, Spread.Percentile([1, 2, 3, 4], 1));
    }

    [Fact]
    public void Schedstat_sums_the_threads_that_are_there()
    {
        var proc = Directory.CreateTempSubdirectory("ssp-proc-").FullName;
        foreach (var (thread, text) in new[] { ("11", "1000 5 2\n"), ("12", "234 0 1\n") })
        {
            _ = Directory.CreateDirectory(Path.Combine(proc, "11", "task", thread));
            File.WriteAllText(Path.Combine(proc, "11", "task", thread, "schedstat"), text);
        }

        _ = Directory.CreateDirectory(Path.Combine(proc, "11", "task", "13")); // ended since: nothing is in it
        Assert.Equal(1234, Schedstat.OnCpu(11, proc));
        Assert.Contains("gone", Assert.Throws<PeerException>(() => Schedstat.OnCpu(12, proc)).Message, StringComparison.Ordinal);
        foreach (var bad in new[] { "", "1 2", "1 2 x", "-1 2 3", "1.5 2 3" }) _ = Assert.Throws<PeerException>(() => Schedstat.Parse(bad));
        Directory.Delete(proc, recursive: true);
    }

    [Fact]
    public void Schedstat_counts_what_this_process_burns()
    {
        var before = Schedstat.OnCpu(Environment.ProcessId);
        var burnt = Process.GetCurrentProcess().TotalProcessorTime;
        for (var watch = Stopwatch.StartNew(); watch.ElapsedMilliseconds < 50 || Process.GetCurrentProcess().TotalProcessorTime - burnt < TimeSpan.FromMilliseconds(20);) Thread.SpinWait(1000);
        Assert.True(Schedstat.OnCpu(Environment.ProcessId) - before > 5_000_000);
    }

    [Fact]
    public void The_timer_counts_descendants_that_nobody_waited_for_and_hands_on_the_exit_code()
    {
        if (Tool.Find("cc") == null) return; // a build needs one, a test run by hand may lack it
        var folder = Directory.CreateTempSubdirectory("ssp-timed-").FullName;
        try
        {
            var (timed, figures) = (Path.Combine(folder, "timed"), Path.Combine(folder, "figures"));
            _ = Tool.Run(TimeSpan.FromMinutes(1), ["cc", "-std=gnu11", "-O1", "-Wall", "-Werror", "-o", timed, Path.Combine(Root(), "tests", "Peers", "timed.c")]);
            // The grandchild burns about a tenth of a second of CPU time after its parent is gone.
            _ = Tool.Run(TimeSpan.FromMinutes(1), [timed, figures, "sh", "-c", "(i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done) & exit 0"]);
            var took = Timed.Parse(File.ReadAllText(figures));
            Assert.True(took.Cpu > 0.02, $"{took.Cpu} s");
            Assert.Contains("ended with 3", Assert.Throws<PeerException>(() => Tool.Run(TimeSpan.FromMinutes(1), [timed, figures, "sh", "-c", "exit 3"])).Message, StringComparison.Ordinal);
            Assert.Contains("127", Assert.Throws<PeerException>(() => Tool.Run(TimeSpan.FromMinutes(1), [timed, figures, "no-such-program"])).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_program_that_does_not_end_is_ended()
    {
        var watch = Stopwatch.StartNew();
        Assert.Contains("did not end within", Assert.Throws<PeerException>(() => Tool.Run(TimeSpan.FromSeconds(0.5), ["sleep", "100"])).Message, StringComparison.Ordinal);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60));
        Assert.Contains("not there", Assert.Throws<PeerException>(() => Tool.Run(TimeSpan.FromSeconds(1), ["no-such-program"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_service_that_ends_at_once_is_named_with_what_it_said()
    {
        var why = Assert.Throws<PeerException>(() => Service.Start(["sh", "-c", "echo no card >&2; sleep 0.2; exit 4"], new Dictionary<string, string>(), _ => false)).Message;
        Assert.Contains("ended with 4", why, StringComparison.Ordinal);
        using var service = Service.Start(["sleep", "100"], new Dictionary<string, string>(), _ => true);
        Assert.True(Directory.Exists($"/proc/{service.Pid}"));
    }

    internal static string Root()
    {
        for (var at = AppContext.BaseDirectory; at != null; at = Path.GetDirectoryName(at))
            if (File.Exists(Path.Combine(at, "SspHost.sln"))) return at;
        throw new InvalidOperationException("no checkout above the tests");
    }
}
