// ALSA on the test card: formats, maps and volts as the converter has them, and every way a card has to fail.
using System.Text;
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.TestCards;

namespace SspHost.Engine.Tests.Audio;

[Collection("alsa")]
public sealed unsafe class AlsaBenchTests : IDisposable
{
    private const int Quantum = 32, NoDevice = 19;

    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-bench-").FullName;
    private readonly TestCard _bench;
    private readonly LoopRig _rig = new(Quantum);

    public AlsaBenchTests()
    {
        _bench = new TestCard(_folder);
        _bench.Stepped = 1;
        _bench.Use();
        Assert.True(AlsaLibrary.TryLoad());
    }

    public void Dispose()
    {
        _rig.Dispose();
        _bench.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static AudioConfig Config(int inputs, int outputs, string device = "bench", int period = 512, int periods = 8)
    {
        var config = new AudioConfig { Card = CardKind.Alsa, Rate = 48_000, Quantum = Quantum, Period = period, Periods = periods, Inputs = inputs, Outputs = outputs };
        Encoding.UTF8.GetBytes(device).CopyTo(new Span<byte>(config.Device, 128));
        return config;
    }

    private AudioLoop<AlsaCard, BenchQuantum>* Open(AudioConfig config, out BenchQuantum* quantum, int format = -1)
    {
        Assert.Equal(0, AlsaCard.Open(&config, format, out var card, out var step));
        Assert.Equal(AlsaStep.None, step);
        _card = card;
        quantum = _rig.Zeroed<BenchQuantum>(1);
        var loop = _rig.Zeroed<AudioLoop<AlsaCard, BenchQuantum>>(1);
        *loop = new(card, quantum, _rig.Setup);
        return loop;
    }

    private AlsaCard _card;

    private static void Play(AudioLoop<AlsaCard, BenchQuantum>* loop, BenchQuantum* quantum, int quanta)
    {
        var until = quantum->Calls + quanta;
        while (quantum->Calls < until) Assert.True(loop->Step());
    }

    private void End(AudioLoop<AlsaCard, BenchQuantum>* loop)
    {
        loop->RequestStop(0);
        while (loop->Step())
        {
        }

        Assert.Equal(AudioEnd.Stopped, loop->End);
        _card.Close();
    }

    public static TheoryData<int, double> Formats() => new()
    {
        { AlsaLibrary.FormatS16, 32768 }, { AlsaLibrary.FormatS16Big, 32768 }, { AlsaLibrary.FormatS24, 8388608 }, { AlsaLibrary.FormatS24Big, 8388608 },
        { AlsaLibrary.FormatS24Packed, 8388608 }, { AlsaLibrary.FormatS24PackedBig, 8388608 }, { AlsaLibrary.FormatS32, 2147483648 },
        { AlsaLibrary.FormatS32Big, 2147483648 }, { AlsaLibrary.FormatFloat, 0 }, { AlsaLibrary.FormatFloatBig, 0 },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public void The_converter_gets_the_nearest_code_of_each_voltage_and_gives_back_the_volts_it_measured(int format, double unit)
    {
        _bench.Format = format + 1;
        _bench.Record = 1;
        _bench.InVolts[0] = 3.21f;
        _bench.InVolts[2] = -9.99f;
        var loop = Open(Config(3, 2), out var quantum);
        Assert.Equal(format, _card.Format);
        Assert.True(loop->Begin());
        Play(loop, quantum, 300);
        Assert.Equal(0UL, _rig.Status.Dropouts);
        var lsb = unit == 0 ? 1e-6 : Math.Max(10 / unit, 1e-6);
        Assert.Equal(3.21, quantum->Heard[0], lsb);
        Assert.Equal(0, quantum->Heard[1], lsb);
        Assert.Equal(-9.99, quantum->Heard[2], lsb);
        End(loop);

        var codes = _bench.Codes;
        var from = 2 * _card.Facts.BufferFrames; // two channels
        Assert.True(codes.Length > from + 2000);
        for (var i = 0; i < from; i++) Assert.Equal(0, codes[i]);
        for (var i = 0; i < 2000; i++)
        {
            double volts = BenchQuantum.Ramp(i / 2, i % 2);
            var code = codes[from + i];
            if (unit == 0) Assert.Equal(volts / 10, BitConverter.Int32BitsToSingle(code), 1e-7);
            else Assert.Equal(Math.Clamp(Math.Round(volts / 10 * unit), -unit, unit - 1), code);
        }
    }

    [Fact]
    public void Five_volts_are_five_volts_at_each_calibrated_jack_of_a_mis_scaled_converter()
    {
        var random = new Random(3);
        var config = Config(4, 4);
        for (var j = 0; j < 4; j++)
        {
            config.OutputFullScale[j] = _bench.OutFull[j] = (random.NextSingle() * 4 + 8) * (j == 2 ? -1 : 1); // one of them inverts
            config.OutputZero[j] = _bench.OutZero[j] = random.NextSingle() - 0.5f;
            config.InputFullScale[j] = _bench.InFull[j] = random.NextSingle() * 4 + 8;
            config.InputZero[j] = _bench.InZero[j] = random.NextSingle() - 0.5f;
        }

        _bench.Loop = 1;
        var loop = Open(config, out var quantum);
        quantum->Steady = 5;
        Assert.True(loop->Begin());
        Play(loop, quantum, 500);
        for (var j = 0; j < 4; j++)
        {
            Assert.Equal(5f, _bench.OutVolts[j], 1e-5f);
            Assert.Equal(5f, quantum->Heard[j], 2e-5f);
        }

        End(loop);
    }

    [Fact]
    public void A_configured_map_puts_each_jack_on_its_channel_and_leaves_the_others_silent()
    {
        var config = Config(2, 3);
        (config.OutputChannels[0], config.OutputChannels[1], config.OutputChannels[2]) = (5, -1, 2);
        (config.InputChannels[0], config.InputChannels[1]) = (7, 1);
        (_bench.InVolts[6], _bench.InVolts[0]) = (1.5f, -2.5f);
        var loop = Open(config, out var quantum);
        quantum->Each = 1;
        Assert.True(loop->Begin());
        Play(loop, quantum, 400);
        Assert.Equal([0, 3, 0, 0, 1], _bench.OutVolts[..5].ToArray().Select(v => MathF.Round(v, 3)));
        Assert.Equal(1.5f, quantum->Heard[0], 1e-5f);
        Assert.Equal(-2.5f, quantum->Heard[1], 1e-5f);
        End(loop);
    }

    [Fact]
    public void A_map_that_names_a_channel_the_device_has_not_got_is_refused_at_its_own_step_and_a_wrong_map_before()
    {
        _bench.Channels = 4;
        var config = Config(0, 2);
        (config.OutputChannels[0], config.OutputChannels[1]) = (1, 6);
        Assert.Equal(22, AlsaCard.Open(&config, out _, out var step));
        Assert.Equal(AlsaStep.Map, step);
        foreach (var (a, b) in new[] { (3, 3), (3, 0), (65, 1), (-2, 1) })
        {
            (config.OutputChannels[0], config.OutputChannels[1]) = ((sbyte)a, (sbyte)b);
            Assert.False(AudioSession<ScriptedQuantum>.IsPossible(in config));
        }

        (config.OutputChannels[0], config.OutputChannels[1]) = (-1, 1);
        Assert.True(AudioSession<ScriptedQuantum>.IsPossible(in config));
        config.InputFullScale[5] = 0.01f;
        Assert.False(AudioSession<ScriptedQuantum>.IsPossible(in config));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Where_the_device_says_which_channel_is_which_the_jacks_are_in_the_standard_order(int chmap)
    {
        _bench.Channels = 6; // FL FR FC LFE RL RR: jacks 3 and 4 are the rear ones, 5 and 6 the centre and the bass
        _bench.Chmap = chmap;
        var loop = Open(Config(0, 6), out var quantum);
        quantum->Each = 1;
        Assert.True(loop->Begin());
        Play(loop, quantum, 400);
        float[] expected = chmap == 2 ? [1, 2, 3, 4, 5, 6] : [1, 2, 5, 6, 3, 4]; // a device that can order them does it itself
        Assert.Equal(expected, _bench.OutVolts[..6].ToArray().Select(v => MathF.Round(v, 3)));
        End(loop);
    }

    [Fact]
    public void An_xrun_is_one_dropout_and_in_the_frames_nobody_rendered_a_jack_holds_or_falls_silent()
    {
        var config = Config(0, 2);
        config.HoldOutputs = 1;
        _bench.OutZero[1] = config.OutputZero[1] = 0.25f;
        _bench.Record = 1;
        var loop = Open(config, out var quantum);
        quantum->Steady = 4;
        Assert.True(loop->Begin());
        Play(loop, quantum, 400);
        var before = _bench.Codes.Length;
        _bench.XRuns = 1;
        while (_rig.Status.Dropouts == 0) Assert.True(loop->Step());
        Play(loop, quantum, 400);
        Assert.Equal(1UL, _rig.Status.Dropouts);
        Assert.True(_rig.Status.LostFrames >= (ulong)_card.Facts.BufferFrames, "it has played the whole buffer");
        var codes = _bench.Codes[before..].ToArray();
        End(loop);
        const double Unit = 2147483648;
        var (held, silent) = (codes.Where((_, i) => i % 2 == 0).ToArray(), codes.Where((_, i) => i % 2 == 1).ToArray());
        Assert.All(held, c => Assert.Equal(4, c / Unit * 10, 1e-6));
        var gap = silent.Count(c => Math.Abs((c / Unit * 10) + 0.25) < 1e-6); // 0 V at this jack, whose zero is 0.25 V off
        Assert.Equal(_card.Facts.BufferFrames, gap);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(150)]
    public void After_a_suspend_it_resumes_or_is_prepared_anew_and_the_time_asleep_is_the_frames_lost(int resumable)
    {
        _bench.Resumable = resumable;
        var loop = Open(Config(2, 2), out var quantum);
        var began = Linux.Now();
        Assert.True(loop->Begin());
        Play(loop, quantum, 200);
        var (prepares, starts) = (_bench.Prepares, _bench.Starts);
        _bench.Suspends = 2; // both directions sleep
        while (_rig.Status.Dropouts == 0) Assert.True(loop->Step());
        var until = Linux.Now();
        Play(loop, quantum, 200);
        Assert.True(_bench.Resumes > 0, "it was asked to resume");
        Assert.Equal(resumable == 0, _bench.Starts > starts);
        Assert.Equal(resumable == 0, _bench.Prepares > prepares);
        Assert.Equal(1UL, _rig.Status.Dropouts);
        // Resumed, exactly the sleep is lost, for what is in the buffer still plays; prepared, at least the buffer.
        var buffer = (ulong)_card.Facts.BufferFrames;
        var passed = (until - began) * 48_000 / 1_000_000_000;
        // (The stepped card is up to a period ahead of the clock that measures the sleep.)
        if (resumable != 0) Assert.InRange(_rig.Status.LostFrames, ((ulong)resumable * 48) - (ulong)_card.Facts.Period, passed);
        else Assert.InRange(_rig.Status.LostFrames, buffer, buffer + passed);
        End(loop);
    }

    [Fact]
    public void Where_nobody_looks_for_it_a_card_that_is_pulled_out_ends_the_loop_with_ENODEV()
    {
        var loop = Open(Config(2, 2), out var quantum);
        Assert.True(loop->Begin());
        Play(loop, quantum, 100);
        _bench.Gone = 1;
        while (loop->Step())
        {
        }

        Assert.Equal((AudioEnd.DeviceLost, NoDevice), (loop->End, loop->Error));
        _card.Close();
        var config = Config(2, 2);
        Assert.Equal(NoDevice, AlsaCard.Open(&config, out _, out _));
        _bench.Gone = 0;
        loop = Open(config, out quantum);
        Assert.True(loop->Begin());
        Play(loop, quantum, 100);
        End(loop);
    }

    [Fact]
    public void A_card_runs_at_the_rate_it_has_and_says_so()
    {
        _bench.Rate = 44_100;
        var config = Config(2, 2);
        Assert.Equal(0, AlsaCard.Open(&config, out var card, out _));
        Assert.Equal(44_100, card.Facts.Rate);
        card.Close();
        config = Config(2, 2, "converted"); // a converter that could resample is kept from it
        Assert.Equal(0, AlsaCard.Open(&config, out card, out _));
        Assert.Equal(44_100, card.Facts.Rate);
        card.Close();
    }

    [Fact]
    public void A_card_with_one_direction_only_plays_or_listens_alone()
    {
        _bench.NoCapture = 1;
        var loop = Open(Config(2, 2), out var quantum);
        Assert.Equal((0, 2), (_card.Facts.Inputs, _card.Facts.Outputs));
        Assert.True(loop->Begin());
        Play(loop, quantum, 100);
        End(loop);

        (_bench.NoCapture, _bench.NoPlayback) = (0, 1);
        _bench.InVolts[1] = -4.5f;
        loop = Open(Config(2, 2), out quantum);
        Assert.Equal((2, 0), (_card.Facts.Inputs, _card.Facts.Outputs));
        Assert.True(loop->Begin());
        Play(loop, quantum, 100);
        Assert.Equal(-4.5f, quantum->Heard[1], 1e-5f);
        End(loop);
    }

    [Fact]
    public void A_capture_device_of_its_own_is_used_and_one_that_does_not_open_is_an_error()
    {
        _bench.InVolts[0] = 2;
        var config = Config(1, 1, "silent");
        Encoding.UTF8.GetBytes("bench").CopyTo(new Span<byte>(config.CaptureDevice, 128));
        Assert.Equal(0, AlsaCard.Open(&config, out var card, out _));
        Assert.Equal((1, 1), (card.Facts.Inputs, card.Facts.Outputs));
        card.Close();
        _bench.NoCapture = 1;
        Assert.NotEqual(0, AlsaCard.Open(&config, out _, out var step));
        Assert.Equal(AlsaStep.CaptureDevice, step);
    }

    [Fact]
    public void A_card_that_is_taken_or_cannot_be_mapped_is_an_error_and_not_half_a_card()
    {
        var config = Config(2, 2);
        _bench.Busy = 1;
        Assert.Equal(16, AlsaCard.Open(&config, out _, out var step)); // EBUSY
        Assert.Equal(AlsaStep.Open, step);
        (_bench.Busy, _bench.RefuseMmap) = (0, 1);
        Assert.NotEqual(0, AlsaCard.Open(&config, out _, out step));
        Assert.Equal(AlsaStep.Access, step);
    }

    [Fact]
    public void Capture_by_a_faster_clock_skips_to_stay_with_playback_and_by_a_slower_one_repeats()
    {
        foreach (var ppm in new[] { 40_000, -40_000 })
        {
            _bench.CapturePpm = ppm;
            var before = _rig.Status.LostFrames;
            var loop = Open(Config(1, 1, period: 128, periods: 32), out var quantum);
            Assert.False(_card.IsLinked);
            Assert.True(loop->Begin());
            Play(loop, quantum, 1000); // 0.67 s: 1280 frames apart
            Assert.InRange(_rig.Status.LostFrames - before, 600UL, 2600UL);
            Assert.True(_rig.TakeNotices().Exists(n => n.Kind == NoticeKind.Dropout && n.B == (long)DropoutCause.Drift), "and its cause is told");
            End(loop);
        }
    }

    [Fact]
    public void An_odd_period_brings_whole_quanta_all_the_same()
    {
        (_bench.Format, _bench.Channels, _bench.Period) = (AlsaLibrary.FormatS24Packed + 1, 3, 441);
        _bench.Record = 1;
        var loop = Open(Config(0, 3, period: 480), out var quantum);
        Assert.Equal(441, _card.Facts.Period);
        Assert.True(loop->Begin());
        Play(loop, quantum, 300);
        End(loop);
        Assert.Equal(0UL, _rig.Status.Dropouts);
        var from = 2 * _card.Facts.BufferFrames;
        for (var i = 0; i < 4000; i++) Assert.Equal(Math.Clamp(Math.Round(BenchQuantum.Ramp(i / 2, i % 2) / 10.0 * 8388608), -8388608, 8388607), _bench.Codes[from + i]);
    }

    // Ramps through and beyond full scale, or steady volts, or one volt for jack 1, two for jack 2 and so on; and what it last heard.
    private struct BenchQuantum : IQuantum
    {
        public int Calls, Each;
        public ulong Frame;
        public float Steady;
        public fixed float Heard[8];

        public static float Ramp(long frame, int channel) => (((frame * 7) + (channel * 1000)) % 22_003 / 1000f) - 11f;

        public bool Render(float** inputs, int inputCount, float** outputs, int outputCount, ulong frame)
        {
            for (var j = 0; j < inputCount; j++) Heard[j] = inputs[j][Quantum - 1];
            for (var c = 0; c < outputCount; c++)
            {
                for (var i = 0; i < Quantum; i++)
                    outputs[c][i] = Each != 0 ? c + 1 : Steady != 0 ? Steady : Ramp(((long)Calls * Quantum) + i, c);
            }

            Calls++;
            Frame = frame;
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
