// How often a block may be late, for all that so many blocks have shown: the upper end of an exact confidence interval.
namespace SspHost.Diagnostics.Soak;

/// <summary>
/// The upper bound of C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
/// Biometrika 26 (1934), one-sided. It takes blocks to be independent of each other; late ones come in bursts, so the number of bursts is said beside it.
/// </summary>
public static class LateBound
{
    /// <summary>Confidence that is used everywhere.</summary>
    public const double Confidence = 0.95;

    /// <summary>
    /// The largest rate with which <paramref name="late"/> or fewer of <paramref name="blocks"/> still come with a probability of 1 - confidence. 1
    /// where there were no blocks.
    /// </summary>
    public static double Upper(long late, long blocks, double confidence = Confidence)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(late);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(late, blocks);
        var chance = Math.Log(1 - confidence);
        if (late == blocks) return 1;
        if (late == 0) return -ExpM1(chance / blocks);
        var ways = LogWays(blocks, late);
        var (low, high) = ((double)late / blocks, 1.0);
        for (var i = 0; i < 200 && low < high; i++)
        {
            var middle = low + ((high - low) / 2);
            if (middle <= low || middle >= high) break;
            if (LogAtMost(late, blocks, middle, ways) > chance) low = middle;
            else high = middle;
        }

        return high;
    }

    /// <summary>The fewest blocks that can show a rate below <paramref name="rate"/>, none of them late.</summary>
    public static double FewestBlocks(double rate, double confidence = Confidence) => Math.Ceiling(Math.Log(1 - confidence) / Log1P(-rate));

    // ln of the probability of at most k of n, for p > k / n: the last term of the sum, and the others as ratios to it, which fall.
    private static double LogAtMost(long k, long n, double p, double ways)
    {
        var last = ways + (k * Math.Log(p)) + ((n - k) * Log1P(-p));
        var odds = (1 - p) / p;
        var (sum, term) = (1.0, 1.0);
        for (var i = k; i > 0; i--)
        {
            term *= i / (double)(n - i + 1) * odds;
            sum += term;
            if (term < sum * 1e-17) break;
        }

        return last + Math.Log(sum);
    }

    // .NET's own are e^x - 1 and ln(1 + x), which leave of a small x as few digits as these are there to save; W. Kahan's way round it.
    private static double ExpM1(double x)
    {
        var u = Math.Exp(x);
        return u == 1 ? x : (u - 1) * x / Math.Log(u);
    }

    private static double Log1P(double x)
    {
        var u = 1 + x;
        return u == 1 ? x : Math.Log(u) * x / (u - 1);
    }

    // ln of n over k.
    private static double LogWays(long n, long k)
    {
        if (k > n - k) k = n - k;
        var (sum, lost) = (0.0, 0.0); // Kahan's: as many terms as there were late blocks
        for (long i = 0; i < k; i++)
        {
            var term = Math.Log((n - i) / (double)(i + 1)) - lost;
            var next = sum + term;
            lost = next - sum - term;
            sum = next;
        }

        return sum;
    }
}
