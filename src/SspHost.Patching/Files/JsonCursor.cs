// Walks JSON token by token and turns whatever is wrong into one error with its place.
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace SspHost.Patching;

/// <summary>Leaves the parser with its one error. Never leaves this assembly.</summary>
internal sealed class JsonFault(PatchError error) : Exception(error.What)
{
    public PatchError Error { get; } = error;
}

/// <summary>A strict reader of UTF-8 JSON (RFC 8259, no comments, no trailing commas) that knows where it is.</summary>
internal ref struct JsonCursor
{
    private readonly ReadOnlySpan<byte> _json;
    private readonly string _file;
    private readonly string _what;
    private Utf8JsonReader _reader;

    /// <summary>Starts before the first token. Faults where the bytes are no text at all. <paramref name="what"/> is what they are to be.</summary>
    public JsonCursor(ReadOnlySpan<byte> json, string file, string what = "patch")
    {
        _what = what;
        if (json.StartsWith("\uFEFF"u8)) json = json[3..];
        _json = json;
        _file = file;
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = PatchLimits.Depth });
        if (json.IsEmpty || json.Trim(" \t\r\n"u8).IsEmpty) throw At(0, "", json.IsEmpty ? "the file is empty" : "the file is blank", "a JSON object");
        var zero = json.IndexOf((byte)0);
        if (zero >= 0) throw At(zero, "", "a zero byte: this is no text file", "a JSON object");
        if (!Utf8.IsValid(json)) throw At(FirstInvalid(json), "", "a byte that is no UTF-8", "UTF-8 text");
    }

    /// <summary>Offset of the present token.</summary>
    public readonly int Place => (int)_reader.TokenStartIndex;

    public readonly JsonTokenType Token => _reader.TokenType;

    /// <summary>A fault at the present token.</summary>
    public readonly JsonFault Bad(string path, string what, string expected = "") => At(Place, path, what, expected);

    /// <summary>A fault at any offset.</summary>
    public readonly JsonFault At(int offset, string path, string what, string expected = "")
    {
        var (line, column) = LineAndColumn(_json, offset);
        return new JsonFault(new PatchError { File = _file, Line = line, Column = column, Path = path, What = what, Expected = expected });
    }

    /// <summary>Goes to the next token, which must exist.</summary>
    public void Next(string path)
    {
        bool more;
        try
        {
            more = _reader.Read();
        }
        catch (JsonException e)
        {
            var message = e.Message;
            var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
            var what = PatchError.OneLine((end > 0 ? message[..end] : message).TrimEnd('.'), 160);
            var offset = OffsetOf(_json, e.LineNumber ?? 0, e.BytePositionInLine ?? 0);
            throw offset >= _json.Length ? At(offset, path, "the file ends too early", $"the rest of the {_what}") : At(offset, path, $"not JSON: {what}");
        }

        if (!more) throw At(_json.Length, path, "the file ends too early", $"the rest of the {_what}");
    }

    /// <summary>Nothing may follow but white space.</summary>
    public void End()
    {
        var rest = _json[(int)_reader.BytesConsumed..];
        var after = rest.TrimStart(" \t\r\n"u8);
        if (!after.IsEmpty) throw At(_json.Length - after.Length, "", $"something follows the {_what}", "the end of the file");
    }

    /// <summary>The present token must begin an object.</summary>
    public readonly void Object(string path, string what)
    {
        if (Token != JsonTokenType.StartObject) throw Bad(path, Is(), what);
    }

    /// <summary>The present token must begin an array.</summary>
    public readonly void Array(string path, string what)
    {
        if (Token != JsonTokenType.StartArray) throw Bad(path, Is(), what);
    }

    /// <summary>Goes to the next field's value; false at the end of the object.</summary>
    public bool Field(string path, out string name)
    {
        Next(path);
        name = "";
        if (Token == JsonTokenType.EndObject) return false;
        name = Text(path);
        Next(path);
        return true;
    }

    /// <summary>Goes to the next item; false at the end of the array.</summary>
    public bool Item(string path)
    {
        Next(path);
        return Token != JsonTokenType.EndArray;
    }

    public readonly string String(string path, string what = "text")
    {
        if (Token != JsonTokenType.String) throw Bad(path, Is(), what);
        return Text(path);
    }

    public readonly bool Boolean(string path) => Token switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => throw Bad(path, Is(), "true or false"),
    };

    public readonly int Integer(string path)
    {
        return WholeOrNull() ?? throw Bad(path, Is(), "a whole number");
    }

    /// <summary>The present number if it is a whole one, however it is written: 3, 3.0, 3e0.</summary>
    public readonly int? WholeOrNull()
    {
        if (Token != JsonTokenType.Number) return null;
        if (_reader.TryGetInt32(out var value)) return value;
        return _reader.TryGetDouble(out var number) && number == Math.Floor(number) && Math.Abs(number) <= int.MaxValue ? (int)number : null;
    }

    public readonly uint Version(string path)
    {
        if (Token == JsonTokenType.Number && _reader.TryGetUInt32(out var value) && value > 0) return value;
        throw Bad(path, Is(), "a version, 1 or higher");
    }

    public readonly float Float(string path)
    {
        if (Token == JsonTokenType.Number && _reader.TryGetSingle(out var value) && float.IsFinite(value)) return value;
        throw Bad(path, Is(), "a number within float32");
    }

    public readonly StateBlob Base64(string path)
    {
        if (Token == JsonTokenType.String && _reader.TryGetBytesFromBase64(out var bytes)) return new StateBlob([.. bytes]);
        throw Bad(path, Is(), "bytes in base64");
    }

    /// <summary>The present value as it stands, white space left out.</summary>
    public string Raw(string path)
    {
        var start = Place;
        if (Token is JsonTokenType.StartObject or JsonTokenType.StartArray)
        {
            var depth = _reader.CurrentDepth;
            do Next(path);
            while (_reader.CurrentDepth > depth);
        }

        return Minified(_json[start..(int)_reader.BytesConsumed]);
    }

    /// <summary>Where a place in the patch stands in the file: the token of that path, or of the nearest part of it.</summary>
    public static (int Line, int Column) Locate(ReadOnlySpan<byte> json, string path)
    {
        if (json.StartsWith("\uFEFF"u8)) json = json[3..];
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = PatchLimits.Depth });
        var parents = new Stack<(string Path, int Item)>(); // Item: index of the next item, -1 in an object
        var here = "";
        var (best, bestLength) = (0, -1);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName)
                {
                    var parent = parents.Peek().Path;
                    var name = reader.GetString();
                    here = parent.Length == 0 ? name! : $"{parent}.{name}";
                    continue;
                }

                if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
                {
                    parents.Pop();
                    continue;
                }

                if (parents.TryPeek(out var p) && p.Item >= 0)
                {
                    parents.Pop();
                    parents.Push((p.Path, p.Item + 1));
                    here = string.Create(CultureInfo.InvariantCulture, $"{p.Path}[{p.Item}]");
                }

                var matches = path.StartsWith(here, StringComparison.Ordinal) && (here.Length == path.Length || here.Length == 0 || path[here.Length] is '.' or '[');
                if (matches && here.Length > bestLength) (best, bestLength) = ((int)reader.TokenStartIndex, here.Length);
                if (reader.TokenType == JsonTokenType.StartObject) parents.Push((here, -1));
                else if (reader.TokenType == JsonTokenType.StartArray) parents.Push((here, 0));
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // A path within what could be read was found before the fault, or none was.
        }

        return LineAndColumn(json, best);
    }

    private static (int Line, int Column) LineAndColumn(ReadOnlySpan<byte> json, int offset)
    {
        var before = json[..Math.Min(offset, json.Length)];
        return (before.Count((byte)'\n') + 1, before.Length - before.LastIndexOf((byte)'\n'));
    }

    private static int OffsetOf(ReadOnlySpan<byte> json, long line, long column)
    {
        var at = 0;
        for (; line > 0; line--)
        {
            var end = json[at..].IndexOf((byte)'\n');
            if (end < 0) break;
            at += end + 1;
        }

        return (int)Math.Min(json.Length, at + column);
    }

    private static int FirstInvalid(ReadOnlySpan<byte> json)
    {
        var at = 0;
        while (at < json.Length && Rune.DecodeFromUtf8(json[at..], out _, out var used) == System.Buffers.OperationStatus.Done) at += used;
        return at;
    }

    private static string Minified(ReadOnlySpan<byte> json)
    {
        var bytes = new byte[json.Length];
        var (n, inText) = (0, false);
        for (var i = 0; i < json.Length; i++)
        {
            var c = json[i];
            if (!inText && (c is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')) continue;
            bytes[n++] = c;
            if (c == '"') inText = !inText;
            else if (c == '\\') bytes[n++] = json[++i]; // only strings have backslashes, and something always follows
        }

        return Encoding.UTF8.GetString(bytes.AsSpan(0, n));
    }

    private readonly string Text(string path)
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Bad(path, "half of a surrogate pair", "whole characters");
        }
    }

    // "is X" in words a player understands; long values are cut.
    private readonly string Is() => Token switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.Null => "null",
        JsonTokenType.True => "true",
        JsonTokenType.False => "false",
        _ => PatchError.OneLine(Encoding.UTF8.GetString(_reader.ValueSpan)),
    };
}
