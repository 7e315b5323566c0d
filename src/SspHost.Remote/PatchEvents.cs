// The patch as the protocol tells of it: its state, and what a change did.
using System.Text.Json;
using SspHost.Patching;

namespace SspHost.Remote;

/// <summary>Events of the topic `patch`.</summary>
internal static class PatchEvents
{
    // Names of one list: a whole new patch is fetched anyway.
    private const int MostNames = 64;

    /// <summary>A change, and in whose name it was made.</summary>
    public static byte[] Changed(PatchChange change, PatchSession session) => ControlReplies.Line(w =>
    {
        var author = Author.Present;
        w.WriteString("event", "patch");
        w.WriteStartObject("data");
        WriteTime(w);
        w.WriteString("action", author?.Action ?? "edit");
        WriteAuthor(w, author);
        w.WriteString("kind", Diagnostics.IncidentKinds.WordOf(change.Kind));
        w.WriteString("patch", change.After.Id);
        var (before, after) = (change.Before.Modules, change.After.Modules);
        var old = before.ToDictionary(m => m.Id, StringComparer.Ordinal);
        WriteNames(w, "added", after.Where(m => !old.ContainsKey(m.Id)).Select(m => m.Id));
        WriteNames(w, "changed", after.Where(m => old.TryGetValue(m.Id, out var was) && !ReferenceEquals(was, m) && was != m).Select(m => m.Id));
        var now = after.Select(m => m.Id).ToHashSet(StringComparer.Ordinal);
        WriteNames(w, "removed", before.Where(m => !now.Contains(m.Id)).Select(m => m.Id));
        var (cablesBefore, cablesAfter) = (change.Before.Cables.ToHashSet(), change.After.Cables.ToHashSet());
        w.WriteNumber("cablesAdded", cablesAfter.Count(c => !cablesBefore.Contains(c)));
        w.WriteNumber("cablesRemoved", cablesBefore.Count(c => !cablesAfter.Contains(c)));
        w.WriteStartArray("warnings");
        foreach (var warning in change.Warnings.IsDefault ? [] : change.Warnings) w.WriteStringValue(warning);
        w.WriteEndArray();
        WriteState(w, session);
        w.WriteEndObject();
    });

    /// <summary>A save: nothing changed but that it is kept.</summary>
    public static byte[] Saved(PatchSession session) => ControlReplies.Line(w =>
    {
        w.WriteString("event", "patch");
        w.WriteStartObject("data");
        WriteTime(w);
        w.WriteString("action", "save");
        WriteAuthor(w, Author.Present);
        w.WriteString("kind", "cosmetic");
        w.WriteString("patch", session.Current.Id);
        WriteState(w, session);
        w.WriteEndObject();
    });

    /// <summary>Number of the last change, whether it is in the journal, undo and redo, and the file.</summary>
    public static void WriteState(Utf8JsonWriter w, PatchSession session)
    {
        var (sequence, durable, saved) = (session.Sequence, session.DurableSequence, session.Saved);
        w.WriteNumber("sequence", sequence);
        w.WriteBoolean("durable", durable >= sequence);
        w.WriteBoolean("canUndo", session.CanUndo);
        w.WriteBoolean("canRedo", session.CanRedo);
        w.WriteBoolean("saved", saved is { Unchanged: true });
        if (saved is { } file) w.WriteString("file", file.Path);
        if (session.Trouble is { } trouble) w.WriteString("trouble", trouble);
    }

    private static void WriteTime(Utf8JsonWriter w)
    {
        var now = Diagnostics.Moment.Now();
        w.WriteString("time", now.Time);
        w.WriteString("monotonic", now.Monotonic);
    }

    private static void WriteAuthor(Utf8JsonWriter w, Author? author)
    {
        w.WriteString("by", author == null ? "host" : author.Name.Length > 0 ? author.Name : $"client {author.Client}");
        if (author != null) w.WriteNumber("client", author.Client);
    }

    private static void WriteNames(Utf8JsonWriter w, string field, IEnumerable<string> names)
    {
        var count = 0;
        w.WriteStartArray(field);
        foreach (var name in names)
            if (count++ < MostNames) w.WriteStringValue(name);
        w.WriteEndArray();
        if (count > MostNames) w.WriteNumber(field + "More", count - MostNames);
    }
}
