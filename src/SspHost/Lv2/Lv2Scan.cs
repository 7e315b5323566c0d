// What lies on the LV2 path, plugin by plugin: a module, or the reason why not.
using System.Globalization;
using SspHost.Abi;

namespace SspHost.Lv2;

/// <summary>A plugin that can be played.</summary>
/// <param name="Record">An <see cref="Lv2Plugin"/> with its ports.</param>
internal sealed record Lv2Module(string Uri, ModuleDescriptor Descriptor, byte[] Record)
{
    public IReadOnlyList<Lv2PresetName> Presets { get; init; } = [];
}

/// <summary>A plugin that cannot, or (by its path) a bundle that cannot be read.</summary>
internal sealed record Lv2Refusal(string Uri, string Why);

/// <summary>What a scan found.</summary>
internal sealed record Lv2Found(IReadOnlyList<Lv2Module> Modules, IReadOnlyList<Lv2Refusal> Refused);

internal static class Lv2Scan
{
    private const string Core = "http://lv2plug.in/ns/lv2core#", Ext = "http://lv2plug.in/ns/ext/", Props = Ext + "port-props#";
    private const int StateBytes = 1 << 16, SequenceBytes = 8192, MostSequenceBytes = 1 << 20, MostHelp = 3600;

    // Frequencies that a plugin gives as parts of the sample rate: at the rate most devices run at.
    private const float UsualRate = 48_000;

    // What lv2.c gives, and properties of plugins that need nothing of a host.
    private static readonly HashSet<string> Features = new(StringComparer.Ordinal)
    {
        Ext + "urid#map", Ext + "urid#unmap", Ext + "options#options", Ext + "worker#schedule", Ext + "log#log",
        Ext + "buf-size#boundedBlockLength", Ext + "buf-size#fixedBlockLength", Ext + "buf-size#powerOf2BlockLength", Ext + "buf-size#coarseBlockLength",
        Ext + "state#threadSafeRestore", Ext + "state#mapPath", Ext + "state#freePath", Core + "isLive", Core + "hardRTCapable", Core + "inPlaceBroken",
    };

    /// <summary>Scans the directories of a path. Throws <see cref="DllNotFoundException"/> where there is no liblilv.</summary>
    public static Lv2Found Run(string path)
    {
        using var lilv = new Lilv(path);
        var plugins = lilv.Plugins();
        var ids = Lv2Names.Ids([.. plugins.Select(Lilv.Uri)]);
        var modules = new List<Lv2Module>();
        var refused = lilv.Damaged.Select(b => new Lv2Refusal(b.Bundle, b.Why)).ToList();
        foreach (var plugin in plugins)
        {
            var uri = Lilv.Uri(plugin);
            // Its bundle's other files are read now. What is wrong in them is only told where it cost the plugin.
            Lv2Module? module = null;
            string? why = null;
            var said = LilvWords.Of(() => why = new Reader(lilv, plugin, uri, ids[uri]).Read(out module));
            if (module != null) modules.Add(module);
            else refused.Add(new Lv2Refusal(uri, said == null ? why! : $"{why} ({said})"));
        }

        return new Lv2Found(modules, refused);
    }

    private sealed class Reader(Lilv lilv, nint plugin, string uri, string id)
    {
        private readonly List<PortDescriptor> _inputs = [], _outputs = [];
        private readonly List<ParameterDescriptor> _parameters = [];
        private readonly List<TelemetryDescriptor> _telemetry = [];
        private readonly List<Lv2Port> _ports = [];
        private int _dropped;
        private bool _midi, _time;

