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

    private Patch? _gestureBase; // the patch before the last step, while that step may still grow

    public bool CanUndo => _done.Count > 0;

    public bool CanRedo => _undone.Count > 0;

    /// <summary>A new step from one patch to the next. What was undone is gone.</summary>
    public void Add(ReadOnlySpan<Edit> edits, Patch before, Patch after)
    {
        _undone.Clear();
        _journalForth = 0;
        _journalBack++;
        _done.Add(new Step(edits.ToArray(), PatchDelta.Between(before, after)));
        _gestureBase = before;
    }

    /// <summary>More of the last step; false where there is none that may grow.</summary>
    public bool Grow(ReadOnlySpan<Edit> edits, Patch after)
    {
        if (_gestureBase is null || _done.Count == 0) return false;
        _done[^1] = new Step(EditMerge.Merge(_done[^1].Edits, edits), PatchDelta.Between(_gestureBase, after));
        return true;
    }

    /// <summary>The last step grows no more.</summary>
    public void Close() => _gestureBase = null;

    /// <summary>The patch before the last step.</summary>
    public Patch PeekUndo(Patch current) => _done[^1].Delta.Undo(current);

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
        var first = Math.Max(0, _done.Count - depth);
        var past = current;
        for (var i = _done.Count - 1; i >= first; i--) past = _done[i].Delta.Undo(past);
        var records = new List<JournalRecord> { JournalRecord.Base(past) };
        for (var i = first; i < _done.Count; i++) records.Add(JournalRecord.Do(_done[i].Edits));
        var again = Math.Max(0, _undone.Count - depth);
        (_journalBack, _journalForth) = (_done.Count - first, _undone.Count - again);
        for (var i = _undone.Count - 1; i >= again; i--) records.Add(JournalRecord.Do(_undone[i].Edits));
        for (var i = _undone.Count - 1; i >= again; i--) records.Add(JournalRecord.Undo);
        return records;
    }
}

/// <summary>Joins edits of one gesture: of many values for one knob the last counts.</summary>
internal static class EditMerge
{
    public static Edit[] Merge(ReadOnlySpan<Edit> earlier, ReadOnlySpan<Edit> later)
    {
        var merged = new List<Edit>(earlier.Length + later.Length);
        merged.AddRange(earlier);
        foreach (var e in later)
        {
            // Only past edits that set values, too: one that copies or removes a module may have read the old value.
            var at = merged.Count - 1;
            while (at >= 0 && SetsValue(merged[at]) && !SameTarget(merged[at], e)) at--;
            if (at >= 0 && SetsValue(merged[at]) && SetsValue(e)) merged[at] = e;
            else merged.Add(e);
        }

        return [.. merged];
    }

    private static bool SetsValue(Edit e) => e is SetParameter or SetCableGain or Move or Rename or Bypass or SetSetting or RenamePatch or SetNotes or SetQuantum;

    private static bool SameTarget(Edit a, Edit b) => (a, b) switch
    {
        (SetParameter x, SetParameter y) => x.Module == y.Module && x.Parameter == y.Parameter,
        (SetSetting x, SetSetting y) => x.Module == y.Module && x.Setting == y.Setting,
        (SetCableGain x, SetCableGain y) => x.From == y.From && x.To == y.To,
        (Move x, Move y) => x.Module == y.Module,
        (Rename x, Rename y) => x.Module == y.Module,
        (Bypass x, Bypass y) => x.Module == y.Module,
        (RenamePatch, RenamePatch) or (SetNotes, SetNotes) or (SetQuantum, SetQuantum) => true,
        _ => false,
    };
}
