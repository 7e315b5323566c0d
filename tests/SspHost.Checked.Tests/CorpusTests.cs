// Every rule a module can break, broken on a real RT thread: the engine ends at the very call, and says whose it was.
using SspHost.EndToEnd.Tests;

namespace SspHost.Checked.Tests;

public sealed class CorpusTests
{
    // What it is caught as: the first thing forbidden on its way. A thread's first lock, sleep or asynchronous call makes the runtime
    // allocate for that thread; a C library's file or duplicate begins with malloc.
    private static readonly (string Name, string Type, string Caught)[] Corpus =
    [
        ("array", "ArrayModule", "managed allocation"), ("string", "StringModule", "managed allocation"),
        ("boxing", "BoxingModule", "managed allocation"), ("closure", "ClosureModule", "managed allocation"),
        ("list", "ListModule", "managed allocation"), ("linq", "LinqModule", "managed allocation"),
        ("async", "AsyncModule", "managed allocation"), ("exception", "ExceptionModule", "exception"),
        ("collect", "CollectModule", "garbage collection"), ("lock", "LockModule", "managed allocation"),
        ("console", "ConsoleModule", "managed allocation"), ("sleep", "SleepModule", "managed allocation"),
        ("sem-wait", "SemaphoreModule", "system call"), ("clock-nanosleep", "NanosleepModule", "system call"),
        ("strdup", "StrdupModule", "native allocation"), ("fopen", "FopenModule", "native allocation"), ("dlopen", "DlopenModule", "system call"),
    ];

    [Fact]
    public async Task Each_violation_ends_the_engine_with_the_module_its_method_and_its_line()
    {
        // Two at a time: each wants two threads, but what is tested does not depend on when they run.
        await Parallel.ForEachAsync(Corpus, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (violation, _) =>
        {
            var outcome = await CheckedEngine.Run(CheckedEngine.Engine, "abort", "violate", violation.Name);
            Assert.True(outcome.ExitCode == CheckedEngine.Aborted, $"{violation.Name}: {outcome}");
            Assert.Contains($"violate: {violation.Name} after", outcome.Error, StringComparison.Ordinal);
            var report = Assert.Single(CheckedEngine.Reports(outcome.Error));
            Assert.Equal((violation.Name, violation.Caught), (violation.Name, report.What));
            Assert.Equal($"in module 'the culprit' ({violation.Name})", report.Place);
            Assert.EndsWith($"ssp-engine: aborts for a violation: {violation.Caught} {report.Place}, {report.At}\n", outcome.Error, StringComparison.Ordinal);
            Assert.Contains(report.Thread, new[] { "ssp-audio", "ssp-worker-1" });

            // The innermost frame that is neither the framework's nor the C library's, and everything above it is.
            var own = $"SspHost.Violations.{violation.Type}.Process ({CheckedEngine.LineOf(violation.Name)})";
            Assert.True(report.At == own, $"{own} expected: {outcome.Error}");
            var depth = report.Frames.ToList().IndexOf(own);
            Assert.True(depth >= 0, outcome.Error);
            Assert.DoesNotContain(report.Frames.Take(depth), f => f.Contains("(src/", StringComparison.Ordinal) || f.Contains("(tests/", StringComparison.Ordinal));
            Assert.StartsWith("SspHost.Engine.Graph.NodeRunner.Run (src/SspHost.Engine/Graph/NodeRunner.cs:", report.Frames[depth + 1], StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task The_list_of_violations_is_the_one_that_is_tested()
    {
        var outcome = await CheckedEngine.Run(CheckedEngine.Engine, "abort", "violate", "--list");
        Assert.Equal(Corpus.Select(c => c.Name).Order(StringComparer.Ordinal), outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("array")]
    [InlineData("exception")]
    [InlineData("strdup")]
    [InlineData("sem-wait")]
    [InlineData("lock")]
    [InlineData("collect")]
    public async Task In_warn_mode_the_same_violation_is_reported_once_in_full_and_the_music_goes_on(string name)
    {
        var outcome = await CheckedEngine.Run(CheckedEngine.Engine, "warn", "violate", name);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.Contains("violate: the music went on", outcome.Error, StringComparison.Ordinal);
        var reports = CheckedEngine.Reports(outcome.Error);
        Assert.All(reports, r => Assert.Equal($"in module 'the culprit' ({name})", r.Place.Split(',')[0]));
        Assert.Single(reports, r => r.Detail == reports[0].Detail && r.Frames.Count > 0 && r.At.EndsWith($"Module.Process ({CheckedEngine.LineOf(name)})", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_its_symbol_file_it_still_ends_and_says_what_is_missing()
    {
        var directory = Directory.CreateTempSubdirectory("ssp-checked-").FullName;
        try
        {
            foreach (var file in Directory.EnumerateFiles(CheckedEngine.Bin))
                if (!file.EndsWith(".sym", StringComparison.Ordinal)) File.Copy(file, Path.Combine(directory, Path.GetFileName(file)));
            var outcome = await CheckedEngine.Run(Path.Combine(directory, "ssp-engine"), "abort", "violate", "array");
            Assert.True(outcome.ExitCode == CheckedEngine.Aborted, outcome.ToString());
            Assert.Equal("managed allocation", Assert.Single(CheckedEngine.Reports(outcome.Error)).What);
            Assert.Contains("no symbol file beside the image (ssp-engine.sym)", outcome.Error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