        // Null, or why it cannot be played.
        public string? Read(out Lv2Module? module)
        {
            module = null;
            foreach (var feature in Lilv.RequiredFeatures(plugin).Where(f => !Features.Contains(f)))
                return $"it requires {feature}, which this host does not give";
            if (lilv.Values(plugin, Ext + "options#requiredOption").FirstOrDefault(o => !IsOption(o)) is { } option) return $"it requires the option {option}, which this host does not give";
            if (Lilv.Binary(plugin) is not { } binary) return "its RDF names no binary";
            if (Lilv.Bundle(plugin) is not { } bundle) return "its bundle is no directory";
            if (!File.Exists(binary)) return $"its binary {binary} does not exist";
            var (min, max, def) = Lilv.Ranges(plugin);
            for (var i = 0; i < min.Length; i++)
                if (Port(i, min[i], max[i], def[i]) is { } why) return why;
            if (_inputs.Count > Limits.MaxPorts || _outputs.Count > Limits.MaxPorts)
                return string.Create(CultureInfo.InvariantCulture, $"it has {Math.Max(_inputs.Count, _outputs.Count)} inputs or outputs; a module has at most {Limits.MaxPorts}");
            if (_outputs.Count == 0 && _telemetry.Count == 0) return "it puts out nothing that a cable carries (audio, CV) and shows nothing: MIDI effects have no use here";
            var latency = Lilv.LatencyPort(plugin);
            if (latency >= _ports.Count || (latency >= 0 && _ports[latency].Kind != Lv2PortKind.ControlOut)) latency = -1;
            var state = lilv.HasExtension(plugin, Ext + "state#interface") ? StateBytes : 0;
            var worker = lilv.HasExtension(plugin, Ext + "worker#interface") || Lilv.Features(plugin).Contains(Ext + "worker#schedule", StringComparer.Ordinal);
            var voices = !_midi && _inputs.Count > 0 && _outputs.Count > 0;
            var time = _time ? Time(voices) : null;
            var flags = (voices ? Lv2PluginFlags.Voices : 0) | (worker ? Lv2PluginFlags.Worker : 0);
            var presets = lilv.Presets(plugin);
            if (Lv2Records.Write(uri, bundle, binary, flags, latency, state, _ports, time) is not { } record) return "its URI or a path of it is too long";
            module = new Lv2Module(uri, Describe(binary, state, voices, time, presets), record) { Presets = presets };
            return null;
        }

        private ModuleDescriptor Describe(string binary, int state, bool voices, Lv2Time? time, IReadOnlyList<Lv2PresetName> presets)
        {
            var name = Lv2Names.Line(Lilv.Name(plugin), 60) is { Length: > 0 } given ? given : id;
            var comment = Comment();
            var type = Lilv.ClassLabel(plugin) is { Length: > 0 } label && label != "Plugin" ? label : "Plugin";
            var first = comment.Split([". ", "\n"], 2, StringSplitOptions.None)[0].TrimEnd('.');
            var text = first.Length is >= 8 and <= 100 ? Lv2Names.Line(first, 100) : $"{name}: {(type == "Plugin" ? "an LV2 plugin" : $"LV2, {type}")}";
            var outputs = voices ? _outputs.Select(o => o with { Rule = ChannelRule.Setting, Channels = 0 }) : _outputs;
            return new ModuleDescriptor
            {
                Id = id, Name = name, Family = Lv2Names.Family(ClassUri()), Text = text, Help = Help(name, type, comment, presets), File = binary,
                Inputs = _inputs, Outputs = [.. outputs], Parameters = _parameters, Telemetry = _telemetry, StateBytes = state, AcceptsEvents = _midi || _time,
                Settings = [.. Settings(voices, time)],
            };
        }

        private static IEnumerable<SettingDescriptor> Settings(bool voices, Lv2Time? time)
        {
            if (voices) yield return new SettingDescriptor("voices", "Voices", 1, Limits.MaxChannels, 1, "Instances side by side, one a channel; with 1, audio cables of many channels are summed.");
            if (time is { Clock: >= 0 }) yield return new SettingDescriptor("pulses", "Pulses", 1, 24, 4, "Pulses of the clock a beat: 4 are sixteenths.");
        }

        // A knob for its tempo and a jack for a clock, behind what is its own. Null: there is no room for the knob.
        private Lv2Time? Time(bool voices)
        {
            if (_parameters.Count == Limits.MaxParameters) return null;
            _parameters.Add(new ParameterDescriptor(
                Lv2Names.Unique("tempo", [.. _parameters.Select(p => p.Id)]), "Tempo", "BPM", 20, 300, 120, ParameterCurve.Exponential, "Beats a minute that the plugin is told, while there is no clock.", []));
            if (_inputs.Count == Limits.MaxPorts) return new Lv2Time(_parameters.Count - 1, -1, -1);
            _inputs.Add(new PortDescriptor(Lv2Names.Unique("clock", [.. _inputs.Select(p => p.Id)]), "Clock", "Its musical time follows the rises here.", ChannelRule.Fixed));
            return new Lv2Time(_parameters.Count - 1, _inputs.Count - 1, voices ? 1 : 0);
        }

        // liblilv only knows a class where the bundle that describes classes is on the path, too.
        private string ClassUri() => lilv.Values(plugin, "http://www.w3.org/1999/02/22-rdf-syntax-ns#type").FirstOrDefault(t => t.StartsWith(Core, StringComparison.Ordinal) && t != Core + "Plugin") ?? Lilv.ClassUri(plugin);

