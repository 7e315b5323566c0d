// What a plan is made from: modules and cables by identity, of one patch or of two at once.
using System.Collections.Immutable;
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>A module that plays.</summary>
internal sealed record WiredModule(ulong Key, Module Module, ModuleType Type, int[] Settings);

/// <summary>A cable that plays, with modules by index. ToPort: an input, or behind the last input a parameter.</summary>
internal struct WiredCable
{
    public int From, FromPort, To, ToPort;
    public bool Delayed;

    /// <summary>Channels it carries: the first ones of its source; 0: all, whatever they come to.</summary>
    public int Channels;

    /// <summary>Gain in the end, and where it begins if it is new.</summary>
    public float Gain, Start;

    /// <summary>Whether its gain is on its way: it cannot be read in place.</summary>
    public bool Ramps;

    public ulong Id;
}

/// <summary>One channel of a device output that leads to a jack.</summary>
internal struct WiredLine
{
    public int Module, Port, Channel, Jack;
    public float Gain, Start;
    public ulong Id;
}

/// <summary>
/// Modules, cables and jack lines in the order in which they are summed. The first <see cref="Own"/> modules are those of the patch, in its
/// order; the others are leaving.
/// </summary>
internal sealed class Wiring
{
    public WiredModule[] Modules = [];
    public WiredCable[] Cables = [];
    public WiredLine[] Lines = [];
    public int Own;

    /// <summary>By module: it leaves, and plays on until its tail, or the one it carries, is over.</summary>
    public bool[] Rings = [];

    /// <summary>By module: it has a tail of its own to play out.</summary>
    public bool[] Tails = [];

    /// <summary>Whether it is the patch and nothing else, at rest.</summary>
    public bool Plain = true;

    /// <summary>Whether the patch is not all there yet: what comes would close a loop with what leaves, or a change failed half-way.</summary>
    public bool Waits;

    /// <summary>Frames of a quantum.</summary>
    public int Quantum;

    public ImmutableArray<string> Warnings = [];

    /// <summary>The graph and its channels, where they are known already.</summary>
    public PlanGraph? Graph;
    public ChannelResolver? Channels;

    /// <summary>A checked patch whose loops are in order.</summary>
    public static Wiring Of(Patch patch, DescriptorIndex modules, CompileOptions options)
    {
        var w = new Wiring { Own = patch.Modules.Length, Quantum = patch.Quantum, Modules = ModulesOf(patch, modules) };
        w.Rings = new bool[w.Own];
        w.Tails = new bool[w.Own];
        w.Cables = new WiredCable[patch.Cables.Length];
        for (var i = 0; i < w.Cables.Length; i++)
        {
            var c = patch.Cables[i];
            var (from, to) = (patch.IndexOf(c.From.Module), patch.IndexOf(c.To.Module));
            w.Cables[i] = new WiredCable
            {
                From = from,
                FromPort = w.Modules[from].Type.Output(c.From.Port),
                To = to,
                ToPort = PortOf(w.Modules[to].Type, c.To),
                Delayed = c.Delayed,
                Gain = c.Gain,
                Start = c.Gain,
            };
        }

        w.Graph = PlanGraph.Build(w);
        w.Channels = ChannelResolver.Resolve(w.Graph, w);
        for (var i = 0; i < w.Cables.Length; i++)
        {
            ref var c = ref w.Cables[i];
            c.Channels = w.Channels.Outputs[w.Graph.FromOutput[i]];
            c.Id = PlanKey.Cable(w.Modules[c.From].Key, c.FromPort, w.Modules[c.To].Key, c.ToPort, c.Delayed, c.Channels);
        }

        w.Graph.CableChannels = PlanGraph.ChannelsOf(w);
        var warnings = ImmutableArray.CreateBuilder<string>();
        w.FindJacks(options, warnings);
        w.Warnings = warnings.ToImmutable();
        return w;
    }

    private static int PortOf(ModuleType type, PortRef to) =>
        to.IsParameter ? type.Descriptor.Inputs.Count + type.Parameter(to.Port[1..]) : type.Input(to.Port);

    // Keys in patch order, so that of two modules whose low 32 bits meet, the first keeps its key whatever comes after it.
    private static WiredModule[] ModulesOf(Patch patch, DescriptorIndex modules)
    {
        var wired = new WiredModule[patch.Modules.Length];
        var taken = new HashSet<uint>(wired.Length);
        for (var i = 0; i < wired.Length; i++)
        {
            var m = patch.Modules[i];
            var type = modules.Find(m.Type)!;
            var own = type.Descriptor.Settings;
            var settings = new int[own.Count];
            for (var s = 0; s < settings.Length; s++) settings[s] = m.Settings.TryGet(own[s].Id, out var value) ? value : own[s].Default;
            ulong key;
            uint salt = 0;
            do key = PlanKey.Of(patch.Id, m.Id, m.Type, settings, salt++, type.Revision);
            while ((uint)key == 0 || !taken.Add((uint)key));
            wired[i] = new WiredModule(key, m, type, settings);
        }

        return wired;
    }

    // The n-th device output of a module leads to the device's jack n: in patch order, every channel of the port.
    private void FindJacks(CompileOptions options, ImmutableArray<string>.Builder warnings)
    {
        var lines = new List<WiredLine>();
        var (graph, channels) = (Graph!, Channels!);
        for (var m = 0; m < Own; m++)
        {
            var (d, node) = (Modules[m].Type.Descriptor, graph.NodeOf[m]);
            var number = 0;
            for (var p = 0; p < d.Inputs.Count; p++)
            {
                if (d.Inputs[p].Kind != PortKind.Device) continue;
                var used = number < d.Outputs.Count && graph.Read[graph.FirstOutput[node] + number];
                if (JackOf(m, number++, options.Inputs) < 0 && used) Missing(m, "input", First(m) + number, options.Inputs, warnings);
            }

            number = 0;
            for (var p = 0; p < d.Outputs.Count; p++)
            {
                if (d.Outputs[p].Kind != PortKind.Device) continue;
                var input = graph.FirstInput[node] + number;
                var used = number < d.Inputs.Count && graph.InputStart[input + 1] > graph.InputStart[input];
                var jack = JackOf(m, number++, options.Outputs);
                if (jack < 0)
                {
                    if (used) Missing(m, "output", First(m) + number, options.Outputs, warnings);
                    continue;
                }

                for (var c = 0; c < channels.Outputs[graph.FirstOutput[node] + p]; c++)
                {
                    lines.Add(new WiredLine
                    {
                        Module = m, Port = p, Channel = c, Jack = jack, Gain = 1, Start = 1, Id = PlanKey.Line(Modules[m].Key, p, c, jack),
                    });
                }
            }
        }

        Lines = [.. lines];
    }

    // A missing jack is worth a word only where its counterpart on the module (the n-th cable port) is patched.
    private void Missing(int module, string direction, int jack, int jacks, ImmutableArray<string>.Builder warnings) =>
        warnings.Add($"{Modules[module].Module.Id}: the device has no {direction} jack {jack}, only {jacks}");

    /// <summary>Jack of a module's n-th device port of one direction, or -1 where the device has none.</summary>
    public int JackOf(int module, int number, int jacks)
    {
        var jack = First(module) + number;
        return jack >= 0 && jack < Math.Min(jacks, Limits.MaxJacks) ? jack : -1;
    }

    private int First(int module)
    {
        var d = Modules[module].Type.Descriptor;
        return d.Settings.Count > 0 && d.Settings[0].Id == "first" ? Modules[module].Settings[0] : 0;
    }
}
