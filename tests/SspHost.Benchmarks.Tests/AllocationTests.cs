// Every benchmark says what it may allocate; what runs on a real-time thread allocates nothing, by the runtime's own count.
using System.Reflection;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;

namespace SspHost.Benchmarks.Tests;

public class AllocationTests
{
    private static readonly List<MethodInfo> All = Benchmarks(typeof(QuantumBenchmarks).Assembly.GetTypes());

    private static readonly List<string> RealTimeNames = [.. All.Where(Allowance.IsRealTime).Select(static m => m.ReflectedType!.Name).Distinct(StringComparer.Ordinal)];

    public static TheoryData<string> RealTimeClasses => new(RealTimeNames);

    [Fact]
    public void Every_benchmark_says_what_it_may_allocate()
    {
        Assert.NotEmpty(All);
        Assert.Empty(All.Where(static m => Allowance.Of(m) == null).Select(static m => $"{m.ReflectedType!.Name}.{m.Name}: [RealTime] or [Allocates]?"));
    }

    [Fact]
    public void Modules_blocks_and_the_quantum_itself_are_real_time() =>
        Assert.Superset(new HashSet<string> { "ModuleBenchmarks", "DspBenchmarks", "BlockBenchmarks", "EngineBenchmarks", "QuantumBenchmarks" }, RealTimeNames.ToHashSet(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(RealTimeClasses))]
    public void What_is_real_time_allocates_nothing(string name)
    {
        var cases = Cases(All.First(m => m.ReflectedType!.Name == name).ReflectedType!);
        Assert.NotEmpty(cases);
        Assert.Empty(Over(cases.Where(static c => Allowance.IsRealTime(c.Descriptor.WorkloadMethod))));
    }

    [Fact]
    public void One_that_allocates_or_says_nothing_is_found()
    {
        var planted = Benchmarks([typeof(Planted), typeof(Unmarked)]);
        Assert.Equal(["Both", "Silent"], planted.Where(static m => Allowance.Of(m) == null).Select(static m => m.Name).Order(StringComparer.Ordinal));
        var told = Over(Cases(typeof(Planted)).Where(static c => Allowance.Of(c.Descriptor.WorkloadMethod) != null)).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(2, told.Count);
        Assert.StartsWith("Planted.Array: ", told[0], StringComparison.Ordinal);
        Assert.StartsWith("Planted.Much: ", told[1], StringComparison.Ordinal);
    }

    private static List<MethodInfo> Benchmarks(IEnumerable<Type> types) =>
        [.. types.Where(static t => !t.IsAbstract).SelectMany(static t => t.GetMethods()).Where(static m => m.IsDefined(typeof(BenchmarkAttribute)))];

    private static BenchmarkCase[] Cases(Type type) => BenchmarkConverter.TypeToBenchmarks(type, ManualConfig.CreateEmpty().AddJob(BenchmarkDotNet.Jobs.Job.Dry)).BenchmarksCases;

    // GC.GetAllocatedBytesForCurrentThread before and after: exact, and whatever else the process does is not in it.
    private static List<string> Over(IEnumerable<BenchmarkCase> cases) =>
    [
        .. cases.Select(static c => (Case: c, Bytes: OwnThread.BytesPerCall(c), Most: Allowance.Of(c.Descriptor.WorkloadMethod)))
            .Where(static r => r.Bytes > r.Most)
            .Select(static r => FormattableString.Invariant($"{r.Case.Descriptor.Type.Name}.{r.Case.Descriptor.WorkloadMethod.Name}: {r.Case.Parameters.DisplayInfo} {r.Bytes} bytes a call")),
    ];

    [RealTime]
    public class Planted
    {
        private int[] _kept = [];

        [Benchmark]
        public int Array() => (_kept = new int[4]).Length;

        [Benchmark]
        public int Nothing() => _kept.Length;

        [Benchmark]
        [Allocates(20)]
        public int Much() => (_kept = new int[4]).Length;

        [Benchmark]
        [Allocates(400)]
        public int Enough() => (_kept = new int[4]).Length;

        [Benchmark]
        [Allocates(400)]
        [RealTime]
        public int Both() => _kept.Length;
    }

    public class Unmarked
    {
        [Benchmark]
        public int Silent() => GetHashCode();
    }
}
