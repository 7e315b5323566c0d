// The raw trace file, .ssptrace: what the flight recorder holds, as it holds it, and everything needed to read it elsewhere.
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>
/// Layout, little-endian: the eight bytes "SSPTRACE", a 32-bit version, then sections of four letters, a 32-bit length and that many bytes.
/// HEAD (first): <see cref="TraceHeader"/> as JSON. EVTS: a byte with the seat, a 32-bit number of events, the events as
/// <see cref="EventCodec"/> writes them, from its beginning. SWCH: switches of the scheduler. ENDS: 64-bit numbers of events and of switches in
/// all; a file without it was cut short. Sections with other names are skipped.
/// </summary>
internal static class RawFormat
{
    public const uint Version = 1;
    public const int MaxHeader = 64 << 20;

    public static ReadOnlySpan<byte> Magic => "SSPTRACE"u8;

    public static ReadOnlySpan<byte> Head => "HEAD"u8;

    public static ReadOnlySpan<byte> Events => "EVTS"u8;

    public static ReadOnlySpan<byte> Switches => "SWCH"u8;

    public static ReadOnlySpan<byte> End => "ENDS"u8;
}

/// <summary>Writes raw traces.</summary>
public static class RawTraceWriter
{
    private const int SwitchesInSection = 4096;

    /// <summary>Writes a trace; returns its number of events. Throws <see cref="IOException"/> as the stream does.</summary>
    public static long Write(Stream output, TraceHeader header, TraceSnapshot snapshot, ReadOnlySpan<SchedSwitch> switches)
    {
        output.Write(RawFormat.Magic);
        Span<byte> small = stackalloc byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(small, RawFormat.Version);
        output.Write(small[..4]);
        Section(output, RawFormat.Head, JsonSerializer.SerializeToUtf8Bytes(header, TraceJson.Default.TraceHeader));
        long events = 0;
        for (var i = 0; i < snapshot.Count; i++)
        {
            var (seat, count) = snapshot.Get(i, out var bytes);
            Begin(output, RawFormat.Events, bytes.Length + 5);
            small[0] = (byte)seat;
            BinaryPrimitives.WriteUInt32LittleEndian(small[1..], (uint)count);
            output.Write(small[..5]);
            output.Write(bytes);
            events += count;
        }

        for (var at = 0; at < switches.Length; at += SwitchesInSection)
            Section(output, RawFormat.Switches, Encode(switches[at..Math.Min(at + SwitchesInSection, switches.Length)]));
        BinaryPrimitives.WriteInt64LittleEndian(small, events);
        BinaryPrimitives.WriteInt64LittleEndian(small[8..], switches.Length);
        Section(output, RawFormat.End, small);
        return events;
    }

    private static void Section(Stream output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> bytes)
    {
        Begin(output, name, bytes.Length);
        output.Write(bytes);
    }

    private static void Begin(Stream output, ReadOnlySpan<byte> name, int length)
    {
        Span<byte> head = stackalloc byte[8];
        name.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head[4..], length);
        output.Write(head);
    }

    // Self-contained: the names first, then each switch.
    private static byte[] Encode(ReadOnlySpan<SchedSwitch> switches)
    {
        var names = new List<string>();
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        int Of(string name)
        {
            if (index.TryGetValue(name, out var i)) return i;
            names.Add(name);
            return index[name] = names.Count - 1;
        }

        using var body = new MemoryStream();
        ulong time = 0;
        foreach (ref readonly var s in switches)
        {
            Put(body, Varint.ZigZag((long)(s.Time - time)));
            time = s.Time;
            Put(body, Varint.ZigZag(s.Core));
            Put(body, Varint.ZigZag(s.PreviousTid));
            Put(body, Varint.ZigZag(s.PreviousPriority));
            Put(body, s.PreviousState);
            Put(body, (ulong)Of(s.PreviousName));
            Put(body, Varint.ZigZag(s.NextTid));
            Put(body, Varint.ZigZag(s.NextPriority));
            Put(body, (ulong)Of(s.NextName));
        }

        using var all = new MemoryStream();
        Put(all, (ulong)names.Count);
        foreach (var name in names)
        {
            var bytes = Encoding.UTF8.GetBytes(name);
            Put(all, (ulong)bytes.Length);
            all.Write(bytes);
        }

        Put(all, (ulong)switches.Length);
        body.WriteTo(all);
        return all.ToArray();
    }

    private static unsafe void Put(MemoryStream output, ulong value)
    {
        var bytes = stackalloc byte[Varint.MaxBytes];
        output.Write(new ReadOnlySpan<byte>(bytes, (int)(Varint.Write(bytes, value) - bytes)));
    }
}

