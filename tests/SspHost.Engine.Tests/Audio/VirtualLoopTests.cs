// The audio loop on a card whose time a test owns: every fault staged, every frame accounted for.
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio;

public sealed unsafe class VirtualLoopTests
{
    private const int Rate = 50_000; // a frame lasts 20,000 ns exactly: expectations are whole numbers
    private const ulong FrameNs = 20_000;

    private static AudioConfig Config(int quantum, int period, int periods, int inputs = 1, int outputs = 2) =>
        new() { Rate = Rate, Quantum = quantum, Period = period, Periods = periods, Inputs = inputs, Outputs = outputs };

    private sealed class Player : IDisposable
    {
        private readonly LoopRig _rig;
        private AudioLoop<SimulatedCard<VirtualClock>, ScriptedQuantum>* _loop;

        public Player(AudioConfig config, long frames = 1 << 16, int fadeIn = 0)
        {
            _rig = new LoopRig(config.Quantum);
            _rig.Setup.FadeIn = fadeIn;
            Jacks = _rig.Jacks(frames, config.Inputs, config.Outputs);
            for (long f = 0; f < frames && config.Inputs > 0; f++) Jacks.Source[f] = -(f + 1);
            Config = config;
            Open();
        }

        public AudioConfig Config { get; }

        public SimulatedJacks Jacks { get; }

        public LoopRig Rig => _rig;

        public ref AudioLoop<SimulatedCard<VirtualClock>, ScriptedQuantum> Loop => ref *_loop;

        public int Buffer { get; private set; }

        public void Open()
        {
            var card = new SimulatedCard<VirtualClock>(new VirtualClock(_rig.Time), Config, Jacks);
            Buffer = card.Facts.BufferFrames;
            _loop = _rig.Zeroed<AudioLoop<SimulatedCard<VirtualClock>, ScriptedQuantum>>(1);
            *_loop = new(card, _rig.Render, _rig.Setup);
        }

        public float Played(long frame, int jack = 0) => Jacks.Played[(jack * Jacks.Frames) + frame];

        public void Begin() => Assert.True(Loop.Begin());

        public void StepUntilRendered(long calls)
        {
            while (_rig.Render->Calls < calls) Assert.True(Loop.Step());
        }

        public void Dispose() => _rig.Dispose();

        /// <summary>
        /// Reads what the converter played: each frame either the one that belongs there or nothing at all; returns the frames of
        /// nothing after the first
        /// buffer and up to the last frame written.
        /// </summary>
        public long CountGaps(out long end)
        {
            end = Jacks.Frames;
            while (end > 0 && float.IsNaN(Played(end - 1))) end--;
            long gaps = 0;
            for (long f = 0; f < end; f++)
            {
                var v = Played(f);
                if (f < Buffer) Assert.True(float.IsNaN(v), "the first buffer is the silence it was filled with");
                else if (float.IsNaN(v)) gaps++;
                else
                {
                    Assert.Equal(f - Buffer + 1, v);
                    if (Config.Inputs > 0) Assert.Equal(-(f - Buffer + 1), Played(f, 1)); // heard exactly one buffer after it came in
                }
            }

            return gaps;
        }
    }

    public static TheoryData<int, int> PeriodsAndQuanta()
    {
        var data = new TheoryData<int, int>();
        foreach (var period in new[] { 1, 16, 48, 100, 128, 441, 1000 })
            foreach (var quantum in new[] { 16, 32, 64, 128, 256 }) data.Add(period, quantum);
        return data;
    }

    [Theory]
    [MemberData(nameof(PeriodsAndQuanta))]
    public void Any_period_with_any_quantum_plays_every_frame_once_and_in_order(int period, int quantum)
    {
        using var p = new Player(Config(quantum, period, 2));
        p.Rig.Script([.. Enumerable.Repeat((ulong)quantum * FrameNs * 3 / 10, 300)]); // 30 % load
        p.Begin();
        p.StepUntilRendered(200);
        var quanta = p.Rig.Render->Calls; // a period may have brought more than one
        Assert.Equal(0, p.CountGaps(out var end));
        Assert.Equal(p.Buffer + (quanta * quantum), end);
        var s = p.Rig.Status;
        Assert.Equal((0UL, 0UL, 0UL), (s.Late, s.Dropouts, s.LostFrames));
        Assert.Equal((ulong)quanta, s.Quanta);
        Assert.Equal((ulong)(quanta * quantum), s.Frames);
        Assert.Equal(0.3f, s.Load, 1e-6f);
        Assert.Empty(p.Rig.TakeNotices());
        Assert.True(p.Rig.Time->Sleeps <= (ulong)quanta, "it sleeps at most once a quantum");
    }

