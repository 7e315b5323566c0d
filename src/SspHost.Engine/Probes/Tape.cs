// A seat's trace as the thread that fills the seat writes it.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Probes;

/// <summary>
/// The producer's side of an SpscRing of <see cref="TraceEvent"/>, part of the seat: a standby goes on where its predecessor stopped, and a thread
/// that has lost its seat never reaches it. What the reader takes is looked up only when the ring seems full, so that an event costs no shared line.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Tape
{
    private RingHeader* _ring;
    private TraceEvent* _events; // null: no ring
    private ulong _head; // entries known to be taken
    private uint* _flags;
    private uint _mask;
    private ushort _core;

    /// <summary>Number of the quantum that what is written belongs to.</summary>
    public ulong Quantum;

    /// <summary>Whether events are written: there is a ring, and <see cref="DiagnosticFlags.Trace"/> is on.</summary>
    public readonly bool IsOn => _events != null && (*_flags & (uint)DiagnosticFlags.Trace) != 0;

    /// <summary>Whether there is a ring.</summary>
    public readonly bool IsOpen => _events != null;

    /// <summary>Where the flags are that switch it. [start-up]</summary>
    public void Follow(uint* flags) => _flags = flags;

    /// <summary>Writes to this ring from now on, of a seat pinned to this core; -1: none. [steward, while nobody fills the seat]</summary>
    public void Open(RingHeader* ring, int core)
    {
        _ring = ring;
        _mask = ring->Capacity - 1;
        _head = Volatile.Read(ref ring->Head);
        _core = core < 0 ? ushort.MaxValue : (ushort)core;
        _events = (TraceEvent*)((byte*)ring + sizeof(RingHeader));
    }

    /// <summary>The cycle clock where events are written, else 0.</summary>
    public readonly ulong Now => IsOn ? CycleClock.Now() : 0;

    /// <summary>A zone that ends now, by the cycle clock; nothing where it began before events were on (0). [the thread that fills the seat]</summary>
    public void Zone(TraceKind kind, ulong start, ulong end, uint value, int slot = -1)
    {
        if (start != 0 && end != 0 && IsOn) Write(kind, start, end, value, slot);
    }

    /// <summary>A mark. [the thread that fills the seat]</summary>
    public void Mark(TraceKind kind, uint value, int slot = -1)
    {
        if (!IsOn) return;
        var now = CycleClock.Now();
        Write(kind, now, now, value, slot);
    }

    /// <summary>An event, whatever the flags say; counted as dropped where the ring is full. Wait-free. [the thread that fills the seat]</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(TraceKind kind, ulong start, ulong end, uint value, int slot)
    {
        var ring = _ring;
        var tail = ring->Tail; // nobody else writes it
        if (tail - _head > _mask && !MakeRoom(tail)) return;
        var e = _events + (tail & _mask);
        var ticks = end - start;
        e->Ticks = start;
        e->Quantum = Quantum;
        e->Duration = ticks > uint.MaxValue ? uint.MaxValue : (uint)ticks;
        e->Value = value;
        e->Slot = slot;
        e->Kind = kind;
        e->Spare = 0;
        e->Core = _core;
        Volatile.Write(ref ring->Tail, tail + 1); // after the entry
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool MakeRoom(ulong tail)
    {
        _head = Volatile.Read(ref _ring->Head);
        if (tail - _head <= _mask) return true;
        Volatile.Write(ref _ring->Dropped, _ring->Dropped + 1);
        return false;
    }
}
