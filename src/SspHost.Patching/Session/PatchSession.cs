// The one way into the patch: edits, undo, gestures, journal, engine.
using System.Collections.Immutable;

namespace SspHost.Patching;

/// <summary>What kind of difference a change made.</summary>
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
public sealed class PatchChange(Patch before, Patch after, ChangeKind kind, long sequence) : EventArgs
{
    public Patch Before { get; } = before;

    public Patch After { get; } = after;

    public ChangeKind Kind { get; } = kind;

    /// <summary>Number of the change (<see cref="PatchSession.Sequence"/>).</summary>
    public long Sequence { get; } = sequence;
}

/// <summary>What a session is made of.</summary>
public sealed record PatchSessionOptions
{
    public required DescriptorIndex Modules { get; init; }

    public required IPlanSink Sink { get; init; }

    /// <summary>Journal file, made where there is none; null: nothing is kept (render, tests).</summary>
    public string? JournalPath { get; init; }
}

/// <summary>A patch being played and edited. Thread-safe.</summary>
public sealed class PatchSession : IDisposable
{
    /// <summary>
    /// Opens a session: recovers the journal's patch if there is one, else starts with an empty patch. Never throws for what the
    /// journal holds; <see cref="Recovery"/> says what was found. Nothing is installed before <see cref="Reinstall"/>, <see cref="Open"/> or an edit.
    /// </summary>
    public static PatchSession Start(PatchSessionOptions options) => throw new NotSupportedException();

    /// <summary>The patch as it is now.</summary>
    public Patch Current => throw new NotSupportedException();

    /// <summary>The plan that plays; null before the first.</summary>
    public CompiledPlan? Plan => throw new NotSupportedException();

    /// <summary>One line on what the journal held; null: nothing to tell.</summary>
    public string? Recovery => throw new NotSupportedException();

    /// <summary>Whether the journal held a patch that <see cref="Current"/> now is.</summary>
    public bool Recovered => throw new NotSupportedException();

    public bool CanUndo => throw new NotSupportedException();

    public bool CanRedo => throw new NotSupportedException();

    /// <summary>Number of the last change, and of the last one that is on disk (acknowledged).</summary>
    public long Sequence => throw new NotSupportedException();

    /// <inheritdoc cref="Sequence"/>
    public long DurableSequence => throw new NotSupportedException();

    /// <summary>One line while the journal cannot be written (disk full); null while all is well.</summary>
    public string? Trouble => throw new NotSupportedException();

    /// <summary>Told in order, under the session's lock: be quick, wait for nobody, do not throw.</summary>
    public event EventHandler<PatchChange>? Changed;

    /// <summary>Applies edits as one: all or none; one undo step. Null, or the one error that left everything as it was.</summary>
    public PatchError? Apply(params ReadOnlySpan<Edit> edits) => throw new NotSupportedException();

    public PatchError? Undo() => throw new NotSupportedException();

    public PatchError? Redo() => throw new NotSupportedException();

    /// <summary>What is applied until the matching <see cref="EndGesture"/> is one undo step. Nests.</summary>
    public void BeginGesture() => throw new NotSupportedException();

    /// <inheritdoc cref="BeginGesture"/>
    public void EndGesture() => throw new NotSupportedException();

    /// <summary>Loads a file and puts it in place of the patch, as an edit that can be undone.</summary>
    public PatchError? Open(string path) => throw new NotSupportedException();

    /// <summary>Saves the patch with the modules' present states.</summary>
    public PatchError? Save(string path) => throw new NotSupportedException();

    /// <summary>Compiles and installs the current patch again: at start, after an engine's restart, after a change of device.</summary>
    public PatchError? Reinstall(bool newEngine) => throw new NotSupportedException();

    /// <summary>Waits until everything applied so far is on disk. False when the time is over or the disk refuses.</summary>
    public bool WaitDurable(TimeSpan timeout) => throw new NotSupportedException();

    /// <summary>Flushes the journal and lets go.</summary>
    public void Dispose() => Changed?.Invoke(this, new PatchChange(Patch.Empty, Patch.Empty, ChangeKind.Cosmetic, 0));
}
