// Files: exactly the frames asked for or fed, whatever the peer does, and in step even where frames are lost.
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio;

public sealed unsafe class StreamCardTests
{
    private const int Rate = 50_000;
    private const ulong FrameNs = 20_000;

    // Passes input jacks through to output jacks.
    private struct Wire : IQuantum
    {
        public int Quantum;
        public VirtualTime* Time;
        public ulong* CostNs;
        public long Costs, Calls;

        public bool Render(float** inputs, int inputCount, float** outputs, int outputCount, ulong frame)
        {
            for (var j = 0; j < outputCount; j++)
            {
                for (var i = 0; i < Quantum; i++) outputs[j][i] = j < inputCount ? inputs[j][i] : 1;
            }

            if (Calls < Costs) Time->Now += CostNs[Calls];
            Calls++;
            return true;
        }

        public readonly bool Resume(float** inputs, int inputCount, float** outputs, int outputCount) => throw new NotSupportedException("nobody is stuck here");

        public readonly void Judge(bool late)
        {
        }

        public readonly void Report(ref AudioStatus status)
        {
        }

        public readonly Culprit Culprit() => Engine.Audio.Culprit.None;
    }

    private sealed class Bench : IDisposable
    {
        public Bench(int quantum, int capacity, int inputChannels, int outputChannels)
        {
            Rig = new LoopRig(quantum);
            var inputBytes = sizeof(StreamRing) + (capacity * inputChannels * 4L);
            var outputBytes = sizeof(StreamRing) + (capacity * outputChannels * 4L);
            Bytes = 64 + ((inputBytes + 63) & ~63L) + outputBytes;
            Region = Rig.Zeroed<byte>(Bytes);
            Input = (StreamRing*)(Region + 64);
            Output = (StreamRing*)(Region + 64 + ((inputBytes + 63) & ~63L));
            (Input->Channels, Input->Capacity) = (inputChannels, capacity);
            (Output->Channels, Output->Capacity) = (outputChannels, capacity);
            Render = Rig.Zeroed<Wire>(1);
            Render->Quantum = quantum;
            Render->Time = Rig.Time;
            Config = new AudioConfig
            {
                Rate = Rate, Quantum = quantum, Period = quantum, Periods = 2, Inputs = 2, Outputs = 2,
                InputStream = (byte*)Input - Region, OutputStream = (byte*)Output - Region,
            };
        }

        public LoopRig Rig { get; }
        public byte* Region { get; }
        public long Bytes { get; }
        public StreamRing* Input { get; }
        public StreamRing* Output { get; }
        public Wire* Render { get; }
        public AudioConfig Config;

        public void Feed(float[][] frames, ref int fed, int count)
        {
            var room = Input->Capacity - (int)(Input->Tail - Volatile.Read(ref Input->Head));
            count = Math.Min(Math.Min(count, room), frames.Length - fed);
            var samples = (float*)((byte*)Input + sizeof(StreamRing));
            for (var i = 0; i < count; i++, fed++)
            {
                var at = (long)((Input->Tail + (ulong)i) % (ulong)Input->Capacity) * Input->Channels;
                for (var c = 0; c < Input->Channels; c++) samples[at + c] = frames[fed][c];
            }

            Volatile.Write(ref Input->Tail, Input->Tail + (ulong)count);
            if (fed == frames.Length) Volatile.Write(ref Input->Ended, 1);
        }

        public void Drain(List<float[]> taken, int count)
        {
            count = Math.Min(count, (int)(Volatile.Read(ref Output->Tail) - Output->Head));
            var samples = (float*)((byte*)Output + sizeof(StreamRing));
            for (var i = 0; i < count; i++)
            {
                var at = (long)((Output->Head + (ulong)i) % (ulong)Output->Capacity) * Output->Channels;
                taken.Add(new ReadOnlySpan<float>(samples + at, Output->Channels).ToArray());
            }

            Volatile.Write(ref Output->Head, Output->Head + (ulong)count);
        }

        public void Dispose() => Rig.Dispose();
    }

    private static float[][] Recording(Random random, int frames, int channels) =>
        [.. Enumerable.Range(0, frames).Select(_ => Enumerable.Range(0, channels).Select(_ => random.Next(-32768, 32768) / 32768f).ToArray())];

