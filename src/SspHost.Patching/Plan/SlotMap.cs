// Which instance slot a module gets: its own as long as it lives, and never one that is still in use.
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>The instance table as the control process knows it. Not thread-safe: it belongs to a session.</summary>
public sealed class SlotMap
{
    private readonly ulong[] _keys = new ulong[Limits.MaxInstances];
    private readonly InstanceState[] _states = new InstanceState[Limits.MaxInstances];

    /// <summary>Takes over what the engine publishes (all of its records): the truth about every slot.</summary>
    public void Observe(ReadOnlySpan<InstanceRecord> records) => throw new NotSupportedException();

    /// <summary>A plan plays: its instances are active, all others leave.</summary>
    public void Installed(CompiledPlan plan) => throw new NotSupportedException();

    /// <summary>The engine is new: every slot is free.</summary>
    public void Clear()
    {
        Array.Clear(_keys);
        Array.Clear(_states);
    }
}