        private string Comment()
        {
            foreach (var predicate in new[] { "http://usefulinc.com/ns/doap#description", "http://lv2plug.in/ns/lv2core#documentation", "http://www.w3.org/2000/01/rdf-schema#comment", "http://usefulinc.com/ns/doap#shortdesc" })
                if (lilv.Values(plugin, predicate).FirstOrDefault(v => v.Contains(' ', StringComparison.Ordinal)) is { } text) return Lv2Names.Page(text); // not a mere URI
            return "";
        }

        private string Help(string name, string type, string comment, IReadOnlyList<Lv2PresetName> presets)
        {
            var parts = new List<string>();
            if (comment.Length > 0) parts.Add(comment.Length > 2000 ? comment[..2000].TrimEnd() + " ..." : comment);
            var author = Lv2Names.Line(Lilv.Author(plugin), 100);
            parts.Add($"{name} is an LV2 plugin{(type == "Plugin" ? "" : $" ({type})")}{(author.Length > 0 ? $" by {author}" : "")}: {uri}. A sample of 1 in it is 5 V at an audio jack and 1 V at a CV jack. Its knobs are read once a quantum.");
            if (presets.Count > 0) parts.Add("Its presets: " + Lv2Names.Line(string.Join(", ", presets.Select(p => p.Label)), 1000) + ".");

            if (_time) parts.Add("It plays in time: with a clock patched into Clock (the setting Pulses says how many come a beat), else with the MIDI clock once one is heard, else at the knob Tempo. A bar is four beats.");
            if (_dropped > 0) parts.Add(string.Create(CultureInfo.InvariantCulture, $"Of its controls {_dropped} stay as they are: a module has at most {Limits.MaxParameters}."));
            var listen = _outputs.Count > 0 ? $"listen at {_outputs[0].Name}" : "watch what it shows";
            var play = _midi ? "send it notes" : _inputs.Count > 0 ? $"patch a cable into {_inputs[0].Name}" : "place it";
            parts.Add($"Try: {play}, {listen}{(_parameters.Count > 0 ? $", and turn {_parameters[0].Name}" : "")}.");
            var help = string.Join("\n\n", parts);
            return help.Length <= MostHelp ? help : string.Join("\n\n", parts.Skip(1));
        }

        private string? Port(int index, float min, float max, float def)
        {
            var port = Lilv.Port(plugin, index);
            bool Is(string type) => lilv.PortIsA(plugin, port, type);
            var input = Is(Core + "InputPort");
            var symbol = Lilv.Symbol(plugin, port);
            var name = Lv2Names.Line(Lilv.PortName(plugin, port), 60) is { Length: > 0 } given ? given : symbol;
            if (!input && !Is(Core + "OutputPort")) return $"its port '{symbol}' is neither input nor output";
            if (Is(Core + "AudioPort") || Is(Core + "CVPort"))
            {
                var audio = Is(Core + "AudioPort");
                var list = input ? _inputs : _outputs;
                var text = Text(port) is { Length: > 0 } said ? said : audio ? "Audio." : "Control voltage.";
                list.Add(new PortDescriptor(Lv2Names.Unique(symbol, [.. list.Select(p => p.Id)]), name, text, ChannelRule.Fixed, input ? (byte)Limits.MaxChannels : (byte)1));
                _ports.Add(new Lv2Port { Kind = audio ? input ? Lv2PortKind.AudioIn : Lv2PortKind.AudioOut : input ? Lv2PortKind.CvIn : Lv2PortKind.CvOut, Index = list.Count - 1 });
            }
            else if (Is(Core + "ControlPort"))
            {
                if (input) Parameter(port, symbol, name, min, max, def);
                else Show(port, symbol, name);
            }
            else if (Is(Ext + "atom#AtomPort"))
            {
                var midi = input && lilv.PortTakes(plugin, port, Ext + "midi#MidiEvent");
                var time = input && lilv.PortTakes(plugin, port, Ext + "time#Position");
                _midi |= midi;
                _time |= time;
                var asked = int.TryParse(lilv.PortValue(plugin, port, Ext + "resize-port#minimumSize"), CultureInfo.InvariantCulture, out var bytes) ? bytes : 0;
                _ports.Add(new Lv2Port { Kind = input ? Lv2PortKind.AtomIn : Lv2PortKind.AtomOut, Index = (midi ? 1 : 0) + (time ? 2 : 0) - 1, Bytes = (Math.Clamp(asked, SequenceBytes, MostSequenceBytes) + 7) & ~7 });
            }
            else if (lilv.PortHas(plugin, port, Core + "connectionOptional"))
            {
                _ports.Add(new Lv2Port { Kind = Lv2PortKind.Unused, Index = -1 });
            }
            else
            {
                return $"its port '{symbol}' is of a kind that this host does not know";
            }

            return null;
        }

