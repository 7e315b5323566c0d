// Which instance slot a module gets: its own as long as it lives, and never one that is still in use.
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>The instance table as the control process knows it. Not thread-safe: it belongs to a session.</summary>
public sealed class SlotMap
{
    private readonly ulong[] _keys = new ulong[Limits.MaxInstances];
    private readonly InstanceState[] _states = new InstanceState[Limits.MaxInstances];
    private readonly bool[] _playing = new bool[Limits.MaxInstances];

    /// <summary>
    /// Takes over what the engine publishes: the truth about every slot but those of the plan that plays, of which the engine may
    /// not have told yet.
    /// </summary>
    public void Observe(ReadOnlySpan<InstanceRecord> records)
    {
        for (var i = 0; i < records.Length && i < _keys.Length; i++)
        {
            if (_playing[i]) continue;
            _states[i] = records[i].State;
            _keys[i] = records[i].State == InstanceState.Free ? 0 : records[i].Key;
        }
    }

    /// <summary>A plan plays: its instances are active; all others leave, and are free once the engine says so.</summary>
    public void Installed(CompiledPlan plan)
    {
        for (var i = 0; i < _states.Length; i++)
        {
            _playing[i] = false;
            if (_states[i] == InstanceState.Active) _states[i] = InstanceState.Leaving;
        }

        foreach (var instance in plan.Instances.Concat(plan.Leaving))
        {
            _keys[instance.Slot] = instance.Key;
            _states[instance.Slot] = InstanceState.Active;
            _playing[instance.Slot] = true;
        }
    }

    /// <summary>What left is gone: for engines that keep no instance table (tests, compiling without an engine).</summary>
    public void FreeLeaving()
    {
        for (var i = 0; i < _states.Length; i++)
        {
            if (_states[i] != InstanceState.Leaving) continue;
            _states[i] = InstanceState.Free;
            _keys[i] = 0;
        }
    }

    /// <summary>The engine is new: every slot is free.</summary>
    public void Clear()
    {
        Array.Clear(_keys);
        Array.Clear(_states);
        Array.Clear(_playing);
    }

    /// <summary>Finds a slot for each key, its own or a free one. False with the number of slots that were missing.</summary>
    internal bool TryAssign(ReadOnlySpan<ulong> keys, Span<int> slots, out int missing)
    {
        var own = new Dictionary<ulong, int>();
        for (var i = 0; i < _states.Length; i++)
        {
            // An active instance wins over a leaving one that once had its key.
            if (_states[i] != InstanceState.Free && (_states[i] == InstanceState.Active || !own.ContainsKey(_keys[i]))) own[_keys[i]] = i;
        }

        var next = 0;
        missing = 0;
        for (var k = 0; k < keys.Length; k++)
        {
            if (own.TryGetValue(keys[k], out slots[k])) continue;
            while (next < _states.Length && _states[next] != InstanceState.Free) next++;
            if (next == _states.Length) missing++;
            else slots[k] = next++;
        }

        return missing == 0;
    }
}