    [Theory]
    [MemberData(nameof(PeriodsAndQuanta))]
    public void The_shortest_buffer_of_any_period_is_long_enough_for_a_renderer_that_just_keeps_up(int period, int quantum)
    {
        using var p = new Player(Config(quantum, period, 2), frames: 1 << 18);
        p.Rig.Script([.. Enumerable.Repeat((ulong)quantum * FrameNs, 600)]); // 100 % load, in whatever phase the period is
        p.Begin();
        p.StepUntilRendered(300);
        p.Rig.Time->Now += (ulong)(p.Buffer + 7) * FrameNs; // and so it is after an xrun has shifted everything
        p.StepUntilRendered(600);
        var s = p.Rig.Status;
        Assert.Equal((0UL, 1UL), (s.Late, s.Dropouts));
    }

    [Theory]
    [InlineData(32, 32, 2)]
    [InlineData(64, 32, 3)]
    [InlineData(128, 128, 4)]
    public void A_quantum_that_takes_several_periods_loses_exactly_the_frames_the_converter_ran_past_and_is_one_incident(int period, int quantum, int periods)
    {
        for (var k = periods + 1; k < periods + 6; k++)
        {
            using var p = new Player(Config(quantum, period, periods));
            p.Rig.Script(0, 0, 0, 0, 0, 0, 0, (ulong)(k * period) * FrameNs); // the eighth takes k periods
            p.Begin();
            p.StepUntilRendered(40);

            // The eighth began at the wake-up at period ceil(8 Q / P) and ended k periods later, all that was rendered meanwhile being
            // lost.
            var began = (8 * quantum) + period - 1;
            began -= began % period;
            var lost = began + (k * period) - (7 * quantum);
            var s = p.Rig.Status;
            Assert.Equal((0UL, 1UL, (ulong)lost), (s.Late, s.Dropouts, s.LostFrames)); // one incident: a dropout, and not late besides
            Assert.Equal(lost, p.CountGaps(out _));
            var notice = Assert.Single(p.Rig.TakeNotices());
            Assert.Equal(NoticeKind.Dropout, notice.Kind);
            Assert.Equal((1UL, (ulong)(7 * quantum), (long)lost), (notice.Incident, notice.Frame, notice.A));
            Assert.Equal(DropoutCause.SlowRender, (DropoutCause)notice.B);
            Assert.Equal((3, 8UL), (notice.Slot, notice.Key));
        }
    }

    [Fact]
    public void A_late_quantum_that_the_buffer_absorbs_is_late_and_loses_nothing()
    {
        using var p = new Player(Config(quantum: 32, period: 32, periods: 3));
        p.Rig.Script(0, 0, 32 * FrameNs * 3 / 2);
        p.Begin();
        p.StepUntilRendered(50);
        var s = p.Rig.Status;
        Assert.Equal((1UL, 0UL, 0UL), (s.Late, s.Dropouts, s.LostFrames));
        Assert.Equal(0, p.CountGaps(out _));
        var notice = Assert.Single(p.Rig.TakeNotices());
        Assert.Equal((NoticeKind.Late, 1UL, 64UL), (notice.Kind, notice.Incident, notice.Frame));
        Assert.Equal(((long)(48 * FrameNs), (long)(32 * FrameNs)), (notice.A, notice.B));
        Assert.Equal((3, 3UL, (long)(48 * FrameNs)), (notice.Slot, notice.Key, notice.C)); // the module that took longest in the third quantum
    }

    [Fact]
    public void A_quantum_of_exactly_its_length_is_not_late_and_one_ns_more_is()
    {
        using var p = new Player(Config(quantum: 32, period: 32, periods: 3));
        p.Rig.Script(32 * FrameNs, (32 * FrameNs) + 1);
        p.Begin();
        p.StepUntilRendered(1);
        Assert.Equal(0UL, p.Rig.Status.Late);
        p.StepUntilRendered(2);
        Assert.Equal(1UL, p.Rig.Status.Late);
    }

