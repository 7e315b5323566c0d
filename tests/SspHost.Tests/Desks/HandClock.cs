// A clock that a test moves, and whose timers go off as it does.
namespace SspHost.Tests.Desks;

internal sealed class HandClock : TimeProvider
{
    private readonly List<HandTimer> _timers = [];

    private TimeSpan _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new HandTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        _timers.Add(timer);
        return timer;
    }

    public void Move(double seconds)
    {
        _now += TimeSpan.FromSeconds(seconds);
        foreach (var t in _timers.ToArray()) t.GoOff();
    }

    private sealed class HandTimer(HandClock clock, Action call) : ITimer
    {
        private TimeSpan? _due;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Assert.Equal(Timeout.InfiniteTimeSpan, period);
            _due = dueTime == Timeout.InfiniteTimeSpan ? null : clock._now + dueTime;
            return true;
        }

        public void GoOff()
        {
            if (_due is not { } due || clock._now < due) return;
            _due = null;
            call();
        }

        public void Dispose() => _due = null;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
