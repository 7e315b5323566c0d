// The load of every quantum of the last twenty minutes and more, in two bytes each.
using System.Numerics;
using System.Runtime.InteropServices;

namespace SspHost.Diagnostics.Tracing;

/// <summary>
/// Loads by the number of the quantum, as floats of 16 bits: 11 bits of mantissa (0.025 % at most off), exact below 0.2 %. 2^21 quanta in
/// 4 MB, touched as they come: 23 minutes at 32 frames and 48 kHz. Quanta that nobody saw are gaps. One writer, any reader.
/// </summary>
public sealed unsafe class LoadHistory : IDisposable
{
    /// <summary>Quanta kept.</summary>
    public const int Capacity = 1 << 21;

    private const int Mantissa = 11, TimeEvery = 1024;

    private readonly Lock _lock = new();
    private ushort* _codes = (ushort*)NativeMemory.AllocZeroed(Capacity, sizeof(ushort));
    private readonly ulong[] _starts = new ulong[Capacity / TimeEvery];
    private ulong _first, _end;

    /// <summary>The quanta there are: the first, and the one after the last. Equal: none.</summary>
    public (ulong First, ulong End) Range
    {
        get
        {
            lock (_lock) return (_first, _end);
        }
    }

    /// <summary>The code of a load in millionths; 0 means a gap.</summary>
    public static ushort Encode(uint millionths)
    {
        var m = (ulong)millionths + 1; // 0 is for gaps
        if (m < 1 << Mantissa) return (ushort)m;
        var exponent = BitOperations.Log2(m) - Mantissa;
        var rounded = exponent == 0 ? m : (m + (1UL << (exponent - 1))) >> exponent;
        if (rounded == 1 << (Mantissa + 1)) (rounded, exponent) = (1 << Mantissa, exponent + 1);
        return (ushort)(((exponent + 1) << Mantissa) | (int)(rounded & ((1 << Mantissa) - 1)));
    }

    /// <summary>The load of a code; NaN for a gap.</summary>
    public static float Decode(ushort code)
    {
        if (code == 0) return float.NaN;
        var exponent = code >> Mantissa;
        var m = exponent == 0 ? code : (double)((1UL << Mantissa) | (uint)(code & ((1 << Mantissa) - 1))) * (1UL << (exponent - 1));
        return (float)((m - 1) / 1e6);
    }

    /// <summary>[the writer] The load of a quantum, and its start by the cycle clock. A number below the ones before begins anew: another engine.</summary>
    public void Record(ulong quantum, uint millionths, ulong ticks)
    {
        lock (_lock)
        {
            if (_first == _end) (_first, _end) = (quantum, quantum);
            if (quantum < _first || (quantum >= _end && quantum - _end >= Capacity)) (_first, _end) = (quantum, quantum);
            while (_end < quantum) _codes[_end++ % Capacity] = 0;
            if (_end == quantum) _end++;
            _codes[quantum % Capacity] = Encode(millionths);
            var block = quantum / TimeEvery % (ulong)_starts.Length;
            if (quantum % TimeEvery == 0 || _end - _first == 1) _starts[block] = ticks;
            if (_end - _first > Capacity) _first = _end - Capacity;
        }
    }

    /// <summary>
    /// Copies loads from quantum <paramref name="from"/> on, NaN where there is none; returns how many are known or gaps between known ones.
    /// </summary>
    public int Copy(ulong from, Span<float> loads)
    {
        lock (_lock)
        {
            var count = 0;
            for (var i = 0; i < loads.Length; i++)
            {
                var quantum = from + (ulong)i;
                var known = quantum >= _first && quantum < _end;
                loads[i] = known ? Decode(_codes[quantum % Capacity]) : float.NaN;
                if (known) count = i + 1;
            }

            return count;
        }
    }

    /// <summary>About when each 1,024th quantum began, by the cycle clock: a time axis for what <see cref="Copy"/> gave. Gaps have none.</summary>
    public IReadOnlyList<(ulong Quantum, ulong Ticks)> Times()
    {
        lock (_lock)
        {
            var times = new List<(ulong, ulong)>();
            for (var q = (_first + TimeEvery - 1) / TimeEvery * TimeEvery; q < _end; q += TimeEvery)
                if (_codes[q % Capacity] != 0) times.Add((q, _starts[q / TimeEvery % (ulong)_starts.Length]));
            return times;
        }
    }

    /// <summary>[the writer] Begins anew.</summary>
    public void Clear()
    {
        lock (_lock) (_first, _end) = (0, 0);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            NativeMemory.Free(_codes);
            _codes = null;
            (_first, _end) = (0, 0);
        }
    }
}
