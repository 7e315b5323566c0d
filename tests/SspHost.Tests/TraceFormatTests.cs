// Each export against the rules of the tools that read it, and all of them against the events that went in.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using SspHost.Abi;
using SspHost.Diagnostics.Tracing;

namespace SspHost.Tests;

public sealed partial class TraceFormatTests
{
    private const int Quanta = 200, Modules = 17;

    private static readonly List<(int Seat, TraceEvent Event)> Events = SyntheticTrace.Events(Quanta, Modules, 42);
    private static readonly TraceView View = new(RawTrace.Read(SyntheticTrace.Raw(Events, SyntheticTrace.Header(Modules, Names()), SyntheticTrace.Switches())));

    private static int Zones => Events.Count(e => TraceView.IsZone(e.Event.Kind));

    private static int Marks => Events.Count - Zones;

    // Names are the player's: quotes, other scripts, nothing at all.
    private static IEnumerable<string> Names() => Enumerable.Range(0, Modules).Select(m => m switch { 3 => "say \"hi\"\\", 4 => "Bässe 低音", 5 => "", 6 => "</script>", _ => string.Create(CultureInfo.InvariantCulture, $"vco {m}") });

    [Fact]
    public void Every_event_is_in_the_view_with_its_length_and_zones_nest()
    {
        Assert.Equal((Zones, Marks), (View.Zones, View.Marks));
        foreach (var track in View.Tracks)
        {
            var ends = new Stack<ulong>();
            ulong before = 0;
            foreach (var z in track.Zones)
            {
                Assert.True(z.Start >= before);
                before = z.Start;
                while (ends.TryPeek(out var end) && end <= z.Start) ends.Pop();
                Assert.True(!ends.TryPeek(out var around) || z.End <= around, $"{z.Kind} of quantum {z.Quantum} sticks out");
                Assert.Equal(ends.Count, z.Depth);
                Assert.Equal(z.Nanoseconds, z.Shown); // these nest by themselves: nothing is cut
                ends.Push(z.End);
            }
        }
    }

    [Fact]
    public void A_zone_that_sticks_out_of_another_is_shown_up_to_its_end_and_says_how_long_it_was()
    {
        var raw = SyntheticTrace.Raw(
            [(0, SyntheticTrace.At(TraceKind.Quantum, 1, 1000, 500, 1)), (0, SyntheticTrace.At(TraceKind.Module, 1, 1400, 300, SyntheticTrace.KeyOf(0), 0))],
            SyntheticTrace.Header(1));
        var module = new TraceView(RawTrace.Read(raw)).Tracks[0].Zones.Single(z => z.Kind == TraceKind.Module);
        Assert.Equal((100ul, 300ul), (module.Shown, module.Nanoseconds));
    }

    [Fact]
    public void What_lies_outside_the_time_that_was_asked_for_is_left_out()
    {
        var header = SyntheticTrace.Header(Modules) with { From = TraceRegion.Epoch + 20_000_000, To = TraceRegion.Epoch + 40_000_000 };
        var view = new TraceView(RawTrace.Read(SyntheticTrace.Raw(Events, header)));
        Assert.InRange(view.Zones, 100, Zones - 100);
        Assert.All(view.Tracks.SelectMany(t => t.Zones), z => Assert.True(z.End >= header.From && z.Start <= header.To));
    }

