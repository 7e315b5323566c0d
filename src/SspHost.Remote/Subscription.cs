// What one client wants to hear of, and how often.
using System.Text.Json;
using SspHost.Abi;
using SspHost.Patching;

namespace SspHost.Remote;

/// <summary>A topic as one client subscribed to it.</summary>
internal sealed class Subscription
{
    private readonly double _perSecond;
    private double _tokens;
    private ulong _filled;

    private Subscription(Topic topic, double rate, IReadOnlyList<string> modules)
    {
        (Topic, _perSecond, Modules) = (topic, rate, modules);
        _tokens = Burst;
        _filled = Linux.Now();
    }

    public Topic Topic { get; }

    /// <summary>Modules whose telemetry is wanted.</summary>
    public IReadOnlyList<string> Modules { get; }

    /// <summary>Messages a second at most; 0: as they come.</summary>
    public double Rate => _perSecond;

    /// <summary>ns between two messages of a topic that shows a state.</summary>
    public ulong IntervalNs => (ulong)(1e9 / _perSecond);

    private double Burst => Math.Max(1, _perSecond);

    /// <summary>Whether one more event is within the rate; a second's worth may come at once. One caller at a time.</summary>
    public bool Admit()
    {
        if (_perSecond == 0) return true;
        var now = Linux.Now();
        _tokens = Math.Min(Burst, _tokens + ((now - _filled) / 1e9 * _perSecond));
        _filled = now;
        if (_tokens < 1) return false;
        _tokens--;
        return true;
    }

    /// <summary>Reads the list that `subscribe` was given. Throws <see cref="ProtocolException"/> with what is wrong with it.</summary>
    public static IReadOnlyList<Subscription> Read(JsonElement list, Func<JsonElement, string?> textOf, Func<JsonProperty, string> nameOf)
    {
        if (list.ValueKind == JsonValueKind.Undefined) throw ProtocolException.BadMessage($"\"to\" is missing; expected a list of {Known}");
        if (list.ValueKind != JsonValueKind.Array) throw ProtocolException.BadMessage($"\"to\" is no list; expected a list of {Known}");
        var subscriptions = new List<Subscription>();
        foreach (var item in list.EnumerateArray())
        {
            var one = item.ValueKind switch
            {
                JsonValueKind.String => new Subscription(Find(textOf(item)), Find(textOf(item)).UsualRate, []),
                JsonValueKind.Object => ReadOne(item, textOf, nameOf),
                _ => throw ProtocolException.BadMessage("\"to\" holds what is neither a topic nor an object with one"),
            };
            if (one.Topic.Name == "telemetry" && one.Modules.Count == 0) throw ProtocolException.BadMessage("'telemetry' needs \"modules\": the names of those to be shown");
            if (subscriptions.Exists(s => s.Topic == one.Topic)) throw ProtocolException.BadMessage($"'{one.Topic.Name}' stands twice in \"to\"");
            subscriptions.Add(one);
        }

        return subscriptions;
    }

    private static string Known => string.Join(", ", Protocol.Topics.Select(t => t.Name));

    private static Subscription ReadOne(JsonElement item, Func<JsonElement, string?> textOf, Func<JsonProperty, string> nameOf)
    {
        if (!item.TryGetProperty("topic", out var name)) throw ProtocolException.BadMessage($"\"topic\" is missing in \"to\"; expected one of {Known}");
        var topic = Find(name.ValueKind == JsonValueKind.String ? textOf(name) : throw ProtocolException.BadMessage("\"topic\" is no text"));
        var rate = topic.UsualRate;
        IReadOnlyList<string> modules = [];
        foreach (var field in item.EnumerateObject())
        {
            if (field.NameEquals("topic")) continue;
            if (field.NameEquals("rate"))
                rate = field.Value.ValueKind == JsonValueKind.Number && field.Value.TryGetDouble(out var r) && r >= Topic.MinRate && r <= topic.MaxRate
                    ? r
                    : throw ProtocolException.BadMessage(FormattableString.Invariant($"the rate of '{topic.Name}' is {Topic.MinRate} to {topic.MaxRate} a second"));
            else if (field.NameEquals("modules") && topic.Name == "telemetry")
                modules = ModulesOf(field.Value, textOf);
            else
                throw ProtocolException.BadMessage($"'{topic.Name}' has no field {PatchError.Quote(nameOf(field))} in \"to\"");
        }

        return new Subscription(topic, rate, modules);
    }

    private static List<string> ModulesOf(JsonElement list, Func<JsonElement, string?> textOf)
    {
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > Protocol.MaxTelemetryModules)
            throw ProtocolException.BadMessage($"\"modules\" is no list of 1 to {Protocol.MaxTelemetryModules} names");
        var names = new List<string>();
        foreach (var item in list.EnumerateArray())
        {
            var name = (item.ValueKind == JsonValueKind.String ? textOf(item) : null) ?? throw ProtocolException.BadMessage("\"modules\" is no list of texts");
            if (!names.Contains(name, StringComparer.Ordinal)) names.Add(name);
        }

        return names;
    }

    private static Topic Find(string? name) => Protocol.Topics.FirstOrDefault(t => t.Name == name)
        ?? throw ProtocolException.BadMessage($"{(name == null ? "a topic" : PatchError.Quote(name))} cannot be subscribed to; expected one of {Known}");
}
