// Slots and the instances that live in them: made from a plan's nodes, freed when the last plan that holds them is.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Memory;

namespace SspHost.Engine.Graph;

/// <summary>[steward] Every function; RT threads reach instances through their plan only.</summary>
internal sealed unsafe class InstanceTable(RegionMap map, Pool* pool, ModuleType* types, int typeCount)
{
    private int _typeCount = typeCount;

    private readonly Instance** _slots = (Instance**)ModuleTypes.Take(pool, Limits.MaxInstances * (long)sizeof(Instance*));

    /// <summary>More types have come.</summary>
    public void Grow(int count) => _typeCount = count;

    /// <summary>Instances alive, leaving ones included.</summary>
    public int Count { get; private set; }

    public Instance* this[int slot] => _slots[slot];

    /// <summary>What a new instance's block holds, and where.</summary>
    [StructLayout(LayoutKind.Auto)]
    private struct Blocks
    {
        public long Self, Params, Ramps, Volts, Planned, Assets, Job, Histogram, Telemetry, Levels, Memory, MemoryBytes, Total;
    }

    /// <summary>Bytes of the block a node needs; negative where the module asks for nonsense.</summary>
    public long BytesFor(PlanNode* node, int* settings, float rate, int quantum)
    {
        var setup = Setup(node, settings, rate, quantum);
        return Layout(types + node->Module, &setup, out var blocks) ? blocks.Total : -1;
    }

    private InstanceSetup Setup(PlanNode* node, int* settings, float rate, int quantum) => new()
    {
        SampleRate = rate,
        Quantum = quantum,
        Settings = settings,
        Seed = Mix(node->Key),
        Shared = types[node->Module].Shared,
    };

    // SplitMix64's finaliser (Steele, Lea, Flood 2014): neighbouring keys give unrelated seeds.
    private static ulong Mix(ulong key)
    {
        key += 0x9E37_79B9_7F4A_7C15;
        key = (key ^ (key >> 30)) * 0xBF58_476D_1CE4_E5B9;
        key = (key ^ (key >> 27)) * 0x94D0_49BB_1331_11EB;
        return key ^ (key >> 31);
    }

    private static bool Layout(ModuleType* type, InstanceSetup* setup, out Blocks blocks)
    {
        var need = default(Requirements);
        HeapScope.Enter(0);
        type->Entry.Require(type->Entry.Context, setup, &need);
        HeapScope.Leave();
        blocks = default;
        if (need.Bytes is < 0 or > 1L << 40) return false;
        long at = 0;
        long Take(long bytes)
        {
            var here = at;
            at += (bytes + 63) & ~63L;
            return here;
        }

        var parameters = type->Entry.Parameters;
        _ = Take(sizeof(Instance));
        blocks.Self = Take(type->Entry.Size);
        blocks.Params = Take(parameters * (long)Limits.GridPoints * sizeof(float));
        blocks.Ramps = Take(parameters * (long)sizeof(Ramp));
        blocks.Volts = Take((parameters + Limits.GridPoints) * (long)sizeof(float));
        blocks.Planned = Take(parameters * (long)sizeof(float));
        blocks.Assets = Take(Limits.MaxAssets * (long)sizeof(Asset*));
        blocks.Job = Take(sizeof(WorkJob));
        blocks.Histogram = Take(sizeof(Histogram));
        blocks.Telemetry = Take(type->Entry.TelemetryFloats * (long)sizeof(float));
        blocks.Levels = Take(OutputLevels.BytesFor(type->Entry.Outputs));
        blocks.Memory = Take(need.Bytes);
        blocks.MemoryBytes = need.Bytes;
        blocks.Total = at;
        return true;
    }

    /// <summary>Bytes of shared data a module type still needs, and was not asked for in this installation.</summary>
    public long SharedBytesFor(int module, float rate)
    {
        var type = types + module;
        if (type->Shared != null || type->SharedIsFresh != 0) return 0;
        HeapScope.Enter(0);
        var bytes = type->Entry.SharedBytes(type->Entry.Context, rate);
        HeapScope.Leave();
        return Math.Max(0, bytes);
    }

    /// <summary>Allocates a module type's shared data, unless it is only counted; false where it does not fit.</summary>
    public bool ReserveShared(int module, long bytes, bool countOnly)
    {
        var type = types + module;
        type->SharedIsFresh = 1;
        if (countOnly) return false;
        type->Shared = pool->Allocate(0, bytes, 0);
        if (type->Shared == null) return false;
        NativeMemory.Clear(type->Shared, (nuint)bytes);
        return true;
    }

