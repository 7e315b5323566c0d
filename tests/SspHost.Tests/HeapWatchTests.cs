// malloc on RT threads as the control process tells it: who, once, in words, and with the figure.
using SspHost.Abi;
using SspHost.Diagnostics;

namespace SspHost.Tests;

public sealed unsafe class HeapWatchTests
{
    [Fact]
    public void A_module_that_calls_malloc_is_named_once_and_another_one_is_named_too()
    {
        using var engine = new FakeEngine();
        var watch = new HeapWatch();
        Assert.Empty(watch.Look(engine.Map));
        Count(engine, slot: 3, key: 33, calls: 5);
        var notice = Assert.Single(watch.Look(engine.Map));
        Assert.Equal((NoticeKind.HeapCalls, 3, 33UL, 5L), (notice.Kind, notice.Slot, notice.Key, notice.A));
        Count(engine, slot: 3, key: 33, calls: 500);
        Count(engine, slot: Limits.MaxInstances - 1, key: 44, calls: 1);
        Assert.Equal([44UL], watch.Look(engine.Map).Select(n => n.Key));
        Count(engine, slot: 3, key: 35, calls: 2); // another module in the same place
        Assert.Equal([35UL], watch.Look(engine.Map).Select(n => n.Key));
        Assert.Empty(watch.Look(engine.Map));

        var told = new IncidentLog().Add(in notice, "fuzz");
        Assert.Equal(("heapCalls", "fuzz", 5L), (told.Kind, told.Module, told.Figures["calls"]));
        Assert.StartsWith("'fuzz': called malloc on a real-time thread, 5 times so far", told.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_no_module_is_blamed_for_is_the_engines()
    {
        using var engine = new FakeEngine();
        var watch = new HeapWatch();
        engine.Map.StewardStatus->Write(new StewardStatus { HeapCalls = 7 });
        var notice = Assert.Single(watch.Look(engine.Map));
        Assert.Empty(watch.Look(engine.Map));
        var told = new IncidentLog().Add(in notice, module: null);
        Assert.Null(told.Module);
        Assert.Equal("malloc was called on a real-time thread outside of any module, 7 times so far: a defect of the engine", told.Text);
    }

    [Fact]
    public void A_slot_that_is_free_is_nobodys()
    {
        using var engine = new FakeEngine();
        (engine.Map.Instances + 9)->HeapCalls = 4; // left over: the record is being cleared
        Assert.Empty(new HeapWatch().Look(engine.Map));
    }

    private static void Count(FakeEngine engine, int slot, ulong key, ulong calls)
    {
        var record = engine.Map.Instances + slot;
        (record->Key, record->HeapCalls, record->State) = (key, calls, InstanceState.Active);
    }
}
