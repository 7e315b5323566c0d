// Performance: notes, controllers, clock and parameter moves. They go straight to rings and never change the patch.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>What a <see cref="ModuleEvent"/> says.</summary>
public enum EventKind : byte
{
    /// <summary>Nothing; skipped.</summary>
    None = 0,

    /// <summary>Note on: Index = key 0..127, Value = velocity 0..1.</summary>
    NoteOn = 1,

    /// <summary>Note off: Index = key 0..127, Value = release velocity 0..1.</summary>
    NoteOff = 2,

    /// <summary>Controller: Index = number 0..127, Value 0..1.</summary>
    Controller = 3,

    /// <summary>Pitch bend: Value -1..1.</summary>
    PitchBend = 4,

    /// <summary>Channel pressure: Value 0..1.</summary>
    Pressure = 5,

    /// <summary>Polyphonic pressure: Index = key, Value 0..1.</summary>
    KeyPressure = 6,

    /// <summary>Clock tick, 24 per quarter note.</summary>
    Clock = 7,

    /// <summary>Start from the beginning.</summary>
    Start = 8,

    /// <summary>Continue from where it stopped.</summary>
    Continue = 9,

    /// <summary>Stop.</summary>
    Stop = 10,

    /// <summary>
    /// A parameter moves: Index = parameter, Value = new value in its own unit. Handled by the engine, which ramps
    /// smooth parameters; the module never sees this event.
    /// </summary>
    Parameter = 11,

    /// <summary>Module-defined: Index and Value mean what the module's help says (a step toggled, a button pressed).</summary>
    Custom = 32,
}

/// <summary>One event, 24 bytes. In a ring <see cref="Frame"/> is absolute; in <see cref="ProcessContext"/> it is the offset in the quantum.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ModuleEvent
{
    /// <summary>Absolute frame of the engine's counter (0 = as soon as possible), or offset 0..Frames-1 when delivered.</summary>
    public ulong Frame;

    /// <summary>Key of the instance this is for (<see cref="InstanceRecord.Key"/>), low 32 bits; 0 = every module that accepts events.</summary>
    public uint Target;

    /// <summary>Slot of that instance; ignored when Target is 0.</summary>
    public ushort Slot;

    /// <summary>What it says.</summary>
    public EventKind Kind;

    /// <summary>MIDI channel 0..15.</summary>
    public byte Channel;

    /// <summary>Key, controller or parameter number.</summary>
    public int Index;

    /// <summary>Value in the unit the kind gives.</summary>
    public float Value;
}
