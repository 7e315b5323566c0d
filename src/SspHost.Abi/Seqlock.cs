// A snapshot that one writer changes at any time and any number of readers copy whole, without ever making the writer wait.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>
/// One value under a sequence count: odd while it is being written. The writer is wait-free; a reader retries until it
/// copied a value that no write touched meanwhile.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Seqlock<T> where T : unmanaged
{
    private ulong _sequence;
    private T _value;

    /// <summary>[the one writer] Publishes <paramref name="value"/>.</summary>
    public void Write(in T value)
    {
        var s = _sequence;
        Volatile.Write(ref _sequence, s + 1);
        Thread.MemoryBarrier(); // the odd count is seen before any byte of the value
        _value = value;
        Volatile.Write(ref _sequence, s + 2);
    }

    /// <summary>[any reader] Copies the value; false if it was being written at this moment. For real-time readers: never waits.</summary>
    public bool TryReadOnce(out T value)
    {
        var before = Volatile.Read(ref _sequence);
        value = _value;
        Thread.MemoryBarrier(); // every byte was read before the count is read again
        return (before & 1) == 0 && Volatile.Read(ref _sequence) == before;
    }

    /// <summary>
    /// [any reader] Copies the value; false if it kept changing or its writer died within a write (after <paramref name="attempts"/> tries).
    /// </summary>
    public bool TryRead(out T value, int attempts = 1000)
    {
        for (var i = 0; i < attempts; i++)
        {
            var before = Volatile.Read(ref _sequence);
            if ((before & 1) == 0)
            {
                value = _value;
                Thread.MemoryBarrier(); // every byte was read before the count is read again
                if (Volatile.Read(ref _sequence) == before) return true;
            }

            Thread.SpinWait(20);
        }

        value = default;
        return false;
    }
}
