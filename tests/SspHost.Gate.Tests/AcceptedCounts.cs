// The counts that were accepted, each with the reason it was accepted for: the file that a change is held against.
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SspHost.Gate.Tests;

/// <summary>A count as it was accepted: instructions a frame and of the whole render, what made and counted them, and why it is what it is.</summary>
internal sealed record AcceptedCount(double PerFrame, long Whole, string With, string Note);

/// <summary>
/// <c>instructions.json</c>. Of each patch it keeps every count that was ever accepted, oldest first: the last is the one that holds, and none of the
/// others is ever changed. So a change that costs more than <see cref="Limit"/> says so in its own diff, by a line with a note.
/// </summary>
internal sealed class AcceptedCounts
{
    /// <summary>Part of a count by which it may be off in either direction: a count that got better unseen would hide that it gets worse again.</summary>
    public const double Limit = 0.03;

    private const double Rounding = 1e-9; // of the division: 3 % to the digit pass

    /// <summary>Fewest letters of a note.</summary>
    public const int ShortestNote = 12;

    public int Version { get; init; } = 1;

    /// <summary>Instruction sets of the image that was counted.</summary>
    public string InstructionSet { get; set; } = "";

    public SortedDictionary<string, List<AcceptedCount>> Patches { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Reads what <see cref="Write"/> wrote; throws <see cref="FormatException"/> for anything else.</summary>
    public static AcceptedCounts Parse(string json)
    {
        try
        {
            var read = JsonSerializer.Deserialize(json, AcceptedJson.Default.AcceptedCounts) ?? throw new FormatException("accepted counts: expected an object");
            return read.Version == 1 ? read : throw new FormatException($"accepted counts: expected version 1, not {read.Version}");
        }
        catch (JsonException e)
        {
            throw new FormatException($"accepted counts: {e.Message}", e);
        }
    }

    /// <summary>The file's text. Notes are for people: their signs stand as they were written.</summary>
    public string Write()
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            JsonSerializer.Serialize(writer, this, AcceptedJson.Default.AcceptedCounts);
        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
    }

    /// <summary>What is wrong with the file by itself: each count needs a note of its own.</summary>
    public IEnumerable<string> Flaws()
    {
        foreach (var (patch, counts) in Patches)
        {
            if (counts.Count == 0) yield return $"{patch}: no count is accepted";
            for (var i = 0; i < counts.Count; i++)
            {
                var c = counts[i];
                if (!(c.PerFrame > 0) || c.Whole <= 0) yield return $"{patch}, count {i + 1}: expected instructions above 0";
                if (c.Note.Trim().Length < ShortestNote) yield return $"{patch}, count {i + 1}: expected a note that says why, of {ShortestNote} letters and more, not '{c.Note}'";
                else if (i > 0 && c.Note == counts[i - 1].Note) yield return $"{patch}, count {i + 1}: the note is that of the count before";
            }
        }
    }

    /// <summary>What was accepted before (<paramref name="before"/>: the file that a change started from) and is not here any more as it was.</summary>
    public IEnumerable<string> Rewritten(AcceptedCounts before)
    {
        foreach (var (patch, counts) in before.Patches)
        {
            if (!Patches.TryGetValue(patch, out var now)) yield return $"{patch}: it was held to {counts[^1].PerFrame:0.0} instructions a frame and is not counted any more";
            else if (!now.Take(counts.Count).SequenceEqual(counts)) yield return $"{patch}: a count that was accepted before was changed; add one behind it, with its note";
        }
    }

    /// <summary>What is beyond <see cref="Limit"/>.</summary>
    public IEnumerable<string> Complaints(IReadOnlyDictionary<string, double> measured)
    {
        foreach (var (patch, counts) in Patches)
        {
            if (!measured.TryGetValue(patch, out var perFrame))
            {
                yield return $"{patch}: it was not counted";
                continue;
            }

            var accepted = counts[^1];
            var change = (perFrame / accepted.PerFrame) - 1;
            if (Math.Abs(change) > Limit + Rounding)
                yield return string.Create(
                    CultureInfo.InvariantCulture,
                    $"{patch}: {perFrame:0.0} instructions a frame, accepted {accepted.PerFrame:0.0} ({change:+0.0 %;-0.0 %}, the limit is {Limit:0 %}; accepted with {accepted.With})");
        }

        foreach (var patch in measured.Keys.Where(p => !Patches.ContainsKey(p))) yield return $"{patch}: no count is accepted";
    }

    /// <summary>Accepts what was counted where it is another count by more than a tenth of the limit, and leaves the rest alone.</summary>
    public void Accept(string patch, PatchCount count, string with, string note)
    {
        var counts = Patches.GetValueOrDefault(patch) ?? (Patches[patch] = []);
        if (counts.Count > 0 && Math.Abs((count.PerFrame / counts[^1].PerFrame) - 1) <= Limit / 10) return;
        counts.Add(new AcceptedCount(Math.Round(count.PerFrame, 1), count.Long.Total, with, note));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(AcceptedCounts))]
internal sealed partial class AcceptedJson : JsonSerializerContext;
