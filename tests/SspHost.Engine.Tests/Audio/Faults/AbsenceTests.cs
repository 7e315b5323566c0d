// A card that is away: time goes on, nobody hears it, and nothing waits for the return.
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio.Faults;

public sealed unsafe class AbsenceTests : IDisposable
{
    private const ulong Millisecond = 1_000_000;
    private const int Quantum = 48, Rate = 48_000; // a quantum is a millisecond

    private readonly LoopRig _rig = new(Limits.MaxQuantum);
    private readonly FaultWorld* _world;
    private readonly WorldQuantum* _render;
    private readonly AudioLoop<FaultyCard, WorldQuantum>* _loop;
    private readonly SimulatedJacks _jacks;

    public AbsenceTests()
    {
        _jacks = _rig.Jacks(1 << 16, 1, 2);
        new Span<float>(_jacks.Source, 1 << 16).Fill(1);
        _world = _rig.Zeroed<FaultWorld>(1);
        _render = _rig.Zeroed<WorldQuantum>(1);
        _loop = _rig.Zeroed<AudioLoop<FaultyCard, WorldQuantum>>(1);
    }

    public void Dispose() => _rig.Dispose();

    private void Begin(ulong at, ulong during, int fadeIn = 0)
    {
        var config = new AudioConfig { Rate = Rate, Quantum = Quantum, Period = Quantum, Periods = 4, Inputs = 1, Outputs = 2 };
        *_world = new FaultWorld
        {
            Time = _rig.Time, Faults = _rig.Zeroed<Fault>(1), FaultCount = 1, Stops = _rig.Zeroed<Stop>(FaultWorld.MaxStops), Stamps = _rig.Zeroed<Stamp>(FaultWorld.MaxStamps),
            Jacks = _jacks, Outputs = 2, Rate = Rate, Quantum = Quantum, Buffer = 4 * Quantum,
        };
        _world->Faults[0] = new Fault { Kind = FaultKind.Unplug, At = at, For = during };
        *_render = new WorldQuantum { World = _world };
        _rig.Setup.Quantum = Quantum;
        _rig.Setup.FadeIn = fadeIn;
        *_loop = new(new FaultyCard(_world, new SimulatedCard<ConverterClock>(new ConverterClock(_world), config, _jacks)), _render, _rig.Setup);
        Assert.True(_loop->Begin());
    }

    private void RunUntil(ulong time)
    {
        while (_world->Now < time) Assert.True(_loop->Step());
    }

    [Fact]
    public void It_is_told_at_once_counted_as_it_goes_and_summed_up_at_the_return()
    {
        Begin(100 * Millisecond, 500 * Millisecond);
        RunUntil(105 * Millisecond);
        Assert.Equal(NoticeKind.DeviceAway, Assert.Single(_rig.TakeNotices()).Kind);
        Assert.Equal((1UL, 1), (_rig.Status.Dropouts, _rig.Status.Away));
        RunUntil(300 * Millisecond);
        Assert.Empty(_rig.TakeNotices());
        Assert.InRange(_rig.Status.LostFrames, 195UL * Quantum, 202UL * Quantum); // grows with time
        RunUntil(700 * Millisecond);
        var notice = Assert.Single(_rig.TakeNotices());
        Assert.Equal((NoticeKind.Dropout, DropoutCause.Unplugged, 1UL), (notice.Kind, (DropoutCause)notice.B, notice.Incident));
        // From the frame the converter was at until a buffer after it began anew, at the first look after the return.
        Assert.InRange(notice.A, (500 + 4) * Quantum, (500 + 4 + 1) * Quantum);
        Assert.Equal((1UL, (ulong)notice.A, 0), (_rig.Status.Dropouts, _rig.Status.LostFrames, _rig.Status.Away));
    }

    [Fact]
    public void The_renderer_goes_on_in_time_so_that_edits_events_and_clocks_do_not_wait()
    {
        Begin(100 * Millisecond, 60_000 * Millisecond);
        RunUntil(100 * Millisecond);
        var (calls, sleeps) = (_render->Calls, _rig.Time->Sleeps);
        RunUntil(50_100 * Millisecond);
        Assert.InRange(_render->Calls - calls, 49_990, 50_010);
        Assert.InRange(_rig.Time->Sleeps - sleeps, 49_990UL, 50_010UL); // a sleep a quantum: no spinning, no bursts
        Assert.Equal(0, _world->Misaligned);
        Assert.Equal((0UL, 1UL), (_rig.Status.Late, _rig.Status.Dropouts));
    }

    [Fact]
    public void A_renderer_too_slow_meanwhile_disturbs_nobody_and_is_not_counted()
    {
        Begin(100 * Millisecond, 500 * Millisecond);
        RunUntil(150 * Millisecond);
        _world->BaseCost = 3 * Millisecond;
        RunUntil(400 * Millisecond);
        _world->BaseCost = 0;
        RunUntil(800 * Millisecond);
        Assert.Equal((0UL, 1UL), (_rig.Status.Late, _rig.Status.Dropouts));
        Assert.Equal(_world->Position, _rig.Status.Frames + _rig.Status.LostFrames);
        Assert.Equal(DropoutCause.Unplugged, (DropoutCause)_rig.TakeNotices()[^1].B);
    }

    [Fact]
    public void It_can_be_stopped_while_the_card_is_away()
    {
        Begin(100 * Millisecond, 1_000_000 * Millisecond);
        RunUntil(200 * Millisecond);
        _loop->RequestStop(480);
        while (_loop->Step())
        {
        }

        Assert.Equal(AudioEnd.Stopped, _loop->End);
        Assert.InRange(_world->Now, 210 * Millisecond, 220 * Millisecond); // the fade and the buffer, as ever
    }

    [Fact]
    public void The_return_fades_in_like_a_start()
    {
        Begin(100 * Millisecond, 50 * Millisecond, fadeIn: 480);
        RunUntil(300 * Millisecond);
        var input = new ReadOnlySpan<float>(_jacks.Played + _jacks.Frames, (int)_world->Position); // a constant, so that gain is all there is
        var previous = 0f;
        var silences = 0;
        for (var f = 4 * Quantum; f < input.Length; f++)
        {
            var v = input[f];
            if (float.IsNaN(v))
            {
                if (!float.IsNaN(input[f - 1])) silences++;
                previous = 0;
                continue;
            }

            Assert.True(v - previous <= MathF.PI / 2 / 480 * 1.01f, $"a step of {v - previous} at {f}");
            previous = v;
        }

        Assert.Equal((1, 1f), (silences, previous));
    }
}
