// Trace events in five or six bytes each: what a seat does is much like what it did a quantum ago, so only the difference is kept.
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>
/// Encoder or decoder of the events of one seat; both guess the same from what went before. An event is a byte (kind, and which guesses were
/// wrong), its start relative to the end of the event before, its length, and what was not guessed. Lossless but for
/// <see cref="TraceEvent.Spare"/>, which is always 0. A chunk begins with <see cref="Reset"/>, so that each can be read alone.
/// </summary>
public sealed unsafe class EventCodec
{
    /// <summary>Bytes an event takes at most.</summary>
    public const int MaxBytes = 2 + Varint.MaxBytes + 5 + Varint.MaxBytes + 5 + 5 + 3;

    /// <summary>Never in a ring: whoever drains puts it where events are missing. Value = how many.</summary>
    public const TraceKind Missing = (TraceKind)255;

    private const int OtherKind = 15, NewQuantum = 0x10, NewCore = 0x20, NewValue = 0x40, NewSlot = 0x80;

    // Of each slot: the slot after it (+ 1; 0 = not seen) and its value, which is its key. One entry more: what comes first, after slot -1.
    private readonly ushort[] _next = new ushort[Limits.MaxInstances + 1];
    private readonly uint[] _valueOfSlot = new uint[Limits.MaxInstances];
    private readonly uint[] _valueOfKind = new uint[16];
    private ulong _end, _quantum;
    private ushort _core;
    private int _slot = -1;

    /// <summary>Forgets what went before.</summary>
    public void Reset()
    {
        Array.Clear(_next);
        Array.Clear(_valueOfSlot);
        Array.Clear(_valueOfKind);
        (_end, _quantum, _core, _slot) = (0, 0, 0, -1);
    }

    /// <summary>Writes an event at a place with <see cref="MaxBytes"/> of room; returns the place after it.</summary>
    public byte* Write(byte* at, in TraceEvent e)
    {
        var flags = at++;
        var kind = (uint)e.Kind;
        var head = kind is > 0 and < OtherKind ? kind : OtherKind;
        if (head == OtherKind) *at++ = (byte)kind;
        at = Varint.Write(at, Varint.ZigZag((long)(e.Ticks - _end)));
        at = Varint.Write(at, e.Duration);
        _end = e.Ticks + e.Duration;
        if (e.Quantum != _quantum)
        {
            head |= NewQuantum;
            at = Varint.Write(at, Varint.ZigZag((long)(e.Quantum - _quantum)));
            _quantum = e.Quantum;
        }

        if (e.Core != _core)
        {
            head |= NewCore;
            at = Varint.Write(at, e.Core);
            _core = e.Core;
        }

        var slot = GuessSlot(kind);
        if (e.Slot != slot)
        {
            head |= NewSlot;
            at = Varint.Write(at, Varint.ZigZag((long)e.Slot - slot));
        }

        ref var value = ref GuessValue(kind, e.Slot);
        if (e.Value != value)
        {
            head |= NewValue;
            at = Varint.Write(at, Varint.ZigZag((int)(e.Value - value)));
            value = e.Value;
        }

        Follow(kind, e.Slot);
        *flags = (byte)head;
        return at;
    }

    /// <summary>Reads an event; null where the bytes are none.</summary>
    public byte* Read(byte* at, byte* end, out TraceEvent e)
    {
        e = default;
        if (at >= end) return null;
        uint head = *at++;
        var kind = head & 15;
        if (kind == OtherKind)
        {
            if (at >= end) return null;
            kind = *at++;
        }

        at = Varint.Read(at, end, out var start);
        if (at == null) return null;
        at = Varint.Read(at, end, out var duration);
        if (at == null || duration > uint.MaxValue) return null;
        ulong part;
        if ((head & NewQuantum) != 0)
        {
            at = Varint.Read(at, end, out part);
            if (at == null) return null;
            _quantum += (ulong)Varint.UnZigZag(part);
        }

        if ((head & NewCore) != 0)
        {
            at = Varint.Read(at, end, out part);
            if (at == null || part > ushort.MaxValue) return null;
            _core = (ushort)part;
        }

        long slot = GuessSlot(kind);
        if ((head & NewSlot) != 0)
        {
            at = Varint.Read(at, end, out part);
            if (at == null) return null;
            slot += Varint.UnZigZag(part);
            if (slot is < int.MinValue or > int.MaxValue) return null;
        }

        ref var value = ref GuessValue(kind, (int)slot);
        if ((head & NewValue) != 0)
        {
            at = Varint.Read(at, end, out part);
            if (at == null || Varint.UnZigZag(part) is < int.MinValue or > int.MaxValue) return null;
            value += (uint)(int)Varint.UnZigZag(part);
        }

        e.Ticks = _end + (ulong)Varint.UnZigZag(start);
        (e.Quantum, e.Duration, e.Value, e.Slot, e.Kind, e.Core) = (_quantum, (uint)duration, value, (int)slot, (TraceKind)kind, _core);
        _end = e.Ticks + e.Duration;
        Follow(kind, (int)slot);
        return at;
    }

    // Modules run in about the order of the quantum before; everything else has none.
    private int GuessSlot(uint kind)
    {
        if (kind != (uint)TraceKind.Module) return -1;
        var next = _next[_slot + 1];
        return next == 0 ? _slot + 1 : next - 1;
    }

    private ref uint GuessValue(uint kind, int slot)
    {
        if (kind == (uint)TraceKind.Module && (uint)slot < Limits.MaxInstances) return ref _valueOfSlot[slot];
        return ref _valueOfKind[kind & 15];
    }

    // A quantum's first module follows its last one's end of the quantum: anything that is no module begins anew.
    private void Follow(uint kind, int slot)
    {
        if (kind == (uint)TraceKind.Module && (uint)slot < Limits.MaxInstances)
        {
            _next[_slot + 1] = (ushort)(slot + 1);
            _slot = slot;
        }
        else if (kind is (uint)TraceKind.Quantum or (uint)TraceKind.Work)
        {
            _slot = -1;
        }
    }
}
