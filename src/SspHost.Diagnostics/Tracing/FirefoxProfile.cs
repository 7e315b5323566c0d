// A profile for profiler.firefox.com: its "processed" format, where everything is a column and every text an index.
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>
/// Writes version 63 of the processed profile format; the profiler upgrades older versions itself. Each quantum is a marker
/// "SspHost::DataCallback" with its load, which the profiler draws as a track of its own, and a marker "SspHost real-time budget" that lasts
/// as long as the quantum may: names by which the known extension for audio callbacks finds them. Times are ms since the trace began.
/// </summary>
public static class FirefoxProfile
{
    /// <summary>Version of the format.</summary>
    public const int Version = 63;

    private const int GeckoVersion = 33; // of the format that the processed one is made from; says nothing here
    private const int Instant = 0, Interval = 1;
    private const int Other = 0, Modules = 1, Audio = 2;
    private const int FlushBytes = 1 << 16;

    public static void Write(TraceView view, Stream output)
    {
        var profile = new Writer(view, output);
        profile.Run();
    }

    private readonly record struct Marker(ulong Start, ulong Nanoseconds, int Name, bool IsInterval, int Category, int Source, int Kind);

    private sealed class Writer(TraceView view, Stream output)
    {
        private const int Zone = 0, Budget = 1, Mark = 2, Incident = 3, Away = 4;

        private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);
        private readonly List<string> _strings = [];
        private readonly Utf8JsonWriter _w = new(output, new JsonWriterOptions { SkipValidation = true });

        public void Run()
        {
            _w.WriteStartObject();
            WriteMeta();
            _w.WriteStartArray("libs");
            _w.WriteEndArray();
            WriteCounters();
            _w.WriteStartArray("threads");
            foreach (var track in view.Tracks) WriteThread(track);
            if (view.Tracks.Count == 0) WriteThread(new TraceTrack(new TraceSeat(0, "audio", view.Header.EnginePid, -1, "", 0), [], []));
            _w.WriteEndArray();
            WriteShared();
            _w.WriteEndObject();
            _w.Dispose();
        }

        private void WriteMeta()
        {
            var h = view.Header;
            _w.WriteStartObject("meta");
            _w.WriteNumber("interval", 1);
            _w.WriteNumber("startTime", WallMs());
            _w.WriteNumber("startTimeAsClockMonotonicNanosecondsSinceBoot", view.Start);
            _w.WriteNumber("profilingStartTime", 0);
            _w.WriteNumber("profilingEndTime", Ms(view.End));
            _w.WriteNumber("processType", 0);
            _w.WriteString("product", "SspHost");
            _w.WriteNumber("stackwalk", 0);
            _w.WriteNumber("version", GeckoVersion);
            _w.WriteNumber("preprocessedProfileVersion", Version);
            _w.WriteString("platform", "Linux");
            _w.WriteString("oscpu", h.Machine);
            _w.WriteString("importedFrom", "SspHost " + h.EngineVersion);
            _w.WriteBoolean("symbolicated", value: true);
            _w.WriteBoolean("symbolicationNotSupported", value: true);
            _w.WriteBoolean("usesOnlyOneStackType", value: true);
            _w.WriteBoolean("sourceCodeIsNotOnSearchfox", value: true);
            _w.WriteBoolean("keepProfileThreadOrder", value: true);
            _w.WriteStartArray("categories");
            Category("Other", "grey");
            Category("Modules", "blue");
            Category("Audio", "green");
            _w.WriteEndArray();
            _w.WriteStartArray("markerSchema");
            WriteSchemas();
            _w.WriteEndArray();
            _w.WriteEndObject();
        }

        private void Category(string name, string color)
        {
            _w.WriteStartObject();
            _w.WriteString("name", name);
            _w.WriteString("color", color);
            _w.WriteStartArray("subcategories");
            _w.WriteStringValue("Other");
            _w.WriteEndArray();
            _w.WriteEndObject();
        }

