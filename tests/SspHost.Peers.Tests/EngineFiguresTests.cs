// The engine's own benchmarks are read as they print.
using SspHost.Peers.Benches;

namespace SspHost.Peers.Tests;

public sealed class EngineFiguresTests
{
    internal const string WakeJson = """
        {"bench":"wake","seconds":1,"interval_us":667,"late_us":[
          {"thread":"FIFO 80","p50":45.98,"p99":139.01,"p999":972.21,"max":4635.5,"later_than_us":{"10":1499}},
          {"thread":"ordinary priority","p50":97.08,"p99":6151.4,"p999":30157.42,"max":30271.4,"later_than_us":{"10":1499}}]}
        """;

    internal const string MemoryJson = """
        {"bench":"memory","ops":20000,"live":8192,"results":[
          {"allocator":"pool","alloc_ns":{"p50":20,"p99":60.1,"p99_9":130.4,"p99_99":411,"max":57346.5},"free_ns":{"p50":40.1,"p99":350.9,"p99_9":541,"p99_99":2003.7,"max":58969.5},"clock":"rdtscp"},
          {"allocator":"glibc malloc","alloc_ns":{"p50":30,"p99":61,"p99_9":131,"p99_99":412,"max":1},"free_ns":{"p50":41,"p99":351,"p99_9":542,"p99_99":2004,"max":1},"clock":"rdtscp"}],
          "missing":["jemalloc: libjemalloc.so.2 is not installed (Debian: apt-get install libjemalloc2)"]}
        """;

    internal const string KernelsJson = """
        {"bench":"modules","modules":[],"peers":[
          {"case":"saw, pitch modulated","voices":4,"peer":"Faust, x86-64-v3, os.sawN(4)","ours_ns_per_frame":44.243,"theirs_ns_per_frame":52.805,"ratio":0.838},
          {"case":"ladder","voices":1,"peer":"SuperCollider MoogFF","ours_ns_per_frame":109.1,"theirs_ns_per_frame":15,"ratio":7.3,"our_alias_db":101.2,"their_alias_db":130}]}
        """;

    internal const string WideJson = """
        {"bench":"graph","cores":2,"threads_over_processes":[{"patch":"16 voices of 6 modules","threads":2,"median":0.931,"low":0.9,"high":0.95,"quantum_ns":100,"fifo":true}]}
        """;

    [Fact]
    public void Wake_ups_are_those_of_the_real_time_thread()
    {
        Assert.Equal((new Lateness(45.98, 139.01, 972.21), (Lateness?)null), EngineFigures.Wake(WakeJson));
        var both = WakeJson.Replace("ordinary priority", "cyclictest", StringComparison.Ordinal);
        Assert.Equal(new Lateness(97.08, 6151.4, 30157.42), EngineFigures.Wake(both).Cyclictest);
        Assert.Contains("SCHED_FIFO is refused", Assert.Throws<PeerException>(() => EngineFigures.Wake(WakeJson.Replace("FIFO 80", "FIFO 80 refused, ordinary priority", StringComparison.Ordinal))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_allocator_that_is_not_there_is_named()
    {
        var (found, missing) = EngineFigures.Memory(MemoryJson);
        Assert.Equal(2003.7, found["pool"]["free.p99.99"]);
        Assert.Equal(30, found["glibc malloc"]["alloc.p50"]);
        Assert.Equal(["jemalloc: libjemalloc.so.2 is not installed (Debian: apt-get install libjemalloc2)"], missing);
        _ = Assert.Throws<PeerException>(() => EngineFigures.Memory(MemoryJson.Replace("\"pool\"", "\"pond\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void Kernels_come_with_aliases_where_there_are_any()
    {
        Assert.Equal(
            [new Kernel("saw, pitch modulated", 4, "Faust, x86-64-v3, os.sawN(4)", 44.243, 52.805, null, null), new Kernel("ladder", 1, "SuperCollider MoogFF", 109.1, 15, 101.2, 130)],
            EngineFigures.Kernels(KernelsJson));
    }

    [Fact]
    public void One_core_has_no_wide_patch()
    {
        Assert.Equal([("16 voices of 6 modules, 2 threads", 0.931)], EngineFigures.Wide(WideJson));
        Assert.Equal(
            [("16 voices of 6 modules, 4 threads", 0.95)],
            EngineFigures.Wide("""{"bench":"graph","threads_over_processes":[{"patch":"16 voices of 6 modules","threads":4,"fifo":true,"median":0.95,"low":0.9,"high":1,"quantum_ns":9}]}"""));
        Assert.Empty(EngineFigures.Wide("""{"bench":"graph","cores":1}"""));
    }

    [Fact]
    public void An_event_has_its_clock_with_it() =>
        Assert.Equal(20.94, EngineFigures.Event("""{"bench":"diagnostics","one_of_each_ns":{"clock":11.72,"histogram":4.91,"event":9.22}}"""), 6);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"late_us":3}""")]
    [InlineData("""{"late_us":[{"thread":"FIFO 80","p50":"x"}]}""")]
    public void Anything_else_is_no_figure(string json)
    {
        _ = Assert.Throws<PeerException>(() => EngineFigures.Wake(json));
        _ = Assert.Throws<PeerException>(() => EngineFigures.Memory(json));
        _ = Assert.Throws<PeerException>(() => EngineFigures.Event(json));
    }
}
