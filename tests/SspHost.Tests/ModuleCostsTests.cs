// Costs of modules: differences of counters, medians, another quantum, and a file that may be damaged.
using System.Text;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Playing;

namespace SspHost.Tests;

public sealed class ModuleCostsTests : IDisposable
{
    private static readonly ModuleDescriptor[] Types = [.. new[] { "vco", "vcf", "mix" }.Select(id => new ModuleDescriptor { Id = id, Name = id, Family = "", Text = "" })];

    private readonly string _directory = Directory.CreateTempSubdirectory("ssp-costs-").FullName;
    private readonly InstanceRecord[] _table = new InstanceRecord[8];
    private readonly ModuleCosts _costs = new();

    private static CoreClass[] Three => [new(2, 1), new(4, 0.5f), new(1, 0.25f)];

    private string FilePath => Path.Combine(_directory, ModuleCosts.FileName);

    [Fact]
    public void A_cost_is_the_difference_of_the_counters_over_a_window_and_not_what_was_before_it()
    {
        Put(0, 0, calls: 1_000_000, ns: 9_000_000_000);
        Look();
        Assert.Equal(0, _costs.Of("vco", 48_000, 32));
        Run(0, 1000, nsEach: 700);
        Look();
        Assert.Equal(700, _costs.Of("vco", 48_000, 32), 0.01);
    }

    [Fact]
    public void Of_several_instances_the_median_counts_and_sleep_does_not()
    {
        for (var i = 0; i < 4; i++) Put(i, 1);
        Look();
        Run(0, 1000, 100);
        Run(1, 1000, 200);
        Run(2, 1000, 90_000);
        Run(3, 1000, 0);
        _table[3].Slept += 1000;
        Look();
        Assert.Equal(200, _costs.Of("vcf", 48_000, 32), 0.01);
        Put(4, 2);
        Look();
        Run(4, 1000, 300); // half of it asleep: the time was spent in the other half
        _table[4].Slept += 500;
        Look();
        Assert.Equal(600, _costs.Of("mix", 48_000, 32), 0.01);
    }

    [Fact]
    public void Counters_that_restart_or_change_hands_begin_a_new_window()
    {
        Put(0, 0, calls: 5000, ns: 5_000_000);
        Look();
        Put(0, 0, calls: 1000, ns: 1); // the engine restarted
        Look();
        Put(0, 0, calls: 9000, ns: 9_000_000_000, key: 77); // another instance in the slot
        Look();
        _table[0].State = InstanceState.Leaving;
        Run(0, 1000, 1);
        Look();
        Assert.Equal(0, _costs.Of("vco", 48_000, 32));
        Put(0, 0, key: 78);
        Look();
        Run(0, 1000, 50);
        _costs.Restart(); // another engine whose counters happen to be higher
        Look();
        Assert.Equal(0, _costs.Of("vco", 48_000, 32));
    }

    [Fact]
    public void Too_few_quanta_wait_for_more_and_windows_are_averaged()
    {
        Put(0, 0);
        Look();
        Run(0, 200, 1000);
        Look();
        Assert.Equal(0, _costs.Of("vco", 48_000, 32));
        Run(0, 200, 2000);
        Look();
        Assert.Equal(1500, _costs.Of("vco", 48_000, 32), 0.01);
        Run(0, 1000, 3100);
        Look();
        Assert.Equal(1700, _costs.Of("vco", 48_000, 32), 0.01); // an eighth of the way
        for (var i = 0; i < 100; i++)
        {
            Run(0, 1000, 3100);
            Look();
        }

        Assert.Equal(3100, _costs.Of("vco", 48_000, 32), 0.1);
    }

    [Fact]
    public void Another_quantum_is_scaled_by_frames_until_it_is_measured_and_the_unknown_stays_unknown()
    {
        Measure(0, 400, quantum: 32);
        Assert.Equal(1600, _costs.Of("vco", 96_000, 128), 0.01);
        Assert.Equal([400f, 0f, 0f], _costs.For(Types, 48_000, 32));
        Measure(0, 900, quantum: 128);
        Assert.Equal(900, _costs.Of("vco", 48_000, 128), 0.01);
        Assert.Equal(1800, _costs.Of("vco", 48_000, 256), 0.01);
        Assert.Equal(400, _costs.Of("vco", 48_000, 32), 0.01);
        Put(0, 99); // a type that is none
        Look();
        Run(0, 1000, 5);
        Look();
        Assert.Equal(0, _costs.Of("none", 48_000, 32));
    }

