// Cards that misbehave: they never move, refuse to start, go away, or lose frames of their own accord.
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio;

internal unsafe struct BrokenCard : ICard
{
    public VirtualTime* Time;
    public int StartError;
    public int LostAfter; // waits until it is gone, with EIO
    public int XrunAt; // the wait that reports an xrun without a reason on our side
    public int RecoverError;
    public bool Stuck;
    public int Stops;

    private int _waits;

    public readonly CardFacts Facts => new() { Rate = 50_000, Period = 32, Periods = 2, BufferFrames = 64, Inputs = 0, Outputs = 1, RealTime = true };

    public readonly int Error => 5;

    public readonly ulong Now() => Time->Now;

    public readonly int Start() => StartError;

    public CardWait Wait(int quantum, ulong timeoutNs)
    {
        _waits++;
        if (Stuck)
        {
            Time->Now += timeoutNs;
            return new CardWait { State = CardState.TimedOut };
        }

        Time->Now += 640_000;
        if (LostAfter > 0 && _waits > LostAfter) return new CardWait { State = CardState.Lost, Error = 19 };
        return new CardWait { State = _waits == XrunAt ? CardState.XRun : CardState.Ready, Available = 32, ReadyAt = Time->Now };
    }

    public readonly void Capture(float** inputs, int frames)
    {
    }

    public readonly CardState Play(float** outputs, int frames) => CardState.Ready;

    public readonly CardRecovery Recover() => RecoverError != 0 ? new() { State = CardState.Lost, Error = RecoverError } : new() { Skipped = 64 };

    public readonly void Rescale(JackBench* lines)
    {
    }

    public void Stop() => Stops++;
}

public sealed unsafe class BrokenCardTests
{
    private static (AudioEnd End, int Error, List<Notice> Notices, AudioStatus Status, ulong Time) Run(BrokenCard card, int steps, int stopAt = -1)
    {
        using var rig = new LoopRig(32);
        card.Time = rig.Time;
        var loop = rig.Zeroed<AudioLoop<BrokenCard, ScriptedQuantum>>(1);
        *loop = new(card, rig.Render, rig.Setup);
        if (loop->Begin())
        {
            for (var i = 0; i < steps; i++)
            {
                if (i == stopAt) loop->RequestStop(100);
                if (!loop->Step()) break;
            }
        }

        return (loop->End, loop->Error, rig.TakeNotices(), rig.Status, rig.Time->Now);
    }

    [Fact]
    public void A_card_that_does_not_start_is_lost_with_its_errno()
    {
        var (end, error, notices, _, _) = Run(new BrokenCard { StartError = 16 }, 10);
        Assert.Equal((AudioEnd.DeviceLost, 16), (end, error));
        Assert.Equal((NoticeKind.DeviceLost, 16L), (notices[^1].Kind, notices[^1].A));
    }

    [Fact]
    public void A_card_that_goes_away_is_lost_with_its_errno_and_one_notice()
    {
        var (end, error, notices, status, _) = Run(new BrokenCard { LostAfter = 7 }, 100);
        Assert.Equal((AudioEnd.DeviceLost, 19), (end, error));
        Assert.Equal(7UL, status.Quanta);
        Assert.Equal(NoticeKind.DeviceLost, Assert.Single(notices).Kind);
    }

    [Fact]
    public void An_xrun_without_a_reason_on_our_side_is_the_devices()
    {
        var (_, _, notices, status, _) = Run(new BrokenCard { XrunAt = 5 }, 20);
        Assert.Equal((1UL, 64UL), (status.Dropouts, status.LostFrames));
        Assert.Equal(DropoutCause.Device, (DropoutCause)Assert.Single(notices).B);
    }

    [Fact]
    public void A_card_that_cannot_recover_is_lost()
    {
        var (end, error, _, _, _) = Run(new BrokenCard { XrunAt = 5, RecoverError = 77 }, 20);
        Assert.Equal((AudioEnd.DeviceLost, 77), (end, error));
    }

    [Fact]
    public void A_card_that_stands_still_is_lost_after_a_second()
    {
        var (end, error, _, _, time) = Run(new BrokenCard { Stuck = true }, 1000);
        Assert.Equal((AudioEnd.DeviceLost, 110), (end, error));
        Assert.InRange(time, AudioLoop.StallNs, AudioLoop.StallNs + 200_000_000);
    }

    [Fact]
    public void A_stop_of_a_card_that_stands_still_ends_within_its_bound()
    {
        var (end, _, _, _, time) = Run(new BrokenCard { Stuck = true }, 1000, stopAt: 1);
        Assert.Equal(AudioEnd.Stopped, end);
        Assert.InRange(time, 0UL, AudioLoop.StopGraceNs + 400_000_000);
    }
}
