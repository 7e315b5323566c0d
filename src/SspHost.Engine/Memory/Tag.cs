// One 64-bit tag per 64-byte granule says what starts or ends there: the pool's metadata lies beside the memory, never within it.
using System.Runtime.CompilerServices;

namespace SspHost.Engine.Memory;

/// <summary>
/// Encodings of a tag. Kept out of band so that a module that writes past its block cannot reach them, blocks keep their power-of-two size
/// (a header in front would double every power-of-two request), and a wrong pointer given to free is told from a right one by its tag
/// alone.
/// <list type="bullet">
/// <item>a block in use: state, class, arena, owner and requested bytes in the tag of its first granule; the tag of its last granule, if
/// another, is
/// <see cref="Interior"/>;</item>
/// <item>within a block of malloc's whose alignment is above a granule's: <see cref="ForAligned"/> where it was handed out;</item>
/// <item>a free block of one granule: <see cref="FreeOne"/> and its links;</item>
/// <item>a larger free block: <see cref="FreeHead"/> and its links in the first, its size in the second and in the last.</item>
/// </list>
/// Tags between those of a block are stale and never read: every split writes both sides of its border.
/// </summary>
internal static unsafe class Tag
{
    /// <summary>log2 of the bytes of a granule.</summary>
    public const int GranuleBits = 6;

    /// <summary>Bytes of a granule: the alignment and the smallest block.</summary>
    public const int Granule = 1 << GranuleBits;

    public const ulong StateMask = 7;
    public const ulong Interior = 0;
    public const ulong Live = 1;
    public const ulong FreeHead = 2;
    public const ulong FreeSize = 3;
    public const ulong FreeOne = 4;

    /// <summary>Free to its arena, taken to the backend: in a magazine or in quarantine.</summary>
    public const ulong Cached = 5;

    /// <summary>Freed by a thread that does not own its arena; on its way home.</summary>
    public const ulong Remote = 6;

    /// <summary>Start of the span of an RT arena: a block that is never freed.</summary>
    public const ulong Wall = 7;

    /// <summary>Granule numbers have 27 bits: pools up to 8 GiB. Number 0 is never a block and stands for "none".</summary>
    public const int IndexBits = 27;

    private const int ClassShift = 3, ArenaShift = 8, OwnerShift = 13, BytesShift = 30, PreviousShift = 3;
    private const uint GrantOwners = 0xFFFF_0000;

    /// <summary>Bit of an owner, beside its slot + 1: a block of malloc's, which a library may free. (Grants have it too, by chance.)</summary>
    public const uint HeapOwner = 0x8000;

    // What tells a granule that malloc handed out within its block from a free block's size: its low half says nothing but "size".
    private const uint AlignedMark = (uint)FreeSize | 0x5A11_C000;

    /// <summary>Owner rows: engine, slots 1..4096, and one for all grants (and for owners there should not be).</summary>
    public const int GrantRow = Abi.Limits.MaxInstances + 1, OwnerRows = GrantRow + 1;

    /// <summary>Tag of a live block; <paramref name="common"/> is the arena's <see cref="Arena.LiveTag"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ForLive(ulong common, int sizeClass, uint ownerCode, long bytes) =>
        common | ((ulong)(uint)sizeClass << ClassShift) | ((ulong)ownerCode << OwnerShift) | ((ulong)bytes << BytesShift);

    /// <summary>What live blocks of an arena have in common.</summary>
    public static ulong CommonOf(int arena) => Live | ((ulong)(uint)arena << ArenaShift);

    public static ulong ForWall(int sizeClass, int arena) =>
        Wall | ((ulong)(uint)sizeClass << ClassShift) | ((ulong)(uint)arena << ArenaShift);

    /// <summary>The same block in another state.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong With(ulong tag, ulong state) => (tag & ~StateMask) | state;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong State(ulong tag) => tag & StateMask;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Class(ulong tag) => (int)(tag >> ClassShift) & 31;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Arena(ulong tag) => (int)(tag >> ArenaShift) & 31;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint OwnerCode(ulong tag) => (uint)(tag >> OwnerShift) & 0x1FFFF;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Bytes(ulong tag) => (long)(tag >> BytesShift);

    /// <summary>
    /// First tag of a free block: state and previous block of its bin below, next block above; each half is changed by a store of its
    /// own.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ForFree(ulong state, uint next) => state | ((ulong)next << 32);

    /// <summary>State and previous block of a free block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint* Low(ulong* tags, uint block) => (uint*)(tags + block);

    /// <summary>Next block of a free block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint* High(ulong* tags, uint block) => (uint*)(tags + block) + 1;

    /// <summary>The lower half of a free block's first tag.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint ForLow(ulong state, uint previous) => (uint)state | (previous << PreviousShift);

    public static uint Previous(uint low) => low >> PreviousShift;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ForSize(uint granules) => FreeSize | ((ulong)granules << 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Size(ulong tag) => (uint)(tag >> 32);

    /// <summary>Tag of a granule that malloc handed out, so many granules behind the start of its block.</summary>
    public static ulong ForAligned(uint granules) => AlignedMark | ((ulong)granules << 32);

    public static bool IsAligned(ulong tag) => (uint)tag == AlignedMark;

    /// <summary>The same block with other requested bytes.</summary>
    public static ulong WithBytes(ulong tag, long bytes) => (tag & ((1UL << BytesShift) - 1)) | ((ulong)bytes << BytesShift);

    /// <summary>An owner in 17 bits: bit 16 marks a grant, whose session's low 16 bits are kept.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Encode(uint owner) => (owner & 0xFFFF) | ((owner >> 15) & 0x10000);

    public static uint Decode(uint ownerCode) => ownerCode >= 0x10000 ? GrantOwners | (ownerCode & 0xFFFF) : ownerCode & ~HeapOwner;

    /// <summary>Row of the owner table.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Row(uint ownerCode) => Math.Min(ownerCode & ~HeapOwner, GrantRow);
}
