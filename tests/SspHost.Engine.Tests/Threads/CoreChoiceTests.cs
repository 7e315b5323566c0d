// Which cores RT threads get, on machines we do not have.
using SspHost.Engine.Threads;

namespace SspHost.Engine.Tests.Threads;

public sealed class CoreChoiceTests
{
    private static CoreInfo[] Equal(int count, params int[] isolated) =>
        [.. Enumerable.Range(0, count).Select(n => new CoreInfo(n, 1024, isolated.Contains(n)))];

    // Four A53 and two A72, as their device tree scales them.
    private static readonly CoreInfo[] Rk3399 = [.. Enumerable.Range(0, 6).Select(n => new CoreInfo(n, n < 4 ? 485 : 1024, Isolated: false))];

    private static int[] Choose(CoreInfo[] cores, int threads, params int[] wanted)
    {
        var chosen = new int[threads];
        Assert.Equal(-1, CoreChoice.Choose(cores, wanted, chosen));
        return chosen;
    }

    [Fact]
    public void One_core_carries_everything()
    {
        Assert.Equal(1, CoreChoice.DefaultThreads(Equal(1)));
        Assert.Equal([0], Choose(Equal(1), 1));
        Assert.Equal([0, -1], Choose(Equal(1), 2));
    }

    [Fact]
    public void Of_two_cores_the_audio_thread_gets_the_one_that_is_not_core_0()
    {
        Assert.Equal(1, CoreChoice.DefaultThreads(Equal(2)));
        Assert.Equal([1], Choose(Equal(2), 1));
        Assert.Equal([1, 0], Choose(Equal(2), 2)); // two threads were asked for, and there is no other core
    }

    [Fact]
    public void Of_four_equal_cores_three_render()
    {
        Assert.Equal(3, CoreChoice.DefaultThreads(Equal(4)));
        Assert.Equal([1, 2, 3], Choose(Equal(4), 3));
        Assert.Equal([1, 2, 3, 0, -1], Choose(Equal(4), 5));
    }

    [Fact]
    public void Big_cores_come_before_little_ones()
    {
        Assert.Equal(5, CoreChoice.DefaultThreads(Rk3399));
        Assert.Equal([4, 5, 1, 2, 3], Choose(Rk3399, 5));
        Assert.Equal([4], Choose(Rk3399, 1));
    }

    [Fact]
    public void The_usual_boards_use_their_fast_cores_first_and_keep_house_on_a_slow_one()
    {
        CoreInfo[] rk3588 = [.. Enumerable.Range(0, 8).Select(n => new CoreInfo(n, n < 4 ? 530 : n < 6 ? 1024 : 1003, Isolated: false))];
        Assert.Equal(7, CoreChoice.DefaultThreads(rk3588));
        Assert.Equal([4, 5, 6, 7, 1, 2, 3], Choose(rk3588, 7));
        Assert.Equal(0, CoreChoice.Housekeeping(rk3588));
        Assert.Equal([1, 2, 3], Choose(Equal(4), CoreChoice.DefaultThreads(Equal(4)))); // RK3566: four A55
        CoreInfo[] bigFirst = [.. Enumerable.Range(0, 4).Select(n => new CoreInfo(n, n < 2 ? 1024 : 446, Isolated: false))];
        Assert.Equal([1, 2, 3], Choose(bigFirst, 3)); // core 0 is fast there, and still the last one taken
    }

    [Fact]
    public void Cores_of_one_design_are_one_class_and_boost_clocks_make_no_other()
    {
        Assert.Equal([(4, 1f)], Classes(Equal(4)));
        Assert.Equal([(2, 1f), (4, 485 / 1024f)], Classes(Rk3399));
        CoreInfo[] rk3588 = [.. Enumerable.Range(0, 8).Select(n => new CoreInfo(n, n < 4 ? 530 : n < 6 ? 1024 : 1003, Isolated: false))];
        Assert.Equal([(4, 1f), (4, 530 / 1024f)], Classes(rk3588));
        var classes = new CoreClasses(rk3588);
        Assert.Equal([1, 1, 1, 1, 0, 0, 0, 0], rk3588.Select(c => classes.Of(c.Number)));
        Assert.Equal(1, classes.Of(-1)); // may run anywhere: reckoned as slow
        Assert.Equal(1, classes.Of(99));
        CoreInfo[] phone = [new(0, 250, false), new(1, 260, false), new(2, 500, false), new(3, 800, false), new(4, 1024, false)];
        Assert.Equal([(1, 1f), (1, 800 / 1024f), (3, 250 / 1024f)], Classes(phone)); // a fourth class counts with the third, as its slowest
        Assert.Equal([], Classes([]));
    }

