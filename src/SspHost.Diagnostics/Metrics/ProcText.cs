// What the kernel writes in /proc, read: pure functions over bytes that never throw, whatever the bytes are.
using System.Buffers.Text;

namespace SspHost.Diagnostics;

/// <summary>Fields of <c>/proc/PID/task/TID/stat</c>, as proc(5) numbers them.</summary>
internal struct StatFields
{
    public byte State;
    public ulong MinorFaults, MajorFaults, UserTicks, SystemTicks, Start, RssPages;
    public int Core, Priority, Policy;

    /// <summary>Where the name lies in the text.</summary>
    public int NameStart, NameLength;
}

/// <summary>A line of pressure: averages in per cent, total in microseconds.</summary>
internal struct PressureLine
{
    public double Average10;
    public ulong TotalMicroseconds;
    public bool Present;
}

/// <summary>Ticks of a core by what it did.</summary>
internal struct CoreTicks
{
    public int Core;
    public ulong User, System, Idle, Wait, Interrupt, Steal;

    public readonly ulong All => User + System + Idle + Wait + Interrupt + Steal;
}

/// <summary>The parsers.</summary>
internal static class ProcText
{
    /// <summary>Length of a tick of /proc in ns: USER_HZ is 100 on every Linux.</summary>
    public const ulong TickNs = 10_000_000;

    /// <summary>A stat line. The name may hold anything, parentheses and line ends too: the last parenthesis ends it.</summary>
    public static bool TryStat(ReadOnlySpan<byte> text, out StatFields stat)
    {
        stat = default;
        var open = text.IndexOf((byte)'(');
        var close = text.LastIndexOf((byte)')');
        if (open < 0 || close < open || close + 2 >= text.Length) return false;
        (stat.NameStart, stat.NameLength) = (open + 1, close - open - 1);
        var rest = text[(close + 2)..];
        stat.State = rest[0];
        var field = 3;
        while (Next(ref rest, out var word))
        {
            switch (field)
            {
                case 10: stat.MinorFaults = Number(word); break;
                case 12: stat.MajorFaults = Number(word); break;
                case 14: stat.UserTicks = Number(word); break;
                case 15: stat.SystemTicks = Number(word); break;
                case 22: stat.Start = Number(word); break;
                case 24: stat.RssPages = Number(word); break;
                case 39: stat.Core = (int)Math.Min(Number(word), int.MaxValue); break;
                case 40: stat.Priority = (int)Math.Min(Number(word), int.MaxValue); break;
                case 41:
                    stat.Policy = (int)Math.Min(Number(word), int.MaxValue);
                    return true;
                default: break;
            }

            field++;
        }

        return false;
    }

    /// <summary><c>schedstat</c>: ns it computed, ns it was ready and waited for its core, times it got it.</summary>
    public static bool TrySchedStat(ReadOnlySpan<byte> text, out ulong cpuNs, out ulong waitNs, out ulong slices)
    {
        (cpuNs, waitNs, slices) = (0, 0, 0);
        return TryNext(ref text, out cpuNs) && TryNext(ref text, out waitNs) && TryNext(ref text, out slices);
    }

    /// <summary>The number after "Name:" at the start of a line.</summary>
    public static bool TryField(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name, out ulong value)
    {
        value = 0;
        for (var from = 0; from <= text.Length - name.Length;)
        {
            var at = text[from..].IndexOf(name);
            if (at < 0) return false;
            at += from;
            if (at == 0 || text[at - 1] == (byte)'\n')
            {
                var rest = text[(at + name.Length)..];
                return TryNext(ref rest, out value);
            }

            from = at + 1;
        }

        return false;
    }

