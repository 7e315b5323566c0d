// The blocks that keep time: glides, slews, clocks that are followed, phases that are locked, durations, powers.
namespace SspHost.Dsp.Tests;

public class TimingBlockTests
{
    [Fact]
    public void A_power_of_two_is_exact_to_the_last_bits()
    {
        for (var x = -60.0; x <= 60.0; x += 0.37) Assert.InRange((Power.Exp2(x) / Math.Pow(2.0, x)) - 1.0, -2e-15, 2e-15);
        Assert.Equal(1024.0, Power.Exp2(10.0));
        Assert.Equal(1.0, Power.Exp2(0.0));
    }

    [Fact]
    public void Seconds_that_mean_whole_frames_are_whole_frames_and_others_are_not()
    {
        foreach (var rate in new[] { 44_100f, 48_000f, 192_000f })
        {
            for (var frames = 10; frames < 4_000_000; frames += 1 + (frames / 7)) Assert.Equal(frames, Duration.Frames((float)(frames / (double)rate), rate));
        }

        Assert.Equal(137.75, Duration.Frames(137.75f / 48_000f, 48_000f), 1e-4);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1_000_000)]
    public void A_glide_arrives_in_its_frames_and_is_there_exactly(int frames)
    {
        var glide = default(LinearGlide);
        glide.Jump(-1f);
        glide.GoTo(3f, frames);
        Assert.Equal(-1f, glide.Next());
        for (var i = 1; i < frames; i++) glide.Next();
        Assert.True(glide.AtRest);
        Assert.Equal(3f, glide.Next());
    }

    [Fact]
    public void A_slew_of_any_bend_takes_its_frames_for_ten_volts()
    {
        foreach (var bend in new[] { 0f, 0.1f, 0.5f, 1f })
        {
            foreach (var frames in new[] { 1, 2, 10, 777, 48_000, 3_840_000 })
            {
                var shape = new SlewShape(bend, frames);
                var slew = default(SlewLimiter);
                for (var i = 0; i < frames - 1; i++) slew.Next(10f, in shape, in shape);
                Assert.Equal(10f, slew.Next(10f, in shape, in shape));
                Assert.Equal(1, slew.Direction); // not a frame too early
                slew.Next(10f, in shape, in shape);
                Assert.Equal(0, slew.Direction);
            }
        }
    }

    [Fact]
    public void A_curve_is_undone_by_its_inverse()
    {
        foreach (var bend in new[] { -1f, -0.5f, 0f, 0.3f, 1f })
        {
            var curve = new Curve(bend);
            for (var p = 0.05f; p < 1f; p += 0.05f) Assert.Equal(curve.At(p), curve.At(curve.Inverse(curve.At(p))), 1e-5);
        }
    }

    [Fact]
    public void A_clock_is_measured_and_a_pause_says_nothing()
    {
        var clock = default(ClockFollower);
        foreach (var (frames, period) in new[] { (100, 100), (120, 120), (90, 90), (360, 90), (100, 100) })
        {
            if (!clock.Started) clock.Next(true);
            for (var i = 1; i < frames; i++) clock.Next(false);
            clock.Next(true);
            Assert.Equal(period, clock.Period);
            Assert.Equal(0, clock.Since);
        }
    }

    [Fact]
    public void A_locked_phase_stays_locked_over_a_hundred_thousand_rises()
    {
        var clock = default(ClockFollower);
        var phase = default(PhaseLock);
        const int Period = 13;
        for (long frame = 0; frame < 100_000L * Period; frame++)
        {
            var rises = frame % Period == 0;
            clock.Next(rises);
            phase.Next(in clock, rises, 3, 7);
            if (frame < 100_000L * Period - 1000) continue;
            var expected = frame % (7 * Period) * 3.0 / (7 * Period) % 1.0;
            var off = phase.Turns - expected;
            Assert.InRange(off - Math.Round(off), -1e-9, 1e-9);
        }
    }

    [Fact]
    public void A_random_state_that_is_saved_goes_on_where_it_was()
    {
        var a = new Xorshift(5);
        for (var i = 0; i < 10; i++) a.Next();
        var b = new Xorshift(6) { State = a.State };
        for (var i = 0; i < 10; i++) Assert.Equal(a.Next(), b.Next());
        var sum = 0.0;
        for (var i = 0; i < 100_000; i++)
        {
            var x = a.NextUnipolar();
            Assert.InRange(x, 0f, 0.99999999f);
            sum += x;
        }

        Assert.InRange(sum / 100_000, 0.497, 0.503);
    }
}
