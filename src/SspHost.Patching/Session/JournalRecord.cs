// A line of the journal, and how lines guard each other: length, and a checksum chained through the whole file.
using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace SspHost.Patching;

/// <summary>What a record does on replay.</summary>
internal enum JournalKind
{
    /// <summary>Start from this patch.</summary>
    Base,

    /// <summary>A new step.</summary>
    Do,

    /// <summary>More of the last step.</summary>
    More,

    Undo,
    Redo,
}

/// <summary>One record.</summary>
internal sealed record JournalRecord(JournalKind Kind, Patch? Patch, Edit[] Edits)
{
    public static JournalRecord Undo { get; } = new(JournalKind.Undo, null, []);

    public static JournalRecord Redo { get; } = new(JournalKind.Redo, null, []);

    public static JournalRecord Base(Patch patch) => new(JournalKind.Base, patch, []);

    public static JournalRecord Do(Edit[] edits) => new(JournalKind.Do, null, edits);

    public static JournalRecord More(Edit[] edits) => new(JournalKind.More, null, edits);
}

/// <summary>
/// Lines of "LLLLLLLL CCCCCCCC JSON": length of the JSON in bytes, CRC-32C (Castagnoli 1993) of it continued from the line before, both
/// in hexadecimal. A torn, changed, missing, doubled or swapped line ends the valid part of the file.
/// </summary>
internal static class JournalFormat
{
    /// <summary>Start of the chain: the format's version is in it.</summary>
    public const uint Seed = 0x53534A31;

    private const int Prefix = 18;

    /// <summary>Appends a record as a line and moves the chain on.</summary>
    public static void Write(ArrayBufferWriter<byte> to, JournalRecord record, ref uint chain)
    {
        var body = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(body, PatchWriter.ForLines))
        {
            json.WriteStartObject();
            json.WriteString("do"u8, Name(record.Kind));
            if (record.Patch is not null)
            {
                json.WritePropertyName("patch"u8);
                PatchWriter.Patch(json, record.Patch);
            }

            if (record.Kind is JournalKind.Do or JournalKind.More)
            {
                json.WritePropertyName("edits"u8);
                EditJson.Write(json, record.Edits);
            }

            json.WriteEndObject();
        }

        chain = Crc(chain, body.WrittenSpan);
        var line = to.GetSpan(Prefix);
        _ = ((uint)body.WrittenCount).TryFormat(line, out _, "x8", CultureInfo.InvariantCulture);
        line[8] = (byte)' ';
        _ = chain.TryFormat(line[9..], out _, "x8", CultureInfo.InvariantCulture);
        line[17] = (byte)' ';
        to.Advance(Prefix);
        to.Write(body.WrittenSpan);
        to.Write("\n"u8);
    }

    /// <summary>Reads the longest valid beginning of a journal. Never throws for what the bytes are.</summary>
    public static List<JournalRecord> Read(ReadOnlySpan<byte> file, out int validBytes)
    {
        var records = new List<JournalRecord>();
        var chain = Seed;
        validBytes = 0;
        while (true)
        {
            var rest = file[validBytes..];
            if (rest.Length <= Prefix || rest[8] != ' ' || rest[17] != ' ') return records;
            if (!uint.TryParse(rest[..8], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var length)) return records;
            if (!uint.TryParse(rest[9..17], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var crc)) return records;
            if (length > rest.Length - Prefix - 1 || rest[Prefix + (int)length] != '\n') return records;
            var body = rest.Slice(Prefix, (int)length);
            var next = Crc(chain, body);
            if (next != crc || Parse(body) is not { } record || (records.Count == 0) != (record.Kind == JournalKind.Base)) return records;
            chain = next;
            records.Add(record);
            validBytes += Prefix + (int)length + 1;
        }
    }

    private static JournalRecord? Parse(ReadOnlySpan<byte> body)
    {
        try
        {
            var json = new JsonCursor(body, "");
            json.Next("");
            json.Object("", "a record");
            JournalKind? kind = null;
            Patch? patch = null;
            Edit[]? edits = null;
            while (json.Field("", out var field))
            {
                switch (field)
                {
                    case "do": kind = Kind(json.String("do")); break;
                    case "patch": patch = PatchReader.Patch(ref json, "patch"); break;
                    case "edits": edits = EditJson.ReadAll(ref json, "edits"); break;
                    default: return null;
                }
            }

            json.End();
            return kind switch
            {
                JournalKind.Base when patch is not null => JournalRecord.Base(patch),
                JournalKind.Do when edits is not null => JournalRecord.Do(edits),
                JournalKind.More when edits is not null => JournalRecord.More(edits),
                JournalKind.Undo => JournalRecord.Undo,
                JournalKind.Redo => JournalRecord.Redo,
                _ => null,
            };
        }
        catch (JsonFault)
        {
            return null; // the checksum held, so an older or newer program wrote it
        }
    }

    private static ReadOnlySpan<byte> Name(JournalKind kind) => kind switch
    {
        JournalKind.Base => "base"u8,
        JournalKind.Do => "do"u8,
        JournalKind.More => "more"u8,
        JournalKind.Undo => "undo"u8,
        _ => "redo"u8,
    };

    private static JournalKind? Kind(string name) => name switch
    {
        "base" => JournalKind.Base,
        "do" => JournalKind.Do,
        "more" => JournalKind.More,
        "undo" => JournalKind.Undo,
        "redo" => JournalKind.Redo,
        _ => null,
    };

    private static uint Crc(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc = ~crc;
        // Both supported machines are little-endian.
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes)) crc = BitOperations.Crc32C(crc, word);
        foreach (var b in bytes[(bytes.Length & ~7)..]) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
