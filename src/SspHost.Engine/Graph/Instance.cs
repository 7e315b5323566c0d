// One living module: its struct, its memory, and what the engine knows of it between quanta.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>
/// First part of an instance's one block; everything it points at follows in the same block. Touched by one thread at a
/// time: the steward until it plays, then whichever RT thread runs its node, the audio thread between quanta.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Instance
{
    // One line of the cache: what is asked in every quantum.

    /// <summary>Bit i: parameter i's row is not constant yet.</summary>
    public ulong Ramping;

    /// <summary>Bit i: row i is the ramp's with voltages on top, those of the last grid point being LastVolts[i].</summary>
    public ulong Modulated;

    /// <summary>Answered Sleep after silent outputs; skipped until something sounds, moves or arrives.</summary>
    public int Asleep;

    /// <summary>A <see cref="ShedReason"/>: plays silence until it is restored, made anew, or bypassed and back.</summary>
    public int Shed;

    /// <summary>Not 0: not simply processed; <see cref="Wet"/> and <see cref="Dry"/> say how much of what is heard.</summary>
    public int Fading;

    /// <summary>1: to be reset before it is processed again.</summary>
    public int Unsound;

    /// <summary>Peaks of its outputs; in the same block.</summary>
    public OutputLevels* Levels;

    /// <summary>Quantum number (counted from 1) in which an event for this instance was last delivered.</summary>
    public ulong EventQuantum;

    public void* Self;
    public ModuleType* Type;

    /// <summary>Rows of grid points (see ProcessContext.Params) and the ramps that fill them.</summary>
    public float* Params;
    public Ramp* Ramps;

    /// <summary>See <see cref="Modulated"/>. Volts: room for a row of them.</summary>
    public float* LastVolts;
    public float* Volts;

    /// <summary>1 while a stuck thread is inside: nobody may call it. Set by the watchdog, cleared by the steward.</summary>
    public int Ghost;

    /// <summary>1: the notice of its shedding is still to be sent, with this figure.</summary>
    public int Untold;
    public long ShedCost;

    /// <summary>What it costs: ns of timed quanta and how many, read from its record when last judged.</summary>
    public ulong JudgedNs, JudgedCalls;

    /// <summary>How much of its own output and of its inputs (bypassed) is heard.</summary>
    public GainRamp Wet, Dry;

    /// <summary>1 + output port that failed in this quantum (1 + Outputs: process said so itself); 0 = sound. Cleared by the audio thread.</summary>
    public int Failed;

    /// <summary>Failures so far; the frames of the last two decide about the third.</summary>
    public int Failures;
    public ulong LastFailure, FailureBefore;

    public InstanceRecord* Record;

    /// <summary>Of the ns it takes a quantum, where histograms are on; in the same block.</summary>
    public Histogram* Histogram;

    /// <summary>ns it took in the last quantum, where module times are on.</summary>
    public ulong LastNs;

    public ulong Key;
    public int Slot;

    /// <summary>Plans alive that contain it. [steward]</summary>
    public int Refs;

    /// <summary>Number of the newest installation that contained it. [steward]</summary>
    public ulong Newest;

    /// <summary>Values the last plan that played asked for: a plan moves only what the patch changed, not what a hand is turning.</summary>
    public float* Planned;

    /// <summary>Bytes that its slot's number held by malloc before it was made: what an earlier one's library never gave back.</summary>
    public long HeapBefore;

    public Asset** Assets;
    public WorkJob* Job;
    public float* Telemetry;
    public long Bytes;
    public long TailFrames;
    public int LatencyFrames;

    /// <summary>Sets a parameter on its way at a grid point of the coming quantum. [audio-thread, before the quantum]</summary>
    public void Move(int parameter, int point, float value, int steps)
    {
        var ramp = Ramps + parameter;
        ramp->AdvanceTo(Params + (parameter * Limits.GridPoints), point);
        ramp->Aim(value, steps, Type->Parameters[parameter].Curve);
        Ramping |= 1UL << parameter;
    }
}
