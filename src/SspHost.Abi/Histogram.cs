// Wall-time histogram over nanoseconds: powers of two with 16 sub-buckets each, so that a figure is within 6.25 %.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>
/// One writer records, any process reads. Counts only grow: a reader that wants a window subtracts two copies.
/// Values 0..15 ns have a bucket each; above, each power of two has 16. The largest value is 2^40 ns (18 minutes).
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Histogram
{
    /// <summary>log2 of the sub-buckets of a power of two.</summary>
    public const int SubBits = 4;

    /// <summary>Buckets in all.</summary>
    public const int Buckets = (40 - SubBits + 1) << SubBits;

    /// <summary>Values recorded.</summary>
    public ulong Count;

    /// <summary>Largest value, exact.</summary>
    public ulong Max;

    /// <summary>Sum of all values, for a mean.</summary>
    public ulong Sum;

    /// <summary>Largest value since the window began that was asked for last; of no meaning before the first.</summary>
    public ulong WindowMax;

    /// <summary>Windows asked for by the one reader that owns them, and the one that <see cref="WindowMax"/> is of.</summary>
    public uint WindowAsked, WindowBegun;

    /// <summary>Counts by bucket.</summary>
    public fixed ulong Counts[Buckets];

    /// <summary>Bucket of a value in ns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int BucketOf(ulong ns)
    {
        if (ns < 1 << SubBits) return (int)ns;
        var exponent = BitOperations.Log2(ns);
        if (exponent >= 40) return Buckets - 1;
        return ((exponent - SubBits + 1) << SubBits) + (int)((ns >> (exponent - SubBits)) & ((1 << SubBits) - 1));
    }

    /// <summary>Smallest value of a bucket in ns.</summary>
    public static ulong LowerBound(int bucket)
    {
        if (bucket < 1 << SubBits) return (ulong)bucket;
        var exponent = (bucket >> SubBits) + SubBits - 1;
        return (1UL << exponent) + ((ulong)(bucket & ((1 << SubBits) - 1)) << (exponent - SubBits));
    }

    /// <summary>[the one writer] Records a value in ns. Wait-free.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Record(ulong ns)
    {
        Counts[BucketOf(ns)]++;
        Sum += ns;
        if (ns > Max) Max = ns;
        if (WindowAsked != WindowBegun) BeginWindow();
        if (ns > WindowMax) WindowMax = ns;
        Volatile.Write(ref Count, Count + 1);
    }

    /// <summary>[the reader that owns the windows] What comes from now on is of a new window. Nothing is lost: counts only grow.</summary>
    /// <remarks>A full fence: what the reader reads next is not from before the writer could see that it asked.</remarks>
    public void AskForWindow() => Interlocked.Increment(ref WindowAsked);

    /// <summary>
    /// Largest value, exact, of the window asked for last; 0: nothing was recorded in it. A value that is being recorded while the window is asked
    /// for may count to either side.
    /// </summary>
    public readonly ulong MaxOfWindow =>
        Volatile.Read(ref Unsafe.AsRef(in WindowBegun)) == WindowAsked ? Volatile.Read(ref Unsafe.AsRef(in WindowMax)) : 0;

    // The old maximum is gone before the new window is said to have begun: a reader between the two finds nothing, not what was.
    private void BeginWindow()
    {
        var asked = WindowAsked;
        WindowMax = 0;
        Volatile.Write(ref WindowBegun, asked);
    }

    /// <summary>
    /// Value in ns below which the fraction <paramref name="p"/> (0..1) of the values lies: the upper edge of its bucket,
    /// and never more than the exact maximum. 0 when nothing was recorded.
    /// </summary>
    public readonly ulong Percentile(double p)
    {
        ulong total = 0;
        for (var i = 0; i < Buckets; i++) total += Counts[i];
        if (total == 0) return 0;
        var rank = (ulong)Math.Ceiling(Math.Clamp(p, 0, 1) * total);
        if (rank == 0) rank = 1;
        ulong seen = 0;
        for (var i = 0; i < Buckets; i++)
        {
            seen += Counts[i];
            if (seen >= rank) return Math.Min(i + 1 < Buckets ? LowerBound(i + 1) - 1 : Max, Max);
        }

        return Max;
    }

    /// <summary>What was recorded after <paramref name="earlier"/> was copied. Max stays the maximum since the start.</summary>
    public readonly Histogram Since(in Histogram earlier)
    {
        var d = this;
        d.Count -= earlier.Count;
        d.Sum -= earlier.Sum;
        for (var i = 0; i < Buckets; i++) d.Counts[i] -= earlier.Counts[i];
        return d;
    }
}
