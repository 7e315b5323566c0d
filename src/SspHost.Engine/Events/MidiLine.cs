// What is remembered of a port between its messages: sounding notes, halves of 14 bits, the frame it is at.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Events;

/// <summary>One port's memory. [events thread]</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MidiLine
{
    private const byte Unknown = 0xFF;

    /// <summary>Frame of its last event: a correction of the clock must not turn two events round.</summary>
    public ulong LastFrame;

    /// <summary>When the upper half of a controller came that waits for its lower half; 0: none waits.</summary>
    public ulong WaitsSince;

    /// <summary>That controller and its channel.</summary>
    public byte WaitingNumber, WaitingChannel;

    /// <summary>Bit of each channel on which notes were played since nobody played.</summary>
    public ushort Sounding;

    private fixed byte _upper[16 * MidiLimits.FineControllers];

    /// <summary>Forgets everything: another port.</summary>
    public void Clear()
    {
        this = default;
        for (var i = 0; i < 16 * MidiLimits.FineControllers; i++) _upper[i] = Unknown;
    }

    /// <summary>Upper seven bits of a controller (0..31) as they came last, or -1.</summary>
    public readonly int Upper(int channel, int number) => _upper[(channel * MidiLimits.FineControllers) + number] is var v && v == Unknown ? -1 : v;

    public void KeepUpper(int channel, int number, byte value) => _upper[(channel * MidiLimits.FineControllers) + number] = value;
}
