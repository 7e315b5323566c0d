// Undo without limit: steps back and forth, gestures merged into one.
namespace SspHost.Patching;

/// <summary>One undo step: the edits that were asked for, and what they changed.</summary>
internal sealed class Step(Edit[] edits, PatchDelta delta)
{
    public Edit[] Edits { get; } = edits;

    public PatchDelta Delta { get; } = delta;
}

/// <summary>The steps of a session. Not thread-safe: it belongs to a session.</summary>
internal sealed class History
{
    private readonly List<Step> _done = [];
    private readonly List<Step> _undone = [];

    // Steps back and forth that a replay of the journal can make: what it was last rewritten with, and what came since.
    private int _journalBack, _journalForth;

    // The last step, while it may still grow. It is only made when it is done: a knob that turns a thousand times costs no thousand steps.
    private Growing? _growing;

    public bool CanUndo => _done.Count > 0 || _growing is not null;

    public bool CanRedo => _undone.Count > 0;

    /// <summary>A new step from one patch to the next, which may grow. What was undone is gone.</summary>
    public void Add(ReadOnlySpan<Edit> edits, Patch before, Patch after)
    {
        Close();
        _undone.Clear();
        _journalForth = 0;
        _journalBack++;
        _growing = new Growing(before, new MergedEdits(edits)) { After = after };
    }

    /// <summary>More of the last step; false where there is none that may grow.</summary>
    public bool Grow(ReadOnlySpan<Edit> edits, Patch after)
    {
        if (_growing is null) return false;
        _growing.Edits.Add(edits);
        _growing.After = after;
        return true;
    }

    /// <summary>The last step grows no more.</summary>
    public void Close()
    {
        if (_growing is not { } g) return;
        _done.Add(new Step(g.Edits.ToArray(), PatchDelta.Between(g.Before, g.After)));
        _growing = null;
    }

    /// <summary>The patch before the last step.</summary>
    public Patch PeekUndo(Patch current) => _growing?.Before ?? _done[^1].Delta.Undo(current);

    /// <summary>The patch after the step that was undone last.</summary>
    public Patch PeekRedo(Patch current) => _undone[^1].Delta.Redo(current);

    /// <summary>The last step is undone. False where the journal does not reach back so far.</summary>
    public bool Undone()
    {
        Close();
        var reached = --_journalBack >= 0;
        _journalForth++;
        _undone.Add(_done[^1]);
        _done.RemoveAt(_done.Count - 1);
        return reached;
    }

    /// <summary>The step undone last is done again. False where the journal does not know it.</summary>
    public bool Redone()
    {
        Close();
        var reached = --_journalForth >= 0;
        _journalBack++;
        _done.Add(_undone[^1]);
        _undone.RemoveAt(_undone.Count - 1);
        return reached;
    }

    /// <summary>
    /// A journal that leads to the present: a patch at most <paramref name="depth"/> steps ago, those steps, and what was undone.
    /// </summary>
    public List<JournalRecord> Snapshot(Patch current, int depth)
    {
        var steps = new List<Step>(depth);
        var past = current;
        if (_growing is { } g && depth > 0)
        {
            past = g.Before;
            steps.Add(new Step(g.Edits.ToArray(), PatchDelta.Between(g.Before, g.After)));
        }

        for (var i = _done.Count - 1; i >= 0 && steps.Count < depth; i--)
        {
            past = _done[i].Delta.Undo(past);
            steps.Add(_done[i]);
        }

        var records = new List<JournalRecord> { JournalRecord.Base(past) };
        for (var i = steps.Count - 1; i >= 0; i--) records.Add(JournalRecord.Do(steps[i].Edits));
        var again = Math.Max(0, _undone.Count - depth);
        (_journalBack, _journalForth) = (steps.Count, _undone.Count - again);
        for (var i = _undone.Count - 1; i >= again; i--) records.Add(JournalRecord.Do(_undone[i].Edits));
        for (var i = _undone.Count - 1; i >= again; i--) records.Add(JournalRecord.Undo);
        return records;
    }

    private sealed class Growing(Patch before, MergedEdits edits)
    {
        public Patch Before { get; } = before;

        public MergedEdits Edits { get; } = edits;

        public required Patch After { get; set; }
    }
}
