// One switch of a core from a thread to another, as the kernel traced it, and the line of text that tells it.
using System.Buffers.Text;
using System.Text;

namespace SspHost.Diagnostics.Tracing;

/// <summary>A core was taken from one thread and given to another.</summary>
/// <param name="Time">CLOCK_MONOTONIC in ns; the kernel's text has microseconds.</param>
/// <param name="Core">The core.</param>
/// <param name="PreviousTid">Thread that left, its priority as the kernel counts (0..99 are real-time, 98 = SCHED_FIFO 1), and its state.</param>
/// <param name="PreviousState">'R': it would have gone on, so it was preempted. 'S', 'D' ...: it sleeps.</param>
/// <param name="NextTid">Thread that came.</param>
public readonly record struct SchedSwitch(
    ulong Time, int Core, int PreviousTid, int PreviousPriority, char PreviousState, string PreviousName, int NextTid, int NextPriority, string NextName)
{
    /// <summary>Whether the thread that left would have gone on.</summary>
    public bool Preempted => PreviousState == 'R';

    /// <summary>The state as the kernel's bits: what Perfetto expects.</summary>
    public long StateBits => PreviousState switch
    {
        'S' => 1,
        'D' => 2,
        'T' => 4,
        't' => 8,
        'X' => 16,
        'Z' => 32,
        'P' => 64,
        'I' => 128,
        _ => 0,
    };
}

/// <summary>Parses lines of a tracefs trace_pipe. Names are kept once each; a line that is no switch is none.</summary>
public sealed class SchedLines
{
    private const int MostNames = 4096, MostNameBytes = 64;

    private readonly Dictionary<ulong, string> _names = [];

    /// <summary>Events the kernel says it lost.</summary>
    public long Lost { get; private set; }

    /// <summary>
    /// Parses one line: <c>comm-pid [core] flags seconds.micros: sched_switch: prev_comm=a prev_pid=1 prev_prio=19 prev_state=R ==> next_comm=b
    /// next_pid=2 next_prio=120</c>. Names may have spaces and even look like fields, so both ends are read from the back.
    /// </summary>
    public bool TryParse(ReadOnlySpan<byte> line, out SchedSwitch found)
    {
        found = default;
        var body = line.IndexOf(": sched_switch: prev_comm="u8);
        if (body < 0)
        {
            CountLost(line);
            return false;
        }

        var open = line[..body].LastIndexOf((byte)'[');
        if (open < 0 || !Utf8Parser.TryParse(line[(open + 1)..body], out int core, out var used) || core < 0 || line[open + 1 + used] != (byte)']') return false;
        var stamp = line[(line[..body].LastIndexOf((byte)' ') + 1)..body];
        if (!TryTime(stamp, out var time)) return false;
        var rest = line[(body + ": sched_switch: prev_comm="u8.Length)..].TrimEnd(" \r"u8);
        if (!TryTake(ref rest, " next_prio="u8, out var nextPriority) || !TryTake(ref rest, " next_pid="u8, out var nextTid)) return false;
        var arrow = rest.LastIndexOf(" ==> next_comm="u8);
        if (arrow < 0) return false;
        var next = rest[(arrow + " ==> next_comm="u8.Length)..];
        rest = rest[..arrow];
        var stateAt = rest.LastIndexOf(" prev_state="u8);
        if (stateAt < 0 || stateAt + " prev_state="u8.Length >= rest.Length) return false;
        var state = (char)rest[stateAt + " prev_state="u8.Length];
        rest = rest[..stateAt];
        if (!TryTake(ref rest, " prev_prio="u8, out var previousPriority) || !TryTake(ref rest, " prev_pid="u8, out var previousTid)) return false;
        if (!char.IsAsciiLetter(state) || rest.Length > MostNameBytes || next.Length > MostNameBytes) return false;
        found = new SchedSwitch(time, core, previousTid, previousPriority, state, Name(rest), nextTid, nextPriority, Name(next));
        return true;
    }

    /// <summary>The text of a name, the same object each time.</summary>
    public string Name(ReadOnlySpan<byte> bytes)
    {
        var hash = 14695981039346656037UL; // FNV-1a: a name in sixteen bytes of text is told apart by it well enough, and is checked below
        foreach (var b in bytes) hash = (hash ^ b) * 1099511628211UL;
        if (_names.TryGetValue(hash, out var known) && Same(known, bytes)) return known;
        var text = Encoding.UTF8.GetString(bytes);
        if (_names.Count >= MostNames) _names.Clear();
        return _names[hash] = text;
    }

    private static bool Same(string text, ReadOnlySpan<byte> bytes)
    {
        Span<byte> utf8 = stackalloc byte[MostNameBytes * 3];
        return Encoding.UTF8.TryGetBytes(text, utf8, out var length) && utf8[..length].SequenceEqual(bytes);
    }

    // " field=number" at the end of the text, taken off it.
    private static bool TryTake(ref ReadOnlySpan<byte> text, ReadOnlySpan<byte> field, out int value)
    {
        value = 0;
        var at = text.LastIndexOf(field);
        if (at < 0) return false;
        var digits = text[(at + field.Length)..];
        text = text[..at];
        return Utf8Parser.TryParse(digits, out value, out var used) && used == digits.Length;
    }

    private static bool TryTime(ReadOnlySpan<byte> stamp, out ulong ns)
    {
        ns = 0;
        var dot = stamp.IndexOf((byte)'.');
        if (dot <= 0 || !Utf8Parser.TryParse(stamp[..dot], out ulong seconds, out var used) || used != dot || seconds > ulong.MaxValue / 2_000_000_000) return false;
        var digits = stamp[(dot + 1)..];
        if (digits.Length is 0 or > 9 || !Utf8Parser.TryParse(digits, out ulong fraction, out used) || used != digits.Length) return false;
        for (var d = digits.Length; d < 9; d++) fraction *= 10;
        ns = (seconds * 1_000_000_000) + fraction;
        return true;
    }

    // CPU:1 [LOST 12 EVENTS]
    private void CountLost(ReadOnlySpan<byte> line)
    {
        var at = line.IndexOf("[LOST "u8);
        if (at >= 0 && Utf8Parser.TryParse(line[(at + 6)..], out int lost, out _) && lost > 0) Lost += lost;
    }
}