    [Fact]
    public void The_chrome_trace_is_what_its_importers_expect()
    {
        using var json = JsonDocument.Parse(SyntheticTrace.Export("chrome", View));
        var events = json.RootElement.GetProperty("traceEvents").EnumerateArray().ToList();
        Assert.All(events.Take(5), e => Assert.True(e.TryGetProperty("ph", out _))); // by this Firefox knows the format
        foreach (var e in events)
        {
            Assert.Equal(JsonValueKind.String, e.GetProperty("name").ValueKind); // or Firefox throws
            Assert.Contains(e.GetProperty("ph").GetString(), new[] { "M", "X", "C", "i" });
            Assert.True(e.GetProperty("ts").GetDecimal() >= 0);
            Assert.True(e.GetProperty("pid").GetInt32() > 0 && e.GetProperty("tid").GetInt32() > 0);
            var arguments = e.GetProperty("args").EnumerateObject().ToList();
            if (e.GetProperty("ph").GetString() == "C") Assert.All(arguments, a => Assert.Equal(JsonValueKind.Number, a.Value.ValueKind));
            else if (e.GetProperty("ph").GetString() != "M") Assert.Equal(("data", JsonValueKind.Object), (Assert.Single(arguments).Name, arguments[0].Value.ValueKind)); // all that Firefox keeps
            if (e.GetProperty("ph").GetString() == "i") Assert.Contains(e.GetProperty("s").GetString(), new[] { "t", "p", "g" });
        }

        foreach (var thread in events.Where(e => e.GetProperty("ph").GetString() == "X").GroupBy(e => (e.GetProperty("pid").GetInt32(), e.GetProperty("tid").GetInt32())))
        {
            AssertNests(thread.Select(e => (e.GetProperty("ts").GetDecimal(), e.GetProperty("ts").GetDecimal() + e.GetProperty("dur").GetDecimal())));
            Assert.Contains(events, e => e.GetProperty("name").GetString() == "thread_name" && (e.GetProperty("pid").GetInt32(), e.GetProperty("tid").GetInt32()) == thread.Key);
        }

        List<JsonElement> Of(string phase, int pid) => [.. events.Where(e => e.GetProperty("ph").GetString() == phase && e.GetProperty("pid").GetInt32() == pid)];
        var zones = Of("X", 4000);
        Assert.Equal(Zones, zones.Count);
        Assert.Equal(Marks + 1, Of("i", 4000).Count); // and the incident
        Assert.Equal(Quanta, Of("C", 4000).Count(e => e.GetProperty("name").GetString() == "load"));
        Assert.Equal(5, Of("C", 4000).Count(e => e.GetProperty("name").GetString()!.EndsWith("_bytes", StringComparison.Ordinal))); // Tracy shows these as memory
        Assert.Equal(Expected(), zones.Select(e => (e.GetProperty("ts").GetDecimal() * 1000, e.GetProperty("dur").GetDecimal() * 1000, e.GetProperty("args").GetProperty("data").GetProperty("quantum").GetUInt64())).Order());
        Assert.Contains("say \"hi\"\\", zones.Select(e => e.GetProperty("name").GetString()));
        Assert.Contains(events, e => e.GetProperty("name").GetString() == "irq/7 \"card\"" && e.GetProperty("dur").GetDecimal() == 50); // who took the core, on the core's lane
    }

