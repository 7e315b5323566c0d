// The full invariant walk: every granule, bin, magazine and counter is checked against every other.
namespace SspHost.Engine.Memory;

/// <content>Verification. Allocates and takes as long as the pool is large; no other thread may be in the pool meanwhile.</content>
public unsafe partial struct Pool
{
    /// <summary>
    /// Null if the pool is sound, else the first thing found wrong. With checks on, also every canary and every poisoned byte in quarantine.
    /// </summary>
    public readonly string? Verify()
    {
        if (_tags[0] != Tag.Wall) return "granule 0: its wall is gone";
        if (_ready < _capacity && _tags[_ready] != Tag.Interior) return "the tag behind the last granule was written";
        for (var i = 0; i < MaxArenas; i++)
        {
            var a = ArenaAt(i);
            if (a->Number != i) continue;
            var wrong = VerifySpan(a) ?? VerifyBins(a) ?? VerifyKept(a);
            if (wrong != null) return $"arena {i}: {wrong}";
        }

        return null;
    }

    private readonly string? VerifySpan(Arena* a)
    {
        long free = 0, cached = 0, fragments = 0, spans = 0;
        var classes = stackalloc long[Arena.Classes];
        new Span<long>(classes, Arena.Classes).Clear();
        var owners = new long[Tag.OwnerRows];
        var end = a->First + a->Granules;
        var wasFree = false;
        uint size;
        for (var i = a->First; i < end; i += size)
        {
            var tag = _tags[i];
            var state = Tag.State(tag);
            if (state is Tag.Interior or Tag.FreeSize) return $"granule {i}: no block starts where one ended";
            size = SizeAt(i, tag);
            if (size == 0 || size > end - i) return $"granule {i}: a block of {size} granules reaches past the span";
            var isFree = state is Tag.FreeOne or Tag.FreeHead;
            if (isFree)
            {
                if (wasFree) return $"granule {i}: two free blocks side by side";
                if (state == Tag.FreeHead && (size < 2 || _tags[i + size - 1] != Tag.ForSize(size))) return $"granule {i}: the two ends of a free block disagree";
                free += size;
            }
            else
            {
                var k = Tag.Class(tag);
                if (size > 1 && state != Tag.Wall && _tags[i + size - 1] != Tag.Interior) return $"granule {i}: the last tag of a block was written";
                if (state == Tag.Wall)
                {
                    if (a->Number != 0 || ArenaAt(Tag.Arena(tag))->First != i + 1) return $"granule {i}: a wall that is no arena's";
                    spans += size;
                }
                else
                {
                    if (Tag.Arena(tag) != a->Number) return $"granule {i}: a block of arena {Tag.Arena(tag)}";
                    if (Tag.Bytes(tag) > (long)size << Tag.GranuleBits) return $"granule {i}: {Tag.Bytes(tag)} bytes in {size} granules";
                    if (state == Tag.Cached)
                    {
                        cached += size;
                    }
                    else
                    {
                        // A block on its way home still counts as live: only its own arena counts.
                        fragments += size;
                        owners[Tag.Row(Tag.OwnerCode(tag))] += Tag.Bytes(tag);
                        classes[k]++;
                        if (state == Tag.Live && (_flags & (uint)PoolFlags.Checks) != 0)
                        {
                            var at = Behind(Address(i), tag).IndexOfAnyExcept(Canary);
                            if (at >= 0) return $"granule {i}: written past its end, at byte {Tag.Bytes(tag) + at} of {Tag.Bytes(tag)}";
                        }
                    }
                }
            }

            wasFree = isFree;
        }

        if (free != Arena.FreeGranules(a)) return $"{free} granules are free, counted {Arena.FreeGranules(a)}";
        if (cached != Arena.MagazineGranules(a) + a->QuarantineGranules) return $"{cached} granules are kept, counted {Arena.MagazineGranules(a)} in magazines and {a->QuarantineGranules} in quarantine";
        if (spans != a->SpanGranules) return $"{spans} granules are in spans, counted {a->SpanGranules}";
        if (fragments != a->Fragments) return $"{fragments} granules are live, counted {a->Fragments}";
        if (free + cached + fragments + spans != a->Granules) return "granules are lost";
        for (var k = 0; k < Arena.Classes; k++)
            if (classes[k] != Arena.Counts(a)[k].Live) return $"class {k}: {classes[k]} blocks are live, counted {Arena.Counts(a)[k].Live}";
        for (var row = 0; row < Tag.OwnerRows; row++)
            if (owners[row] != a->Owners[row]) return $"owner {OwnerName(row)}: {owners[row]} bytes are live, counted {a->Owners[row]}";
        return null;
    }

    private readonly string? VerifyBins(Arena* a)
    {
        long free = 0;
        for (var bin = 0; bin < Arena.Classes; bin++)
        {
            if ((Arena.Heads(a)[bin] != 0) != ((a->Bins >> bin & 1) != 0)) return $"bin {bin}: its bit is wrong";
            uint previous = 0;
            for (var b = Arena.Heads(a)[bin]; b != 0; b = *Tag.High(_tags, b))
            {
                var tag = _tags[b];
                if (Tag.State(tag) is not (Tag.FreeOne or Tag.FreeHead)) return $"bin {bin}: granule {b} is not free";
                var size = SizeAt(b, tag);
                if (System.Numerics.BitOperations.Log2(size) != bin) return $"bin {bin}: a block of {size} granules";
                if (Tag.Previous((uint)tag) != previous) return $"bin {bin}: granule {b} links back to {Tag.Previous((uint)tag)}, not {previous}";
                if (b < a->First || b >= a->First + a->Granules) return $"bin {bin}: granule {b} is outside the span";
                free += size;
                previous = b;
                if (free > a->Granules) break;
            }
        }

        return free == Arena.FreeGranules(a) ? null : $"{free} granules are in bins, counted {Arena.FreeGranules(a)}";
    }

    private readonly string? VerifyKept(Arena* a)
    {
        for (var k = 0; k < Arena.MagazineClasses; k++)
        {
            var magazine = Arena.Magazine(a, k);
            if (*magazine > Arena.MagazineSlots) return $"magazine {k}: {*magazine} blocks";
            for (var i = 1; i <= *magazine; i++)
            {
                var tag = _tags[magazine[i]];
                if (Tag.State(tag) != Tag.Cached || Tag.Class(tag) != k) return $"magazine {k}: entry {i} holds no block of its class";
            }
        }

        long kept = 0;
        for (var q = a->QuarantineOut; q != a->QuarantineIn; q++)
        {
            var index = a->Quarantine[q % Arena.QuarantineSlots];
            var tag = _tags[index];
            if (Tag.State(tag) != Tag.Cached) return $"quarantine: granule {index} holds no kept block";
            var at = Memory(index, tag).IndexOfAnyExcept(FreedPoison);
            if (at >= 0) return $"quarantine: granule {index} was written after its free, at byte {at}";
            kept += 1L << Tag.Class(tag);
        }

        return kept == a->QuarantineGranules ? null : $"{kept} granules are in quarantine, counted {a->QuarantineGranules}";
    }
}
