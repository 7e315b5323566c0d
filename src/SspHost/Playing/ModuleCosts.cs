// What each module type was measured to cost: followed while it plays, kept over restarts, given to the plan compiler.
using System.Text.Json;
using System.Text.Json.Serialization;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Benching;
using SspHost.Patching;

namespace SspHost.Playing;

/// <summary>
/// Costs in ns per quantum by module id, sample rate, quantum and class of core. A window's value is the median over the instances of a type that did
/// not sleep; over the windows, values are averaged exponentially. A module that never played has the figure of `ssp bench modules`, if any.
/// The file is of one machine: one that was copied from another is not believed.
/// Costs decide the order of work only, never what is heard.
/// </summary>
internal sealed class ModuleCosts
{
    /// <summary>Name of the file in the state directory.</summary>
    public const string FileName = "costs.json";

    private const int Version = 3; // 1 knew one class of cores; 2 did not say of which machine it is
    private const int MaxBytes = 1 << 20;
    private const int MostSaid = 300; // of what is wrong with a file: two machines have names
    private const int MaxEntries = 4096;
    private const int MaxIdLength = 256; // longer ones are no module's
    private const float MostNanoseconds = 1e9f; // a quantum lasts 6 ms at most; a second is a stopped clock
    private const ulong LeastQuanta = 256; // fewer are noise: a preemption alone is worth a hundred quanta
    private const ulong LeastOnClass = 64; // awake, on one class of cores, of such a window
    private const double Speed = 1 / 8.0; // of a new window, about one a second