        private void Parameter(nint port, string symbol, string name, float min, float max, float def)
        {
            bool Has(string property) => lilv.PortHas(plugin, port, property);
            var scale = Has(Core + "sampleRate") ? UsualRate : 1;
            if (!float.IsFinite(min)) min = float.IsFinite(def) ? Math.Min(0, def) : 0;
            if (!float.IsFinite(max)) max = float.IsFinite(def) ? Math.Max(1, def) : 1;
            if (!float.IsFinite(def)) def = min;
            (min, max, def) = (min * scale, max * scale, def * scale);
            var designation = lilv.PortValue(plugin, port, Core + "designation") ?? "";
            // The host has a bypass of its own, and it does not play faster than time.
            if (designation == Core + "enabled") def = 1;
            if (designation is Core + "enabled" or Core + "freeWheeling" || !(min < max) || _parameters.Count == Limits.MaxParameters)
            {
                if (_parameters.Count == Limits.MaxParameters && min < max) _dropped++;
                _ports.Add(new Lv2Port { Kind = Lv2PortKind.ControlIn, Index = -1, Value = def });
                return;
            }

            var points = Lilv.ScalePoints(plugin, port);
            var toggled = Has(Core + "toggled");
            var whole = Has(Core + "integer") || (Has(Core + "enumeration") && points.All(p => float.IsInteger(p.Value)));
            var curve = toggled || whole ? ParameterCurve.Stepped : Has(Props + "logarithmic") && min > 0 ? ParameterCurve.Exponential : ParameterCurve.Linear;
            string[] choices = [];
            var text = Text(port);
            if (curve == ParameterCurve.Stepped)
            {
                (min, max) = toggled ? (0, 1) : (MathF.Ceiling(min), MathF.Floor(max));
                if (!(min < max)) (min, max) = (MathF.Floor(min), MathF.Floor(min) + 1);
                def = MathF.Round(toggled && def > 0 ? 1 : def);
                if (points.Count == (int)(max - min) + 1 && min == 0 && points.Select((p, i) => p.Value == i).All(static same => same))
                    choices = [.. points.Select((p, i) => Lv2Names.Line(p.Label, 60) is { Length: > 0 } label ? label : i.ToString(CultureInfo.InvariantCulture))];
                else if (toggled)
                    choices = ["off", "on"];
            }

            if (text.Length == 0) text = name + ".";
            if (points.Count > 0 && choices.Length == 0)
                text = Lv2Names.Line(text + " " + string.Join(", ", points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Value}: {p.Label}"))), 400);
            _ports.Add(new Lv2Port { Kind = Lv2PortKind.ControlIn, Index = _parameters.Count, Value = def, Bytes = (int)scale });
            _parameters.Add(new ParameterDescriptor(
                Lv2Names.Unique(symbol, [.. _parameters.Select(p => p.Id)]), name, scale == 1 ? Unit(port) : "Hz", min, max, Math.Clamp(def, min, max), curve, text, choices));
        }

        private void Show(nint port, string symbol, string name)
        {
            var fits = _telemetry.Count < Limits.MaxParameters;
            _ports.Add(new Lv2Port { Kind = Lv2PortKind.ControlOut, Index = fits ? _telemetry.Count : -1 });
            if (fits) _telemetry.Add(new TelemetryDescriptor(Lv2Names.Unique(symbol, [.. _telemetry.Select(t => t.Id)]), TelemetryKind.Value, 1, Unit(port), name));
        }

        private string Text(nint port) => Lv2Names.Line(lilv.PortValue(plugin, port, "http://www.w3.org/2000/01/rdf-schema#comment") ?? "", 300);

        private string Unit(nint port) => Lv2Names.Unit(lilv.PortValue(plugin, port, "http://lv2plug.in/ns/extensions/units#unit")) ?? Lv2Names.Line(lilv.UnitSymbol(plugin, port) ?? "", 12);

        private static bool IsOption(string o) =>
            o is Ext + "parameters#sampleRate" or Ext + "buf-size#minBlockLength" or Ext + "buf-size#maxBlockLength" or Ext + "buf-size#nominalBlockLength" or Ext + "buf-size#sequenceSize";
    }
}
