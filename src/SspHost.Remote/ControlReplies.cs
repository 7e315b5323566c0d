// What the control socket answers, command by command.
using System.Buffers;
using System.Text.Json;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Tracing;
using SspHost.Patching;

namespace SspHost.Remote;

/// <summary>Makes replies and events: each one line, its end included.</summary>
internal static class ControlReplies
{
    // Quotes and accents as they are: the lines are read by people too, and never by a browser as HTML.
    private static readonly JsonWriterOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private const int MaxName = 64;
    private static readonly TimeSpan Durable = TimeSpan.FromSeconds(2);

    /// <summary>The line a client sees first.</summary>
    public static byte[] Hello(string version, long client) => Line(w =>
    {
        w.WriteStartObject("hello");
        WriteHello(w, version, client);
        w.WriteEndObject();
    });

    /// <summary>What a client hears that comes when all places are taken.</summary>
    public static byte[] TooManyClients { get; } = Error("null", "too-many-clients", $"{Protocol.MaxClients} clients are connected, which is the limit");

    public static byte[] IncidentEvent(Incident incident) => Event("incidents", JsonSerializer.SerializeToUtf8Bytes(incident, DiagnosticsJson.Default.Incident));

    public static byte[] LogEvent(LogLine line) => Event("log", JsonSerializer.SerializeToUtf8Bytes(line, DiagnosticsJson.Default.LogLine));

