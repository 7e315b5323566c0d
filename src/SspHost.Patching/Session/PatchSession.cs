// The one way into the patch: edits, undo, gestures, journal, engine.
using System.Collections.Immutable;
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>How far a change reaches.</summary>
public enum ChangeKind
{
    /// <summary>Names, notes, places: nothing to be heard.</summary>
    Cosmetic,

    /// <summary>Parameters moved, assets or states changed: the plan stays.</summary>
    Values,

    /// <summary>A new plan plays.</summary>
    Structure,
}

/// <summary>A change, as told to whoever shows the patch.</summary>
public sealed class PatchChange(Patch before, Patch after, ChangeKind kind, long sequence, ImmutableArray<string> warnings) : EventArgs
{
    public Patch Before { get; } = before;

    public Patch After { get; } = after;

    public ChangeKind Kind { get; } = kind;

    /// <summary>Number of the change (<see cref="PatchSession.Sequence"/>).</summary>
    public long Sequence { get; } = sequence;

    /// <summary>One line each: what is not as the patch says (a jack the device does not have).</summary>
    public ImmutableArray<string> Warnings { get; } = warnings;
}

/// <summary>What a session is made of.</summary>
public sealed record PatchSessionOptions
{
    public required DescriptorIndex Modules { get; init; }

    public required IPlanSink Sink { get; init; }

    /// <summary>Journal file, made where there is none; null: nothing is kept (render, tests).</summary>
    public string? JournalPath { get; init; }

    /// <summary>The patch to start with where the journal holds none; null: a new one.</summary>
    public Patch? Start { get; init; }

    /// <summary>Undo steps that a rewritten journal keeps, and so survive a restart at least. Within a session there is no limit.</summary>
    public int JournalDepth { get; init; } = 256;

    /// <summary>Bytes by which the journal grows before it is rewritten (or four times its size then, if that is more).</summary>
    public long JournalGrowth { get; init; } = 1 << 20;

