// Where something is to be written: a plain file may be replaced, a device, a pipe or a socket must not be.
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Diagnostics;

/// <summary>The host runs as root on a module: renamed over /dev/null, a trace would take that away from everybody; a recording into a disk, the disk.</summary>
public static unsafe partial class OutputFile
{
    private const int FromHere = -100; // AT_FDCWD
    private const uint TypeOnly = 1; // STATX_TYPE
    private const int BytesOfStatx = 256, ModeAt = 28;
    private const int TypeMask = 0xF000, PlainFile = 0x8000;

    /// <summary>Throws <see cref="IOException"/> where <paramref name="path"/>, or what it links to, is there and is no plain file.</summary>
    public static void Check(string path)
    {
        var about = stackalloc byte[BytesOfStatx];
        fixed (byte* name = Encoding.UTF8.GetBytes(path + "\0"))
            if (Statx(FromHere, name, 0, TypeOnly, about) != 0) return; // not there; or whoever writes it finds out why
        if ((*(ushort*)(about + ModeAt) & TypeMask) != PlainFile) throw new IOException($"{path}: this is no plain file (a directory, a device, a pipe), expected a file to write");
    }

    /// <summary>
    /// Writes a file beside the place and puts it there when it is whole; its bytes. Whatever is thrown, what was there is as it was, and nothing
    /// is left beside it.
    /// </summary>
    public static long Replace(string path, Action<Stream> write)
    {
        const int Buffer = 1 << 16;
        Check(path);
        var part = path + ".part";
        try
        {
            long bytes;
            using (var file = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None, Buffer))
            {
                write(file);
                bytes = file.Position;
            }

            File.Move(part, path, overwrite: true);
            return bytes;
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx")]
    private static partial int Statx(int directory, byte* path, int flags, uint mask, byte* about);
}
