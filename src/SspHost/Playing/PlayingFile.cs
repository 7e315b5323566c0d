// playing.json: what this control process gave the engine, so that its successor need not give it again.
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;

namespace SspHost.Playing;

/// <summary>
/// Written after each install into the runtime directory. It counts only while the very engine it names still plays the very plan
/// it names.
/// </summary>
/// <param name="Pid">Engine.</param>
/// <param name="Start">Its start time.</param>
/// <param name="Serial">Serial of the plan as the engine's status shows it.</param>
/// <param name="Hash">Hash of the plan's description.</param>
internal sealed record PlayingFile(int Pid, long Start, ulong Serial, ulong Hash)
{
    public const string FileName = "playing.json";

    /// <summary>Reads the file; null if there is none, or it is not what this program writes.</summary>
    public static PlayingFile? TryRead(string directory)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory, FileName)));
            var root = document.RootElement;
            return new PlayingFile(
                root.GetProperty("pid").GetInt32(), root.GetProperty("start").GetInt64(),
                Hex(root.GetProperty("serial").GetString()), Hex(root.GetProperty("hash").GetString()));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null; // the plan is installed again: nobody hears that
        }
    }

    /// <summary>Writes it by rename.</summary>
    public void Write(string directory)
    {
        var path = Path.Combine(directory, FileName);
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"version":1,"pid":{{Pid}},"start":{{Start}},"serial":"{{Serial:x16}}","hash":"{{Hash:x16}}"}""");
        File.WriteAllText(path + ".new", text + "\n");
        File.Move(path + ".new", path, overwrite: true);
    }

    /// <summary>The engine no longer plays exactly what was installed (a parameter moved).</summary>
    public static void Forget(string directory) => File.Delete(Path.Combine(directory, FileName));

    /// <summary>
    /// Hash of a plan: the same patch in the same slots gives the same, whatever its serial number, and whatever its modules were
    /// measured to cost (priorities change the order of work, not the sound).
    /// </summary>
    public static unsafe ulong HashOf(ReadOnlySpan<byte> description)
    {
        var copy = description.ToArray();
        fixed (byte* start = copy)
        {
            var header = (PlanHeader*)start;
            header->Serial = 0;
            for (var n = 0; n < header->NodeCount; n++)
            {
                var at = header->NodesOffset + ((long)n * sizeof(PlanNode));
                if (at < 0 || at + sizeof(PlanNode) > copy.Length) break;
                var node = (PlanNode*)(start + at);
                node->Priority = 0;
                for (var c = 0; c < Limits.MaxCoreClasses; c++) node->Costs[c] = 0;
            }
        }

        return BitConverter.ToUInt64(System.Security.Cryptography.SHA256.HashData(copy));
    }

    private static ulong Hex(string? text) => ulong.Parse(text ?? "", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
