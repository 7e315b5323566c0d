// From what plays to what is to play, without a click: a union, then the plan as it is, and what to do where both do not fit.
using System.Collections.Immutable;
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>
/// Knows what the engine plays, and takes it to a new patch in steps. Each step is a plan whose gains the engine ramps; the next one waits
/// until they have arrived. An edit that comes meanwhile starts from what plays at that moment. Not thread-safe: it belongs to a session.
/// </summary>
internal sealed class Changeover(DescriptorIndex modules, IPlanSink sink)
{
    /// <summary>Longest a module may ring out, in seconds.</summary>
    public const int MaxTailSeconds = 20;

    private const int CutMs = 20, SettleMs = 1000, Tries = 5;
    private const long PlanBytes = 1 << 20; // what a plan takes beside modules and buffers, at the least generous

    private readonly SlotMap _slots = new();
    private readonly Dictionary<ulong, Tail> _tails = [];
    private Wiring? _playing;
    private ulong _serial;
    private string? _trouble;

    // A module that rings out: until which frame at most, and how often it had been found asleep when its inputs had faded.
    private sealed class Tail
    {
        public int Slot;
        public ulong Until;
        public ulong? Slept;
        public bool Over;
    }

    /// <summary>The plan that plays; null before the first.</summary>
    public CompiledPlan? Plan { get; private set; }

    /// <summary>Whether the engine plays the patch and nothing else.</summary>
    public bool IsDone => _playing is null || (_playing.Plain && !_playing.Waits);

    /// <summary>Whether an instance plays, be it on its way out.</summary>
    public bool Plays(ulong key) => _playing is not null && Array.Exists(_playing.Modules, m => m.Key == key);

    /// <summary>The engine is new: nothing plays.</summary>
    public void Forget()
    {
        _slots.Clear();
        _playing = null;
        _tails.Clear();
        Plan = null;
    }

    /// <summary>A patch as it would play: checked, its loops in order.</summary>
    public Wiring Wire(Patch patch) => Wiring.Of(Loops.Normalise(patch, null), modules, Options());

    /// <summary>
    /// Goes to a new wiring, as far as that can be done at once; <see cref="Pump"/> does the rest. On an error what played plays on.
    /// </summary>
    /// <param name="target">What is to play.</param>
    /// <param name="ringOut">Whether modules that leave play out their tails.</param>
    /// <param name="warnings">One line each: what is not as the patch says, and tails that were cut.</param>
    public PatchError? Go(Wiring target, bool ringOut, out ImmutableArray<string> warnings)
    {
        Observe();
        warnings = target.Warnings;
        var state = sink.State;
        var before = _playing;
        if (before is null || !state.Running) return Install(target, state)?.Error;
        if (sink.QuantumFor(before.Quantum) != sink.QuantumFor(target.Quantum))
        {
            if (Install(target, state) is not { } failed) return null;
            PutBack(before); // audio has been stopped for it, and what played may be gone
            return failed.Error;
        }

        NoteTails(state);
        var next = Union.Compose(before, IsSettled(state), target, ringOut, IsOver);
        if (Install(next, state) is not { } refusal) return null;
        if (!refusal.DoesNotFit || next.Own == next.Modules.Length) return refusal.Error;
        if (refusal.Missing > Leaving(next) + PlanBytes + (2 * BufferBytes(before))) return refusal.Error; // not even alone: what plays is left alone
        if (Squeeze(before, target) is { } error) return error;
        warnings = warnings.Add($"the patches do not fit into memory together: what was ringing out was cut in {CutMs} ms");
        return null;
    }

