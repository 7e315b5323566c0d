// The search for the greatest number that holds, on machines that are made of a rule.
using SspHost.Abi;
using SspHost.Commands;
using SspHost.Modules;
using SspHost.Patching;

namespace SspHost.Bench.Tests;

public sealed class CapacitySearchTests
{
    [Fact]
    public void It_ends_below_the_limit_of_the_machine_by_a_sixteenth_at_most_and_never_above()
    {
        for (var limit = 0; limit <= 700; limit++)
        {
            var trials = 0;
            var found = CapacitySearch.Find(697, n => Holds(n, limit, ref trials), n => Holds(n, limit, ref trials));
            Assert.InRange(found, Math.Min(697, limit - (limit / 16)), Math.Min(697, limit));
            Assert.InRange(trials, 1, 24);
        }
    }

    [Fact]
    public void What_short_trials_let_pass_is_proved_at_the_full_length_or_goes_down_until_it_is()
    {
        for (var limit = 1; limit <= 300; limit += 7)
        {
            var real = limit * 3 / 4; // a long trial meets what a short one misses
            var proofs = new List<int>();
            var found = CapacitySearch.Find(500, n => n <= limit, n =>
            {
                proofs.Add(n);
                return n <= real;
            });
            Assert.True(found <= real);
            Assert.True(found >= (real * 7 / 8) - 1, $"{found} of {real}");
            Assert.Equal(proofs.OrderDescending(), proofs); // never up again
        }
    }

    [Fact]
    public void A_machine_that_holds_nothing_is_said_to_hold_nothing() => Assert.Equal(0, CapacitySearch.Find(500, _ => true, _ => false));

    [Fact]
    public void No_number_beyond_the_engines_limit_is_ever_tried() => Assert.Equal(500, CapacitySearch.Find(500, n => n <= 500, n => n <= 500));

    [Fact]
    public void The_mix_is_what_its_proportions_say()
    {
        var types = new DescriptorIndex(All());
        for (var voices = 0; voices <= 64; voices += 16)
        {
            var count = CapacityPatch.Of(types, voices).Modules.CountBy(m => m.Type).ToDictionary();
            foreach (var each in new[] { "lfo", "vco", "svf", "adsr", "vca" }) Assert.Equal(voices, count.GetValueOrDefault(each));
            Assert.Equal((voices / 4, voices / 8, voices / 16), (count.GetValueOrDefault("mixer"), count.GetValueOrDefault("delay"), count.GetValueOrDefault("reverb")));
        }
    }

    private static List<ModuleDescriptor> All()
    {
        var collector = new Collector([]);
        Catalog.VisitAll(ref collector);
        return collector.All;
    }

    private readonly record struct Collector(List<ModuleDescriptor> All) : IModuleVisitor
    {
        public void Visit<T>() where T : unmanaged, IModule<T> => All.Add(T.Describe());
    }

    private static bool Holds(int n, int limit, ref int trials)
    {
        trials++;
        return n <= limit;
    }
}
