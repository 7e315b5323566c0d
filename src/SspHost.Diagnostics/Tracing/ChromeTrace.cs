// Chrome's trace-event JSON: what about://tracing, Perfetto, Firefox's and Tracy's importers read.
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>
/// Writes {"traceEvents":[...]}: X zones that nest within their thread, i marks, C counters whose arguments are numbers, M names. Firefox's
/// importer keeps of the arguments only an object called "data", so all of them are in one; Tracy's wants a tid on each event. Times are
/// CLOCK_MONOTONIC in microseconds, three digits behind the point.
/// </summary>
public static class ChromeTrace
{
    // Beyond what Linux gives to a process (PID_MAX_LIMIT is 2^22): the cores are shown as a process of their own.
    private const int CoresPid = 5_000_000;
    private const int FlushBytes = 1 << 16;

    public static void Write(TraceView view, Stream output)
    {
        using var w = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        var pid = view.Header.EnginePid;
        w.WriteStartObject();
        w.WriteString("displayTimeUnit", "ns");
        WriteOther(w, view);
        w.WriteStartArray("traceEvents");
        Name(w, "process_name", pid, pid, "ssp-engine");
        foreach (var track in view.Tracks)
        {
            Name(w, "thread_name", pid, track.Seat.Tid, track.Seat.Name);
            SortIndex(w, "thread_sort_index", pid, track.Seat.Tid, track.Seat.Seat);
        }

        foreach (var track in view.Tracks) WriteTrack(w, view, track, pid, output);
        WriteCores(w, view);
        foreach (var m in view.Header.Memory) Counter(w, pid, m.Time, "pool_live_bytes", m.PoolLive);
        foreach (var i in view.Header.Incidents) WriteIncident(w, view, i, pid);
        w.WriteEndArray();
        w.WriteEndObject();
    }

    private static void WriteOther(Utf8JsonWriter w, TraceView view)
    {
        var h = view.Header;
        w.WriteStartObject("otherData");
        w.WriteString("clock", "CLOCK_MONOTONIC");
        w.WriteString("engine", h.EngineVersion);
        w.WriteString("machine", h.Machine);
        w.WriteString("time", h.Time);
        w.WriteString("reason", h.Reason);
        w.WriteString("rate", h.Rate.ToString(CultureInfo.InvariantCulture));
        w.WriteString("quantum", h.Quantum.ToString(CultureInfo.InvariantCulture));
        w.WriteString("scheduler", h.Scheduler);
        w.WriteEndObject();
    }

    private static void WriteTrack(Utf8JsonWriter w, TraceView view, TraceTrack track, int pid, Stream output)
    {
        foreach (ref readonly var z in track.Zones.AsSpan())
        {
            Begin(w, view.NameOf(in z), CategoryOf(z.Kind), "X", z.Start, pid, track.Seat.Tid);
            Micros(w, "dur", z.Shown);
            WriteData(w, view, in z);
            w.WriteEndObject();
            if (z.Kind == TraceKind.Quantum) Counter(w, pid, z.Start, "load", z.Value / 1e6);
            if (w.BytesPending > FlushBytes) w.Flush();
        }

        foreach (ref readonly var m in track.Marks.AsSpan())
        {
            Begin(w, view.NameOf(in m), CategoryOf(m.Kind), "i", m.Start, pid, track.Seat.Tid);
            w.WriteString("s", "t");
            WriteData(w, view, in m);
            w.WriteEndObject();
        }

        w.Flush();
        output.Flush();
    }

