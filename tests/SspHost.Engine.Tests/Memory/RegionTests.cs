// The region as the kernel sees it: protections, locks, faults, seals; and as an attached process sees it.
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Engine.Memory;

namespace SspHost.Engine.Tests.Memory;

public sealed unsafe partial class RegionTests
{
    private const long Bytes = 64 << 20;

    [Fact]
    public void An_attached_process_finds_everything_the_header_names()
    {
        byte[] descriptors = [.. "any bytes"u8];
        using var region = Make(descriptors, "1.2.3-test");
        using var map = RegionMap.Attach($"/proc/self/fd/{region.Fd}");
        Assert.Equal(Bytes, map.Bytes);
        Assert.Equal(descriptors, map.Descriptors.ToArray());
        Assert.Equal("1.2.3-test", Marshal.PtrToStringUTF8((nint)map.Header->Version));
        Assert.Equal(Environment.ProcessId, map.Header->EnginePid);

        Assert.True(region.Map.Requests.TryPush(new Request { Id = 7 }));
        Assert.True(map.Requests.TryPop(out var request));
        Assert.Equal(7ul, request.Id);
        Assert.True(map.Events.TryPush(default) && map.Notices.TryPush(default) && map.Replies.TryPush(default));
        region.Map.Histogram(HistogramKind.Load)->Record(5);
        Assert.Equal(1ul, map.Histogram(HistogramKind.Load)->Count);
        region.Map.Instances[Limits.MaxInstances - 1].Key = 9;
        Assert.Equal(9ul, map.Instances[Limits.MaxInstances - 1].Key);
        region.Map.Threads[Limits.MaxThreads - 1].Tid = 11;
        Assert.Equal(11, map.Threads[Limits.MaxThreads - 1].Tid);

        var block = region.Pool->Allocate(0, 1000, Pool.FirstGrantOwner + 1);
        var offset = region.Map.OffsetOf(block);
        Assert.InRange(offset, map.Header->PoolOffset, map.Header->PoolOffset + map.Header->PoolBytes - 1000);
        *(long*)map.At(offset) = 0x1234;
        Assert.Equal(0x1234, *(long*)block);
        region.PublishPoolStats(out _);
        Assert.True(map.PoolStats->TryRead(out var stats));
        Assert.Equal((1000L, 1L), (stats.GrantBytes, stats.Allocations));
        Assert.Equal(region.LockedBytes, stats.Locked);
    }

    [Fact]
    public void Nothing_in_the_region_overlaps()
    {
        using var region = Make(new byte[12345], "x");
        var h = region.Map.Header;
        (long At, long Size, string Name)[] parts =
        [
            (0, sizeof(RegionHeader), "header"),
            (h->RequestsOffset, SpscRing<Request>.BytesFor(region.Map.Requests.Capacity), "requests"),
            (h->RepliesOffset, SpscRing<Reply>.BytesFor(region.Map.Replies.Capacity), "replies"),
            (h->EventsOffset, SpscRing<ModuleEvent>.BytesFor(region.Map.Events.Capacity), "events"),
            (h->NoticesOffset, SpscRing<Notice>.BytesFor(region.Map.Notices.Capacity), "notices"),
            (h->AudioStatusOffset, sizeof(Seqlock<AudioStatus>), "audio status"),
            (h->StewardStatusOffset, sizeof(Seqlock<StewardStatus>), "steward status"),
            (h->PoolStatsOffset, sizeof(Seqlock<PoolStats>), "pool statistics"),
            (h->HistogramsOffset, (int)HistogramKind.Count * sizeof(Histogram), "histograms"),
            (h->InstancesOffset, Limits.MaxInstances * (long)sizeof(InstanceRecord), "instances"),
            (h->ThreadsOffset, Limits.MaxThreads * (long)sizeof(ThreadRecord), "threads"),
            (h->TapsOffset, SignalTap.Count * (long)sizeof(SignalTap), "taps"),
            (h->JacksOffset, sizeof(JackBench), "jacks"),
            (h->DescriptorsOffset, h->DescriptorsBytes, "descriptors"),
            (h->SilenceOffset, Limits.MaxChannels * Limits.MaxQuantum * sizeof(float), "silence"),
            .. Enumerable.Range(0, Region.StackCount).Select(t => (region.Map.OffsetOf(region.Stack(t, out var n)), n, $"stack {t}")),
            (h->PoolOffset, h->PoolBytes, "pool"),
        ];
        for (var i = 1; i < parts.Length; i++)
            Assert.True(parts[i - 1].At + parts[i - 1].Size <= parts[i].At, $"{parts[i - 1].Name} reaches into {parts[i].Name}");
        Assert.Equal(Bytes, parts[^1].At + parts[^1].Size);
        Assert.All(parts, p => Assert.Equal(0, p.At % 64));
        Assert.Equal(0, h->PoolOffset % (2 << 20));
        Assert.Equal(0, (long)region.Map.At(h->PoolOffset) % (2 << 20)); // in addresses too, or no huge page fits
    }

