// Who calls malloc where it must not: the engine counts, this looks at the counters, and each module is told of once.
using SspHost.Abi;

namespace SspHost.Diagnostics;

/// <summary>Watches one engine's counters. The audio thread does not tell of it itself: it would be another thing to do for it a call. Not thread-safe.</summary>
public sealed unsafe class HeapWatch
{
    private readonly HashSet<ulong> _told = [];
    private bool _engineTold;

    /// <summary>A notice for every module, and for the engine, that was not told of before. Once a second is enough.</summary>
    public IReadOnlyList<Notice> Look(RegionMap map)
    {
        List<Notice>? found = null;
        for (var slot = 0; slot < Limits.MaxInstances; slot++)
        {
            var record = map.Instances + slot;
            if (Volatile.Read(ref record->HeapCalls) == 0 || record->State == InstanceState.Free || !_told.Add(record->Key)) continue;
            (found ??= []).Add(Told(slot, record->Key, record->HeapCalls));
        }

        if (!_engineTold && map.StewardStatus->TryRead(out var s) && s.HeapCalls != 0)
        {
            _engineTold = true;
            (found ??= []).Add(Told(-1, 0, s.HeapCalls));
        }

        return found ?? (IReadOnlyList<Notice>)[];
    }

    private static Notice Told(int slot, ulong key, ulong calls) =>
        new() { Kind = NoticeKind.HeapCalls, Slot = slot, Key = key, Time = Linux.Now(), A = (long)Math.Min(calls, long.MaxValue) };
}
