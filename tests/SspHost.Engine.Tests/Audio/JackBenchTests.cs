// The workbench of the jacks: what a calibration puts on an output and hears at an input, and nobody else notices.
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio;

public sealed unsafe class JackBenchTests : IDisposable
{
    private const int Rate = 50_000, Quantum = 32, Jacks = 3; // a tenth of a second: 5000 frames
    private const long Frames = 1 << 18;

    private readonly LoopRig _rig = new(Quantum);
    private readonly JackBench* _bench;
    private readonly SimulatedJacks _jacks;
    private readonly AudioLoop<SimulatedCard<VirtualClock>, ScriptedQuantum>* _loop;
    private readonly int _buffer;

    public JackBenchTests()
    {
        _bench = _rig.Zeroed<JackBench>(1);
        _rig.Setup.Jacks = _bench;
        _jacks = _rig.Jacks(Frames, Jacks, Jacks);
        var config = new AudioConfig { Rate = Rate, Quantum = Quantum, Period = Quantum, Periods = 2, Inputs = Jacks, Outputs = Jacks };
        config.OutputFullScale[2] = 8;
        config.OutputZero[2] = 0.5f;
        config.InputFullScale[1] = -4;
        config.InputZero[1] = 1;
        _bench->Adopt(in config);
        var card = new SimulatedCard<VirtualClock>(new VirtualClock(_rig.Time), config, _jacks);
        _buffer = card.Facts.BufferFrames;
        _loop = _rig.Zeroed<AudioLoop<SimulatedCard<VirtualClock>, ScriptedQuantum>>(1);
        *_loop = new(card, _rig.Render, _rig.Setup);
        Assert.True(_loop->Begin());
    }

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void An_output_holds_a_sample_by_its_own_line_and_the_others_play_on()
    {
        Play(4);
        _bench->Hold(2, -0.5f, _rig.Time->Now);
        Play(8);
        _bench->Hold(2, 0.25f, _rig.Time->Now);
        Play(12);
        _bench->Release(2);
        Play(20);
        Assert.Equal(5, Played(2, 3 * Quantum));
        Assert.Equal(0.5f - (8 * 0.5f), Played(2, 4 * Quantum)); // the first quantum that is rendered after the wish
        Assert.Equal(0.5f - (8 * 0.5f), Played(2, (8 * Quantum) - 1));
        Assert.Equal(0.5f + (8 * 0.25f), Played(2, 8 * Quantum));
        Assert.Equal(5, Played(2, 12 * Quantum));
        for (var f = 0L; f < 19 * Quantum; f++) Assert.Equal(f + 1, Played(0, f)); // not one sample of another jack
    }

    [Fact]
    public void What_is_held_is_let_go_when_nobody_says_it_again()
    {
        _bench->Hold(1, 1, _rig.Time->Now);
        var until = _rig.Time->Now + JackBench.LeaseNs;
        Play(2);
        Assert.Equal(Volts.FullScale, Played(1, 0));
        while (_rig.Time->Now <= until) Assert.True(_loop->Step());
        var calls = _rig.Render->Calls;
        Play(calls + 4);
        Assert.Equal(Volts.FullScale, Played(1, 90_000)); // up to then it was held
        Assert.Equal(0, Played(1, (calls + 2) * Quantum));
    }

    [Fact]
    public void What_is_no_sample_and_what_is_no_jack_is_not_played()
    {
        _bench->Hold(2, float.NaN, _rig.Time->Now);
        _bench->Hold(1, 7, _rig.Time->Now); // more than a converter has
        _bench->Hold(31, 1, _rig.Time->Now);
        Play(4);
        Assert.Equal(5, Played(2, 0));
        Assert.Equal(Volts.FullScale, Played(1, 0));
        _bench->Clear();
        Play(8);
        Assert.Equal(0, Played(1, 6 * Quantum));
    }

    [Fact]
    public void An_input_is_heard_as_the_mean_of_its_samples_whatever_its_line_is()
    {
        for (var f = 0L; f < Frames; f++)
        {
            _jacks.Source[f] = f % 2 == 0 ? 3 : -1; // 1 V on the average
            _jacks.Source[Frames + f] = 3; // of a jack that inverts: 1 V + -4 V * sample
        }

        Assert.Equal(float.NaN, _bench->Hear(0, _rig.Time->Now));
        Play(100);
        Assert.Equal(float.NaN, _bench->Hear(0, _rig.Time->Now)); // not yet a tenth of a second
        Play(2 * Rate / 10 / Quantum);
        Assert.Equal(0.1, _bench->Hear(0, _rig.Time->Now), 1e-6);
        Assert.Equal(-0.5, _bench->Hear(1, _rig.Time->Now), 1e-6);
        var until = _rig.Time->Now + JackBench.LeaseNs;
        while (_rig.Time->Now <= until) Assert.True(_loop->Step());
        Assert.True(_loop->Step());
        Assert.Equal(float.NaN, _bench->Hear(0, _rig.Time->Now)); // nobody had listened meanwhile
    }

    private void Play(long calls)
    {
        while (_rig.Render->Calls < calls) Assert.True(_loop->Step());
    }

    private float Played(int jack, long frame) => _jacks.Played[(jack * _jacks.Frames) + _buffer + frame];
}