    [Fact]
    public void The_firefox_profile_is_what_its_version_promises()
    {
        using var json = JsonDocument.Parse(SyntheticTrace.Export("firefox", View));
        var root = json.RootElement;
        var meta = root.GetProperty("meta");
        Assert.Equal(FirefoxProfile.Version, meta.GetProperty("preprocessedProfileVersion").GetInt32());
        foreach (var field in new[] { "interval", "startTime", "processType", "stackwalk", "version" }) Assert.Equal(JsonValueKind.Number, meta.GetProperty(field).ValueKind);
        var categories = meta.GetProperty("categories").EnumerateArray().ToList();
        Assert.Contains(categories, c => c.GetProperty("color").GetString() == "grey"); // the default one
        Assert.All(categories, c => Assert.NotEqual(0, c.GetProperty("subcategories").GetArrayLength()));
        var shared = root.GetProperty("shared");
        var strings = shared.GetProperty("stringArray").EnumerateArray().Select(s => s.GetString()!).ToList();
        Assert.Equal(strings.Distinct(), strings);
        foreach (var table in shared.EnumerateObject().Where(t => t.Value.ValueKind == JsonValueKind.Object)) AssertColumns(table.Value);
        var schemas = Schemas(meta.GetProperty("markerSchema"));

        var threads = root.GetProperty("threads").EnumerateArray().ToList();
        Assert.Equal(2, threads.Count);
        var starts = new List<(decimal, decimal, ulong)>();
        var instants = 0;
        foreach (var thread in threads)
        {
            Assert.Equal(JsonValueKind.String, thread.GetProperty("pid").ValueKind);
            Assert.True(thread.GetProperty("showMarkersInTimeline").GetBoolean());
            AssertColumns(thread.GetProperty("samples"));
            var markers = thread.GetProperty("markers");
            AssertColumns(markers);
            var before = decimal.MinValue;
            for (var i = 0; i < markers.GetProperty("length").GetInt32(); i++)
            {
                var name = strings[markers.GetProperty("name")[i].GetInt32()];
                var data = markers.GetProperty("data")[i];
                AssertFits(data, schemas);
                Assert.InRange(markers.GetProperty("category")[i].GetInt32(), 0, categories.Count - 1);
                var start = markers.GetProperty("startTime")[i].GetDecimal();
                Assert.True(start >= before, "times are in order");
                before = start;
                if (markers.GetProperty("phase")[i].GetInt32() == 0)
                {
                    Assert.Equal(JsonValueKind.Null, markers.GetProperty("endTime")[i].ValueKind);
                    instants++;
                    continue;
                }

                Assert.Equal(1, markers.GetProperty("phase")[i].GetInt32());
                var end = markers.GetProperty("endTime")[i].GetDecimal();
                Assert.True(end >= start);
                if (data.GetProperty("type").GetString() is "SspBudget" or "SspPreempted") continue;
                starts.Add((Math.Round(start * 1_000_000) + View.Start, Math.Round((end - start) * 1_000_000), data.GetProperty("quantum").GetUInt64()));
                Assert.NotEqual("quantum", name);
            }
        }

        Assert.Equal(Marks + 1, instants);
        Assert.Equal(Expected(), starts.Order());
        AssertFoundByTheAudioExtension(threads, strings);
        AssertCounters(root.GetProperty("counters"));
    }

