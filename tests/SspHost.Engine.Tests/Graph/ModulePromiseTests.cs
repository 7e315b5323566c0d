// What the engine promises a module and its listener: the contract's edges, one by one.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Tests.Graph;

public sealed unsafe class ModulePromiseTests
{
    private static byte[] Single(int module, Action<DraftNode>? change = null, int quantum = 32)
    {
        var draft = new PatchDraft { Quantum = quantum };
        var m = draft.Add(module, 0x1_0000_0007);
        change?.Invoke(draft.Nodes[m]);
        _ = draft.Add(TestRegistry.JackOut, 2, new DraftCable(m, 0));
        return draft.Compile();
    }

    [Theory]
    [InlineData(1)] // NaN
    [InlineData(2)] // infinity
    [InlineData(3)] // 1e6 V
    [InlineData(4)] // just above 1000 V
    [InlineData(5)] // says so itself
    public void A_bad_output_is_silenced_counted_told_and_reset_and_the_third_in_a_second_sheds(int fault)
    {
        using var rig = new Rig();
        rig.Install(Single(TestRegistry.Faulty));
        _ = rig.Step();
        Assert.Equal(31, rig.Out(0)[31]);
        void Set(float value) => rig.Send(new ModuleEvent { Kind = EventKind.Parameter, Target = 7, Slot = 0, Index = 0, Value = value });
        for (var n = 1; n <= 3; n++)
        {
            Set(fault); // a stepped parameter: heard from the next quantum on
            _ = rig.Step();
            Assert.NotEqual(0, rig.Out(0)[31]);
            Set(0);
            _ = rig.Step(); // the fault
            foreach (var v in rig.Out(0)) Assert.Equal(0, v);
            var notices = rig.Notices();
            Assert.Equal(n == 3 ? 2 : 1, notices.Count);
            Assert.Equal((NoticeKind.BadOutput, 0, 0x1_0000_0007ul, fault == 5 ? -1L : 1L), (notices[0].Kind, notices[0].Slot, notices[0].Key, notices[0].A));
            if (n == 3) Assert.Equal(NoticeKind.ModuleShed, notices[1].Kind);
            Assert.Equal((ulong)n, rig.Renderer.BadOutputs);
            Assert.Equal((ulong)n, rig.Map.Instances[0].BadOutputs);
            _ = rig.Step();
            Assert.Equal(n < 3, rig.Out(0)[31] != 0);
            if (n < 3) Assert.Equal(n, rig.Telemetry(0, 0)); // resets
        }

        for (var q = 0; q < 2000; q++) _ = rig.Step();
        Assert.Equal(0, rig.Out(0)[31]); // it stays off ...
        rig.Install(Single(TestRegistry.Faulty, n => n.Bypassed = true));
        _ = rig.Step();
        rig.Install(Single(TestRegistry.Faulty));
        _ = rig.Step();
        Assert.NotEqual(0, rig.Out(0)[31]); // ... until it is bypassed and back
        Assert.Empty(rig.Notices());
    }

    [Fact]
    public void An_output_that_nobody_reads_may_be_left_unwritten_and_is_silence_to_all_who_look_at_it()
    {
        using var rig = new Rig();
        rig.Install(Single(TestRegistry.Leaver));
        var aims = new[] { SignalTap.AimAt(0, 0x1_0000_0007, 0), SignalTap.AimAt(0, 0x1_0000_0007, 1) };
        for (var port = 0; port < 2; port++) rig.Map.Taps[port].Aim = aims[port];
        for (var q = 0; q < 100; q++)
        {
            _ = rig.Step();
            Assert.Equal(3, rig.Out(0)[31]); // what is read was filled, whatever was said of it
        }

        Assert.Equal(0ul, rig.Renderer.BadOutputs);
        var levels = new float[2];
        OutputLevels.Read((OutputLevels*)rig.Map.At(rig.Map.Instances[0].Levels), rig.Renderer.Window, levels);
        Assert.Equal([3f, 0f], levels);
        var seen = new float[3200];
        for (var port = 0; port < 2; port++)
        {
            Assert.Equal(3200, rig.Map.Taps[port].Read(aims[port], seen));
            Assert.All(seen, v => Assert.Equal(levels[port], v));
        }
    }

