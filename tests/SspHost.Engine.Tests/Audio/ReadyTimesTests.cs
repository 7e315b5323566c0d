// Timestamps that deserve belief, and those that do not.
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio;

public sealed class ReadyTimesTests
{
    private const ulong Millisecond = 1_000_000;
    private const int Rate = 48_000, Period = 48; // a millisecond
    private const ulong Latency = 30_000; // of the wake-up

    private readonly List<long> _leaps = [];
    private ReadyTimes _times = new(Rate);
    private ulong _frame, _due = 5_000_000_000;

    /// <summary>A wake-up a period after the last one, with a timestamp that is off; how far what is believed is from the truth.</summary>
    private long Wake(long off = 0, ulong? instead = null, double speed = 1, ulong periods = 1)
    {
        _frame += periods * Period;
        _due += (ulong)(periods * Millisecond / speed);
        var believed = _times.Believe(new CardWait { ReadyAt = instead ?? _due + (ulong)off, ReadyFrame = _frame }, _due + Latency, out var leap, out var ns);
        if (leap) _leaps.Add(ns);
        return (long)(believed - _due);
    }

    [Theory]
    [InlineData(5_000_000_000UL)]
    [InlineData(0UL)]
    [InlineData((1UL << 63) - 500_000_000)]
    [InlineData(ulong.MaxValue - 10_000_000_000)]
    public void A_steady_card_is_believed_to_the_ns_whatever_the_clock_says(ulong begin)
    {
        _due = begin;
        for (var i = 0; i < 5000; i++) Assert.Equal(0, Wake());
        Assert.Empty(_leaps);
    }

    [Theory]
    [InlineData(1.001)]
    [InlineData(0.999)]
    public void A_card_that_drifts_is_believed_for_hours_and_so_is_one_that_changes_its_mind(double speed)
    {
        for (var i = 0; i < 3_600_000; i++)
        {
            if (i % 1000 == 0) speed = 2 - speed;
            Assert.Equal(0, Wake(speed: i < 1_800_000 ? speed : 1.001));
        }

        Assert.Equal(0, Wake(periods: 3_600_000, speed: 1.001)); // an hour in which nobody looked
        Assert.Empty(_leaps);
    }

    [Fact]
    public void Jitter_of_a_millisecond_is_a_cards_nature()
    {
        var random = new Random(1);
        for (var i = 0; i < 100_000; i++)
        {
            var off = random.Next(-1_000_000, 1);
            Assert.Equal(off, Wake(off));
        }

        Assert.Empty(_leaps);
    }

    [Theory]
    [InlineData(3_000_000)]
    [InlineData(-3_000_000)]
    [InlineData(4_000_000_000)]
    [InlineData(-4_000_000_000)]
    public void A_leap_that_goes_back_counts_once_and_what_the_rate_says_is_used_meanwhile(long leap)
    {
        for (var i = 0; i < 100; i++) Wake();
        Assert.Equal(0, Wake(leap));
        for (var i = 0; i < 1000; i++) Assert.Equal(0, Wake());
        Assert.Equal(leap, Assert.Single(_leaps));
    }

    [Theory]
    [InlineData(3_000_000, 1.0)]
    [InlineData(-4_000_000_000, 1.0)]
    [InlineData(-4_000_000_000, 1.001)]
    [InlineData(4_000_000_000, 0.999)]
    public void A_leap_that_stays_counts_once_and_lateness_is_told_as_before(long leap, double speed)
    {
        for (var i = 0; i < 1000; i++) Wake(speed: speed);
        for (var i = 0; i < 10_000; i++) Assert.InRange(Wake(leap, speed: speed), -2010, 2010); // two periods of drift
        Assert.InRange(Assert.Single(_leaps), leap - 2000, leap + 2000);
        for (var i = 0; i < 1000; i++) Assert.InRange(Wake(speed: speed), -5000, 5000);
        Assert.Equal(2, _leaps.Count); // back again is another leap
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Timestamps_that_stand_still_or_are_missing_count_once_for_as_long_as_they_are(bool missing)
    {
        for (var round = 1; round <= 3; round++)
        {
            for (var i = 0; i < 500; i++) Assert.Equal(0, Wake());
            var frozen = missing ? 0 : _due;
            for (var i = 0; i < 2000; i++) Assert.Equal(0, Wake(instead: frozen));
            Assert.Equal(round, _leaps.Count);
            Assert.Equal(0, _leaps[^1]);
        }
    }

    [Fact]
    public void A_clock_that_runs_at_half_speed_does_not_take_belief_along_step_by_step()
    {
        for (var i = 0; i < 1000; i++) Wake();
        for (var i = 0; i < 5000; i++) Wake(-(i * (long)Millisecond / 2));
        Assert.NotEmpty(_leaps);
    }

    [Fact]
    public void A_time_to_come_is_never_believed()
    {
        for (var i = 0; i < 10; i++) Assert.InRange(Wake(1_500_000), 0, (long)Latency);
    }

    [Fact]
    public void A_card_that_cannot_tell_its_frame_is_taken_at_its_word_and_the_next_one_is_a_new_base()
    {
        for (var i = 0; i < 10; i++) Wake();
        Assert.Equal(100UL, _times.Believe(new CardWait { ReadyAt = 100 }, 200, out var leap, out _));
        Assert.False(leap);
        _frame += 1_000_000; // restarted, by another count
        for (var i = 0; i < 10; i++) Assert.Equal(0, Wake());
        _frame = 0;
        for (var i = 0; i < 10; i++) Assert.Equal(0, Wake());
        Assert.Empty(_leaps);
    }

    [Fact]
    public void A_card_whose_time_stood_still_with_its_frames_has_not_leapt()
    {
        for (var i = 0; i < 10; i++) Wake();
        _times.StoodStill(700 * Millisecond);
        _due += 700 * Millisecond;
        for (var i = 0; i < 10; i++) Assert.Equal(0, Wake());
        Assert.Empty(_leaps);
    }
}