    [Fact]
    public void The_perfetto_trace_is_what_its_importer_expects()
    {
        var bytes = SyntheticTrace.Export("perfetto", View);
        var packets = Proto.Parse(bytes).Select(f => f.Field == 1 ? f.Message() : throw new InvalidDataException("a trace has packets only")).ToList();
        Dictionary<ulong, string> names = [], categories = [], keys = [];
        var described = new HashSet<ulong>();
        var open = new Dictionary<ulong, Stack<ulong>>();
        var lastOn = new Dictionary<ulong, ulong>();
        var begun = new List<(decimal, decimal, ulong)>();
        var pending = new Dictionary<ulong, Stack<(ulong Start, ulong Quantum)>>();
        var (instants, loads, memories, clocks, switches) = (0, 0, 0, 0, 0);
        var cleared = false;
        foreach (var p in packets)
        {
            Assert.NotEqual(0u, p.Varint(10)); // every packet is of a sequence
            if (p.Find(6) is { } snapshot)
            {
                clocks++;
                var told = snapshot.Message().Where(f => f.Field == 1).Select(f => f.Message()).ToDictionary(c => c.Varint(1), c => c.Varint(2));
                Assert.Equal([3ul, 6ul], told.Keys.Order());
                Assert.Equal(7_000_000ul, told[6] - told[3]);
            }

            if (p.Find(1) is { } bundle)
            {
                var core = bundle.Message().Varint(1);
                foreach (var e in bundle.Message().Where(f => f.Field == 2).Select(f => f.Message()))
                {
                    var s = View.Switches.Single(x => x.Time + 7_000_000 == e.Varint(1) && x.Core == (int)core);
                    var change = e.Find(4)!.Value.Message();
                    Assert.Equal((s.PreviousName, (ulong)s.PreviousTid, s.NextName, (ulong)s.NextTid, (ulong)s.StateBits), (change.Text(1), change.Varint(2), change.Text(5), change.Varint(6), change.Varint(4)));
                    switches++;
                }

                continue;
            }

            if (p.Find(13) is not { } flags) continue;
            if (!cleared)
            {
                Assert.Equal(1ul, flags.Value); // incremental state cleared, and the clock of what follows
                Assert.Equal(3ul, p.Find(59)!.Value.Message().Varint(58));
                cleared = true;
            }
            else
            {
                Assert.Equal(2ul, flags.Value); // needs what came before
            }

            if (p.Find(12) is { } interned)
            {
                foreach (var entry in interned.Message())
                    (entry.Field switch { 1 => categories, 2 => names, 3 => keys, _ => throw new InvalidDataException() }).Add(entry.Message().Varint(1), entry.Message().Text(2));
            }

            if (p.Find(60) is { } descriptor)
            {
                var d = descriptor.Message();
                Assert.True(described.Add(d.Varint(1)), "a track is described once");
                if (d.Find(5) is { } parent) Assert.Contains(parent.Value, described);
            }

            if (p.Find(11) is not { } body) continue;
            var track = body.Message();
            var (type, uuid, time) = (track.Varint(9), track.Varint(11), p.Varint(8));
            Assert.Contains(uuid, described);
            if (type != 3)
            {
                Assert.True(time >= lastOn.GetValueOrDefault(uuid), "times of a track are in order");
                lastOn[uuid] = time;
            }

            if (type is 1 or 3)
            {
                Assert.True(names.ContainsKey(track.Varint(10)) && categories.ContainsKey(track.Varint(3)), "a name is told before it is used");
                Assert.All(track.Where(f => f.Field == 4), a => Assert.Contains(a.Message().Varint(1), keys));
            }

            switch (type)
            {
                case 1:
                    if (!open.TryGetValue(uuid, out var stack)) (open[uuid], pending[uuid]) = (stack = new Stack<ulong>(), []);
                    stack.Push(time);
                    var quantum = track.Where(f => f.Field == 4).Select(f => f.Message()).Where(a => keys[a.Varint(1)] == "quantum").Select(a => a.Varint(3)).FirstOrDefault(ulong.MaxValue);
                    pending[uuid].Push((time, quantum));
                    break;
                case 2:
                    Assert.NotEmpty(open[uuid]);
                    open[uuid].Pop();
                    var (start, of) = pending[uuid].Pop();
                    if (of != ulong.MaxValue) begun.Add((start, time - start, of));
                    break;
                case 3:
                    instants++;
                    break;
                default:
                    if (track.Find(44) != null) loads++;
                    else memories++;
                    break;
            }
        }

        Assert.All(open.Values, Assert.Empty); // every zone has an end
        Assert.Equal(Expected(), begun.Order());
        Assert.Equal((Marks + 1, Quanta, 5, 1, 5), (instants, loads, memories, clocks, switches));
        Assert.Contains("Bässe 低音", names.Values);
        AssertProtocReads(bytes, packets.Count);
    }

    [Fact]
    public void A_trace_of_nothing_is_a_file_of_nothing_in_every_format()
    {
        var view = new TraceView(RawTrace.Read(SyntheticTrace.Raw([], new TraceHeader())));
        foreach (var format in new[] { "chrome", "firefox" }) using (JsonDocument.Parse(SyntheticTrace.Export(format, view)))
        {
            // It parses.
        }

        Assert.NotEmpty(Proto.Parse(SyntheticTrace.Export("perfetto", view)));
    }

    // Start, length and quantum of each zone in ns, in order.
    private static IEnumerable<(decimal, decimal, ulong)> Expected() => Events.Where(e => TraceView.IsZone(e.Event.Kind))
        .Select(e => ((decimal)((e.Event.Ticks / TraceRegion.TicksPerNs) + TraceRegion.Epoch), (decimal)(e.Event.Duration / TraceRegion.TicksPerNs), e.Event.Quantum)).Order();

