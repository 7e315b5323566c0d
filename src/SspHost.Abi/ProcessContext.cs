// All that `process` may touch: ports, parameters, events, telemetry, assets, work. Nothing else is needed and nothing else is allowed.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>What a module answers after a quantum.</summary>
public enum ProcessResult
{
    /// <summary>Call again next quantum.</summary>
    Continue = 0,

    /// <summary>
    /// Silent inputs will give silent outputs until an input sounds, a parameter moves or an event comes: the engine may
    /// stop calling. Only answer this after outputs of exact zeros (the tail is over).
    /// </summary>
    Sleep = 1,

    /// <summary>The module found itself broken: the engine plays silence for it, counts, and calls reset.</summary>
    Error = 2,
}

/// <summary>State of the one job an instance may have under way off the RT threads.</summary>
public enum WorkState
{
    /// <summary>No job.</summary>
    Idle = 0,

    /// <summary>Asked for by process.</summary>
    Requested = 1,

    /// <summary>Being done by a worker off the RT threads.</summary>
    Running = 2,

    /// <summary>Done; the reply waits for process to take it.</summary>
    Replied = 3,
}

/// <summary>A job off the RT threads: what process asked, and what came back.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct WorkJob
{
    /// <summary>A <see cref="WorkState"/>, changed by volatile writes only.</summary>
    public int State;

    /// <summary>Module-defined.</summary>
    public int Kind;

    /// <summary>Module-defined argument.</summary>
    public long Argument;

    /// <summary>Module-defined result.</summary>
    public long Result;
}

/// <summary>
/// One call of process: everything a module may read or write, valid for that call only.
/// [audio-thread or worker; one thread at a time per instance]
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ProcessContext
{
    /// <summary>Inputs in the order of the descriptor.</summary>
    public Signal* Inputs;

    /// <summary>Outputs in the order of the descriptor. Channels are decided by the plan; process fills every channel, or says <see cref="SignalFlags.Unwritten"/>.</summary>
    public Signal* Outputs;

    /// <summary>Parameter i at grid point g is <c>Params[i * GridPoints + g]</c>; points 0..Frames/Grid, so that a segment has both ends.</summary>
    public float* Params;

    /// <summary>The events of this quantum for all modules, in order of time. Use <see cref="NextEvent"/>.</summary>
    public ModuleEvent* Events;

    /// <summary>Telemetry floats, laid out as the descriptor lists them; plain stores, read by the control process at any time.</summary>
    public float* Telemetry;

    /// <summary>Asset slots; null where nothing is loaded. Swapped between quanta only.</summary>
    public Asset** Assets;

    /// <summary>The job slot of this instance.</summary>
    public WorkJob* Job;

    /// <summary>A quantum of zeros, read-only.</summary>
    public float* Silence;

    /// <summary>Where the host hears of a requested job; see <see cref="RequestWork"/>.</summary>
    public ulong* WorkPending;

    /// <summary>Frame number of the first frame of this quantum.</summary>
    public ulong Time;

    /// <summary>Low 32 bits of this instance's key: which events are mine.</summary>
    public uint Key;

    /// <summary>Events in <see cref="Events"/>.</summary>
    public int EventCount;

    /// <summary>Frames in this quantum, a power of two, 16..256.</summary>
    public int Frames;

    /// <summary>Sample rate in Hz.</summary>
    public float SampleRate;

    /// <summary>Slot of this instance: its bit in <see cref="WorkPending"/>.</summary>
    public int Slot;

    /// <summary>Bit i is set while parameter i moves within this quantum.</summary>
    public ulong Moving;

    /// <summary>Segments of <see cref="Limits.Grid"/> frames in this quantum.</summary>
    public readonly int Segments
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Frames / Limits.Grid;
    }

    /// <summary>Value of parameter <paramref name="index"/> at grid point <paramref name="point"/> (0 = start of the quantum).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Param(int index, int point = 0) => Params[(index * Limits.GridPoints) + point];

    /// <summary>Samples of an input's channel as a polyphonic reader hears it (see <see cref="Signal.Voice"/>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float* In(int port, int channel = 0) => Inputs[port].Voice(channel, Silence);

    /// <summary>Samples of an output's channel, to be filled. <paramref name="channel"/> must be below its channel count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float* Out(int port, int channel = 0) => Outputs[port].Data + ((nint)channel * Outputs[port].Stride);

    /// <summary>
    /// Leaves an output that is not <see cref="Signal.Connected"/> as it is: not worked out, not cleared. (Said of one that is, it means
    /// nothing: the output is heard as it was left.)
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void LeaveUnwritten(int port) => Outputs[port].Flags |= SignalFlags.Unwritten;

    /// <summary>
    /// Next event for this module at or after position <paramref name="cursor"/> (start with 0), or null.
    /// <see cref="ModuleEvent.Frame"/> is the offset in this quantum.
    /// </summary>
    public readonly ModuleEvent* NextEvent(ref int cursor)
    {
        while (cursor < EventCount)
        {
            var e = Events + cursor++;
            if (e->Target == 0 || e->Target == Key) return e;
        }

        return null;
    }

    /// <summary>
    /// Asks for <c>Work</c> to be called off the RT threads. False while an earlier job is under way or its reply was not taken.
    /// </summary>
    public readonly bool RequestWork(int kind, long argument)
    {
        if (Volatile.Read(ref Job->State) != (int)WorkState.Idle) return false;
        Job->Kind = kind;
        Job->Argument = argument;
        Volatile.Write(ref Job->State, (int)WorkState.Requested);
        Interlocked.Or(ref WorkPending[Slot >> 6], 1UL << (Slot & 63));
        return true;
    }

    /// <summary>Takes the reply of a finished job, once.</summary>
    public readonly bool TryTakeReply(out int kind, out long result)
    {
        if (Volatile.Read(ref Job->State) != (int)WorkState.Replied)
        {
            kind = 0;
            result = 0;
            return false;
        }

        kind = Job->Kind;
        result = Job->Result;
        Volatile.Write(ref Job->State, (int)WorkState.Idle);
        return true;
    }
}
