// Keys whose contacts bounce, where the kernel does not debounce.
namespace SspHost.Board.Tests;

public class DebounceTests
{
    private const ulong Ms = 1_000_000;

    [Fact]
    public void A_press_counts_at_its_first_edge_and_its_bounces_do_not()
    {
        var key = new Debounce(5 * Ms);
        key.Start(level: false);
        Assert.True(key.Put(level: true, 100 * Ms, out var told) && told);
        Assert.False(key.Put(level: false, 101 * Ms, out _));
        Assert.False(key.Put(level: true, 102 * Ms, out _));
        Assert.Equal(0UL, key.Due);
        Assert.False(key.Settle(200 * Ms, out _));
    }

    [Fact]
    public void What_it_comes_to_rest_at_counts_when_the_lock_is_over()
    {
        var key = new Debounce(5 * Ms);
        key.Start(level: false);
        key.Put(level: true, 100 * Ms, out _);
        Assert.False(key.Put(level: false, 103 * Ms, out _));
        Assert.Equal(105 * Ms, key.Due);
        Assert.False(key.Settle(104 * Ms, out _));
        Assert.True(key.Settle(105 * Ms, out var told));
        Assert.False(told);
        Assert.Equal(0UL, key.Due);
    }

    [Fact]
    public void Presses_and_releases_alternate_and_end_where_the_contact_rests()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var key = new Debounce(5 * Ms);
            key.Start(level: false);
            var (time, level, last, lastAt) = (1000 * Ms, false, false, 0UL);
            for (var i = 0; i < 200; i++)
            {
                time += (ulong)random.Next(1, 8_000_000);
                level = !level;
                if (key.Due is not 0 and var due && due <= time && key.Settle(due, out var settled)) Changed(settled, due);
                if (key.Put(level, time, out var told)) Changed(told, time);
            }

            if (key.Settle(time + (10 * Ms), out var end)) Changed(end, time + (10 * Ms));
            Assert.Equal(level, last);

            void Changed(bool now, ulong at)
            {
                Assert.NotEqual(last, now);
                Assert.True(at >= lastAt + (5 * Ms));
                (last, lastAt) = (now, at);
            }
        }
    }
}
