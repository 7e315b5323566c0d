// Which module a slot and a key meant, also after it is gone: a trace of ten seconds may outlive it.
using System.Text;
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>Thread-safe.</summary>
public sealed unsafe class ModuleNames
{
    private const int Most = 3 * Limits.MaxInstances;

    private readonly Lock _lock = new();
    private readonly Dictionary<(int Slot, uint Key), TraceModule> _known = [];

    /// <summary>Learns who is in the engine's table now.</summary>
    public void Learn(RegionMap map, IReadOnlyList<ModuleDescriptor> types)
    {
        lock (_lock)
        {
            if (_known.Count > Most - Limits.MaxInstances) _known.Clear(); // edits for hours: who is still there is learnt again below
            for (var slot = 0; slot < Limits.MaxInstances; slot++)
            {
                var r = map.Instances + slot;
                if (r->State == InstanceState.Free || _known.ContainsKey((slot, (uint)r->Key))) continue;
                var name = new ReadOnlySpan<byte>(r->Name, InstanceRecord.NameBytes);
                var end = name.IndexOf((byte)0);
                var type = r->Module >= 0 && r->Module < types.Count ? types[r->Module].Id : "";
                _known[(slot, (uint)r->Key)] = new TraceModule(slot, (uint)r->Key, Encoding.UTF8.GetString(end < 0 ? name : name[..end]), type);
            }
        }
    }

    /// <summary>The module of a slot and the low 32 bits of its key; null: not known.</summary>
    public TraceModule? Find(int slot, uint key)
    {
        lock (_lock) return _known.GetValueOrDefault((slot, key));
    }

    /// <summary>All that are known.</summary>
    public IReadOnlyList<TraceModule> All()
    {
        lock (_lock) return [.. _known.Values.OrderBy(m => m.Slot)];
    }

    /// <summary>Another engine: its keys mean others.</summary>
    public void Clear()
    {
        lock (_lock) _known.Clear();
    }
}
