// The last thousand incidents, kept so that whoever comes later can still ask.
using SspHost.Abi;
using SspHost.Diagnostics.Stalls;

namespace SspHost.Diagnostics;

/// <summary>Something that happened to the sound, or nearly did.</summary>
public sealed record Incident
{
    /// <summary>Number in this process, 1 and up: ask for what came after one. A restart begins anew.</summary>
    public long Id { get; init; }

    /// <summary>A <see cref="NoticeKind"/>: "late", "dropout", "badOutput", "moduleShed", "deviceLost" ..., or "stall". Others may come.</summary>
    public required string Kind { get; init; }

    /// <summary>Why frames were lost, a module was switched off, or a thread was late.</summary>
    public string? Cause { get; init; }

    /// <summary>The engine's number: notices of one incident share it.</summary>
    public long? Engine { get; init; }

    /// <summary>Frame counter of the engine.</summary>
    public long Frame { get; init; }

    /// <inheritdoc cref="Moment"/>
    public required string Time { get; init; }

    /// <inheritdoc cref="Moment"/>
    public required string Monotonic { get; init; }

    /// <summary>The module concerned, by its name in the patch.</summary>
    public string? Module { get; init; }

    /// <summary>Figures by name; which ones depends on the kind.</summary>
    public required IReadOnlyDictionary<string, long> Figures { get; init; }

    /// <summary>One line for people.</summary>
    public required string Text { get; init; }

    /// <summary>What an engineer wants to know besides, line by line.</summary>
    public IReadOnlyList<string>? Detail { get; init; }
}

/// <summary>
/// Thread-safe. When it is full, the oldest of the most frequent kind makes room: a thousand late quanta do not push out the one lost
/// device that explains them.
/// </summary>
public sealed class IncidentLog
{
    /// <summary>Incidents kept.</summary>
    public const int Capacity = 1000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Queue<Incident>> _kept = new(StringComparer.Ordinal);
    private int _count;
    private long _last;

    /// <summary>Told of each, in order; it waits for nobody.</summary>
    public Action<Incident>? Listener { get; set; }

    /// <summary>Number of the last one; 0: none yet.</summary>
    public long Last => Interlocked.Read(ref _last);

    /// <summary>Adds what the engine told. <paramref name="module"/>: name of the module concerned, if there is one and it is known.</summary>
    public Incident Add(in Notice n, string? module)
    {
        var moment = Moment.At(n.Time);
        return Add(new Incident
        {
            Kind = IncidentKinds.WordOf(n.Kind),
            Cause = IncidentKinds.CauseOf(in n),
            Engine = n.Incident != 0 ? (long)n.Incident : null,
            Frame = (long)Math.Min(n.Frame, 1UL << 53),
            Time = moment.Time,
            Monotonic = moment.Monotonic,
            Module = n.Key != 0 ? module : null,
            Figures = IncidentKinds.FiguresOf(in n),
            Text = IncidentKinds.Line(in n, module),
        });
    }

    /// <summary>
    /// Adds what the watchdog saw of a late thread. <paramref name="engine"/>: number of the incident in which the thread was replaced; 0: it was not.
    /// <paramref name="frame"/>: the engine's frame counter by then, as far as it is known.
    /// </summary>
    public Incident Add(in StallRecord stall, StallReport report, string? module, ulong engine, ulong frame)
    {
        var moment = Moment.At(stall.Time);
        return Add(new Incident
        {
            Kind = "stall",
            Cause = IncidentKinds.WordOf(report.Verdict.Cause),
            Engine = engine != 0 ? (long)engine : null,
            Frame = (long)Math.Min(frame, 1UL << 53),
            Time = moment.Time,
            Monotonic = moment.Monotonic,
            Module = stall.Key != 0 ? module : null,
            Figures = report.Figures,
            Text = report.Text + (engine != 0 ? FormattableString.Invariant($" (incident {engine})") : ""),
            Detail = report.Detail,
        });
    }

    private Incident Add(Incident told)
    {
        lock (_lock)
        {
            var incident = told with { Id = _last + 1 };
            Interlocked.Exchange(ref _last, incident.Id);
            if (!_kept.TryGetValue(incident.Kind, out var same)) _kept[incident.Kind] = same = [];
            same.Enqueue(incident);
            if (++_count > Capacity)
            {
                _count--;
                var most = same;
                foreach (var kind in _kept.Values)
                    if (kind.Count > most.Count) most = kind;
                most.Dequeue();
            }

            Listener?.Invoke(incident);
            return incident;
        }
    }

    /// <summary>Those that are kept and came after number <paramref name="since"/>, in order, the last <paramref name="limit"/> of them.</summary>
    public IReadOnlyList<Incident> Since(long since, int limit = Capacity)
    {
        lock (_lock)
            return [.. _kept.Values.SelectMany(k => k).Where(i => i.Id > since).OrderBy(i => i.Id).TakeLast(limit)];
    }
}

/// <summary>Incidents as the control socket gives them on request.</summary>
/// <param name="Last">Number of the last one ever.</param>
public sealed record IncidentList(long Last, IReadOnlyList<Incident> Incidents);
