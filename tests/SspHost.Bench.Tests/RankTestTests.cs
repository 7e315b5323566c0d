// The rank test against what is known of it from outside: counted by hand, published tables, and every deal of small lists tried.
using SspHost.Diagnostics.Benching;

namespace SspHost.Bench.Tests;

public sealed class RankTestTests
{
    // Greatest U that is significant at 5 % two-sided, from the tables that statistics books print after Mann and Whitney (1947).
    [Theory]
    [InlineData(4, 4, 0)]
    [InlineData(5, 5, 2)]
    [InlineData(6, 6, 5)]
    [InlineData(7, 7, 8)]
    [InlineData(8, 8, 13)]
    [InlineData(9, 9, 17)]
    [InlineData(10, 10, 23)]
    [InlineData(12, 12, 37)]
    [InlineData(15, 15, 64)]
    [InlineData(20, 20, 127)]
    [InlineData(5, 8, 6)]
    [InlineData(4, 10, 5)]
    [InlineData(10, 20, 55)]
    public void Critical_values_are_those_of_the_published_tables(int n, int m, int critical)
    {
        Assert.True(RankTest.TwoSided(A(n, m, critical), B(n, m, critical)) <= 0.05);
        Assert.True(RankTest.TwoSided(A(n, m, critical + 1), B(n, m, critical + 1)) > 0.05);
    }

    // And at 1 %, which is what a comparison asks for.
    [Theory]
    [InlineData(5, 5, 0)]
    [InlineData(6, 6, 2)]
    [InlineData(8, 8, 7)]
    [InlineData(10, 10, 16)]
    [InlineData(20, 20, 105)]
    public void So_they_are_at_one_percent(int n, int m, int critical)
    {
        Assert.True(RankTest.TwoSided(A(n, m, critical), B(n, m, critical)) <= 0.01);
        Assert.True(RankTest.TwoSided(A(n, m, critical + 1), B(n, m, critical + 1)) > 0.01);
    }

    [Fact]
    public void A_complete_separation_has_the_chance_of_two_in_all_choices()
    {
        Assert.Equal(2 / 252.0, RankTest.TwoSided([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]), 1e-12);
        Assert.Equal(2 / 20.0, RankTest.TwoSided([7, 8, 9], [1, 2, 3]), 1e-12);
        for (var n = 1; n <= 12; n++)
        {
            for (var m = 1; m <= 12; m++)
                Assert.Equal(RankTest.Least(n, m), RankTest.TwoSided(Enumerable.Range(0, n).Select(i => (double)i).ToArray(), Enumerable.Range(100, m).Select(i => (double)i).ToArray()), 1e-12);
        }
    }

    [Fact]
    public void Small_lists_with_equal_values_are_as_likely_as_trying_every_deal_says()
    {
        var random = new Random(2);
        for (var round = 0; round < 400; round++)
        {
            var (n, m) = (random.Next(1, 7), random.Next(1, 7));
            var values = Enumerable.Range(0, n + m).Select(_ => (double)random.Next(1 + random.Next(8))).ToArray();
            var p = RankTest.TwoSided(values[..n], values[n..]);
            Assert.Equal(EveryDeal(values, n), p, 1e-9);
            Assert.Equal(p, RankTest.TwoSided(values[n..], values[..n]), 1e-9); // and the sides may be exchanged
        }
    }

    [Fact]
    public void Nothing_is_proved_by_no_runs_or_by_runs_that_are_all_alike()
    {
        Assert.Equal(1, RankTest.TwoSided([], [1, 2, 3]));
        Assert.Equal(1, RankTest.TwoSided([1, 2, 3], []));
        Assert.Equal(1, RankTest.TwoSided([4, 4, 4, 4, 4], [4, 4, 4, 4, 4]), 1e-12);
        Assert.Equal(1, RankTest.TwoSided(new double[50], new double[50])); // by approximation too
    }

    [Fact]
    public void Where_it_no_longer_counts_every_way_it_goes_on_where_it_was()
    {
        var random = new Random(4);
        for (var round = 0; round < 30; round++)
        {
            var shift = random.NextDouble();
            double[] Runs(int count, double at) => [.. Enumerable.Range(0, count).Select(_ => at + random.NextDouble())];
            var (a, b) = (Runs(30, 0), Runs(30, shift));
            var exact = RankTest.TwoSided(a, b);
            // One more value in the middle of both moves the sum by hardly anything, and to the other method.
            var near = RankTest.TwoSided([.. a, 0.5 + (shift / 2)], b);
            Assert.InRange(near, (exact * 0.6) - 0.003, (exact * 1.6) + 0.03);
        }
    }

    [Fact]
    public void Of_lists_without_a_difference_one_in_a_hundred_is_called_different_and_no_more()
    {
        var random = new Random(9);
        var (called, rounds) = (0, 20_000);
        for (var round = 0; round < rounds; round++)
        {
            double[] Runs() => [.. Enumerable.Range(0, 8).Select(_ => Math.Pow(random.NextDouble(), 3))];
            if (RankTest.TwoSided(Runs(), Runs()) <= 0.01) called++;
        }

        // 8 and 8: the exact chance of p <= 0.01 is 0.0070; six standard deviations of a count of that chance around it.
        Assert.InRange(called, (0.0070 * rounds) - 72, (0.0070 * rounds) + 72);
    }

    // Lists with a given U: pairs in which a value of A is above one of B.
    private static double[] A(int n, int m, int u)
    {
        var above = new int[n];
        for (var i = n - 1; i >= 0 && u > 0; i--)
        {
            above[i] = Math.Min(m, u);
            u -= above[i];
        }

        return [.. above.Select((k, i) => k + 0.5 + (i / 1000.0))];
    }

    private static double[] B(int n, int m, int u) => [.. Enumerable.Range(1, m).Select(i => (double)i)];

    private static double EveryDeal(double[] values, int n)
    {
        double U(Func<int, bool> mine)
        {
            var u = 0.0;
            for (var i = 0; i < values.Length; i++)
                for (var j = 0; j < values.Length; j++)
                    if (mine(i) && !mine(j)) u += values[i] > values[j] ? 1 : values[i] == values[j] ? 0.5 : 0;
            return u;
        }

        var middle = n * (values.Length - n) / 2.0;
        var far = Math.Abs(U(i => i < n) - middle) - 1e-9;
        var (all, uneven) = (0, 0);
        for (var deal = 0; deal < 1 << values.Length; deal++)
        {
            if (System.Numerics.BitOperations.PopCount((uint)deal) != n) continue;
            all++;
            var d = deal;
            if (Math.Abs(U(i => (d >> i & 1) != 0) - middle) >= far) uneven++;
        }

        return uneven / (double)all;
    }
}
