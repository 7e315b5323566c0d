// The protocol as PROTOCOL.md and its schema promise it: examples are played, topics come at their rates, nobody can slow the host.
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using SspHost.Abi;
using SspHost.Diagnostics;
using SspHost.Remote;

namespace SspHost.Tests;

[Collection(ControlCollection.Name)]
public sealed partial class ControlProtocolTests : IDisposable
{
    private readonly SchemaValidator _validator;
    private readonly ControlHost _host;

    public ControlProtocolTests(SchemaValidator validator) => (_validator, _host) = (validator, new ControlHost(validator));

    [Fact]
    public void Every_example_of_the_document_is_what_a_host_really_answers()
    {
        Fill(_host);
        using var c = _host.Connect();
        var last = c.Read();
        var requests = 0;
        foreach (var (sent, text) in Examples())
        {
            var line = text.Replace("/patches/", _host.Directory + "/", StringComparison.Ordinal);
            if (sent)
            {
                requests++;
                var refused = _validator.Client(line);
                Assert.True(refused == null || line.Contains("stauts", StringComparison.Ordinal), $"{line}: the schema refuses it: {refused}");
                if (line.Contains("\"subscribe\"", StringComparison.Ordinal)) _host.Play(2000);
                last = c.Ask(line);
                if (!NextIsError(line)) Assert.True(last.GetProperty("ok").GetBoolean(), $"{line}\n{last.GetRawText()}");
                continue;
            }

            using var told = JsonDocument.Parse(Marked(line));
            if (told.RootElement.TryGetProperty("event", out var topic)) last = Wrapped(topic.GetString()!, topic.GetString() == "dropped" ? Dropped() : c.Event(topic.GetString()!));
            var where = Differs(told.RootElement, last, "");
            Assert.True(where == null, $"{where}: the document says\n{line}\nand the host\n{last.GetRawText()}");
        }

        Assert.True(requests >= 39, $"only {requests} examples were found");
        foreach (var command in Protocol.Commands) Assert.Contains(Examples(), e => e.Sent && e.Line.Contains($"\"command\":\"{command}\"", StringComparison.Ordinal));
    }

    [Fact]
    public void The_schema_refuses_what_is_not_promised_and_lets_pass_what_may_come_later()
    {
        if (!_validator.Exists) return;
        const string good = """{"event":"incidents","data":{"id":1,"kind":"late","frame":5,"time":"2026-01-31T20:15:00.000000Z","monotonic":"1","figures":{},"text":""}}""";
        Assert.Null(_validator.Host(good));
        foreach (var (from, to) in new[] { ("\"id\":1,", ""), ("\"frame\":5", "\"frame\":-5"), ("\"frame\":5", "\"frame\":1e300"), (".000000Z", "Z"), ("\"1\"", "1"), ("\"late\"", "null"), ("incidents", "accidents") })
            Assert.NotNull(_validator.HostAsPublished(good.Replace(from, to, StringComparison.Ordinal)));
        var newer = good.Replace("\"id\":1", "\"id\":1,\"weather\":\"rain\"", StringComparison.Ordinal);
        Assert.NotNull(_validator.Host(newer)); // these tests would find a field that the schema does not describe
        Assert.Null(_validator.HostAsPublished(newer)); // and a client's older schema lets it pass
        Assert.NotNull(_validator.Client("""{"command":"subscribe","to":["telemetry"]}"""));
        Assert.NotNull(_validator.Client("""{"command":"status","extra":1}"""));
        Assert.NotNull(_validator.Host("""{"id":1,"ok":true,"result":{"state":"playing"}}""", "status"));
    }