    [Fact]
    public void An_output_that_is_read_is_proven_whatever_its_module_says_of_it()
    {
        using var rig = new Rig();
        rig.Install(Single(TestRegistry.Leaver));
        rig.Send(new ModuleEvent { Kind = EventKind.Parameter, Target = 7, Value = 0 });
        for (var q = 0; q < 3; q++) _ = rig.Step();
        Assert.NotEqual(0ul, rig.Renderer.BadOutputs);
        foreach (var v in rig.Out(0)) Assert.Equal(0, v);
    }

    [Fact]
    public void What_a_module_left_unwritten_is_not_heard_while_it_is_bypassed_and_back()
    {
        using var rig = new Rig();
        var draft = new PatchDraft();
        var m = draft.Add(TestRegistry.Leaver, 7, new DraftCable(0, 0, Jack: 0));
        draft.Nodes[m].Inputs[1].Add(new DraftCable(0, 0, Jack: 1));
        var aim = SignalTap.AimAt(0, 7, 1);
        rig.Map.Taps[0].Aim = aim;
        var (seen, last) = (new float[32], 0f);
        foreach (var bypassed in new[] { false, true, false })
        {
            draft.Nodes[m].Bypassed = bypassed;
            rig.Install(draft.Compile());
            for (var q = 0; q < 500; q++)
            {
                rig.In(1).Fill(0.5f);
                _ = rig.Step();
                Assert.Equal(32, rig.Map.Taps[0].Read(aim, seen));
                foreach (var v in seen)
                {
                    Assert.InRange(v - last, bypassed ? 0f : -0.01f, bypassed ? 0.01f : 0f); // what is passed on fades in, and out again
                    last = v;
                }
            }

            Assert.Equal(bypassed ? 0.5f : 0f, last);
        }

        Assert.Equal(0ul, rig.Renderer.BadOutputs);
    }

    [Fact]
    public void Failures_more_than_a_second_apart_never_shed()
    {
        using var rig = new Rig();
        rig.Install(Single(TestRegistry.Faulty));
        for (var n = 0; n < 8; n++)
        {
            rig.Send(new ModuleEvent { Kind = EventKind.Parameter, Target = 7, Value = 1 });
            _ = rig.Step();
            rig.Send(new ModuleEvent { Kind = EventKind.Parameter, Target = 7, Value = 0 });
            for (var q = 0; q < 760; q++) _ = rig.Step(); // 0.507 s: two, but never three within a second
            Assert.NotEqual(0, rig.Out(0)[31]);
        }

        Assert.Equal(8ul, rig.Renderer.BadOutputs);
    }

    [Fact]
    public void Exactly_1000_volts_are_heard()
    {
        Assert.Equal(Limits.MaxVolts, BitConverter.Int32BitsToSingle(Lanes.MaxMagnitude));
        Span<float> samples = stackalloc float[32];
        fixed (float* p = samples)
        {
            Assert.Equal(0, Lanes.Magnitude(p, 32));
            for (var i = 0; i < 32; i++)
            {
                foreach (var (value, bad) in new[] { (1000f, false), (-1000f, false), (1000.0001f, true), (-1000.0001f, true), (float.NaN, true), (-float.NaN, true), (float.NegativeInfinity, true), (1e-45f, false) })
                {
                    samples.Fill(-0f);
                    Assert.Equal(0, Lanes.Magnitude(p, 32));
                    samples[i] = value;
                    Assert.NotEqual(0, Lanes.Magnitude(p, 32));
                    Assert.Equal(bad, Lanes.Magnitude(p, 32) > Lanes.MaxMagnitude);
                }
            }
        }
    }