/// <summary>A raw trace that was read. Whatever the file's bytes are, reading ends in this or in one <see cref="InvalidDataException"/>.</summary>
public sealed unsafe class RawTrace
{
    private readonly byte[] _file;
    private readonly List<(int Seat, int Count, int Start, int Length)> _chunks = [];
    private readonly List<SchedSwitch> _switches = [];
    private readonly EventCodec _codec = new();

    private RawTrace(byte[] file) => _file = file;

    /// <summary>What the file says of itself.</summary>
    public TraceHeader Header { get; private set; } = new();

    /// <summary>Events in all, the markers of missing ones included.</summary>
    public long Events { get; private set; }

    /// <summary>Switches of the scheduler, in order of time.</summary>
    public IReadOnlyList<SchedSwitch> Switches => _switches;

    /// <summary>Whether the file ends before its end: what is there was read.</summary>
    public bool CutShort { get; private set; } = true;

    /// <summary>Seats that events are of.</summary>
    public IReadOnlyList<int> Seats => [.. _chunks.Select(c => c.Seat).Distinct().Order()];

    /// <summary>Reads a file. Throws <see cref="IOException"/>, or <see cref="InvalidDataException"/> where it is no trace.</summary>
    public static RawTrace Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        try
        {
            return Read(bytes);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Reads the bytes of a file.</summary>
    public static RawTrace Read(byte[] file)
    {
        if (file.Length < 12 || !file.AsSpan(0, 8).SequenceEqual(RawFormat.Magic)) throw new InvalidDataException("no raw trace: expected a file that begins with SSPTRACE");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(8));
        if (version != RawFormat.Version) throw new InvalidDataException($"a raw trace of version {version}; this program reads version {RawFormat.Version}");
        var trace = new RawTrace(file);
        var headed = false;
        var at = 12;
        while (file.Length - at >= 8)
        {
            var name = file.AsSpan(at, 4);
            var length = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(at + 4));
            if (length < 0) throw new InvalidDataException($"byte {at}: a section of negative length");
            at += 8;
            if (length > file.Length - at) break;
            if (name.SequenceEqual(RawFormat.Head))
            {
                trace.Header = ReadHeader(file.AsSpan(at, length), at);
                headed = true;
            }
            else if (name.SequenceEqual(RawFormat.Events))
            {
                trace.AddChunk(at, length);
            }
            else if (name.SequenceEqual(RawFormat.Switches))
            {
                trace.AddSwitches(at, length);
            }
            else if (name.SequenceEqual(RawFormat.End))
            {
                if (length != 16) throw new InvalidDataException($"byte {at}: an end of {length} bytes, expected 16");
                var (events, switches) = (BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(at)), BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(at + 8)));
                if (events != trace.Events || switches != trace._switches.Count)
                    throw new InvalidDataException($"{trace.Events} events and {trace._switches.Count} switches, where its end says {events} and {switches}");
                trace.CutShort = false;
                break;
            }

            at += length;
        }

        if (!headed) throw new InvalidDataException("it has no header");
        return trace;
    }

    /// <summary>All events of a seat, in its order.</summary>
    public TraceEvent[] EventsOf(int seat)
    {
        var count = 0;
        foreach (var c in _chunks)
            if (c.Seat == seat) count += c.Count;
        var events = new TraceEvent[count];
        var next = 0;
        fixed (byte* file = _file)
        {
            foreach (var c in _chunks)
            {
                if (c.Seat != seat) continue;
                _codec.Reset();
                var at = file + c.Start;
                for (var i = 0; i < c.Count; i++) at = _codec.Read(at, file + c.Start + c.Length, out events[next++]);
            }
        }

        return events;
    }

    private static TraceHeader ReadHeader(ReadOnlySpan<byte> json, int at)
    {
        if (json.Length > RawFormat.MaxHeader) throw new InvalidDataException($"byte {at}: a header of {json.Length} bytes");
        try
        {
            var header = JsonSerializer.Deserialize(json, TraceJson.Default.TraceHeader) ?? throw new InvalidDataException($"byte {at}: the header is null");
            // A list that says null, or holds one, would be met far from here.
            if (header.Seats is null || header.Modules is null || header.Anchors is null || header.Incidents is null || header.Memory is null
                || header.Seats.Any(s => s?.Name is null || s.Policy is null) || header.Modules.Any(m => m?.Name is null || m.Type is null)
                || header.Anchors.Any(a => a is null) || header.Incidents.Any(i => i?.Kind is null || i.Text is null) || header.Memory.Any(m => m is null)
                || header.Reason is null || header.Machine is null || header.EngineVersion is null || header.Time is null || header.Scheduler is null)
                throw new InvalidDataException($"byte {at}: the header has a null where there must be none");
            return header;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"byte {at}: the header is not what it should be: {e.Message}", e);
        }
    }

    // Everything is decoded once, so that whoever asks for it later cannot fail.
    private void AddChunk(int at, int length)
    {
        if (length < 5) throw new InvalidDataException($"byte {at}: {length} bytes of events, expected at least 5");
        int seat = _file[at];
        var count = BinaryPrimitives.ReadUInt32LittleEndian(_file.AsSpan(at + 1));
        if (seat >= Limits.MaxThreads) throw new InvalidDataException($"byte {at}: seat {seat}, expected 0 to {Limits.MaxThreads - 1}");
        if (count > length) throw new InvalidDataException($"byte {at}: {count} events in {length} bytes");
        _codec.Reset();
        fixed (byte* file = _file)
        {
            var place = file + at + 5;
            var end = file + at + length;
            for (uint i = 0; i < count; i++)
            {
                place = _codec.Read(place, end, out _);
                if (place == null) throw new InvalidDataException($"byte {at}: event {i} of {count} is damaged");
            }

            if (place != end) throw new InvalidDataException($"byte {at}: {end - place} bytes behind the last event");
        }

        _chunks.Add((seat, (int)count, at + 5, length - 5));
        Events += count;
    }

    private void AddSwitches(int start, int length)
    {
        fixed (byte* file = _file)
        {
            var at = file + start;
            var end = at + length;
            ulong Next()
            {
                at = Varint.Read(at, end, out var value);
                return at == null ? throw new InvalidDataException($"byte {start}: switches of the scheduler are damaged") : value;
            }

            int Small()
            {
                var value = Varint.UnZigZag(Next());
                return value is < int.MinValue or > int.MaxValue ? throw new InvalidDataException($"byte {start}: switches of the scheduler are damaged") : (int)value;
            }

            var names = new string[Checked(Next(), length, start)];
            for (var i = 0; i < names.Length; i++)
            {
                var bytes = Checked(Next(), end - at, start);
                names[i] = Encoding.UTF8.GetString(at, bytes);
                at += bytes;
            }

            var count = Checked(Next(), length, start);
            ulong time = 0;
            for (var i = 0; i < count; i++)
            {
                time += (ulong)Varint.UnZigZag(Next());
                _switches.Add(new SchedSwitch(time, Small(), Small(), Small(), (char)Checked(Next(), 127, start), NameAt(Next()), Small(), Small(), NameAt(Next())));
            }

            string NameAt(ulong i) => i < (ulong)names.Length ? names[i] : throw new InvalidDataException($"byte {start}: a switch of the scheduler without a name");
        }
    }

    private static int Checked(ulong value, long most, int start) =>
        value <= (ulong)Math.Max(0, most) ? (int)value : throw new InvalidDataException($"byte {start}: switches of the scheduler are damaged");
}
