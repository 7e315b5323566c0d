// The cycle clock against the clock it was calibrated by.
using SspHost.Abi;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Tests.Probes;

public sealed class CycleClockTests
{
    [Fact]
    public void Measuring_it_again_changes_nothing_unless_it_takes_longer()
    {
        var (frequency, before) = (CycleClock.Frequency, CycleClock.ToNanoseconds(1UL << 48));
        for (var i = 0; i < 20; i++) CycleClock.Calibrate(200_000);
        CycleClock.Calibrate();
        Assert.Equal((frequency, before), (CycleClock.Frequency, CycleClock.ToNanoseconds(1UL << 48)));
    }

    [Fact]
    public void An_interval_lies_between_the_monotonic_intervals_within_and_around_it()
    {
        for (var round = 0; round < 5; round++)
        {
            var outerStart = Linux.Now();
            var start = CycleClock.Now();
            var innerStart = Linux.Now();
            Thread.Sleep(10);
            var innerEnd = Linux.Now();
            var end = CycleClock.Now();
            var outerEnd = Linux.Now();
            var ns = (double)CycleClock.ToNanoseconds(end - start);
            // 0.1 % for the calibration, and a tick.
            Assert.InRange(ns, ((innerEnd - innerStart) * 0.999) - CycleClock.Resolution, ((outerEnd - outerStart) * 1.001) + CycleClock.Resolution);
        }
    }

    [Fact]
    public void Ticks_become_ns_without_overflow_up_to_a_century()
    {
        var perTick = 1e9 / CycleClock.Frequency;
        foreach (var ticks in new ulong[] { 0, 1, 1000, 1UL << 32, 1UL << 48, (ulong)(CycleClock.Frequency * 3.15e9) })
        {
            var exact = ticks * perTick;
            Assert.InRange(CycleClock.ToNanoseconds(ticks), (exact * (1 - 1e-8)) - 1, (exact * (1 + 1e-8)) + 1);
        }
    }

    [Fact]
    public void Two_anchors_lead_from_ticks_to_the_kernels_clock()
    {
        var best = double.MaxValue;
        for (var tries = 0; tries < 20; tries++) // another program may come between two readings, but not always
        {
            var first = CycleClock.Anchor();
            var (ticks, before) = (CycleClock.Now(), Linux.Now());
            Thread.Sleep(5);
            var second = CycleClock.Anchor();
            Assert.True(second.Ticks > first.Ticks && second.Nanoseconds > first.Nanoseconds);
            Assert.Equal(CycleClock.Frequency, first.Frequency);
            var rate = (double)(second.Nanoseconds - first.Nanoseconds) / (second.Ticks - first.Ticks);
            best = Math.Min(best, Math.Abs(first.Nanoseconds + ((ticks - first.Ticks) * rate) - before));
        }

        Assert.InRange(best, 0, 1_000);
        Assert.InRange(Math.Abs((double)CycleClock.ToNanoseconds(CycleClock.ToTicks(1_000_000)) - 1_000_000), 0, 50);
    }

    [Fact]
    public void It_does_not_run_backwards()
    {
        var last = CycleClock.Now();
        for (var i = 0; i < 100_000; i++)
        {
            var now = CycleClock.Now();
            Assert.True(now >= last);
            last = now;
        }
    }
}
