// The registry as RT threads and the steward use it: unmanaged tables, built at start, with room for what libraries bring later.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Memory;

namespace SspHost.Engine.Graph;

[StructLayout(LayoutKind.Sequential)]
internal struct ParameterRange
{
    public float Min, Max, Default;
    public ParameterCurve Curve;
}

[StructLayout(LayoutKind.Sequential)]
internal struct SettingRange
{
    public int Min, Max;
}

[StructLayout(LayoutKind.Sequential)]
internal struct PortRule
{
    public ChannelRule Rule;
    public byte Channels;
    public PortKind Kind;
}

/// <summary>One module type.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ModuleType
{
    public ModuleEntry Entry;

    /// <summary>Bit i: input i and output i exist and both are cables, so that a bypass leads from one to the other.</summary>
    public ulong Through;

    public ParameterRange* Parameters;
    public SettingRange* Settings;
    public PortRule* Inputs;
    public PortRule* Outputs;

    /// <summary>The block that Parameters, Settings, Inputs and Outputs of a library's module lie in; null for the engine's own.</summary>
    public void* Tables;

    /// <summary>Data all instances share, built for the rate at hand; null before the first instance or where there is none.</summary>
    public void* Shared;

    /// <summary>1 while Shared was allocated by the installation under way, which gives it back if it is refused.</summary>
    public int SharedIsFresh;
    private readonly int _pad;
}

/// <summary>Makes the table. [start-up]</summary>
internal static unsafe class ModuleTypes
{
    public static ModuleType* Build(ModuleRegistry registry, Pool* pool)
    {
        var count = registry.Entries.Count;
        var types = (ModuleType*)Take(pool, Limits.MaxModuleTypes * (long)sizeof(ModuleType));
        for (var i = 0; i < count; i++)
        {
            var d = registry.Descriptors[i];
            var t = types + i;
            t->Entry = registry.Entries[i];
            t->Shared = null;
            t->Parameters = (ParameterRange*)Take(pool, d.Parameters.Count * (long)sizeof(ParameterRange));
            t->Settings = (SettingRange*)Take(pool, d.Settings.Count * (long)sizeof(SettingRange));
            t->Inputs = (PortRule*)Take(pool, d.Inputs.Count * (long)sizeof(PortRule));
            t->Outputs = (PortRule*)Take(pool, d.Outputs.Count * (long)sizeof(PortRule));
            for (var p = 0; p < d.Parameters.Count; p++)
            {
                var r = d.Parameters[p];
                if (r.Curve == ParameterCurve.Exponential && !(r.Min > 0))
                    throw new ArgumentException($"module '{d.Id}', parameter '{r.Id}': exponential, but its minimum is {r.Min}");
                t->Parameters[p] = new ParameterRange { Min = r.Min, Max = r.Max, Default = r.Default, Curve = r.Curve };
            }

            for (var s = 0; s < d.Settings.Count; s++) t->Settings[s] = new SettingRange { Min = d.Settings[s].Min, Max = d.Settings[s].Max };
            FillPorts(d.Inputs, t->Inputs);
            FillPorts(d.Outputs, t->Outputs);
            for (var p = 0; p < Math.Min(d.Inputs.Count, d.Outputs.Count); p++)
            {
                if (d.Inputs[p].Kind == PortKind.Cable && d.Outputs[p].Kind == PortKind.Cable) t->Through |= 1UL << p;
            }
        }

        return types;
    }

    private static void FillPorts(IReadOnlyList<PortDescriptor> ports, PortRule* rules)
    {
        for (var p = 0; p < ports.Count; p++) rules[p] = new PortRule { Rule = ports[p].Rule, Channels = ports[p].Channels, Kind = ports[p].Kind };
    }

    public static void* Take(Pool* pool, long bytes)
    {
        if (bytes == 0) return null;
        var block = pool->Allocate(0, bytes, 0);
        if (block == null) throw new InsufficientMemoryException($"the pool has no {bytes} bytes for the engine's own tables");
        NativeMemory.Clear(block, (nuint)bytes);
        return block;
    }
}