    private static void AssertNests(IEnumerable<(decimal Start, decimal End)> zones)
    {
        var ends = new Stack<decimal>();
        foreach (var (start, end) in zones.OrderBy(z => z.Start).ThenByDescending(z => z.End))
        {
            while (ends.TryPeek(out var e) && e <= start) ends.Pop();
            Assert.True(!ends.TryPeek(out var around) || end <= around, "zones of a thread must nest");
            ends.Push(end);
        }
    }

    private static Dictionary<string, Dictionary<string, string>> Schemas(JsonElement list)
    {
        var found = new Dictionary<string, Dictionary<string, string>>();
        foreach (var s in list.EnumerateArray())
        {
            var fields = s.GetProperty("fields").EnumerateArray().ToDictionary(f => f.GetProperty("key").GetString()!, f => f.GetProperty("format").GetString()!);
            Assert.All(fields.Values, f => Assert.Contains(f, new[] { "integer", "string", "percentage", "nanoseconds" }));
            Assert.All(s.GetProperty("display").EnumerateArray(), d => Assert.Contains(d.GetString(), new[] { "marker-chart", "marker-table", "timeline-overview" }));
            foreach (var label in new[] { "tooltipLabel", "tableLabel", "chartLabel" })
            {
                foreach (Match m in DataKey().Matches(s.GetProperty(label).GetString()!)) Assert.Contains(m.Groups["key"].Value, fields.Keys);
            }

            if (s.TryGetProperty("graphs", out var graphs))
            {
                foreach (var g in graphs.EnumerateArray())
                {
                    Assert.Contains(g.GetProperty("key").GetString()!, fields.Keys);
                    Assert.Contains(g.GetProperty("type").GetString(), new[] { "bar", "line", "line-filled" });
                }
            }

            found.Add(s.GetProperty("name").GetString()!, fields);
        }

        Assert.Contains(list.EnumerateArray(), s => s.TryGetProperty("graphs", out _)); // load[t] is a track of its own
        return found;
    }

    private static void AssertFits(JsonElement data, Dictionary<string, Dictionary<string, string>> schemas)
    {
        var fields = schemas[data.GetProperty("type").GetString()!];
        foreach (var p in data.EnumerateObject().Where(p => p.Name != "type"))
            Assert.Equal(fields[p.Name] == "string" ? JsonValueKind.String : JsonValueKind.Number, p.Value.ValueKind);
    }

    private static void AssertColumns(JsonElement table)
    {
        var length = table.GetProperty("length").GetInt32();
        Assert.All(table.EnumerateObject().Where(c => c.Value.ValueKind == JsonValueKind.Array), c => Assert.Equal(length, c.Value.GetArrayLength()));
    }

    // How fx-profiler-audio-cb finds what it plots: by these two expressions, and by pairing them in order.
    private static void AssertFoundByTheAudioExtension(List<JsonElement> threads, List<string> strings)
    {
        var markers = threads[0].GetProperty("markers");
        List<decimal> Durations(Regex name) =>
        [
            .. Enumerable.Range(0, markers.GetProperty("length").GetInt32()).Where(i => name.IsMatch(strings[markers.GetProperty("name")[i].GetInt32()]))
                .Select(i => markers.GetProperty("endTime")[i].GetDecimal() - markers.GetProperty("startTime")[i].GetDecimal()),
        ];
        var (callbacks, budgets) = (Durations(Callback()), Durations(BudgetName()));
        Assert.Equal((Quanta, Quanta), (callbacks.Count, budgets.Count));
        Assert.All(budgets, b => Assert.Equal(SyntheticTrace.Budget / 1e6, (double)b, 6));
    }

