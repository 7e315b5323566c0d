// Whether a stack can fault: asked of the kernel, by the steward, after the thread was made.
using SspHost.Abi;

namespace SspHost.Engine.Threads;

/// <summary>
/// Reads /proc/self/smaps without allocating. Walking page tables takes the kernel milliseconds: never on an RT thread. [steward]
/// </summary>
public static unsafe class StackLock
{
    /// <summary>Bytes of a page of this kernel: 4 KiB on x86-64, 4, 16 or 64 KiB on arm64.</summary>
    internal static readonly int PageBytes = Environment.SystemPageSize;

    private const int Chunk = 4096;

    /// <summary>
    /// Whether every mapping under [<paramref name="start"/>, +<paramref name="bytes"/>) carries the kernel's lock flag and every page
    /// is present.
    /// The flag decides, not the Locked figure: that one is a share where two processes map the region.
    /// </summary>
    public static bool IsLocked(void* start, long bytes)
    {
        int fd;
        fixed (byte* path = "/proc/self/smaps\0"u8) fd = Linux.Open(path, 0x80000, 0); // O_RDONLY | O_CLOEXEC
        if (fd < 0) return false;
        var scan = new SmapsScan((ulong)start, (ulong)start + (ulong)bytes);
        var buffer = stackalloc byte[Chunk];
        nint got;
        while ((got = ThreadCalls.Read(fd, buffer, Chunk)) > 0) scan.Feed(new ReadOnlySpan<byte>(buffer, (int)got));
        _ = Linux.Close(fd);
        return scan.AllLocked && IsResident((byte*)start, bytes);
    }

    private static bool IsResident(byte* start, long bytes)
    {
        const int Pages = 1024;
        var present = stackalloc byte[Pages];
        var at = (byte*)((nuint)start & ~(nuint)(PageBytes - 1));
        var end = start + bytes;
        while (at < end)
        {
            var pages = (int)Math.Min(Pages, (end - at + PageBytes - 1) / PageBytes);
            if (ThreadCalls.Mincore(at, (nuint)(pages * PageBytes), present) != 0) return false;
            for (var i = 0; i < pages; i++)
                if ((present[i] & 1) == 0) return false;
            at += (nint)pages * PageBytes;
        }

        return true;
    }
}

/// <summary>Line by line through smaps: which of the bytes asked for lie in mappings whose VmFlags say "lo".</summary>
internal unsafe struct SmapsScan(ulong start, ulong end)
{
    private const int MaxLine = 256;

    private readonly ulong _start = start, _end = end;
    private int _length;
    private ulong _overlap, _locked;
    private fixed byte _line[MaxLine];

    /// <summary>Whether every byte asked for was seen in a locked mapping; valid after the last <see cref="Feed"/>.</summary>
    public readonly bool AllLocked => _end > _start && _locked == _end - _start;

    /// <summary>Takes the next bytes of the file, cut anywhere.</summary>
    public void Feed(ReadOnlySpan<byte> text)
    {
        foreach (var b in text)
        {
            if (b == (byte)'\n')
            {
                fixed (byte* line = _line) Take(new ReadOnlySpan<byte>(line, _length));
                _length = 0;
            }
            else if (_length < MaxLine)
            {
                _line[_length++] = b; // the tail of a longer line is a path: nothing in it is needed
            }
        }
    }

    private void Take(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("VmFlags:"u8))
        {
            for (var rest = line["VmFlags:"u8.Length..]; rest.Length >= 2; rest = rest[1..])
            {
                if (!rest.StartsWith(" lo"u8) || (rest.Length > 3 && rest[3] != (byte)' ')) continue;
                _locked += _overlap;
                break;
            }

            _overlap = 0;
            return;
        }

        // "7f0000000000-7f0000001000 rw-s ...": only a mapping's first line starts with two hexadecimal numbers.
        var dash = line.IndexOf((byte)'-');
        if (dash <= 0 || !TryHex(line[..dash], out var from)) return;
        var second = line[(dash + 1)..];
        var space = second.IndexOf((byte)' ');
        if (space <= 0 || !TryHex(second[..space], out var to)) return;
        var low = Math.Max(from, _start);
        var high = Math.Min(to, _end);
        _overlap = high > low ? high - low : 0;
    }

    private static bool TryHex(ReadOnlySpan<byte> text, out ulong value)
    {
        value = 0;
        if (text.Length is 0 or > 16) return false;
        foreach (var b in text)
        {
            var digit = b switch
            {
                >= (byte)'0' and <= (byte)'9' => b - '0',
                >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
                _ => -1,
            };
            if (digit < 0) return false;
            value = (value << 4) | (uint)digit;
        }

        return true;
    }
}
