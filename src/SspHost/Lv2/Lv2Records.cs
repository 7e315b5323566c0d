// Plugins as bytes for the engine: written, and stand-ins for what a patch names and this system has not.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Patching;

namespace SspHost.Lv2;

/// <summary>Where a plugin's musical time comes from: a parameter, an input and a setting of its module; the last two may be -1.</summary>
internal readonly record struct Lv2Time(int Tempo, int Clock, int Pulses);

internal static unsafe class Lv2Records
{
    private const int StateBytes = 1 << 16;
    private const float Anything = 1e9f;

    /// <summary>An <see cref="Lv2Plugin"/> and its ports; null: a text is too long.</summary>
    public static byte[]? Write(string uri, string bundle, string binary, Lv2PluginFlags flags, int latency, int state, IReadOnlyList<Lv2Port> ports, Lv2Time? time = null)
    {
        var bytes = new byte[Lv2Plugin.BytesFor(ports.Count)];
        fixed (byte* at = bytes)
        {
            var p = (Lv2Plugin*)at;
            (p->Bytes, p->Flags, p->Ports, p->LatencyPort, p->StateBytes) = (bytes.Length, flags, ports.Count, latency, state);
            (p->Tempo, p->Clock, p->Pulses) = time is { } t ? (t.Tempo, t.Clock, t.Pulses) : (-1, -1, -1);
            if (!Encoding.UTF8.TryGetBytes(uri, new Span<byte>(p->Uri, Lv2Plugin.UriBytes - 1), out _)) return null;
            if (!LibraryLoad.TrySet(p->Bundle, bundle) || !LibraryLoad.TrySet(p->Binary, binary)) return null;
            for (var i = 0; i < ports.Count; i++) Lv2Plugin.PortsOf(p)[i] = ports[i];
        }

        return bytes;
    }

    /// <summary>
    /// A silent module with all that a patch uses of the type <paramref name="id"/>, so that the patch plays without it and keeps what it says of it.
    /// </summary>
    public static Lv2Module StandIn(string id, Patch patch)
    {
        var used = patch.Modules.Where(m => m.Type == id).ToArray();
        var names = used.Select(m => m.Id).ToHashSet(StringComparer.Ordinal);
        static PortDescriptor[] Ports(IEnumerable<string> ids, byte channels) =>
            [.. ids.Distinct(StringComparer.Ordinal).Take(Limits.MaxPorts).Select(p => new PortDescriptor(p, p, "Of a plugin that is missing.", ChannelRule.Fixed, channels))];
        var inputs = Ports(patch.Cables.Where(c => names.Contains(c.To.Module)).Select(c => c.To.Port), Limits.MaxChannels);
        var outputs = Ports(patch.Cables.Where(c => names.Contains(c.From.Module)).Select(c => c.From.Port), 1);
        var descriptor = new ModuleDescriptor
        {
            Id = id, Name = $"{id} (missing)", Family = "Utility", Text = "An LV2 plugin that is not on this system: it plays silence.", File = id,
            Version = used.Max(m => m.Version), Inputs = inputs, Outputs = outputs, StateBytes = StateBytes,
            Parameters = [.. used.SelectMany(m => m.Parameters.Select(p => p.Name)).Distinct(StringComparer.Ordinal).Take(Limits.MaxParameters)
                .Select(p => new ParameterDescriptor(p, p, "", -Anything, Anything, 0, ParameterCurve.Linear, "Of a plugin that is missing."))],
            Settings = [.. used.SelectMany(m => m.Settings.Select(s => s.Name)).Distinct(StringComparer.Ordinal).Take(Limits.MaxParameters)
                .Select(s => new SettingDescriptor(s, s, int.MinValue / 2, int.MaxValue / 2, 0, "Of a plugin that is missing."))],
        };
        List<Lv2Port> ports = [];
        for (var i = 0; i < outputs.Length; i++) ports.Add(new Lv2Port { Kind = Lv2PortKind.AudioOut, Index = i });
        return new Lv2Module(id, descriptor, Write(id, "/", "/", Lv2PluginFlags.Silent, -1, StateBytes, ports)!);
    }

    /// <summary>The ports that are parameters, and what values of the plugin's are to be multiplied by to be ours.</summary>
    public static IReadOnlyList<(int Port, int Parameter, int Scale)> Controls(byte[] record)
    {
        var list = new List<(int, int, int)>();
        fixed (byte* at = record)
        {
            var p = (Lv2Plugin*)at;
            for (var i = 0; i < p->Ports; i++)
                if (Lv2Plugin.PortsOf(p)[i] is { Kind: Lv2PortKind.ControlIn, Index: >= 0 } port) list.Add((i, port.Index, port.Bytes));
        }

        return list;
    }

    /// <summary>A copy of a plugin that plays, or is silent.</summary>
    public static byte[] With(byte[] record, bool silent)
    {
        var copy = (byte[])record.Clone();
        fixed (byte* at = copy)
        {
            var p = (Lv2Plugin*)at;
            p->Flags = silent ? p->Flags | Lv2PluginFlags.Silent : p->Flags & ~Lv2PluginFlags.Silent;
        }

        return copy;
    }

    /// <summary>The plugins one after the other.</summary>
    public static byte[] Join(IEnumerable<Lv2Module> modules) => [.. modules.SelectMany(m => m.Record)];

    /// <summary>The other way round.</summary>
    public static IReadOnlyList<(string Uri, byte[] Record)> Split(byte[] records)
    {
        var list = new List<(string, byte[])>();
        for (var at = 0; at < records.Length;)
        {
            var bytes = (int)MemoryMarshal.Read<long>(records.AsSpan(at));
            if (bytes < sizeof(Lv2Plugin) || bytes > records.Length - at) throw new InvalidDataException("the list of LV2 plugins is damaged");
            var record = records.AsSpan(at, bytes).ToArray();
            fixed (byte* p = record) list.Add((LibraryRecord.Text(((Lv2Plugin*)p)->Uri, Lv2Plugin.UriBytes), record));
            at += bytes;
        }

        return list;
    }
}
