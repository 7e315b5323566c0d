// The machine starts by itself into the patch it came with, and plays it as a target does: in real time, without being root, and what is heard is right.
using System.Globalization;
using SspHost.Target.Kit;

namespace SspHost.Target;

[Trait("Runs", "always")]
public sealed class BootTests(PlayingTarget target) : IClassFixture<PlayingTarget>
{
    [Fact]
    public void It_starts_by_itself_and_says_that_it_is_ready()
    {
        var unit = Properties(target.Run("systemctl show ssp -p ActiveState,SubState,Type,NRestarts,StatusText,User; systemctl is-system-running || true"));
        Assert.Equal("active", unit["ActiveState"]);
        Assert.Equal("running", unit["SubState"]);
        Assert.Equal("notify", unit["Type"]);
        Assert.Equal("0", unit["NRestarts"]);
        Assert.Equal("ssp", unit["User"]);
        Assert.StartsWith("playing: ", unit["StatusText"], StringComparison.Ordinal);
        Assert.Equal("", target.Run("systemctl --failed --no-legend --plain"));
    }

    [Fact]
    public void The_kernel_is_a_real_time_kernel()
    {
        Assert.Equal("1", target.Run("cat /sys/kernel/realtime"));
    }

    [Fact]
    public void The_audio_thread_has_FIFO_80_and_the_watchdog_90_as_the_kernel_sees_them()
    {
        // Name, class and priority of every real-time thread of the engine.
        var threads = target.Run("ps -L -o comm=,cls=,rtprio= -p $(engine) | awk '$2 != \"TS\" { print $1, $2, $3 }' | sort").Split('\n');
        Assert.Contains("ssp-audio FF 80", threads);
        Assert.Contains(threads, t => t.EndsWith(" FF 90", StringComparison.Ordinal));
        Assert.DoesNotContain(threads, t => t.Split(' ') is [_, "FF", var p] && int.Parse(p, CultureInfo.InvariantCulture) > 90);
    }

    [Fact]
    public void What_it_plays_from_is_locked_in_memory()
    {
        var kib = target.Number("awk '/^VmLck:/ { print $2 }' /proc/$(engine)/status");
        Assert.True(kib >= 256 * 1024, $"{kib} KiB are locked, expected the region of 256 MiB at least");
    }

    [Fact]
    public void Both_processes_are_the_users_have_no_capability_and_a_filter_of_system_calls()
    {
        foreach (var process in new[] { "engine", "control" })
        {
            var status = Properties(target.Run($"sed 's/:[[:space:]]*/=/' /proc/$({process})/status"));
            Assert.Equal(target.Run("id -u ssp"), status["Uid"].Split('\t')[0]);
            Assert.Equal("0000000000000000", status["CapEff"]);
            Assert.Equal("0000000000000000", status["CapBnd"]);
            Assert.Equal("1", status["NoNewPrivs"]);
            Assert.Equal("2", status["Seccomp"]); // a filter
        }
    }

    [Fact]
    public void The_root_is_read_only_and_what_the_player_does_is_on_the_data_partition()
    {
        Assert.Equal("ro", target.Run("findmnt -n -o OPTIONS / | cut -d, -f1"));
        Assert.Equal("/dev/vda4 rw", target.Run("findmnt -n -o SOURCE,OPTIONS /data | sed 's/ \\+/ /; s/,.*//'"));
        Assert.NotEqual("", target.Run("find /data/ssphost/state -name 'journal*'"));
        Assert.NotEqual(0, target.Guest.Run("touch /opt/ssphost/x /etc/x").ExitCode);
    }

    [Fact]
    public void A_sine_on_each_jack_arrives_on_its_channel_at_its_frequency_and_level_without_a_break()
    {
        var (lost, sound) = target.Record(Patches.PlaySines(1000, 1500) + "sleep 1; a=$(counter dropouts); sleep 8; echo $(($(counter dropouts) - a))");
        Assert.Equal("0", lost);
        // What was played before rings out first.
        var middle = sound.Part(4, (sound.Frames / (double)sound.Rate) - 0.5);
        Assert.True(middle.Frames > 3 * middle.Rate, $"{middle.Frames} frames were captured");
        for (var channel = 0; channel < 2; channel++)
        {
            var hertz = 1000 + (500 * channel);
            var tone = middle.Tone(channel, hertz);
            Assert.NotNull(tone);
            Assert.True(Math.Abs(tone.Hz - hertz) < 0.01, tone.ToString());
            Assert.True(Math.Abs(tone.Level - 0.5) < 0.0005, tone.ToString()); // 5 V of 10 V
            Assert.True(tone.Breaks.Count == 0, tone.ToString());
        }
    }

    private static Dictionary<string, string> Properties(string lines) =>
        lines.Split('\n').Where(l => l.Contains('=', StringComparison.Ordinal)).Select(l => l.Split('=', 2)).GroupBy(p => p[0]).ToDictionary(g => g.Key, g => g.First()[1].Trim(), StringComparer.Ordinal);
}
