// The one decision everything hangs on: whether a seat is still its thread's, when that comes back in the very moment the watchdog takes it.
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Tests.Containment;

public sealed unsafe class SeatTests
{
    [Fact]
    public void A_thread_that_comes_back_to_a_seat_that_was_taken_leaves_alone_what_its_successor_is_in()
    {
        var seat = default(Seat);
        var record = default(ThreadRecord);
        seat.Record = &record;
        var s = &seat;
        for (var times = 0; times < 20; times++)
        {
            var first = s->Mine;
            Seat.Enter(s, first, 3);
            Assert.Equal((4, 4), (record.Current, *Seat.Inside(s, first)));
            Assert.True(Seat.TryTake(s, Seat.Claim(s)));
            var second = s->Mine;
            Seat.Enter(s, second, 7);
            Assert.False(Seat.Leave(s, first));
            Assert.Equal((8, 8), (record.Current, *Seat.Inside(s, second))); // the watchdog sees it, and a fault is told by it
            Assert.True(Seat.Leave(s, second));
            Assert.Equal((0, 0), (record.Current, *Seat.Inside(s, second)));
        }
    }

    [Fact]
    public void A_seat_is_either_kept_by_its_thread_or_taken_by_the_watchdog_and_never_both()
    {
        const int Rounds = 5_000;
        var seat = default(Seat);
        var record = default(ThreadRecord);
        seat.Record = &record;
        var s = &seat;
        long kept = 0, lost = 0, taken = 0, early = 0;
        var call = 0L;
        var stop = 0;
        var owner = new Thread(() =>
        {
            var mine = s->Mine;
            for (var i = 1; Volatile.Read(ref stop) == 0; i++)
            {
                Volatile.Write(ref call, i); // which call of a module this is
                Seat.Enter(s, mine, 0);
                for (var w = i & 31; w > 0; w--) PauseHint.Once();
                if (Seat.Leave(s, mine))
                {
                    kept++;
                    continue;
                }

                Volatile.Write(ref lost, lost + 1);
                mine = s->Mine; // sits down again, as a standby would
            }
        });
        owner.Start();
        for (var claims = 0; claims < Rounds; claims++)
        {
            var seen = Volatile.Read(ref call);
            if (Volatile.Read(ref *Seat.Inside(s, s->Mine)) == 0)
            {
                claims--; // it is between two calls, or has not begun
                continue;
            }

            var mine = Seat.Claim(s);
            if (Volatile.Read(ref *Seat.Inside(s, mine)) == 0 || Volatile.Read(ref call) != seen || !Seat.TryTake(s, mine)) Seat.Withdraw(s, mine);
            else
            {
                taken++;
                // Taken in this call: its thread learns so before it begins another.
                while (true)
                {
                    var now = Volatile.Read(ref call); // before the count: it learns first and begins another afterwards
                    if (Volatile.Read(ref lost) == taken) break;
                    if (now != seen) early++;
                }
            }
        }

        Volatile.Write(ref stop, 1);
        owner.Join();
        Assert.Equal(taken, lost);
        Assert.Equal(0, early);
        Assert.True(taken > 0 && kept > 0, $"{taken} taken, {kept} kept");
        Assert.Equal(0UL, s->Tenure & 1);
    }
}