        private void WriteSchemas()
        {
            Schema("SspQuantum", "{marker.name} {marker.data.load}", "A quantum, from the card's input to its output. Load 100 % is all the time it has.", true,
                ("quantum", "Quantum", "integer"), ("load", "Load", "percentage"));
            Schema("SspBudget", "{marker.name}", "The time that the quantum has.", false, ("quantum", "Quantum", "integer"));
            Schema("SspModule", "{marker.name}", "A module in a quantum.", false, ("quantum", "Quantum", "integer"), ("module", "Type", "string"), ("slot", "Slot", "integer"));
            Schema("SspZone", "{marker.name}", "What the thread did.", false, ("quantum", "Quantum", "integer"), ("value", "Value", "integer"), ("measured", "Measured", "nanoseconds"));
            Schema("SspMark", "{marker.name}", "What happened at a moment.", false, ("quantum", "Quantum", "integer"), ("value", "Value", "integer"), ("slot", "Slot or frames", "integer"));
            Schema("SspIncident", "{marker.data.text}", "Something that happened to the sound.", false, ("text", "What", "string"));
            Schema("SspPreempted", "core taken by {marker.data.by}", "The thread would have gone on, and another one got its core.", false, ("by", "Thread", "string"), ("tid", "Thread id", "integer"));
        }

        private void Schema(string name, string label, string description, bool load, params ReadOnlySpan<(string Key, string Label, string Format)> fields)
        {
            _w.WriteStartObject();
            _w.WriteString("name", name);
            _w.WriteString("tooltipLabel", label);
            _w.WriteString("tableLabel", label);
            _w.WriteString("chartLabel", "{marker.name}");
            _w.WriteString("description", description);
            _w.WriteStartArray("display");
            foreach (var place in (ReadOnlySpan<string>)["marker-chart", "marker-table", "timeline-overview"]) _w.WriteStringValue(place);
            _w.WriteEndArray();
            _w.WriteStartArray("fields");
            foreach (var (key, text, format) in fields)
            {
                _w.WriteStartObject();
                _w.WriteString("key", key);
                _w.WriteString("label", text);
                _w.WriteString("format", format);
                _w.WriteEndObject();
            }

            _w.WriteEndArray();
            if (load)
            {
                _w.WriteStartArray("graphs");
                _w.WriteStartObject();
                _w.WriteString("key", "load");
                _w.WriteString("type", "line");
                _w.WriteString("color", "blue");
                _w.WriteEndObject();
                _w.WriteEndArray();
            }

            _w.WriteEndObject();
        }

        // The memory of the pool: a line that is what it was plus what came, so the counts are differences.
        private void WriteCounters()
        {
            var samples = view.Header.Memory.Where(m => m.Time >= view.Start && m.Time <= view.End).OrderBy(m => m.Time).ToArray();
            _w.WriteStartArray("counters");
            if (samples.Length > 0)
            {
                _w.WriteStartObject();
                _w.WriteString("name", "pool");
                _w.WriteString("category", "Memory");
                _w.WriteString("description", "Bytes of the engine's pool in use");
                _w.WriteString("pid", Pid);
                _w.WriteNumber("mainThreadIndex", 0);
                _w.WriteStartObject("samples");
                Numbers("time", samples, m => Ms(m.Time));
                long before = 0;
                _w.WriteStartArray("count");
                foreach (var m in samples)
                {
                    _w.WriteNumberValue(m.PoolLive - before);
                    before = m.PoolLive;
                }

                _w.WriteEndArray();
                _w.WriteNumber("length", samples.Length);
                _w.WriteEndObject();
                WriteCounterDisplay();
                _w.WriteEndObject();
            }

            _w.WriteEndArray();
        }

        private void WriteCounterDisplay()
        {
            _w.WriteStartObject("display");
            _w.WriteString("graphType", "line-accumulated");
            _w.WriteString("unit", "bytes");
            _w.WriteString("color", "orange");
            _w.WriteNull("markerSchemaLocation");
            _w.WriteNumber("sortWeight", 10);
            _w.WriteString("label", "Pool");
            _w.WriteStartArray("tooltipRows");
            _w.WriteStartObject();
            _w.WriteString("type", "value");
            _w.WriteString("source", "accumulated");
            _w.WriteStartObject("format");
            _w.WriteString("unit", "bytes");
            _w.WriteEndObject();
            _w.WriteString("label", "relative memory at this time");
            _w.WriteEndObject();
            _w.WriteEndArray();
            _w.WriteEndObject();
        }

