// The quanta worth looking at later: the worst ones and every late one, with what all threads did in them and just before and after.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>A zone or mark of a spike. Start is CLOCK_MONOTONIC in ns.</summary>
/// <param name="Name">The module's name; null where it is none.</param>
public readonly record struct SpikeZone(TraceKind Kind, int Seat, ulong Quantum, ulong Start, ulong Nanoseconds, int Slot, uint Value, int Core, string? Name);

/// <summary>A quantum that stood out.</summary>
public sealed record Spike
{
    /// <summary>Its number.</summary>
    public required ulong Quantum { get; init; }

    /// <summary>Render time over the time it had; NaN where the quantum itself was not seen (a dropout told without one).</summary>
    public required float Load { get; init; }

    /// <summary>CLOCK_MONOTONIC in ns at which it began.</summary>
    public required ulong Time { get; init; }

    /// <summary>Whether it was kept because it was late; because frames were lost.</summary>
    public required bool Late { get; init; }

    /// <inheritdoc cref="Late"/>
    public required bool Dropout { get; init; }

    /// <summary>Faults and preemptions of all RT threads in it.</summary>
    public required uint Faults { get; init; }

    /// <inheritdoc cref="Faults"/>
    public required uint Preemptions { get; init; }

    /// <summary>Of the quantum and its two neighbours, by start; the longest where there are more than <see cref="SpikeKeeper.MostZones"/>.</summary>
    public required IReadOnlyList<SpikeZone> Zones { get; init; }
}

/// <summary>
/// Keeps the <see cref="Worst"/> quanta with the highest load and the newest <see cref="Recent"/> late or lost ones. The drain offers quanta; what
/// belongs to them is fetched from the store a tenth of a second later, when all threads have told theirs.
/// </summary>
public sealed unsafe class SpikeKeeper
{
    /// <summary>Quanta kept of each sort.</summary>
    public const int Worst = 64, Recent = 128;

    /// <summary>Zones of one spike at most.</summary>
    public const int MostZones = 1024;

    private const int MostPending = 32, Full = 1_000_000;

    private readonly Lock _lock = new();
    private readonly List<Spike> _worst = [];
    private readonly Queue<Spike> _recent = [];
    private readonly Pending[] _pending = new Pending[MostPending];

    // Used again for each that is fetched: at the start of a run there are many.
    private readonly EventCodec _codec = new();
    private readonly List<Pending> _ready = [];
    private readonly Dictionary<ulong, List<SpikeZone>> _zones = [];
    private readonly Stack<List<SpikeZone>> _free = [];
    private readonly List<SpikeZone> _all = [];
    private int _count;
    private uint _threshold;

    private struct Pending
    {
        public ulong Quantum, Ticks;
        public uint Load;
        public bool Seen, Late, Dropout, Ready;
    }

    /// <summary>Late quanta that came too fast to be kept.</summary>
    public long Skipped { get; private set; }

    /// <summary>What is kept, by quantum.</summary>
    public IReadOnlyList<Spike> Spikes
    {
        get
        {
            lock (_lock) return [.. _worst.Concat(_recent).DistinctBy(s => s.Quantum).OrderBy(s => s.Quantum)];
        }
    }

    /// <summary>[the drain] A quantum was rendered.</summary>
    public void Offer(in TraceEvent e)
    {
        if (e.Value <= Math.Min(_threshold, Full)) return;
        if (Slot(e.Quantum, e.Value) is not (>= 0 and var i)) return;
        ref var p = ref _pending[i];
        (p.Load, p.Ticks, p.Seen) = (e.Value, e.Ticks, true);
        p.Late |= e.Value > Full;
    }

    /// <summary>[the drain] The engine marked a quantum as late, or frames as lost.</summary>
    public void Mark(in TraceEvent e)
    {
        if (Slot(e.Quantum, uint.MaxValue) is not (>= 0 and var i)) return;
        ref var p = ref _pending[i];
        if (p.Ticks == 0) p.Ticks = e.Ticks;
        p.Late |= e.Kind == TraceKind.Late;
        p.Dropout |= e.Kind == TraceKind.Dropout;
    }

    /// <summary>[the drain, every tenth of a second] Fetches what belongs to the quanta that were offered before the call before this one.</summary>
    public void Collect(ChunkStore store, Func<TraceClock> clock, ModuleNames names)
    {
        if (_count == 0) return;
        _ready.Clear();
        var left = 0;
        for (var i = 0; i < _count; i++)
        {
            if (_pending[i].Ready)
            {
                _ready.Add(_pending[i]);
            }
            else
            {
                _pending[left] = _pending[i];
                _pending[left++].Ready = true;
            }
        }

        _count = left;
        if (_ready.Count == 0) return;
        var time = clock();
        Fetch(store, time, names);
        lock (_lock)
        {
            foreach (ref readonly var p in CollectionsMarshal.AsSpan(_ready)) Keep(Make(in p, time));
        }

        foreach (var (_, list) in _zones)
        {
            list.Clear();
            _free.Push(list);
        }

        _zones.Clear();
    }