    [Fact]
    public void A_version_that_is_not_spoken_is_refused_in_one_line_and_the_least_minor_is_respected()
    {
        using var c = _host.Connect();
        c.Read();
        Assert.True(c.Ask("""{"command":"hello","protocol":1,"minor":0}""").GetProperty("ok").GetBoolean());
        foreach (var (hello, code) in new[]
        {
            ("\"protocol\":2", "version"), ("\"protocol\":0", "version"), ("\"protocol\":1,\"minor\":9999", "version"), ("\"minor\":1", "bad-message"), ("\"protocol\":\"1\"", "bad-message"),
            ("\"protocol\":1.5", "bad-message"), ("\"name\":7", "bad-message"),
        })
        {
            var error = c.Ask($$"""{"command":"hello",{{hello}}}""").GetProperty("error");
            Assert.Equal(code, error.GetProperty("code").GetString());
            Assert.DoesNotContain('\n', error.GetProperty("message").GetString()!);
        }

        Assert.True(c.Ask("""{"command":"status"}""").GetProperty("ok").GetBoolean());
    }

    [Theory]
    [InlineData("""[7]""", "neither a topic")]
    [InlineData("""["weather"]""", "expected one of status, levels")]
    [InlineData("""[{"rate":1}]""", "\"topic\" is missing")]
    [InlineData("""[{"topic":7}]""", "no text")]
    [InlineData("""[{"topic":"levels","rate":31}]""", "0.1 to 30 a second")]
    [InlineData("""[{"topic":"status","rate":0}]""", "0.1 to 10 a second")]
    [InlineData("""[{"topic":"status","rate":"1"}]""", "0.1 to 10 a second")]
    [InlineData("""[{"topic":"status","modules":["a"]}]""", "no field 'modules'")]
    [InlineData("""["telemetry"]""", "needs \"modules\"")]
    [InlineData("""[{"topic":"telemetry","modules":[]}]""", "1 to 64 names")]
    [InlineData("""[{"topic":"telemetry","modules":[1]}]""", "no list of texts")]
    [InlineData("""["log","log"]""", "twice")]
    [InlineData("""{"topic":"log"}""", "no list")]
    public void A_subscription_that_is_not_right_is_one_clear_error_and_changes_nothing(string to, string expected)
    {
        using var c = _host.Connect();
        c.Read();
        c.Ask("""{"command":"subscribe","to":["log"]}""");
        var line = $$"""{"command":"subscribe","to":{{to}}}""";
        var error = c.Ask(line).GetProperty("error");
        Assert.Equal("bad-message", error.GetProperty("code").GetString());
        Assert.Contains(expected, error.GetProperty("message").GetString()!, StringComparison.Ordinal);
        if (_validator.Exists && !to.Contains("\"log\",", StringComparison.Ordinal)) Assert.NotNull(_validator.Client(line)); // that a topic stands twice is beyond a schema
        _host.Log.Add("still told");
        Assert.Equal("still told", c.Event("log").GetProperty("text").GetString());
    }

    [Fact]
    public void Subscribers_of_one_topic_at_one_rate_share_its_measurement_and_it_ends_with_the_last_of_them()
    {
        Fill(_host);
        Assert.Equal(0, _host.Server.Feeds);
        using (var a = _host.Connect())
        using (var b = _host.Connect())
        {
            a.Ask("""{"command":"subscribe","to":[{"topic":"levels","rate":30},{"topic":"status","rate":10}]}""");
            b.Ask("""{"command":"subscribe","to":[{"topic":"levels","rate":30},{"topic":"status","rate":5}]}""");
            Assert.Equal(3, _host.Server.Feeds);
            Assert.Equal([2, 3], new[] { "inputs", "outputs" }.Select(d => a.Event("levels").GetProperty(d).GetProperty("volts").GetArrayLength()));
            Assert.Equal([-26f, -26f], b.Event("levels").GetProperty("inputs").GetProperty("dbfs").EnumerateArray().Select(v => v.GetSingle()));
            b.Ask("""{"command":"subscribe","to":[]}""");
            Assert.Equal(2, _host.Server.Feeds);
        }

        ControlHost.Until(() => _host.Server is { Feeds: 0, Clients: 0 }, "the feeds of clients that left have ended");
    }

