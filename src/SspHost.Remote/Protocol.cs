// The control protocol: one JSON message per line. PROTOCOL.md describes it; this is what both ends agree on.
using System.Text;
using System.Text.Json;
using SspHost.Patching;

namespace SspHost.Remote;

/// <summary>Numbers and words of the protocol.</summary>
public static class Protocol
{
    /// <summary>Major version: rises when a message changes its meaning or goes. Another one is refused.</summary>
    public const int Version = 1;

    /// <summary>Minor version: rises when commands, fields, topics or kinds come. A client may name the least it needs.</summary>
    public const int Minor = 4;

    /// <summary>The JSON Schema of every line, both ways.</summary>
    public static string Schema => ReadSchema();

    /// <summary>Name of the socket within the runtime directory.</summary>
    public const string SocketName = "control.sock";

    /// <summary>Longest line in bytes, its end included.</summary>
    public const int MaxLine = 4 << 20;

    /// <summary>Clients at once.</summary>
    public const int MaxClients = 16;

    /// <summary>Bytes that may wait for a client: beyond, it is too slow and is let go.</summary>
    public const int MaxBacklog = 16 << 20;

    /// <summary>Bytes beyond which events for it are left out (and counted).</summary>
    public const int EventBacklog = 256 << 10;

    /// <summary>Nesting of a message.</summary>
    public const int MaxDepth = 32;

    /// <summary>The commands, in the order of PROTOCOL.md.</summary>
    public static IReadOnlyList<string> Commands { get; } =
    [
        "hello", "schema", "status", "levels", "costs", "incidents", "log", "telemetry", "metrics", "subscribe", "modules", "patch", "edit", "undo", "redo", "load", "save", "restore", "reload",
        "record", "recordStop", "trace", "tracing", "loads",
        "start", "stop", "quit",
    ];

    /// <summary>What can be subscribed to.</summary>
    public static IReadOnlyList<Topic> Topics { get; } =
    [
        new("status", Slot: 0, UsualRate: 1, MaxRate: 10), new("levels", Slot: 1, UsualRate: 10, MaxRate: 30), new("costs", Slot: 2, UsualRate: 1, MaxRate: 4),
        new("telemetry", Slot: 3, UsualRate: 10, MaxRate: 30), new("incidents", Slot: -1, UsualRate: 0, MaxRate: 1000), new("patch", Slot: -1, UsualRate: 0, MaxRate: 1000),
        new("log", Slot: -1, UsualRate: 0, MaxRate: 1000), new("metrics", Slot: 4, UsualRate: 1, MaxRate: 10),
    ];

    /// <summary>Modules that one telemetry message can show.</summary>
    public const int MaxTelemetryModules = 64;

    private static string ReadSchema()
    {
        using var stream = typeof(Protocol).Assembly.GetManifestResourceStream("protocol.schema.json")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

/// <summary>Something to subscribe to.</summary>
/// <param name="Slot">Number of a topic that shows a state: its newest message replaces the one that waits. -1: each message is an event of its own.</param>
/// <param name="UsualRate">Messages a second where nothing is said; 0: as they come.</param>
/// <param name="MaxRate">Messages a second at most.</param>
public sealed record Topic(string Name, int Slot, double UsualRate, double MaxRate)
{
    /// <summary>Lowest rate: one message in ten seconds.</summary>
    public const double MinRate = 0.1;

    /// <summary>Topics that show a state.</summary>
    public const int Slots = 5;

    /// <summary>Whether it shows a state.</summary>
    public bool IsState => Slot >= 0;
}

/// <summary>A refused message: a code for programs and one line for people.</summary>
internal sealed class ProtocolException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;

    public static ProtocolException BadMessage(string message) => new("bad-message", message);

    public static ProtocolException Refused(string message) => new("refused", message);
}

/// <summary>A message that was understood.</summary>
internal sealed class Message : IDisposable
{
    private readonly JsonDocument _document;

    private Message(JsonDocument document, string command)
    {
        _document = document;
        Command = command;
    }

    public string Command { get; }

    private JsonElement Root => _document.RootElement;

