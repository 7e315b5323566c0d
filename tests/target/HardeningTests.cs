// What the unit grants and refuses, by systemd's own judgement.
using System.Globalization;
using SspHost.Target.Kit;

namespace SspHost.Target;

[Collection(PlayingCollection.Name)]
public sealed class HardeningTests(PlayingTarget target)
{
    [Fact]
    public void Systemd_finds_an_exposure_of_two_and_a_half_at_most()
    {
        var line = target.Run("systemd-analyze security ssp.service --no-pager | tail -n 1");
        var exposure = double.Parse(line.Split("ssp.service:")[1].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
        Assert.True(exposure <= 2.5, line);
    }

    [Fact]
    public void Systemd_finds_nothing_wrong_with_the_units()
    {
        // Where the data lie a generator says at the start.
        var outcome = target.Guest.Run("SYSTEMD_UNIT_PATH=/run/systemd/generator: systemd-analyze verify /etc/systemd/system/ssp*.service");
        Assert.True(outcome is { ExitCode: 0, Error: "", Output: "" }, outcome.ToString());
    }

    [Fact]
    public void No_memory_of_the_host_can_be_written_and_executed()
    {
        Assert.Equal("yes", target.Run("systemctl show -p MemoryDenyWriteExecute --value ssp"));
        Assert.Equal("", target.Run("for p in $(engine) $(control); do awk '$2 ~ /wx/' /proc/$p/maps; done"));
    }

    [Fact]
    public void Nobody_comes_in_without_a_key()
    {
        Assert.Equal("passwordauthentication no", target.Run("sshd -T | grep -i '^passwordauthentication'"));
        Assert.Equal("", target.Run("awk -F: '$2 !~ /^[!*]/ { print $1 }' /etc/shadow"));
        Assert.Equal("/data/system/ssh/ssh_host_ed25519_key", target.Run("sshd -T | sed -n 's/^hostkey //p'"));
        Assert.Equal("", target.Run("ls /etc/ssh | grep ssh_host || true"));
    }
}