    public static byte[] DroppedEvent(IReadOnlyDictionary<string, long> counts) => Line(w =>
    {
        w.WriteString("event", "dropped");
        w.WriteStartObject("data");
        foreach (var (topic, count) in counts) w.WriteNumber(topic, count);
        w.WriteEndObject();
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
    public static byte[] Answer(string id, Message m, ControlTarget target, ControlConnection client)
    {
        switch (m.Command)
        {
            case "hello":
                m.Only("protocol", "minor", "name");
                CheckVersion(m.Number("protocol"), m.Number("minor"));
                if (m.Text("name") is { } name) client.Name = PatchError.OneLine(name, MaxName);
                return Ok(id, w => WriteHello(w, target.Version, client.Number));
            case "schema":
                m.Only();
                return Ok(id, w =>
                {
                    w.WritePropertyName("schema");
                    WriteOnOneLine(w, System.Text.Encoding.UTF8.GetBytes(Protocol.Schema));
                });
            case "status":
                m.Only();
                return OkRaw(id, JsonSerializer.SerializeToUtf8Bytes(Feed.Complete(target.Status(), target.Session), DiagnosticsJson.Default.StatusReport));
            case "levels":
                m.Only();
                return OkRaw(id, JsonSerializer.SerializeToUtf8Bytes(Feed.Levels(target), DiagnosticsJson.Default.LevelsReport));
            case "costs":
                m.Only();
                return OkRaw(id, JsonSerializer.SerializeToUtf8Bytes(target.Costs(), DiagnosticsJson.Default.CostsReport));
            case "incidents":
                m.Only("since", "limit");
                var incidents = target.Incidents.Since(m.Count("since") ?? 0, LimitOf(m));
                return OkRaw(id, JsonSerializer.SerializeToUtf8Bytes(new IncidentList(target.Incidents.Last, incidents), DiagnosticsJson.Default.IncidentList));
            case "log":
                m.Only("since", "limit");
                var lines = target.Log.Since(m.Count("since") ?? 0, LimitOf(m));
                return OkRaw(id, JsonSerializer.SerializeToUtf8Bytes(new LogList(target.Log.Last, lines), DiagnosticsJson.Default.LogList));
            case "telemetry":
                m.Only("modules");
                var shown = m.Texts("modules") is { Count: > 0 and <= Protocol.MaxTelemetryModules } names
                    ? names
                    : throw ProtocolException.BadMessage($"\"modules\" is missing or no list of 1 to {Protocol.MaxTelemetryModules} names");
                var telemetry = Feed.Telemetry(target, [.. shown.Distinct(StringComparer.Ordinal)]);
                return OkRaw(id, JsonSerializer.SerializeToUtf8Bytes(telemetry, DiagnosticsJson.Default.TelemetryReport));
            case "metrics":
                m.Only("seconds", "history");
                var metrics = Feed.Metrics(target, m.Number("seconds", 0.1, MetricsRecorder.Seconds) ?? 1, m.Number("history", 0, MetricsRecorder.Seconds) ?? 0);
                return OkRaw(id, JsonSerializer.SerializeToUtf8Bytes(metrics, MetricsJson.Default.MetricsReport));
            case "modules":
                m.Only();
                return OkRaw(id, ModuleList.Write(target.Modules.Current));
            case "patch":
                m.Only();
                return Ok(id, w =>
                {
                    PatchEvents.WriteState(w, target.Session);
                    w.WritePropertyName("patch");
                    WriteOnOneLine(w, PatchJson.Write(target.Session.Current));
                });
            case "edit":
                m.Only("edits", "wait");
                var edits = EditJson.Read(m.Raw("edits") ?? throw ProtocolException.BadMessage("\"edits\" is missing; expected one edit or a list of edits"), out var bad);
                if (edits == null) throw ProtocolException.BadMessage(bad!.ToString());
                return Changed(id, m, target, client, () => target.Session.Apply(edits));
            case "undo":
                m.Only("wait");
                return Changed(id, m, target, client, () => target.Session.Undo());
            case "redo":
                m.Only("wait");
                return Changed(id, m, target, client, () => target.Session.Redo());
            case "load":
                m.Only("path", "patch", "wait");
                return Load(id, m, target, client);
            case "save":
                m.Only("path");
                if (target.Session.Save(AbsolutePath(m)) is { } unsaved) throw ProtocolException.Refused(unsaved.ToString());
                Author.For(new Author(client.Name, client.Number, m.Command), () =>
                {
                    client.TellSaved();
                    return true;
                });
                return Ok(id, w => PatchEvents.WriteState(w, target.Session));
            case "subscribe":
                m.Only("to");
                var subscriptions = m.Subscriptions("to");
                client.Subscribe(subscriptions);
                return Ok(id, w => WriteSubscriptions(w, subscriptions));
            case "restore":
                m.Only("module");
                var module = m.Text("module") ?? throw ProtocolException.BadMessage("\"module\" is missing; expected the id of a module");
                return target.Restore(module) is { } notRestored ? throw ProtocolException.Refused(notRestored) : Ok(id, _ => { });
            case "reload":
                m.Only("module");
                return OkRaw(id, JsonSerializer.SerializeToUtf8Bytes(target.Reload(m.Text("module")), DiagnosticsJson.Default.ReloadReport));
            case "tracing":
                m.Only("trace", "modules");
                if (target.SwitchTracing(m.FlagOrNull("trace"), m.FlagOrNull("modules")) is { } notSwitched) throw ProtocolException.Refused(notSwitched);
                return OkRaw(id, JsonSerializer.SerializeToUtf8Bytes(target.Tracing(), DiagnosticsJson.Default.TracingReport));
            case "record":
                m.Only("path", "outputs", "inputs");
                var jacks = new List<ushort>();
                foreach (var j in m.Jacks("outputs") ?? (m.Jacks("inputs") == null ? [1, 2] : [])) jacks.Add((ushort)(j - 1));
                foreach (var j in m.Jacks("inputs") ?? []) jacks.Add((ushort)((j - 1) | Abi.RecordRing.Input));
                if (jacks.Count == 0) throw ProtocolException.BadMessage("neither \"outputs\" nor \"inputs\" names a jack");
                return target.Record(AbsolutePath(m), jacks) is { } notRecorded ? throw ProtocolException.Refused(notRecorded) : Ok(id, _ => { });
            case "recordStop":
                m.Only();
                var (recording, why) = target.StopRecording();
                return recording == null
                    ? throw ProtocolException.Refused(why ?? "nothing is being recorded")
                    : OkRaw(id, JsonSerializer.SerializeToUtf8Bytes(recording, DiagnosticsJson.Default.RecordingReport));
            case "loads":
                m.Only("path");
                return Loads(id, AbsolutePath(m), target);
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

    /// <summary>
    /// The one command that takes its time: a minute of tracing must not hold a thread. Throws <see cref="ProtocolException"/> where it is refused.
    /// </summary>
    public static async Task<byte[]> TraceAsync(string id, Message m, ControlTarget target)
    {
        m.Only("path", "seconds", "last");
        var path = AbsolutePath(m);
        var seconds = m.Number("seconds", FlightRecorder.Shortest, FlightRecorder.Longest);
        var last = m.Number("last", FlightRecorder.Shortest, FlightRecorder.Longest);
        if (seconds != null == (last != null)) throw ProtocolException.BadMessage("expected either \"seconds\" (from now on) or \"last\" (until now)");
        var recorder = target.Flight ?? throw ProtocolException.Refused("there is no flight recorder here");
        try
        {
            var result = last is { } before ? recorder.Dump(path, "request", before) : await recorder.RecordAsync(path, seconds!.Value);
            return OkRaw(id, JsonSerializer.SerializeToUtf8Bytes(result, DiagnosticsJson.Default.TraceResult));
        }
        catch (Exception e) when (e is TraceException or IOException or UnauthorizedAccessException)
        {
            throw ProtocolException.Refused(e is TraceException ? e.Message : $"{path}: the trace cannot be written: {e.Message}");
        }
        catch (OperationCanceledException)
        {
            throw ProtocolException.Refused("the host ends; the trace was not finished");
        }
    }

    private static byte[] Loads(string id, string path, ControlTarget target)
    {
        try
        {
            var (quanta, bytes) = target.WriteLoads(path);
            return Ok(id, w =>
            {
                w.WriteString("path", path);
                w.WriteNumber("quanta", quanta);
                w.WriteNumber("bytes", bytes);
            });
        }
        catch (Exception e) when (e is TraceException or IOException or UnauthorizedAccessException)
        {
            throw ProtocolException.Refused(e is TraceException ? e.Message : $"{path}: the loads cannot be written: {e.Message}");
        }
    }

    private static byte[] Load(string id, Message m, ControlTarget target, ControlConnection client)
    {
        if (m.Raw("patch") is { } text)
        {
            if (m.Text("path") != null) throw ProtocolException.BadMessage("\"path\" and \"patch\" exclude each other");
            var load = PatchJson.Read(text, "", target.Modules);
            if (load.Patch is not { } patch) throw ProtocolException.Refused(load.Error!.ToString());
            return Changed(id, m, target, client, () => target.Session.Apply(new ReplacePatch(patch)));
        }

        var path = AbsolutePath(m);
        return Changed(id, m, target, client, () => target.Open(path) is { } refused ? throw ProtocolException.Refused(refused) : null);
    }

    // A relative path would mean the host's directory, which the client does not know.
    private static string AbsolutePath(Message m)
    {
        var path = m.Text("path") ?? throw ProtocolException.BadMessage("\"path\" is missing");
        return Path.IsPathRooted(path) && !path.Contains('\0', StringComparison.Ordinal) ? path : throw ProtocolException.BadMessage("\"path\" is not absolute");
    }

    // The reply to a change comes once the change is in the journal: what was acknowledged survives a power cut.
    private static byte[] Changed(string id, Message m, ControlTarget target, ControlConnection client, Func<PatchError?> change)
    {
        var wait = m.Flag("wait", otherwise: true);
        if (Author.For(new Author(client.Name, client.Number, m.Command), change) is { } error) throw ProtocolException.Refused(error.ToString());
        if (wait) _ = target.Session.WaitDurable(Durable);
        return Ok(id, w => PatchEvents.WriteState(w, target.Session));
    }

    private static void CheckVersion(int? major, int? minor)
    {
        if (major == null && minor != null) throw ProtocolException.BadMessage("\"minor\" stands without \"protocol\"");
        if (major is { } theirs && theirs != Protocol.Version)
            throw new ProtocolException("version", $"protocol {theirs} is not spoken here; this host speaks {Protocol.Version}.{Protocol.Minor}");
        if (minor is { } least && least > Protocol.Minor)
            throw new ProtocolException("version", $"protocol {Protocol.Version}.{least} is newer than this host, which speaks {Protocol.Version}.{Protocol.Minor}");
    }

    private static int LimitOf(Message m) => (int)Math.Min(m.Count("limit") ?? IncidentLog.Capacity, IncidentLog.Capacity);

    private static void WriteSubscriptions(Utf8JsonWriter w, IReadOnlyList<Subscription> subscriptions)
    {
        w.WriteStartArray("to");
        foreach (var s in subscriptions)
        {
            w.WriteStartObject();
            w.WriteString("topic", s.Topic.Name);
            if (s.Rate > 0) w.WriteNumber("rate", s.Rate);
            w.WriteEndObject();
        }

        w.WriteEndArray();
    }

    private static void WriteHello(Utf8JsonWriter w, string version, long client)
    {
        w.WriteNumber("protocol", Protocol.Version);
        w.WriteNumber("minor", Protocol.Minor);
        w.WriteString("name", "ssp");
        w.WriteString("version", version);
        w.WriteNumber("client", client);
        w.WriteStartArray("commands");
        foreach (var c in Protocol.Commands) w.WriteStringValue(c);
        w.WriteEndArray();
        w.WriteStartArray("topics");
        foreach (var t in Protocol.Topics)
        {
            w.WriteStartObject();
            w.WriteString("topic", t.Name);
            w.WriteNumber("maxRate", t.MaxRate);
            w.WriteEndObject();
        }

        w.WriteEndArray();
    }

    // Patch files are indented; a message is one line.
    private static void WriteOnOneLine(Utf8JsonWriter w, byte[] json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 128 });
        document.RootElement.WriteTo(w);
    }

    /// <summary>An event with these data, which are JSON.</summary>
    public static byte[] Event(string name, byte[] data) => Line(w =>
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

    /// <summary>One line.</summary>
    public static byte[] Line(Action<Utf8JsonWriter> body)
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
