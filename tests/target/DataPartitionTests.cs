// The data partition takes the rest of whatever card the image was written to: once, and what was on it is still there.
using System.Globalization;
using SspHost.Target.Kit;

namespace SspHost.Target;

public sealed class DataPartitionTests : IDisposable
{
    private const string Look = """
        systemctl start ssp-grow-data
        cat /sys/class/block/vda4/size /sys/class/block/vda/size
        df --output=size -B 1M /data | tail -n 1
        systemctl show -p Result --value ssp-grow-data
        journalctl -b -u ssp-grow-data -o cat --no-pager | grep -c 'on-line resizing required' || true
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("ssp-disk-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void It_grows_to_the_end_of_a_larger_card_at_the_first_start_and_never_again()
    {
        var options = new GuestOptions { Disk = TargetDisk.Made.Copy(_directory, larger: 1024), Keeps = true };
        var first = Start(options, "echo kept >/data/ssphost/patches/mine; ");
        Assert.True(first.Partition > (1024 + 32) * 2048, $"{first}");
        Assert.True(first.Partition > first.Disk - (1700 * 2048), $"{first}");
        Assert.True(first.MiB > 1000, $"{first}");
        Assert.Equal(("success", 1), (first.Result, first.Resized));

        var second = Start(options, "cat /data/ssphost/patches/mine >&2; grep -q kept /data/ssphost/patches/mine; ");
        Assert.Equal(first.Partition, second.Partition);
        Assert.Equal(("success", 0), (second.Result, second.Resized));

        // What the machine wrote is a partition table by another program's judgement, too.
        var verdict = Shell.Run(TimeSpan.FromSeconds(20), "sfdisk", "--verify", options.Disk.Image);
        Assert.True(verdict.ExitCode == 0 && verdict.Output.Contains("No errors detected", StringComparison.Ordinal), verdict.ToString());
    }

    private static (long Partition, long Disk, long MiB, string Result, int Resized) Start(GuestOptions options, string before)
    {
        using var guest = Guest.Start(options);
        var outcome = guest.Run("set -e; " + before + Look + "\nsync");
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        var l = outcome.Output.Split('\n', StringSplitOptions.TrimEntries);
        guest.Run("systemctl stop ssp; sync; systemctl poweroff");
        guest.AwaitEnd(TimeSpan.FromSeconds(60));
        return (Number(l[0]), Number(l[1]), Number(l[2]), l[3], (int)Number(l[4]));
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
