// The loop on a real RT thread by the kernel's clock: nothing about how fast, everything about what must hold at any speed.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.Engine.Tests.Threads;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Tests.Audio;

public sealed unsafe partial class RealThreadTests
{
    private const uint Children = 60;

    private static AudioConfig Simulated => new()
    {
        Card = CardKind.Simulated, Rate = 48_000, Quantum = 64, Period = 128, Periods = 4, Inputs = 2, Outputs = 3,
    };

    private static void Play(AudioConfig config, Action<LoopRig, nint> during, Action<LoopRig, AudioEnd, bool> after)
    {
        using var rig = new LoopRig(config.Quantum);
        using var stack = new TestStack();
        var session = rig.Zeroed<AudioSession<ScriptedQuantum>>(1);
        Assert.Equal(ReplyStatus.Ok, session->Open(&config, null, 0, out _, out _));
        rig.Setup.FadeIn = 480;
        var rt = rig.Zeroed<RtThread>(1);
        var thread = new RtThreadSetup { Stack = stack.Start, StackBytes = stack.Bytes, Priority = 80, Core = Topology.Read()[^1].Number, Record = rig.Setup.Records };
        Assert.Equal(ReplyStatus.Ok, AudioSession<ScriptedQuantum>.Start(session, rig.Render, rig.Setup, rt, thread, out _));
        try
        {
            during(rig, (nint)session);
        }
        finally
        {
            session->RequestStop(480);
            Assert.True(session->TryJoin(60_000_000_000));
            Assert.True(RtThread.TryEnd(rt, 60_000_000_000));
        }

        Assert.False(session->IsOpen);
        after(rig, session->End, session->RealTime);
    }

    [Fact]
    public void A_second_of_it_accounts_for_every_frame_and_allocates_nothing()
    {
        // Under the JIT, the first call of each library function allocates while it is looked up; a native image has nothing to look up.
        Play(Simulated, (rig, _) => Played(rig, 100), (_, _, _) => { });
        Play(
            Simulated,
            (rig, _) => Played(rig, 750),
            (rig, end, realTime) =>
            {
                Assert.Equal(AudioEnd.Stopped, end);
                var s = rig.Status;
                Assert.True(s.Quanta > 0);
                Assert.Equal(s.Quanta, (ulong)rig.Render->Calls);
                Assert.Equal(realTime ? 1 : 0, s.RealTime);
                Assert.Equal(1, rig.Setup.Records->FlushToZero);
                Assert.True(rig.Histogram(HistogramKind.Wake)->Count > 0);
                // A quantum is played or it is part of what was lost, and the last one began at the end of all before it.
                var unplayed = s.Quanta - (s.Frames / 64);
                Assert.True(unplayed <= s.Dropouts);
                Assert.Equal(s.Frames + s.LostFrames, rig.Render->LastFrame + 64);
                Assert.Equal(0UL, s.AllocatedBytes);
            });
    }

    [Fact]
    public void A_core_taken_for_longer_than_the_buffer_lasts_is_one_dropout_with_a_late_thread_as_its_cause_and_it_plays_on()
    {
        const ulong Spin = 120_000_000;
        List<Notice> notices = [];
        var spun = false;
        Play(
            Simulated,
            (rig, _) =>
            {
                Played(rig, 100);
                rig.TakeNotices().Clear();
                spun = rig.Status.RealTime == 1 && SpinAbove(rig.Setup.Records->Core, Spin);
                var quanta = rig.Status.Quanta;
                Played(rig, quanta + 200);
                notices = rig.TakeNotices();
            },
            (rig, end, _) =>
            {
                Assert.Equal(AudioEnd.Stopped, end);
                if (!spun) return; // without the privilege for SCHED_FIFO nobody can take a core away
                // Whatever else this machine does to us, nothing of it lasts as long.
                var buffer = Simulated.Period * Simulated.Periods;
                var taken = Assert.Single(notices, n => n.Kind == NoticeKind.Dropout && n.A >= (long)(Spin / 1000 * 48 / 1000) - (2 * buffer));
                var inQuantum = rig.Histogram(HistogramKind.Quantum)->Max > Spin / 2; // one time in a hundred it is hit while it renders
                Assert.Equal(inQuantum ? DropoutCause.SlowRender : DropoutCause.LateWakeUp, (DropoutCause)taken.B);
                Assert.Equal(rig.Status.Frames + rig.Status.LostFrames, rig.Render->LastFrame + 64);
            });
    }

