// The bound on the rate of late blocks, held against exact arithmetic and against published tables.
using System.Numerics;
using SspHost.Diagnostics.Soak;

namespace SspHost.Soak.Tests;

public sealed class LateBoundTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(59)]
    [InlineData(3_000)]
    [InlineData(270_000)]
    [InlineData(50_000_000)]
    [InlineData(100_000_000_000)]
    public void Without_a_late_block_it_is_the_closed_form_and_nearly_three_over_their_number(long blocks)
    {
        var bound = LateBound.Upper(0, blocks);
        // (1 - bound)^n = 0.05, by a sum that loses nothing for a small bound
        var logarithm = 0.0;
        for (var i = 1; i < 200; i++) logarithm -= Math.Pow(bound, i) / i;
        Assert.Equal(Math.Log(0.05), bound > 0.9 ? Math.Log(1 - bound) * blocks : logarithm * blocks, 1e-9 * 3);
        if (blocks > 1000) Assert.InRange(bound * blocks, 2.99, 3.0); // the rule of three
    }

    [Fact]
    public void At_the_bound_so_few_late_blocks_come_with_a_probability_of_exactly_a_twentieth()
    {
        for (var n = 1; n <= 60; n += n < 10 ? 1 : 7)
        {
            for (var k = 0; k < n; k += n < 10 ? 1 : 3) Assert.Equal(0.05, AtMost(k, n, LateBound.Upper(k, n)), 1e-12);
            Assert.Equal(1, LateBound.Upper(n, n));
        }
    }

    /// <summary>Upper ends of two-sided 90 % intervals of the binomial distribution, as tables have them.</summary>
    [Theory]
    [InlineData(10, 0, 0.2589)]
    [InlineData(10, 1, 0.3942)]
    [InlineData(10, 2, 0.5069)]
    [InlineData(10, 5, 0.7776)]
    [InlineData(20, 0, 0.1391)]
    [InlineData(20, 1, 0.2161)]
    [InlineData(20, 2, 0.2826)]
    [InlineData(50, 1, 0.0914)]
    [InlineData(100, 1, 0.0466)]
    [InlineData(100, 5, 0.1023)]
    public void It_is_what_tables_have(int blocks, int late, double upper) => Assert.Equal(upper, LateBound.Upper(late, blocks), 0.00005);

    /// <summary>Upper 95 % limits of a Poisson mean (F. Garwood, Biometrika 28, 1936): what it becomes where blocks are many.</summary>
    [Fact]
    public void Of_a_billion_blocks_it_is_Garwoods_limit()
    {
        double[] limits = [2.996, 4.744, 6.296, 7.754, 9.154, 10.513, 11.842, 13.148, 14.435, 15.705, 16.962];
        for (var k = 0; k < limits.Length; k++) Assert.Equal(limits[k], LateBound.Upper(k, 1_000_000_000) * 1e9, 0.0006);
    }

    [Fact]
    public void It_grows_with_late_blocks_shrinks_with_blocks_and_is_never_below_what_was_seen()
    {
        var random = new Random(1);
        for (var i = 0; i < 500; i++)
        {
            var blocks = random.NextInt64(2, 1L << random.Next(2, 40));
            var late = Math.Min(blocks - 1, random.NextInt64(0, 1L << random.Next(1, 20)));
            var bound = LateBound.Upper(late, blocks);
            Assert.InRange(bound, late / (double)blocks, 1);
            Assert.True(LateBound.Upper(late + 1, blocks) > bound && LateBound.Upper(late, 2 * blocks) < bound, $"{late} of {blocks}");
            Assert.True(LateBound.Upper(late, blocks, 0.99) > bound);
        }
    }

    [Theory]
    [InlineData(1e-6)]
    [InlineData(0.01)]
    [InlineData(1e-9)]
    public void The_fewest_blocks_that_can_show_a_rate_can_and_one_fewer_cannot(double rate)
    {
        var fewest = (long)LateBound.FewestBlocks(rate);
        Assert.True(LateBound.Upper(0, fewest + 1) < rate);
        Assert.True(LateBound.Upper(0, fewest - 1) > rate);
    }

    [Fact]
    public void More_late_blocks_than_blocks_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => LateBound.Upper(2, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => LateBound.Upper(-1, 1));
    }

    // The sum over binomial probabilities in whole numbers: a double is a fraction m / 2^e.
    private static double AtMost(int k, int n, double p)
    {
        var bits = BitConverter.DoubleToInt64Bits(p);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var m = new BigInteger((bits & ((1L << 52) - 1)) | (1L << 52));
        var e = 1075 - exponent;
        var one = BigInteger.One << e;
        var (sum, ways) = (BigInteger.Zero, BigInteger.One);
        for (var i = 0; i <= k; i++)
        {
            sum += ways * BigInteger.Pow(m, i) * BigInteger.Pow(one - m, n - i);
            ways = ways * (n - i) / (i + 1);
        }

        return (double)((sum << 80) / BigInteger.Pow(one, n)) / Math.Pow(2, 80);
    }
}