    [Fact]
    public void Every_core_is_of_one_class_and_no_class_holds_a_slower_core_than_the_next()
    {
        var random = new Random(8);
        for (var round = 0; round < 2000; round++)
        {
            CoreInfo[] cores = [.. Enumerable.Range(0, random.Next(1, 17)).Select(n => new CoreInfo(n, random.Next(1, 1025), Isolated: false))];
            var classes = new CoreClasses(cores);
            Assert.Equal(cores.Length, Enumerable.Range(0, classes.Count).Sum(classes.Cores));
            foreach (var a in cores)
            {
                Assert.InRange(classes.Capacity(classes.Of(a.Number)), 0.0001f, classes.Of(a.Number) == 0 ? 1f : a.Capacity / (float)cores.Max(c => c.Capacity));
                foreach (var b in cores)
                    Assert.True(a.Capacity < b.Capacity || classes.Of(a.Number) <= classes.Of(b.Number));
            }
        }
    }

    private static IEnumerable<(int, float)> Classes(CoreInfo[] cores)
    {
        var classes = new CoreClasses(cores);
        return Enumerable.Range(0, classes.Count).Select(c => (classes.Cores(c), classes.Capacity(c)));
    }

    [Fact]
    public void Without_capacities_the_highest_clocks_tell_the_cores_apart_and_without_those_all_are_equal()
    {
        var folder = Directory.CreateTempSubdirectory("ssp-cpu-").FullName;
        try
        {
            File.WriteAllText($"{folder}/online", "0-5\n");
            for (var n = 0; n < 6; n++)
            {
                Directory.CreateDirectory($"{folder}/cpu{n}/cpufreq");
                File.WriteAllText($"{folder}/cpu{n}/cpufreq/cpuinfo_max_freq", n < 4 ? "1416000\n" : "1800000\n");
            }

            Assert.Equal([805, 805, 805, 805, 1024, 1024], Topology.Read(folder, _ => true).Select(c => c.Capacity));
            File.WriteAllText($"{folder}/cpu2/cpufreq/cpuinfo_max_freq", "fast\n");
            Assert.All(Topology.Read(folder, _ => true), c => Assert.Equal(1024, c.Capacity)); // not of all: of none
            File.WriteAllText($"{folder}/cpu5/cpu_capacity", "1024\n");
            File.WriteAllText($"{folder}/cpu0/cpu_capacity", "485\n");
            Assert.Equal([485, 1024, 1024, 1024, 1024, 1024], Topology.Read(folder, _ => true).Select(c => c.Capacity)); // what is stated counts
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Isolated_cores_come_before_fast_ones_and_decide_how_many_threads_there_are()
    {
        CoreInfo[] cores = [.. Rk3399.Select(c => c with { Isolated = c.Number is 2 or 3 or 5 })];
        Assert.Equal(3, CoreChoice.DefaultThreads(cores));
        Assert.Equal([5, 2, 3], Choose(cores, 3));
        Assert.Equal([5, 2, 3, 4, 1, 0], Choose(cores, 6));
    }

    [Fact]
    public void Core_0_isolated_is_still_the_housekeeping_core()
    {
        Assert.Equal(0, CoreChoice.Housekeeping(Equal(2, 0, 1)));
        Assert.Equal([1], Choose(Equal(2, 0, 1), 1));
    }

    [Fact]
    public void Where_core_0_is_not_ours_the_lowest_ordinary_core_keeps_house()
    {
        CoreInfo[] cores = [new(2, 1024, Isolated: true), new(3, 1024, Isolated: false), new(7, 1024, Isolated: false)];
        Assert.Equal(3, CoreChoice.Housekeeping(cores));
        Assert.Equal([2, 7, 3], Choose(cores, 3));
    }

    [Fact]
    public void Cores_named_are_honoured_and_the_rest_is_chosen_around_them()
    {
        Assert.Equal([0, 1, 2], Choose(Equal(4), 3, 0));
        Assert.Equal([1, 3, 2], Choose(Equal(4), 3, -1, 3));
        Assert.Equal([2, 2], Choose(Equal(4), 2, 2, 2));
    }

    [Fact]
    public void A_core_that_is_not_there_names_the_thread_it_was_wanted_for()
    {
        Assert.Equal(1, CoreChoice.Choose(Equal(4), [1, 9], new int[3]));
    }

    [Fact]
    public void Choices_are_distinct_and_the_housekeeping_core_is_last_on_any_machine()
    {
        var random = new Random(4);
        for (var round = 0; round < 2000; round++)
        {
            CoreInfo[] cores =
                [.. Enumerable.Range(0, random.Next(1, 24)).Where(_ => random.Next(5) > 0).DefaultIfEmpty(0).Select(n => new CoreInfo(n, random.Next(1, 1025), random.Next(3) == 0))];
            var threads = random.Next(1, 17);
            var chosen = Choose(cores, threads);
            var pinned = chosen.Where(c => c >= 0).ToArray();
            Assert.Equal(pinned.Length, pinned.Distinct().Count());
            Assert.Equal(Math.Min(threads, cores.Length), pinned.Length);
            var house = Array.IndexOf(chosen, CoreChoice.Housekeeping(cores));
            Assert.True(house < 0 || house == cores.Length - 1);
            Assert.True(CoreChoice.DefaultThreads(cores) <= Math.Max(1, cores.Length - 1));
        }
    }

    [Theory]
    [InlineData("0-3", new[] { 0, 1, 2, 3 })]
    [InlineData("2-3,5\n", new[] { 2, 3, 5 })]
    [InlineData("0\n", new[] { 0 })]
    [InlineData("7,1,3-4", new[] { 1, 3, 4, 7 })]
    [InlineData("", new int[0])]
    [InlineData("\n", new int[0])]
    [InlineData("nonsense", new int[0])]
    [InlineData("1-", new int[0])]
    [InlineData("-1", new int[0])]
    [InlineData("3-1", new int[0])]
    [InlineData("1,,2", new int[0])]
    [InlineData("1-2-3", new int[0])]
    [InlineData("0-99999999", new int[0])]
    [InlineData("1;2", new int[0])]
    [InlineData("2-3,x", new int[0])]
    public void Core_lists_of_the_kernel_are_read_whole_or_not_at_all(string text, int[] expected) =>
        Assert.Equal(expected, Topology.ParseList(text));

    [Fact]
    public void The_topology_is_read_from_a_folder_and_garbage_counts_as_absent()
    {
        var folder = Directory.CreateTempSubdirectory("ssp-cpu-").FullName;
        try
        {
            Assert.Equal([new CoreInfo(0, 1024, Isolated: false)], Topology.Read(folder, _ => true));

            File.WriteAllText($"{folder}/online", "0-4\n");
            File.WriteAllText($"{folder}/isolated", "3-4\n");
            foreach (var (core, capacity) in new[] { (0, "485\n"), (1, "many\n"), (2, "-5\n"), (3, "1024\n"), (4, "99999\n") })
            {
                Directory.CreateDirectory($"{folder}/cpu{core}");
                File.WriteAllText($"{folder}/cpu{core}/cpu_capacity", capacity);
            }

            Assert.Equal(
                [new CoreInfo(0, 485, false), new CoreInfo(1, 1024, false), new CoreInfo(3, 1024, true), new CoreInfo(4, 1024, true)],
                Topology.Read(folder, core => core is 0 or 1)); // 2 is not allowed; isolated cores are outside every default mask

            File.WriteAllBytes($"{folder}/isolated", [0xFF, 0x00, 0x31]);
            Assert.DoesNotContain(Topology.Read(folder, _ => true), c => c.Isolated);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void The_topology_of_this_machine_has_as_many_cores_as_the_runtime_counts()
    {
        var cores = Topology.Read();
        Assert.Equal(Environment.ProcessorCount, cores.Count(c => !c.Isolated));
        Assert.Equal(cores.OrderBy(c => c.Number), cores);
    }
}