    [Fact]
    public void A_recording_comes_out_as_it_went_in_to_the_frame_however_unevenly_the_rings_are_served()
    {
        var random = new Random(6);
        for (var round = 0; round < 25; round++)
        {
            var quantum = 16 << random.Next(5);
            var recording = Recording(random, random.Next(0, 6000), 2);
            var asked = random.Next(2) == 0 ? 0 : random.Next(1, 7000);
            using var bench = new Bench(quantum, 512 << random.Next(3), 2, 2);
            bench.Config.Frames = (ulong)asked;
            Assert.True(StreamEnds.TryOpen(bench.Config, bench.Region, bench.Bytes, out var ends));
            var loop = bench.Rig.Zeroed<AudioLoop<StreamCard, Wire>>(1);
            *loop = new(new StreamCard(bench.Config, ends), bench.Render, bench.Rig.Setup);

            var engine = new Thread(() => loop->Run());
            engine.Start();
            var taken = new List<float[]>();
            var fed = 0;
            while (loop->End == AudioEnd.None || Volatile.Read(ref bench.Output->Tail) != bench.Output->Head)
            {
                bench.Feed(recording, ref fed, random.Next(0, 700));
                bench.Drain(taken, random.Next(0, 700));
            }

            engine.Join();
            var length = asked > 0 ? asked : recording.Length;
            Assert.Equal(AudioEnd.DeviceEnded, loop->End);
            Assert.Equal(length, taken.Count);
            for (var f = 0; f < length; f++)
            {
                for (var c = 0; c < 2; c++) Assert.Equal(f < recording.Length ? recording[f][c] : 0, taken[f][c], 1e-7f);
            }

            var ended = Assert.Single(bench.Rig.TakeNotices());
            Assert.Equal((NoticeKind.DeviceEnded, (long)length), (ended.Kind, ended.A));
            Assert.Equal(0UL, bench.Rig.Status.Late); // nobody listens: nothing can be late
        }
    }

    [Fact]
    public void Jacks_without_a_channel_are_silent_and_channels_without_a_jack_too()
    {
        using var bench = new Bench(quantum: 32, capacity: 256, inputChannels: 1, outputChannels: 4);
        var recording = Recording(new Random(7), 100, 1);
        (bench.Config.Inputs, bench.Config.Outputs) = (3, 3);
        Assert.True(StreamEnds.TryOpen(bench.Config, bench.Region, bench.Bytes, out var ends));
        var fed = 0;
        bench.Feed(recording, ref fed, 100);
        var loop = bench.Rig.Zeroed<AudioLoop<StreamCard, Wire>>(1);
        *loop = new(new StreamCard(bench.Config, ends), bench.Render, bench.Rig.Setup);
        loop->Run();
        var taken = new List<float[]>();
        bench.Drain(taken, int.MaxValue);
        Assert.Equal(100, taken.Count);
        for (var f = 0; f < 100; f++) Assert.Equal([recording[f][0], 0, 0, 0], taken[f]);
    }

    [Fact]
    public void Without_rings_it_renders_the_frames_asked_for_and_ends()
    {
        using var bench = new Bench(quantum: 64, capacity: 256, inputChannels: 1, outputChannels: 1);
        (bench.Config.InputStream, bench.Config.OutputStream, bench.Config.Frames) = (0, 0, 1000);
        Assert.True(StreamEnds.TryOpen(bench.Config, bench.Region, bench.Bytes, out var ends));
        var loop = bench.Rig.Zeroed<AudioLoop<StreamCard, Wire>>(1);
        *loop = new(new StreamCard(bench.Config, ends), bench.Render, bench.Rig.Setup);
        loop->Run();
        Assert.Equal(AudioEnd.DeviceEnded, loop->End);
        Assert.Equal(16, bench.Render->Calls);
        Assert.Equal(1000, Assert.Single(bench.Rig.TakeNotices()).A);
    }

    [Fact]
    public void A_stop_ends_it_even_when_its_peers_are_gone()
    {
        using var bench = new Bench(quantum: 32, capacity: 64, inputChannels: 1, outputChannels: 1);
        Assert.True(StreamEnds.TryOpen(bench.Config, bench.Region, bench.Bytes, out var ends));
        var loop = bench.Rig.Zeroed<AudioLoop<StreamCard, Wire>>(1);
        *loop = new(new StreamCard(bench.Config, ends), bench.Render, bench.Rig.Setup);
        loop->RequestStop(1 << 20);
        loop->RequestStop(48);
        var engine = new Thread(() => loop->Run());
        engine.Start();
        Assert.True(engine.Join(120_000));
        Assert.Equal(AudioEnd.Stopped, loop->End);
    }