    [Fact]
    public void A_sleeping_module_is_called_again_only_for_sound_a_move_or_an_event()
    {
        var draft = new PatchDraft();
        var input = draft.Add(TestRegistry.JackIn, 1);
        draft.Nodes[input].Inputs[0].Add(new DraftCable(0, 0, Jack: 0));
        var gate = draft.Add(TestRegistry.Sleeper, 2, new DraftCable(input, 0));
        var sleeper = draft.Add(TestRegistry.Sleeper, 3, new DraftCable(gate, 0));
        _ = draft.Add(TestRegistry.JackOut, 4, new DraftCable(sleeper, 0));
        using var rig = new Rig();
        rig.Install(draft.Compile());
        float Calls() => rig.Telemetry(sleeper, 0);
        for (var q = 0; q < 100; q++) _ = rig.Step();
        Assert.Equal(1, Calls());
        Assert.Equal(99ul, rig.Map.Instances[sleeper].Slept);

        rig.In(0)[31] = 0.25f;
        _ = rig.Step();
        Assert.Equal(0.25f, rig.Out(0)[31]);
        rig.In(0).Clear();
        for (var q = 0; q < 100; q++) _ = rig.Step();
        Assert.Equal(3, Calls()); // with the sound, and once to fall asleep

        rig.Send(new ModuleEvent { Kind = EventKind.NoteOn, Target = 3, Slot = (ushort)sleeper, Value = 1 });
        for (var q = 0; q < 100; q++) _ = rig.Step();
        Assert.Equal(4, Calls());
        rig.Send(new ModuleEvent { Kind = EventKind.Clock, Target = 0 });
        for (var q = 0; q < 100; q++) _ = rig.Step();
        Assert.Equal(5, Calls());

        rig.Send(new ModuleEvent { Kind = EventKind.Parameter, Target = 3, Slot = (ushort)sleeper, Index = 0, Value = 1 });
        for (var q = 0; q < 100; q++) _ = rig.Step();
        Assert.Equal(5 + 15, Calls()); // 30 grid points of two a quantum
    }

    [Fact]
    public void Events_come_at_their_frame_in_order_of_time_and_of_arrival()
    {
        using var rig = new Rig();
        rig.Install(Single(TestRegistry.Tick));
        void Note(ulong frame, float value) => rig.Send(new ModuleEvent { Kind = EventKind.NoteOn, Frame = frame, Target = 7, Value = value });
        for (var q = 0; q < 10; q++) _ = rig.Step(); // now at frame 320
        Note(400, 1); // in the third quantum from here
        Note(325, 2);
        Note(0, 3); // at once
        Note(17, 4); // late: at once, too
        Note(351, 5);
        Note(352, 6); // first of the next quantum
        var heard = new Dictionary<ulong, float>();
        for (var q = 0; q < 5; q++)
        {
            var start = rig.Frame;
            _ = rig.Step();
            for (var i = 0; i < 32; i++)
            {
                if (rig.Out(0)[i] != 0) heard[start + (ulong)i] = rig.Out(0)[i];
            }
        }

        Assert.Equal(new Dictionary<ulong, float> { [320] = 7, [325] = 2, [351] = 5, [352] = 6, [400] = 1 }, heard);
        Assert.Equal(0ul, rig.Renderer.DroppedEvents);
    }

    [Fact]
    public void More_events_than_a_quantum_carries_wait_for_the_next_and_none_is_lost()
    {
        using var rig = new Rig();
        rig.Install(Single(TestRegistry.Tick));
        for (var i = 0; i < 700; i++) rig.Send(new ModuleEvent { Kind = EventKind.NoteOn, Target = 7, Value = 1 });
        float[] sums = new float[4];
        for (var q = 0; q < 4; q++)
        {
            _ = rig.Step();
            sums[q] = rig.Out(0)[0];
        }

        Assert.Equal([256f, 256f, 188f, 0f], sums);
    }

    [Fact]
    public void What_is_played_now_does_not_wait_behind_what_was_sent_far_ahead()
    {
        using var rig = new Rig();
        rig.Install(Single(TestRegistry.Tick));
        for (var i = 0; i < 300; i++) rig.Send(new ModuleEvent { Kind = EventKind.NoteOn, Frame = 1600 + (ulong)i, Target = 7, Value = 1 });
        _ = rig.Step();
        for (var i = 0; i < 300; i++) rig.Send(new ModuleEvent { Kind = EventKind.NoteOn, Target = 7, Value = 1 });
        float[] sums = new float[3];
        for (var q = 0; q < 3; q++)
        {
            _ = rig.Step();
            sums[q] = rig.Out(0)[0];
        }

        Assert.Equal([212f, 88f, 0f], sums); // 256 a quantum are taken, the first 44 of which are the rest of those far ahead
        Assert.Equal(44ul + 212, rig.Renderer.DroppedEvents); // they find no room, and 212 give way
    }

