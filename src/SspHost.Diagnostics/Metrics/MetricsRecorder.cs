// Takes a snapshot ten times a second and keeps a minute of them, on a thread of its own at an ordinary priority.
using SspHost.Abi;

namespace SspHost.Diagnostics;

/// <summary>Thread-safe. Of the process it runs in and of the engine, whose pid it asks for each time.</summary>
public sealed class MetricsRecorder : IDisposable
{
    /// <summary>Snapshots a second, and seconds that are kept.</summary>
    public const int Rate = 10, Seconds = 60;

    private const ulong StepNs = 1_000_000_000 / Rate;
    private readonly Func<int> _enginePid;
    private readonly int _ownPid;
    private readonly ProcessProbe _engine, _control;
    private readonly SystemProbe _system;
    private readonly SnapshotRing _ring = new((Rate * Seconds) + 1);
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread? _thread;
    private readonly Lock _missingLock = new();
    private MissingSources _missing = MissingSources.None;
    private int _missingHash;

    private MetricsRecorder(Func<int> enginePid, string? disk, string root, int ownPid, bool run)
    {
        (_enginePid, _ownPid) = (enginePid, ownPid);
        var proc = Path.Combine(root, "proc");
        (_engine, _control, _system) = (new ProcessProbe(proc), new ProcessProbe(proc), new SystemProbe(root, disk));
        if (!run) return;
        _thread = new Thread(Run) { IsBackground = true, Name = "ssp-metrics" };
        _thread.Start();
    }

    /// <summary>
    /// Starts. <paramref name="enginePid"/>: the engine as it is now, 0 while there is none. <paramref name="disk"/>: a directory whose disk is
    /// watched.
    /// </summary>
    public static MetricsRecorder Start(Func<int> enginePid, string? disk) => new(enginePid, disk, "/", Environment.ProcessId, run: true);

    /// <summary>One that takes snapshots when it is told to (tests, benchmarks), of a tree that stands for the root directory.</summary>
    internal static MetricsRecorder ByHand(Func<int> enginePid, string? disk = null, string root = "/", int? ownPid = null) =>
        new(enginePid, disk, root, ownPid ?? Environment.ProcessId, run: false);

    /// <summary>Snapshots taken.</summary>
    public long Taken => _ring.Published;

    internal SnapshotRing Ring => _ring;

    /// <summary>
    /// The report over the last <paramref name="seconds"/>; null: there are not two snapshots yet. With <paramref name="historySeconds"/>, that much
    /// of the past too, in steps of <paramref name="every"/> snapshots.
    /// </summary>
    public MetricsReport? Report(double seconds, double historySeconds = 0, int every = 1)
    {
        var (from, to) = (new Snapshot(), new Snapshot());
        // Half a step short: the snapshot that was meant to be a second ago may be a moment less.
        if (!_ring.TryWindow((ulong)(Math.Max(0, seconds - (0.5 / Rate)) * 1e9), from, to)) return null;
        MissingSources missing;
        lock (_missingLock) missing = _missing;
        var report = MetricsWindow.Between(from, to, missing);
        return historySeconds > 0 ? report with { History = HistoryBuilder.Build(_ring, every, historySeconds) } : report;
    }

    /// <summary>Takes one now.</summary>
    internal void Take()
    {
        var snapshot = _ring.Next;
        snapshot.Time = Linux.Now();
        _engine.Take(_enginePid(), snapshot.Engine);
        _control.Take(_ownPid, snapshot.Control);
        _system.Take(snapshot);
        NoteMissing();
        _ring.Publish();
    }

    public void Dispose()
    {
        if (_stop.IsSet) return;
        _stop.Set();
        _thread?.Join();
        _engine.Dispose();
        _control.Dispose();
        _system.Dispose();
        _stop.Dispose();
    }

    // What is missing seldom changes: a copy is made only then.
    private void NoteMissing()
    {
        var hash = HashOf(_engine.Missing) ^ (HashOf(_control.Missing) * 31) ^ (HashOf(_system.Missing) * 961);
        if (hash == _missingHash) return;
        _missingHash = hash;
        var missing = new MissingSources(new Dictionary<string, string>(_engine.Missing, StringComparer.Ordinal), new Dictionary<string, string>(_control.Missing, StringComparer.Ordinal), new Dictionary<string, string>(_system.Missing, StringComparer.Ordinal));
        lock (_missingLock) _missing = missing;
    }

    private static int HashOf(Dictionary<string, string> missing)
    {
        var hash = missing.Count;
        foreach (var (name, why) in missing) hash ^= HashCode.Combine(name.Length, name[0], why.Length);
        return hash;
    }

    private void Run()
    {
        var next = Linux.Now();
        while (true)
        {
            Take();
            var now = Linux.Now();
            next = now > next + (10 * StepNs) ? now + StepNs : next + StepNs; // after a pause of the machine, none is made up for
            if (_stop.Wait(next > now ? (int)((next - now) / 1_000_000) : 0)) return;
        }
    }
}
