// Descriptors as bytes: written by the engine, read by the control process from the region or from `ssp-engine --describe`.
using System.Buffers.Binary;
using System.Text;

namespace SspHost.Abi;

/// <summary>
/// Encoding of a list of <see cref="ModuleDescriptor"/>: little-endian numbers, strings as int32 byte length and UTF-8,
/// lists as int32 count and items. Starts with <see cref="AbiVersion.Descriptors"/>.
/// </summary>
public static class DescriptorBlob
{
    private const int MaxCount = 1 << 16;

    /// <summary>Encodes <paramref name="modules"/> in order; a module's index in this list is its number in plans.</summary>
    public static byte[] Write(IReadOnlyList<ModuleDescriptor> modules)
    {
        using var stream = new MemoryStream();
        using var w = new BinaryWriter(stream);
        w.Write(AbiVersion.Descriptors);
        WriteList(w, modules, WriteModule);
        w.Flush();
        return stream.ToArray();
    }

    /// <summary>Decodes a blob. Throws <see cref="InvalidDataException"/> saying at which byte what was expected.</summary>
    public static IReadOnlyList<ModuleDescriptor> Read(ReadOnlySpan<byte> blob)
    {
        var r = new Reader(blob);
        var version = (uint)r.Int("format version");
        if (version != AbiVersion.Descriptors)
            throw new InvalidDataException($"descriptor blob, byte 0: format version {version}, expected {AbiVersion.Descriptors}");
        var count = r.Count("modules");
        var modules = new List<ModuleDescriptor>(Math.Min(count, 1024));
        for (var i = 0; i < count; i++) modules.Add(ReadModule(ref r));
        if (!r.AtEnd) throw r.Bad("the end of the blob");
        return modules;
    }

    private static void WriteModule(BinaryWriter w, ModuleDescriptor m)
    {
        WriteString(w, m.Id);
        w.Write(m.Version);
        WriteString(w, m.Name);
        WriteString(w, m.Family);
        WriteString(w, m.Text);
        WriteString(w, m.Help);
        WriteString(w, m.File);
        WriteList(w, m.Inputs, WritePort);
        WriteList(w, m.Outputs, WritePort);
        WriteList(w, m.Parameters, static (w, p) =>
        {
            WriteString(w, p.Id);
            WriteString(w, p.Name);
            WriteString(w, p.Unit);
            w.Write(p.Min);
            w.Write(p.Max);
            w.Write(p.Default);
            w.Write((int)p.Curve);
            WriteString(w, p.Text);
            WriteList(w, p.Choices, WriteString);
        });
        WriteList(w, m.Settings, static (w, s) =>
        {
            WriteString(w, s.Id);
            WriteString(w, s.Name);
            w.Write(s.Min);
            w.Write(s.Max);
            w.Write(s.Default);
            WriteString(w, s.Text);
            WriteList(w, s.Choices, WriteString);
        });
        WriteList(w, m.Assets, static (w, a) =>
        {
            WriteString(w, a.Id);
            WriteString(w, a.Name);
            WriteString(w, a.Text);
        });
        WriteList(w, m.Telemetry, static (w, t) =>
        {
            WriteString(w, t.Id);
            w.Write((int)t.Kind);
            w.Write(t.Length);
            WriteString(w, t.Unit);
            WriteString(w, t.Text);
        });
        w.Write(m.StateBytes);
        w.Write((m.AcceptsEvents ? 1 : 0) | (m.HasTail ? 2 : 0) | (m.Sheddable ? 4 : 0));
    }

    private static void WritePort(BinaryWriter w, PortDescriptor p)
    {
        WriteString(w, p.Id);
        WriteString(w, p.Name);
        WriteString(w, p.Text);
        w.Write((int)p.Rule);
        w.Write((int)p.Channels);
        w.Write((int)p.Kind);
    }

    private static void WriteString(BinaryWriter w, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        w.Write(bytes.Length);
        w.Write(bytes);
    }

    private static void WriteList<T>(BinaryWriter w, IReadOnlyList<T> items, Action<BinaryWriter, T> write)
    {
        w.Write(items.Count);
        foreach (var item in items) write(w, item);
    }

