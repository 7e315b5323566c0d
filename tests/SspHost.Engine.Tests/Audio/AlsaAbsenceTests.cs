// ALSA devices that go and come back while the loop plays on: the test is the steward, between the steps of the audio thread.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.Engine.Service;
using SspHost.TestCards;

namespace SspHost.Engine.Tests.Audio;

[Collection("alsa")]
public sealed unsafe class AlsaAbsenceTests : IDisposable
{
    private const int Quantum = 32, Rate = 48_000, NoDevice = 19, Look = 200_000_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-away-").FullName;
    private readonly TestCard _bench;
    private readonly LoopRig _rig = new(Quantum);
    private readonly AlsaHandover* _handover;
    private readonly FrameQuantum* _quantum;
    private readonly AudioLoop<AlsaCard, FrameQuantum>* _loop;
    private DeviceReturn _return;
    private ulong _now = 1_000_000_000; // of the steward: it waits for nobody

    public AlsaAbsenceTests()
    {
        _bench = new TestCard(_folder);
        _bench.Stepped = 1;
        _bench.Use();
        Assert.True(AlsaLibrary.TryLoad());
        _handover = _rig.Zeroed<AlsaHandover>(1);
        _quantum = _rig.Zeroed<FrameQuantum>(1);
        _loop = _rig.Zeroed<AudioLoop<AlsaCard, FrameQuantum>>(1);
    }

