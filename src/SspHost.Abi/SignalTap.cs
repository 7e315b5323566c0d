// A tap: what one output carries, sample by sample, for whoever draws or measures it.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>
/// A ring of the first channel of one output, in the region. The control process says what is watched by one word; the audio thread counts what was
/// written by another, so neither waits. The ring is twice what is read of it: a reader has that long for its copy.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = HeaderBytes + (Capacity * sizeof(float)))]
public unsafe struct SignalTap
{
    /// <summary>Taps there are.</summary>
    public const int Count = 5;

    /// <summary>Most samples that can be read.</summary>
    public const int Samples = 8192;

    /// <summary>Samples of the ring.</summary>
    public const int Capacity = 2 * Samples;

    private const int HeaderBytes = 256;

    /// <summary>What is to be watched (<see cref="AimAt"/>); 0: nothing. Written by the control process.</summary>
    [FieldOffset(0)]
    public ulong Aim;

    /// <summary>Samples ever written. [audio-thread]</summary>
    [FieldOffset(128)]
    public ulong Position;

    /// <summary>What is watched, and <see cref="Position"/> when that began. [audio-thread]</summary>
    [FieldOffset(136)]
    public ulong Watched;

    /// <inheritdoc cref="Watched"/>
    [FieldOffset(144)]
    public ulong Since;

    [FieldOffset(HeaderBytes)]
    public fixed float Ring[Capacity];

    /// <summary>The word that names an output: slot and key (low 32 bits) of the instance, number of the port.</summary>
    public static ulong AimAt(int slot, ulong key, int port) =>
        (key & 0xFFFF_FFFF) | ((ulong)(ushort)slot << 32) | ((ulong)(byte)port << 48) | (1UL << 63);

    /// <summary>Parts of <see cref="AimAt"/>'s word.</summary>
    public static (int Slot, uint Key, int Port) Parts(ulong aim) => ((int)(aim >> 32 & 0xFFFF), (uint)aim, (int)(aim >> 48 & 0xFF));

    /// <summary>
    /// Copies the newest samples in volts of the output that <paramref name="aim"/> names into the end of <paramref name="into"/>, without gaps. How many:
    /// fewer than there is room for if it is not watched for that long. [any reader]
    /// </summary>
    public int Read(ulong aim, Span<float> into)
    {
        if (into.Length > Samples) into = into[^Samples..];
        for (var attempt = 0; attempt < 4; attempt++)
        {
            var end = Volatile.Read(ref Position);
            if (aim == 0 || Volatile.Read(ref Watched) != aim) return 0;
            var count = (int)Math.Min((ulong)into.Length, end - Math.Min(end, Volatile.Read(ref Since)));
            var to = into[(into.Length - count)..];
            var at = (int)((end - (ulong)count) % Capacity);
            fixed (float* ring = Ring)
            {
                var first = Math.Min(count, Capacity - at);
                new ReadOnlySpan<float>(ring + at, first).CopyTo(to);
                new ReadOnlySpan<float>(ring, count - first).CopyTo(to[first..]);
            }

            Thread.MemoryBarrier(); // every sample was read before the counts are read again
            var now = Volatile.Read(ref Position);
            if (now - (end - (ulong)count) + Limits.MaxQuantum <= Capacity && Volatile.Read(ref Watched) == aim) return count;
        }

        return 0;
    }
}
