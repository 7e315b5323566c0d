// What the pool knows of itself: statistics for the region, bytes by owner, and its whole state as text.
using System.Globalization;
using System.Text;
using SspHost.Abi;

namespace SspHost.Engine.Memory;

/// <content>Statistics and the text dump.</content>
public unsafe partial struct Pool
{
    // Free blocks a dump lists of each bin.
    private const int DumpBlocks = 8;

    /// <summary>
    /// Fills <paramref name="stats"/>. Figures of RT arenas are read while their threads go on: each is a moment old, never torn. [steward]
    /// </summary>
    public readonly void ReadStats(ref PoolStats stats)
    {
        stats = default;
        stats.Limit = CapacityBytes;
        stats.Offered = ReadyBytes;
        stats.Time = Linux.Now();
        for (var i = 0; i < MaxArenas; i++)
        {
            var a = ArenaAt(i);
            if (a->Number < 0)
            {
                stats.Failed += a->Failed;
                stats.Faults += a->Faults;
                continue;
            }

            if (i == 0)
            {
                stats.Free = Arena.FreeGranules(a) << Tag.GranuleBits;
                stats.Largest = LargestOf(a);
            }
            else
            {
                stats.Spans += (long)a->Granules << Tag.GranuleBits;
                stats.SpansFree += Arena.FreeGranules(a) << Tag.GranuleBits;
            }

            stats.Fragments += a->Fragments << Tag.GranuleBits;
            stats.Cached += (Arena.MagazineGranules(a) + a->QuarantineGranules) << Tag.GranuleBits;
            stats.FragmentsPeak += a->FragmentsPeak << Tag.GranuleBits;
            stats.RemoteFrees += a->RemoteFrees;
            stats.Failed += a->Failed;
            if (a->LastFailed != 0) stats.LastFailed = a->LastFailed;
            stats.Faults += a->Faults;
            stats.EngineBytes += a->Owners[0];
            for (var row = 1; row <= Limits.MaxInstances; row++) stats.ModuleBytes += a->Owners[row];
            stats.GrantBytes += a->Owners[Tag.GrantRow];
            for (var k = 0; k < PoolStats.Classes; k++)
            {
                var counts = Arena.Counts(a) + k;
                stats.ClassLive[k] += counts->Live;
                stats.ClassPeak[k] += counts->Peak;
                stats.ClassTotal[k] += counts->Total;
                stats.Allocations += counts->Total;
                stats.Frees += counts->Total - counts->Live;
            }
        }

        stats.Requested = stats.EngineBytes + stats.ModuleBytes + stats.GrantBytes;
    }

    /// <summary>Bytes requested by live blocks of an owner; all grants are one. [steward]</summary>
    public readonly long OwnerBytes(uint owner)
    {
        var row = Tag.Row(Tag.Encode(owner));
        long sum = 0;
        for (var i = 0; i < MaxArenas; i++) sum += Volatile.Read(ref ArenaAt(i)->Owners[row]);
        return sum;
    }

    /// <summary>Times of allocate or free in an arena, in ns; filled while <see cref="PoolFlags.Times"/> is on.</summary>
    public readonly Histogram* Times(int arena, bool free) =>
        (uint)arena >= MaxArenas ? null : free ? ArenaAt(arena)->FreeTimes : ArenaAt(arena)->AllocateTimes;

    /// <summary>
    /// What is guaranteed: with at most this many bytes live in the steward's arena, magazines counted, no request up to
    /// <paramref name="largest"/> can fail, however adversely blocks come and go.
    /// </summary>
    public readonly long GuaranteedBytes(long largest)
    {
        var spans = ArenaAt(0)->SpanGranules << Tag.GranuleBits;
        return Math.Max(0, HalfFit.Guaranteed(ReadyBytes - Tag.Granule - spans, largest) - MagazineBytes);
    }

    /// <summary>
    /// The state as text: every arena with its counters, magazines and free blocks (granule number + granules). The same sequence of calls
    /// gives the same text. Allocates; not for an engine that plays.
    /// </summary>
    public readonly string Dump()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"pool: {ReadyBytes} of {CapacityBytes} bytes on offer, flags {Flags}\n");
        for (var i = 0; i < MaxArenas; i++)
        {
            var a = ArenaAt(i);
            if (a->Number < 0) continue;
            text.Append(CultureInfo.InvariantCulture, $"arena {i}: granules {a->First}+{a->Granules}, free {Arena.FreeGranules(a)}, in magazines {Arena.MagazineGranules(a)}, in quarantine {a->QuarantineGranules}");
            text.Append(CultureInfo.InvariantCulture, $", in fragments {a->Fragments} (peak {a->FragmentsPeak}), requested {Arena.Requested(a)} bytes");
            text.Append(CultureInfo.InvariantCulture, $", failed {a->Failed}, remote frees {a->RemoteFrees}, faults {a->Faults}\n");
            for (var k = 0; k < Arena.Classes; k++)
            {
                var counts = Arena.Counts(a) + k;
                if (counts->Total == 0) continue;
                text.Append(CultureInfo.InvariantCulture, $"  class {k} ({(long)Tag.Granule << k} bytes): live {counts->Live}, peak {counts->Peak}, total {counts->Total}");
                if (k < Arena.MagazineClasses) text.Append(CultureInfo.InvariantCulture, $", magazine {*Arena.Magazine(a, k)}");
                text.Append('\n');
            }

            for (var row = 0; row < Tag.OwnerRows; row++)
                if (a->Owners[row] != 0) text.Append(CultureInfo.InvariantCulture, $"  owner {OwnerName(row)}: {a->Owners[row]} bytes\n");
            for (var bin = 0; bin < Arena.Classes; bin++) DumpBin(text, a, bin);
        }

        return text.ToString();
    }

    private readonly void DumpBin(StringBuilder text, Arena* a, int bin)
    {
        if (Arena.Heads(a)[bin] == 0) return;
        text.Append(CultureInfo.InvariantCulture, $"  bin {bin}:");
        var blocks = 0;
        for (var b = Arena.Heads(a)[bin]; b != 0; b = *Tag.High(_tags, b))
            if (++blocks <= DumpBlocks) text.Append(CultureInfo.InvariantCulture, $" {b}+{SizeAt(b, _tags[b])}");
        if (blocks > DumpBlocks) text.Append(CultureInfo.InvariantCulture, $" and {blocks - DumpBlocks} more");
        text.Append('\n');
    }

    private static string OwnerName(int row) => row switch
    {
        0 => "engine",
        Tag.GrantRow => "grants",
        _ => (row - 1).ToString(CultureInfo.InvariantCulture),
    };
}
