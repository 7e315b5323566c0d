// The protocol's version says what is in the protocol: everywhere the same number, and a list of every name that belongs to it.
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using SspHost.Remote;

namespace SspHost.Tests;

public sealed partial class ProtocolVersionTests
{
    private static readonly string Version = string.Create(CultureInfo.InvariantCulture, $"{Protocol.Version}.{Protocol.Minor}");

    [Fact]
    public void Document_schema_and_hello_tell_the_same_version()
    {
        var document = File.ReadAllText(Path.Combine(ControlProtocolTests.Root, "src/SspHost.Remote/PROTOCOL.md"));
        Assert.StartsWith($"# The control protocol, version {Version}\n", document, StringComparison.Ordinal);
        Assert.Contains($"this host speaks {Version}\"", document, StringComparison.Ordinal);
        var told = Told().Matches(document).Select(static m => m.Groups["minor"].Value).ToArray();
        Assert.True(told.Length >= 2, "the document shows what the host says of itself");
        Assert.All(told, static minor => Assert.Equal(Protocol.Minor.ToString(CultureInfo.InvariantCulture), minor));
        using var schema = JsonDocument.Parse(Protocol.Schema);
        Assert.Equal("SspHost control protocol " + Version, schema.RootElement.GetProperty("title").GetString());
        Assert.Contains($"\n| {Version} | ", document, StringComparison.Ordinal);
    }

    // A list per version, to be compared by a person: what it lacks came without a new number, what it has too many went without one.
    [Fact]
    public void What_the_schema_names_is_what_this_version_is_known_to_have()
    {
        using var schema = JsonDocument.Parse(Protocol.Schema);
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var definition in schema.RootElement.GetProperty("$defs").EnumerateObject()) Collect(definition.Value, definition.Name, names);
        foreach (var command in Protocol.Commands) Assert.Contains(names, n => n.EndsWith("command=" + command, StringComparison.Ordinal));
        var list = Path.Combine(ControlProtocolTests.Root, "tests/SspHost.Tests/Protocol", Version + ".txt");
        Assert.True(File.Exists(list), $"there is no {list}: a new version wants a new list\n{string.Join('\n', names)}");
        var known = File.ReadAllLines(list).ToHashSet(StringComparer.Ordinal);
        Assert.True(
            names.SetEquals(known),
            $"what came wants a higher minor version and a list of its own, what went a higher major one.\ncame: {string.Join(", ", names.Except(known))}\nwent: {string.Join(", ", known.Except(names))}");
    }

    // Fields by the way to them, and the words a field may be.
    private static void Collect(JsonElement node, string path, SortedSet<string> names)
    {
        if (node.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in node.EnumerateArray()) Collect(item, path, names);
            return;
        }

        if (node.ValueKind != JsonValueKind.Object) return;
        foreach (var p in node.EnumerateObject())
        {
            if (p is { Name: "const", Value.ValueKind: JsonValueKind.String }) names.Add($"{path}={p.Value.GetString()}");
            else if (p is { Name: "enum", Value.ValueKind: JsonValueKind.Array }) foreach (var word in p.Value.EnumerateArray()) names.Add($"{path}={word}");
            else if (p.Name is not ("properties" or "$defs")) Collect(p.Value, path, names);
            else
            {
                foreach (var field in p.Value.EnumerateObject())
                {
                    names.Add($"{path}.{field.Name}");
                    Collect(field.Value, $"{path}.{field.Name}", names);
                }
            }
        }
    }

    [GeneratedRegex("""^\s*<.*"protocol":\d+,"minor":(?<minor>\d+)""", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Told();
}
