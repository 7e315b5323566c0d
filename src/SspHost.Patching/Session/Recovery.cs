// What a journal says happened, done again: the patch as it was, with what can be undone.
namespace SspHost.Patching;

/// <summary>Recovery after a crash at any byte: the longest valid beginning of the journal, never an exception.</summary>
internal static class Recovery
{
    /// <summary>Reads a journal. The note is one line where something is to be told; the patch is null where there was none.</summary>
    public static (Patch? Patch, History History, string? Note) Recover(string path)
    {
        byte[] bytes;
        try
        {
            if (!File.Exists(path)) return (null, new History(), null);
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return (null, new History(), $"{path}: the journal cannot be read: {PatchError.OneLine(e.Message, 200)}{Move(path)}");
        }

        var records = JournalFormat.Read(bytes, out var valid);
        var (patch, history, used) = Replay(records);

        // A last line without its end is what a crash leaves: it was never acknowledged. Anything else is damage, and is kept.
        var torn = bytes.AsSpan(valid).IndexOf((byte)'\n') < 0;
        if (used == records.Count && (bytes.Length == valid || (torn && patch is not null))) return (patch, history, null);
        var kept = Keep(path, bytes);
        return (patch, history, patch is null
            ? $"{path}: the journal holds no patch{kept}"
            : $"{path}: the journal is damaged after byte {valid}; the patch is as it was at change {used - 1}{kept}");
    }

    /// <summary>Applies records in order; stops before the first that does not apply.</summary>
    public static (Patch? Patch, History History, int Used) Replay(List<JournalRecord> records)
    {
        var history = new History();
        if (records.Count == 0 || PatchCheck.Structure(records[0].Patch!) is not null) return (null, history, 0);
        var current = Loops.Normalise(records[0].Patch!, null);
        for (var i = 1; i < records.Count; i++)
        {
            var r = records[i];
            switch (r.Kind)
            {
                case JournalKind.Undo when history.CanUndo:
                    current = history.PeekUndo(current);
                    _ = history.Undone();
                    break;
                case JournalKind.Redo when history.CanRedo:
                    current = history.PeekRedo(current);
                    _ = history.Redone();
                    break;
                case JournalKind.Do or JournalKind.More:
                    if (PatchEdits.ApplyAll(current, r.Edits, null, out _) is not { } after) return (current, history, i);
                    if (r.Kind == JournalKind.Do || !history.Grow(r.Edits, after)) history.Add(r.Edits, current, after);
                    current = after;
                    break;
                default:
                    return (current, history, i);
            }
        }

        history.Close();
        return (current, history, records.Count);
    }

    // Out of the way of the new journal, which would take its place.
    private static string Move(string path)
    {
        try
        {
            File.Move(path, $"{path}.damaged", overwrite: true);
            return $"; it is now {path}.damaged";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string Keep(string path, byte[] bytes)
    {
        var copy = $"{path}.damaged";
        try
        {
            AtomicFile.Write(copy, bytes);
            return $"; it is kept as {copy}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