    [Fact]
    public void Figures_stop_with_the_engine_and_go_on_with_the_next_one()
    {
        Fill(_host);
        using var c = _host.Connect();
        c.Ask("""{"command":"subscribe","to":[{"topic":"status","rate":10},{"topic":"costs","rate":4},{"topic":"levels","rate":30},{"topic":"telemetry","rate":30,"modules":["lfo1"]}]}""");
        Assert.Equal("playing", c.Event("status").GetProperty("state").GetString());
        _host.Gone = true;
        while (c.Event("status").GetProperty("state").GetString() != "none")
        {
            // One that was on its way.
        }

        Assert.Equal("lfo1", Assert.Single(c.Event("telemetry").GetProperty("missing").EnumerateArray().ToArray()).GetString());
        _host.Generation++;
        _host.Gone = false;
        while (c.Event("status").GetProperty("state").GetString() != "playing")
        {
            // As above.
        }

        while (c.Event("telemetry").GetProperty("modules").GetArrayLength() == 0)
        {
            // As above.
        }
    }

    [Fact]
    public void Numbers_that_json_cannot_hold_never_reach_the_wire()
    {
        Fill(_host);
        _host.Play(10, float.NaN);
        using var c = _host.Connect();
        c.Read();
        Assert.Equal(0f, c.Ask("""{"command":"levels"}""").GetProperty("result").GetProperty("inputs").GetProperty("volts")[0].GetSingle());
        _host.Play(20, float.PositiveInfinity);
        Assert.Equal(Limits.MaxVolts, c.Ask("""{"command":"levels"}""").GetProperty("result").GetProperty("inputs").GetProperty("volts")[0].GetSingle());
        var scope = c.Ask("""{"command":"telemetry","modules":["lfo1","lfo1"]}""").GetProperty("result").GetProperty("modules")[0].GetProperty("telemetry")[0];
        Assert.Equal([JsonValueKind.Number, JsonValueKind.Number, JsonValueKind.Null, JsonValueKind.Number], scope.GetProperty("values").EnumerateArray().Select(v => v.ValueKind));
        c.Ask("""{"command":"subscribe","to":[{"topic":"status","rate":10}]}""");
        Assert.True(c.Event("status").GetProperty("audio").GetProperty("inputPeaks")[0].GetSingle() <= Limits.MaxVolts);
    }

    [Fact]
    public void A_client_that_does_not_read_finds_the_newest_state_and_how_many_events_it_missed()
    {
        Fill(_host);
        using var slow = _host.Connect();
        slow.Read();
        var begun = Environment.TickCount64;
        slow.Ask("""{"command":"subscribe","to":["log",{"topic":"levels","rate":30}]}""");
        var line = new string('x', 10_000);
        var before = _host.Log.Last;
        const int Told = 200; // 2 MB: far beyond what may wait
        for (var i = 0; i < Told; i++) _host.Log.Add(line);
        var (came, idle) = (0, 0L);
        while (came == 0 || slow.Available != came) // until a second passes in which nothing more can be sent; thirty levels or so are due in it
        {
            came = slow.Available;
            var asleep = Environment.TickCount64;
            Thread.Sleep(1000);
            idle = Environment.TickCount64 - asleep;
        }

        var (lines, levels, dropped) = (0, 0, 0L);
        var lastId = before;
        while (lines + dropped < Told)
        {
            var e = slow.Read();
            var data = e.GetProperty("data");
            switch (e.GetProperty("event").GetString())
            {
                case "log":
                    var id = data.GetProperty("id").GetInt64();
                    Assert.Equal(lastId + 1, id); // what is missing is told where it is missing
                    lastId = id;
                    lines++;
                    break;
                case "dropped":
                    dropped += data.GetProperty("log").GetInt64();
                    lastId += data.GetProperty("log").GetInt64();
                    break;
                default:
                    levels++;
                    break;
            }
        }

        Assert.InRange(lines, 20, 100);
        Assert.Equal(Told, lines + dropped);
        // One of that second, and those from before and since it reads again; never a queue of them.
        Assert.InRange(levels, 1, 5 + (int)((Environment.TickCount64 - begun - idle) * 31 / 1000));
    }

