// Changing the plan while it plays: shared modules keep their state, and the old plan goes when its epoch has passed.
using SspHost.Abi;

namespace SspHost.Engine.Tests.Graph;

[Collection("schedules")]
public sealed unsafe class SwapTests
{
    private static byte[] Counter(ulong serial, int extra, ulong firstKey)
    {
        var draft = new PatchDraft { Serial = serial, Width = 8 };
        var counter = draft.Add(TestRegistry.Faulty, 1);
        _ = draft.Add(TestRegistry.JackOut, 2, new DraftCable(counter, 0));
        for (var i = 0; i < extra; i++)
        {
            var e = draft.Add(TestRegistry.Blend, firstKey + (ulong)i, new DraftCable(counter, 0));
            draft.Nodes[e].Slot = 10 + (int)((firstKey + (ulong)i) % 1000);
        }

        return draft.Compile();
    }

    [Fact]
    public void While_four_threads_play_a_shared_module_never_misses_a_sample_and_what_left_is_freed()
    {
        using var rig = new Rig(32, 4);
        rig.Install(Counter(1, 3, 100));
        var small = rig.Live;
        rig.Renderer.Running = true;
        var stop = false;
        var wrong = 0;
        var audio = new Thread(() =>
        {
            var expected = 0;
            while (!Volatile.Read(ref stop))
            {
                _ = rig.Step();
                foreach (var v in rig.Out(0))
                {
                    if (v != expected++ % 512) wrong++;
                }
            }
        });
        audio.Start();
        Chaos.On = true;
        var random = new Random(5);
        for (ulong serial = 2; serial < 250; serial++)
        {
            rig.Install(Counter(serial, random.Next(12), (ulong)random.Next(100, 900)));
            if (random.Next(3) == 0) continue; // the next one comes before this was taken
            Assert.True(SpinWait.SpinUntil(() => rig.Renderer.PlanSerial == serial, 120_000));
            Assert.True(SpinWait.SpinUntil(rig.Renderer.Collect, 120_000));
        }

        rig.Install(Counter(1000, 3, 100));
        Assert.True(SpinWait.SpinUntil(() => rig.Renderer.PlanSerial == 1000 && rig.Renderer.Collect(), 120_000));
        Volatile.Write(ref stop, true);
        audio.Join();
        Chaos.On = false;
        rig.Renderer.Running = false;
        Assert.Equal(0, wrong);
        Assert.Equal(5, rig.Renderer.InstanceCount);
        Assert.Equal(small, rig.Live);
    }

    [Fact]
    public void An_old_plan_stays_until_the_audio_thread_has_moved_on()
    {
        using var rig = new Rig();
        rig.Install(Counter(1, 2, 100));
        rig.Renderer.Running = true;
        _ = rig.Step();
        rig.Install(Counter(2, 2, 200));
        Assert.False(rig.Renderer.Collect());
        Assert.Equal(InstanceState.Leaving, rig.Map.Instances[110].State);
        Assert.Equal(InstanceState.Active, rig.Map.Instances[0].State);
        Assert.Equal(1ul, rig.Renderer.PlanSerial);
        _ = rig.Step();
        Assert.Equal(2ul, rig.Renderer.PlanSerial);
        Assert.True(rig.Renderer.Collect());
        Assert.Equal(InstanceState.Free, rig.Map.Instances[110].State);
        Assert.Equal(4, rig.Renderer.InstanceCount);
        rig.Renderer.Running = false;
    }

    [Fact]
    public void A_slot_whose_module_is_still_leaving_is_refused_to_another_key()
    {
        using var rig = new Rig();
        rig.Install(Counter(1, 1, 100));
        rig.Renderer.Running = true;
        _ = rig.Step();
        rig.Install(Counter(2, 0, 100));
        var live = rig.Live;
        Assert.Equal(ReplyStatus.BadRequest, rig.TryInstall(Counter(3, 1, 1100), out var error)); // slot 110, another key
        Assert.Equal((BadPart.Slot, 2, 110L), (error.Part, error.Index, error.Value));
        Assert.Equal(live, rig.Live);
        _ = rig.Step(); // the published plan was put back and is taken
        Assert.Equal(2ul, rig.Renderer.PlanSerial);
        rig.Install(Counter(3, 1, 1100));
        rig.Renderer.Running = false;
    }

    [Fact]
    public void A_plan_moves_only_the_parameters_that_the_patch_changed()
    {
        static byte[] Patch(float level, float pole)
        {
            var draft = new PatchDraft();
            _ = draft.Add(TestRegistry.Blend, 1);
            draft.Nodes[0].Parameters = [level, pole, 0];
            return draft.Compile();
        }

        using var rig = new Rig();
        rig.Install(Patch(0.2f, 0.5f));
        var instance = rig.Renderer.Instances[0];
        rig.Send(new ModuleEvent { Kind = EventKind.Parameter, Target = 1, Slot = 0, Index = 0, Value = 0.9f }); // a hand on the first knob
        for (var q = 0; q < 20; q++) _ = rig.Step();
        Assert.Equal(0.9f, instance->Ramps[0].Value);
        rig.Install(Patch(0.2f, 0.7f)); // somebody else turned the second
        for (var q = 0; q < 20; q++) _ = rig.Step();
        Assert.Equal(0.9f, instance->Ramps[0].Value);
        Assert.Equal(0.7f, instance->Ramps[1].Value);
        Assert.Equal(0ul, instance->Ramping);
    }

    [Fact]
    public void Another_rate_or_quantum_drops_the_plan_and_all_modules()
    {
        using var rig = new Rig();
        rig.Install(Counter(1, 3, 100));
        rig.Configure(32, 1);
        Assert.Equal(5, rig.Renderer.InstanceCount);
        rig.Configure(64, 1);
        Assert.Equal(0, rig.Renderer.InstanceCount);
        Assert.Equal(rig.Baseline, rig.Live);
        Assert.Equal(ReplyStatus.BadRequest, rig.TryInstall(Counter(1, 3, 100), out var error));
        Assert.Equal((BadPart.Quantum, 32L), (error.Part, error.Value));
        rig.Renderer.Running = true;
        Assert.Equal(ReplyStatus.WrongState, rig.Renderer.Configure(48_000, 32, 1));
        rig.Renderer.Running = false;
        Assert.Equal(ReplyStatus.BadRequest, rig.Renderer.Configure(8_000, 32, 1));
        Assert.Equal(ReplyStatus.BadRequest, rig.Renderer.Configure(float.NaN, 32, 1));
        Assert.Equal(ReplyStatus.BadRequest, rig.Renderer.Configure(48_000, 33, 1));
        Assert.Equal(ReplyStatus.BadRequest, rig.Renderer.Configure(48_000, 32, 17));
    }
}
