// Changing single values in the text of ssp.json: comments, order and everything else stay as a person wrote them.
using System.Text;
using System.Text.Json;

namespace SspHost.Configuration;

/// <summary>Edits the text of a configuration that <see cref="SettingsFile.Parse"/> takes.</summary>
internal static class SettingsText
{
    /// <summary>A file that says nothing.</summary>
    public static byte[] Empty => "{\n}\n"u8.ToArray();

    /// <summary>
    /// Sets "rate", or "web.address" (a value in an object), to <paramref name="value"/>, which is JSON. Throws <see cref="JsonException"/> where
    /// the text is none.
    /// </summary>
    public static byte[] Set(ReadOnlySpan<byte> json, string key, string value)
    {
        var at = json.StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;
        var text = json[at..];
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 8 });
        if (!reader.Read()) throw new JsonException("an object was expected");
        var dot = key.IndexOf('.', StringComparison.Ordinal);
        var (start, end, with) = dot < 0 ? Place(ref reader, key, value) : Inside(ref reader, key[..dot], key[(dot + 1)..], value);
        return [.. json[..(at + start)], .. Encoding.UTF8.GetBytes(with), .. text[end..]];
    }

    // What is to be replaced by what, with the reader at the object's beginning.
    private static (int Start, int End, string With) Place(ref Utf8JsonReader reader, string key, string value)
    {
        var (begin, empty) = (Begin(in reader), true);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            empty = false;
            var found = reader.ValueTextEquals(key);
            if (!reader.Read()) break;
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (found) return (start, (int)reader.BytesConsumed, value);
        }

        return Added(begin, key, value, empty);
    }

    private static (int Start, int End, string With) Inside(ref Utf8JsonReader reader, string outer, string key, string value)
    {
        var (begin, empty) = (Begin(in reader), true);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            empty = false;
            var found = reader.ValueTextEquals(outer);
            if (!reader.Read()) break;
            if (found) return Place(ref reader, key, value);
            reader.Skip();
        }

        return Added(begin, outer, $"{{ \"{key}\": {value} }}", empty);
    }

    private static int Begin(in Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.StartObject ? (int)reader.BytesConsumed : throw new JsonException("an object was expected");

    private static (int Start, int End, string With) Added(int begin, string key, string value, bool empty) =>
        (begin, begin, $"\n  \"{key}\": {value}{(empty ? "" : ",")}");
}
