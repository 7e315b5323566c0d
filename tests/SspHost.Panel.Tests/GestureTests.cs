// Gestures: what a player meant by presses, turns and waiting.
using SspHost.Panel.Input;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Tests;

public sealed class GestureTests
{
    private const ulong Ms = 1_000_000;

    private readonly GestureReader _reader = new();
    private ulong _now = 1_000 * Ms;

    [Fact]
    public void One_detent_after_a_pause_is_one_and_a_fast_turn_is_worth_eight_times_as_much_at_most()
    {
        Assert.Equal(1, Turn(1, after: 500).Amount);
        var amounts = Enumerable.Range(0, 50).Select(_ => Turn(1, after: 5).Amount).ToList();
        Assert.Equal(amounts.Order(), amounts); // it never jumps back
        Assert.Equal(8, amounts[^1], 6);
        Assert.Equal(1, Turn(1, after: 500).Amount);
    }

    [Fact]
    public void A_slow_turn_is_never_accelerated()
    {
        for (var i = 0; i < 100; i++) Assert.Equal(1, Turn(1, after: 100).Amount);
    }

    [Fact]
    public void Turning_back_begins_anew()
    {
        for (var i = 0; i < 50; i++) _ = Turn(1, after: 5);
        Assert.Equal(-1, Turn(-1, after: 5).Amount);
    }

    [Fact]
    public void With_shift_left_a_detent_is_a_tenth_however_fast()
    {
        Put(Control.ShiftLeft, ControlAction.Press);
        for (var i = 0; i < 50; i++) Assert.Equal(0.1, Turn(1, after: 5).Amount, 9);
    }

    [Fact]
    public void A_push_acts_when_it_is_let_go_and_a_long_one_once_after_half_a_second()
    {
        Put(Control.E1, ControlAction.Press);
        Wait(100);
        Assert.False(_reader.TryTake(out _));
        Put(Control.E1, ControlAction.Release);
        Assert.Equal(GestureKind.Push, Take().Kind);
        Put(Control.E1, ControlAction.Press);
        Wait(600);
        Assert.Equal(GestureKind.LongPush, Take().Kind);
        Wait(600);
        Put(Control.E1, ControlAction.Release);
        Assert.False(_reader.TryTake(out _));
    }

    [Fact]
    public void An_encoder_that_was_turned_while_it_was_pushed_is_not_pushed_when_it_is_let_go()
    {
        Put(Control.E1, ControlAction.Press);
        Assert.True(Turn(1, after: 50).Held);
        Wait(800);
        Put(Control.E1, ControlAction.Release);
        Assert.False(_reader.TryTake(out _));
    }

    [Fact]
    public void A_soft_key_acts_at_once_unless_it_has_a_long_meaning()
    {
        Put(Control.K1, ControlAction.Press);
        Assert.Equal(GestureKind.Key, Take().Kind);
        Put(Control.K1, ControlAction.Release);
        Assert.False(_reader.TryTake(out _));
        _reader.HasLong = _ => true;
        Put(Control.K1, ControlAction.Press);
        Assert.False(_reader.TryTake(out _));
        Put(Control.K1, ControlAction.Release);
        Assert.Equal(GestureKind.Key, Take().Kind);
        Put(Control.K1, ControlAction.Press);
        Wait(600);
        Assert.Equal(GestureKind.LongKey, Take().Kind);
        Put(Control.K1, ControlAction.Release);
        Assert.False(_reader.TryTake(out _));
    }

    [Fact]
    public void An_arrow_repeats_while_it_is_held_and_stops_when_its_body_is_gone()
    {
        Put(Control.Down, ControlAction.Press);
        Assert.Equal(Control.Down, Take().Control);
        for (var i = 0; i < 100; i++) Wait(10);
        var repeats = 0;
        while (_reader.TryTake(out _)) repeats++;
        Assert.InRange(repeats, 6, 7); // 400 ms, then each 90
        _reader.Gone(0);
        Wait(1000);
        Assert.False(_reader.TryTake(out _));
    }

    [Fact]
    public void Shift_right_alone_is_back_and_with_a_key_it_is_not()
    {
        Put(Control.ShiftRight, ControlAction.Press);
        Put(Control.ShiftRight, ControlAction.Release);
        Assert.Equal(GestureKind.Back, Take().Kind);
        Put(Control.ShiftRight, ControlAction.Press);
        Put(Control.K2, ControlAction.Press);
        Put(Control.K2, ControlAction.Release);
        Put(Control.ShiftRight, ControlAction.Release);
        Assert.Equal(GestureKind.Key, Take().Kind);
        Assert.False(_reader.TryTake(out _));
    }

    [Fact]
    public void Whatever_comes_in_whatever_order_it_never_throws_and_everything_let_go_leaves_nothing_held()
    {
        var random = new Random(7);
        for (var i = 0; i < 200_000; i++)
        {
            _now += (ulong)random.Next(0, 300) * Ms;
            _reader.Put(new ControlEvent((Control)random.Next(0, 20), (ControlAction)random.Next(0, 4), random.Next(-200, 200), _now, (byte)random.Next(3)));
            if (random.Next(4) == 0) _reader.Tick(_now);
            if (random.Next(50) == 0) _reader.Gone((byte)random.Next(3));
            while (_reader.TryTake(out var g)) Assert.True(double.IsFinite(g.Amount) && Math.Abs(g.Amount) <= 800);
        }

        for (byte s = 0; s < 3; s++) _reader.Gone(s);
        for (var c = Control.E1; c <= Control.ShiftRight; c++) Assert.False(_reader.Down(c));
    }

    private Gesture Turn(int detents, ulong after)
    {
        Wait(after);
        Put(Control.E1, ControlAction.Turn, detents);
        return Take();
    }

    private void Wait(ulong ms)
    {
        _now += ms * Ms;
        _reader.Tick(_now);
    }

    private void Put(Control control, ControlAction action, int value = 0) => _reader.Put(new ControlEvent(control, action, value, _now));

    private Gesture Take()
    {
        Assert.True(_reader.TryTake(out var g));
        return g;
    }
}