    private static void AssertCounters(JsonElement counters)
    {
        var counter = Assert.Single(counters.EnumerateArray().ToList());
        foreach (var field in new[] { "name", "category", "description", "pid" }) Assert.Equal(JsonValueKind.String, counter.GetProperty(field).ValueKind);
        AssertColumns(counter.GetProperty("samples"));
        var times = counter.GetProperty("samples").GetProperty("time").EnumerateArray().Select(t => t.GetDouble()).ToList();
        Assert.Equal(times.Order(), times);
        long live = 0;
        var seen = counter.GetProperty("samples").GetProperty("count").EnumerateArray().Select(c => live += c.GetInt64()).ToList();
        Assert.Equal(View.Header.Memory.Where(m => m.Time >= View.Start).Select(m => m.PoolLive), seen);
        Assert.Equal("line-accumulated", counter.GetProperty("display").GetProperty("graphType").GetString());
    }

    // Google's own decoder, where it is installed (protobuf-compiler): what it cannot read is no protobuf.
    private static void AssertProtocReads(byte[] trace, int packets)
    {
        var start = new ProcessStartInfo("protoc", ["--decode_raw"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        Process protoc;
        try
        {
            protoc = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return;
        }

        using (protoc)
        {
            var output = protoc.StandardOutput.ReadToEndAsync();
            protoc.StandardInput.BaseStream.Write(trace);
            protoc.StandardInput.Close();
            var text = output.Result;
            protoc.WaitForExit();
            Assert.Equal(0, protoc.ExitCode);
            Assert.Equal(packets, text.Split('\n').Count(l => l == "1 {"));
            Assert.Contains("\"ssp-audio\"", text, StringComparison.Ordinal);
        }
    }

    [GeneratedRegex(@"\{marker\.data\.(?<key>\w+)\}", RegexOptions.ExplicitCapture)]
    private static partial Regex DataKey();

    [GeneratedRegex(".*::DataCallback")]
    private static partial Regex Callback();

    [GeneratedRegex(".*real-time budget", RegexOptions.IgnoreCase)]
    private static partial Regex BudgetName();
}

/// <summary>Reads protobuf as its documentation describes it; strict, and knowing nothing of who wrote it.</summary>
internal static class Proto
{
    internal readonly record struct Item(int Field, ulong Value, byte[] Bytes)
    {
        public List<Item> Message() => Parse(Bytes);
    }

    public static List<Item> Parse(byte[] bytes)
    {
        var items = new List<Item>();
        var at = 0;
        ulong Next()
        {
            ulong value = 0;
            for (var shift = 0; ; shift += 7)
            {
                if (shift > 63 || at >= bytes.Length) throw new InvalidDataException("a varint does not end");
                var b = bytes[at++];
                value |= (ulong)(b & 0x7F) << shift;
                if (b < 0x80) return value;
            }
        }

        while (at < bytes.Length)
        {
            var tag = Next();
            var field = (int)(tag >> 3);
            if (field == 0) throw new InvalidDataException("field 0");
            switch (tag & 7)
            {
                case 0:
                    items.Add(new Item(field, Next(), []));
                    break;
                case 1:
                    items.Add(new Item(field, BitConverter.ToUInt64(bytes, at), []));
                    at += 8;
                    break;
                case 2:
                    var length = checked((int)Next());
                    if (length > bytes.Length - at) throw new InvalidDataException("a message is longer than what it is in");
                    items.Add(new Item(field, 0, bytes[at..(at + length)]));
                    at += length;
                    break;
                default:
                    throw new InvalidDataException($"wire type {tag & 7}");
            }
        }

        return items;
    }

    public static Item? Find(this List<Item> message, int field)
    {
        foreach (var i in message)
            if (i.Field == field) return i;
        return null;
    }

    public static ulong Varint(this List<Item> message, int field) => message.Find(field)?.Value ?? 0;

    public static string Text(this List<Item> message, int field) => System.Text.Encoding.UTF8.GetString(message.Find(field)?.Bytes ?? []);
}