        private void WriteThread(TraceTrack track)
        {
            var s = track.Seat;
            _w.WriteStartObject();
            _w.WriteString("processType", "default");
            _w.WriteString("processName", "ssp-engine");
            _w.WriteNumber("processStartupTime", 0);
            _w.WriteNull("processShutdownTime");
            _w.WriteNumber("registerTime", 0);
            _w.WriteNull("unregisterTime");
            _w.WriteStartArray("pausedRanges");
            _w.WriteEndArray();
            _w.WriteString("name", s.Name);
            _w.WriteBoolean("isMainThread", s.Seat == 0);
            _w.WriteBoolean("showMarkersInTimeline", value: true);
            _w.WriteString("pid", Pid);
            _w.WriteNumber("tid", s.Tid);
            WriteSamples();
            var markers = Markers(track);
            _w.WriteStartObject("markers");
            _w.WriteStartArray("data");
            foreach (ref readonly var m in markers.AsSpan())
            {
                WriteData(track, in m);
                if (_w.BytesPending > FlushBytes) _w.Flush();
            }

            _w.WriteEndArray();
            Numbers("name", markers, m => m.Name);
            Numbers("startTime", markers, m => Ms(m.Start));
            _w.WriteStartArray("endTime");
            foreach (ref readonly var m in markers.AsSpan())
            {
                if (m.IsInterval) _w.WriteNumberValue(Ms(m.Start + m.Nanoseconds));
                else _w.WriteNullValue();
                if (_w.BytesPending > FlushBytes) _w.Flush();
            }

            _w.WriteEndArray();
            Numbers("phase", markers, m => m.IsInterval ? Interval : Instant);
            Numbers("category", markers, m => m.Category);
            _w.WriteNumber("length", markers.Length);
            _w.WriteEndObject();
            _w.WriteEndObject();
            _w.Flush();
        }

        // No stacks are sampled; the format wants a thread to have been seen at its two ends.
        private void WriteSamples()
        {
            _w.WriteStartObject("samples");
            _w.WriteString("weightType", "samples");
            _w.WriteNull("weight");
            _w.WriteStartArray("stack");
            _w.WriteNullValue();
            _w.WriteNullValue();
            _w.WriteEndArray();
            _w.WriteStartArray("time");
            _w.WriteNumberValue(0);
            _w.WriteNumberValue(Ms(view.End));
            _w.WriteEndArray();
            _w.WriteNumber("length", 2);
            _w.WriteEndObject();
        }

        private Marker[] Markers(TraceTrack track)
        {
            var budget = (ulong)Math.Round(view.Header.BudgetNanoseconds);
            var found = new List<Marker>(track.Zones.Length * 5 / 4);
            for (var i = 0; i < track.Zones.Length; i++)
            {
                ref readonly var z = ref track.Zones[i];
                if (z.Kind == TraceKind.Quantum)
                {
                    found.Add(new Marker(z.Start, z.Shown, Text("SspHost::DataCallback"), IsInterval: true, Audio, i, Zone));
                    if (budget > 0) found.Add(new Marker(z.Start, budget, Text("SspHost real-time budget"), IsInterval: true, Other, i, Budget));
                }
                else
                {
                    found.Add(new Marker(z.Start, z.Shown, Text(view.NameOf(in z)), IsInterval: true, z.Kind == TraceKind.Module ? Modules : Audio, i, Zone));
                }
            }

            for (var i = 0; i < track.Marks.Length; i++)
                found.Add(new Marker(track.Marks[i].Start, 0, Text(view.NameOf(in track.Marks[i])), IsInterval: false, Audio, i, Mark));
            if (track.Seat.Seat == 0)
            {
                for (var i = 0; i < view.Header.Incidents.Count; i++)
                {
                    var incident = view.Header.Incidents[i];
                    if (incident.Time >= view.Start && incident.Time <= view.End)
                        found.Add(new Marker(incident.Time, 0, Text("incident: " + incident.Kind), IsInterval: false, Other, i, Incident));
                }
            }

            AddAway(track.Seat.Tid, found);
            return [.. found.OrderBy(m => m.Start)];
        }

        // Where the thread would have gone on: from the switch away from it to the switch back.
        private void AddAway(int tid, List<Marker> found)
        {
            var left = -1;
            for (var i = 0; i < view.Switches.Count; i++)
            {
                var s = view.Switches[i];
                if (s.NextTid == tid && left >= 0)
                {
                    found.Add(new Marker(view.Switches[left].Time, s.Time - view.Switches[left].Time, Text("preempted"), IsInterval: true, Other, left, Away));
                    left = -1;
                }

                if (s.PreviousTid == tid) left = s.Preempted ? i : -1;
            }
        }