    [Fact]
    public void A_wake_up_that_comes_too_late_is_a_dropout_of_that_cause_and_nothing_is_late()
    {
        using var p = new Player(Config(quantum: 32, period: 64, periods: 2));
        p.Begin();
        p.StepUntilRendered(10);
        p.Rig.Time->Oversleep = 200 * FrameNs;
        p.StepUntilRendered(30);

        var s = p.Rig.Status;
        Assert.Equal((0UL, 1UL), (s.Late, s.Dropouts));
        Assert.Equal(64UL + 200UL, s.LostFrames); // the period it was to serve, and the 200 frames it overslept
        Assert.Equal(264, p.CountGaps(out _));
        var notice = Assert.Single(p.Rig.TakeNotices());
        Assert.Equal(DropoutCause.LateWakeUp, (DropoutCause)notice.B);
        Assert.Equal((-1, 0UL, 0L), (notice.Slot, notice.Key, notice.C)); // no module is to blame
        var lost = Assert.Single(p.Rig.Loads().Index(), l => BlockLoad.IsLost(l.Item)); // the block after the gap says so, and that it was itself in time
        Assert.Equal((notice.Frame / 32, false), ((ulong)lost.Index, BlockLoad.IsLate(lost.Item)));
        Assert.Equal(200 * FrameNs, p.Rig.Histogram(HistogramKind.Wake)->Max);
    }

    [Fact]
    public void A_wake_up_within_the_buffer_costs_nothing_but_is_measured()
    {
        using var p = new Player(Config(quantum: 32, period: 32, periods: 4));
        p.Begin();
        p.StepUntilRendered(10);
        p.Rig.Time->Oversleep = (90 * FrameNs) + 7;
        p.StepUntilRendered(30);
        Assert.Equal(0UL, p.Rig.Status.Dropouts);
        Assert.Equal(0, p.CountGaps(out _));
        Assert.Equal((90 * FrameNs) + 7, p.Rig.Histogram(HistogramKind.Wake)->Max);
    }

    [Fact]
    public void Slowness_that_adds_up_over_many_quanta_is_blamed_on_rendering_not_on_the_last_wake_up()
    {
        using var p = new Player(Config(quantum: 32, period: 32, periods: 4));
        p.Rig.Script([.. Enumerable.Repeat(32 * FrameNs * 11 / 10, 100)]); // 110 % load
        p.Begin();
        while (p.Rig.Status.Dropouts == 0) Assert.True(p.Loop.Step());
        var notices = p.Rig.TakeNotices();
        Assert.Equal(DropoutCause.SlowRender, (DropoutCause)notices[^1].B);
        Assert.Equal(NoticeKind.Dropout, notices[^1].Kind);
        Assert.Equal((ulong)p.Rig.Render->Calls - 1, p.Rig.Status.Late); // all were absorbed but the last
        Assert.True(p.Rig.Status.Late >= 15);
    }

    [Fact]
    public void Late_notices_are_limited_to_ten_a_second_while_counter_and_incident_numbers_stay_exact()
    {
        using var p = new Player(Config(quantum: 16, period: 16, periods: 64), frames: 1 << 18);
        // One slow quantum in four, three fast ones pay it back: 5000 late quanta in 6.4 s.
        p.Rig.Script([.. Enumerable.Range(0, 20_000).Select(i => i % 4 == 0 ? 16 * FrameNs * 2 : 0)]);
        p.Begin();
        p.StepUntilRendered(20_000);
        var s = p.Rig.Status;
        Assert.Equal((5000UL, 0UL), (s.Late, s.Dropouts));
        Assert.Equal(5000UL, *p.Rig.Setup.LastIncident);
        var notices = p.Rig.TakeNotices();
        Assert.All(notices, n => Assert.Equal(NoticeKind.Late, n.Kind));
        Assert.InRange(notices.Count, 55, 65);
        for (var i = 1; i < notices.Count; i++)
        {
            Assert.True(notices[i].Time - notices[i - 1].Time >= Incidents.NoticeInterval);
            Assert.True(notices[i].Incident > notices[i - 1].Incident);
        }
    }

