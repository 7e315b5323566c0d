// Moments to frames: the distance between two events is the distance between their sounds, whatever happens in between.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.Engine.Events;
using SspHost.Engine.Tests.Audio;

namespace SspHost.Engine.Tests.Events;

public sealed unsafe class EventClockTests
{
    private const ulong Second = 1_000_000_000, Start = 5 * Second;

    // A card with its own crystal, woken each period with some jitter in its timestamps; events are read with a delay of their own.
    private sealed class World : IDisposable
    {
        private readonly Seqlock<FrameAnchor>* _published = (Seqlock<FrameAnchor>*)NativeMemory.AllocZeroed((nuint)sizeof(Seqlock<FrameAnchor>));
        private readonly Random _random;
        private readonly int _rate, _quantum, _period;
        private readonly double _framesPerNs, _jitterNs;
        private FrameClock _clock;
        private ulong _counted;

        public World(int rate, int quantum, int period, double ppm, double jitterNs, int seed)
        {
            (_rate, _quantum, _period, _jitterNs) = (rate, quantum, period, jitterNs);
            _framesPerNs = rate * (1 + (ppm * 1e-6)) / 1e9;
            _random = new Random(seed);
            _clock = new FrameClock(rate);
            Clock = new EventClock(_published) { MarginNs = EventClock.RealTimeNs };
        }

        public EventClock Clock;

        /// <summary>What the card has counted at a moment, fractions included.</summary>
        public double Counted(ulong time) => (time - Start) * _framesPerNs;

        /// <summary>Frames that the audio thread has rendered by a moment: all that were counted when it was woken last.</summary>
        public ulong Rendered { get; private set; }

        public void PlayUntil(ulong time)
        {
            while (Counted(time) >= _counted + (ulong)_period)
            {
                _counted += (ulong)_period;
                var at = Start + (ulong)(_counted / _framesPerNs) + (ulong)(_jitterNs * _random.NextDouble());
                _published->Write(_clock.Update(_counted, at, _rate, _quantum));
                Rendered = _counted;
            }
        }

        public void Dispose() => NativeMemory.Free(_published);
    }

    [Theory]
    [InlineData(48_000, 32, 32, 0, 0)]
    [InlineData(48_000, 32, 32, 80, 20_000)]
    [InlineData(44_100, 64, 256, -150, 30_000)]
    [InlineData(96_000, 16, 48, 40, 10_000)]
    [InlineData(192_000, 256, 441, -60, 5_000)]
    public void Frames_lie_as_far_apart_as_the_moments_and_none_comes_late(int rate, int quantum, int period, double ppm, double jitterNs)
    {
        using var world = new World(rate, quantum, period, ppm, jitterNs, seed: rate + quantum);
        var random = new Random(period);
        var now = Start + (4 * Second); // the clock has had time to find the card's drift
        world.PlayUntil(now);
        double? latency = null;
        for (var n = 0; n < 5000; n++)
        {
            var happened = now + (ulong)random.Next(3_000_000);
            var read = happened + (ulong)random.Next((int)EventClock.RealTimeNs);
            world.PlayUntil(read);
            Assert.True(world.Clock.Look(read));
            var frame = world.Clock.FrameOf(happened);
            Assert.True(frame >= world.Rendered, $"event {n}: frame {frame}, {world.Rendered} are rendered");

            // As measured by the card itself, that is by what is heard: always the same, but for the rounding of both and a tenth of the jitter.
            var after = frame - world.Counted(happened);
            latency ??= after;
            var jitter = jitterNs * rate / 1e9;
            Assert.InRange(after - latency.Value, -1.0 - (jitter / 10), 1.0 + (jitter / 10));
            Assert.InRange(after - world.Clock.LatencyFrames, -1.0 - jitter, 1.0 + jitter);
            now = happened;
        }

        Assert.Equal((ulong)quantum + ((ulong)rate / 1000), world.Clock.LatencyFrames);
    }

    [Fact]
    public void A_leap_of_the_card_is_followed_at_once_and_a_clock_that_stands_still_is_none()
    {
        using var world = new World(48_000, 32, 32, 0, 0, 1);
        Assert.False(world.Clock.Look(Start)); // nothing plays yet
        world.PlayUntil(Start + Second);
        Assert.True(world.Clock.Look(Start + Second));
        var clock = new FrameClock(48_000);
        _ = clock.Update(1000, Start, 48_000, 32);
        var anchor = clock.Update(1032, Start + Second, 48_000, 32); // stood still for a second
        Assert.Equal((1032UL, Start + Second), (anchor.Frame, anchor.Time));
        anchor = clock.Update(0, Start + Second + 1, 48_000, 32); // began anew
        Assert.Equal((0UL, Start + Second + 1), (anchor.Frame, anchor.Time));
        Assert.False(world.Clock.Look(Start + (10 * Second)));
    }

    [Fact]
    public void The_audio_loop_publishes_the_cards_clock_and_takes_it_back_when_it_ends()
    {
        const int Rate = 50_000; // a frame lasts 20,000 ns exactly
        using var rig = new LoopRig(32);
        var anchors = rig.Zeroed<Seqlock<FrameAnchor>>(1);
        rig.Setup.Anchor = anchors;
        var config = new AudioConfig { Rate = Rate, Quantum = 32, Period = 96, Periods = 4, Inputs = 1, Outputs = 1 };
        var card = new SimulatedCard<VirtualClock>(new VirtualClock(rig.Time), config, rig.Jacks(1 << 14, 1, 1));
        var loop = rig.Zeroed<AudioLoop<SimulatedCard<VirtualClock>, ScriptedQuantum>>(1);
        *loop = new(card, rig.Render, rig.Setup);
        Assert.True(loop->Begin());
        var began = rig.Time->Now;
        for (var step = 0; step < 50; step++)
        {
            Assert.True(loop->Step());
            Assert.True(anchors->TryReadOnce(out var anchor));
            Assert.Equal((Rate, 32), (anchor.Rate, anchor.Quantum));
            Assert.Equal(began + (anchor.Frame * 20_000), anchor.Time);
            Assert.Equal(rig.Render->LastFrame + 32, anchor.Frame); // what was counted is what has been rendered
        }

        loop->RequestStop(0);
        while (loop->Step())
        {
        }

        Assert.True(anchors->TryReadOnce(out var none));
        Assert.Equal(0, none.Rate);
    }
}
