// What the control socket answers, command by command.
using System.Buffers;
using System.Text.Json;
using SspHost.Diagnostics;
using SspHost.Patching;

namespace SspHost.Remote;

/// <summary>Makes replies and events: each one line, its end included.</summary>
internal static class ControlReplies
{
    // Quotes and accents as they are: the lines are read by people too, and never by a browser as HTML.
    private static readonly JsonWriterOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly TimeSpan Durable = TimeSpan.FromSeconds(2);

    /// <summary>The line a client sees first.</summary>
    public static byte[] Hello(string version) => Line(w =>
    {
        w.WriteStartObject("hello");
        WriteHello(w, version);
        w.WriteEndObject();
    });

    public static byte[] StatusEvent(StatusReport report) => Event("status", JsonSerializer.SerializeToUtf8Bytes(report, DiagnosticsJson.Default.StatusReport));

    public static byte[] NoticeEvent(string notice) => Line(w =>
    {
        w.WriteString("event", "notice");
        w.WriteString("data", notice);
    });

    public static byte[] PatchEvent(PatchChange change) => Line(w =>
    {
        w.WriteString("event", "patch");
        w.WriteStartObject("data");
        w.WriteNumber("sequence", change.Sequence);
        w.WriteString("kind", change.Kind switch
        {
            ChangeKind.Cosmetic => "cosmetic",
            ChangeKind.Values => "values",
            _ => "structure",
        });
        w.WriteString("patch", change.After.Id);
        w.WriteEndObject();
    });

    public static byte[] DroppedEvent(long count) => Line(w =>
    {
        w.WriteString("event", "dropped");
        w.WriteNumber("data", count);
    });

    public static byte[] Error(string id, string code, string message) => Line(w =>
    {
        w.WritePropertyName("id");
        w.WriteRawValue(id);
        w.WriteBoolean("ok", value: false);
        w.WriteStartObject("error");
        w.WriteString("code", code);
        w.WriteString("message", PatchError.OneLine(message, 2000));
        w.WriteEndObject();
    });

    /// <summary>Does what a message asks and makes its reply. Throws <see cref="ProtocolException"/> where it is refused.</summary>
    public static byte[] Answer(string id, Message m, ControlTarget target, Action<IReadOnlyList<string>> subscribe)
    {
        switch (m.Command)
        {
            case "hello":
                m.Only("protocol");
                if (m.Number("protocol") is { } theirs && theirs != Protocol.Version)
                    throw new ProtocolException("version", $"protocol {theirs} is not spoken here; this host speaks {Protocol.Version}");
                return Ok(id, w => WriteHello(w, target.Version));
            case "status":
                m.Only();
                return OkRaw(id, JsonSerializer.SerializeToUtf8Bytes(target.Status(), DiagnosticsJson.Default.StatusReport));
            case "modules":
                m.Only();
                return OkRaw(id, ModuleList.Write([.. target.Modules.Types.Select(t => t.Descriptor)]));
            case "patch":
                m.Only();
                return Ok(id, w =>
                {
                    WriteState(w, target.Session);
                    w.WritePropertyName("patch");
                    WriteOnOneLine(w, PatchJson.Write(target.Session.Current));
                });
            case "edit":
                m.Only("edits", "wait");
                var edits = EditJson.Read(m.Raw("edits") ?? throw ProtocolException.BadMessage("\"edits\" is missing; expected one edit or a list of edits"), out var bad);
                if (edits == null) throw ProtocolException.BadMessage(bad!.ToString());
                return Changed(id, m, target, target.Session.Apply(edits));
            case "undo":
                m.Only("wait");
                return Changed(id, m, target, target.Session.Undo());
            case "redo":
                m.Only("wait");
                return Changed(id, m, target, target.Session.Redo());
            case "load":
                m.Only("path", "patch", "wait");
                return Load(id, m, target);
            case "save":
                m.Only("path");
                if (target.Session.Save(AbsolutePath(m)) is { } unsaved) throw ProtocolException.Refused(unsaved.ToString());
                return Ok(id, w => WriteState(w, target.Session));
            case "subscribe":
                m.Only("to");
                var topics = m.Texts("to") ?? throw ProtocolException.BadMessage($"\"to\" is missing; expected a list of {string.Join(", ", Protocol.Topics)}");
                foreach (var t in topics)
                    if (!Protocol.Topics.Contains(t, StringComparer.Ordinal))
                        throw ProtocolException.BadMessage($"{PatchError.Quote(t)} cannot be subscribed to; expected {string.Join(", ", Protocol.Topics)}");
                subscribe([.. topics.Distinct(StringComparer.Ordinal)]);
                return Ok(id, _ => { });
            case "restore":
                m.Only("module");
                var module = m.Text("module") ?? throw ProtocolException.BadMessage("\"module\" is missing; expected the id of a module");
                return target.Restore(module) is { } notRestored ? throw ProtocolException.Refused(notRestored) : Ok(id, _ => { });
            case "start":
                m.Only();
                return target.Start() is { } notStarted ? throw ProtocolException.Refused(notStarted) : Ok(id, _ => { });
            case "stop":
                m.Only();
                return target.Stop() is { } notStopped ? throw ProtocolException.Refused(notStopped) : Ok(id, _ => { });
            default: // quit: the last of Protocol.Commands, which were checked
                m.Only();
                target.Quit();
                return Ok(id, _ => { });
        }
    }