    [Fact]
    public void Over_thousands_of_random_faults_every_counter_agrees_with_a_model_and_with_what_was_played()
    {
        var random = new Random(20);
        for (var round = 0; round < 150; round++)
        {
            var quantum = 16 << random.Next(5);
            var period = random.Next(3) == 0 ? quantum : random.Next(8, 600);
            const int Quanta = 400;
            using var p = new Player(Config(quantum, period, random.Next(2, 6)), frames: 1 << 19);
            var quantumNs = (ulong)quantum * FrameNs;
            var costs = new ulong[Quanta];
            for (var i = 0; i < Quanta; i++)
            {
                costs[i] = random.Next(20) switch
                {
                    0 => (ulong)(random.NextDouble() * 6 * p.Buffer * FrameNs),
                    1 => quantumNs + (ulong)random.Next(2),
                    2 => (ulong)(random.NextDouble() * 2 * quantumNs),
                    _ => (ulong)(random.NextDouble() * 0.8 * quantumNs),
                };
            }

            var sleeps = new ulong[4 * Quanta];
            for (var i = 0; i < sleeps.Length; i++) sleeps[i] = random.Next(15) == 0 ? (ulong)(random.NextDouble() * 1.6 * p.Buffer * FrameNs) : (ulong)random.Next(30_000);

            p.Rig.Script(costs);
            p.Begin();
            var model = new Model(quantum, period, p.Buffer, costs, sleeps);
            while (p.Rig.Render->Calls < Quanta)
            {
                p.Rig.Time->Oversleep = sleeps[p.Rig.Time->Sleeps]; // taken only if it sleeps
                Assert.True(p.Loop.Step());
            }

            model.Run(Quanta);
            var s = p.Rig.Status;
            Assert.Equal((model.Late, model.Dropouts, model.Lost), (s.Late, s.Dropouts, s.LostFrames));
            Assert.Equal(model.Late + model.Dropouts, *p.Rig.Setup.LastIncident);
            var notices = p.Rig.TakeNotices();
            Assert.Equal(model.Dropouts, (ulong)notices.Count(n => n.Kind == NoticeKind.Dropout));
            Assert.Equal(model.Lost, (ulong)notices.Where(n => n.Kind == NoticeKind.Dropout).Sum(n => n.A));
            Assert.Equal(notices.Count, notices.Select(n => n.Incident).Distinct().Count());
            Assert.Equal((ulong)p.Rig.Render->Calls, p.Rig.Histogram(HistogramKind.Quantum)->Count);

            var loads = p.Rig.Loads();
            Assert.Equal(s.Quanta, (ulong)loads.Length);
            for (var i = 0; i < Quanta; i++) Assert.Equal((BlockLoad.Units(BlockLoad.Of(costs[i], quantumNs, lost: false)), costs[i] > quantumNs), (BlockLoad.Units(loads[i]), BlockLoad.IsLate(loads[i])));
            Assert.InRange(loads.Count(BlockLoad.IsLost), model.Dropouts > 0 ? 1 : 0, (int)model.Dropouts); // two dropouts may fall between the same blocks

            var gaps = p.CountGaps(out var end);
            Assert.Equal(s.Frames + (ulong)gaps, (ulong)(end - p.Buffer));
            Assert.Equal((long)model.Lost - model.LostAtEnd, gaps);
        }
    }

    // The rules once more, in words of its own: a queue of frames, a converter that eats them.
    private sealed class Model(int quantum, int period, int buffer, ulong[] costs, ulong[] sleeps)
    {
        private ulong _now;
        private long _done, _begun; // periods are counted from where it last began

        public ulong Late, Dropouts, Lost;
        public long LostAtEnd;

        private long Eaten => (long)(_now / FrameNs);

        public void Run(int quanta)
        {
            int rendered = 0, slept = 0;
            while (rendered < quanta)
            {
                if (Eaten < _done + quantum)
                {
                    var boundary = _begun;
                    while (boundary < _done + quantum) boundary += period;
                    _now = Math.Max(_now, (ulong)boundary * FrameNs) + sleeps[slept++];
                }

                if (Underrun()) continue;
                for (var batch = (Eaten - _done) / quantum; batch > 0; batch--)
                {
                    var cost = rendered < costs.Length ? costs[rendered] : 0;
                    rendered++;
                    _now += cost;
                    var late = cost > (ulong)quantum * FrameNs;
                    if (Underrun()) break;
                    if (late) Late++;
                    _done += quantum;
                    LostAtEnd = 0; // what follows is heard again
                }
            }
        }

