// Counters of the calling thread against things done on purpose.
using SspHost.Abi;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Tests.Probes;

public sealed unsafe class ThreadCountersTests
{
    [Fact]
    public void Touching_fresh_pages_is_counted_page_by_page()
    {
        const int Pages = 64;
        var map = (byte*)Linux.Mmap(null, Pages * 4096, Linux.ProtRead | Linux.ProtWrite, 0x22, -1, 0); // private, anonymous: 256 KiB, too small for huge pages
        _ = ThreadCounters.Read();
        var before = ThreadCounters.Read();
        for (var i = 0; i < Pages; i++) map[i * 4096] = 1;
        var after = ThreadCounters.Read();
        _ = Linux.Munmap(map, Pages * 4096);
        Assert.InRange(after.Faults - before.Faults, 1UL, Pages + 8UL); // fault-around may serve several at once
    }

    [Fact]
    public void A_sleep_is_a_voluntary_switch_and_managed_bytes_are_exact()
    {
        _ = ThreadCounters.Read();
        var before = ThreadCounters.Read();
        Thread.Sleep(5);
        var block = new byte[1000];
        var after = ThreadCounters.Read();
        Assert.True(after.VoluntarySwitches > before.VoluntarySwitches);
        Assert.Equal(1024UL, after.AllocatedBytes - before.AllocatedBytes); // 1000 and header, length, alignment
        GC.KeepAlive(block);
    }

    [Fact]
    public void Reading_them_allocates_nothing()
    {
        _ = ThreadCounters.Read();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) _ = ThreadCounters.Read();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
