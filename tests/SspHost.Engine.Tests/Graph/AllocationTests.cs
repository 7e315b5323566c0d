// The quantum allocates nothing, on any thread, whatever happens in it; nor does the steward's part.
using SspHost.Abi;

namespace SspHost.Engine.Tests.Graph;

[Collection("schedules")]
public sealed unsafe class AllocationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_hundred_thousand_quanta_allocate_no_managed_byte(int threads)
    {
        using var rig = new Rig(16, threads);
        var draft = PatchDraft.Random(new Random(8), 14, 16);
        var tick = draft.Add(TestRegistry.Tick, 4242);
        var faulty = draft.Add(TestRegistry.Faulty, 4343);
        rig.Install(draft.Compile());
        rig.Renderer.Diagnostics = DiagnosticFlags.ModuleTimes;
        long before = 0, collections = 0;
        for (var q = 0; q < 110_000; q++)
        {
            if (q == 10_000)
            {
                collections = GC.CollectionCount(0);
                before = GC.GetAllocatedBytesForCurrentThread();
            }

            if (q % 64 == 0) _ = rig.Map.Events.TryPush(new ModuleEvent { Kind = EventKind.NoteOn, Target = 4242, Slot = (ushort)tick, Value = 1 });
            if (q % 5000 == 0) _ = rig.Map.Events.TryPush(new ModuleEvent { Kind = EventKind.Parameter, Target = 4343, Slot = (ushort)faulty, Value = q / 5000 & 1 });
            _ = rig.Step();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(3ul, rig.Renderer.BadOutputs); // failures, notices and shedding were part of it
        Assert.Equal((ulong)110_000, rig.Renderer.Quanta);
        Assert.InRange(rig.Map.Instances[1].Calls + rig.Map.Instances[1].Slept, 1ul, ulong.MaxValue);
        _ = collections; // other tests of this process may collect; the bytes of this thread are what counts
    }

    [Fact]
    public void Installing_collecting_and_commands_allocate_no_managed_byte()
    {
        using var rig = new Rig(32);
        var blobs = Enumerable.Range(0, 4).Select(i =>
        {
            var d = PatchDraft.Random(new Random(i), 20);
            _ = d.Add(TestRegistry.Keeper, 5000);
            d.Nodes[^1].Slot = 3000;
            for (var n = 0; n < 20; n++) d.Nodes[n].Slot = (i * 100) + n;
            d.Nodes[0].Key = 1_000_000 + (ulong)i;
            return d.Compile();
        }).ToArray();
        var damaged = (byte[])blobs[0].Clone();
        damaged[^9] ^= 0x55;
        damaged[40] ^= 0xFF;
        var state = stackalloc byte[12];
        long before = 0;
        for (var round = 0; round < 60; round++)
        {
            if (round == 20) before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var blob in blobs)
            {
                fixed (byte* p = blob) Check(rig.Renderer.Install((PlanHeader*)p, blob.Length, out _) == ReplyStatus.Ok);
                fixed (byte* p = damaged) Check(rig.Renderer.Install((PlanHeader*)p, damaged.Length, out _) != ReplyStatus.Ok);
                _ = rig.Step();
                Check(rig.Renderer.Collect());
                rig.Renderer.DoWork();
                Check(rig.Renderer.SaveState(3000, 5000, state, 12, out _, out _) == ReplyStatus.Ok);
                Check(rig.Renderer.LoadState(3000, 5000, state, 12, 2) == ReplyStatus.Ok);
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Check(bool ok)
        {
            if (!ok) throw new InvalidOperationException("the steward's part of the test failed");
        }
    }
}
