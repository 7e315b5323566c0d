// A thread that does not come back from a module is replaced, and nobody else hears of it.
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Tests.Graph;

namespace SspHost.Engine.Tests.Containment;

/// <summary>Traps are static: these tests run one after the other.</summary>
[CollectionDefinition(nameof(ContainmentCollection), DisableParallelization = true)]
public sealed class ContainmentCollection;

[Collection(nameof(ContainmentCollection))]
public sealed unsafe class ContainmentTests
{
    private const int Quanta = 120;

    public static TheoryData<int, int, int> Cases()
    {
        var data = new TheoryData<int, int, int>();
        foreach (var kind in new[] { TrapKind.Spin, TrapKind.Scribble, TrapKind.Sleep, TrapKind.Mutex })
        {
            data.Add((int)kind, 1, 1);
            for (var threads = 2; threads <= 3; threads++)
            {
                data.Add((int)kind, threads, 1);
                data.Add((int)kind, threads, 2);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_module_that_does_not_come_back_falls_silent_and_everything_else_plays_on_bit_by_bit(int kind, int threads, int wanted)
    {
        var mutex = (TrapKind)kind == TrapKind.Mutex;
        if (mutex) _ = Trap.MutexLock(Trap.Mutex);
        var seed = (kind * 100) + (threads * 10) + wanted;
        float[][] played;
        try
        {
            using var rig = new ContainmentRig((TrapKind)kind, 20, threads, seed);
            rig.Start(wanted);
            var first = new List<float[]>();
            while (Volatile.Read(ref Trap.SprungAt) < 0 && first.Count < 4000) first.AddRange(rig.Play(1));
            Assert.True(Trap.SprungAt >= 20, "it springs on the thread it is meant for");
            first.AddRange(rig.Play(Quanta));
            played = [.. first];

            // Named once, in one notice, and nobody else is blamed.
            var notices = rig.Notices();
            var notice = Assert.Single(notices);
            Assert.Equal((NoticeKind.ModuleShed, 3, (long)ShedReason.Stuck), (notice.Kind, notice.Slot, notice.A));
            Assert.InRange(notice.B, 5_000_000, long.MaxValue);
            Assert.Equal(ShedReason.Stuck, rig.Trapped.Shed);
            Assert.Equal(1, rig.Renderer.StuckThreads);
            Assert.Equal(1UL, rig.Playback.Watch->Takeovers);
            Assert.Equal(5, Engine.Threads.ThreadCalls.GetScheduler(Trap.SprungOn) & 0xFFFF); // SCHED_IDLE
            Assert.Equal(ReplyStatus.WrongState, rig.Restore());

            // It comes back: its thread is a standby again, and the module can be had again.
            Volatile.Write(ref Trap.Release, 1);
            if (mutex) _ = Trap.MutexUnlock(Trap.Mutex);
            mutex = false;
            rig.Wait(() => rig.Renderer.StuckThreads == 0, "the stuck thread leaves");
            Assert.Equal(ReplyStatus.Ok, rig.Restore());
            Assert.Equal(ShedReason.None, rig.Trapped.Shed);
            var again = rig.Play(400);
            Assert.Contains(again[^1], v => v != 0);
            Assert.Empty(rig.Notices());
        }
        finally
        {
            if (mutex) _ = Trap.MutexUnlock(Trap.Mutex);
        }

        ContainmentRig.AssertSame(ContainmentRig.Reference(Trap.SprungAt, played.Length, seed), played);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Overload_sheds_the_most_expensive_module_by_name_and_offers_it_back(int threads)
    {
        Trap.SlowNs = 5 * 666_667;
        using var rig = new ContainmentRig(TrapKind.Slow, 50, threads, card: CardKind.Simulated, limitNs: 1_000_000_000);
        rig.Start();
        rig.Wait(() => rig.Trapped.Shed != ShedReason.None, "it is shed");
        var shed = Assert.Single(rig.Notices(), n => n.Kind == NoticeKind.ModuleShed);
        Assert.Equal((3, (ulong)ContainmentRig.TrapKey, (long)ShedReason.Overload), (shed.Slot, shed.Key, shed.A));
        Assert.InRange(shed.B, (long)Trap.SlowNs, long.MaxValue); // what it costs a quantum, in ns
        Assert.Equal(ShedReason.Overload, rig.Trapped.Shed);
        var calls = 0;
        Trap.SlowNs = 0;
        Assert.Equal(ReplyStatus.Ok, rig.Restore());
        Assert.Equal(ShedReason.None, rig.Trapped.Shed);
        Trap.SprungAt = -1;
        rig.Wait(() => Trap.SprungAt >= 0 && ++calls > 0, "it is processed again");
        Assert.Equal(0, rig.Renderer.StuckThreads);
    }
}
