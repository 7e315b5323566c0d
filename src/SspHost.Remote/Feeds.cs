// One topic at one rate for whoever asked for exactly that: measured once, written once, however many listen.
using System.Text.Json;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Patching;

namespace SspHost.Remote;

/// <summary>Makes the messages of a topic that shows a state. Used by one thread.</summary>
internal sealed class Feed(ControlTarget target, Topic topic, ulong intervalNs, IReadOnlyList<string> modules)
{
    private readonly LevelsSampler _levels = new();
    private bool _begun;
    private int _generation = -1;
    private StatusSampler? _status;
    private CostSampler? _costs;
    private ulong _due = Linux.Now() + intervalNs;
    private ulong _nextLook = Linux.Now();

    public Topic Topic => topic;

    /// <summary>Who listens; replaced as a whole.</summary>
    public ControlConnection[] Members { get; set; } = [];

    /// <summary>Whether a defect of it was told already.</summary>
    public bool Failed { get; set; }

    // Peaks between two messages that are further apart than the engine keeps them.
    private bool Looks => topic.Name is "levels" or "status" && intervalNs > LevelsSampler.LookEveryNs;

    /// <summary>When there is something to do.</summary>
    public ulong Next => Looks ? Math.Min(_due, _nextLook) : _due;

    /// <summary>Whether a subscription is served by this feed.</summary>
    public bool Serves(Subscription s) => s.Topic == topic && s.IntervalNs == intervalNs && s.Modules.SequenceEqual(modules, StringComparer.Ordinal);

    /// <summary>Does what is due at <paramref name="now"/>; the message, if there is one.</summary>
    public byte[]? Turn(ulong now)
    {
        if (!_begun) _begun = target.Engine.Try(Begin, otherwise: true);
        if (Looks && now >= _nextLook)
        {
            _nextLook = now + LevelsSampler.LookEveryNs;
            target.Engine.Try(Look, otherwise: false);
        }

        if (now < _due) return null;
        // From the time it was due, so that the mean rate is the one asked for; one that was missed is not made up for.
        _due = now - _due > intervalNs ? now + intervalNs : _due + intervalNs;
        return ControlReplies.Event(topic.Name, Make());
    }

    /// <summary>Levels as they are now.</summary>
    public static LevelsReport Levels(ControlTarget target)
    {
        var sampler = new LevelsSampler();
        target.Engine.Try(
            link =>
            {
                sampler.Look(link);
                return true;
            },
            otherwise: false);
        return sampler.Take();
    }

    /// <summary>Telemetry as it is now.</summary>
    public static TelemetryReport Telemetry(ControlTarget target, IReadOnlyList<string> modules)
    {
        var now = Moment.Now();
        var (shown, missing) = (new List<ModuleTelemetry>(), new List<string>());
        var plan = target.Session.Plan;
        target.Engine.Try(
            link =>
            {
                foreach (var name in modules)
                    if (Read(link, plan, target.Modules, name) is { } t) shown.Add(t);
                return true;
            },
            otherwise: false);
        foreach (var name in modules)
            if (!shown.Exists(t => t.Name == name)) missing.Add(name);
        return new TelemetryReport { Time = now.Time, Monotonic = now.Monotonic, Modules = shown, Missing = missing };
    }

    /// <summary>Metrics over the last <paramref name="seconds"/>, and as many of the past as <paramref name="history"/> says.</summary>
    public static MetricsReport Metrics(ControlTarget target, double seconds, double history)
    {
        if (target.Metrics?.Report(seconds, history) is { } report) return report;
        var now = Moment.Now();
        var why = new Dictionary<string, string>(StringComparer.Ordinal) { ["metrics"] = target.Metrics == null ? "this host does not measure" : "measuring has just begun" };
        return new MetricsReport { Time = now.Time, Monotonic = now.Monotonic, System = new SystemMetrics { Unavailable = why } };
    }

    /// <summary>A report as the host completes it.</summary>
    public static StatusReport Complete(StatusReport report, PatchSession session) => report with
    {
        Control = ControlReport.Now(),
        Transition = report.Audio is { } a ? !a.Settled || session.Plan is { Leaving.IsDefaultOrEmpty: false } : null,
    };

    private static ModuleTelemetry? Read(EngineLink link, CompiledPlan? plan, DescriptorIndex modules, string name)
    {
        if (plan == null) return null;
        foreach (var i in plan.Instances)
            if (i.Module == name && (uint)i.Type < (uint)modules.Types.Count) return TelemetryReader.Read(link, name, i.Slot, i.Key, modules.Types[i.Type].Descriptor);
        return null;
    }

    private byte[] Make()
    {
        switch (topic.Name)
        {
            case "status":
                var report = target.Engine.Try(link => Renew(link).Status!.Take(), new StatusReport { State = "none" });
                return JsonSerializer.SerializeToUtf8Bytes(Complete(report, target.Session), DiagnosticsJson.Default.StatusReport);
            case "costs":
                var now = Moment.Now();
                var costs = target.Engine.Try(link => Renew(link).Costs!.Take(), new CostsReport { Time = now.Time, Monotonic = now.Monotonic });
                return JsonSerializer.SerializeToUtf8Bytes(costs, DiagnosticsJson.Default.CostsReport);
            case "levels":
                target.Engine.Try(Look, otherwise: false);
                return JsonSerializer.SerializeToUtf8Bytes(_levels.Take(), DiagnosticsJson.Default.LevelsReport);
            case "metrics":
                return JsonSerializer.SerializeToUtf8Bytes(Metrics(target, intervalNs / 1e9, history: 0), MetricsJson.Default.MetricsReport);
            default: // telemetry: the last of the topics that show a state
                return JsonSerializer.SerializeToUtf8Bytes(Telemetry(target, modules), DiagnosticsJson.Default.TelemetryReport);
        }
    }

    // The first window begins when somebody begins to listen.
    private bool Begin(EngineLink link)
    {
        _ = Renew(link);
        return true;
    }

    private bool Look(EngineLink link)
    {
        if (topic.Name == "levels") _levels.Look(link);
        else Renew(link).Status?.Look();
        return true;
    }

    // Another engine counts anew.
    private (StatusSampler? Status, CostSampler? Costs) Renew(EngineLink link)
    {
        if (_generation != target.Engine.Generation)
        {
            _generation = target.Engine.Generation;
            _status = topic.Name == "status" ? new StatusSampler(link) : null;
            _costs = topic.Name == "costs" ? new CostSampler(link, [.. target.Modules.Types.Select(t => t.Descriptor)]) : null;
        }

        return (_status, _costs);
    }
}
