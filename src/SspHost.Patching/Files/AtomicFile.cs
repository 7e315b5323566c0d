// Files that are the old one or the new one, whatever happens: temporary file, fsync, rename, fsync of the folder.
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>Atomic replacement of a file on Linux.</summary>
public static unsafe partial class AtomicFile
{
    private const int CloseOnExec = 0x80000; // O_RDONLY | O_CLOEXEC, the same number on x86-64 and arm64

    /// <summary>
    /// Replaces <paramref name="path"/>. Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>; the old file is then untouched. With
    /// <paramref name="mode"/> a file that was there keeps the mode it had, and a new one gets this.
    /// </summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes, UnixFileMode? mode = null)
    {
        // A link stays a link: what it points at is replaced.
        if (new FileInfo(path) is { LinkTarget: not null } link && link.ResolveLinkTarget(returnFinalTarget: true) is { } target) path = target.FullName;
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var temporary = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}");
        try
        {
            using (var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                if (mode is { } fresh) File.SetUnixFileMode(file, File.Exists(path) ? File.GetUnixFileMode(path) : fresh);
                RandomAccess.Write(file, bytes, 0);
                RandomAccess.FlushToDisk(file);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        SyncFolder(folder);
    }

    /// <summary>Makes the names in a folder durable.</summary>
    public static void SyncFolder(string folder)
    {
        int fd;
        fixed (byte* name = Encoding.UTF8.GetBytes(folder + "\0")) fd = Linux.Open(name, CloseOnExec, 0);
        if (fd < 0) throw new IOException($"{folder}: {new Win32Exception(Marshal.GetLastSystemError()).Message}");
        var failed = Fsync(fd) != 0;
        var errno = Marshal.GetLastSystemError();
        _ = Linux.Close(fd);
        if (failed) throw new IOException($"{folder}: {new Win32Exception(errno).Message}");
    }

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Fsync(int fd);
}
