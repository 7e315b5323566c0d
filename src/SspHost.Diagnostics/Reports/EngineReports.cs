// What the region alone knows: histograms with their buckets, and the pool's account by class and by owner.
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.Diagnostics;

/// <summary>A histogram: buckets that hold something, by their lowest value.</summary>
public sealed record HistogramReport(string Name, string Unit, ulong Count, ulong Max, double Mean, IReadOnlyList<HistogramBucket> Buckets);

/// <summary>A bucket: values from <paramref name="From"/> up to the next bucket's possible start.</summary>
public sealed record HistogramBucket(ulong From, ulong Count);

/// <summary>All histograms of an engine, since it started.</summary>
public sealed record HistogramsReport(int Version, IReadOnlyList<HistogramReport> Histograms);

/// <summary>A class of the pool.</summary>
public sealed record PoolClass(long Bytes, long Live, long Peak, long Total);

/// <summary>A module's part of the pool.</summary>
public sealed record PoolOwner(string Name, long Bytes, long HeapBytes, ulong HeapCalls);

/// <summary>The pool by class and by owner; bytes.</summary>
public sealed record PoolReport
{
    public int Version { get; init; } = 1;

    public long Limit { get; init; }

    public long Offered { get; init; }

    public long Requested { get; init; }

    public long Fragments { get; init; }

    public long FragmentsPeak { get; init; }

    public long Free { get; init; }

    public long Largest { get; init; }

    public long Cached { get; init; }

    public long Allocations { get; init; }

    public long Frees { get; init; }

    public long RemoteFrees { get; init; }

    public long Failed { get; init; }

    public long LastFailed { get; init; }

    public long Faults { get; init; }

    public long ModuleBytes { get; init; }

    public long EngineBytes { get; init; }

    public long GrantBytes { get; init; }

    public long Locked { get; init; }

    /// <summary>Share of the live fragments that nobody asked for, and of the free bytes that the largest request could not have.</summary>
    public double InternalFragmentation { get; init; }

    /// <inheritdoc cref="InternalFragmentation"/>
    public double ExternalFragmentation { get; init; }

    public required IReadOnlyList<PoolClass> Classes { get; init; }

    public required IReadOnlyList<PoolOwner> Owners { get; init; }
}

/// <summary>Reads them from a region.</summary>
public static unsafe class EngineReports
{
    /// <summary>Every histogram that holds something: the engine's own, those of its workers and of its modules.</summary>
    public static HistogramsReport Histograms(RegionMap map)
    {
        var list = new List<HistogramReport>();
        for (var k = 0; k < (int)HistogramKind.Count; k++)
            Add(list, IncidentKinds.WordOf((HistogramKind)k), (HistogramKind)k == HistogramKind.Load ? "millionths of a quantum" : "ns", map.Histogram((HistogramKind)k));
        if (map.Header->WorkerHistogramsOffset != 0)
            for (var seat = 0; seat < Limits.MaxThreads; seat++) Add(list, FormattableString.Invariant($"work of seat {seat}"), "ns", map.WorkerHistogram(seat));
        for (var slot = 0; slot < Limits.MaxInstances; slot++)
        {
            var r = map.Instances + slot;
            if (r->State == InstanceState.Free || !Within(map, r->Histogram)) continue;
            Add(list, $"module {InstanceTimes.NameOf(in *r)}", "ns", (Histogram*)map.At(r->Histogram));
        }

        return new HistogramsReport(1, list);
    }

    /// <summary>The pool; null where the engine does not tell.</summary>
    public static PoolReport? Pool(RegionMap map)
    {
        if (!TryPool(map, out var s)) return null;
        var classes = new List<PoolClass>();
        for (var c = 0; c < PoolStats.Classes; c++)
            if (s.ClassTotal[c] != 0) classes.Add(new PoolClass(64L << c, s.ClassLive[c], s.ClassPeak[c], s.ClassTotal[c]));
        var owners = new List<PoolOwner>();
        for (var slot = 0; slot < Limits.MaxInstances; slot++)
        {
            var r = map.Instances + slot;
            if (r->State != InstanceState.Free) owners.Add(new PoolOwner(InstanceTimes.NameOf(in *r), r->Bytes, r->HeapBytes, r->HeapCalls));
        }

        return new PoolReport
        {
            Limit = s.Limit,
            Offered = s.Offered,
            Requested = s.Requested,
            Fragments = s.Fragments,
            FragmentsPeak = s.FragmentsPeak,
            Free = s.Free,
            Largest = s.Largest,
            Cached = s.Cached,
            Allocations = s.Allocations,
            Frees = s.Frees,
            RemoteFrees = s.RemoteFrees,
            Failed = s.Failed,
            LastFailed = s.LastFailed,
            Faults = s.Faults,
            ModuleBytes = s.ModuleBytes,
            EngineBytes = s.EngineBytes,
            GrantBytes = s.GrantBytes,
            Locked = s.Locked,
            InternalFragmentation = Math.Round(s.InternalFragmentation, 4),
            ExternalFragmentation = Math.Round(s.ExternalFragmentation, 4),
            Classes = classes,
            Owners = [.. owners.OrderByDescending(o => o.Bytes + o.HeapBytes).ThenBy(o => o.Name, StringComparer.Ordinal)],
        };
    }

    /// <summary>The pool's statistics; false where the engine does not publish any.</summary>
    public static bool TryPool(RegionMap map, out PoolStats stats)
    {
        stats = default;
        return map.Header->PoolStatsOffset != 0 && map.PoolStats->TryRead(out stats);
    }

    /// <summary>What the doctor wants to know of an engine.</summary>
    public static EngineFacts Facts(EngineLink link)
    {
        _ = link.TryAudio(out var a);
        var told = link.TrySteward(out var s);
        return new EngineFacts
        {
            Pid = link.Map.Header->EnginePid,
            Threads = [.. StatusSampler.ReadThreads(link.Map).Select(t => new EngineThreadFacts(t.Name, t.Tid, t.Core, t.Policy == "FIFO", t.Priority, t.StackLocked))],
            LockWanted = told ? s.LockWanted : -1,
            Locked = told ? s.Locked : -1,
            ImageWanted = told ? s.ImageWanted : -1,
            ImageLocked = told ? s.ImageLocked : -1,
            Rate = a.Rate,
            Quantum = a.Quantum,
            Period = a.Period,
            Periods = a.Periods,
        };
    }

    private static bool Within(RegionMap map, long offset) => offset > 0 && offset <= map.Bytes - sizeof(Histogram);

    private static void Add(List<HistogramReport> list, string name, string unit, Histogram* live)
    {
        var h = *live;
        if (h.Count == 0) return;
        var buckets = new List<HistogramBucket>();
        for (var b = 0; b < Histogram.Buckets; b++)
            if (h.Counts[b] != 0) buckets.Add(new HistogramBucket(Histogram.LowerBound(b), h.Counts[b]));
        list.Add(new HistogramReport(name, unit, h.Count, h.Max, Math.Round(h.Sum / (double)h.Count, 1), buckets));
    }
}
