// A Perfetto trace: protobuf packets of track events, with the scheduler's switches as the kernel would have sent them.
using System.Globalization;
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>
/// Writes Trace { packet = 1 }. Field numbers are those of Perfetto's protos (trace_packet, track_event, track_descriptor, interned_data,
/// clock_snapshot, ftrace_event_bundle). Events are stamped with CLOCK_MONOTONIC; a clock snapshot leads to CLOCK_BOOTTIME, which is what
/// switches are in, so that a trace of the kernel's can be put beside it.
/// </summary>
public static class PerfettoTrace
{
    private const int Packet = 1;
    private const int Sequence = 1, SchedulerSequence = 2;

    // TracePacket
    private const int FtraceEvents = 1, ClockSnapshot = 6, Timestamp = 8, SequenceId = 10, TrackEvent = 11, InternedData = 12, SequenceFlags = 13, ClockId = 58, Defaults = 59, TrackDescriptor = 60;

    // TrackEvent
    private const int CategoryIids = 3, Annotations = 4, Type = 9, NameIid = 10, TrackUuid = 11, CounterValue = 30, DoubleCounterValue = 44;
    private const int Begin = 1, End = 2, Instant = 3, Counter = 4;

    private const int Monotonic = 3, BootTime = 6;
    private const int Cleared = 1, Needs = 2;

    // Uuids of tracks: any numbers that differ.
    private const ulong Process = 0x5359_0001, LoadTrack = 0x5359_0002, MemoryTrack = 0x5359_0003, CoresTrack = 0x5359_0004, SeatTracks = 0x5359_1000, CoreTracks = 0x5359_2000;

    public static void Write(TraceView view, Stream output) => new Writer(view, output).Run();

    private sealed class Writer(TraceView view, Stream output)
    {
        private const int SwitchesInBundle = 512, BufferBytes = 1 << 16;

        private readonly ProtoWriter _p = new();
        private readonly Dictionary<string, ulong> _names = new(StringComparer.Ordinal);
        private readonly Dictionary<string, ulong> _categories = new(StringComparer.Ordinal);
        private readonly Dictionary<string, ulong> _keys = new(StringComparer.Ordinal);
        private bool _cleared;

        public void Run()
        {
            WriteClocks();
            WriteDescriptors();
            foreach (var track in view.Tracks) WriteTrack(track);
            foreach (var m in view.Header.Memory.OrderBy(m => m.Time)) WriteMemory(m);
            foreach (var i in view.Header.Incidents.OrderBy(i => i.Time)) WriteIncident(i);
            WriteCores();
            WriteSwitches();
            Drain();
        }

        private void WriteClocks()
        {
            var packet = _p.Begin(Packet);
            _p.Varint(SequenceId, Sequence);
            var snapshot = _p.Begin(ClockSnapshot);
            Clock(Monotonic, view.Start);
            Clock(BootTime, view.Start + view.Header.BootOffset);
            _p.End(snapshot);
            _p.End(packet);

            void Clock(int id, ulong time)
            {
                var clock = _p.Begin(1);
                _p.Varint(1, (ulong)id);
                _p.Varint(2, time);
                _p.End(clock);
            }
        }

        private void WriteDescriptors()
        {
            var pid = view.Header.EnginePid;
            Describe(Process, 0, null, () =>
            {
                var process = _p.Begin(3);
                _p.Signed(1, pid);
                _p.Text(6, "ssp-engine");
                _p.End(process);
            });
            foreach (var t in view.Tracks)
            {
                Describe(SeatTracks + (ulong)t.Seat.Seat, Process, null, () =>
                {
                    var thread = _p.Begin(4);
                    _p.Signed(1, pid);
                    _p.Signed(2, t.Seat.Tid);
                    _p.Text(5, t.Seat.Name);
                    _p.End(thread);
                });
            }

            Describe(LoadTrack, Process, "load", () =>
            {
                var counter = _p.Begin(8);
                _p.Text(6, "of a quantum");
                _p.End(counter);
            });
            Describe(MemoryTrack, Process, "pool live", () =>
            {
                var counter = _p.Begin(8);
                _p.Varint(3, 3); // UNIT_SIZE_BYTES
                _p.End(counter);
            });
        }