    /// <summary>Forgets everything: another engine counts anew.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _worst.Clear();
            _recent.Clear();
        }

        (_count, _threshold) = (0, 0);
    }

    // The place of a quantum among the pending ones; of too many, the lightest goes.
    private int Slot(ulong quantum, uint load)
    {
        var lightest = 0;
        for (var i = 0; i < _count; i++)
        {
            if (_pending[i].Quantum == quantum && !_pending[i].Ready) return i;
            if (_pending[i].Load < _pending[lightest].Load) lightest = i;
        }

        if (_count < MostPending)
        {
            _pending[_count] = new Pending { Quantum = quantum };
            return _count++;
        }

        if (load > Full || _pending[lightest].Load > Full) Skipped++;
        if (load <= _pending[lightest].Load || load == uint.MaxValue) return -1;
        _pending[lightest] = new Pending { Quantum = quantum };
        return lightest;
    }

    private void Fetch(ChunkStore store, TraceClock clock, ModuleNames names)
    {
        ulong first = ulong.MaxValue, last = 0;
        foreach (var p in _ready)
        {
            (first, last) = (Math.Min(first, p.Quantum - Math.Min(p.Quantum, 1)), Math.Max(last, p.Quantum + 1));
            Want(p.Quantum - Math.Min(p.Quantum, 1));
            Want(p.Quantum);
            Want(p.Quantum + 1);
        }

        TraceSnapshot snapshot;
        lock (store.Sync) snapshot = store.Snapshot(0, first, last);
        using (snapshot)
        {
            for (var piece = 0; piece < snapshot.Count; piece++)
            {
                var (seat, count) = snapshot.Get(piece, out var bytes);
                _codec.Reset();
                fixed (byte* start = bytes)
                {
                    var at = start;
                    for (var i = 0; i < count; i++)
                    {
                        at = _codec.Read(at, start + bytes.Length, out var e);
                        if (e.Quantum < first || e.Quantum > last || !_zones.TryGetValue(e.Quantum, out var of)) continue;
                        var begins = clock.Nanoseconds(e.Ticks);
                        var length = TraceView.IsZone(e.Kind) ? clock.Nanoseconds(e.Ticks + e.Duration) - begins : 0;
                        var name = e.Kind == TraceKind.Module ? names.Find(e.Slot, e.Value)?.Name : null;
                        of.Add(new SpikeZone(e.Kind, seat, e.Quantum, begins, length, e.Slot, e.Value, e.Core == 0xFFFF ? -1 : e.Core, name));
                    }
                }
            }
        }
    }

    private void Want(ulong quantum)
    {
        if (!_zones.ContainsKey(quantum)) _zones.Add(quantum, _free.TryPop(out var list) ? list : []);
    }

    private Spike Make(in Pending p, TraceClock clock)
    {
        var own = _zones[p.Quantum];
        _all.Clear();
        _all.AddRange(own);
        _all.AddRange(_zones[p.Quantum + 1]);
        if (p.Quantum > 0) _all.AddRange(_zones[p.Quantum - 1]);
        SpikeZone[] kept = [.. _all];
        if (kept.Length > MostZones) kept = [.. kept.OrderByDescending(z => z.Nanoseconds).Take(MostZones)];
        Array.Sort(kept, (a, b) => a.Start.CompareTo(b.Start));
        return new Spike
        {
            Quantum = p.Quantum,
            Load = p.Seen ? (float)(p.Load / 1e6) : float.NaN,
            Time = clock.Nanoseconds(p.Ticks),
            Late = p.Late,
            Dropout = p.Dropout,
            Faults = Sum(own, TraceKind.Faults),
            Preemptions = Sum(own, TraceKind.Preempted),
            Zones = kept,
        };
    }

    private static uint Sum(List<SpikeZone> zones, TraceKind kind)
    {
        ulong sum = 0;
        foreach (var z in zones)
            if (z.Kind == kind) sum += z.Value;
        return (uint)Math.Min(sum, uint.MaxValue);
    }

    private void Keep(Spike spike)
    {
        if (spike.Late || spike.Dropout)
        {
            _recent.Enqueue(spike);
            if (_recent.Count > Recent) _recent.Dequeue();
        }

        if (float.IsNaN(spike.Load)) return;
        var at = _worst.FindIndex(s => s.Load < spike.Load);
        _worst.Insert(at < 0 ? _worst.Count : at, spike);
        if (_worst.Count > Worst) _worst.RemoveAt(Worst);
        if (_worst.Count == Worst) _threshold = (uint)Math.Round(_worst[^1].Load * 1e6); // cut, it could lie below what is kept, and the same load would be offered for ever
    }
}