    [Fact]
    public void An_event_for_nobody_is_counted()
    {
        using var rig = new Rig();
        rig.Install(Single(TestRegistry.Blend, n => n.Follow = 1));
        ModuleEvent[] strays =
        [
            new() { Kind = EventKind.NoteOn, Target = 7, Slot = 0 }, // hears no events
            new() { Kind = EventKind.NoteOn, Target = 8, Slot = 0 }, // another key
            new() { Kind = EventKind.NoteOn, Target = 7, Slot = 4095 },
            new() { Kind = EventKind.NoteOn, Target = 7, Slot = ushort.MaxValue },
            new() { Kind = EventKind.Parameter, Target = 7, Index = 3 },
            new() { Kind = EventKind.Parameter, Target = 7, Index = -1 },
            new() { Kind = EventKind.Parameter, Target = 7, Value = float.NaN },
            new() { Kind = EventKind.Parameter, Target = 0 },
            new() { Kind = EventKind.NoteOn, Target = 7, Frame = ulong.MaxValue },
        ];
        foreach (var e in strays) rig.Send(e);
        _ = rig.Step();
        Assert.Equal((ulong)strays.Length, rig.Renderer.DroppedEvents);
        Assert.Equal(0ul, rig.Renderer.Instances[0]->Ramping);
    }

    private static List<float[]> GridValues(int quantum, (ulong Frame, int Index, float Value)[] moves, int frames)
    {
        using var rig = new Rig(quantum);
        rig.Install(Single(TestRegistry.Blend, n => n.Follow = 1, quantum));
        foreach (var (frame, index, value) in moves) rig.Send(new ModuleEvent { Kind = EventKind.Parameter, Frame = frame, Target = 7, Index = index, Value = value });
        var values = new List<float[]>();
        var instance = rig.Renderer.Instances[0];
        while (rig.Frame < (ulong)frames)
        {
            _ = rig.Step();
            for (var g = 0; g < quantum / 16; g++)
            {
                values.Add([instance->Params[g], instance->Params[Limits.GridPoints + g], instance->Params[(2 * Limits.GridPoints) + g]]);
            }
        }

        return values;
    }

    [Fact]
    public void Parameters_take_the_same_values_at_the_same_frames_at_every_quantum()
    {
        (ulong, int, float)[] moves = [(1000, 0, 1), (1100, 0, 0.25f), (1104, 1, 0.9f), (1333, 2, 3), (1340, 2, 0), (2000, 1, 0.01f), (2049, 0, 0.5f), (2049, 0, 0.75f), (4096, 2, 2)];
        var reference = GridValues(16, moves, 8192);
        for (var quantum = 32; quantum <= 256; quantum *= 2)
        {
            var values = GridValues(quantum, moves, 8192);
            Assert.Equal(reference.Count, values.Count);
            for (var g = 0; g < values.Count; g++) Assert.Equal(reference[g], values[g]);
        }
    }

    [Fact]
    public void Ramps_are_straight_for_linear_geometric_for_exponential_and_a_jump_for_stepped()
    {
        var values = GridValues(32, [(1600, 0, 1), (1600, 1, 0.9f), (1600, 2, 3)], 4096);
        // 48 kHz: 10 ms are 30 grid points; frame 1600 is point 100.
        for (var g = 0; g <= 30; g++)
        {
            Assert.Equal(0.5f + (0.5f * g / 30), values[100 + g][0], 1e-5f);
            Assert.Equal(0.3f * MathF.Pow(3, g / 30f), values[100 + g][1], 1e-5f);
        }

        Assert.Equal([0.5f, 0.3f, 1f], values[100]);
        Assert.Equal([1f, 0.9f, 3f], values[130]);
        Assert.Equal([1f, 0.9f, 3f], values[200]);
        Assert.Equal(1, values[100][2]);
        Assert.Equal(3, values[101][2]);
    }

