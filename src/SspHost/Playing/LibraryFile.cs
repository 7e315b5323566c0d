// A library's file before anybody loads it: who could have written it, whether somebody still does, and whether all of it is there.
using System.Buffers.Binary;
using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using SspHost.Abi;

namespace SspHost.Playing;

/// <summary>
/// What is loaded runs with the rights of whoever runs the host, on real-time threads: so it, and every directory on the way to it, belongs to
/// root or to that user, and nobody else can write there.
/// </summary>
internal static unsafe partial class LibraryFile
{
    private const int FromHere = -100, Empty = 0x1000; // AT_FDCWD, AT_EMPTY_PATH
    private const uint TypeModeOwner = 1 | 2 | 8 | 16; // STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID
    private const int BytesOfStatx = 256, UserAt = 20, GroupAt = 24, ModeAt = 28;
    private const int TypeMask = 0xF000, PlainFile = 0x8000, Directory = 0x4000, Sticky = 0x200, GroupWrites = 0x10, OthersWrite = 0x2;
    private const int SetLease = 1024, SetSignal = 10, ReadLease = 0, NoLease = 2; // F_SETLEASE, F_SETSIG, F_RDLCK, F_UNLCK
    private const int SigUrg = 23; // ignored where nobody asked for it
    private const int BusyErrno = 11; // EAGAIN
    private const int CloseOnExec = 0x80000;

    /// <summary>What an owner and a mode allow to others than root and <paramref name="me"/>; null: nothing.</summary>
    /// <param name="mode">As stat has it, type included.</param>
    /// <param name="last">The directory in which libraries lie, or the file: there the sticky bit, which lets anybody add files, is no excuse.</param>
    internal static string? Weakness(uint mode, uint user, uint group, uint me, bool last)
    {
        if (user != 0 && user != me)
            return string.Create(CultureInfo.InvariantCulture, $"belongs to user {user}, expected root{(me == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" or user {me}"))}");
        if ((mode & Sticky) != 0 && (mode & TypeMask) == Directory && !last) return null;
        if ((mode & OthersWrite) != 0) return "can be written by everybody (chmod o-w)";
        return (mode & GroupWrites) != 0 && me == 0 && group != 0 ? string.Create(CultureInfo.InvariantCulture, $"can be written by group {group} (chmod g-w)") : null;
    }

    /// <summary>Opens a file to read, whatever locks others have put on it. Throws <see cref="IOException"/>.</summary>
    public static SafeFileHandle Open(string path)
    {
        int fd;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + "\0")) fd = Linux.Open(name, CloseOnExec, 0);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw new IOException($"it cannot be opened: {new Win32Exception(Marshal.GetLastSystemError()).Message}");
    }

    /// <summary>What is wrong with a directory of libraries, or with one above it; null: nothing. Links are followed.</summary>
    public static string? Distrust(string directory)
    {
        var path = Real(directory);
        for (var (at, last) = (path, true); at != null; (at, last) = (Path.GetDirectoryName(at), false))
            if (Look(at, out var mode, out var user, out var group) && Weakness(mode, user, group, Me, last) is { } weak)
                return $"{(last ? "it" : at)} {weak}, so nothing in it is loaded";
        return null;
    }

    /// <summary>
    /// What is wrong with a file that was opened (<paramref name="file"/>) at <paramref name="path"/>; null: nothing. Of a link, what it leads to and
    /// where that lies.
    /// </summary>
    public static string? Distrust(SafeFileHandle file, string path)
    {
        var about = stackalloc byte[BytesOfStatx];
        byte none = 0;
        if (Statx((int)file.DangerousGetHandle(), &none, Empty, TypeModeOwner, about) != 0) return "its owner cannot be read";
        var mode = *(ushort*)(about + ModeAt);
        if ((mode & TypeMask) != PlainFile) return "it is no plain file";
        if (Weakness(mode, *(uint*)(about + UserAt), *(uint*)(about + GroupAt), Me, last: true) is { } weak) return "it " + weak;
        return Distrust(Path.GetDirectoryName(Real(path)) ?? "/") is { } why ? "where it lies: " + why : null;
    }

    /// <summary>
    /// Whether somebody has the file open to write: then the kernel grants no lease to read. Where it grants none anyhow (another's file, a
    /// network's) the answer is no, and only <see cref="IsWhole"/> is left.
    /// </summary>
    public static bool IsBeingWritten(SafeFileHandle file)
    {
        var fd = (int)file.DangerousGetHandle();
        _ = Fcntl(fd, SetSignal, SigUrg); // should one come in between: SIGIO would end the process
        if (Fcntl(fd, SetLease, ReadLease) != 0) return Marshal.GetLastSystemError() == BusyErrno;
        _ = Fcntl(fd, SetLease, NoLease);
        return false;
    }

    /// <summary>Whether an ELF file is as long as its own tables say. What is no ELF file is whole: the loader says what it is.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> head, long length)
    {
        const int Head = 64;
        if (!head.StartsWith("\u007fELF"u8)) return length > 0;
        if (head.Length < Head || length < Head) return false;
        var sections = BinaryPrimitives.ReadUInt64LittleEndian(head[0x28..]); // e_shoff; the table is the last thing linkers write
        var bytes = BinaryPrimitives.ReadUInt16LittleEndian(head[0x3A..]) * (ulong)BinaryPrimitives.ReadUInt16LittleEndian(head[0x3C..]);
        return sections <= (ulong)length && bytes <= (ulong)length - sections;
    }

    private static uint Me { get; } = GetEffectiveUser();

    private static bool Look(string path, out uint mode, out uint user, out uint group)
    {
        (mode, user, group) = (0, 0, 0);
        var about = stackalloc byte[BytesOfStatx];
        fixed (byte* name = Encoding.UTF8.GetBytes(path + "\0"))
            if (Statx(FromHere, name, 0, TypeModeOwner, about) != 0) return false; // not there; or whoever reads it finds out why
        (mode, user, group) = (*(ushort*)(about + ModeAt), *(uint*)(about + UserAt), *(uint*)(about + GroupAt));
        return true;
    }

    // Without links, wherever on the way they are.
    private static string Real(string path)
    {
        const int Most = 4096;
        var real = stackalloc byte[Most];
        fixed (byte* name = Encoding.UTF8.GetBytes(path + "\0"))
            return RealPath(name, real) == null ? Path.GetFullPath(path) : Marshal.PtrToStringUTF8((nint)real)!;
    }

    [LibraryImport("libc", EntryPoint = "statx")]
    private static partial int Statx(int directory, byte* path, int flags, uint mask, byte* about);

    [LibraryImport("libc", EntryPoint = "realpath")]
    private static partial byte* RealPath(byte* path, byte* real);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Fcntl(int fd, int command, nint argument);
}
