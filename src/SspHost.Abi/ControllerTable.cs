// Which controller moves which parameter: written by the control process at any time, copied whole by the events thread.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>A controller in charge of a parameter.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ControllerRow
{
    /// <summary>Hash of the port's name; 0: any.</summary>
    public ulong Port;

    /// <summary>Places of the parameter's travel (<see cref="Travel"/>) at the controller's ends.</summary>
    public double From, To;

    /// <summary>The values there, exactly.</summary>
    public float FromValue, ToValue;

    /// <summary>Range of the parameter.</summary>
    public float Min, Max;

    /// <summary>Low 32 bits of the instance's key.</summary>
    public uint Target;

    /// <summary>Number of the parameter.</summary>
    public int Parameter;

    public ushort Slot;

    /// <summary>1..16; 0: any.</summary>
    public byte Channel;

    /// <summary>Controller 0..127; with Fine 0..31.</summary>
    public byte Number;

    /// <summary>1: 14 bits.</summary>
    public byte Fine;

    /// <summary>A <see cref="ParameterCurve"/>.</summary>
    public byte Curve;

    private readonly ushort _pad;

    /// <summary>The parameter's value where the controller stands at 0..1.</summary>
    public readonly float ValueAt(double place) =>
        place <= 0 ? FromValue : place >= 1 ? ToValue : Travel.At((ParameterCurve)Curve, Min, Max, From + ((To - From) * place));

    /// <summary>Whether a controller on this port and channel (0..15) is meant.</summary>
    public readonly bool Hears(ulong port, int channel) => (Port == 0 || Port == port) && (Channel == 0 || Channel == channel + 1);
}

/// <summary>
/// Head of the table; rows follow it. A sequence count, odd while it is being written, is all there is between the two: neither waits. A writer
/// that died within a write leaves the reader with the table before, until another one writes.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ControllerTable
{
    private ulong _sequence;
    private uint _generation;
    private int _count;

    /// <summary>Bytes of a table.</summary>
    public static long Bytes => sizeof(ControllerTable) + (MidiLimits.Controllers * (long)sizeof(ControllerRow));

    /// <summary>Changes with each write.</summary>
    public readonly ulong Sequence => Volatile.Read(in _sequence);

    /// <summary>[control process] Puts rows in place of those there were; more than there is room for are left out.</summary>
    public static void Write(ControllerTable* table, ReadOnlySpan<ControllerRow> rows, uint generation)
    {
        var odd = table->_sequence | 1; // it is already where a writer died
        Volatile.Write(ref table->_sequence, odd);
        Thread.MemoryBarrier(); // the odd count is seen before any row
        if (rows.Length > MidiLimits.Controllers) rows = rows[..MidiLimits.Controllers];
        rows.CopyTo(new Span<ControllerRow>(table + 1, MidiLimits.Controllers));
        (table->_count, table->_generation) = (rows.Length, generation);
        Volatile.Write(ref table->_sequence, odd + 1);
    }

    /// <summary>[events thread] Copies the rows; how many, or -1 where they are being written: again later.</summary>
    public static int TryRead(ControllerTable* table, ControllerRow* into, out uint generation, out ulong sequence)
    {
        sequence = Volatile.Read(ref table->_sequence);
        generation = table->_generation;
        var count = table->_count;
        if ((sequence & 1) != 0 || (uint)count > MidiLimits.Controllers) return -1;
        Unsafe.CopyBlock(into, table + 1, (uint)(count * sizeof(ControllerRow)));
        Thread.MemoryBarrier(); // every row was read before the count is read again
        return Volatile.Read(ref table->_sequence) == sequence ? count : -1;
    }
}