    private static ModuleDescriptor ReadModule(ref Reader r)
    {
        var id = r.String("module id");
        var version = (uint)r.Int("module version");
        var name = r.String("module name");
        var family = r.String("module family");
        var text = r.String("module text");
        var help = r.String("module help");
        var file = r.String("module file");
        var inputs = ReadPorts(ref r, "inputs");
        var outputs = ReadPorts(ref r, "outputs");

        var parameters = new ParameterDescriptor[r.Count("parameters")];
        for (var i = 0; i < parameters.Length; i++)
        {
            var (pid, pname, unit) = (r.String("parameter id"), r.String("parameter name"), r.String("parameter unit"));
            var (min, max, def) = (r.Float("parameter minimum"), r.Float("parameter maximum"), r.Float("parameter default"));
            var curve = (ParameterCurve)r.Int("parameter curve");
            var ptext = r.String("parameter text");
            parameters[i] = new ParameterDescriptor(pid, pname, unit, min, max, def, curve, ptext, ReadChoices(ref r));
        }

        var settings = new SettingDescriptor[r.Count("settings")];
        for (var i = 0; i < settings.Length; i++)
            settings[i] = new SettingDescriptor(
                r.String("setting id"), r.String("setting name"), r.Int("setting minimum"), r.Int("setting maximum"), r.Int("setting default"), r.String("setting text"),
                ReadChoices(ref r));

        var assets = new AssetDescriptor[r.Count("assets")];
        for (var i = 0; i < assets.Length; i++) assets[i] = new AssetDescriptor(r.String("asset id"), r.String("asset name"), r.String("asset text"));

        var telemetry = new TelemetryDescriptor[r.Count("telemetry")];
        for (var i = 0; i < telemetry.Length; i++)
            telemetry[i] = new TelemetryDescriptor(r.String("telemetry id"), (TelemetryKind)r.Int("telemetry kind"), r.Int("telemetry length"),
                r.String("telemetry unit"), r.String("telemetry text"));

        var stateBytes = r.Int("state bytes");
        var flags = r.Int("module flags");
        return new ModuleDescriptor
        {
            Id = id,
            Version = version,
            Name = name,
            Family = family,
            Text = text,
            Help = help,
            File = file,
            Inputs = inputs,
            Outputs = outputs,
            Parameters = parameters,
            Settings = settings,
            Assets = assets,
            Telemetry = telemetry,
            StateBytes = stateBytes,
            AcceptsEvents = (flags & 1) != 0,
            HasTail = (flags & 2) != 0,
            Sheddable = (flags & 4) != 0,
        };
    }

    private static string[] ReadChoices(ref Reader r)
    {
        var choices = new string[r.Count("choices")];
        for (var i = 0; i < choices.Length; i++) choices[i] = r.String("choice");
        return choices;
    }

    private static PortDescriptor[] ReadPorts(ref Reader r, string what)
    {
        var ports = new PortDescriptor[r.Count(what)];
        for (var i = 0; i < ports.Length; i++)
            ports[i] = new PortDescriptor(
                r.String("port id"), r.String("port name"), r.String("port text"),
                (ChannelRule)r.Int("channel rule"), (byte)r.Int("channels"), (PortKind)r.Int("port kind"));
        return ports;
    }

    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private int _at;

        public readonly bool AtEnd => _at == _bytes.Length;

        public readonly InvalidDataException Bad(string expected) =>
            new($"descriptor blob of {_bytes.Length} bytes, byte {_at}: expected {expected}");

        public int Int(string what)
        {
            if (_bytes.Length - _at < 4) throw Bad(what);
            var value = BinaryPrimitives.ReadInt32LittleEndian(_bytes[_at..]);
            _at += 4;
            return value;
        }

        public float Float(string what) => BitConverter.Int32BitsToSingle(Int(what));

        public int Count(string what)
        {
            var count = Int($"number of {what}");
            if (count is < 0 or > MaxCount || count > _bytes.Length - _at) // an item is at least one byte
                throw Bad($"a plausible number of {what}, not {count}");
            return count;
        }

        public string String(string what)
        {
            var length = Int($"length of {what}");
            if (length < 0 || length > _bytes.Length - _at) throw Bad($"{what} within the blob, not {length} bytes");
            var text = Encoding.UTF8.GetString(_bytes.Slice(_at, length));
            _at += length;
            return text;
        }
    }
}
