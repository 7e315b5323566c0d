// Late threads as the watchdog recorded them: named, judged, and joined with what became of them.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Stalls;
using SspHost.Diagnostics.Tracing;
using SspHost.Patching;

namespace SspHost.Playing;

/// <summary>For one engine after the other. Used by the thread that takes notices.</summary>
internal sealed class StallReader
{
    // A thread that does not come back is replaced some ms later: until then a stall waits, so that both are one incident.
    private const ulong WaitNs = 60_000_000, BelongNs = 1_000_000_000;
    private const int MostSheds = 16;

    private readonly Queue<(ulong Key, ulong Time, ulong Incident)> _sheds = [];
    private StackNames? _names;
    private int _pid;

    /// <summary>Hears what else the engine told.</summary>
    public void Heard(in Notice n)
    {
        if (n.Kind != NoticeKind.ModuleShed || (ShedReason)n.A != ShedReason.Stuck) return;
        _sheds.Enqueue((n.Key, n.Time, n.Incident));
        if (_sheds.Count > MostSheds) _sheds.Dequeue();
    }

    /// <summary>Adds the stalls that have come to the log and to the traces; their lines.</summary>
    public unsafe void Take(EngineLink link, IncidentLog log, FlightRecorder flight, Func<ulong, string?> nameOf, Func<int, string?> typeOf, List<string> lines)
    {
        var map = link.Map;
        if (_names == null || _pid != map.Header->EnginePid) _names = new StackNames(_pid = map.Header->EnginePid);
        var ring = map.Stalls;
        for (var stall = ring.Peek(); stall != null && (IncidentOf(in *stall) != 0 || Linux.Now() - stall->Time > WaitNs); stall = ring.Peek())
        {
            if (!ring.TryPop(out var record)) return;
            var heard = link.TryAudio(out var audio) && audio.Rate > 0;
            var name = record.Key != 0 ? nameOf(record.Key) : null;
            var type = record.Slot >= 0 && record.Slot < Limits.MaxInstances && map.Instances[record.Slot].Key == record.Key ? typeOf(map.Instances[record.Slot].Module) : null;
            var thief = flight.Preempter(record.Tid, record.Time - Math.Min(record.Time, record.Elapsed), record.Time + record.Window);
            var context = new StallContext(name, type, heard ? audio.Quantum * 1e9 / audio.Rate : 0, thief is { } t ? $"'{PatchError.OneLine(t.Name)}' (thread {t.Tid})" : null);
            var incident = log.Add(in record, StallReport.Of(in record, in context, _names), name, IncidentOf(in record), heard ? audio.Frames : 0);
            flight.NoteStall(incident, record.Time);
            lines.Add(incident.Text);
        }
    }

    private ulong IncidentOf(in StallRecord record)
    {
        foreach (var (key, time, incident) in _sheds)
            if (key == record.Key && time + WaitNs >= record.Time && time < record.Time + BelongNs) return incident;
        return 0;
    }
}