    /// <summary>A file of /proc/pressure. <c>full</c> is missing for cpu on kernels before 5.13.</summary>
    public static bool TryPressure(ReadOnlySpan<byte> text, out PressureLine some, out PressureLine full)
    {
        some = Line(text, "some "u8);
        full = Line(text, "full "u8);
        return some.Present;

        static PressureLine Line(ReadOnlySpan<byte> text, ReadOnlySpan<byte> which)
        {
            var line = default(PressureLine);
            var at = text.IndexOf(which);
            if (at < 0) return line;
            var rest = text[at..];
            var end = rest.IndexOf((byte)'\n');
            if (end >= 0) rest = rest[..end];
            var average = rest.IndexOf("avg10="u8);
            var total = rest.IndexOf("total="u8);
            if (average < 0 || total < 0) return line;
            if (!Utf8Parser.TryParse(rest[(average + 6)..], out line.Average10, out _) || !double.IsFinite(line.Average10)) return default;
            if (!Utf8Parser.TryParse(rest[(total + 6)..], out line.TotalMicroseconds, out _)) return default;
            line.Present = true;
            return line;
        }
    }

    /// <summary>The cores of /proc/stat, as many as fit; how many were written.</summary>
    public static int Cores(ReadOnlySpan<byte> text, Span<CoreTicks> cores)
    {
        var count = 0;
        Span<ulong> ticks = stackalloc ulong[8];
        while (text.StartsWith("cpu"u8) && count < cores.Length)
        {
            var end = text.IndexOf((byte)'\n');
            var line = end < 0 ? text : text[..end];
            text = end < 0 ? default : text[(end + 1)..];
            line = line[3..];
            if (line.IsEmpty || line[0] is < (byte)'0' or > (byte)'9') continue; // the first line is the sum
            if (!TryNext(ref line, out var core)) continue;
            ticks.Clear();
            var fields = 0;
            while (fields < 8 && TryNext(ref line, out ticks[fields])) fields++;
            if (fields < 4) continue;
            // user nice system idle iowait irq softirq steal; guests are within user already
            cores[count++] = new CoreTicks
            {
                Core = (int)Math.Min(core, int.MaxValue), User = ticks[0] + ticks[1], System = ticks[2], Idle = ticks[3], Wait = ticks[4], Interrupt = ticks[5] + ticks[6], Steal = ticks[7],
            };
        }

        return count;
    }

    /// <summary>The three averages of /proc/loadavg.</summary>
    public static bool TryLoad(ReadOnlySpan<byte> text, out double one, out double five, out double fifteen)
    {
        (one, five, fifteen) = (0, 0, 0);
        return Next(ref text, out var a) && Utf8Parser.TryParse(a, out one, out _) && double.IsFinite(one)
            && Next(ref text, out var b) && Utf8Parser.TryParse(b, out five, out _) && double.IsFinite(five)
            && Next(ref text, out var c) && Utf8Parser.TryParse(c, out fifteen, out _) && double.IsFinite(fifteen);
    }

    /// <summary>The first number of a text.</summary>
    public static bool TryNumber(ReadOnlySpan<byte> text, out long value)
    {
        var word = text.Trim(" \t\n"u8);
        return Utf8Parser.TryParse(word, out value, out _);
    }

    /// <summary>Name of a scheduling policy by its number in the kernel.</summary>
    public static string PolicyName(int policy) => policy switch
    {
        0 => "OTHER",
        1 => "FIFO",
        2 => "RR",
        3 => "BATCH",
        5 => "IDLE",
        6 => "DEADLINE",
        _ => "unknown",
    };

    private static bool TryNext(ref ReadOnlySpan<byte> text, out ulong value)
    {
        value = 0;
        return Next(ref text, out var word) && Utf8Parser.TryParse(word, out value, out var used) && used > 0;
    }

    private static bool Next(ref ReadOnlySpan<byte> text, out ReadOnlySpan<byte> word)
    {
        text = text.TrimStart(" \t\n"u8);
        var end = text.IndexOfAny(" \t\n"u8);
        word = end < 0 ? text : text[..end];
        text = end < 0 ? default : text[end..];
        return !word.IsEmpty;
    }

    // Negative numbers (a kernel thread's priority) count as 0.
    private static ulong Number(ReadOnlySpan<byte> word) => Utf8Parser.TryParse(word, out ulong value, out _) ? value : 0;
}
