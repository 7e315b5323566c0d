// board/flash: what it writes is what was meant, onto what was meant, under names of its own. Disks are described by a directory in place of /sys.
using System.Diagnostics;

namespace SspHost.Tests.Updates;

public sealed class FlashTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-flash-").FullName;
    private readonly string _image;

    public FlashTests()
    {
        // The smallest image there is: as board/disk.sh lays it out.
        UpdateBench.Run("mke2fs", "-q", "-t", "ext4", In("slot"), "2M");
        Directory.CreateDirectory(In("boot"));
        File.WriteAllText(In("boot/boot.scr"), "boot");
        _image = In("card.img");
        UpdateBench.Run(Path.Combine(UpdateBench.Repository, "board/disk.sh"), In("slot"), In("boot"), _image);
        File.WriteAllText(In("mounts"), "");
        File.WriteAllText(In("swaps"), "");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_card_gets_what_the_image_has_and_names_that_no_other_card_has(bool packed)
    {
        var image = _image;
        if (packed)
        {
            UpdateBench.Run("zstd", "-q", _image);
            image += ".zst";
        }

        var tables = new List<string>();
        foreach (var card in new[] { "one", "two" })
        {
            MakeFile(card, 200);
            var (code, said) = Flash("--to-file", image, In(card));
            Assert.True(code == 0, said);
            var (from, to) = (File.ReadAllBytes(_image), File.ReadAllBytes(In(card)));
            const int Table = 34 * 512; // the table, and at the end its backup, are this card's own
            Assert.True(from.AsSpan(Table..^Table).SequenceEqual(to.AsSpan(Table, from.Length - (2 * Table))));
            tables.Add(Table4(In(card)));
            UpdateBench.Run("sfdisk", "--verify", In(card));
        }

        var names = string.Join('\n', tables.Append(Table4(_image))).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(15, names.Length); // a disk and four partitions, three times
        Assert.Equal(15, names.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void A_file_that_is_no_image_is_refused_and_nothing_is_written()
    {
        MakeFile("card", 200);
        File.WriteAllText(In("text.img"), "no image");
        File.WriteAllBytes(In("zero.img"), new byte[3 << 20]);
        File.WriteAllText(In("broken.img.zst"), "no zstd");
        MakeFile("other.img", 64);
        UpdateBench.Run("sh", "-c", $"printf 'label: gpt\\n,,,\\n' | sfdisk -q '{In("other.img")}'");
        foreach (var (image, why) in new[] { ("text.img", "no partition table"), ("zero.img", "no partition table"), ("broken.img.zst", "no partition table"), ("other.img", "no partition 'boot'"), ("none", "no such file") })
        {
            var (code, said) = Flash("--to-file", In(image), In("card"));
            Assert.Equal(1, code);
            Assert.Contains(why, said, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(File.ReadAllBytes(In("card")), b => b != 0);
    }

    [Fact]
    public void A_disk_too_small_is_refused()
    {
        MakeFile("card", 100);
        Refused("the image needs", "--to-file", _image, In("card"));
    }

    [Theory]
    [InlineData("8:1 / /media/holiday", "is in use: /media/holiday is mounted from sdz1")]
    [InlineData("8:0 / /mnt", "is in use: /mnt is mounted from sdz")]
    [InlineData("8:1 / /", "holds the system that runs")]
    [InlineData("8:1 / /boot/efi", "holds the system that runs")]
    [InlineData("253:9 / /", "holds the system that runs")] // a volume on a partition of it
    public void A_disk_that_is_in_use_is_refused_whatever_is_said(string mount, string why)
    {
        var device = Disk(removable: true, gib: 16);
        File.WriteAllText(In("mounts"), $"36 35 {mount} rw - ext4 /dev/x rw\n");
        Refused(why, _image, device);
        Refused(why, "--yes-really", _image, device);
    }

    [Fact]
    public void A_disk_with_swap_or_a_partition_or_a_write_protection_is_refused()
    {
        var device = Disk(removable: true, gib: 16);
        File.WriteAllText(In("swaps"), "Filename Type Size\n/dev/sdz1 partition 1 0 -2\n");
        Refused("sdz1 is swap", _image, device);
        File.WriteAllText(In("swaps"), "");
        File.WriteAllText(In("sys/class/block/sdz/ro"), "1\n");
        Refused("write-protected", _image, device);
        File.WriteAllText(In("sdz1"), "");
        Refused("expected the whole disk", _image, In("sdz1"));
    }

    [Fact]
    public void A_disk_that_cannot_be_pulled_out_or_is_a_computers_is_refused_unless_it_is_meant()
    {
        Refused("cannot be pulled out", _image, Disk(removable: false, gib: 16));
        Refused("has 2000 GiB", _image, Disk(removable: true, gib: 2000));
        // Meant, it comes to where it is written: there is no such device here.
        var (code, said) = Flash("--yes-really", _image, Disk(removable: false, gib: 16));
        Assert.Equal(1, code);
        Assert.DoesNotContain("yes-really", said, StringComparison.Ordinal);
        Assert.Contains("->", said, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_understood_is_said()
    {
        Refused("expected an image and a device", _image);
        Refused("there is no such flag", "--force", _image, In("card"));
    }

    private string In(string path) => Path.Combine(_folder, path);

    private void MakeFile(string name, int mib)
    {
        using var file = File.Create(In(name));
        file.SetLength((long)mib << 20);
    }

    // As the kernel describes a disk with one partition, on which a volume lies.
    private string Disk(bool removable, long gib)
    {
        var disk = In("sys/class/block/sdz");
        Directory.CreateDirectory(disk + "/sdz1/holders");
        Directory.CreateDirectory(In("sys/class/block/dm-9"));
        foreach (var (file, text) in new[]
        {
            (disk + "/dev", "8:0"), (disk + "/size", $"{gib << 21}"), (disk + "/removable", removable ? "1" : "0"), (disk + "/ro", "0"),
            (disk + "/sdz1/dev", "8:1"), (disk + "/sdz1/partition", "1"), (In("sys/class/block/dm-9/dev"), "253:9"),
        }) File.WriteAllText(file, text + "\n");
        if (!Path.Exists(disk + "/sdz1/holders/dm-9")) File.CreateSymbolicLink(disk + "/sdz1/holders/dm-9", In("sys/class/block/dm-9"));
        if (!Path.Exists(In("sys/class/block/sdz1"))) File.CreateSymbolicLink(In("sys/class/block/sdz1"), disk + "/sdz1");
        Directory.CreateDirectory(In("nowhere"));
        return In("nowhere/sdz"); // it need not be there to be refused
    }

    private void Refused(string why, params string[] arguments)
    {
        var (code, said) = Flash(arguments);
        Assert.Equal(1, code);
        Assert.Contains(why, said, StringComparison.Ordinal);
        Assert.DoesNotContain("->", said, StringComparison.Ordinal);
    }

    private (int Code, string Said) Flash(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(UpdateBench.Repository, "board/flash"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (!arguments.Contains("--to-file")) start.Environment["SSP_SYS"] = In("sys");
        start.Environment["SSP_MOUNTS"] = In("mounts");
        start.Environment["SSP_SWAPS"] = In("swaps");
        using var p = Process.Start(start)!;
        var error = p.StandardError.ReadToEndAsync();
        var output = p.StandardOutput.ReadToEnd();
        p.WaitForExit();
        return (p.ExitCode, output + error.Result);
    }

    private static string Table4(string file)
    {
        using var p = Process.Start(new ProcessStartInfo("sfdisk", ["-d", file]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var text = p.StandardOutput.ReadToEnd();
        p.WaitForExit();
        return string.Join('\n', System.Text.RegularExpressions.Regex.Matches(text, "(label-id: |uuid=)(?<id>[0-9A-F-]{36})", System.Text.RegularExpressions.RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(5)).Select(m => m.Groups["id"].Value));
    }
}
