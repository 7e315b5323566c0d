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
            for (var threads = 2; threads <= (kind <= TrapKind.Scribble ? 3 : 2); threads++) // where it spins matters, how it waits does not
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
            first.AddRange(rig.Play(Trap.SprungAt + Quanta - first.Count)); // it renders ahead of us
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

        ContainmentRig.AssertSame(ContainmentRig.Reference(ContainmentRig.Patch(TrapKind.Silence, Trap.SprungAt, seed), played.Length), played);
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

    [Theory]
    [InlineData((int)TrapKind.WriteToNull, 1, 11)]
    [InlineData((int)TrapKind.WriteToSilence, 1, 11)]
    [InlineData((int)TrapKind.DivideByZero, 1, 8)]
    [InlineData((int)TrapKind.WriteToNull, 2, 11)]
    [InlineData((int)TrapKind.WriteToSilence, 3, 11)]
    [InlineData((int)TrapKind.DivideByZero, 2, 8)]
    public void A_module_that_faults_is_held_where_it_stands_and_everything_else_plays_on_bit_by_bit(int kind, int threads, int signal)
    {
        float[][] played;
        using (var rig = new ContainmentRig((TrapKind)kind, 20, threads, kind, limitNs: 60_000_000_000)) // no time has to pass
        {
            rig.Start();
            played = rig.Play(Quanta);
            var notice = Assert.Single(rig.Notices());
            Assert.Equal((NoticeKind.ModuleShed, 3, (long)ShedReason.Fault, (long)signal), (notice.Kind, notice.Slot, notice.A, notice.B));
            Assert.Equal(ShedReason.Fault, rig.Trapped.Shed);
            Assert.Equal(1, rig.Renderer.StuckThreads);
            Assert.Equal(ReplyStatus.WrongState, rig.Restore()); // for good
            var fault = Enumerable.Range(0, Engine.Threads.Watchdog.Threads).Select(t => (nint)(rig.Playback.Threads + t)).Single(t => ((Engine.Threads.RtThread*)t)->Fault != 0);
            if (kind == (int)TrapKind.WriteToSilence) Assert.Equal((ulong)rig.Renderer.State->Silence, ((Engine.Threads.RtThread*)fault)->FaultAddress);
        }

        Assert.Equal(20, Trap.SprungAt);
        ContainmentRig.AssertSame(ContainmentRig.Reference(ContainmentRig.Patch(TrapKind.Silence, 20, kind), played.Length), played);
    }

    [Fact]
    public void Whatever_gets_stuck_at_whatever_time_in_whatever_patch_the_others_play_on_bit_by_bit()
    {
        for (var seed = 1; seed <= 16; seed++)
        {
            var expected = ContainmentRig.Reference(ContainmentRig.Traps(seed, silent: true), 60);
            float[][] played;
            using (var rig = new ContainmentRig(ContainmentRig.Traps(seed, silent: false), 1 + (seed % 3), limitNs: 3_000_000))
            {
                rig.Start();
                played = rig.Play(60);
                Assert.InRange(rig.Renderer.StuckThreads, 1, 4);
                Assert.Equal(rig.Renderer.StuckThreads, rig.Notices().Count);
            }

            for (var q = 0; q < 60; q++)
                Assert.True(expected[q].AsSpan().SequenceEqual(played[q]), $"seed {seed}, quantum {q}");
        }
    }

    [Fact]
    public void What_a_stuck_thread_is_in_is_kept_when_the_patch_goes_and_given_back_when_the_thread_leaves()
    {
        using var rig = new ContainmentRig(TrapKind.Spin, 10, 2);
        rig.Start();
        _ = rig.Play(60);
        Assert.Equal(1, rig.Renderer.StuckThreads);
        var other = new PatchDraft { Quantum = ContainmentRig.Quantum, Serial = 2 };
        for (var i = 0; i < 3; i++) other.Nodes[other.Add(TestRegistry.Blend, (ulong)(500 + i))].Slot = 100 + i;
        rig.Install(other);
        _ = rig.Play(300);
        rig.Wait(() => rig.Renderer.InstanceCount == 4, "all others of the old patch are gone");
        Assert.Equal(InstanceState.Leaving, rig.Trapped.State);
        Assert.True(rig.Renderer.Collect(), "and the steward has nothing to wait for");
        var kept = rig.Live;

        Volatile.Write(ref Trap.Release, 1);
        rig.Wait(() => rig.Renderer.StuckThreads == 0, "the stuck thread leaves");
        rig.Wait(() => rig.Renderer.InstanceCount == 3, "the module goes with it");
        Assert.Equal(InstanceState.Free, rig.Trapped.State);
        Assert.True(rig.Live < kept);
        _ = rig.Play(300);
    }

    [Theory]
    [InlineData(ContainmentRig.Rate, 2 * ContainmentRig.Quantum)]
    [InlineData(44_100, ContainmentRig.Quantum)]
    public void A_module_that_is_stuck_when_the_rate_or_the_quantum_changes_is_made_anew_for_it_and_the_old_one_goes_with_its_thread(int rate, int quantum)
    {
        using var rig = new ContainmentRig(TrapKind.Spin, 10, 2);
        rig.Start();
        _ = rig.Play(60);
        rig.Stop();
        Assert.Equal(1, rig.Renderer.StuckThreads);
        var stuck = rig.Renderer.Instances[3];
        Assert.Equal(ReplyStatus.Ok, rig.Renderer.Configure(rate, quantum, 2));
        Assert.Equal(InstanceState.Free, rig.Trapped.State);
        var draft = ContainmentRig.Patch(TrapKind.Silence, 1 << 20, 1);
        draft.Quantum = quantum;
        rig.Install(draft);
        var anew = rig.Renderer.Instances[3];
        Assert.True(anew != stuck && anew->Ghost == 0 && anew->Shed == 0);

        Volatile.Write(ref Trap.Release, 1);
        rig.Wait(() => rig.Renderer.StuckThreads == 0, "the stuck thread leaves");
        Assert.True(rig.Renderer.Instances[3] == anew);
        Assert.Equal(InstanceState.Active, rig.Trapped.State);
        rig.Wait(() => rig.Renderer.InstanceCount == draft.Nodes.Count, "what it was in goes with it");
    }

    [Fact]
    public void A_new_plan_that_still_has_the_stuck_module_keeps_it_silent_and_bypass_and_back_brings_it_back_only_after_its_thread_has_left()
    {
        const int Seed = 5;
        using var rig = new ContainmentRig(TrapKind.Spin, 10, 2, Seed);
        rig.Start();
        _ = rig.Play(60);
        var bypassed = ContainmentRig.Patch(TrapKind.Spin, 10, Seed);
        bypassed.Nodes[3].Bypassed = true;
        foreach (var haunted in new[] { true, false })
        {
            rig.Install(bypassed);
            _ = rig.Play(300);
            rig.Install(ContainmentRig.Patch(TrapKind.Spin, 10, Seed));
            _ = rig.Play(300);
            Assert.Equal(haunted ? ShedReason.Stuck : ShedReason.None, rig.Trapped.Shed);
            if (!haunted) break;
            Volatile.Write(ref Trap.Release, 1);
            rig.Wait(() => rig.Renderer.StuckThreads == 0, "the stuck thread leaves");
        }
    }

    [Fact]
    public void A_module_stuck_in_a_command_of_the_steward_costs_that_command_and_nothing_else()
    {
        _ = Trap.MutexLock(Trap.Mutex);
        using (var rig = new ContainmentRig(TrapKind.Mutex, 1 << 20, 2))
        {
            rig.Start();
            _ = rig.Play(50);
            var state = (byte*)rig.Pool->Allocate(0, 64, 0);
            Assert.Equal(ReplyStatus.TimedOut, rig.Ask(() => rig.Renderer.SaveState(3, ContainmentRig.TrapKey, state, 64, out _, out _)));
            var notice = Assert.Single(rig.Notices());
            Assert.Equal((NoticeKind.ModuleShed, 3, (long)ShedReason.Stuck), (notice.Kind, notice.Slot, notice.A));
            Assert.True(rig.Renderer.Uses(state));
            _ = rig.Play(400);

            // Other modules can be asked at once; this one cannot.
            Assert.Equal(ReplyStatus.Ok, rig.Ask(() => rig.Renderer.SaveState(0, 1, state, 64, out _, out _)));
            Assert.Equal(ReplyStatus.WrongState, rig.Renderer.LoadState(3, ContainmentRig.TrapKey, state, 4, 1));

            _ = Trap.MutexUnlock(Trap.Mutex);
            rig.Wait(() => rig.Renderer.StuckThreads == 0, "the stuck thread leaves");
            Assert.False(rig.Renderer.Uses(state));
            Assert.Equal(42, *state); // written late, into what was kept for it
            Assert.Equal(ReplyStatus.Ok, rig.Restore());
            rig.Pool->Free(0, state);
        }
    }

    [Fact]
    public void An_asset_that_a_stuck_module_was_handed_belongs_to_the_engine_and_the_old_one_goes_when_its_thread_has_left()
    {
        using var rig = new ContainmentRig(TrapKind.Mutex, 1 << 20, 1);
        rig.Start();
        var bytes = sizeof(Asset) + 1024;
        Asset* Make()
        {
            var asset = (Asset*)rig.Pool->Allocate(0, bytes, 0);
            new Span<byte>(asset, bytes).Clear();
            (asset->DataOffset, asset->Channels, asset->Frames, asset->Stride, asset->Rate) = ((sizeof(Asset) + 63) & ~63, 1, 16, 16, 48_000);
            return asset;
        }

        var first = Make();
        Assert.Equal(ReplyStatus.Ok, rig.Ask(() => rig.Renderer.SetAsset(3, ContainmentRig.TrapKey, 0, first, bytes, out _))); // the mutex is free: nothing is held
        _ = Trap.MutexLock(Trap.Mutex);
        var second = Make();
        Assert.Equal(ReplyStatus.Ok, rig.Restore());
        rig.Renderer.Instances[3]->Unsound = 0;
        ((int*)rig.Renderer.Instances[3]->Self)[3] = 0; // armed again
        var taken = false;
        Assert.Equal(ReplyStatus.TimedOut, rig.Ask(() => rig.Renderer.SetAsset(3, ContainmentRig.TrapKey, 0, second, bytes, out taken)));
        Assert.True(taken);
        Assert.True(rig.Renderer.Instances[3]->Assets[0] == second);
        _ = Trap.MutexUnlock(Trap.Mutex);
        rig.Wait(() => rig.Renderer.StuckThreads == 0, "the stuck thread leaves"); // what is left over shows when the rig goes
    }

    [Fact]
    public void When_no_thread_is_left_to_take_the_place_the_engine_gives_up()
    {
        var draft = new PatchDraft { Quantum = ContainmentRig.Quantum };
        for (var i = 0; i < 6; i++)
        {
            var node = draft.Nodes[draft.Add(TestRegistry.Trap)];
            node.Settings = [(int)TrapKind.Spin, 5];
            if (i > 0) node.Inputs[0].Add(new DraftCable(i - 1, 0));
        }

        Volatile.Write(ref s_gaveUp, 0);
        using var rig = new ContainmentRig(draft, 1, limitNs: 3_000_000);
        rig.Playback.Watch->GiveUp = &GiveUp;
        rig.Start();
        rig.Wait(() => Volatile.Read(ref s_gaveUp) > 0, "it gives up");
        Assert.Equal(4UL, rig.Playback.Watch->Takeovers);
        Assert.Equal(4, rig.Renderer.StuckThreads);
        Assert.Equal(5, rig.Map.Threads[0].Current); // who took the engine down, for whoever asks afterwards
        Volatile.Write(ref Trap.Release, 1);
        _ = rig.Play(20);
    }

    private static int s_gaveUp;

    private static void GiveUp() => Interlocked.Increment(ref s_gaveUp);

    [Fact]
    public void A_thread_that_others_keep_from_its_core_is_not_stuck_however_long_that_takes()
    {
        const ulong Hogged = 80_000_000;
        if (!Engine.Threads.Privileges.Probe(90).CanFifo || Environment.ProcessorCount < 2) return; // nobody can be kept from anything
        Trap.SlowNs = 3_000_000;
        using var rig = new ContainmentRig(TrapKind.Slow, 50, 1, card: CardKind.Simulated, limitNs: 10_000_000);
        rig.Start(audioCore: 1);
        var inside = 0;
        var hog = new Thread(() =>
        {
            var core = default(Engine.Threads.ThreadCalls.CoreSet);
            core.Add(1);
            var priority = 85;
            Assert.Equal(0, Engine.Threads.ThreadCalls.SetAffinity(0, (nuint)sizeof(Engine.Threads.ThreadCalls.CoreSet), &core));
            Assert.Equal(0, Engine.Threads.ThreadCalls.SetScheduler(0, Engine.Threads.ThreadCalls.SchedFifo, &priority));
            while (Volatile.Read(ref Trap.SprungAt) < 0) Thread.Sleep(1);
            for (var tries = 0; tries < 200 && inside == 0; tries++)
            {
                Thread.Sleep(1);
                var before = Volatile.Read(ref rig.Map.Threads->Current);
                for (var until = Linux.Now() + Hogged; Linux.Now() < until;) { }
                if (before == 4 && Volatile.Read(ref rig.Map.Threads->Current) == 4) inside++;
            }
        });
        hog.Start();
        hog.Join();
        Trap.SlowNs = 0;
        Assert.True(inside > 0, "it was kept from its core while inside the module");
        Assert.Equal(0UL, rig.Playback.Watch->Takeovers);
        Assert.DoesNotContain(rig.Notices(), n => n.Kind == NoticeKind.ModuleShed && n.A == (long)ShedReason.Stuck);
    }

    [Theory]
    [InlineData((int)TrapKind.Spin, 1)]
    [InlineData((int)TrapKind.Sleep, 1)]
    [InlineData((int)TrapKind.Spin, 2)]
    [InlineData((int)TrapKind.WriteToNull, 2)]
    public void On_a_card_that_keeps_time_it_plays_on_with_the_priority_and_the_core_of_the_seat(int kind, int threads)
    {
        using var rig = new ContainmentRig((TrapKind)kind, 200, threads, card: CardKind.Simulated, limitNs: 0);
        rig.Start();
        rig.Wait(() => rig.Playback.Watch->Takeovers == 1, "its place is taken");
        var quanta = rig.Renderer.Quanta;
        rig.Wait(() => rig.Renderer.Quanta > quanta + 300, "it plays on");
        Assert.Single(rig.Notices(), n => n.Kind == NoticeKind.ModuleShed);
        var fifo = Engine.Threads.Privileges.Probe(90).CanFifo;
        for (var t = 0; t < threads; t++)
        {
            var record = rig.Map.Threads[t];
            Assert.NotEqual(Trap.SprungOn, record.Tid);
            Assert.Equal((fifo ? 1 : 0, fifo ? (t == 0 ? 80 : 79) : 0), (record.Policy, record.Priority));
            Assert.Equal((1, t % Environment.ProcessorCount), (record.FlushToZero, record.Core));
        }
    }
}