    [Fact]
    public void Rings_that_do_not_lie_in_the_region_or_make_no_sense_are_refused()
    {
        using var bench = new Bench(quantum: 64, capacity: 256, inputChannels: 2, outputChannels: 2);
        var good = bench.Config;
        bool Opens(AudioConfig c) => StreamEnds.TryOpen(c, bench.Region, bench.Bytes, out _);
        Assert.True(Opens(good));
        foreach (var offset in new[] { -64, 8, bench.Bytes, bench.Bytes - 64, long.MaxValue, long.MinValue, long.MaxValue & ~63L })
        {
            Assert.False(Opens(good with { InputStream = offset }));
            Assert.False(Opens(good with { OutputStream = offset }));
        }

        foreach (var (channels, capacity) in new[] { (0, 256), (-1, 256), (33, 256), (2, 0), (2, -256), (2, 100), (2, 64), (2, 1 << 30), (32, 1 << 12) })
        {
            (bench.Output->Channels, bench.Output->Capacity) = (channels, capacity);
            Assert.False(Opens(good), $"{channels} channels, {capacity} frames");
        }
    }

    [Fact]
    public void A_paced_recording_stays_in_step_with_its_output_through_any_faults()
    {
        var random = new Random(8);
        long staged = 0;
        for (var round = 0; round < 60; round++)
        {
            var quantum = 16 << random.Next(4);
            var recording = Recording(random, random.Next(1, 12_000), 2);
            var asked = random.Next(2) == 0 ? 0 : random.Next(1, 14_000);
            using var bench = new Bench(quantum, 16_384, 2, 2);
            (bench.Config.Frames, bench.Config.Period) = ((ulong)asked, random.Next(8, 300));
            var costs = Enumerable.Range(0, 2000)
                .Select(_ => random.Next(30) == 0 ? (ulong)random.Next(1, 1500) * FrameNs : (ulong)random.Next(quantum * 15_000)).ToArray();
            bench.Render->CostNs = bench.Rig.Zeroed<ulong>(costs.Length);
            bench.Render->Costs = costs.Length;
            costs.CopyTo(new Span<ulong>(bench.Render->CostNs, costs.Length));
            var fed = 0;
            bench.Feed(recording, ref fed, recording.Length);

            Assert.True(StreamEnds.TryOpen(bench.Config, bench.Region, bench.Bytes, out var ends));
            var loop = bench.Rig.Zeroed<AudioLoop<PacedStreamCard<VirtualClock>, Wire>>(1);
            *loop = new(new PacedStreamCard<VirtualClock>(new VirtualClock(bench.Rig.Time), bench.Config, ends), bench.Render, bench.Rig.Setup);
            loop->Run();
            Assert.Equal(AudioEnd.DeviceEnded, loop->End);

            var taken = new List<float[]>();
            bench.Drain(taken, int.MaxValue);
            var length = asked > 0 ? asked : recording.Length;
            Assert.Equal(length, taken.Count);
            long missing = 0;
            for (var f = 0; f < length; f++)
            {
                var came = f < recording.Length ? recording[f] : [0, 0];
                if (taken[f][0] == 0 && taken[f][1] == 0 && (came[0] != 0 || came[1] != 0)) missing++;
                else for (var c = 0; c < 2; c++) Assert.Equal(came[c], taken[f][c], 1e-7f);
            }

            // Exactly the frames each notice names are missing, as far as there was a recording.
            var end = Math.Min(length, recording.Length);
            var notices = bench.Rig.TakeNotices();
            var named = notices.Where(n => n.Kind == NoticeKind.Dropout).Sum(n => Math.Clamp((long)n.Frame + n.A, 0, end) - Math.Clamp((long)n.Frame, 0, end));
            Assert.Equal(named, missing);
            Assert.Equal((long)length, notices[^1].A);
            staged += missing;
        }

        Assert.True(staged > 1000, "faults were staged");
    }

