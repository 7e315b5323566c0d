// ssp events: what happens to the sound and to the patch, as it happens.
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using SspHost.Remote;

namespace SspHost.Commands;

internal static class EventsCommand
{
    public static Command Build()
    {
        var json = new Option<bool>("--json") { Description = "One JSON message a line, as the control socket sends them." };
        var log = new Option<bool>("--log") { Description = "What the host says, too." };
        var last = new Option<int>("--last") { Description = "Begin with so many incidents of before.", HelpName = "N" };
        last.Validators.Add(r =>
        {
            if (r.Tokens.Count > 0 && !int.TryParse(r.Tokens[^1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                r.AddError($"--last: expected a number from 0 up, not '{Patching.PatchError.OneLine(r.Tokens[^1].Value)}'");
        });
        var command = new Command("events", "Follow what happens: late quanta, dropouts, modules switched off, devices, changes of the patch.") { json, log, last };
        command.SetAction(r => Follow(r.GetValue(json), r.GetValue(log), r.GetValue(last)));
        return command;
    }

    private static int Follow(bool json, bool log, int last)
    {
        using var host = StatusCommand.Host();
        if (log) host.Subscribe(("incidents", 0), ("patch", 0), ("log", 0));
        else host.Subscribe(("incidents", 0), ("patch", 0));
        // Subscribed first, so that nothing falls between; what is in both is shown once.
        var shown = 0L;
        if (last > 0)
        {
            foreach (var kept in host.Ask("incidents", w => w.WriteNumber("limit", last)).GetProperty("incidents").EnumerateArray())
            {
                shown = kept.GetProperty("id").GetInt64();
                Console.WriteLine(json ? $"{{\"event\":\"incidents\",\"data\":{kept.GetRawText()}}}" : Line("incidents", kept));
            }
        }

        while (host.NextEvent() is { } told)
        {
            var (topic, data) = (told.GetProperty("event").GetString()!, told.GetProperty("data"));
            if (topic == "incidents" && data.GetProperty("id").GetInt64() <= shown) continue;
            Console.WriteLine(json ? told.GetRawText() : Line(topic, data));
        }

        return 0;
    }

    /// <summary>An event as a line for people.</summary>
    public static string Line(string topic, JsonElement data)
    {
        var text = topic switch
        {
            "incidents" => $"{Word(data, "kind"),-12} {Word(data, "text")}",
            "patch" => $"{"patch",-12} {Change(data)}",
            "log" => $"{"log",-12} {Word(data, "text")}",
            "dropped" => $"{"left out",-12} {string.Join(", ", data.EnumerateObject().Select(t => $"{t.Value.GetRawText()} of {t.Name}"))}",
            _ => $"{topic,-12} {data.GetRawText()}", // of a newer host
        };
        return $"{Clock(data)} {text}";
    }

    // What was left out carries no time: it is told now.
    private static string Clock(JsonElement data)
    {
        var time = data.ValueKind == JsonValueKind.Object && data.TryGetProperty("time", out var t) && t.TryGetDateTime(out var told) ? told.ToLocalTime() : DateTime.Now;
        return time.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
    }

    private static string Change(JsonElement data)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{data.GetProperty("sequence").GetInt64()}: {Word(data, "action")} by {Word(data, "by")}");
        foreach (var (field, sign) in new[] { ("added", '+'), ("removed", '-'), ("changed", '~') })
        {
            if (!data.TryGetProperty(field, out var names)) continue;
            foreach (var name in names.EnumerateArray()) text.Append(' ').Append(sign).Append(name.GetString());
            if (data.TryGetProperty(field + "More", out var more)) text.Append(CultureInfo.InvariantCulture, $" {sign}({more.GetInt32()} more)");
        }

        foreach (var (field, word) in new[] { ("cablesAdded", "added"), ("cablesRemoved", "removed") })
            if (data.TryGetProperty(field, out var n) && n.GetInt32() is > 0 and var count) text.Append(CultureInfo.InvariantCulture, $", {count} {(count == 1 ? "cable" : "cables")} {word}");
        return text.ToString();
    }

    private static string Word(JsonElement data, string field) => data.TryGetProperty(field, out var v) ? v.GetString() ?? "" : "";
}