    /// <summary>How long a disk that refused the journal is left alone before it is asked again.</summary>
    public TimeSpan JournalRetry { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>A patch being played and edited. Thread-safe; every call is one transaction under the session's lock.</summary>
public sealed class PatchSession : IDisposable
{
    private readonly Lock _lock = new();
    private readonly DescriptorIndex _modules;
    private readonly IPlanSink _sink;
    private readonly Changeover _changeover;
    private readonly History _history;
    private readonly Journal? _journal;
    private readonly List<(int Parameter, float Value)> _moves = [];

    // Moves that found the ring full: (module, parameter). Their values are looked up when they are sent.
    private readonly HashSet<(string Module, int Parameter)> _unsent = [];

    // Moves that were sent since a plan last said what the parameter is to be. A plan moves only what differs from the plan before, so that
    // it leaves alone what a hand is turning; it does not know that the patch itself has moved on meanwhile.
    private readonly Dictionary<(ulong Key, int Parameter), float> _sent = [];

    // States of instances that left, so that one that comes back by undo is what it was.
    private readonly Dictionary<(string Patch, string Module, string Type), (uint Version, StateBlob State)> _shelf = [];

    private Patch _current;
    private CompiledPlan? _plan;
    private (string Path, Patch Patch)? _saved;
    private long _sequence;
    private bool _adopting; // what is applied is played already
    private int _gestures;
    private bool _gestureOpen; // whether the present gesture has its step

    private PatchSession(PatchSessionOptions options)
    {
        _modules = options.Modules;
        _sink = options.Sink;
        _changeover = new Changeover(_modules, _sink);
        _history = new History();
        _current = options.Start ?? Patch.New();
        if (options.JournalPath is not { } path) return;
        (var patch, _history, Recovery) = Patching.Recovery.Recover(path);
        Recovered = patch is not null;
        _current = patch ?? _current;
        _journal = new Journal(path, _lock, () => _history.Snapshot(_current, options.JournalDepth), options.JournalGrowth, options.JournalRetry);
    }

    /// <summary>Told in order, under the session's lock: be quick, wait for nobody, do not throw.</summary>
    public event EventHandler<PatchChange>? Changed;

    /// <summary>The patch as it is now.</summary>
    public Patch Current => Volatile.Read(ref _current);

    /// <summary>The plan that plays; null before the first.</summary>
    public CompiledPlan? Plan => Volatile.Read(ref _plan);

    /// <summary>One line on what the journal held; null: nothing to tell.</summary>
    public string? Recovery { get; }

    /// <summary>Whether the journal held a patch, which <see cref="Current"/> then was at the start.</summary>
    public bool Recovered { get; }

    public bool CanUndo
    {
        get
        {
            lock (_lock) return _history.CanUndo;
        }
    }

    public bool CanRedo
    {
        get
        {
            lock (_lock) return _history.CanRedo;
        }
    }

    /// <summary>Number of the last change; the change is acknowledged once <see cref="DurableSequence"/> reaches it.</summary>
    public long Sequence => Interlocked.Read(ref _sequence);

    /// <summary>Number of the last change that is on disk; without a journal every change counts as such.</summary>
    public long DurableSequence => _journal?.Durable ?? Sequence;

    /// <summary>The file that was opened or saved last, and whether the patch is still as it is in there; null: none since the start.</summary>
    public (string Path, bool Unchanged)? Saved
    {
        get
        {
            lock (_lock) return _saved is { } s ? (s.Path, s.Patch.Equals(_current)) : null;
        }
    }

    /// <summary>One line while the journal cannot be written (disk full); null while all is well.</summary>
    public string? Trouble => _journal?.Trouble;

    /// <summary>
    /// Opens a session: recovers the journal's patch if there is one, else starts with an empty one. Never throws for what the
    /// journal holds; <see cref="Recovery"/> says what was found. Nothing is installed before <see cref="Reinstall"/>,
    /// <see cref="Open"/> or an edit.
    /// </summary>
    public static PatchSession Start(PatchSessionOptions options) => new(options);

    /// <summary>Applies edits as one: all or none; one undo step, or none where they change nothing. Null, or the one error that left everything as it was.</summary>
    public PatchError? Apply(params ReadOnlySpan<Edit> edits)
    {
        lock (_lock)
        {
            var before = _current;
            if (PatchEdits.ApplyAll(before, edits, _modules, out var wrong) is not { } after) return wrong;
            var replaced = false;
            foreach (var e in edits) replaced |= e is ReplacePatch;

            if (!replaced && after.Equals(before)) return null; // nothing to undo, nothing to write
            if (Move(before, after, replaced, out var kind, out var warnings) is { } error) return error;
            if (_gestures > 0 && _gestureOpen && _history.Grow(edits, after))
            {
                Commit(before, after, JournalRecord.More(edits.ToArray()), kind, warnings);
            }
            else
            {
                _history.Add(edits, before, after);
                if (_gestures == 0) _history.Close();
                _gestureOpen = _gestures > 0;
                Commit(before, after, JournalRecord.Do(edits.ToArray()), kind, warnings);
            }

            return null;
        }
    }

    /// <summary>
    /// Takes values into the patch that the engine has got by another way, from a MIDI controller: an undo step like any other, but nothing is sent,
    /// for by now the hand may have moved on.
    /// </summary>
    public PatchError? Adopt(params ReadOnlySpan<Edit> edits)
    {
        lock (_lock)
        {
            _adopting = true;
            try
            {
                return Apply(edits);
            }
            finally
            {
                _adopting = false;
            }
        }
    }

    /// <summary>Takes the last step back. An open gesture ends its step there.</summary>
    public PatchError? Undo()
    {
        lock (_lock)
        {
            if (!_history.CanUndo) return new PatchError { What = "there is nothing to undo" };
            var (before, after) = (_current, _history.PeekUndo(_current));
            if (Move(before, after, replaced: false, out var kind, out var warnings) is { } error) return error;
            _gestureOpen = false;
            var beyond = !_history.Undone();
            Commit(before, after, JournalRecord.Undo, kind, warnings, beyond);
            return null;
        }
    }

    /// <summary>Does the step again that was undone last.</summary>
    public PatchError? Redo()
    {
        lock (_lock)
        {
            if (!_history.CanRedo) return new PatchError { What = "there is nothing to redo" };
            var (before, after) = (_current, _history.PeekRedo(_current));
            if (Move(before, after, replaced: false, out var kind, out var warnings) is { } error) return error;
            _gestureOpen = false;
            var beyond = !_history.Redone();
            Commit(before, after, JournalRecord.Redo, kind, warnings, beyond);
            return null;
        }
    }

    /// <summary>
    /// What is applied until the matching <see cref="EndGesture"/> is one undo step, whoever applies it. Nests. Every edit of it is
    /// acknowledged like any other: a gesture that never ends loses nothing.
    /// </summary>
    public void BeginGesture()
    {
        lock (_lock)
        {
            if (_gestures++ == 0) _gestureOpen = false;
        }
    }

    /// <inheritdoc cref="BeginGesture"/>
    public void EndGesture()
    {
        lock (_lock)
        {
            if (_gestures == 0 || --_gestures > 0) return;
            _gestureOpen = false;
            _history.Close();
        }
    }

    /// <summary>Loads a file and puts it in place of the patch, as an edit that can be undone. The error, if any, leaves what plays alone.</summary>
    public PatchError? Open(string path, out ImmutableArray<string> warnings)
    {
        var load = PatchJson.TryLoad(path, _modules);
        warnings = load.Warnings;
        if (load.Patch is null) return load.Error;
        lock (_lock)
        {
            // Set before: whoever is told of the change looks.
            var before = _saved;
            _saved = (path, load.Patch);
            if (Apply(new ReplacePatch(load.Patch)) is not { } error) return null;
            _saved = before;
            return error with { File = path };
        }
    }

    /// <summary>Saves the patch with the modules' present states. The file is the old one or the new one, whatever happens.</summary>
    public PatchError? Save(string path)
    {
        Patch patch, present;
        lock (_lock)
        {
            patch = present = _current;
            ImmutableArray<Module>.Builder? modules = null;
            for (var i = 0; i < patch.Modules.Length && _plan is not null; i++)
            {
                if (StateOf(_plan.Instances[i]) is not { } live) continue;
                modules ??= patch.Modules.ToBuilder();
                modules[i] = patch.Modules[i] with { Version = live.Version, State = live.State };
            }

            if (modules is not null) patch = patch with { Modules = modules.MoveToImmutable() };
        }

        try
        {
            PatchJson.Save(patch, path);
            lock (_lock) _saved = (path, present);
            return null;
        }
        catch (PatchException e)
        {
            return e.Error;
        }
    }

    /// <summary>The preset that a module is at this moment, with the state of its running instance; null: there is no such module.</summary>
    public ModulePreset? PresetOf(string module)
    {
        lock (_lock)
        {
            var at = _current.IndexOf(module);
            if (at < 0) return null;
            return ModulePreset.Of(_current.Modules[at], _modules, _plan is null ? null : StateOf(_plan.Instances[at]));
        }
    }

    /// <summary>
    /// Compiles and installs the current patch again: at start, after a change of device, and, with <paramref name="newEngine"/>, on an
    /// engine that knows nothing yet.
    /// </summary>
    public PatchError? Reinstall(bool newEngine)
    {
        lock (_lock)
        {
            if (newEngine)
            {
                _changeover.Forget();
                _sent.Clear();
                _plan = null;
            }

            return Install(_current, _current, replaced: false, out _);
        }
    }

    /// <summary>
    /// Types of modules are replaced: <paramref name="update"/> changes the index, and the instances of what it changes are made anew, with the
    /// states and values of those that play, which they fade into. Nothing of the patch changes.
    /// </summary>
    public PatchError? Renew(Action update)
    {
        lock (_lock)
        {
            if (_plan is null)
            {
                update();
                return null;
            }

            Resend();
            var before = _modules.Descriptors;
            var error = Install(_current, _current, replaced: false, out _, update);
            if (error is not null) _modules.Update(before); // what plays is of the types there were
            return error;
        }
    }

    /// <summary>
    /// Sends again what found the event ring full, and takes the next step of a change whose ramps have arrived. To be called some twenty times
    /// a second. One line where such a step fails (what left is still in memory), once; else null.
    /// </summary>
    public string? Pump()
    {
        lock (_lock)
        {
            Resend();
            var trouble = _changeover.Pump(_current);
            Show(_current);
            return trouble;
        }
    }

    /// <summary>Whether the engine plays the patch and nothing else: nothing comes or goes any more.</summary>
    public bool IsSettled
    {
        get
        {
            lock (_lock) return _changeover.IsDone;
        }
    }

    /// <summary>Waits until everything applied so far is on disk. False when the time is over; <see cref="Trouble"/> may say why.</summary>
    public bool WaitDurable(TimeSpan timeout) => _journal?.Wait(Sequence, timeout) ?? true;

    /// <summary>Writes what is pending and lets go.</summary>
    public void Dispose() => _journal?.Dispose();

    // Brings the engine from one patch to the next. On an error it plays what it played. A patch that replaces another, be it the same
    // file read again, brings its states with it, whatever the modules have come to since.
    private PatchError? Move(Patch before, Patch after, bool replaced, out ChangeKind kind, out ImmutableArray<string> warnings)
    {
        Resend();
        warnings = [];
        kind = _plan is null || replaced ? ChangeKind.Structure : Transition.Classify(before, after);
        return kind switch
        {
            ChangeKind.Structure => Install(before, after, replaced, out warnings),
            ChangeKind.Values => MoveValues(before, after),
            _ => null,
        };
    }

    private PatchError? Install(Patch before, Patch after, bool replaced, out ImmutableArray<string> warnings, Action? renew = null)
    {
        warnings = [];
        Forget(before, after, replaced);
        renew?.Invoke();
        if (PatchCheck.Structure(after) is { } bad) return bad;
        if (PatchCheck.Types(after, _modules) is { } unknown) return unknown;
        var target = _changeover.Wire(after);
        var leaving = Leaving(before, target);
        if (renew is not null) Shelve(leaving); // for those that come in their place
        Dress(after, target);
        var living = new HashSet<ulong>(target.Modules.Select(m => m.Key).Where(_changeover.Plays));
        var error = _changeover.Go(target, ringOut: before.Id != after.Id, out warnings);
        if (error is not null)
        {
            Show(before); // what played may have been put back anew
            return error;
        }

        Volatile.Write(ref _plan, _changeover.Plan);
        Shelve(leaving);
        _unsent.Clear(); // the plan carries every value
        MoveBack(after, _plan!, living);
        warnings = warnings.AddRange(LoadChangedStates(before, after, replaced, _plan!, living));
        return null;
    }

    // The plan's instances are the patch's modules one by one, or there is none: where not even what played could be put back.
    private void Show(Patch patch)
    {
        var plan = _changeover.Plan;
        if (ReferenceEquals(plan, _plan)) return;
        var same = plan is not null && plan.Instances.Length == patch.Modules.Length;
        for (var i = 0; same && i < patch.Modules.Length; i++) same = plan!.Instances[i].Module == patch.Modules[i].Id;
        Volatile.Write(ref _plan, same ? plan : null);
    }

    // What was moved by itself and is now to be something else, be it what the last plan said.
    private void MoveBack(Patch after, CompiledPlan plan, HashSet<ulong> living)
    {
        if (_sent.Count == 0) return;
        for (var i = 0; i < after.Modules.Length; i++)
        {
            var instance = plan.Instances[i];
            var parameters = _modules.Types[instance.Type].Descriptor.Parameters;
            for (var p = 0; p < parameters.Count; p++)
            {
                if (!_sent.Remove((instance.Key, p), out var sent) || !living.Contains(instance.Key)) continue;
                var wanted = Transition.Value(after.Modules[i], parameters[p]);
                if (wanted != sent && !_sink.Send(Transition.Event(instance, p, wanted))) _unsent.Add((after.Modules[i].Id, p));
            }
        }

        foreach (var (key, parameter) in _sent.Keys.ToArray())
        {
            if (!_changeover.Plays(key)) _ = _sent.Remove((key, parameter));
        }
    }

    private bool Send(in PlanInstance instance, int parameter, float value)
    {
        if (!_sink.Send(Transition.Event(instance, parameter, value))) return false;
        _sent[(instance.Key, parameter)] = value;
        return true;
    }

    private PatchError? MoveValues(Patch before, Patch after)
    {
        // Assets and states first: they may be refused, moves are not.
        for (var i = 0; i < after.Modules.Length; i++)
        {
            var (a, b) = (before.Modules[i], after.Modules[i]);
            if (ReferenceEquals(a, b)) continue;
            if (a.Assets != b.Assets && MoveAssets(b, a, i) is { } refused)
            {
                _ = MoveAssets(a, b, i);
                return new PatchError { What = refused };
            }

            if (a.State == b.State) continue;
            _shelf.Remove((after.Id, b.Id, b.Type));
            if (_sink.LoadState(_plan!.Instances[i], b.Version, b.State.Bytes) is { } meaningless) return new PatchError { What = meaningless };
        }

        for (var i = 0; i < after.Modules.Length; i++)
        {
            var (a, b) = (before.Modules[i], after.Modules[i]);
            if (ReferenceEquals(a, b)) continue;
            Transition.Moves(a, b, _modules.Types[_plan!.Instances[i].Type], _moves);
            foreach (var (parameter, value) in _moves)
            {
                if (_adopting) _sent[(_plan.Instances[i].Key, parameter)] = value;
                if (_adopting || Send(_plan.Instances[i], parameter, value)) _unsent.Remove((b.Id, parameter));
                else _unsent.Add((b.Id, parameter));
            }
        }

        return null;
    }

    private string? MoveAssets(Module to, Module from, int index)
    {
        var instance = _plan!.Instances[index];
        var slots = _modules.Types[instance.Type].Descriptor.Assets;
        for (var s = 0; s < slots.Count; s++)
        {
            var path = to.Assets.TryGet(slots[s].Id, out var now) ? now : null;
            var old = from.Assets.TryGet(slots[s].Id, out var was) ? was : null;
            if (path == old) continue;
            if (_sink.SetAsset(new PlanAsset(to.Id, instance.Slot, instance.Key, s, path)) is { } refused) return refused;
        }

        return null;
    }

    private void Resend()
    {
        if (_unsent.Count == 0 || _plan is null) return;
        foreach (var move in _unsent.ToArray())
        {
            var i = _current.IndexOf(move.Module);
            if (i >= 0)
            {
                var instance = _plan.Instances[i];
                var value = Transition.Value(_current.Modules[i], _modules.Types[instance.Type].Descriptor.Parameters[move.Parameter]);
                if (!Send(instance, move.Parameter, value)) return;
            }

            _unsent.Remove(move);
        }
    }

    // A state that the edit itself brings is newer than what the shelf holds.
    private void Forget(Patch before, Patch after, bool replaced)
    {
        if (_shelf.Count == 0) return;
        foreach (var m in after.Modules)
        {
            if (replaced || (before.Id == after.Id && before.Find(m.Id) is { } was && was.State != m.State)) _shelf.Remove((after.Id, m.Id, m.Type));
        }
    }

    // A module that comes back gets the state it left with.
    private void Dress(Patch patch, Wiring target)
    {
        for (var i = 0; i < target.Own && _shelf.Count > 0; i++)
        {
            var m = target.Modules[i];
            if (_changeover.Plays(m.Key) || !_shelf.TryGetValue((patch.Id, m.Module.Id, m.Module.Type), out var kept)) continue;
            target.Modules[i] = m with { Module = m.Module with { Version = kept.Version, State = kept.State } };
        }
    }

    private void Shelve(List<((string, string, string), (uint, StateBlob))> leaving)
    {
        foreach (var (key, value) in leaving) _shelf[key] = value;
    }

    private List<((string, string, string), (uint, StateBlob))> Leaving(Patch before, Wiring next)
    {
        var leaving = new List<((string, string, string), (uint, StateBlob))>();
        if (_plan is null) return leaving;
        var staying = next.Modules.Select(m => m.Key).ToHashSet();
        for (var i = 0; i < _plan.Instances.Length && i < before.Modules.Length; i++)
        {
            if (staying.Contains(_plan.Instances[i].Key)) continue;
            if (StateOf(_plan.Instances[i]) is { } live) leaving.Add(((before.Id, before.Modules[i].Id, before.Modules[i].Type), live));
        }

        return leaving;
    }

    private (uint Version, StateBlob State)? StateOf(in PlanInstance instance)
    {
        if (_modules.Types[instance.Type].Descriptor.StateBytes == 0) return null;
        var bytes = _sink.SaveState(instance, out var version);
        return bytes is null || bytes.Length == 0 ? null : (version, new StateBlob([.. bytes]));
    }

    // An instance that lives on keeps its state over a new plan; where the edit changed the saved one, it must be told.
    private ImmutableArray<string> LoadChangedStates(Patch before, Patch after, bool replaced, CompiledPlan plan, HashSet<ulong> living)
    {
        var warnings = ImmutableArray<string>.Empty;
        for (var i = 0; i < after.Modules.Length; i++)
        {
            var m = after.Modules[i];
            if (m.State.IsEmpty || !living.Contains(plan.Instances[i].Key) || before.Find(m.Id) is not { } was || (was.State == m.State && !replaced)) continue;
            if (_sink.LoadState(plan.Instances[i], m.Version, m.State.Bytes) is { } refused) warnings = warnings.Add(refused);
        }

        return warnings;
    }

    private void Commit(Patch before, Patch after, JournalRecord record, ChangeKind kind, ImmutableArray<string> warnings, bool beyond = false)
    {
        Volatile.Write(ref _current, after);
        var sequence = Interlocked.Increment(ref _sequence);
        _journal?.Append(record, sequence, beyond);
        Changed?.Invoke(this, new PatchChange(before, after, kind, sequence, warnings));
    }
}
