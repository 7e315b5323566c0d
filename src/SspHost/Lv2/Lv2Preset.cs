// A preset of an LV2 plugin as edits of a patch: its port values are knobs, its properties are state as lv2.c reads it.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Patching;

namespace SspHost.Lv2;

/// <summary>A preset that a bundle brings.</summary>
internal sealed record Lv2PresetName(string Uri, string Label);

internal static unsafe class Lv2Preset
{
    private const uint Magic = 0x3253_564C, Plain = 3; // "LVS2"; LV2_STATE_IS_POD and IS_PORTABLE
    private const string AtomType = "http://lv2plug.in/ns/ext/atom#", MapPath = "http://lv2plug.in/ns/ext/state#mapPath";

    // What one process writes and another one reads as it is: no identifiers, no pointers.
    private static readonly HashSet<string> Portable =
        [.. ((string[])["Bool", "Int", "Long", "Float", "Double", "String", "Path", "URI", "Chunk"]).Select(t => AtomType + t)];

    /// <summary>What it makes of the module <paramref name="name"/>: one step. Throws <see cref="InvalidDataException"/> where liblilv cannot read it.</summary>
    public static Edit[] Edits(string path, Lv2Module module, Lv2PresetName preset, string name)
    {
        using var lilv = new Lilv(path);
        var plugin = lilv.Plugins().FirstOrDefault(p => Lilv.Uri(p) == module.Uri);
        if (plugin == 0) throw new InvalidDataException($"{module.Uri}: the plugin is gone");
        List<(string Symbol, float Value)> ports = [];
        List<(string Key, string Type, byte[] Value)> properties = [];
        lilv.ReadState(preset.Uri, (symbol, value) => ports.Add((symbol, value)), (key, type, value) => properties.Add((key, type, value)));
        List<Edit> edits = [.. Knobs(plugin, module, ports).Select(k => new SetParameter(name, k.Parameter, k.Value))];
        if (module.Descriptor.StateBytes > 0 && properties.Count > 0)
            edits.Add(new SetState(name, module.Descriptor.Version, new StateBlob([.. Blob(properties, module.Descriptor.StateBytes)])));
        if (edits.Count == 0) throw new InvalidDataException($"{preset.Uri}: there is nothing in this preset that the module has");
        return [.. edits];
    }

    private static IEnumerable<(string Parameter, float Value)> Knobs(nint plugin, Lv2Module module, List<(string Symbol, float Value)> ports)
    {
        var values = ports.ToDictionary(p => p.Symbol, p => p.Value, StringComparer.Ordinal);
        foreach (var (symbol, index, scale) in Lv2Records.Controls(module.Record).Select(c => (Lilv.Symbol(plugin, Lilv.Port(plugin, c.Port)), c.Parameter, c.Scale)))
        {
            if (!values.TryGetValue(symbol, out var value) || !float.IsFinite(value)) continue;
            var p = module.Descriptor.Parameters[index];
            value = Math.Clamp(value * scale, p.Min, p.Max);
            yield return (p.Id, p.Curve == ParameterCurve.Stepped ? MathF.Round(value) : value);
        }
    }

    // The format of lv2.c's states.
    internal static byte[] Blob(IEnumerable<(string Key, string Type, byte[] Value)> properties, int most)
    {
        using var stream = new MemoryStream();
        using var w = new BinaryWriter(stream);
        void Pad()
        {
            while (stream.Length % 8 != 0) w.Write((byte)0);
        }

        w.Write((ulong)Magic);
        foreach (var (key, type, value) in properties)
        {
            if (!Portable.Contains(type)) throw new InvalidDataException($"the preset's value of {key} is a {type}, which does not keep outside of a process");
            var (k, t) = (Encoding.UTF8.GetBytes(key + "\0"), Encoding.UTF8.GetBytes(type + "\0"));
            w.Write((uint)value.Length);
            w.Write(Plain);
            w.Write((uint)k.Length);
            w.Write((uint)t.Length);
            w.Write(k);
            w.Write(t);
            Pad();
            w.Write(value);
            Pad();
        }

        return stream.Length <= most ? stream.ToArray() : throw new InvalidDataException($"the preset's state has {stream.Length} bytes, at most {most} fit");
    }

    /// <summary>
    /// An instance that only listens: liblilv restores a state into it, and it asks for every property whose name liblilv has mapped, because there is
    /// no other way to know which there are.
    /// </summary>
    internal sealed class Listener
    {
        private readonly List<string> _names = [];
        private readonly Dictionary<string, uint> _ids = new(StringComparer.Ordinal);
        private readonly Action<string, float> _port;
        private readonly Action<string, string, byte[]> _property;

        public Listener(Action<string, float> port, Action<string, string, byte[]> property) => (_port, _property) = (port, property);

        public uint Map(string uri)
        {
            if (_ids.TryGetValue(uri, out var id)) return id;
            _names.Add(uri);
            return _ids[uri] = (uint)_names.Count;
        }

        public void Port(string symbol, void* value, uint size, uint type)
        {
            switch (Name(type))
            {
                case AtomType + "Float" when size == 4: _port(symbol, *(float*)value); break;
                case AtomType + "Double" when size == 8: _port(symbol, (float)*(double*)value); break;
                case AtomType + "Int" or AtomType + "Bool" when size == 4: _port(symbol, *(int*)value); break;
                case AtomType + "Long" when size == 8: _port(symbol, *(long*)value); break;
                default: break; // no number: no knob
            }
        }

        public void Restore(delegate* unmanaged<void*, uint, nuint*, uint*, uint*, void*> retrieve, void* state, Feature** features)
        {
            PathMap* paths = null;
            for (; features != null && *features != null; features++)
                if (Marshal.PtrToStringUTF8((nint)(*features)->Uri) == MapPath) paths = (PathMap*)(*features)->Data;
            foreach (var name in _names.ToArray())
            {
                nuint size = 0;
                uint type = 0, flags = 0;
                var value = retrieve(state, _ids[name], &size, &type, &flags);
                if (value == null || size > 1 << 20) continue;
                var bytes = new ReadOnlySpan<byte>(value, (int)size).ToArray();
                if (Name(type) == AtomType + "Path" && paths != null && size > 0 && bytes[^1] == 0)
                {
                    var absolute = paths->Absolute(paths->Handle, (byte*)value);
                    if (absolute != null)
                    {
                        bytes = [.. MemoryMarshal.CreateReadOnlySpanFromNullTerminated(absolute), 0];
                        NativeMemory.Free(absolute); // malloc's, as the extension has it
                    }
                }

                _property(name, Name(type), bytes);
            }
        }

        private string Name(uint id) => id > 0 && id <= _names.Count ? _names[(int)id - 1] : "";
    }

    /// <summary>LV2_Feature.</summary>
    internal struct Feature
    {
        public byte* Uri;
        public void* Data;
    }

    /// <summary>LV2_State_Map_Path.</summary>
    internal struct PathMap
    {
        public void* Handle;
        public void* Abstract;
        public delegate* unmanaged<void*, byte*, byte*> Absolute;
    }
}
