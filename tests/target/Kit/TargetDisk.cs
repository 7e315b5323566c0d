// The disk that tools/target-test.sh makes, and copies of it that a test may change.
using System.Globalization;

namespace SspHost.Target.Kit;

/// <summary>A disk, the kernel and the first file system that QEMU starts of it, and the key that its SSH takes.</summary>
internal sealed record TargetDisk(string Image, string Kernel, string Initrd, string Key)
{
    /// <summary>Root of the source tree.</summary>
    public static string Root { get; } = Environment.GetEnvironmentVariable("SSP_ROOT")
        ?? throw new InvalidOperationException("SSP_ROOT is not set: these tests are run by tools/target-test.sh, which makes their disks");

    /// <summary>Where disks and results are.</summary>
    public static string Directory { get; } = Path.Combine(Root, "artifacts", "target");

    /// <summary>The one that was made. Started as it is, nothing that is written to it stays.</summary>
    public static TargetDisk Made { get; } =
        new(Path.Combine(Directory, "disk.img"), Path.Combine(Directory, "vmlinuz"), Path.Combine(Directory, "initrd.img"), Path.Combine(Directory, "key"));

    /// <summary>A copy for a test that restarts its machine, on a medium of so many MiB more.</summary>
    public TargetDisk Copy(string directory, int larger = 0)
    {
        var copy = Path.Combine(directory, "disk.img");
        var outcome = Shell.Run(TimeSpan.FromMinutes(2), "cp", "--sparse=always", Image, copy);
        if (outcome.ExitCode != 0) throw new IOException($"cp: {outcome}");
        using (var file = File.OpenWrite(copy)) file.SetLength(file.Length + ((long)larger << 20));
        return this with { Image = copy };
    }

    /// <summary>The GUID of a partition, as its table (GPT, 512-byte sectors, entries of 128 bytes from sector 2) has it.</summary>
    public string Partition(int number)
    {
        using var file = File.OpenRead(Image);
        file.Position = 1024 + (128 * (number - 1)) + 16;
        Span<byte> guid = stackalloc byte[16];
        file.ReadExactly(guid);
        return new Guid(guid).ToString("D", CultureInfo.InvariantCulture);
    }
}
