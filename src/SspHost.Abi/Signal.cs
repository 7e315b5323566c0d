// What a module sees at one of its ports: up to sixteen channels of one quantum, in volts.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>Facts about a <see cref="Signal"/> in the quantum at hand.</summary>
[Flags]
public enum SignalFlags : uint
{
    /// <summary>Nothing is known.</summary>
    None = 0,

    /// <summary>A cable is plugged in (for an output: somebody reads it).</summary>
    Connected = 1,

    /// <summary>Every sample of this quantum is exactly zero.</summary>
    Silent = 2,

    /// <summary>Set by process on an output that nobody reads, in place of filling it: its samples mean nothing and count as silence.</summary>
    Unwritten = 4,
}

/// <summary>
/// The samples at a port: <see cref="Channels"/> channels of one quantum each, channel c at
/// <c>Data + c * Stride</c>, float32 volts, 64-byte aligned.
/// An unpatched input points at the read-only silence pages: one channel that may be read and never written.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Signal
{
    /// <summary>First sample of channel 0.</summary>
    public float* Data;

    /// <summary>Channels carried, 1..16.</summary>
    public int Channels;

    /// <summary>Floats from one channel to the next.</summary>
    public int Stride;

    /// <summary>What is known of the samples.</summary>
    public SignalFlags Flags;

    private readonly uint _reserved;

    /// <summary>Whether a cable is plugged in.</summary>
    public readonly bool Connected
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (Flags & SignalFlags.Connected) != 0;
    }

    /// <summary>Whether the whole quantum is zero.</summary>
    public readonly bool Silent
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (Flags & SignalFlags.Silent) != 0;
    }

    /// <summary>
    /// Channel <paramref name="channel"/> as a polyphonic reader sees it: a one-channel cable is heard by every
    /// voice; a missing channel of a wider cable reads <paramref name="silence"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float* Voice(int channel, float* silence) =>
        channel < Channels ? Data + ((nint)channel * Stride) : Channels == 1 ? Data : silence;
}