        private bool Underrun()
        {
            if (Eaten <= _done + buffer) return false;
            Dropouts++;
            Lost += (ulong)(Eaten - _done);
            LostAtEnd += Eaten - _done;
            _done = _begun = Eaten;
            return true;
        }
    }

    [Fact]
    public void Histograms_hold_what_was_measured()
    {
        using var p = new Player(Config(quantum: 64, period: 64, periods: 4));
        var random = new Random(5);
        var costs = Enumerable.Range(0, 500).Select(_ => (ulong)random.Next(1000, (int)(64 * FrameNs))).ToArray();
        p.Rig.Script(costs);
        p.Begin();
        p.StepUntilRendered(500);
        Array.Sort(costs);
        var quantum = p.Rig.Histogram(HistogramKind.Quantum);
        Assert.Equal(500UL, quantum->Count);
        Assert.Equal(costs[^1], quantum->Max);
        Assert.Equal(costs.Aggregate((a, b) => a + b), quantum->Sum);
        foreach (var q in new[] { 0.5, 0.9, 0.99 })
        {
            double exact = costs[(int)Math.Ceiling(q * 500) - 1];
            Assert.InRange(quantum->Percentile(q), exact, exact * 1.0625);
        }

        var load = p.Rig.Histogram(HistogramKind.Load);
        Assert.Equal(500UL, load->Count);
        Assert.Equal(costs[^1] * 1_000_000 / (64 * FrameNs), load->Max);
    }

    [Theory]
    [InlineData(100, 77)]
    [InlineData(480, 240)]
    [InlineData(1, 1)]
    [InlineData(0, 0)]
    public void It_fades_in_from_the_first_frame_and_out_before_it_stops_over_exactly_the_lengths_asked(int fadeIn, int fadeOut)
    {
        using var p = new Player(Config(quantum: 32, period: 48, periods: 3, outputs: 3), fadeIn: fadeIn);
        p.Begin();
        p.StepUntilRendered(40);
        p.Loop.RequestStop(fadeOut);
        var stopFrom = (long)p.Rig.Render->LastFrame + 32;
        while (p.Loop.Step())
        {
        }

        Assert.Equal(AudioEnd.Stopped, p.Loop.End);
        float At(long frame) => p.Played(p.Buffer + frame, 2) / ScriptedQuantum.Constant;
        static double Cosine(double x) => 0.5 - (0.5 * Math.Cos(Math.PI * x));
        for (var f = 0; f < fadeIn; f++) Assert.Equal(Cosine((double)f / fadeIn), At(f), 2e-7);
        for (long f = fadeIn; f < stopFrom; f++) Assert.Equal(1f, At(f));
        for (var f = 0; f < fadeOut; f++) Assert.Equal(Cosine((double)(fadeOut - f) / fadeOut), At(stopFrom + f), 2e-7);
        var last = stopFrom + fadeOut;
        while (!float.IsNaN(At(last))) Assert.Equal(0f, At(last++));
        Assert.True((long)(p.Rig.Time->Now / FrameNs) >= p.Buffer + stopFrom + fadeOut, "the converter has played the end of the fade");
        Assert.Equal(0f, p.Rig.Status.MasterGain);
        Assert.Equal(0UL, p.Rig.Status.Dropouts);
    }

    [Fact]
    public void A_stop_during_the_fade_in_turns_round_without_a_step()
    {
        using var p = new Player(Config(quantum: 32, period: 32, periods: 2, outputs: 3), fadeIn: 1000);
        p.Begin();
        p.StepUntilRendered(12);
        p.Loop.RequestStop(500);
        while (p.Loop.Step())
        {
        }

        var previous = 0f;
        for (long f = 0; !float.IsNaN(p.Played(p.Buffer + f, 2)); f++)
        {
            var v = p.Played(p.Buffer + f, 2) / ScriptedQuantum.Constant;
            Assert.InRange(MathF.Abs(v - previous), 0, MathF.PI / 2 / 500 * 1.01f);
            previous = v;
        }

        Assert.Equal(0f, previous);
    }

