// A plan as it runs: one block of the pool with every pointer resolved, so that a quantum looks nothing up.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>A cable into a mix.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CableOp
{
    public float* Source;

    /// <summary>Flags of the output it comes from; null: never taken as silent.</summary>
    public SignalFlags* SourceFlags;

    public int Channels;
    public float Gain;

    /// <summary>Its gain while it comes, goes or changes; null: <see cref="Gain"/>.</summary>
    public CableRamp* Ramp;
}

/// <summary>An input that reads its only cable in place: just the flags change from quantum to quantum.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct DirectOp
{
    public SignalFlags* Input;
    public SignalFlags* Source;
}

/// <summary>An input whose cables are summed.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MixOp
{
    public Signal* Input;
    public CableOp* Cables;
    public int Count;
    private readonly int _pad;
}

/// <summary>
/// A node: what a thread needs to run it, in the order it needs it. A multiple of 128 bytes, so that two threads that run neighbours do not
/// share a line (nor a pair of lines, which x86 fetches together).
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 384)]
internal unsafe struct Node
{
    /// <summary>Predecessors still to finish in this quantum. Whoever makes it 0 owns the node and sets it back for the next quantum.</summary>
    public int Pending;

    public int InitialPending;

    /// <summary>Place in the order of priority: 0 runs first.</summary>
    public int Rank;

    public int SuccessorCount;
    public int* Successors;

    public Instance* Instance;
    public delegate*<void*, ProcessContext*, ProcessResult> Process;
    public void* Self;
    public DirectOp* Directs;
    public MixOp* Mixes;
    public int DirectCount, MixCount;
    public int InputCount, OutputCount;

    /// <summary>Parameters that cables end at, and their bits.</summary>
    public ModulationOp* Modulations;
    public ulong Modulated;
    public int ModulationCount;
    public NodeFlags Flags;

    /// <summary>1: hears events.</summary>
    public int AcceptsEvents;

    /// <summary>Bit t: tap t watches one of its outputs. [audio-thread, before the quantum]</summary>
    public int Taps;

    public ProcessContext Context;

    /// <summary>Not 0: its outputs have the addresses a stuck thread knows, and others look for them in the area of this number less 1.</summary>
    public int Adrift;

    /// <summary>A mark of the takeover.</summary>
    public int Downstream;
}

/// <summary>A delayed cable's memory, alive as long as a plan uses it: a new plan goes on with what the old one wrote.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FeedbackLine
{
    /// <summary>16 channels of one quantum, whatever the cable carries now.</summary>
    public float* Data;

    /// <summary>Channels ever written; those above are zero.</summary>
    public int Channels;

    /// <summary>Plans alive that use it. [steward]</summary>
    public int Refs;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FeedbackOp
{
    public float* Source;
    public float* Target;
    public int Floats;
    private readonly int _pad;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct JackOp
{
    public float* Source;
    public int Jack;
    public float Gain;
    public CableRamp* Ramp;
}

/// <summary>A parameter that the patch changed since the plan before.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ParameterChange
{
    public Instance* Instance;
    public int Parameter;
    public float Value;
}

/// <summary>Start of the block.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Plan
{
    public ulong Serial;
    public int NodeCount;

    /// <summary>Threads that can be of use at once.</summary>
    public int Width;

    public Node* Nodes;

    /// <summary>Node by rank.</summary>
    public int* ByRank;

    /// <summary>Bit r of word r / 64: the node of rank r is ready and not taken.</summary>
    public ulong* Ready;

    /// <summary>What Ready holds when a quantum begins.</summary>
    public ulong* InitialReady;

    public int ReadyWords;

    /// <summary>Average time of a node, in ns, as the audio thread finds it; 0 = not known yet. [audio-thread]</summary>
    public int NodeNs;

    /// <summary>1: its nodes are so short that threads take several at a time.</summary>
    public int Batched;

    /// <summary>1: nearly all of it slept in the quantum before. [audio-thread]</summary>
    public int Dozing;

    /// <summary>What each thread took from the ready set, for <see cref="HomeWords"/> a thread: the quantum before, then this one.</summary>
    public ulong* Homes;

    public int HomeWords;

    /// <summary>Workers on slow cores it has use for; 0: none, and nothing below matters. <see cref="Placement"/></summary>
    public int SlowWorkers;

    /// <summary>Ns after the quantum's opening by which every path is to be at its end for a slow core to take part in it.</summary>
    public int Target;

    /// <summary>Nodes that are ready when a quantum begins.</summary>
    public int Roots;

    /// <summary>Cost in ns of node n on a core of class c at n * MaxCoreClasses + c; 0: not known. [steward]</summary>
    public float* Costs;

    /// <summary>Ns from a node's end to the end of the longest path below it, on fast cores. [steward]</summary>
    public float* Tails;

    /// <summary>
    /// Ns from a node's beginning on a slow core of class c + 1 to the end of the longest path below it, by rank, NodeCount for each class.
    /// </summary>
    public int* Needs;

    /// <summary>The least of each word of the ready set, ReadyWords for each class.</summary>
    public int* LeastNeeds;

    /// <summary>Jacks it reads, by bit.</summary>
    public uint InputJacks;

    public Signal* Outputs;
    public int OutputCount;

    /// <summary>Node of each output.</summary>
    public ushort* Owners;

    public Signal* Inputs;
    public DirectOp* Directs;
    public MixOp* Mixes;
    public CableOp* Cables;
    public ModulationOp* Modulations;
    public int* Successors;

    /// <summary>Line of output i, or null.</summary>
    public FeedbackLine** Lines;

    public FeedbackOp* Feedback;
    public int FeedbackCount;
    public JackOp* Jacks;
    public int JackCount;
    public ParameterChange* Changes;
    public int ChangeCount;
    public GainAim* Aims;
    public int AimCount;

    /// <summary>1: the patch that leaves and the one that comes, at once.</summary>
    public int Union;

    /// <summary>Ramp of each cable and then of each jack line, or null. [steward]</summary>
    public CableRamp** Ramps;
    public int RampCount;

    /// <summary>Every gain by identity. [steward]</summary>
    public GainEntry* Gains;
    public int GainPlaces;

    /// <summary>1 + node of a slot; 0 = not in this plan. Events find their instance here: the plan keeps it alive.</summary>
    public ushort* NodeBySlot;

    /// <summary>Areas of <see cref="BufferFloats"/> each; the first is in use until a thread is stuck in a node.</summary>
    public float* Buffers;
    public long BufferFloats;

    /// <summary>The area in use, and the one that is moved to at the end of this quantum, or -1.</summary>
    public int Area, MovingTo;

    /// <summary>Threads stuck in its nodes: it is kept while there are any.</summary>
    public int Ghosts;

    /// <summary>Quantum count when it was replaced, and the next replaced plan. [steward]</summary>
    public ulong RetiredAt;
    public Plan* NextRetired;
    public long Bytes;
}