        private void Describe(ulong uuid, ulong parent, string? name, Action? body)
        {
            var packet = BeginPacket();
            var descriptor = _p.Begin(TrackDescriptor);
            _p.Varint(1, uuid);
            if (name != null) _p.Text(2, name);
            body?.Invoke();
            if (parent != 0) _p.Varint(5, parent);
            _p.End(descriptor);
            _p.End(packet);
        }

        // A zone's end is written when the next one begins at or after it: in order of time, and the inner before the outer.
        private void WriteTrack(TraceTrack track)
        {
            var uuid = SeatTracks + (ulong)track.Seat.Seat;
            var ends = new Stack<ulong>();
            foreach (ref readonly var z in track.Zones.AsSpan())
            {
                while (ends.TryPeek(out var end) && end <= z.Start) Close(uuid, ends.Pop());
                WriteItem(uuid, Begin, in z);
                ends.Push(z.End);
                if (z.Shown == 0) Close(uuid, ends.Pop());
                if (z.Kind == TraceKind.Quantum) Count(LoadTrack, z.Start, z.Value / 1e6);
                if (_p.Written.Length > BufferBytes) Drain();
            }

            while (ends.TryPop(out var last)) Close(uuid, last);
            foreach (ref readonly var m in track.Marks.AsSpan()) WriteItem(uuid, Instant, in m);
        }

        private void WriteItem(ulong uuid, int type, in TraceItem item)
        {
            var name = view.NameOf(in item);
            var module = view.ModuleOf(in item);
            var value = TraceView.ValueOf(item.Kind);
            var packet = BeginPacket(item.Start);
            Intern(_names, 2, name);
            Intern(_categories, 1, item.Kind == TraceKind.Module ? "module" : "audio");
            Intern(_keys, 3, "quantum");
            if (value != null) Intern(_keys, 3, value);
            if (item.Slot >= 0) Intern(_keys, 3, SlotKey(item.Kind));
            if (module != null) Intern(_keys, 3, "type");
            if (item.Nanoseconds != item.Shown) Intern(_keys, 3, "nanoseconds");
            FlushInterned();
            var e = BeginEvent(uuid, type);
            _p.Varint(NameIid, _names[name]);
            _p.Varint(CategoryIids, _categories[item.Kind == TraceKind.Module ? "module" : "audio"]);
            Annotate("quantum", item.Quantum);
            if (item.Kind == TraceKind.Quantum) Annotate("load", item.Value / 1e6);
            else if (value != null) Annotate(value, item.Value);
            if (item.Slot >= 0) Annotate(SlotKey(item.Kind), (ulong)item.Slot);
            if (module != null) Annotate("type", module.Type);
            if (item.Nanoseconds != item.Shown) Annotate("nanoseconds", item.Nanoseconds);
            _p.End(e);
            _p.End(packet);
        }

        private static string SlotKey(TraceKind kind) => kind == TraceKind.Dropout ? "frames" : "slot";

        private void Close(ulong uuid, ulong time)
        {
            var packet = BeginPacket(time);
            var e = BeginEvent(uuid, End);
            _p.End(e);
            _p.End(packet);
        }

        private void Count(ulong uuid, ulong time, double value)
        {
            var packet = BeginPacket(time);
            var e = BeginEvent(uuid, Counter);
            _p.Double(DoubleCounterValue, value);
            _p.End(e);
            _p.End(packet);
        }

        private void WriteMemory(TraceMemory m)
        {
            var packet = BeginPacket(m.Time);
            var e = BeginEvent(MemoryTrack, Counter);
            _p.Signed(CounterValue, m.PoolLive);
            _p.End(e);
            _p.End(packet);
        }

        private void WriteIncident(TraceIncident i)
        {
            var name = "incident: " + i.Kind;
            var packet = BeginPacket(i.Time);
            Intern(_names, 2, name);
            Intern(_categories, 1, "incident");
            Intern(_keys, 3, "text");
            FlushInterned();
            var e = BeginEvent(Process, Instant);
            _p.Varint(NameIid, _names[name]);
            _p.Varint(CategoryIids, _categories["incident"]);
            Annotate("text", i.Text);
            _p.End(e);
            _p.End(packet);
        }

