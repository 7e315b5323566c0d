// The last minute of snapshots in memory that is reused: what was before a fault is still there when somebody asks.
namespace SspHost.Diagnostics;

/// <summary>
/// One writer, any readers. The writer fills a slot that no reader sees and publishes it; readers copy under the lock, so a reader that is
/// slow delays the next snapshot by the copy of one.
/// </summary>
internal sealed class SnapshotRing(int capacity)
{
    private readonly Lock _lock = new();
    private readonly Snapshot[] _slots = [.. Enumerable.Range(0, capacity + 1).Select(_ => new Snapshot())];
    private long _published; // snapshots ever

    /// <summary>[the writer] The slot to fill.</summary>
    public Snapshot Next => _slots[_published % _slots.Length];

    /// <summary>Snapshots ever published.</summary>
    public long Published => Interlocked.Read(ref _published);

    /// <summary>[the writer] Shows the slot that was filled.</summary>
    public void Publish()
    {
        lock (_lock) Interlocked.Increment(ref _published);
    }

    /// <summary>Number of the oldest that is kept.</summary>
    public long Oldest => Math.Max(0, Published - capacity);

    /// <summary>Copies snapshot number <paramref name="number"/>; false: it is gone, or not there yet.</summary>
    public bool TryCopy(long number, Snapshot to)
    {
        lock (_lock)
        {
            if (number < 0 || number >= _published || number < _published - capacity) return false;
            _slots[number % _slots.Length].CopyTo(to);
            return true;
        }
    }

    /// <summary>
    /// Copies the newest snapshot, and the newest that is at least <paramref name="ns"/> older than it (the oldest where none is). False: there are
    /// not two yet.
    /// </summary>
    public bool TryWindow(ulong ns, Snapshot from, Snapshot to)
    {
        lock (_lock)
        {
            if (_published < 2) return false;
            var last = _slots[(_published - 1) % _slots.Length];
            var at = _published - 2;
            for (var oldest = Math.Max(0, _published - capacity); at > oldest && last.Time - _slots[at % _slots.Length].Time < ns; at--)
            {
                // further back
            }

            _slots[at % _slots.Length].CopyTo(from);
            last.CopyTo(to);
            return true;
        }
    }
}