    [Fact]
    public void While_the_peer_keeps_a_paced_recording_waiting_its_clock_stands_still_and_nothing_is_lost()
    {
        var random = new Random(9);
        using var bench = new Bench(quantum: 32, capacity: 256, inputChannels: 2, outputChannels: 2);
        var recording = Recording(random, 5000, 2);
        Assert.True(StreamEnds.TryOpen(bench.Config, bench.Region, bench.Bytes, out var ends));
        bench.Config.Periods = 1000; // this machine may be busy: only the peer is slow here
        var loop = bench.Rig.Zeroed<AudioLoop<PacedStreamCard<MonotonicClock>, Wire>>(1);
        *loop = new(new PacedStreamCard<MonotonicClock>(default, bench.Config, ends), bench.Render, bench.Rig.Setup);
        var engine = new Thread(() => loop->Run());
        engine.Start();
        var taken = new List<float[]>();
        var fed = 0;
        while (loop->End == AudioEnd.None || Volatile.Read(ref bench.Output->Tail) != bench.Output->Head)
        {
            Thread.Sleep(random.Next(0, 12)); // 256 frames last 5 ms
            bench.Feed(recording, ref fed, 256);
            bench.Drain(taken, 256);
        }

        engine.Join();
        Assert.Equal((0UL, 5000), (bench.Rig.Status.Dropouts, taken.Count));
        for (var f = 0; f < 5000; f++) Assert.Equal(recording[f][0], taken[f][0], 1e-7f);
    }

    // A clock that also is the peer: it feeds a quantum at a time, but once it pauses; each look at the clock then takes 5 ms.
    private struct PumpState
    {
        public const ulong Look = 5_000_000;

        public ulong Now, Paused, Pause, PauseAt;
        public StreamRing* Input;
        public int Looks; // within a wait; before the third, the card waits for its own time and not for the peer
        public bool Waiting;
    }

    private readonly struct PumpClock(PumpState* state) : ICardClock
    {
        private readonly PumpState* _state = state;

        public ulong Now()
        {
            var s = _state;
            if (!s->Waiting || s->Input->Tail != s->Input->Head) return s->Now;
            if (s->Input->Head != s->PauseAt || s->Paused >= s->Pause) s->Input->Tail += 32;
            else if (++s->Looks > 2) (s->Now, s->Paused) = (s->Now + PumpState.Look, s->Paused + PumpState.Look);
            return s->Now;
        }

        public void SleepUntil(ulong time) => (_state->Now, _state->Looks) = (Math.Max(_state->Now, time), 0);
    }

    private struct PumpedCard(PumpState* state, PacedStreamCard<PumpClock> card) : ICard
    {
        private readonly PumpState* _state = state;
        private PacedStreamCard<PumpClock> _card = card;

        public readonly CardFacts Facts => _card.Facts;

        public readonly int Error => 0;

        public ulong Now() => _card.Now();

        public int Start() => _card.Start();

        public CardWait Wait(int quantum, ulong timeoutNs)
        {
            (_state->Waiting, _state->Looks) = (true, 0);
            var wait = _card.Wait(quantum, timeoutNs);
            _state->Waiting = false;
            return wait;
        }

        public void Capture(float** inputs, int frames) => _card.Capture(inputs, frames);

        public CardState Play(float** outputs, int frames) => _card.Play(outputs, frames);

        public CardRecovery Recover() => _card.Recover();

        public readonly void Rescale(JackBench* lines) => _card.Rescale(lines);

        public readonly void Stop() => _card.Stop();
    }

    [Theory]
    [InlineData(40_000_000UL)] // within one wait
    [InlineData(300_000_000UL)] // several waits that time out
    [InlineData(2_500_000_000UL)] // longer than a card of hardware may stand still
    public void A_peer_that_pauses_is_no_late_wake_up_no_dropout_and_no_lost_device(ulong pause)
    {
        using var bench = new Bench(quantum: 32, capacity: 256, inputChannels: 2, outputChannels: 2);
        bench.Config.OutputStream = 0;
        Assert.True(StreamEnds.TryOpen(bench.Config, bench.Region, bench.Bytes, out var ends));
        var pump = bench.Rig.Zeroed<PumpState>(1);
        pump->Input = bench.Input;
        (pump->Pause, pump->PauseAt) = (pause, 320);
        var loop = bench.Rig.Zeroed<AudioLoop<PumpedCard, Wire>>(1);
        *loop = new(new PumpedCard(pump, new(new PumpClock(pump), bench.Config, ends)), bench.Render, bench.Rig.Setup);
        Assert.True(loop->Begin());
        while (bench.Render->Calls < 100) Assert.True(loop->Step());
        Assert.Equal(pause, pump->Paused);
        var s = bench.Rig.Status;
        Assert.Equal((0UL, 0UL, 0UL), (s.Late, s.Dropouts, s.LostFrames));
        Assert.Empty(bench.Rig.TakeNotices());
        Assert.Equal(0UL, bench.Rig.Histogram(HistogramKind.Wake)->Max); // the pause is not our lateness
    }
}