        private void WriteCores()
        {
            var lanes = view.Cores();
            if (lanes.Count == 0) return;
            Describe(CoresTrack, 0, "cores", null);
            for (var lane = 0; lane < lanes.Count; lane++)
            {
                var uuid = CoreTracks + (ulong)lane;
                Describe(uuid, CoresTrack, string.Create(CultureInfo.InvariantCulture, $"core {lanes[lane].Core}"), null);
                foreach (var s in lanes[lane].Slices)
                {
                    var packet = BeginPacket(s.Start);
                    Intern(_names, 2, s.Name);
                    Intern(_categories, 1, "core");
                    FlushInterned();
                    var e = BeginEvent(uuid, Begin);
                    _p.Varint(NameIid, _names[s.Name]);
                    _p.Varint(CategoryIids, _categories["core"]);
                    _p.End(e);
                    _p.End(packet);
                    Close(uuid, s.Start + s.Nanoseconds);
                    if (_p.Written.Length > BufferBytes) Drain();
                }
            }
        }

        // One bundle has one core; the importer sorts.
        private void WriteSwitches()
        {
            foreach (var core in view.Switches.GroupBy(s => s.Core).OrderBy(g => g.Key))
            {
                foreach (var part in core.Chunk(SwitchesInBundle))
                {
                    var packet = _p.Begin(Packet);
                    _p.Varint(SequenceId, SchedulerSequence);
                    var bundle = _p.Begin(FtraceEvents);
                    _p.Varint(1, (ulong)core.Key);
                    foreach (var s in part) WriteSwitch(in s);
                    _p.End(bundle);
                    _p.End(packet);
                    if (_p.Written.Length > BufferBytes) Drain();
                }
            }
        }

        private void WriteSwitch(in SchedSwitch s)
        {
            var e = _p.Begin(2);
            _p.Varint(1, s.Time + view.Header.BootOffset);
            _p.Signed(2, s.PreviousTid);
            var change = _p.Begin(4);
            _p.Text(1, s.PreviousName);
            _p.Signed(2, s.PreviousTid);
            _p.Signed(3, s.PreviousPriority);
            _p.Signed(4, s.StateBits);
            _p.Text(5, s.NextName);
            _p.Signed(6, s.NextTid);
            _p.Signed(7, s.NextPriority);
            _p.End(change);
            _p.End(e);
        }

        // The first packet of the sequence says that nothing went before it, and which clock its times are in.
        private int BeginPacket(ulong? time = null)
        {
            var packet = _p.Begin(Packet);
            _p.Varint(SequenceId, Sequence);
            if (!_cleared)
            {
                _p.Varint(SequenceFlags, Cleared);
                var defaults = _p.Begin(Defaults);
                _p.Varint(ClockId, Monotonic);
                _p.End(defaults);
                _cleared = true;
            }
            else
            {
                _p.Varint(SequenceFlags, Needs);
            }

            if (time is { } at) _p.Varint(Timestamp, at);
            return packet;
        }

        private int BeginEvent(ulong uuid, int type)
        {
            var e = _p.Begin(TrackEvent);
            _p.Varint(Type, (ulong)type);
            _p.Varint(TrackUuid, uuid);
            return e;
        }

        private readonly List<(int Field, ulong Iid, string Text)> _fresh = [];

        private void Intern(Dictionary<string, ulong> table, int field, string text)
        {
            if (table.ContainsKey(text)) return;
            table[text] = (ulong)table.Count + 1;
            _fresh.Add((field, table[text], text));
        }

        private void FlushInterned()
        {
            if (_fresh.Count == 0) return;
            var data = _p.Begin(InternedData);
            foreach (var (field, iid, text) in _fresh)
            {
                var entry = _p.Begin(field);
                _p.Varint(1, iid);
                _p.Text(2, text);
                _p.End(entry);
            }

            _p.End(data);
            _fresh.Clear();
        }

        private void Annotate(string key, ulong value)
        {
            var a = _p.Begin(Annotations);
            _p.Varint(1, _keys[key]);
            _p.Varint(3, value);
            _p.End(a);
        }

        private void Annotate(string key, double value)
        {
            var a = _p.Begin(Annotations);
            _p.Varint(1, _keys[key]);
            _p.Double(5, value);
            _p.End(a);
        }

        private void Annotate(string key, string value)
        {
            var a = _p.Begin(Annotations);
            _p.Varint(1, _keys[key]);
            _p.Text(6, value);
            _p.End(a);
        }

        private void Drain()
        {
            output.Write(_p.Written);
            _p.Clear();
        }
    }
}