    [Fact]
    public void Events_beyond_the_rate_are_counted_instead_of_sent()
    {
        using var c = _host.Connect();
        c.Ask("""{"command":"subscribe","to":[{"topic":"incidents","rate":0.1}]}""");
        for (var i = 0; i < 50; i++) _host.Incidents.Add(new Notice { Kind = NoticeKind.Late, A = i }, module: null);
        Assert.Equal(1, c.Event("incidents").GetProperty("id").GetInt64());
        Assert.Equal(49, c.Event("dropped").GetProperty("incidents").GetInt64());
        Assert.Equal(50, c.Ask("""{"command":"incidents"}""").GetProperty("result").GetProperty("incidents").GetArrayLength());
        Assert.Equal([49, 50], c.Ask("""{"command":"incidents","since":3,"limit":2}""").GetProperty("result").GetProperty("incidents").EnumerateArray().Select(i => i.GetProperty("id").GetInt32()));
        Assert.Empty(c.Ask("""{"command":"incidents","since":50}""").GetProperty("result").GetProperty("incidents").EnumerateArray());
    }

    [Fact]
    public void A_change_is_told_with_who_made_it_what_it_did_and_whether_it_is_saved()
    {
        using var a = _host.Connect();
        using var b = _host.Connect();
        a.Ask("""{"command":"subscribe","to":["patch"]}""");
        b.Ask("""{"command":"hello","name":"pa\nnel"}""");
        b.Ask("""{"command":"edit","edits":[{"op":"add","add":{"id":"t","type":"tone"}},{"op":"add","add":{"id":"e","type":"ear"}},{"op":"connect","from":"t.out","to":"e.in"}]}""");
        var e = a.Event("patch");
        Assert.Equal(("edit", "structure", 1, false), (e.GetProperty("action").GetString(), e.GetProperty("kind").GetString(), e.GetProperty("cablesAdded").GetInt32(), e.GetProperty("saved").GetBoolean()));
        Assert.DoesNotContain('\n', e.GetProperty("by").GetString()!);
        Assert.Equal(["t", "e"], e.GetProperty("added").EnumerateArray().Select(m => m.GetString()));
        var file = Path.Combine(_host.Directory, "p.json");
        Assert.True(b.Ask($$"""{"command":"save","path":"{{file}}"}""").GetProperty("result").GetProperty("saved").GetBoolean());
        e = a.Event("patch");
        Assert.Equal(("save", true, file), (e.GetProperty("action").GetString(), e.GetProperty("saved").GetBoolean(), e.GetProperty("file").GetString()));
        b.Ask("""{"command":"edit","edits":{"op":"param","module":"t","param":"pitch","value":1}}""");
        e = a.Event("patch");
        Assert.Equal(("values", "t", false), (e.GetProperty("kind").GetString(), Assert.Single(e.GetProperty("changed").EnumerateArray().ToArray()).GetString(), e.GetProperty("saved").GetBoolean()));
        b.Ask("""{"command":"undo"}""");
        e = a.Event("patch");
        Assert.Equal(("undo", true, true), (e.GetProperty("action").GetString(), e.GetProperty("saved").GetBoolean(), e.GetProperty("canRedo").GetBoolean()));
        _ = _host.Session.Apply(new Patching.RemoveModule("e"));
        e = a.Event("patch");
        Assert.Equal(("host", "e", 1), (e.GetProperty("by").GetString(), Assert.Single(e.GetProperty("removed").EnumerateArray().ToArray()).GetString(), e.GetProperty("cablesRemoved").GetInt32()));
        Assert.True(b.Ask($$"""{"command":"load","path":"{{file}}"}""").GetProperty("result").GetProperty("saved").GetBoolean());
        Assert.Equal(("load", true), (a.Event("patch") is var l ? l.GetProperty("action").GetString() : "", l.GetProperty("saved").GetBoolean()));
    }

    [Fact]
    public async Task Saving_while_others_edit_keeps_nobody_waiting_for_ever()
    {
        using var a = _host.Connect();
        using var b = _host.Connect();
        a.Ask("""{"command":"subscribe","to":["patch"]}""");
        Assert.Null(_host.Session.Apply(new Patching.RenamePatch("begin")));
        var stop = false;
        var edits = Task.Run(() =>
        {
            for (var i = 0; !Volatile.Read(ref stop); i++, Thread.Yield()) Assert.Null(_host.Session.Apply(new Patching.RenamePatch($"p{i % 10}")));
        });
        var file = Path.Combine(_host.Directory, "p.json");
        var saves = Task.Run(() =>
        {
            for (var i = 0; i < 20; i++) Assert.True(b.Ask($$"""{"command":"save","path":"{{file}}"}""").GetProperty("ok").GetBoolean());
        });
        await saves.WaitAsync(TimeSpan.FromSeconds(120));
        Volatile.Write(ref stop, true);
        await edits.WaitAsync(TimeSpan.FromSeconds(120));
    }