    [Fact]
    public void State_asset_and_work_go_there_and_back_while_stopped()
    {
        using var rig = new Rig();
        RoundTrips(rig);
    }

    [Fact]
    public void State_asset_and_work_go_there_and_back_while_the_audio_thread_plays()
    {
        using var rig = new Rig(32, 2);
        RoundTrips(rig, playing: true);
    }

    private static void RoundTrips(Rig rig, bool playing = false)
    {
        rig.Install(Single(TestRegistry.Keeper));
        var stop = false;
        Thread? audio = null;
        if (playing)
        {
            rig.Renderer.Running = true;
            audio = new Thread(() =>
            {
                while (!Volatile.Read(ref stop)) _ = rig.Step();
            });
            audio.Start();
        }

        void Let(Func<bool> happen)
        {
            for (var i = 0; i < 20_000 && !happen(); i++)
            {
                rig.Renderer.DoWork();
                if (playing) Thread.Sleep(1);
                else _ = rig.Step();
            }

            Assert.True(happen());
        }

        var r = rig.Renderer;
        var state = stackalloc byte[12];
        Let(() => rig.Telemetry(0, 0) > 5);
        Assert.Equal(ReplyStatus.BadRequest, r.SaveState(0, 8, state, 12, out _, out _));
        Assert.Equal(ReplyStatus.BadRequest, r.SaveState(0, 7, state, 11, out _, out _));
        Assert.Equal(ReplyStatus.BadRequest, r.SaveState(-1, 7, state, 12, out _, out _));
        Assert.Equal(ReplyStatus.Ok, r.SaveState(0, 7, state, 12, out var written, out var version));
        Assert.Equal((12, 2u), (written, version));
        Assert.InRange(*(long*)state, 5, long.MaxValue);
        *(long*)state = 50_000_000;
        Assert.Equal(ReplyStatus.Ok, r.LoadState(0, 7, state, 12, 1)); // an older version, which it migrates
        Let(() => rig.Telemetry(0, 0) >= 50_001_000);
        Assert.Equal(ReplyStatus.StateRefused, r.LoadState(0, 7, state, 12, 3));
        Assert.Equal(ReplyStatus.StateRefused, r.LoadState(0, 7, state, 5, 2));

        Asset* Sample(float value)
        {
            var asset = (Asset*)rig.Pool->Allocate(0, 128 + 64, 0);
            *asset = new Asset { DataOffset = 128, Frames = 16, Stride = 16, Channels = 1, Rate = 48_000 };
            new Span<float>(Asset.Channel(asset, 0), 16).Fill(value);
            return asset;
        }

        var live = rig.Live;
        Assert.Equal(ReplyStatus.Ok, r.SetAsset(0, 7, 0, Sample(0.5f), 192, out var taken));
        Assert.True(taken);
        Let(() => rig.Telemetry(0, 2) == 8);
        Assert.Equal(ReplyStatus.Ok, r.SetAsset(0, 7, 0, Sample(1), 192, out _));
        Let(() => rig.Telemetry(0, 2) == 16);
        Assert.Equal(live + 192, rig.Live); // the first was freed
        var broken = Sample(1);
        broken->Frames = 17;
        Assert.Equal(ReplyStatus.BadRequest, r.SetAsset(0, 7, 0, broken, 192, out taken));
        Assert.False(taken);
        broken->Frames = 16;
        Assert.Equal(ReplyStatus.BadRequest, r.SetAsset(0, 7, 0, broken, 191, out _));
        Assert.Equal(ReplyStatus.BadRequest, r.SetAsset(0, 7, 1, broken, 192, out _));
        rig.Pool->Free(0, broken); // the one set stays and is freed with its instance (the rig checks)

        for (var n = 1; n < 5; n++)
        {
            rig.Send(new ModuleEvent { Kind = EventKind.Custom, Target = 7, Index = n, Value = 100 });
            Let(() => rig.Telemetry(0, 1) == n * 100);
        }

        if (audio == null) return;
        Volatile.Write(ref stop, true);
        audio.Join();
        rig.Renderer.Running = false;
    }

