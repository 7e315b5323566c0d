// JSON that is nearly right: a value swapped, dropped, doubled, nested, or a byte changed.
using System.Text;
using System.Text.Json.Nodes;

namespace SspHost.Tests;

internal static class JsonMutation
{
    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1e308", "9007199254740993", "18446744073709551616", "0.1", "\"\"", "\"x\"", "\"\\u0000\"", "\"status\"", "\"telemetry\"", "[]", "{}", "[[]]", "[\"log\",\"levels\"]",
        "[{\"topic\":\"levels\",\"rate\":30}]", "[{\"topic\":\"telemetry\",\"modules\":[\"lfo1\"]}]", "{\"op\":\"add\"}", "[null]", "\"/tmp\"",
    ];

    /// <summary>One line, whatever happens to it; never a line end, and no character that UTF-8 has not.</summary>
    public static string Mutate(string line, Random random)
    {
        var node = JsonNode.Parse(line)!;
        for (var k = random.Next(1, 4); k > 0; k--) Change(node, random);
        var text = node.ToJsonString();
        if (random.Next(4) != 0) return text;
        var bytes = new StringBuilder(text);
        for (var k = random.Next(1, 4); k > 0; k--)
        {
            var at = random.Next(bytes.Length);
            switch (random.Next(3))
            {
                case 0: bytes[at] = (char)random.Next(32, 127); break;
                case 1: bytes.Remove(at, 1); break;
                default: bytes.Insert(at, "{}[]\",:0e-\\"[random.Next(11)]); break;
            }
        }

        var changed = bytes.ToString();
        return string.IsNullOrWhiteSpace(changed) || changed.Contains("quit", StringComparison.Ordinal) ? text : changed;
    }

    private static void Change(JsonNode node, Random random)
    {
        // Down some way, then one change there.
        while (random.Next(3) != 0 && Child(node, random) is JsonObject or JsonArray)
        {
            var child = Child(node, random);
            if (child is JsonObject or JsonArray) node = child;
            else break;
        }

        var value = JsonNode.Parse(Values[random.Next(Values.Length)]);
        if (node is JsonObject o)
        {
            var names = o.Select(p => p.Key).ToArray();
            var name = names.Length > 0 ? names[random.Next(names.Length)] : "x";
            switch (random.Next(4))
            {
                case 0: o.Remove(name); break;
                case 1: o["x" + name] = value; break;
                default: o[name] = value; break;
            }
        }
        else if (node is JsonArray a)
        {
            if (a.Count > 0 && random.Next(2) == 0) a[random.Next(a.Count)] = value;
            else if (a.Count > 0 && random.Next(2) == 0) a.RemoveAt(random.Next(a.Count));
            else a.Add(value);
        }
    }

    private static JsonNode? Child(JsonNode node, Random random) => node switch
    {
        JsonObject { Count: > 0 } o => o.ElementAt(random.Next(o.Count)).Value,
        JsonArray { Count: > 0 } a => a[random.Next(a.Count)],
        _ => null,
    };
}
