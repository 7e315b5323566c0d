// Checks: what is written past a block's end or after its free is found and named. On in checked builds, off where they would cost.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.Engine.Memory;

/// <content>Canaries, poison, quarantine, and the reporting of faults.</content>
public unsafe partial struct Pool
{
    /// <summary>Byte of fresh memory while checks are on: floats of it are about -4.3e8 V, which the output check names at once.</summary>
    public const byte FreshPoison = 0xCD;

    /// <summary>Byte of freed memory while checks are on.</summary>
    public const byte FreedPoison = 0xDD;

    /// <summary>Byte behind a block while checks are on.</summary>
    public const byte Canary = 0xFB;

    // At least so many bytes behind every block. The whole rest of the fragment is filled, so that a write before the start of the next
    // block is found too.
    private const int CanaryBytes = 64;

    /// <summary>The last fault; its text by ToString.</summary>
    public readonly PoolFault LastFault => _lastFault;

    private void* AllocateChecked(Arena* a, long bytes, uint owner)
    {
        if (bytes is < 0 or > MaxBytes - CanaryBytes) return Refuse(a, bytes, -1, owner);
        var block = (byte*)AllocateIn(a, bytes, bytes + CanaryBytes, owner);
        if (block == null) return null;
        var tag = _tags[IndexOf(block)];
        Bytes(block, bytes).Fill(FreshPoison);
        Behind(block, tag).Fill(Canary);
        return block;
    }

    private void FreeChecked(Arena* a, void* block)
    {
        if (!TryGetBlock(block, out _, out _))
        {
            FreeIn(a, block); // reports it
            return;
        }

        var index = IndexOf(block);
        var tag = _tags[index];
        CheckCanary(a, index, tag);
        if (Tag.Arena(tag) != a->Number)
        {
            FreeRemote(a, index, tag);
            return;
        }

        Discount(a, tag);
        PutInQuarantine(a, index, tag);
        if ((a->Pending | Volatile.Read(ref a->Remote)) != 0) DrainOne(a);
    }

    private void PutInQuarantine(Arena* a, uint index, ulong tag)
    {
        Memory(index, tag).Fill(FreedPoison);
        if (a->QuarantineIn - a->QuarantineOut == Arena.QuarantineSlots) LeaveQuarantine(a);
        _tags[index] = Tag.With(tag, Tag.Cached);
        a->Quarantine[a->QuarantineIn++ % Arena.QuarantineSlots] = index;
        a->QuarantineGranules += 1L << Tag.Class(tag);
    }

    private void LeaveQuarantine(Arena* a)
    {
        var index = a->Quarantine[a->QuarantineOut++ % Arena.QuarantineSlots];
        var tag = _tags[index];
        var at = Memory(index, tag).IndexOfAnyExcept(FreedPoison);
        if (at >= 0) Report(a, PoolFaultKind.WriteAfterFree, Address(index), tag, at);
        a->QuarantineGranules -= 1L << Tag.Class(tag);
        PutAway(a, index, tag);
    }

    private void CheckCanary(Arena* a, uint index, ulong tag)
    {
        var at = Behind(Address(index), tag).IndexOfAnyExcept(Canary);
        if (at >= 0) Report(a, PoolFaultKind.Overrun, Address(index), tag, Tag.Bytes(tag) + at);
    }

    private static Span<byte> Behind(byte* block, ulong tag) =>
        Bytes(block + Tag.Bytes(tag), ((long)Tag.Granule << Tag.Class(tag)) - Tag.Bytes(tag));

    private readonly Span<byte> Memory(uint index, ulong tag) => Bytes(Address(index), (long)Tag.Granule << Tag.Class(tag));

    // A span's own constructor checks the length and can throw, which a leaf may not.
    private static Span<byte> Bytes(byte* at, long count) => MemoryMarshal.CreateSpan(ref *at, (int)Math.Min(count, int.MaxValue));

    private readonly byte* Address(uint index) => _data + ((long)index << Tag.GranuleBits);

    private readonly uint IndexOf(void* block) => (uint)(((byte*)block - _data) >> Tag.GranuleBits);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Report(Arena* a, PoolFaultKind kind, void* block, ulong tag, long offset = 0)
    {
        var known = Tag.State(tag) is Tag.Live or Tag.Cached or Tag.Remote;
        a->Faults++;
        _lastFault = new PoolFault
        {
            Kind = kind,
            Block = (byte*)block - _data,
            Offset = offset,
            Bytes = known ? Tag.Bytes(tag) : 0,
            Owner = known ? Tag.Decode(Tag.OwnerCode(tag)) : 0,
            Arena = known ? Tag.Arena(tag) : a->Number,
        };
        if ((_flags & (uint)PoolFlags.FailFast) != 0) EndProcess(in _lastFault);
    }

    // Apart, and where checks are on only: everything else that malloc calls is a leaf (HeapService).
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void EndProcess(in PoolFault fault) => Environment.FailFast("ssp-engine: pool: " + fault);
}