    [Fact]
    public void The_steward_waits_a_bounded_time_for_an_audio_thread_that_does_not_answer()
    {
        using var rig = new Rig();
        rig.Install(Single(TestRegistry.Keeper));
        rig.Renderer.Running = true;
        var state = stackalloc byte[12];
        Assert.Equal(ReplyStatus.TimedOut, rig.Renderer.SaveState(0, 7, state, 12, out _, out _));
        var asset = (Asset*)rig.Pool->Allocate(0, 192, 0);
        *asset = new Asset { DataOffset = 128, Frames = 16, Stride = 16, Channels = 1, Rate = 48_000 };
        Assert.Equal(ReplyStatus.TimedOut, rig.Renderer.SetAsset(0, 7, 0, asset, 192, out var taken));
        Assert.False(taken);
        rig.Pool->Free(0, asset);
        _ = rig.Step(); // it was withdrawn: nothing happens now
        Assert.Equal(0, rig.Telemetry(0, 2));
        rig.Renderer.Running = false;
    }

    [Fact]
    public void A_command_that_was_on_its_way_when_a_thread_got_stuck_in_its_module_is_refused_and_the_module_not_called()
    {
        using var rig = new Rig();
        rig.Install(Single(TestRegistry.Keeper));
        rig.Renderer.Running = true;
        var asset = (Asset*)rig.Pool->Allocate(0, 192, 0);
        *asset = new Asset { DataOffset = 128, Frames = 16, Stride = 16, Channels = 1, Rate = 48_000 };
        var (status, taken) = (ReplyStatus.Ok, true);
        var steward = new Thread(() => status = rig.Renderer.SetAsset(0, 7, 0, asset, 192, out taken));
        steward.Start();
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref rig.Renderer.State->Mailbox.State) == Mailbox.Posted, 120_000));
        rig.Renderer.Instances[0]->Ghost = 1; // as the watchdog does
        _ = rig.Step();
        steward.Join();
        Assert.Equal((ReplyStatus.WrongState, false), (status, taken));
        Assert.Equal(0, rig.Telemetry(0, 2));
        rig.Pool->Free(0, asset);
        rig.Renderer.Instances[0]->Ghost = 0;
        rig.Renderer.Running = false;
    }

    [Fact]
    public void A_plan_that_the_audio_thread_does_not_take_is_withdrawn_and_leaves_nothing()
    {
        using var rig = new Rig();
        rig.Install(Single(TestRegistry.Keeper));
        _ = rig.Step();
        var live = rig.Live;
        rig.Renderer.Running = true;
        rig.Install(Single(TestRegistry.Keeper, n => (n.Slot, n.Key) = (33, 8)));
        Assert.True(rig.Renderer.IsPlanWaiting);
        Assert.Equal((InstanceState.Leaving, InstanceState.Active), (rig.Map.Instances[0].State, rig.Map.Instances[33].State));
        Assert.True(rig.Renderer.Withdraw());
        Assert.False(rig.Renderer.IsPlanWaiting);
        Assert.Equal((InstanceState.Active, InstanceState.Free), (rig.Map.Instances[0].State, rig.Map.Instances[33].State));
        Assert.Equal(live, rig.Live);
        _ = rig.Step();
        Assert.False(rig.Renderer.Withdraw());

        // The next one follows what played.
        rig.Install(Single(TestRegistry.Keeper, n => (n.Slot, n.Key) = (33, 8)));
        _ = rig.Step();
        Assert.False(rig.Renderer.Withdraw());
        _ = rig.Step();
        _ = rig.Renderer.Collect();
        Assert.Equal((InstanceState.Free, InstanceState.Active), (rig.Map.Instances[0].State, rig.Map.Instances[33].State));
        rig.Renderer.Running = false;
    }

    [Fact]
    public void A_new_instance_is_described_to_the_control_process_and_starts_from_its_saved_state()
    {
        using var rig = new Rig();
        var state = new byte[12];
        BitConverter.TryWriteBytes(state, 70L);
        BitConverter.TryWriteBytes(state.AsSpan(8), 0x5A5A);
        rig.Install(Single(TestRegistry.Keeper, n => (n.State, n.StateVersion, n.Slot) = (state, 2, 33)));
        var record = rig.Map.Instances + 33;
        Assert.Equal((0x1_0000_0007ul, TestRegistry.Keeper, InstanceState.Active, 7, 99L), (record->Key, record->Module, record->State, record->LatencyFrames, record->TailFrames));
        Assert.Equal("keeper 0", Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(record->Name)));
        Assert.InRange(record->Bytes, 64 * 4, 64 * 1024);
        _ = rig.Step();
        Assert.Equal(71, rig.Telemetry(33, 0));
        Assert.Equal(Keeper.SharedMagic, rig.Telemetry(33, 3));

        var strange = Single(TestRegistry.Keeper, n => (n.State, n.StateVersion, n.Slot) = (state, 9, 34));
        rig.Configure(64, 1);
        rig.Configure(32, 1);
        Assert.Equal(ReplyStatus.Ok, rig.TryInstall(strange, out var error)); // state nobody understands is told, and plays from the defaults
        Assert.Equal((1, 0), (error.StatesRefused, error.FirstStateRefused));
        _ = rig.Step();
        Assert.Equal(1, rig.Telemetry(34, 0));
    }

    [Fact]
    public void A_module_that_takes_more_than_it_required_is_refused_and_nothing_stays()
    {
        using var rig = new Rig();
        Assert.Equal(ReplyStatus.ModuleFailed, rig.TryInstall(Single(TestRegistry.Keeper, n => n.Settings = [1, -1]), out var error));
        Assert.Equal((BadPart.Memory, 0), (error.Part, error.Index));
        Assert.Equal(rig.Baseline, rig.Live);
        Assert.Equal(0, rig.Renderer.InstanceCount);
    }

    [Fact]
    public void A_plan_that_does_not_fit_is_refused_whole_at_whatever_allocation_it_fails()
    {
        var draft = PatchDraft.Random(new Random(3), 12);
        for (var i = 0; i < 3; i++) _ = draft.Add(TestRegistry.Keeper, 900 + (ulong)i);
        var wire = draft.Add(TestRegistry.Wire, 990);
        draft.Nodes[wire].Inputs[0].Add(new DraftCable(wire, 0, 1, Delayed: true));
        var blob = draft.Compile();
        long demand;
        using (var roomy = new Rig())
        {
            roomy.Install(blob);
            demand = roomy.Live - roomy.Baseline;
        }

        using var rig = new Rig();
        var hogs = new Stack<nint>();
        // Full to the brim, then freed block by block: each of the plan's allocations is the one that fails at some time.
        for (var hog = rig.Pool->Allocate(0, 1 << 10, 0); hog != null; hog = rig.Pool->Allocate(0, 1 << 10, 0)) hogs.Push((nint)hog);
        for (var hog = rig.Pool->Allocate(0, 64, 0); hog != null; hog = rig.Pool->Allocate(0, 64, 0)) hogs.Push((nint)hog);

        var refusals = new List<(ReplyStatus Status, int Instances, long Bytes)>();
        while (rig.TryInstall(blob, out var error) != ReplyStatus.Ok)
        {
            refusals.Add((error.Status, rig.Renderer.InstanceCount, error.Bytes));
            rig.Pool->Free(0, (void*)hogs.Pop());
        }

        foreach (var hog in hogs) rig.Pool->Free(0, (void*)hog);
        Assert.InRange(refusals.Count, 10, 10_000);
        Assert.All(refusals, r => Assert.Equal((ReplyStatus.OutOfMemory, 0), (r.Status, r.Instances)));
        Assert.Contains(refusals, r => r.Bytes == demand); // named whole, wherever it failed (before that, the check itself found no room)
        Assert.All(refusals.SkipWhile(r => r.Bytes != demand), r => Assert.Equal(demand, r.Bytes));
        Assert.Equal(rig.Baseline + demand, rig.Live);
    }
}