    [Fact]
    public void Messages_mutated_at_random_are_refused_or_served_and_nothing_leaks_or_stops()
    {
        Fill(_host);
        var random = new Random(20261);
        var seeds = Examples().Where(e => e.Sent && !e.Line.Contains("\"quit\"", StringComparison.Ordinal) && !e.Line.Contains("path\":\"/", StringComparison.Ordinal)).Select(e => e.Line).ToArray();
        var before = Directory.GetFiles("/proc/self/fd").Length;
        for (var round = 0; round < 20; round++)
        {
            using var c = _host.Connect();
            c.Read();
            for (var i = 0; i < 100; i++)
            {
                var line = JsonMutation.Mutate(seeds[random.Next(seeds.Length)], random);
                var reply = c.Ask(line);
                if (reply.GetProperty("ok").GetBoolean()) continue;
                var error = reply.GetProperty("error");
                Assert.False(error.GetProperty("code").GetString() == "internal", $"{line}\n{reply.GetRawText()}");
                Assert.DoesNotContain('\n', error.GetProperty("message").GetString()!);
            }

            var noise = new byte[random.Next(1, 5000)];
            random.NextBytes(noise);
            c.Write(noise); // and away, in the middle of a line or of many
        }

        ControlHost.Until(() => _host.Server is { Clients: 0, Feeds: 0 }, "all clients and feeds are gone");
        ControlHost.Until(() => Directory.GetFiles("/proc/self/fd").Length <= before + 4, "no descriptor is left open");
        using var last = _host.Connect();
        Assert.True(last.Ask("""{"command":"status"}""").GetProperty("ok").GetBoolean());
    }

    public void Dispose() => _host.Dispose();

    // A patch, an incident and a line for the examples to speak of.
    private static unsafe void Fill(ControlHost host)
    {
        Assert.Null(host.Session.Apply(new Patching.AddModule(new Patching.Module { Id = "vco1", Type = "vco" }), new Patching.AddModule(new Patching.Module { Id = "lfo1", Type = "lfo" })));
        _ = host.Session.Pump();
        var vco = host.Session.Plan!.Instances[0];
        host.Map.Instances[vco.Slot].Calls = 1;
        var sampler = new CostSampler(host.Link, [.. ControlHost.Modules.Types.Select(t => t.Descriptor)]);
        ref var record = ref host.Map.Instances[vco.Slot];
        (record.Calls, record.Nanoseconds, record.Longest) = (101, 150_000, 9000);
        host.Latest = sampler.Take();
        host.Incidents.Add(new Notice { Kind = NoticeKind.Dropout, Key = vco.Key, Incident = 7, Frame = 48_000, Time = Linux.Now(), A = 32, B = 1, C = 910_000 }, "vco1");
        host.Log.Add("a line");
    }

    private static JsonElement Wrapped(string topic, JsonElement data)
    {
        using var document = JsonDocument.Parse($$"""{"event":"{{topic}}","data":{{data.GetRawText()}}}""");
        return document.RootElement.Clone();
    }

    private JsonElement Dropped()
    {
        using var c = _host.Connect();
        c.Ask("""{"command":"subscribe","to":[{"topic":"incidents","rate":0.1},{"topic":"log","rate":0.1}]}""");
        for (var i = 0; i < 13; i++) _host.Incidents.Add(new Notice { Kind = NoticeKind.Late }, module: null);
        for (var i = 0; i < 4; i++) _host.Log.Add("x");
        // What is told before the first line of the log came counts, too.
        var (incidents, log) = (0L, 0L);
        while (incidents < 12 || log < 3)
        {
            var dropped = c.Event("dropped");
            incidents += dropped.TryGetProperty("incidents", out var i) ? i.GetInt64() : 0;
            log += dropped.TryGetProperty("log", out var l) ? l.GetInt64() : 0;
        }

        using var sum = JsonDocument.Parse($$"""{"incidents":{{incidents}},"log":{{log}}}""");
        return sum.RootElement.Clone();
    }

