// Takes the events of all threads out of the engine's rings: into the store, the loads into the history, what stands out to the spikes.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>
/// One reader of the rings. Allocates nothing once it has seen every thread. What the engine could not push because its ring was full is told by
/// an event <see cref="EventCodec.Missing"/> at that place.
/// </summary>
public sealed unsafe class TraceDrain(ChunkStore store, LoadHistory loads, SpikeKeeper spikes)
{
    private const int Rounds = 4; // what comes while this takes is taken at the next turn, or it would never end

    private readonly ulong[] _dropped = new ulong[Limits.MaxThreads];
    private readonly TraceEvent[] _last = new TraceEvent[Limits.MaxThreads];

    /// <summary>Events that the rings had no room for.</summary>
    public ulong Dropped { get; private set; }

    /// <summary>Raised whenever a thread was replaced: its name and id are others now.</summary>
    public int Takeovers { get; private set; }

    /// <summary>Takes what there is; returns the number of events.</summary>
    public int Turn(RegionMap map)
    {
        if (map.Header->TraceRingsOffset == 0) return 0;
        var taken = 0;
        lock (store.Sync)
        {
            for (var seat = 0; seat < Limits.MaxThreads; seat++)
                if (map.TryTrace(seat, out var ring)) taken += Take(seat, ring);
        }

        return taken;
    }

    /// <summary>Another engine's rings.</summary>
    public void Restart()
    {
        Array.Clear(_dropped);
        Array.Clear(_last);
        Dropped = 0;
    }

    private int Take(int seat, SpscRing<TraceEvent> ring)
    {
        var taken = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var waiting = ring.Waiting;
            if (waiting.IsEmpty) break;
            foreach (ref readonly var e in waiting)
            {
                store.Append(seat, in e);
                if (e.Kind != TraceKind.Module) Note(in e);
            }

            _last[seat] = waiting[^1];
            ring.Take(waiting.Length);
            taken += waiting.Length;
        }

        // They came while the ring was full: behind what lay in it, before what comes now.
        var dropped = ring.Dropped;
        if (dropped == _dropped[seat]) return taken;
        var missing = dropped - _dropped[seat];
        _dropped[seat] = dropped;
        Dropped += missing;
        var last = _last[seat];
        store.Append(seat, new TraceEvent
        {
            Ticks = last.Ticks + last.Duration, Quantum = last.Quantum, Core = last.Core, Slot = -1, Kind = EventCodec.Missing, Value = (uint)Math.Min(missing, uint.MaxValue),
        });
        return taken;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Note(in TraceEvent e)
    {
        switch (e.Kind)
        {
            case TraceKind.Quantum:
                loads.Record(e.Quantum, e.Value, e.Ticks);
                spikes.Offer(in e);
                break;
            case TraceKind.Late or TraceKind.Dropout:
                spikes.Mark(in e);
                break;
            case TraceKind.Takeover:
                Takeovers++;
                break;
            default:
                break;
        }
    }
}
