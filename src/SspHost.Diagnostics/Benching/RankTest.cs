// Are two lists of runs different beyond chance? Nothing is assumed of how times are spread.
namespace SspHost.Diagnostics.Benching;

/// <summary>
/// The test of Mann and Whitney (1947), two-sided. Exact, with equal values taken as they are: of all ways to deal the values out to the two sides,
/// how many are at least as uneven as this one?
/// </summary>
public static class RankTest
{
    /// <summary>Up to so many values in all every way is counted; beyond, the normal approximation is good to three digits.</summary>
    public const int MostExact = 60;

    /// <summary>How likely lists as different as these are if there is no difference, 0..1; 1 where one of them is empty.</summary>
    public static double TwoSided(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        if (a.Count == 0 || b.Count == 0) return 1;
        var ranks = DoubledRanks(a, b);
        var sum = 0L;
        for (var i = 0; i < a.Count; i++) sum += ranks[i];
        return ranks.Length <= MostExact ? Exact(ranks, a.Count, sum) : Approximate(ranks, a.Count, sum);
    }

    /// <summary>The least that <see cref="TwoSided"/> can be with so many runs: two over the ways to choose one side.</summary>
    public static double Least(int a, int b)
    {
        var ways = 1.0;
        for (var i = 1; i <= Math.Min(a, b); i++) ways = ways * (Math.Max(a, b) + i) / i;
        return Math.Min(1, 2 / ways);
    }

    // Twice the rank, so that the mean rank of equal values is a whole number.
    private static int[] DoubledRanks(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        var values = a.Concat(b).ToArray();
        var order = Enumerable.Range(0, values.Length).OrderBy(i => values[i]).ToArray();
        var ranks = new int[values.Length];
        for (var from = 0; from < order.Length;)
        {
            var to = from;
            while (to + 1 < order.Length && values[order[to + 1]] == values[order[from]]) to++;
            for (var i = from; i <= to; i++) ranks[order[i]] = from + to + 2; // 2 * mean of (from + 1 .. to + 1)
            from = to + 1;
        }

        return ranks;
    }

    // ways[k, s]: subsets of k of the ranks so far whose sum is s.
    private static double Exact(int[] ranks, int count, long sum)
    {
        var most = ranks.Sum();
        var ways = new double[count + 1][];
        for (var k = 0; k <= count; k++) ways[k] = new double[most + 1];
        ways[0][0] = 1;
        foreach (var rank in ranks)
        {
            for (var k = count; k > 0; k--)
            {
                var (to, from) = (ways[k], ways[k - 1]);
                for (var s = most; s >= rank; s--) to[s] += from[s - rank];
            }
        }

        // The distribution is not symmetrical where values are equal: as uneven is what is as far from the mean.
        var (all, uneven) = (0.0, 0.0);
        var mean = (double)count * most / ranks.Length;
        var far = Math.Abs(sum - mean) - 1e-9;
        for (var s = 0; s <= most; s++)
        {
            all += ways[count][s];
            if (Math.Abs(s - mean) >= far) uneven += ways[count][s];
        }

        return Math.Min(1, uneven / all);
    }

    private static double Approximate(int[] ranks, int count, long sum)
    {
        double n = ranks.Length, m = count;
        var mean = m * ranks.Sum(r => (long)r) / n;
        var spread = ranks.Sum(r => (r - (mean / m)) * (r - (mean / m))); // of the ranks themselves: equal values are in it
        var variance = m * (n - m) * spread / (n * (n - 1));
        if (variance <= 0) return 1;
        var z = Math.Max(0, Math.Abs(sum - mean) - 1) / Math.Sqrt(variance); // a step of the doubled sum is 2: half of it for continuity
        return Math.Min(1, Complement(z / Math.Sqrt(2)));
    }

    // erfc for x >= 0 (Abramowitz and Stegun 7.1.26; error below 1.5e-7).
    private static double Complement(double x)
    {
        var t = 1 / (1 + (0.3275911 * x));
        return t * (0.254829592 + (t * (-0.284496736 + (t * (1.421413741 + (t * (-1.453152027 + (t * 1.061405429)))))))) * Math.Exp(-x * x);
    }
}