    private static bool NextIsError(string request)
    {
        using var sent = JsonDocument.Parse(request);
        return sent.RootElement.TryGetProperty("id", out var id)
            && Examples().Any(e => !e.Sent && e.Line.StartsWith($"{{\"id\":{id.GetRawText()},\"ok\":false", StringComparison.Ordinal));
    }

    private static List<(bool Sent, string Line)> Examples()
    {
        var examples = new List<(bool, string)>();
        foreach (var line in File.ReadLines(Path.Combine(Root, "src/SspHost.Remote/PROTOCOL.md")))
        {
            if (line.StartsWith("    > {", StringComparison.Ordinal)) examples.Add((true, line[6..]));
            if (line.StartsWith("    < {", StringComparison.Ordinal)) examples.Add((false, line[6..]));
        }

        return examples;
    }

    internal static string Root { get; } = typeof(ControlProtocolTests).Assembly.GetCustomAttributes(false)
        .OfType<System.Reflection.AssemblyMetadataAttribute>().Single(a => a.Key == "SspRoot").Value!;

    // "..." within an object or a list: there is more.
    private static string Marked(string example) => MoreItems().Replace(MoreFields().Replace(example, "\"...\":0"), "\"...\"");

    [GeneratedRegex(@"(?<=[,{])\.\.\.(?=\})", RegexOptions.None, 1000)]
    private static partial Regex MoreFields();

    [GeneratedRegex(@"(?<=[,\[])\.\.\.(?=\])", RegexOptions.None, 1000)]
    private static partial Regex MoreItems();

    // Where a live message is not what the document shows: fields and types exactly, words and flags too where they are not a place's or a time's.
    private static string? Differs(JsonElement told, JsonElement live, string at)
    {
        static bool Flag(JsonElement e) => e.ValueKind is JsonValueKind.True or JsonValueKind.False;
        if (told.ValueKind != live.ValueKind && !(Flag(told) && Flag(live))) return $"{at}: {told.ValueKind} and {live.ValueKind}";
        switch (told.ValueKind)
        {
            case JsonValueKind.Object:
                var more = told.TryGetProperty("...", out _);
                foreach (var p in told.EnumerateObject())
                {
                    if (p.Name == "...") continue;
                    if (!live.TryGetProperty(p.Name, out var value)) return $"{at}/{p.Name}: not there";
                    if (Differs(p.Value, value, $"{at}/{p.Name}") is { } deeper) return deeper;
                }

                foreach (var p in live.EnumerateObject())
                    if (!more && !told.TryGetProperty(p.Name, out _)) return $"{at}/{p.Name}: not in the document";
                return null;
            case JsonValueKind.Array:
                var items = told.EnumerateArray().ToList();
                var open = items.Count > 0 && items[^1].ValueKind == JsonValueKind.String && items[^1].GetString() == "...";
                if (open) items.RemoveAt(items.Count - 1);
                if (live.GetArrayLength() < items.Count || (!open && live.GetArrayLength() != items.Count)) return $"{at}: {live.GetArrayLength()} items";
                for (var i = 0; i < items.Count; i++)
                    if (Differs(items[i], live[i], $"{at}/{i}") is { } deeper) return deeper;
                return null;
            case JsonValueKind.String:
                var text = told.GetString()!;
                return text == "..." || at.Split('/')[^1] is "time" or "monotonic" or "version" || text == live.GetString() ? null : $"{at}: \"{live.GetString()}\"";
            case JsonValueKind.True or JsonValueKind.False:
                return told.GetBoolean() == live.GetBoolean() ? null : $"{at}: {live.GetBoolean()}";
            default:
                return at is "/hello/protocol" or "/hello/minor" or "/id" && told.GetRawText() != live.GetRawText() ? $"{at}: {live.GetRawText()}" : null;
        }
    }
}