    [Fact]
    public void It_can_start_again_and_counters_go_on_while_frames_begin_anew()
    {
        using var p = new Player(Config(quantum: 32, period: 32, periods: 2));
        p.Rig.Script(0, 0, 0, 32 * FrameNs * 10);
        p.Begin();
        p.StepUntilRendered(10);
        p.Loop.RequestStop(0);
        while (p.Loop.Step())
        {
        }

        var before = p.Rig.Status;
        Assert.Equal(1UL, before.Dropouts);
        new Span<float>(p.Jacks.Played, (int)p.Jacks.Frames).Fill(float.NaN);
        p.Open();
        p.Begin();
        p.StepUntilRendered(p.Rig.Render->Calls + 20);
        var s = p.Rig.Status;
        Assert.Equal(before.Quanta + 20, s.Quanta);
        Assert.Equal((before.Late, before.Dropouts, before.LostFrames), (s.Late, s.Dropouts, s.LostFrames));
        Assert.Equal(20UL * 32, s.Frames);
        Assert.Equal(p.Buffer + (20L * 32), LastPlayed(p));

        static long LastPlayed(Player p)
        {
            var end = p.Jacks.Frames;
            while (float.IsNaN(p.Played(end - 1))) end--;
            return end;
        }
    }

    [Fact]
    public void The_status_says_how_it_runs_and_how_loud()
    {
        using var p = new Player(Config(quantum: 64, period: 10, periods: 2, outputs: 3));
        p.Begin();
        p.StepUntilRendered(100);
        var s = p.Rig.Status;
        Assert.Equal((Rate, 64, 10, p.Buffer / 10), (s.Rate, s.Quantum, s.Period, s.Periods));
        Assert.Equal((1, 3, 1, 0), (s.Inputs, s.Outputs, s.Threads, s.RealTime));
        Assert.Equal((42UL, 1f, p.Rig.Time->Now), (s.PlanSerial, s.MasterGain, s.Time));
        Assert.Equal(ScriptedQuantum.Constant, s.OutputPeaks[2]);
        Assert.Equal(6400f, s.OutputPeaks[0]); // the frame counter's last frame
        Assert.Equal(6400f, s.InputPeaks[0]); // negative, as captured
        Assert.NotEqual(0UL, p.Rig.Setup.Header->FirstQuantumAt);
        Assert.Equal(100UL, p.Rig.Setup.Records->Quanta);
    }

    [Fact]
    public void Peaks_stay_for_at_least_50_ms_and_are_gone_after_100()
    {
        using var p = new Player(Config(quantum: 32, period: 32, periods: 2, inputs: 1), frames: 1 << 15);
        new Span<float>(p.Jacks.Source, (int)p.Jacks.Frames).Clear();
        p.Jacks.Source[5000] = 7;
        p.Begin();
        long seenFirst = 0, seenLast = 0;
        while (p.Rig.Render->LastFrame < 20_000)
        {
            Assert.True(p.Loop.Step());
            var s = p.Rig.Status;
            if (s.InputPeaks[0] <= 0) continue;
            if (seenFirst == 0) seenFirst = (long)s.Time;
            seenLast = (long)s.Time;
        }

        Assert.InRange(seenLast - seenFirst, 49_000_000, 101_000_000);
    }

    [Fact]
    public void A_hundred_thousand_quanta_allocate_nothing_managed()
    {
        using var p = new Player(Config(quantum: 16, period: 48, periods: 2), frames: 4096);
        p.Rig.Script([.. Enumerable.Range(0, 100_000).Select(i => i % 1000 == 0 ? 16 * FrameNs * 50 : 16 * FrameNs / 2)]); // dropouts included
        p.Begin();
        p.StepUntilRendered(2000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        while (p.Rig.Render->Calls < 100_000)
        {
            if (!p.Loop.Step()) break;
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(100UL, p.Rig.Status.Dropouts);
        Assert.True(p.Rig.Status.AllocatedBytes < 1 << 16); // what warming up made, and no more
    }
}
