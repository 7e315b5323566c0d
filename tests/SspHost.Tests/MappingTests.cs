// What /proc/PID/smaps says of a process, and what follows for locked memory.
using System.Globalization;
using SspHost.Diagnostics;

namespace SspHost.Tests;

public sealed class MappingTests
{
    private const long Stacks = 0x100000, StacksBytes = 0x200000;

    [Fact]
    public void The_resident_bytes_of_all_mappings_are_what_the_kernel_adds_up_itself()
    {
        // Another process: this one changes while it is read.
        using var sleeper = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("sleep", "60"))!;
        try
        {
            IReadOnlyList<Mapping> mappings = [];
            long rollup = -1;
            for (var i = 0; i < 200 && !(mappings.Any(IsLibraryCode) && mappings.Sum(m => m.Resident) == rollup); i++)
            {
                Thread.Sleep(10); // it may still be starting
                rollup = Rollup(sleeper.Id);
                mappings = Mapping.Of(sleeper.Id);
            }

            Assert.Equal(rollup, mappings.Sum(m => m.Resident));
            Assert.Contains(mappings, IsLibraryCode);
            Assert.All(mappings, m => Assert.True(m.End > m.Start && m.Resident <= m.Size && !m.IsLocked, m.ToString()));
        }
        finally
        {
            sleeper.Kill();
        }
    }

    [Fact]
    public void Lines_that_are_cut_or_mangled_are_passed_over()
    {
        var lines = File.ReadAllLines("/proc/self/smaps");
        var random = new Random(4);
        for (var i = 0; i < 300; i++)
        {
            var mangled = lines.Take(200).Select(l => random.Next(5) switch
            {
                0 => l[..random.Next(l.Length + 1)],
                1 => l.Replace(' ', (char)random.Next(32, 127)),
                2 => l + new string((char)random.Next(1, 0x2000), random.Next(40)),
                _ => l,
            }).ToArray();
            _ = Mapping.Parse(mangled); // no exception is the claim
            _ = LockAudit.Format(LockAudit.Judge(Mapping.Parse(mangled), Stacks, StacksBytes));
        }
    }

    [Fact]
    public void All_that_plays_locked_and_resident_holds()
    {
        var report = Judge(locked: true, resident: 64);
        Assert.True(report.Holds);
        Assert.Equal(["code", "constants", "data", "region", "runtime", "stacks"], report.Parts.Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.Empty(report.LooseMappings);
        Assert.Contains("nothing that RT threads touch can leave memory", LockAudit.Format(report), StringComparison.Ordinal);
    }

    [Fact]
    public void Code_that_is_not_locked_or_not_all_there_does_not_hold_and_is_named()
    {
        var loose = Judge(locked: false, resident: 64);
        Assert.False(loose.Holds);
        Assert.Equal(2 * 64 * 1024, loose.Loose);
        Assert.Contains(loose.LooseMappings, m => m.Contains("ssp-engine", StringComparison.Ordinal));
        var gone = Judge(locked: true, resident: 60);
        Assert.False(gone.Holds);
        Assert.Equal(2 * 4 * 1024, gone.Gone);
    }

    [Fact]
    public void The_heap_of_the_runtime_and_reserved_addresses_are_no_condition()
    {
        string[] more = ["7f3000000000-7f3000010000 rw-p 00000000 00:00 0", "Rss: 64 kB", "VmFlags: rd", "7f4000000000-7f4100000000 ---p 00000000 00:00 0", "Rss: 0 kB", "VmFlags: mr"];
        Assert.True(LockAudit.Judge(Mapping.Parse([.. Lines(locked: true, 64), .. more]), Stacks, StacksBytes).Holds);
    }

    [Theory]
    [InlineData(5u, 0u, 3u, "Locking helps")]
    [InlineData(0u, 0u, 0u, "Nothing to cure")]
    [InlineData(9u, 2u, 1u, "NOT cured")]
    public void The_verdict_of_an_experiment_follows_from_its_sides(uint faults, uint lockedFaults, uint dropouts, string words)
    {
        var none = new Distribution(1, 0, 0, 0, 0);
        var free = new LockingSide { Quanta = 10, Faults = faults, Dropouts = dropouts, RenderMicroseconds = none, WakeMicroseconds = none };
        var locked = new LockingSide { Locked = true, Quanta = 10, Faults = lockedFaults, RenderMicroseconds = none, WakeMicroseconds = none };
        var report = LockingReport.Judge(LockingExperiment.ThreadSwapped, 32, "a load", swap: true, free, locked);
        Assert.Contains(words, report.Verdict, StringComparison.Ordinal);
        Assert.Equal((faults > 0, lockedFaults == 0), (report.Shown, report.Cured));
        Assert.Contains(report.Verdict, LockingReport.Format(report), StringComparison.Ordinal);
    }

    [Fact]
    public void A_side_that_rendered_nothing_is_no_result()
    {
        var none = new Distribution(0, 0, 0, 0, 0);
        var side = new LockingSide { RenderMicroseconds = none, WakeMicroseconds = none };
        Assert.False(LockingReport.Judge(LockingExperiment.CountGlitches, 16, "", swap: false, side with { Faults = 3, Quanta = 5 }, side).Cured);
    }

    private static LockReport Judge(bool locked, int resident) => LockAudit.Judge(Mapping.Parse(Lines(locked, resident)), Stacks, StacksBytes);

    private static string[] Lines(bool locked, int resident)
    {
        var flags = "VmFlags: rd mr" + (locked ? " lo" : "");
        var rss = string.Create(CultureInfo.InvariantCulture, $"Rss: {resident} kB");
        return
        [
            "550000000000-550000010000 r-xp 00001000 08:01 5      /opt/ssp/ssp-engine", rss, flags,
            "550000010000-550000020000 r--p 00011000 08:01 5      /opt/ssp/ssp-engine", rss, flags,
            "7f0000000000-7f0000010000 rw-s 00000000 00:01 123    /memfd:ssp-region (deleted)", "Rss: 64 kB", "VmFlags: rd wr lo",
            "7f0000100000-7f0000110000 rw-s 00100000 00:01 123    /memfd:ssp-region (deleted)", "Rss: 64 kB", "VmFlags: rd wr lo",
            "7f1000010000-7f1000020000 rw-p 00000000 08:01 6      /usr/lib/libc.so.6", "Rss: 64 kB", "VmFlags: rd wr lo",
            "7f1000020000-7f1000030000 rw-p 00000000 00:00 0 ", "Rss: 12 kB", "VmFlags: rd wr",
            "7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0      [vdso]", "Rss: 4 kB", "VmFlags: rd ex",
        ];
    }

    private static bool IsLibraryCode(Mapping m) => m.IsExecutable && m.Path.Contains("libc", StringComparison.Ordinal);

    private static long Rollup(int pid) =>
        File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/smaps_rollup")).Where(l => l.StartsWith("Rss:", StringComparison.Ordinal))
            .Select(l => long.Parse(l.AsSpan(4).Trim()[..^3], NumberStyles.None, CultureInfo.InvariantCulture) * 1024).First();
}