    /// <summary>Builds what this installation allocated.</summary>
    public void BuildShared(float rate)
    {
        for (var i = 0; i < _typeCount; i++)
        {
            if (types[i].SharedIsFresh == 0) continue;
            using var visit = new StewardVisit(map, i, 0, 0, null);
            types[i].Entry.BuildShared(types[i].Entry.Context, types[i].Shared, rate);
        }
    }

    /// <summary>The installation is over: what it allocated stays, or is given back.</summary>
    public void SettleShared(bool keep)
    {
        for (var i = 0; i < _typeCount; i++)
        {
            if (types[i].SharedIsFresh == 0) continue;
            types[i].SharedIsFresh = 0;
            if (!keep) FreeShared(i);
        }
    }

    /// <summary>Gives back every module type's shared data: the rate changes.</summary>
    public void FreeAllShared()
    {
        for (var i = 0; i < _typeCount; i++) FreeShared(i);
    }

    private void FreeShared(int module)
    {
        if (types[module].Shared != null) pool->Free(0, types[module].Shared);
        types[module].Shared = null;
    }

    /// <summary>
    /// Makes a node's instance in a block of its own; it is in no table yet. <paramref name="stateRefused"/>: the module could not read the saved
    /// state and starts with its defaults. Null where the module broke its own requirements.
    /// </summary>
    public Instance* Construct(
        void* memory, PlanNode* node, int* settings, float* values, byte* state, float rate, int quantum, out bool stateRefused)
    {
        stateRefused = false;
        var type = types + node->Module;
        var setup = Setup(node, settings, rate, quantum);
        if (!Layout(type, &setup, out var blocks)) return null;
        var start = (byte*)memory;
        NativeMemory.Clear(start, (nuint)blocks.Total);
        var instance = (Instance*)start;
        instance->Self = start + blocks.Self;
        instance->Type = type;
        instance->Params = (float*)(start + blocks.Params);
        instance->Ramps = (Ramp*)(start + blocks.Ramps);
        instance->Volts = (float*)(start + blocks.Volts);
        instance->LastVolts = instance->Volts + Limits.GridPoints;
        instance->Planned = (float*)(start + blocks.Planned);
        instance->Assets = (Asset**)(start + blocks.Assets);
        instance->Job = (WorkJob*)(start + blocks.Job);
        instance->Histogram = (Histogram*)(start + blocks.Histogram);
        instance->Telemetry = (float*)(start + blocks.Telemetry);
        instance->Levels = (OutputLevels*)(start + blocks.Levels);
        instance->Key = node->Key;
        instance->Slot = node->Slot;
        instance->Record = map.Instances + node->Slot;
        instance->Bytes = blocks.Total;
        instance->HeapBefore = Heap.HeldBy(node->Slot);

        // Who comes bypassed is bypassed from the start: it is its cables that fade.
        var bypassed = (node->Flags & NodeFlags.Bypassed) != 0;
        instance->Fading = bypassed ? 1 : 0;
        instance->Wet = GainRamp.Resting(bypassed ? 0 : 1);
        instance->Dry = GainRamp.Resting(bypassed ? 1 : 0);
        for (var p = 0; p < type->Entry.Parameters; p++)
        {
            instance->Planned[p] = instance->Ramps[p].Value = instance->Ramps[p].Target = values[p];
            new Span<float>(instance->Params + (p * Limits.GridPoints), Limits.GridPoints).Fill(values[p]);
        }

        var timing = default(ModuleTiming);
        var own = new InstanceMemory(start + blocks.Memory, blocks.MemoryBytes);
        using var visit = new StewardVisit(map, node->Module, (uint)node->Slot + 1, node->Key, node->Name);
        type->Entry.Construct(type->Entry.Context, instance->Self, &setup, &own, &timing);
        if (own.Overdrawn || timing.LatencyFrames < 0 || timing.TailFrames < -1) return null;
        if (node->StateLength > 0) stateRefused = !type->Entry.LoadState(instance->Self, node->StateVersion, state, node->StateLength);
        instance->LatencyFrames = timing.LatencyFrames;
        instance->TailFrames = timing.TailFrames;
        return instance;
    }

