// What every module instance costs, the dearest first: what `costs` sends.
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.Diagnostics;

/// <summary>An instance over the window.</summary>
public sealed record ModuleCostReport
{
    /// <summary>Its name in the patch.</summary>
    public required string Name { get; init; }

    /// <summary>Id of its type.</summary>
    public required string Module { get; init; }

    /// <summary>Whether it has left the patch and only rings out.</summary>
    public bool Leaving { get; init; }

    /// <summary>Mean ns per quantum over the window; absent where it was not timed in it.</summary>
    public double? Nanoseconds { get; init; }

    /// <summary>That as a fraction of the quantum, on one core.</summary>
    public double? Share { get; init; }

    /// <summary>Fraction of the window's quanta through which it slept.</summary>
    public double? Asleep { get; init; }

    /// <summary>ns that 99 of 100 quanta of the window stayed below; absent where its histogram is off.</summary>
    public double? P99 { get; init; }

    /// <summary>Longest quantum in ns since it is timed.</summary>
    public ulong Longest { get; init; }

    /// <summary>Bytes of the pool it owns.</summary>
    public long Bytes { get; init; }

    /// <summary>Outputs that were not finite or beyond 1000 V, since it was made.</summary>
    public ulong BadOutputs { get; init; }

    /// <summary>Why it is switched off although the patch has it on ("overload", "stuck" ...); absent where it is on.</summary>
    public string? Shed { get; init; }
}

/// <summary>All instances over a window.</summary>
public sealed record CostsReport
{
    /// <inheritdoc cref="Moment"/>
    public required string Time { get; init; }

    /// <inheritdoc cref="Moment"/>
    public required string Monotonic { get; init; }

    /// <summary>Length of the window in seconds.</summary>
    public double Seconds { get; init; }

    /// <summary>What a quantum lasts, in ns; 0 before audio was started for the first time.</summary>
    public double QuantumNanoseconds { get; init; }

    /// <summary>Whether the engine times its modules at present.</summary>
    public bool Timed { get; init; }

    /// <summary>The dearest first; those that were not timed last, by name.</summary>
    public IReadOnlyList<ModuleCostReport> Modules { get; init; } = [];
}

/// <summary>Windows over one engine's instances. Not thread-safe: one watcher, one sampler.</summary>
public sealed unsafe class CostSampler
{
    private readonly EngineLink _link;
    private IReadOnlyList<ModuleDescriptor>? _modules;
    private readonly InstanceTimes _times = new();
    private readonly ModuleHistograms _histograms = new();
    private ulong _since = Linux.Now();

    /// <summary>A sampler whose first window starts now. <paramref name="modules"/>: the engine's; null: it is asked for them once.</summary>
    public CostSampler(EngineLink link, IReadOnlyList<ModuleDescriptor>? modules = null)
    {
        (_link, _modules) = (link, modules);
        _ = _times.Next(Instances, 1);
    }

    private ReadOnlySpan<InstanceRecord> Instances => new(_link.Map.Instances, Limits.MaxInstances);

    /// <summary>The report over the time since the last one, and starts the next window.</summary>
    public CostsReport Take()
    {
        var timed = _times.Next(Instances, 1); // by slot, as the records are
        var next = 0;
        var quantum = _link.TryAudio(out var a) && a.Rate > 0 ? a.Quantum * 1e9 / a.Rate : 0;
        var costs = new List<ModuleCostReport>();
        var records = Instances;
        for (var slot = 0; slot < records.Length; slot++)
        {
            ref readonly var r = ref records[slot];
            if (r.State == InstanceState.Free) continue;
            var modules = _modules ??= _link.ReadDescriptors();
            while (next < timed.Count && timed[next].Slot < slot) next++;
            var t = next < timed.Count && timed[next].Slot == slot ? timed[next] : default;
            var mean = t.Quanta > 0 ? t.Nanoseconds / (double)t.Quanta : (double?)null;
            costs.Add(new ModuleCostReport
            {
                Name = InstanceTimes.NameOf(in r),
                Module = (uint)r.Module < (uint)modules.Count ? modules[r.Module].Id : "",
                Leaving = r.State == InstanceState.Leaving,
                Nanoseconds = mean is { } m ? Math.Round(m, 1) : null,
                Share = quantum > 0 && mean is { } s ? Math.Round(s / quantum, 6) : null,
                Asleep = mean != null ? Math.Round(t.Slept / (double)t.Quanta, 4) : null,
                P99 = _histograms.Next(_link.Map, slot)?.Percentile(0.99),
                Longest = r.Longest,
                Bytes = r.Bytes,
                BadOutputs = r.BadOutputs,
                Shed = r.Shed == ShedReason.None ? null : IncidentKinds.WordOf(r.Shed),
            });
        }

        var (now, began) = (Linux.Now(), _since);
        _since = now;
        var moment = Moment.At(now);
        return new CostsReport
        {
            Time = moment.Time,
            Monotonic = moment.Monotonic,
            Seconds = Math.Round((now - began) / 1e9, 3),
            QuantumNanoseconds = Math.Round(quantum, 1),
            Timed = timed.Count > 0,
            Modules = [.. costs.OrderByDescending(c => c.Nanoseconds ?? -1).ThenBy(c => c.Name, StringComparer.Ordinal)],
        };
    }
}
