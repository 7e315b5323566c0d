// From power to sound: what the host waits for, held, and how long it takes in the machine, written down (artifacts/target/boot.txt).
using System.Globalization;
using SspHost.Target.Kit;

namespace SspHost.Target;

public sealed class BootTimeTests(BootTimeTests.InStep target) : IClassFixture<BootTimeTests.InStep>
{
    /// <summary>Services that may come before the host: more would be felt at each start. The audit of a change that needs one more is this line.</summary>
    private const int MostServices = 14;

    [Fact]
    public void The_host_waits_for_nobody_who_talks_to_the_network_or_to_people()
    {
        var before = target.Run("systemctl list-dependencies --after --plain --no-pager ssp.service | sed 's/^ *//' | sort -u").Split('\n');
        Assert.Contains("local-fs.target", before); // the list is one
        // A socket is only held open; who answers there is not waited for.
        Assert.DoesNotContain(before, u => !u.EndsWith(".socket", StringComparison.Ordinal) && (u.Contains("network", StringComparison.Ordinal) || u.Contains("resolved", StringComparison.Ordinal)
            || u.Contains("ssh", StringComparison.Ordinal) || u.Contains("getty", StringComparison.Ordinal) || u is "dbus.service" or "time-sync.target"));
    }

    [Fact]
    public void Few_services_start_before_the_host_does()
    {
        var early = target.Run("""
            systemctl show '*.service' -p Id,InactiveExitTimestampMonotonic --state=loaded \
                | awk -F= -v at=$(systemctl show -p InactiveExitTimestampMonotonic --value ssp) '/^Id/ { id = $2 } /^Inactive/ && $2 > 0 && $2 < at { print id }'
            """).Split('\n');
        Assert.True(early.Length <= MostServices, $"{early.Length} services: {string.Join(", ", early)}");
    }

    [Fact]
    public void The_screen_is_allowed_from_the_first_start()
    {
        Assert.Equal("", target.Run("journalctl -b -u ssp -o cat --no-pager | grep 'Operation not permitted' || true"));
        Assert.NotEqual("", target.Run("ls -l /proc/$(control)/fd | grep -o '/dev/dri/card0' | head -n 1"));
    }

    [Fact]
    public void The_chain_from_the_kernel_to_the_first_sound_is_written_down()
    {
        // The kernel's own mark of when the card's stream was started, in seconds since its start.
        var sound = double.Parse(target.Run("sed -n 's/^trigger_time *: *//p' /proc/asound/card0/pcm0p/sub0/status"), CultureInfo.InvariantCulture);
        var chain = target.Run("""
            systemd-analyze time --no-pager
            systemd-analyze critical-chain ssp.service --no-pager
            echo; systemd-analyze blame --no-pager | head -n 12
            echo; journalctl -b -o short-monotonic --no-pager -u ssp.service | head -n 12
            """);
        Assert.Equal("0", target.Run("systemctl show -p NRestarts --value ssp"));
        var seconds = sound.ToString("0.00", CultureInfo.InvariantCulture);
        File.WriteAllText(
            Path.Combine(TargetDisk.Directory, "boot.txt"),
            $"First sound {seconds} s after the kernel's start, on an emulated processor of 250 million instructions a second, one core.\n\n{chain}\n");
        Assert.InRange(sound, 0.1, 600); // there was one; how long it took is for people to read
    }

    /// <summary>Its clock goes with this machine's while it waits for a disk: without that, waiting would take no time, or hours.</summary>
    public sealed class InStep() : PlayingTarget(new GuestOptions { Time = GuestTime.InStep, More = GuestOptions.Display });
}