    /// <summary>Takes the next step where the last one's ramps have arrived; to be called now and then. One line where that fails, once.</summary>
    public string? Pump(Patch patch)
    {
        if (IsDone) return null;
        var state = sink.State;
        if (!IsSettled(state)) return null;
        Observe();
        NoteTails(state);
        var target = Wire(patch);
        var next = state.Running ? Union.Compose(_playing!, settled: true, target, ringOut: false, IsOver) : target;
        if (IsSame(next, _playing!)) return null;
        var trouble = Install(next, state)?.Error.ToString();
        if (trouble == _trouble) return null;
        _trouble = trouble;
        return trouble;
    }

    private CompileOptions Options() => new() { Inputs = sink.Inputs, Outputs = sink.Outputs, Costs = sink.Costs, SlowCosts = sink.SlowCosts, Serial = _serial };

    private void Observe()
    {
        if (sink.Instances is { IsEmpty: false } table) _slots.Observe(table);
        else _slots.FreeLeaving();
    }

    private bool IsSettled(PlayState state) => !state.Running || (state.Serial == Plan?.Serial && state.Settled);

    // Bytes of the buffers that go with what plays; the union has as much for it again.
    private unsafe long BufferBytes(Wiring playing)
    {
        fixed (byte* description = Plan!.Description.AsSpan())
            return ((PlanHeader*)description)->BufferSlots * (long)sink.QuantumFor(playing.Quantum) * sizeof(float) * Limits.BufferAreas;
    }

    // Bytes that go with the modules that leave.
    private long Leaving(Wiring next)
    {
        var keys = next.Modules.Skip(next.Own).Select(m => m.Key).ToHashSet();
        long bytes = 0;
        foreach (ref readonly var record in sink.Instances) bytes += record.State != InstanceState.Free && keys.Contains(record.Key) ? record.Bytes : 0;
        return bytes;
    }

    private (PatchError Error, bool DoesNotFit, long Missing)? Install(Wiring wiring, PlayState state)
    {
        _serial++;
        var plan = PlanCompiler.Compile(wiring, _slots, Options(), out var error);
        if (plan is null) return (error!, true, 0); // the only thing that can be wrong with a checked wiring is too few slots
        if (sink.Install(plan) is { } refused) return (new PatchError { What = refused.What }, refused.DoesNotFit, refused.Missing);
        _slots.Installed(plan);
        _playing = wiring;
        Plan = plan;
        for (var i = wiring.Own; i < wiring.Modules.Length; i++)
        {
            if (wiring.Tails[i]) _ = _tails.TryAdd(wiring.Modules[i].Key, NewTail(plan.Leaving[i - wiring.Own].Slot, state));
        }

        foreach (var key in _tails.Keys.ToArray())
        {
            if (!Rings(wiring, key)) _tails.Remove(key);
        }

        return null;
    }

    private static bool Rings(Wiring wiring, ulong key)
    {
        for (var i = wiring.Own; i < wiring.Modules.Length; i++)
        {
            if (wiring.Modules[i].Key == key && wiring.Tails[i]) return true;
        }

        return false;
    }

    private Tail NewTail(int slot, PlayState state)
    {
        var table = sink.Instances;
        var declared = slot < table.Length ? table[slot].TailFrames : -1;
        var most = (long)state.Rate * MaxTailSeconds;
        return new Tail { Slot = slot, Until = state.Frames + (ulong)(declared < 0 ? most : Math.Min(most, declared + (state.Rate / 10))) };
    }

    // A tail is over when its module sleeps with its inputs faded, or when its time is up.
    private void NoteTails(PlayState state)
    {
        if (_tails.Count == 0) return;
        var table = sink.Instances;
        foreach (var tail in _tails.Values)
        {
            if (!state.Running || state.Frames >= tail.Until) tail.Over = true;
            if (tail.Slot >= table.Length || !IsSettled(state)) continue;
            tail.Slept ??= table[tail.Slot].Slept;
            tail.Over |= table[tail.Slot].Slept > tail.Slept;
        }
    }

    private bool IsOver(ulong key) => !_tails.TryGetValue(key, out var tail) || tail.Over;