    /// <summary>
    /// Parses a line. Where that fails, <paramref name="id"/> is still the message's if it could be read, so that the answer finds its question.
    /// </summary>
    public static Message Parse(ReadOnlyMemory<byte> line, out string id)
    {
        id = "null";
        // The parser leaves the inside of texts alone until they are read, which would be too late.
        if (!System.Text.Unicode.Utf8.IsValid(line.Span)) throw ProtocolException.BadMessage("the line is not UTF-8");
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = Protocol.MaxDepth });
        }
        catch (JsonException e)
        {
            throw ProtocolException.BadMessage($"byte {e.BytePositionInLine ?? 0}: not a JSON message (or nested deeper than {Protocol.MaxDepth}); expected one object per line");
        }

        try
        {
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) throw ProtocolException.BadMessage("expected a JSON object, one per line");
            if (root.TryGetProperty("id", out var given)) id = IdOf(given);
            if (!root.TryGetProperty("command", out var c) || c.ValueKind != JsonValueKind.String || TextOf(c) is not { } command)
                throw ProtocolException.BadMessage($"\"command\" is missing or no text; expected one of {string.Join(", ", Protocol.Commands)}");
            if (!Protocol.Commands.Contains(command, StringComparer.Ordinal))
                throw ProtocolException.BadMessage($"{PatchError.Quote(command)} is no command; expected one of {string.Join(", ", Protocol.Commands)}");
            return new Message(document, command);
        }
        catch
        {
            document.Dispose();
            throw;
        }
    }

    /// <summary>Refuses fields that the command does not have: a misspelt one would be ignored and do something else than was meant.</summary>
    public void Only(params ReadOnlySpan<string> fields)
    {
        foreach (var property in Root.EnumerateObject())
        {
            if (property.NameEquals("id") || property.NameEquals("command")) continue;
            var known = false;
            foreach (var field in fields) known |= property.NameEquals(field);
            if (known) continue;
            throw ProtocolException.BadMessage($"'{Command}' has no field {PatchError.Quote(NameOf(property))}; expected {(fields.IsEmpty ? "none" : string.Join(", ", fields!))}");
        }
    }

    public string? Text(string field)
    {
        if (!Root.TryGetProperty(field, out var e)) return null;
        return e.ValueKind == JsonValueKind.String && TextOf(e) is { } text ? text : throw ProtocolException.BadMessage($"\"{field}\" is no text");
    }

    public bool Flag(string field, bool otherwise)
    {
        if (!Root.TryGetProperty(field, out var e)) return otherwise;
        return e.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw ProtocolException.BadMessage($"\"{field}\" is neither true nor false"),
        };
    }

    public int? Number(string field)
    {
        if (!Root.TryGetProperty(field, out var e)) return null;
        return e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out var n) ? n : throw ProtocolException.BadMessage($"\"{field}\" is no whole number");
    }

    /// <summary>A number within a range; null: it is not there.</summary>
    public double? Number(string field, double least, double most)
    {
        if (!Root.TryGetProperty(field, out var e)) return null;
        return e.ValueKind == JsonValueKind.Number && e.TryGetDouble(out var n) && n >= least && n <= most
            ? n
            : throw ProtocolException.BadMessage(FormattableString.Invariant($"\"{field}\" is no number from {least} to {most}"));
    }

    /// <summary>A flag, or null where it is not there.</summary>
    public bool? FlagOrNull(string field) => Root.TryGetProperty(field, out _) ? Flag(field, otherwise: false) : null;

    /// <summary>A whole number of at least 0 that a JSON number can hold.</summary>
    public long? Count(string field)
    {
        if (!Root.TryGetProperty(field, out var e)) return null;
        return e.ValueKind == JsonValueKind.Number && e.TryGetInt64(out var n) && n is >= 0 and <= 1L << 53 ? n : throw ProtocolException.BadMessage($"\"{field}\" is no whole number from 0 up");
    }

    /// <summary>What a client wants to hear of: a list of topics, or of objects that name a topic, a rate and modules.</summary>
    public IReadOnlyList<Subscription> Subscriptions(string field) => Subscription.Read(Root.TryGetProperty(field, out var e) ? e : default, TextOf, NameOf);

    public IReadOnlyList<string>? Texts(string field)
    {
        if (!Root.TryGetProperty(field, out var e)) return null;
        if (e.ValueKind != JsonValueKind.Array) throw ProtocolException.BadMessage($"\"{field}\" is no list");
        var items = new List<string>();
        foreach (var item in e.EnumerateArray())
            items.Add(item.ValueKind == JsonValueKind.String && TextOf(item) is { } t ? t : throw ProtocolException.BadMessage($"\"{field}\" is no list of texts"));
        return items;
    }

    /// <summary>Numbers of jacks, from 1; null where the field is missing.</summary>
    public IReadOnlyList<int>? Jacks(string field)
    {
        if (!Root.TryGetProperty(field, out var e)) return null;
        if (e.ValueKind != JsonValueKind.Array) throw ProtocolException.BadMessage($"\"{field}\" is no list");
        var jacks = new List<int>();
        foreach (var item in e.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out var jack) || jack is < 1 or > Abi.Limits.MaxJacks || jacks.Count == Abi.Limits.MaxJacks)
                throw ProtocolException.BadMessage($"\"{field}\" is no list of at most {Abi.Limits.MaxJacks} jacks from 1 to {Abi.Limits.MaxJacks}");
            jacks.Add(jack);
        }

        return jacks;
    }

    /// <summary>A field's value as it was written, or null.</summary>
    public byte[]? Raw(string field) => Root.TryGetProperty(field, out var e) ? Encoding.UTF8.GetBytes(e.GetRawText()) : null;

    public void Dispose() => _document.Dispose();

    // A number or a text, given back as it came.
    private static string IdOf(JsonElement id) => id.ValueKind switch
    {
        JsonValueKind.Null => "null",
        JsonValueKind.Number or JsonValueKind.String when id.GetRawText() is { Length: <= 128 } raw => raw,
        _ => throw ProtocolException.BadMessage("\"id\" is neither a number nor a text of at most 128 bytes"),
    };

    // A text with a lone surrogate or bytes that are not UTF-8 parses and cannot be read.
    private static string? TextOf(JsonElement e)
    {
        try
        {
            return e.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string NameOf(JsonProperty p)
    {
        try
        {
            return p.Name;
        }
        catch (InvalidOperationException)
        {
            return "(not UTF-8)";
        }
    }
}