    private readonly string _machine;
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Module, int Rate, int Quantum, int Class), float> _costs = [];
    private readonly HashSet<(string Module, int Rate, int Quantum, int Class)> _benched = []; // of these costs: not yet measured in a patch
    private readonly InstanceTimes _times = new();
    private (int Rate, int Quantum) _running;
    private bool _changed;

    /// <summary>Nothing is known. <paramref name="machine"/>: what the file is to say of its machine; null: this one.</summary>
    public ModuleCosts(string? machine = null) => _machine = machine ?? BenchMachine.ThisKey;

    /// <summary>
    /// Reads the file of an earlier start; without one, nothing is known. A damaged one, or one of another machine, counts as none and is said once.
    /// </summary>
    public static ModuleCosts Load(string path, Action<string> say, string? machine = null)
    {
        var costs = new ModuleCosts(machine);
        if (!File.Exists(path)) return costs;
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > MaxBytes) throw new InvalidDataException($"{file.Length} bytes");
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            costs.Read(bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            say($"{path}: measured costs ignored, they are measured again: {PatchError.OneLine(e.Message, MostSaid)}");
        }

        return costs;
    }

    /// <summary>Replaces the file if anything was measured since; null or why not.</summary>
    public string? Save(string path)
    {
        byte[] bytes;
        lock (_lock)
        {
            if (!_changed) return null;
            bytes = Write();
            _changed = false;
        }

        try
        {
            AtomicFile.Write(path, bytes);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            lock (_lock) _changed = true;
            return $"{path}: measured costs not kept: {PatchError.OneLine(e.Message)}";
        }
    }

    /// <summary>Another engine: its counters are new.</summary>
    public void Restart()
    {
        lock (_lock) _times.Restart();
    }

    /// <summary>Looks at the instance table of an engine that runs at this rate and quantum; about once a second.</summary>
    public void Update(ReadOnlySpan<InstanceRecord> records, IReadOnlyList<ModuleDescriptor> modules, int rate, int quantum)
    {
        lock (_lock)
        {
            if (_running != (rate, quantum)) _times.Restart();
            _running = (rate, quantum);
            var awake = _times.Next(records, LeastQuanta).Where(t => t.Quanta > t.Slept && (uint)t.Module < (uint)modules.Count);
            foreach (var type in awake.GroupBy(t => t.Module))
            {
                for (var c = 0; c < Limits.MaxCoreClasses; c++)
                {
                    var each = type.Where(t => IsEnough(in t, c)).Select(t => t.On(c)).Select(t => t.Nanoseconds / (double)t.Quanta).Order().ToArray();
                    if (each.Length > 0) Follow((modules[type.Key].Id, rate, quantum, c), each);
                }
            }
        }
    }

    // Of a window that was spent on several classes, the few quanta on one of them are noise, as a short window is.
    private static bool IsEnough(in InstanceTime time, int coreClass)
    {
        var mixed = time.Class1.Quanta + time.Class2.Quanta != 0;
        return time.On(coreClass).Quanta >= (coreClass != 0 || mixed ? LeastOnClass : 1);
    }

    /// <summary>
    /// Takes the figure of a benchmark for a module that was never played at this rate and quantum; what was measured in a patch stays. False where it does.
    /// </summary>
    public bool Predict(string module, int rate, int quantum, double nanoseconds)
    {
        var key = (module, rate, quantum, 0);
        lock (_lock)
        {
            if (nanoseconds is not (> 0 and <= MostNanoseconds) || module.Length is 0 or > MaxIdLength || !Limits.IsQuantum(quantum)) return false;
            if (_costs.ContainsKey(key) ? !_benched.Contains(key) : _costs.Count >= MaxEntries) return false;
            _costs[key] = (float)nanoseconds;
            _ = _benched.Add(key);
            return _changed = true;
        }
    }

    private void Follow((string Module, int Rate, int Quantum, int Class) key, double[] each)
    {
        var median = (each[(each.Length - 1) / 2] + each[each.Length / 2]) / 2;
        if (median is not (> 0 and <= MostNanoseconds)) return;
        if (_benched.Remove(key)) _costs[key] = (float)median; // the first time in a patch
        else if (_costs.TryGetValue(key, out var before)) _costs[key] = (float)(before + (Speed * (median - before)));
        else if (_costs.Count < MaxEntries) _costs[key] = (float)median;
        _changed = true;
    }

    /// <summary>
    /// Cost of a module at a rate and quantum in ns on a fast core; 0: never measured. Where it was measured elsewhere only, the nearest quantum's
    /// value is scaled by frames, of several rates the nearest.
    /// </summary>
    public float Of(string module, int rate, int quantum)
    {
        lock (_lock) return Measured(module, rate, quantum, 0);
    }

    /// <summary>
    /// The same on a core of a class. Where it was never measured on that class, it is taken from the nearest one that it was measured on, by
    /// the ratio of their capacities.
    /// </summary>
    public float Of(string module, int rate, int quantum, int coreClass, IReadOnlyList<CoreClass> classes)
    {
        lock (_lock)
        {
            if ((uint)coreClass >= (uint)classes.Count) return coreClass == 0 ? Measured(module, rate, quantum, 0) : 0;
            for (var away = 0; away < classes.Count; away++)
            {
                foreach (var other in away == 0 ? [coreClass] : new[] { coreClass - away, coreClass + away })
                {
                    if ((uint)other >= (uint)classes.Count || Measured(module, rate, quantum, other) is not (> 0 and var cost)) continue;
                    return other == coreClass ? cost : cost * classes[other].Capacity / classes[coreClass].Capacity;
                }
            }

            return 0;
        }
    }

    /// <summary>Costs by module number on fast cores, as the compiler takes them.</summary>
    public float[] For(IReadOnlyList<ModuleDescriptor> modules, int rate, int quantum) => For(modules, rate, quantum, 0, []);

    /// <summary>The same on cores of a class.</summary>
    public float[] For(IReadOnlyList<ModuleDescriptor> modules, int rate, int quantum, int coreClass, IReadOnlyList<CoreClass> classes)
    {
        var costs = new float[modules.Count];
        for (var i = 0; i < costs.Length; i++) costs[i] = Of(modules[i].Id, rate, quantum, coreClass, classes);
        return costs;
    }

    private float Measured(string module, int rate, int quantum, int coreClass)
    {
        if (_costs.TryGetValue((module, rate, quantum, coreClass), out var cost)) return cost;
        var best = _costs.Where(c => c.Key.Module == module && c.Key.Class == coreClass)
            .OrderBy(c => Math.Abs(Math.Log2(c.Key.Quantum / (double)quantum))).ThenBy(c => Math.Abs(c.Key.Rate - rate))
            .ThenBy(c => c.Key.Quantum).ThenBy(c => c.Key.Rate).FirstOrDefault();
        return best.Key.Quantum == 0 ? 0 : best.Value * quantum / best.Key.Quantum;
    }

    private byte[] Write()
    {
        var list = _costs.OrderBy(c => c.Key.Module, StringComparer.Ordinal).ThenBy(c => c.Key.Rate).ThenBy(c => c.Key.Quantum).ThenBy(c => c.Key.Class)
            .Select(c => new CostEntry(c.Key.Module, c.Key.Rate, c.Key.Quantum, c.Value, c.Key.Class, _benched.Contains(c.Key))).ToArray();
        return JsonSerializer.SerializeToUtf8Bytes(new CostFile(Version, list, _machine), CostJson.Default.CostFile);
    }

    // All of it or nothing.
    private void Read(ReadOnlySpan<byte> json)
    {
        CostFile? file;
        try
        {
            file = JsonSerializer.Deserialize(json, CostJson.Default.CostFile);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException("not JSON of this kind", e);
        }

        if (file is not { Version: >= 1 and <= Version, Costs: { } entries }) throw new InvalidDataException($"version {file?.Version ?? 0}, expected {Version}");
        // Files of before say nothing of it: they are of the machine that they lie on, as far as anybody knows.
        if (file.Version == Version && file.Machine != _machine) throw new InvalidDataException($"they are of another machine ({file.Machine ?? "it says not of which"}), this is {_machine}");
        if (entries.Count > MaxEntries) throw new InvalidDataException($"{entries.Count} entries, at most {MaxEntries}");
        var read = new Dictionary<(string, int, int, int), float>();
        foreach (var e in entries)
        {
            if (e is not { Module.Length: > 0 and <= MaxIdLength, Rate: >= Limits.MinRate and <= Limits.MaxRate, Nanoseconds: > 0 and <= MostNanoseconds }
                || e.Class is < 0 or >= Limits.MaxCoreClasses || !Limits.IsQuantum(e.Quantum)
                || !read.TryAdd((e.Module, e.Rate, e.Quantum, e.Class), e.Nanoseconds))
                throw new InvalidDataException("an entry is out of range or stands twice");
        }

        foreach (var (key, value) in read) _costs.Add(key, value);
        foreach (var e in entries)
        {
            if (e!.Bench) _ = _benched.Add((e.Module!, e.Rate, e.Quantum, e.Class));
        }
    }
}

/// <summary>The file; the machine by its <see cref="BenchMachine.Key"/>.</summary>
internal sealed record CostFile(int Version, IReadOnlyList<CostEntry?>? Costs, string? Machine = null);

/// <summary>A cost in ns per quantum on a class of cores; class 0 where none is stated. A benchmark's holds until the module plays.</summary>
internal sealed record CostEntry(string? Module, int Rate, int Quantum, float Nanoseconds, int Class = 0, bool Bench = false);

/// <summary>Its JSON, made at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(CostFile))]
internal sealed partial class CostJson : JsonSerializerContext;
