// What is counted of loads, held against sorting them and against looking at each.
using FsCheck;
using FsCheck.Fluent;
using SspHost.Abi;
using SspHost.Diagnostics.Soak;

namespace SspHost.Soak.Tests;

public sealed class LoadTallyTests
{
    [Fact]
    public void Counts_runs_worst_and_quantiles_are_what_sorting_says_however_the_values_come()
    {
        // Few different values, so that they repeat; with late, lost and missing ones among them.
        var value = Gen.OneOf(
            Gen.Choose(0, 40).Select(v => (ushort)(v * 200)), Gen.Choose(BlockLoad.One - 2, BlockLoad.One + 2).Select(v => (ushort)v), Gen.Choose(0, 0xFFFE).Select(v => (ushort)v),
            Gen.Elements((ushort)BlockLoad.Most, (ushort)(BlockLoad.Lost | 100), BlockLoad.Missing)).Where(v => BlockLoad.Units(v) != 0x7FFF || v == BlockLoad.Missing);
        Prop.ForAll(value.ArrayOf().ToArbitrary(), ArbMap.Default.ArbFor<byte>(), (values, seed) =>
        {
            var (tally, random) = (new LoadTally(), new Random(seed));
            for (var at = 0; at < values.Length;)
            {
                var piece = random.Next(1, 9);
                var end = Math.Min(values.Length, at + piece);
                tally.Add((ulong)at + 1000, values.AsSpan(at, end - at));
                at = end;
            }

            var seen = values.Where(v => v != BlockLoad.Missing).ToArray();
            var sorted = seen.Select(v => v & 0x7FFF).Order().ToArray();
            var bad = values.Select(v => v != BlockLoad.Missing && ((v & 0x7FFF) > 8192 || (v & 0x8000) != 0)).ToArray();
            var runs = bad.Where((b, i) => b && (i == 0 || !bad[i - 1])).Count();
            if ((tally.Blocks, tally.Missing) != (seen.Length, values.Length - seen.Length)) return false;
            if ((tally.Late, tally.Lost, tally.Bad, tally.BadRuns) != (seen.Count(v => (v & 0x7FFF) > 8192), seen.Count(v => v >= 0x8000), bad.Count(b => b), runs)) return false;
            if (seen.Length == 0) return tally.Worst == -1 && tally.Quantile(0.5) == -1;
            if (tally.Worst != sorted[^1] || tally.WorstBlock != 1000 + (ulong)Array.FindIndex(values, v => v != BlockLoad.Missing && (v & 0x7FFF) == sorted[^1])) return false;
            foreach (var p in new[] { 0, 0.25, 0.5, 0.99, 0.999, 0.9999, 1 })
            {
                var rank = Math.Max(1, (int)Math.Ceiling(p * sorted.Length));
                if (tally.Quantile(p) != sorted[rank - 1]) return false;
            }

            return true;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Skipped_blocks_end_a_run_and_are_not_blocks()
    {
        var tally = new LoadTally();
        ushort late = BlockLoad.One + 1;
        tally.Add(0, [late, late]);
        tally.Skip(5);
        tally.Add(7, [late]);
        Assert.Equal((3, 5, 3, 2), (tally.Blocks, tally.Missing, tally.Bad, tally.BadRuns));
    }

    [Fact]
    public void A_verdict_counts_what_nobody_saw_as_late_and_says_where_a_soak_was_too_short()
    {
        var passed = SoakVerdict.Judge(0, 10_000_000, 0, 1 / 1500.0, 1e-6, null);
        Assert.True(passed.Passed && passed.Why.Length == 0);
        Assert.Equal(1 / passed.Bound / 1500 / 3600, passed.HoursBetween, 1e-9);
        var missing = SoakVerdict.Judge(0, 10_000_000, 30, 1 / 1500.0, 1e-6, null);
        Assert.False(missing.Passed);
        Assert.Equal(LateBound.Upper(30, 10_000_030), missing.Bound);
        Assert.StartsWith("too short to tell: even without a late block it takes 29957", SoakVerdict.Judge(0, 270_000, 0, 1 / 1500.0, 1e-6, null).Why, StringComparison.Ordinal);
        Assert.Equal("blocks may be late more often than they should", SoakVerdict.Judge(20, 10_000_000, 0, 1 / 1500.0, 1e-6, null).Why);
        Assert.Equal((1, false), (SoakVerdict.Judge(0, 0, 0, 1 / 1500.0, 1e-6, null).Bound, SoakVerdict.Judge(0, 10_000_000, 0, 1, 1e-6, "the engine died").Passed));
    }
}