    [Fact]
    public void Silence_is_read_only_and_zero_and_stacks_stand_between_guards_and_out_of_forks()
    {
        using var region = Make([], "x");
        var smaps = File.ReadAllLines("/proc/self/smaps");
        (string Protection, string Flags) Mapping(byte* address) => MappingIn(smaps, address);
        Assert.Equal(-1, new ReadOnlySpan<byte>(region.Silence, Limits.MaxChannels * Limits.MaxQuantum * 4).IndexOfAnyExcept((byte)0));
        Assert.Equal("r--s", Mapping(region.Silence).Protection);
        Assert.Equal("r--s", Mapping(region.Silence + (Limits.MaxChannels * Limits.MaxQuantum * 4) - 1).Protection);
        Assert.Equal("rw-s", Mapping(region.Silence - 1).Protection);
        for (var t = 0; t < Region.StackCount; t++)
        {
            var stack = region.Stack(t, out var bytes);
            Assert.Equal(256 << 10, bytes);
            Assert.Equal("---s", Mapping(stack - 1).Protection);
            Assert.Equal("rw-s", Mapping(stack).Protection);
            Assert.Equal("rw-s", Mapping(stack + bytes - 1).Protection);
            Assert.Equal("---s", Mapping(stack + bytes).Protection);
            Assert.Contains(" dc ", Mapping(stack).Flags, StringComparison.Ordinal); // MADV_DONTFORK
        }

        Assert.DoesNotContain(" dc ", Mapping(region.Map.Base).Flags, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = region.Stack(Region.StackCount, out _); });
    }

    [Fact]
    public void What_was_made_ready_never_faults()
    {
        using var region = Make([], "x");
        var blocks = new List<(nint At, int Bytes)>();
        for (void* b; (b = region.Pool->Allocate(0, 1 << 20, 0)) != null;) blocks.Add(((nint)b, 1 << 20));
        Assert.InRange(blocks.Count, 16, 32);
        for (var t = 0; t < Region.StackCount; t++) blocks.Add(((nint)region.Stack(t, out var n), (int)n));

        // Once outside the count: compiles this loop, and the runtime has its own faults behind it.
        _ = FaultsOfWritingAll([.. blocks[..1]]);
        Assert.Equal(0, FaultsOfWritingAll([.. blocks]));
        Assert.True(region.PrefaultNext(8 << 20));
        blocks.Clear();
        for (void* b; (b = region.Pool->Allocate(0, 1 << 20, 0)) != null;) blocks.Add(((nint)b, 1 << 20));
        Assert.InRange(blocks.Count, 6, 8);
        Assert.Equal(0, FaultsOfWritingAll([.. blocks]));
    }

    [Fact]
    public void What_it_says_is_locked_is_locked()
    {
        using var region = Make([], "x");
        for (var round = 0; round < 2; round++)
        {
            Assert.True(region.LockedBytes <= region.WantedLockedBytes);
            Assert.Equal(region.LockError == 0, region.LockedBytes == region.WantedLockedBytes);
            Assert.Equal(region.LockedBytes, LockedByKernel());
            while (region.PrefaultNext(5_000_000)) { }
        }

        Assert.True(region.Complete);
        if (region.LockError == 0) Assert.InRange(region.LockedBytes, Bytes - (2 << 20) - (17 * Environment.SystemPageSize), Bytes);
        Assert.Null(region.Pool->Verify());
    }

    [Fact]
    public void Nobody_can_shrink_it_under_the_engine()
    {
        using var region = Make([], "x");
        Assert.Equal(-1, Truncate(region.Fd, 4096));
        Assert.Equal(-1, Truncate(region.Fd, Bytes * 2));
        Assert.Equal(1, Marshal.GetLastSystemError()); // EPERM
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1 << 20)]
    [InlineData(1L << 40)]
    public void A_bad_size_is_one_clear_line(long bytes)
    {
        Assert.Null(Region.Create(bytes, [], "x", out var error));
        Assert.StartsWith($"region: {bytes} bytes asked, expected ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_too_long_is_cut_between_characters()
    {
        using var region = Make([], new string('ä', 40));
        Assert.Equal(new string('ä', 15), Marshal.PtrToStringUTF8((nint)region.Map.Header->Version));
    }

    [Fact]
    public void Regions_come_and_go_without_a_trace()
    {
        List<string> files = [];
        for (var i = 0; i < 5; i++)
        {
            using var region = Make([], "x");
            files.Add(Inode(region.Fd));
            Assert.Contains(files[^1], Mapped());
            Assert.Contains(files[^1], Open());
            region.Dispose(); // twice in all
        }

        // By inode, because other tests make regions beside this one.
        Assert.Empty(files.Intersect(Mapped()));
        Assert.Empty(files.Intersect(Open()));
    }

    private static Region Make(ReadOnlySpan<byte> descriptors, string version)
    {
        var region = Region.Create(Bytes, descriptors, version, out var error, PoolFlags.None);
        Assert.True(region != null, error);
        return region;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static long FaultsOfWritingAll((nint At, int Bytes)[] blocks)
    {
        var before = Faults();
        for (var b = 0; b < blocks.Length; b++)
            for (var i = 0; i < blocks[b].Bytes; i += 4096) ((byte*)blocks[b].At)[i] = 1;
        return Faults() - before;
    }

    private static string Inode(int fd) =>
        File.ReadLines($"/proc/self/fdinfo/{fd}").Single(static l => l.StartsWith("ino:", StringComparison.Ordinal))[4..].Trim();

    // The files of all regions that are open.
    private static HashSet<string> Open()
    {
        var open = new HashSet<string>();
        foreach (var file in Directory.GetFiles("/proc/self/fd"))
        {
            try
            {
                if (File.ResolveLinkTarget(file, false)?.Name.Contains("ssp-region", StringComparison.Ordinal) == true)
                    _ = open.Add(Inode(int.Parse(Path.GetFileName(file), CultureInfo.InvariantCulture)));
            }
            catch (IOException)
            {
                // another test has closed it meanwhile
            }
        }

        return open;
    }

    // The files of all regions that are mapped: start-end, protection, offset, device, inode, path.
    private static HashSet<string> Mapped() => [.. File.ReadLines("/proc/self/maps").Where(static l => l.Contains("ssp-region", StringComparison.Ordinal))
        .Select(static l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4])];

    private static (string Protection, string Flags) MappingIn(string[] smaps, byte* address)
    {
        var found = "";
        foreach (var line in smaps)
        {
            var dash = line.IndexOf('-', StringComparison.Ordinal);
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (dash > 0 && (colon < 0 || dash < colon)
                && ulong.TryParse(line.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var start))
            {
                var end = ulong.Parse(line.AsSpan(dash + 1, line.IndexOf(' ', StringComparison.Ordinal) - dash - 1),
                    NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                found = (ulong)address >= start && (ulong)address < end ? line.Split(' ')[1] : "";
            }
            else if (found.Length > 0 && line.StartsWith("VmFlags:", StringComparison.Ordinal))
            {
                return (found, line[8..] + " ");
            }
        }

        return ("", "");
    }

    private static long LockedByKernel()
    {
        long sum = 0;
        var ours = false;
        foreach (var line in File.ReadLines("/proc/self/smaps"))
        {
            if (line.Contains('-', StringComparison.Ordinal) && line.Contains(" 00:", StringComparison.Ordinal))
                ours = line.Contains("ssp-region", StringComparison.Ordinal);
            else if (line.Length > 0 && char.IsAsciiHexDigitLower(line[0])) ours = false;
            else if (ours && line.StartsWith("Locked:", StringComparison.Ordinal)) sum += 1024 * long.Parse(line[7..^2],
                NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        }

        return sum;
    }

    private static long Faults()
    {
        var usage = stackalloc long[18]; // struct rusage: two timevals, then fourteen longs
        Assert.Equal(0, GetUsage(1, usage)); // RUSAGE_THREAD
        return usage[8] + usage[9];
    }

    [LibraryImport("libc", EntryPoint = "getrusage")]
    private static partial int GetUsage(int who, long* usage);

    [LibraryImport("libc", EntryPoint = "ftruncate")]
    private static partial int Truncate(int fd, long bytes);
}