    private static void Played(LoopRig rig, ulong quanta) =>
        Assert.True(SpinWait.SpinUntil(() => rig.Status.Quanta >= quanta, 120_000), $"{rig.Status.Quanta} of {quanta} quanta");

    private static bool SpinAbove(int core, ulong ns)
    {
        using var stack = new TestStack();
        using var rig = new LoopRig(16);
        var rt = rig.Zeroed<RtThread>(1);
        var until = rig.Zeroed<ulong>(1);
        *until = Linux.Now() + ns;
        var setup = new RtThreadSetup { Stack = stack.Start, StackBytes = stack.Bytes, Priority = 90, Core = core, Record = rig.Setup.Records };
        Assert.Equal(0, RtThread.Start(rt, setup, "spinner"u8, &SpinUntil, until));
        Assert.True(RtThread.TryEnd(rt, 60_000_000_000));
        return rt->RealTime;
    }

    private static void SpinUntil(void* until)
    {
        while (Linux.Now() < *(ulong*)until)
        {
        }
    }

    [Fact]
    public void Children_spawned_while_it_plays_do_not_turn_the_audio_threads_memory_into_copies()
    {
        Play(
            Simulated,
            (rig, _) =>
            {
                Played(rig, 300); // every page it uses has been used
                var before = Volatile.Read(ref rig.Setup.Records->Faults);
                var quanta = rig.Status.Quanta;
                for (var i = 0; i < Children; i++) Spawn();
                Played(rig, quanta + 300);
                // Each fork would cost it a fault for every page it writes. A path taken for the first time may still be compiled, which
                // makes one or two.
                Assert.InRange(Volatile.Read(ref rig.Setup.Records->Faults) - before, 0UL, Children / 4);
            },
            (_, end, _) => Assert.Equal(AudioEnd.Stopped, end));
    }

    private static void Spawn()
    {
        int pid, status;
        fixed (byte* path = "/bin/true\0"u8)
        {
            var arguments = stackalloc byte*[2] { path, null };
            Assert.Equal(0, PosixSpawn(&pid, path, null, null, arguments, null));
        }

        while (WaitPid(pid, &status, 0) < 0)
        {
        }
    }

    [Theory]
    [InlineData(0, 64, 128, 2, 2)]
    [InlineData(1_000_000, 64, 128, 2, 2)]
    [InlineData(48_000, 63, 128, 2, 2)]
    [InlineData(48_000, 512, 128, 2, 2)]
    [InlineData(48_000, 64, 0, 2, 2)]
    [InlineData(48_000, 64, 128, 1, 2)]
    [InlineData(48_000, 64, 128, 2, 33)]
    [InlineData(48_000, 64, 128, 2, -1)]
    public void Configurations_beyond_the_limits_are_refused_before_anything_is_opened(int rate, int quantum, int period, int periods, int jacks)
    {
        var session = default(AudioSession<ScriptedQuantum>);
        var config = new AudioConfig { Rate = rate, Quantum = quantum, Period = period, Periods = periods, Inputs = jacks, Outputs = jacks };
        Assert.Equal(ReplyStatus.BadRequest, session.Open(&config, null, 0, out var part, out _));
        Assert.Equal((long)BadPart.Config, part);
        Assert.False(session.IsOpen);
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn")]
    private static partial int PosixSpawn(int* pid, byte* path, void* actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "waitpid")]
    private static partial int WaitPid(int pid, int* status, int options);
}