    public void Dispose()
    {
        _rig.Dispose();
        _bench.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private int Buffer => _rig.Status.Period * _rig.Status.Periods;

    private static AudioConfig Config(int inputs, int outputs, int period = 512)
    {
        var config = new AudioConfig { Card = CardKind.Alsa, Rate = Rate, Quantum = Quantum, Period = period, Periods = 8, Inputs = inputs, Outputs = outputs };
        Encoding.UTF8.GetBytes("bench").CopyTo(new Span<byte>(config.Device, 128));
        return config;
    }

    // A busy machine may make any quantum late: that is another matter.
    private List<Notice> Notices() => [.. _rig.TakeNotices().Where(n => n.Kind != NoticeKind.Late)];

    private void Begin(AudioConfig config, int fadeIn = 0)
    {
        Assert.Equal(0, AlsaCard.Open(&config, out var card, out _));
        card.ReturnBy(_handover);
        _return = new DeviceReturn(in config);
        _rig.Setup.FadeIn = fadeIn;
        *_loop = new(card, _quantum, _rig.Setup);
        Assert.True(_loop->Begin());
        Play(20);
    }

    private void Play(int quanta)
    {
        var until = _quantum->Calls + quanta;
        while (_quantum->Calls < until) Assert.True(_loop->Step());
    }

    private void Until(Func<AudioStatus, bool> that)
    {
        for (var i = 0; !that(_rig.Status); i++)
        {
            Assert.True(_loop->Step());
            Assert.True(i < 100_000, "it never comes to that");
        }
    }

    private void Steward(ulong after = Look)
    {
        _now += after;
        _return.Look(_handover, _now);
    }

    // Closes what was left, then looks.
    private void Find()
    {
        Steward(0);
        Steward();
    }

    private void End()
    {
        _loop->RequestStop(0);
        while (_loop->Step())
        {
        }

        Assert.Equal(AudioEnd.Stopped, _loop->End);
        _loop->Card.Close();
        _handover->Close();
    }

    // A frame is rendered or skipped, and then heard or lost: never both, never neither.
    private void NothingIsCountedTwice() => Assert.Equal(_quantum->Frame + Quantum, _rig.Status.Frames + _rig.Status.LostFrames);

    [Fact]
    public void A_card_that_is_pulled_out_is_away_by_the_clock_and_plays_on_once_the_steward_brings_it()
    {
        _bench.InVolts[0] = 3;
        Begin(Config(2, 2), fadeIn: 480);
        var before = Linux.Now();
        Play(40);
        Assert.Equal(3f, _quantum->Heard, 1e-5f);
        _bench.Gone = 1;
        Until(s => s.Away == 1);
        var away = Linux.Now();
        var opens = _bench.Opens;
        var (frame, incident) = (_quantum->Frame, *_rig.Setup.LastIncident);
        Play(200);
        Assert.Equal(0f, _quantum->Heard);
        Assert.True(_quantum->Frame >= frame + (200 * Quantum), "frames count on");
        Assert.True((Linux.Now() - before) * Rate / 1_000_000_000 >= _quantum->Frame - frame, "and no faster than time");
        Assert.Equal(opens, _bench.Opens); // by the audio thread, never
        Find();
        Assert.Equal(opens + 2, _bench.Opens); // it looked for playback, found none, and neither capture
        Assert.Equal(1, _rig.Status.Away);

        _bench.Gone = 0;
        var offered = Linux.Now();
        Steward();
        Until(s => s.Away == 0);
        var back = Linux.Now();
        Play(300); // its buffer and the fade
        Assert.Equal((1f, 3f), (_rig.Status.MasterGain, _quantum->Heard));
        Assert.Equal(5f, _bench.OutVolts[0], 1e-5f);
        var notices = Notices();
        Assert.Equal([NoticeKind.DeviceAway, NoticeKind.Dropout], notices.Select(n => n.Kind));
        Assert.All(notices, n => Assert.Equal(incident, n.Incident));
        Assert.Equal((NoDevice, DropoutCause.Unplugged), (notices[0].A, (DropoutCause)notices[1].B));
        Assert.Equal((1UL, (ulong)notices[1].A), (_rig.Status.Dropouts, _rig.Status.LostFrames));
        // As long as it was away by the clock, and what lay in its buffers.
        Assert.InRange(_rig.Status.LostFrames, (offered - away) * Rate / 1_000_000_000, ((back - before) * Rate / 1_000_000_000) + (2 * (ulong)Buffer));
        NothingIsCountedTwice();
        End();
    }

    [Fact]
    public void A_card_that_never_comes_back_is_away_until_the_loop_is_stopped()
    {
        Begin(Config(2, 2));
        _bench.Gone = 1;
        Until(s => s.Away == 1);
        for (var i = 0; i < 20; i++)
        {
            Find();
            Play(10);
        }

        NothingIsCountedTwice();
        End();
        Assert.Equal([NoticeKind.DeviceAway], Notices().Select(n => n.Kind));
    }

    [Fact]
    public void It_can_be_stopped_at_every_stage_of_a_return_and_every_device_is_closed()
    {
        for (var stage = 0; stage < 4; stage++)
        {
            Begin(Config(2, 2));
            _bench.Gone = 1;
            Until(s => s.Away == 1); // 0: left
            if (stage > 0) Steward(0); // 1: sought
            _bench.Gone = 0;
            if (stage > 1) Steward(); // 2: offered
            if (stage > 2) Until(s => s.Away == 0);
            End();
            Assert.Equal(0, _bench.Open);
        }
    }

    [Fact]
    public void A_card_that_is_back_with_other_jacks_and_another_buffer_is_played_as_it_is()
    {
        Begin(Config(4, 4));
        Assert.Equal((4, 4), (_rig.Status.Inputs, _rig.Status.Outputs));
        _bench.Gone = 1;
        Until(s => s.Away == 1);
        (_bench.Gone, _bench.Channels, _bench.Format, _bench.Period) = (0, 3, AlsaLibrary.FormatS24Packed + 1, 441);
        _bench.InVolts[2] = 2;
        Find();
        Until(s => s.Away == 0);
        Play(200);
        Assert.Equal((3, 3, 441), (_rig.Status.Inputs, _rig.Status.Outputs, _rig.Status.Period));
        Assert.Equal((5f, 2f), (MathF.Round(_bench.OutVolts[2], 3), MathF.Round(_quantum->Last, 3)));
        Assert.Equal(1UL, _rig.Status.Dropouts);
        NothingIsCountedTwice();
        End();
    }

    [Fact]
    public void A_card_that_is_back_at_another_rate_is_told_and_stays_away_until_it_has_the_right_one()
    {
        Begin(Config(2, 2));
        _bench.Gone = 1;
        Until(s => s.Away == 1);
        (_bench.Gone, _bench.Rate) = (0, 44_100);
        Find();
        Steward();
        Play(100);
        Assert.Equal(0, _bench.Open);
        Assert.Equal(1, _rig.Status.Away);
        var notices = Notices();
        Assert.Equal([NoticeKind.DeviceAway, NoticeKind.DeviceRate], notices.Select(n => n.Kind));
        Assert.Equal((44_100L, 48_000L, notices[0].Incident), (notices[1].A, notices[1].B, notices[1].Incident));
        _bench.Rate = 48_000;
        Steward();
        Until(s => s.Away == 0);
        Play(10);
        Assert.Equal(NoticeKind.Dropout, Assert.Single(Notices()).Kind);
        End();
    }

    [Fact]
    public void A_card_that_fails_as_soon_as_it_is_back_is_the_same_absence_and_looked_for_less_and_less_often()
    {
        Begin(Config(2, 2));
        _bench.Gone = 1;
        Until(s => s.Away == 1);
        ulong interval = Look;
        for (var i = 0; i < 6; i++)
        {
            Steward(0);
            var opens = _bench.Opens;
            Steward(interval - 1);
            Assert.Equal(opens, _bench.Opens);
            _bench.Gone = 0;
            Steward(1);
            Assert.Equal(2, _bench.Open); // both directions are offered
            _bench.Gone = 1;
            Play(40);
            Assert.Equal(1, _rig.Status.Away);
            interval = Math.Min(2 * interval, 16 * (ulong)Look);
        }

        _bench.Gone = 0;
        Find();
        Steward(interval);
        Until(s => s.Away == 0);
        Play(10);
        Assert.Equal(1UL, _rig.Status.Dropouts);
        NothingIsCountedTwice();
        End();
    }

    [Fact]
    public void A_return_allocates_nothing_managed()
    {
        Begin(Config(2, 2));
        long bytes = 0;
        for (var i = 0; i < 3; i++)
        {
            if (i == 1) bytes = GC.GetAllocatedBytesForCurrentThread();
            _bench.Gone = 1;
            while (!Away()) _ = _loop->Step();
            _bench.Gone = 0;
            Find();
            _now += 10_000_000_000; // it stays, so the next one is looked for as soon
            while (Away()) _ = _loop->Step();
        }

        Assert.Equal(bytes, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(3UL, _rig.Status.Dropouts);
        End();

        bool Away() => _rig.Setup.Status->TryRead(out var s) && s.Away == 1;
    }

    [Fact]
    public void A_card_that_fails_while_it_is_written_to_or_restarted_is_away_like_one_that_fails_while_it_is_waited_for()
    {
        var samples = stackalloc float[2 * Quantum];
        var outputs = stackalloc float*[] { samples, samples + Quantum };
        for (var where = 0; where < 3; where++)
        {
            using var fake = new FakeAlsa();
            var config = Config(0, 2, period: 64);
            Assert.Equal(0, AlsaCard.Open(&config, out var card, out _));
            var handover = _rig.Zeroed<AlsaHandover>(1);
            card.ReturnBy(handover);
            Assert.Equal(0, card.Start());
            FakeAlsa.Available = 2 * Quantum;
            Assert.Equal(CardState.Ready, card.Wait(Quantum, 1_000_000_000).State);
            Assert.Equal(CardState.Ready, card.Play(outputs, Quantum));
            switch (where)
            {
                case 0:
                    FakeAlsa.Available = -NoDevice;
                    Assert.Equal(CardState.Away, card.Wait(Quantum, 1_000_000_000).State);
                    break;
                case 1:
                    AlsaLibrary.MmapCommit = &CommitFails;
                    Assert.NotEqual(CardState.Ready, card.Play(outputs, Quantum));
                    break;
                default:
                    FakeAlsa.Available = -32; // EPIPE
                    Assert.Equal(CardState.XRun, card.Wait(Quantum, 1_000_000_000).State);
                    AlsaLibrary.Prepare = &PrepareFails;
                    Assert.Equal(CardState.Away, card.Recover().State);
                    break;
            }

            Assert.Equal(NoDevice, card.Error);
            Assert.True(handover->CloseLeft());
            for (var i = 0; i < 20; i++)
            {
                var wait = card.Wait(Quantum, 1_000_000_000);
                Assert.Equal(CardState.Away, wait.State);
                if (wait.Available >= Quantum && card.Play(outputs, Quantum) == CardState.XRun) Assert.Equal(CardState.Away, card.Recover().State);
            }

            card.Close(); // nothing is open
        }
    }

    [Fact]
    public void A_card_that_stands_still_for_a_second_is_opened_anew_and_not_given_up()
    {
        using var fake = new FakeAlsa();
        FakeAlsa.Available = Quantum;
        Begin(Config(0, 2));
        FakeAlsa.Available = 0;
        var still = Linux.Now();
        Until(s => s.Away == 1);
        Assert.True(Linux.Now() - still >= AudioLoop.StallNs, "not before its time");
        Assert.Equal((NoticeKind.DeviceAway, 110L), (Notices()[^1].Kind, _loop->Card.Error)); // ETIMEDOUT
        Play(10);
        FakeAlsa.Available = Quantum;
        Find();
        Until(s => s.Away == 0);
        Play(10);
        End();
    }

    [UnmanagedCallersOnly]
    private static long CommitFails(void* pcm, ulong offset, ulong frames) => -NoDevice;

    [UnmanagedCallersOnly]
    private static int PrepareFails(void* pcm) => -NoDevice;

    // Five volts everywhere; what it heard, and at which frame.
    private struct FrameQuantum : IQuantum
    {
        public int Calls;
        public ulong Frame;
        public float Heard, Last;

        public bool Render(float** inputs, int inputCount, float** outputs, int outputCount, ulong frame)
        {
            if (inputCount > 0) (Heard, Last) = (inputs[0][Quantum - 1], inputs[inputCount - 1][Quantum - 1]);
            for (var j = 0; j < outputCount; j++) new Span<float>(outputs[j], Quantum).Fill(5);
            Frame = frame;
            Calls++;
            return true;
        }

        public readonly bool Resume(float** inputs, int inputCount, float** outputs, int outputCount) => throw new NotSupportedException("nobody is stuck here");

        public readonly void Judge(bool late)
        {
        }

        public readonly Culprit Culprit() => Engine.Audio.Culprit.None;

        public readonly void Report(ref AudioStatus status)
        {
        }
    }
}
