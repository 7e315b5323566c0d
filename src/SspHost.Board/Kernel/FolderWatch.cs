// Says when device nodes come and go in a folder of /dev; waits for the folder itself where there is none yet.
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Board;

/// <summary>An inotify watch on one folder. Belongs to the thread that reads it.</summary>
internal sealed unsafe partial class FolderWatch : IDisposable
{
    private const uint Attributes = 4, MovedTo = 0x80, Created = 0x100, Overflow = 0x4000, Ignored = 0x8000;
    private const int NonBlocking = 0x800, CloseOnExec = 0x80000, HeaderSize = 16;

    private readonly string _folder;
    private readonly byte[] _buffer = new byte[4096];
    private int _watch = -1;

    public FolderWatch(string folder)
    {
        _folder = Path.TrimEndingDirectorySeparator(folder);
        Descriptor = Init(CloseOnExec | NonBlocking);
        if (Descriptor >= 0) Follow();
    }

    /// <summary>To wait on; below 0 where the system has no inotify (left) for us: nothing is then seen to come.</summary>
    public int Descriptor { get; }

    /// <summary>Names that came, or whose permissions changed; whether more may have come than was told, so that the folder has to be read.</summary>
    public bool Read(List<string> names)
    {
        var again = false;
        fixed (byte* buffer = _buffer)
        {
            nint read;
            while ((read = ReadCall(Descriptor, buffer, (nuint)_buffer.Length)) > 0)
            {
                for (var at = 0; at + HeaderSize <= read;)
                {
                    var watch = BinaryPrimitives.ReadInt32LittleEndian(_buffer.AsSpan(at));
                    var mask = BinaryPrimitives.ReadUInt32LittleEndian(_buffer.AsSpan(at + 4));
                    var length = BinaryPrimitives.ReadInt32LittleEndian(_buffer.AsSpan(at + 12));
                    if ((mask & Overflow) != 0) again = true;
                    else if ((mask & Ignored) != 0 && watch == _watch) again = Lost();
                    else if (watch != _watch) again |= Follow(); // something came in the folder above: it may be ours
                    else if (length > 0) names.Add(Encoding.UTF8.GetString(_buffer.AsSpan(at + HeaderSize, length)).TrimEnd('\0'));
                    at += HeaderSize + length;
                }
            }
        }

        return again;
    }

    public void Dispose()
    {
        if (Descriptor >= 0) _ = Close(Descriptor);
    }

    private bool Lost()
    {
        _watch = -1;
        Follow();
        return true;
    }

    private bool Follow()
    {
        if (_watch >= 0) return false;
        _watch = AddWatch(Descriptor, _folder, Created | MovedTo | Attributes);
        if (_watch >= 0) return true;
        if (Path.GetDirectoryName(_folder) is { } above) _ = AddWatch(Descriptor, above, Created | MovedTo);
        return false;
    }

    [LibraryImport("libc", EntryPoint = "inotify_init1")]
    private static partial int Init(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddWatch(int fd, string path, uint mask);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint ReadCall(int fd, void* to, nuint length);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);
}