    private static void WriteData(Utf8JsonWriter w, TraceView view, in TraceItem item)
    {
        w.WriteStartObject("args");
        w.WriteStartObject("data");
        w.WriteNumber("quantum", item.Quantum);
        if (item.Kind == TraceKind.Quantum) w.WriteNumber("load", item.Value / 1e6);
        else if (TraceView.ValueOf(item.Kind) is { } value) w.WriteNumber(value, item.Value);
        if (item.Kind == TraceKind.Module)
        {
            w.WriteNumber("slot", item.Slot);
            if (view.ModuleOf(in item) is { } module) w.WriteString("type", module.Type);
        }
        else if (item.Kind is TraceKind.Dropout)
        {
            w.WriteNumber("frames", item.Slot);
        }
        else if (item.Kind is TraceKind.Takeover)
        {
            w.WriteNumber("slot", item.Slot);
        }

        if (item.Nanoseconds != item.Shown) w.WriteNumber("nanoseconds", item.Nanoseconds);
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void WriteCores(Utf8JsonWriter w, TraceView view)
    {
        var lanes = view.Cores();
        if (lanes.Count == 0) return;
        Name(w, "process_name", CoresPid, CoresPid, "cores");
        for (var lane = 0; lane < lanes.Count; lane++)
        {
            var tid = CoresPid + 1 + lane;
            Name(w, "thread_name", CoresPid, tid, string.Create(CultureInfo.InvariantCulture, $"core {lanes[lane].Core}"));
            SortIndex(w, "thread_sort_index", CoresPid, tid, lane);
            foreach (var s in lanes[lane].Slices)
            {
                Begin(w, s.Name.Length > 0 ? s.Name : "unnamed", "core", "X", s.Start, CoresPid, tid);
                Micros(w, "dur", s.Nanoseconds);
                w.WriteStartObject("args");
                w.WriteStartObject("data");
                w.WriteNumber("tid", s.Tid);
                w.WriteEndObject();
                w.WriteEndObject();
                w.WriteEndObject();
                if (w.BytesPending > FlushBytes) w.Flush();
            }
        }
    }

    private static void WriteIncident(Utf8JsonWriter w, TraceView view, TraceIncident incident, int pid)
    {
        var tid = view.Tracks.Count > 0 ? view.Tracks[0].Seat.Tid : pid;
        Begin(w, "incident: " + incident.Kind, "incident", "i", incident.Time, pid, tid);
        w.WriteString("s", "p");
        w.WriteStartObject("args");
        w.WriteStartObject("data");
        w.WriteString("text", incident.Text);
        if (incident.Module is { } module) w.WriteString("module", module);
        w.WriteEndObject();
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void Counter(Utf8JsonWriter w, int pid, ulong time, string name, double value)
    {
        Begin(w, name, "counter", "C", time, pid, pid);
        w.WriteStartObject("args");
        w.WriteNumber(name, value);
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void Name(Utf8JsonWriter w, string what, int pid, int tid, string name)
    {
        Begin(w, what, "__metadata", "M", 0, pid, tid);
        w.WriteStartObject("args");
        w.WriteString("name", name);
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void SortIndex(Utf8JsonWriter w, string what, int pid, int tid, int index)
    {
        Begin(w, what, "__metadata", "M", 0, pid, tid);
        w.WriteStartObject("args");
        w.WriteNumber("sort_index", index);
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void Begin(Utf8JsonWriter w, string name, string category, string phase, ulong time, int pid, int tid)
    {
        w.WriteStartObject();
        w.WriteString("name", name);
        w.WriteString("cat", category);
        w.WriteString("ph", phase);
        Micros(w, "ts", time);
        w.WriteNumber("pid", pid);
        w.WriteNumber("tid", tid);
    }

    // 1234567 ns are 1234.567: written digit by digit, for a double loses nanoseconds after a hundred days.
    private static void Micros(Utf8JsonWriter w, string name, ulong ns)
    {
        Span<byte> text = stackalloc byte[24];
        System.Buffers.Text.Utf8Formatter.TryFormat(ns / 1000, text, out var length);
        text[length++] = (byte)'.';
        var rest = (int)(ns % 1000);
        text[length++] = (byte)('0' + (rest / 100));
        text[length++] = (byte)('0' + (rest / 10 % 10));
        text[length++] = (byte)('0' + (rest % 10));
        w.WritePropertyName(name);
        w.WriteRawValue(text[..length], skipInputValidation: true);
    }

    private static string CategoryOf(TraceKind kind) => kind == TraceKind.Module ? "module" : "audio";
}