    private static byte[] Load(string id, Message m, ControlTarget target)
    {
        if (m.Raw("patch") is { } text)
        {
            if (m.Text("path") != null) throw ProtocolException.BadMessage("\"path\" and \"patch\" exclude each other");
            var load = PatchJson.Read(text, "", target.Modules);
            if (load.Patch is not { } patch) throw ProtocolException.Refused(load.Error!.ToString());
            return Changed(id, m, target, target.Session.Apply(new ReplacePatch(patch)));
        }

        return target.Open(AbsolutePath(m)) is { } refused ? throw ProtocolException.Refused(refused) : Changed(id, m, target, error: null);
    }

    // A relative path would mean the host's directory, which the client does not know.
    private static string AbsolutePath(Message m)
    {
        var path = m.Text("path") ?? throw ProtocolException.BadMessage("\"path\" is missing");
        return Path.IsPathRooted(path) && !path.Contains('\0', StringComparison.Ordinal) ? path : throw ProtocolException.BadMessage("\"path\" is not absolute");
    }

    // The reply to a change comes once the change is in the journal: what was acknowledged survives a power cut.
    private static byte[] Changed(string id, Message m, ControlTarget target, PatchError? error)
    {
        var wait = m.Flag("wait", otherwise: true);
        if (error != null) throw ProtocolException.Refused(error.ToString());
        if (wait) _ = target.Session.WaitDurable(Durable);
        return Ok(id, w => WriteState(w, target.Session));
    }

    private static void WriteState(Utf8JsonWriter w, PatchSession session)
    {
        var (sequence, durable) = (session.Sequence, session.DurableSequence);
        w.WriteNumber("sequence", sequence);
        w.WriteBoolean("durable", durable >= sequence);
        w.WriteBoolean("canUndo", session.CanUndo);
        w.WriteBoolean("canRedo", session.CanRedo);
        if (session.Trouble is { } trouble) w.WriteString("trouble", trouble);
    }

    private static void WriteHello(Utf8JsonWriter w, string version)
    {
        w.WriteNumber("protocol", Protocol.Version);
        w.WriteString("name", "ssp");
        w.WriteString("version", version);
        w.WriteStartArray("commands");
        foreach (var c in Protocol.Commands) w.WriteStringValue(c);
        w.WriteEndArray();
    }

    // Patch files are indented; a message is one line.
    private static void WriteOnOneLine(Utf8JsonWriter w, byte[] json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 128 });
        document.RootElement.WriteTo(w);
    }

    private static byte[] Event(string name, byte[] data) => Line(w =>
    {
        w.WriteString("event", name);
        w.WritePropertyName("data");
        w.WriteRawValue(data);
    });

    private static byte[] OkRaw(string id, byte[] result) => Line(w =>
    {
        w.WritePropertyName("id");
        w.WriteRawValue(id);
        w.WriteBoolean("ok", value: true);
        w.WritePropertyName("result");
        w.WriteRawValue(result);
    });

    private static byte[] Ok(string id, Action<Utf8JsonWriter> result) => Line(w =>
    {
        w.WritePropertyName("id");
        w.WriteRawValue(id);
        w.WriteBoolean("ok", value: true);
        w.WriteStartObject("result");
        result(w);
        w.WriteEndObject();
    });

    private static byte[] Line(Action<Utf8JsonWriter> body)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var w = new Utf8JsonWriter(bytes, Plain))
        {
            w.WriteStartObject();
            body(w);
            w.WriteEndObject();
        }

        bytes.Write("\n"u8);
        return bytes.WrittenSpan.ToArray();
    }
}