    /// <summary>Puts a new instance into its slot and tells the control process.</summary>
    public void Enter(Instance* instance, PlanNode* node)
    {
        _slots[instance->Slot] = instance;
        Count++;
        var record = instance->Record;
        *record = default;
        record->Key = instance->Key;
        record->Telemetry = instance->Type->Entry.TelemetryFloats > 0 ? map.OffsetOf(instance->Telemetry) : 0;
        record->Histogram = map.OffsetOf(instance->Histogram);
        record->Levels = instance->Type->Entry.Outputs > 0 ? map.OffsetOf(instance->Levels) : 0;
        record->Parameters = instance->Type->Entry.Parameters > 0 ? map.OffsetOf(instance->Params) : 0;
        record->Bytes = instance->Bytes;
        record->Module = node->Module;
        record->LatencyFrames = instance->LatencyFrames;
        record->TailFrames = instance->TailFrames;
        Rename(instance, node);
        Volatile.Write(ref *(uint*)&record->State, (uint)InstanceState.Active); // last: a reader that sees it active sees the rest
    }

    /// <summary>Takes the name a plan gives.</summary>
    public static void Rename(Instance* instance, PlanNode* node)
    {
        new ReadOnlySpan<byte>(node->Name, InstanceRecord.NameBytes).CopyTo(new Span<byte>(instance->Record->Name, InstanceRecord.NameBytes));
        instance->Record->Name[InstanceRecord.NameBytes - 1] = 0;
    }

    /// <summary>One plan less holds it; the last one frees it and its assets, unless a stuck thread is inside.</summary>
    public void Release(Instance* instance)
    {
        if (--instance->Refs == 0 && instance->Ghost == 0) Drop(instance);
    }

    /// <summary>The stuck thread has left.</summary>
    public void Exorcise(Instance* instance)
    {
        Volatile.Write(ref instance->Ghost, 0);
        if (instance->Refs == 0) Drop(instance);
    }

    /// <summary>Lets a module give back what it holds beside its memory.</summary>
    public void Destroy(Instance* instance)
    {
        var destroy = instance->Type->Entry.Destroy;
        if (destroy == null) return;
        var name = _slots[instance->Slot] == instance ? instance->Record->Name : null; // else the record is not its own, or not yet
        using var visit = new StewardVisit(map, (int)(instance->Type - types), (uint)instance->Slot + 1, instance->Key, name);
        destroy(instance->Self);
    }

    /// <summary>Tells the control process what each instance's library holds by malloc.</summary>
    public void PublishHeap()
    {
        if (!Heap.IsServed) return;
        for (var slot = 0; slot < Limits.MaxInstances; slot++)
        {
            var instance = _slots[slot];
            if (instance != null) instance->Record->HeapBytes = Math.Max(0, Heap.HeldBy(slot) - instance->HeapBefore);
        }
    }

    private void Drop(Instance* instance)
    {
        Destroy(instance);
        for (var i = 0; i < Limits.MaxAssets; i++)
        {
            if (instance->Assets[i] != null) pool->Free(0, instance->Assets[i]);
        }

        Disown(instance);
        Count--;
        pool->Free(0, instance);
    }

    /// <summary>
    /// Takes an instance out of its slot, where it is still in it. One that a stuck thread is in then lives on by itself until
    /// <see cref="Exorcise"/>, and no plan finds it any more.
    /// </summary>
    public void Disown(Instance* instance)
    {
        if (_slots[instance->Slot] != instance) return;
        var record = instance->Record;
        Volatile.Write(ref *(uint*)&record->State, (uint)InstanceState.Free);
        *record = default;
        _slots[instance->Slot] = null;
    }

    /// <summary>Does the jobs whose bits are set. <paramref name="pending"/>: a bit a slot.</summary>
    public void DoWork(ulong* pending)
    {
        for (var w = 0; w < Limits.MaxInstances / 64; w++)
        {
            if (Volatile.Read(ref pending[w]) == 0) continue;
            for (var bits = Interlocked.Exchange(ref pending[w], 0); bits != 0; bits &= bits - 1)
            {
                var instance = _slots[(w << 6) + System.Numerics.BitOperations.TrailingZeroCount(bits)];
                if (instance == null) continue;
                var job = instance->Job;
                if (Volatile.Read(ref job->State) != (int)WorkState.Requested) continue;
                Volatile.Write(ref job->State, (int)WorkState.Running);
                using (new StewardVisit(map, instance->Record->Module, (uint)instance->Slot + 1, instance->Key, instance->Record->Name))
                    instance->Type->Entry.Work(instance->Self, job);
                Volatile.Write(ref job->State, (int)WorkState.Replied); // after the result
            }
        }
    }
}
