// The last thousand lines that the host said, for whoever was not there to read them.
namespace SspHost.Diagnostics;

/// <summary>A line.</summary>
/// <param name="Id">Number in this process, 1 and up.</param>
public sealed record LogLine(long Id, string Time, string Monotonic, string Text);

/// <summary>Lines as the control socket gives them on request.</summary>
/// <param name="Last">Number of the last one ever.</param>
public sealed record LogList(long Last, IReadOnlyList<LogLine> Lines);

/// <summary>Thread-safe.</summary>
public sealed class LogLines
{
    /// <summary>Lines kept.</summary>
    public const int Capacity = 1000;

    private readonly Lock _lock = new();
    private readonly Queue<LogLine> _kept = [];
    private long _last;

    /// <summary>Told of each, in order; it waits for nobody.</summary>
    public Action<LogLine>? Listener { get; set; }

    /// <summary>Number of the last one; 0: none yet.</summary>
    public long Last => Interlocked.Read(ref _last);

    public void Add(string text)
    {
        var now = Moment.Now();
        lock (_lock)
        {
            var line = new LogLine(Interlocked.Increment(ref _last), now.Time, now.Monotonic, text);
            _kept.Enqueue(line);
            if (_kept.Count > Capacity) _kept.Dequeue();
            Listener?.Invoke(line);
        }
    }

    /// <summary>Those that are kept and came after number <paramref name="since"/>, the last <paramref name="limit"/> of them.</summary>
    public IReadOnlyList<LogLine> Since(long since, int limit = Capacity)
    {
        lock (_lock) return [.. _kept.Where(l => l.Id > since).TakeLast(limit)];
    }
}