    private static bool IsSame(Wiring a, Wiring b) =>
        a.Plain == b.Plain && a.Waits == b.Waits && a.Rings.AsSpan().SequenceEqual(b.Rings) && a.Tails.AsSpan().SequenceEqual(b.Tails)
        && a.Modules.Length == b.Modules.Length && a.Cables.Length == b.Cables.Length && a.Lines.Length == b.Lines.Length
        && !Array.Exists(b.Cables, c => c.Ramps) && a.Modules.Zip(b.Modules).All(p => p.First.Key == p.Second.Key)
        && a.Cables.Zip(b.Cables).All(p => p.First.Id == p.Second.Id && p.First.Gain == p.Second.Gain)
        && a.Lines.Zip(b.Lines).All(p => p.First.Id == p.Second.Id && p.First.Gain == p.Second.Gain);

    // Old and new do not fit together: first everything that leaves goes, then comes what comes.
    private PatchError? Squeeze(Wiring before, Wiring target)
    {
        var shared = Shared(before, target);
        if (Step(shared) is { } error || (error = Step(shared)) is not null) return error;
        for (var attempt = 1; ; attempt++)
        {
            error = Step(target);
            if (error is null) return null;
            if (attempt == Tries) break;
            Thread.Sleep(CutMs / 4); // the engine frees what left after its next quantum
        }

        PutBack(before); // not even alone
        return error;
    }

    // Back to what played. Its modules are made anew, from the states they had where they were saved; and as they were wired, so that the patch,
    // whose parameters have moved since, is still to come. Where even that fails, it is tried on.
    private void PutBack(Wiring before)
    {
        _ = Step(Plainly(before));
        _playing!.Waits = true;
    }

    // The next plan on the way to a target, with every tail cut.
    private PatchError? Step(Wiring target)
    {
        var deadline = Environment.TickCount64 + SettleMs;
        var state = sink.State;
        while (!IsSettled(state) && Environment.TickCount64 < deadline)
        {
            Thread.Sleep(1);
            state = sink.State;
        }

        Observe();
        return Install(Union.Compose(_playing!, IsSettled(state), target, ringOut: false, _ => true), state)?.Error;
    }

    // The target without what is not there yet.
    private static Wiring Shared(Wiring playing, Wiring target)
    {
        var keys = playing.Modules.Take(playing.Own).Select(m => m.Key).ToHashSet();
        var ids = playing.Cables.Select(c => c.Id).Concat(playing.Lines.Select(l => l.Id)).ToHashSet();
        var place = new int[target.Modules.Length];
        var kept = 0;
        for (var i = 0; i < place.Length; i++) place[i] = keys.Contains(target.Modules[i].Key) ? kept++ : -1;
        return new Wiring
        {
            Own = kept,
            Quantum = target.Quantum,
            Modules = [.. target.Modules.Where(m => keys.Contains(m.Key))],
            Rings = new bool[kept],
            Tails = new bool[kept],
            Cables = [.. target.Cables.Where(c => ids.Contains(c.Id)).Select(c => c with { From = place[c.From], To = place[c.To] })],
            Lines = [.. target.Lines.Where(l => ids.Contains(l.Id)).Select(l => l with { Module = place[l.Module] })],
        };
    }

    // What played, without what was leaving it.
    private static Wiring Plainly(Wiring playing) => new()
    {
        Own = playing.Own,
        Quantum = playing.Quantum,
        Warnings = playing.Warnings,
        Modules = [.. playing.Modules.Take(playing.Own)],
        Rings = new bool[playing.Own],
        Tails = new bool[playing.Own],
        Cables = [.. playing.Cables.Where(c => c.From < playing.Own && c.To < playing.Own && c.Gain != 0).Select(c => c with { Start = c.Gain, Ramps = false })],
        Lines = [.. playing.Lines.Where(l => l.Module < playing.Own && l.Gain != 0).Select(l => l with { Start = l.Gain })],
    };
}
