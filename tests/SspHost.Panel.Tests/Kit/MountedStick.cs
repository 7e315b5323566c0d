// A stick as the kernel has one: a small file system of its own below /media, which can be full, read-only, or gone.
using System.Diagnostics;

namespace SspHost.Panel.Tests.Kit;

internal sealed class MountedStick : IDisposable
{
    private readonly string _table;

    private MountedStick(string root, string table) => (Root, _table) = (root, table);

    public string Root { get; }

    /// <summary>Mounts one of so many bytes and puts it into a mount table; null where that is not permitted here.</summary>
    public static MountedStick? TryMount(string table, int kib)
    {
        var root = $"/media/ssp-test-{Guid.NewGuid():N}"[..24];
        try
        {
            Directory.CreateDirectory(root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        if (!Run("mount", "-t", "tmpfs", "-o", $"size={kib}k", "tmpfs", root))
        {
            Directory.Delete(root);
            return null;
        }

        var stick = new MountedStick(root, table);
        stick.Tell("rw");
        return stick;
    }

    public string Put(string name, int bytes)
    {
        var path = Path.Combine(Root, name);
        File.WriteAllBytes(path, new byte[bytes]);
        return path;
    }

    public void MakeReadOnly()
    {
        Assert.True(Run("mount", "-o", "remount,ro", Root));
        Tell("ro");
    }

    /// <summary>Takes it away; the table is a moment behind, as the panel is.</summary>
    public void PullOut() => Assert.True(Run("umount", "-l", Root));

    /// <summary>The table knows, too.</summary>
    public void Forget() => File.WriteAllText(_table, "");

    public void Dispose()
    {
        _ = Run("umount", "-l", Root);
        Directory.Delete(Root);
    }

    private void Tell(string mode) => File.WriteAllText(_table, $"30 22 8:17 / {Root} {mode},nosuid - vfat /dev/sdb1 {mode}\n");

    private static bool Run(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