        private void WriteData(TraceTrack track, in Marker m)
        {
            _w.WriteStartObject();
            switch (m.Kind)
            {
                case Zone:
                    WriteZone(in track.Zones[m.Source]);
                    break;
                case Budget:
                    _w.WriteString("type", "SspBudget");
                    _w.WriteNumber("quantum", track.Zones[m.Source].Quantum);
                    break;
                case Mark:
                    _w.WriteString("type", "SspMark");
                    _w.WriteNumber("quantum", track.Marks[m.Source].Quantum);
                    _w.WriteNumber("value", track.Marks[m.Source].Value);
                    if (track.Marks[m.Source].Slot >= 0) _w.WriteNumber("slot", track.Marks[m.Source].Slot);
                    break;
                case Incident:
                    _w.WriteString("type", "SspIncident");
                    _w.WriteString("text", view.Header.Incidents[m.Source].Text);
                    break;
                default:
                    _w.WriteString("type", "SspPreempted");
                    _w.WriteString("by", view.Switches[m.Source].NextName);
                    _w.WriteNumber("tid", view.Switches[m.Source].NextTid);
                    break;
            }

            _w.WriteEndObject();
        }

        private void WriteZone(in TraceItem z)
        {
            switch (z.Kind)
            {
                case TraceKind.Quantum:
                    _w.WriteString("type", "SspQuantum");
                    _w.WriteNumber("quantum", z.Quantum);
                    _w.WriteNumber("load", z.Value / 1e6);
                    break;
                case TraceKind.Module:
                    _w.WriteString("type", "SspModule");
                    _w.WriteNumber("quantum", z.Quantum);
                    if (view.ModuleOf(in z) is { } module) _w.WriteString("module", module.Type);
                    _w.WriteNumber("slot", z.Slot);
                    break;
                default:
                    _w.WriteString("type", "SspZone");
                    _w.WriteNumber("quantum", z.Quantum);
                    if (TraceView.ValueOf(z.Kind) != null) _w.WriteNumber("value", z.Value);
                    if (z.Nanoseconds != z.Shown) _w.WriteNumber("measured", z.Nanoseconds);
                    break;
            }
        }

        // No stacks, so no tables of frames and functions: they are there, and empty.
        private void WriteShared()
        {
            _w.WriteStartObject("shared");
            Table("stackTable", "frame", "prefix");
            Table("frameTable", "address", "inlineDepth", "category", "subcategory", "func", "nativeSymbol", "innerWindowID", "line", "column");
            Table("funcTable", "name", "isJS", "relevantForJS", "resource", "source", "lineNumber", "columnNumber");
            Table("resourceTable", "lib", "name", "host", "type");
            Table("nativeSymbols", "libIndex", "address", "name", "functionSize");
            Table("sources", "id", "filename", "startLine", "startColumn", "sourceMapURL");
            _w.WriteStartArray("stringArray");
            foreach (var s in _strings) _w.WriteStringValue(s);
            _w.WriteEndArray();
            _w.WriteEndObject();
        }

        private void Table(string name, params ReadOnlySpan<string> columns)
        {
            _w.WriteStartObject(name);
            foreach (var column in columns)
            {
                _w.WriteStartArray(column);
                _w.WriteEndArray();
            }

            _w.WriteNumber("length", 0);
            _w.WriteEndObject();
        }

        private void Numbers<T>(string name, T[] items, Func<T, double> number)
        {
            _w.WriteStartArray(name);
            foreach (var item in items)
            {
                _w.WriteNumberValue(number(item));
                if (_w.BytesPending > FlushBytes) _w.Flush();
            }

            _w.WriteEndArray();
        }

        private int Text(string text)
        {
            if (_index.TryGetValue(text, out var i)) return i;
            _strings.Add(text);
            return _index[text] = _strings.Count - 1;
        }

        private string Pid => view.Header.EnginePid.ToString(CultureInfo.InvariantCulture);

        // ns within hours fit a double's digits; what lies before the first event stays negative.
        private double Ms(ulong ns) => (long)(ns - view.Start) / 1e6;

        private double WallMs()
        {
            if (!DateTime.TryParse(view.Header.Time, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var wall)) return 0;
            var before = view.Header.To >= view.Start && view.Header.To != ulong.MaxValue ? (view.Header.To - view.Start) / 1e6 : 0;
            return (wall - DateTime.UnixEpoch).TotalMilliseconds - before;
        }
    }
}
