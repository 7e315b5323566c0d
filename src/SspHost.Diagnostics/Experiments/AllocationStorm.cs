// A garbage collector kept as busy as a bad day keeps it: many live objects, constant churn, hundreds of collections a second.
namespace SspHost.Diagnostics;

/// <summary>
/// Allocates on several threads until disposed. The storm alone may not reach the asked rate on a machine with a large
/// generation 0, so a pacemaker adds collections of generation 0 where they are missing; both are counted.
/// </summary>
public sealed class AllocationStorm : IDisposable
{
    private const int MostLive = 200_000, FewestLive = 1_000;
    private const int CalibrationMs = 300;

    private readonly byte[]?[] _live = new byte[MostLive][];
    private readonly List<Thread> _threads = [];
    private readonly int _perSecond;
    private int _collectionsAtStart;
    private long _allocatedAtStart;
    private long _startedAt;
    private volatile int _liveCount = MostLive;
    private volatile bool _stop;
    private long _induced;
    private int _ended;

    /// <summary>Starts the storm; at least <paramref name="perSecond"/> collections a second.</summary>
    public AllocationStorm(int threads, int perSecond)
    {
        for (var i = 0; i < _live.Length; i++) _live[i] = new byte[16 + (i % 113)];
        _perSecond = perSecond;
        Restart();
        for (var i = 0; i < threads; i++)
        {
            var seed = i + 1;
            _threads.Add(new Thread(() => Churn(seed)) { IsBackground = true, Name = "storm" });
        }

        _threads.Add(new Thread(Pace) { IsBackground = true, Name = "storm-pace" });
        foreach (var t in _threads) t.Start();
    }

    /// <summary>Objects kept alive, and replaced at random: what each collection has to look through.</summary>
    public int Live => _liveCount;

    /// <summary>
    /// Halves what is kept alive until the machine reaches the asked rate: a collection of much takes long, and a long one is not
    /// many. Counting starts anew.
    /// </summary>
    public void Calibrate()
    {
        while (true)
        {
            Restart();
            Thread.Sleep(CalibrationMs);
            if (Collections >= Seconds * _perSecond || _liveCount <= FewestLive) break;
            _liveCount /= 2;
            Array.Clear(_live, _liveCount, MostLive - _liveCount);
        }

        Restart();
    }

    /// <summary>Seconds since it began.</summary>
    public double Seconds => Math.Max(1, Environment.TickCount64 - Interlocked.Read(ref _startedAt)) / 1000.0;

    /// <summary>Collections since it began, and how many of them the pacemaker asked for.</summary>
    public int Collections => GC.CollectionCount(0) - _collectionsAtStart;

    /// <inheritdoc cref="Collections"/>
    public long Induced => Interlocked.Read(ref _induced);

    /// <summary>Bytes allocated since it began.</summary>
    public long AllocatedBytes => GC.GetTotalAllocatedBytes(precise: false) - _allocatedAtStart;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0) return;
        _stop = true;
        foreach (var t in _threads) t.Join();
    }

    private void Restart()
    {
        _collectionsAtStart = GC.CollectionCount(0);
        _allocatedAtStart = GC.GetTotalAllocatedBytes(precise: false);
        Interlocked.Exchange(ref _induced, 0);
        Interlocked.Exchange(ref _startedAt, Environment.TickCount64);
    }

    private void Churn(int seed)
    {
        var random = new Random(seed);
        while (!_stop)
        {
            for (var i = 0; i < 256; i++) _live[random.Next(_liveCount)] = new byte[16 + random.Next(256)];
        }
    }

    private void Pace()
    {
        var pause = Math.Max(1, 1000 / _perSecond / 2);
        while (!_stop)
        {
            Thread.Sleep(pause);
            // Ten per cent more than asked: what is reported is what was reached, and it must not fall short by rounding.
            while (!_stop && Collections < Seconds * _perSecond * 1.1)
            {
                GC.Collect(0, GCCollectionMode.Forced, blocking: true);
                Interlocked.Increment(ref _induced);
            }
        }
    }
}
