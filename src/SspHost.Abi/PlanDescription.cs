// A compiled patch, as the control process hands it to the engine: one blob of blittable tables, offsets relative to its start.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>
/// Start of a plan description. Tables follow at the given byte offsets (8-byte aligned, relative to this header).
/// The engine checks every index and offset before it believes one: a bad description is refused, never trusted.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlanHeader
{
    /// <summary><see cref="AbiVersion.Plan"/>.</summary>
    public uint Version;

    /// <summary>Bytes of the whole blob.</summary>
    public uint Bytes;

    /// <summary>Serial number of the plan, chosen by the control process; shows in the status once it plays.</summary>
    public ulong Serial;

    /// <summary>Frames of a quantum the patch asks for.</summary>
    public int Quantum;

    /// <summary>Float-channels of buffer space: each is one quantum of one channel.</summary>
    public int BufferSlots;

    /// <summary>Most nodes that can ever run at the same time (the graph's width): more workers than this are not woken.</summary>
    public int Width;

    /// <summary><see cref="PlanFlags"/>.</summary>
    public PlanFlags Flags;

    public int NodeCount, NodesOffset;
    public int InputCount, InputsOffset;
    public int CableCount, CablesOffset;
    public int OutputCount, OutputsOffset;
    public int SuccessorCount, SuccessorsOffset;
    public int FeedbackCount, FeedbackOffset;
    public int JackCount, JacksOffset;
    public int SettingCount, SettingsOffset;
    public int ParameterCount, ParametersOffset;
    public int StateBytes, StateOffset;
    public int ModulationCount, ModulationsOffset;
}

/// <summary>Flags of a plan.</summary>
[Flags]
public enum PlanFlags
{
    None = 0,

    /// <summary>Two patches at once, the one that leaves and the one that comes: its load is no reason to shed a module.</summary>
    Union = 1,
}

/// <summary>A module instance and its place in the graph. Nodes stand in topological order (delayed cables left out).</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct PlanNode
{
    /// <summary>
    /// Identity: same key, same instance, state kept. The control process derives it from patch id, module type and settings,
    /// so that a new control process finds the instances of the old one.
    /// </summary>
    public ulong Key;

    /// <summary>Priority: predicted cost in ns of the longest path from here to the end, this node included. Larger runs first.</summary>
    public float Priority;

    /// <summary>Index of the module type in the engine's descriptor list.</summary>
    public int Module;

    /// <summary>
    /// Predicted cost of this node in ns a quantum on a core of each class (<see cref="RegionHeader.ClassCapacity"/>); 0: not known. A node whose
    /// cost on a slow class is not known is never given to it.
    /// </summary>
    public fixed float Costs[Limits.MaxCoreClasses];

    /// <summary>Slot in the instance table, chosen by the control process, unused or holding the same key.</summary>
    public int Slot;

    /// <summary><see cref="NodeFlags"/>.</summary>
    public NodeFlags Flags;

    /// <summary>Predecessors that must finish first.</summary>
    public int Pending;

    public int FirstInput, FirstOutput;
    public int FirstSuccessor, SuccessorCount;
    public int FirstSetting, FirstParameter;
    public int FirstModulation, ModulationCount;

    /// <summary>Saved state for a new instance, in the state bytes; length 0: none.</summary>
    public int StateOffset, StateLength;

    /// <summary>Version of the module that wrote the state.</summary>
    public uint StateVersion;

    /// <summary>Name for messages, UTF-8, zero-terminated, cut to fit.</summary>
    public fixed byte Name[InstanceRecord.NameBytes];
    private readonly int _pad;
}

/// <summary>Flags of a node.</summary>
[Flags]
public enum NodeFlags : uint
{
    None = 0,

    /// <summary>
    /// Not processed: output i carries input i where both are cables and exist, else silence.
    /// </summary>
    Bypassed = 1,
}

/// <summary>An input port of a node: the cables that end there, in patch order.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlanInput
{
    public int FirstCable, CableCount;

    /// <summary>Channels after summing, 1..16; 1 where no cable ends.</summary>
    public int Channels;

    /// <summary>First buffer slot of the sum, or -1 where a single cable of gain 1 is read in place (or none is plugged in).</summary>
    public int MixSlot;
}

/// <summary>
/// A cable into an input. A cable that the playing plan has, too (by <see cref="Id"/>), goes on from its present gain; another starts at
/// <see cref="From"/>. Either way it reaches <see cref="Gain"/> by a raised-cosine ramp of 5 ms.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlanCable
{
    /// <summary>What it reads: &gt;= 0: first buffer slot of the source (a feedback cable reads its feedback slot); &lt; 0: device jack -1 - value.</summary>
    public int Source;

    /// <summary>Channels it carries: the first ones of the source.</summary>
    public int Channels;

    /// <summary>Linear gain it has in the end, and where it starts if it is new.</summary>
    public float Gain, From;

    /// <summary>Flat index of the source output whose silence is this cable's silence; -1: unknown (jacks, feedback): never taken as silent.</summary>
    public int SourceOutput;
    private readonly int _pad;

    /// <summary>Identity, one in the plan; 0: none, its gain is at once what it is to be.</summary>
    public ulong Id;
}

/// <summary>
/// A parameter of a node that cables end at: the first channel of each, at its gain; 10 V are the whole travel. It stands in its node's part of the
/// table once.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlanModulation
{
    /// <summary>Number of the parameter.</summary>
    public int Parameter;

    public int FirstCable, CableCount;
}

/// <summary>An output port of a node: where its channels lie.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlanOutput
{
    /// <summary>First buffer slot; channels follow each other.</summary>
    public int Slot;

    /// <summary>Channels, 1..16.</summary>
    public int Channels;

    /// <summary>1 where somebody reads it.</summary>
    public int Connected;
}

/// <summary>A delayed cable's memory: after the quantum, Source is copied to Target, where next quantum's readers find it.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlanFeedback
{
    /// <summary>First slot of the source output (not reused within a quantum).</summary>
    public int Source;

    /// <summary>First slot read by the delayed cable's reader; zeros in the first quantum.</summary>
    public int Target;

    /// <summary>Channels.</summary>
    public int Channels;

    /// <summary>
    /// Flat index of the source output: (node key, output port) identify the edge, so that a new plan takes over the old one's
    /// memory and the loop does not stumble.
    /// </summary>
    public int SourceOutput;
}

/// <summary>An output to the device: after the quantum, slot is added to the jack, in this order.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlanJack
{
    public int Slot;
    public int Jack;

    /// <summary>As with a cable: <see cref="PlanCable.Gain"/>.</summary>
    public float Gain, From;

    /// <inheritdoc cref="PlanCable.Id"/>
    public ulong Id;
}
