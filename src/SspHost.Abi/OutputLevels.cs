// Peaks of a module's outputs over the last 50 to 100 ms, as its threads leave them and as a reader finds them.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>
/// Start of the table; one <see cref="PortLevel"/> an output follows. Time is cut into windows of 50 ms, numbered by
/// <see cref="AudioStatus.Window"/>. A module that is silent writes nothing: what it left is told by the number to be old.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct OutputLevels
{
    /// <summary>Length of a window in seconds.</summary>
    public const float Seconds = 0.05f;

    /// <summary>Window in which it last sounded.</summary>
    public ulong Window;

    /// <summary>Bytes of the table for so many outputs.</summary>
    public static long BytesFor(int outputs) => sizeof(OutputLevels) + (outputs * (long)sizeof(PortLevel));

    /// <summary>Reads the peaks in volts of the first outputs as they are in window <paramref name="now"/>. [any reader]</summary>
    public static void Read(OutputLevels* table, ulong now, Span<float> peaks)
    {
        var ports = (PortLevel*)(table + 1);
        var age = now - Volatile.Read(ref table->Window);
        for (var i = 0; i < peaks.Length; i++)
        {
            var (current, previous) = (ports[i].Current, ports[i].Previous);
            peaks[i] = age switch { 0 => BitConverter.Int32BitsToSingle(Math.Max(current, previous)), 1 => BitConverter.Int32BitsToSingle(current), _ => 0 };
        }
    }
}

/// <summary>Bits of the largest magnitude of an output in the window that <see cref="OutputLevels.Window"/> numbers, and in the one before it.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PortLevel
{
    public int Current, Previous;
}