    [Fact]
    public void Each_class_of_cores_has_its_own_cost()
    {
        Measure(0, 400, quantum: 32);
        Put(0, 0);
        Look();
        Run(0, 1000, 500); // 700 of them on a fast core at 300 ns, 200 on class 1, 100 on class 2
        RunSlow(0, 200, 800, 100, 1300);
        _table[0].Nanoseconds = (700 * 300) + (200 * 800) + (100 * 1300);
        _table[0].Calls = 1000;
        Look();
        Assert.Equal(400 - (100 / 8.0), _costs.Of("vco", 48_000, 32, 0, Three), 0.01);
        Assert.Equal(800, _costs.Of("vco", 48_000, 32, 1, Three), 0.01);
        Assert.Equal(1300, _costs.Of("vco", 48_000, 32, 2, Three), 0.01);
        Assert.Null(_costs.Save(FilePath));
        var again = ModuleCosts.Load(FilePath, Assert.Fail);
        for (var c = 0; c < 3; c++) Assert.Equal(_costs.For(Types, 48_000, 32, c, Three), again.For(Types, 48_000, 32, c, Three));
    }

    [Fact]
    public void A_few_quanta_on_a_class_say_nothing_of_it()
    {
        Put(0, 0);
        Look();
        Run(0, 1000, 500);
        RunSlow(0, 20, 9000, 1, 9000);
        _table[0].Nanoseconds = (979 * 500) + (21 * 9000);
        Look();
        Assert.Equal([500f, 1000f, 2000f], Enumerable.Range(0, 3).Select(c => _costs.Of("vco", 48_000, 32, c, Three)));
    }

    [Fact]
    public void A_class_never_measured_costs_what_the_nearest_measured_one_does_by_the_ratio_of_capacities()
    {
        Measure(0, 400, quantum: 32);
        Assert.Equal(800, _costs.Of("vco", 48_000, 32, 1, Three), 0.01);
        Assert.Equal(1600, _costs.Of("vco", 48_000, 32, 2, Three), 0.01);
        Assert.Equal(3200, _costs.Of("vco", 48_000, 64, 2, Three), 0.01); // and by frames
        Assert.Equal(0, _costs.Of("vcf", 48_000, 32, 1, Three)); // never measured anywhere: it stays where it is known to fit
        Assert.Equal(0, _costs.Of("vco", 48_000, 32, 2, [new(2, 1), new(4, 0.5f)])); // no such class
        Put(1, 1);
        Look();
        Run(1, 1000, 900); // all of it on class 1
        RunSlow(1, 1000, 900, 0, 0);
        Look();
        Assert.Equal(450, _costs.Of("vcf", 48_000, 32, 0, Three), 0.01);
        Assert.Equal(1800, _costs.Of("vcf", 48_000, 32, 2, Three), 0.01);
    }

    [Fact]
    public void A_file_of_the_version_before_speaks_of_fast_cores()
    {
        File.WriteAllText(FilePath, "{\"version\":1,\"costs\":[{\"module\":\"vco\",\"rate\":48000,\"quantum\":32,\"nanoseconds\":400}]}");
        var costs = ModuleCosts.Load(FilePath, Assert.Fail);
        Assert.Equal(400, costs.Of("vco", 48_000, 32));
        Assert.Equal(800, costs.Of("vco", 48_000, 32, 1, Three));
    }

    [Fact]
    public void What_was_measured_is_known_at_the_next_start()
    {
        Measure(0, 400, quantum: 32);
        Measure(1, 123, quantum: 64);
        Assert.Null(_costs.Save(FilePath));
        var lines = new List<string>();
        var again = ModuleCosts.Load(FilePath, lines.Add);
        Assert.Equal(_costs.For(Types, 48_000, 32), again.For(Types, 48_000, 32));
        Assert.Equal(_costs.For(Types, 48_000, 64), again.For(Types, 48_000, 64));
        _ = ModuleCosts.Load(Path.Combine(_directory, "none"), lines.Add);
        Assert.Empty(lines);
        File.Delete(FilePath);
        Assert.Null(again.Save(FilePath));
        Assert.False(File.Exists(FilePath)); // nothing new, nothing written
        Assert.Contains("not kept", SaveAfterChange(Path.Combine(_directory, "no", "where")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_module_that_never_played_costs_what_the_benchmark_says_until_it_plays()
    {
        Measure(0, 400, quantum: 32);
        const string Report = """
            {"bench":"modules","rate":48000,"modules":[
              {"module":"vco","state":"audio","quantum":32,"p50_ns":999},
              {"module":"vcf","state":"idle","quantum":32,"p50_ns":1},
              {"module":"vcf","state":"audio","quantum":32,"p50_ns":250.5},
              {"module":"vcf","state":"audio","quantum":64,"p50_ns":480}]}
            """;
        Assert.Equal((2, 1), Commands.ModuleTable.Take(Encoding.UTF8.GetBytes(Report), _costs));
        Assert.Equal([400f, 250.5f, 0f], _costs.For(Types, 48_000, 32));
        Assert.Equal(480, _costs.Of("vcf", 48_000, 64));
        Assert.True(_costs.Predict("vcf", 48_000, 32, 260)); // measured again on the bench
        Assert.Null(_costs.Save(FilePath));
        var again = ModuleCosts.Load(FilePath, Assert.Fail);
        Assert.Equal(260, again.Of("vcf", 48_000, 32));
        Assert.False(again.Predict("vco", 48_000, 32, 1));
        Assert.True(again.Predict("vcf", 48_000, 32, 270));
        Assert.False(again.Predict("mix", 48_000, 33, 270));
        Assert.False(again.Predict("mix", 48_000, 32, double.NaN));
        Measure(1, 700, quantum: 32); // the first time in a patch: nothing of the benchmark's figure is left
        Assert.Equal(700, _costs.Of("vcf", 48_000, 32), 0.01);
        Assert.False(_costs.Predict("vcf", 48_000, 32, 1));
    }

    [Fact]
    public void A_damaged_file_is_ignored_with_one_line_and_never_gives_a_cost_that_is_none()
    {
        Measure(0, 400, quantum: 32);
        Measure(1, 123, quantum: 64);
        Assert.Null(_costs.Save(FilePath));
        var good = File.ReadAllBytes(FilePath);
        for (var n = 0; n < good.Length; n++) Assert.True(IsIgnored(good.AsSpan(0, n)));
        foreach (var bad in new[]
        {
            "null", "[]", "{\"version\":4,\"costs\":[]}", "{\"version\":3,\"costs\":[]}", "{\"version\":3,\"costs\":[],\"machine\":\"another\"}", "{\"version\":2,\"costs\":[{\"module\":\"vco\",\"rate\":48000,\"quantum\":32,\"nanoseconds\":1,\"class\":3}]}", "{\"version\":1}", "{\"version\":1,\"costs\":[null]}",
            "{\"version\":1,\"costs\":[{\"module\":null,\"rate\":48000,\"quantum\":32,\"nanoseconds\":1}]}",
            "{\"version\":1,\"costs\":[{\"module\":\"vco\",\"rate\":48000,\"quantum\":0,\"nanoseconds\":1}]}",
            "{\"version\":1,\"costs\":[{\"module\":\"vco\",\"rate\":48000,\"quantum\":32,\"nanoseconds\":-1}]}",
            "{\"version\":1,\"costs\":[{\"module\":\"vco\",\"rate\":48000,\"quantum\":32,\"nanoseconds\":1e30}]}",
        }) Assert.True(IsIgnored(Encoding.UTF8.GetBytes(bad)), bad);
        var random = new Random(5);
        for (var i = 0; i < 3000; i++)
        {
            var damaged = good.ToArray();
            for (var k = random.Next(1, 4); k > 0; k--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            _ = IsIgnored(damaged);
        }
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private bool IsIgnored(ReadOnlySpan<byte> bytes)
    {
        File.WriteAllBytes(FilePath, bytes);
        var lines = new List<string>();
        var costs = ModuleCosts.Load(FilePath, lines.Add).For(Types, 48_000, 32);
        Assert.True(lines.Count <= 1);
        Assert.All(lines, l => Assert.DoesNotContain('\n', l));
        Assert.All(costs, c => Assert.True(c >= 0 && float.IsFinite(c)));
        if (lines.Count > 0) Assert.All(costs, c => Assert.Equal(0, c));
        return lines.Count > 0;
    }

    private string? SaveAfterChange(string path)
    {
        Measure(0, 500, quantum: 32);
        return _costs.Save(path);
    }

    private void Measure(int module, ulong ns, int quantum)
    {
        Put(module, module);
        Look(quantum);
        Run(module, 1000, ns);
        Look(quantum);
    }

    private void Put(int slot, int module, ulong calls = 0, ulong ns = 0, ulong key = 0) =>
        _table[slot] = new InstanceRecord { Key = key != 0 ? key : (ulong)slot + 1, Module = module, State = InstanceState.Active, Calls = calls, Nanoseconds = ns };

    private void Run(int slot, ulong calls, ulong nsEach)
    {
        _table[slot].Calls += calls;
        _table[slot].Nanoseconds += calls * nsEach;
    }

    // Of what Run counted, so much was on slower cores.
    private unsafe void RunSlow(int slot, ulong calls1, ulong nsEach1, ulong calls2, ulong nsEach2)
    {
        ref var r = ref _table[slot];
        r.SlowCalls[0] += calls1;
        r.SlowNanoseconds[0] += calls1 * nsEach1;
        r.SlowCalls[1] += calls2;
        r.SlowNanoseconds[1] += calls2 * nsEach2;
    }

    private void Look(int quantum = 32) => _costs.Update(_table, Types, 48_000, quantum);
}
