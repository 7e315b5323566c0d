// The verdict on a late thread is a function of what was seen; the words name the module, the call and the line.
using System.Globalization;
using System.Text;
using SspHost.Abi;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Stalls;
using SspHost.Diagnostics.Symbols;
using SspHost.Tests.Symbols;

namespace SspHost.Tests;

public sealed unsafe class StallTests
{
    private const uint R = 'R', S = 'S', D = 'D', T = 'T', t = 't';
    private static readonly StallFrame Sleep = new(0x7f00, "libc.so.6", new Place("clock_nanosleep", 0x40, null, 0), IsOwn: false);
    private static readonly StallFrame Own = new(0x1000, "ssp-engine", new Place("SspHost.Modules.LadderFilter.Process", 8, "dsp-modules/Filters/LadderFilter.cs", 88), IsOwn: true);
    private static readonly StallFrame Caller = new(0x2000, "ssp-engine", new Place("SspHost.Engine.Graph.NodeRunner.Run", 8, "src/SspHost.Engine/Graph/NodeRunner.cs", 51), IsOwn: true);

    private static uint Letters(params uint[] looks) => looks[0] | (looks.ElementAtOrDefault(1) << 8) | (looks.ElementAtOrDefault(2) << 16);

    private static StallRecord Record(uint states, int call, ulong cpu = 0, ulong delay = 0, uint minor = 0, uint major = 0, uint slept = 0) => new()
    {
        Time = Linux.Now(), Key = 5, Elapsed = 7_200_000, Budget = 2_000_000, Window = 300_000, CpuTime = cpu, RunDelay = delay, MinorFaults = minor, MajorFaults = major, VoluntarySwitches = slept,
        States = states, SampleCount = 3, SystemCall = call, Tid = 77, Core = 1, Slot = 3, Seat = 1,
    };

    public static TheoryData<string, StallRecord, double> Cases() => new()
    {
        { "Spinning", Record(Letters(R, R, R), -1, cpu: 299_000), 1 },
        { "Spinning", Record(Letters(R, R, R), -1, cpu: 299_000, minor: 2), 1 },
        { "Blocked", Record(Letters(S, S, S), 230), 1 },
        { "Blocked", Record(Letters(S, R, R), 202, cpu: 200_000), 1 }, // the signal woke it
        { "Blocked", Record(Letters(D, D, D), 0), 1 },
        { "Preempted", Record(Letters(R, R, R), -1, cpu: 1_000), 1 },
        { "Preempted", Record(Letters(R, R, R), -1, cpu: 9_000, delay: 280_000), 1 },
        { "PageFault", Record(Letters(D, D, D), -1, major: 3), 1 },
        { "PageFault", Record(Letters(R, R, D), -1, cpu: 120_000, minor: 40), 1 },
        { "PageFault", Record(Letters(R, D, R), -1, cpu: 220_000, major: 1), 1 },
        { "PageFault", Record(Letters(R, D, R), -1, cpu: 220_000, minor: 2), 1 },
        { "PageFault", Record(Letters(R, R, R), -1, cpu: 220_000, minor: 2, slept: 2), 1 }, // between the looks
        { "Spinning", Record(Letters(R, D, R), 0, cpu: 220_000, minor: 2, slept: 1), 2 / 3.0 }, // for what it asked a disk
        { "Stopped", Record(Letters(t, t, t), -2), 1 },
        { "Stopped", Record(Letters(T, T, R), -2), 2 / 3.0 },
        { "Unknown", Record(Letters(R, S, S), -1, cpu: 30_000), 2 / 3.0 },
        { "Unknown", Record(0, -2), 1 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_verdict_follows_from_the_facts(string cause, StallRecord record, double confidence)
    {
        var verdict = StallVerdict.Of(in record, [[Sleep, Own, Caller], [], [Own, Caller]]);
        Assert.Equal((Enum.Parse<StallCause>(cause), confidence, Own), (verdict.Cause, verdict.Confidence, verdict.At));
    }

    [Fact]
    public void Whatever_a_record_holds_there_is_a_verdict_and_a_line()
    {
        var random = new Random(7);
        var names = new StackNames(ProcessMaps.Parse([]), "");
        for (var round = 0; round < 20_000; round++)
        {
            StallRecord record;
            random.NextBytes(new Span<byte>(&record, sizeof(StallRecord)));
            if (round % 2 == 0) record.SampleCount = random.Next(-1, 5);
            if (round % 3 == 0) record.States = Letters((uint)"RSDTtZI"[random.Next(7)], R, S);
            var report = StallReport.Of(in record, new StallContext(null, null, 0), names);
            Assert.InRange(report.Verdict.Confidence, 0, 1);
            Assert.DoesNotContain('\n', report.Text);
            Assert.All(report.Detail, line => Assert.DoesNotContain('\n', line));
        }
    }

    [Fact]
    public void A_stall_becomes_an_incident_that_says_who_and_where_and_belongs_to_the_module_that_was_switched_off()
    {
        // Addresses of a real library under a made-up map.
        using var library = new CompiledLibrary("-gdwarf-5");
        var third = CompiledLibrary.Tool("nm", [library.FileName]).Split('\n').Select(l => l.Split(' ')).Single(l => l.Length == 3 && l[2] == "third");
        var at = 0x5000_0000 + Convert.ToUInt64(third[0], 16);
        var maps = ProcessMaps.Parse([$"50000000-50010000 r-xp 00000000 08:01 42                         {library.FileName}", "70000000-70001000 rw-p 00000000 00:00 0 "]);
        var record = Record(Letters(S, S, S), 230);
        record.FrameCounts[0] = 3;
        (record.Addresses[0], record.Addresses[1], record.Addresses[2]) = (0x7000_0010, at + 9, 0x1234);
        "hrtimer_nanosleep"u8.CopyTo(new Span<byte>(record.Wait, 31));
        var report = StallReport.Of(in record, new StallContext("filter1", "ladder", 666_667), new StackNames(maps, ""));
        if (System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64)
            Assert.Equal("'filter1' (ladder) blocked in clock_nanosleep, called from third, for 7.2 ms; 10.8 quanta since it began", report.Text);
        Assert.Contains("waits in the kernel's hrtimer_nanosleep", report.Detail);
        Assert.Contains(report.Detail, l => l.StartsWith(string.Create(CultureInfo.InvariantCulture, $"  {at + 9:x} third+8"), StringComparison.Ordinal));

        var log = new IncidentLog();
        var incident = log.Add(in record, report, "filter1", engine: 9, frame: 480);
        Assert.Equal(("stall", "blocked", 9L, 480L, "filter1"), (incident.Kind, incident.Cause, incident.Engine, incident.Frame, incident.Module));
        Assert.EndsWith(" (incident 9)", incident.Text, StringComparison.Ordinal);
        Assert.Equal((7_200_000L, 100L), (incident.Figures["nanoseconds"], incident.Figures["confidence"]));
    }

    [Fact]
    public void Words_name_the_mutexs_owner_the_thief_of_the_core_and_the_engine_that_was_stopped()
    {
        var names = new StackNames(ProcessMaps.Parse([]), "");
        var context = new StallContext("echo", "delay", 0, "kworker/1:2 (pid 33)");
        var mutex = Record(Letters(S), 202) with { Owner = 4711 };
        if (System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64)
            Assert.Contains("blocked in futex (a mutex held by thread 4711)", StallReport.Of(in mutex, context, names).Text, StringComparison.Ordinal);
        var robbed = Record(Letters(R, R, R), -1);
        Assert.StartsWith("'echo' (delay) preempted by kworker/1:2 (pid 33), for 7.2 ms", StallReport.Of(in robbed, context, names).Text, StringComparison.Ordinal);
        Assert.Contains("preempted on core 1 (by whom is not known", StallReport.Of(in robbed, context with { PreemptedBy = null }, names).Text, StringComparison.Ordinal);
        var engine = new StallRecord { SampleCount = 0, Window = 31_000_000 };
        Assert.Equal("the whole engine stood still for 31.0 ms: it was stopped, or its machine was", StallReport.Of(in engine, context, names).Text);
    }

    [Fact]
    public void Maps_of_this_very_process_name_the_library_of_a_function_in_it()
    {
        var maps = ProcessMaps.TryRead(Environment.ProcessId)!;
        var address = (ulong)System.Runtime.InteropServices.NativeLibrary.GetExport(System.Runtime.InteropServices.NativeLibrary.Load("libc.so.6"), "nanosleep");
        var file = maps.Find(address)!.Value;
        Assert.Contains("libc", file.Path, StringComparison.Ordinal);
        var frame = new StackNames(Environment.ProcessId).Find(address, isReturn: false);
        Assert.Contains("nanosleep", frame.Place.Function, StringComparison.Ordinal);
        Assert.False(frame.IsOwn);
        Assert.Null(maps.Find(1));
        Assert.Null(ProcessMaps.TryRead(int.MaxValue));
    }

    [Fact]
    public void A_line_of_maps_that_is_not_understood_is_left_out()
    {
        var random = new Random(9);
        for (var round = 0; round < 3000; round++)
        {
            var line = new StringBuilder("5000-6000 r-xp 00000000 08:01 42 /x/y z");
            for (var n = random.Next(1, 12); n > 0; n--) line[random.Next(line.Length)] = (char)random.Next(32, 127);
            _ = ProcessMaps.Parse([line.ToString(), ""]).Find(0x5800);
        }

        Assert.Equal(new MappedFile("/x/y z", 0x5000), ProcessMaps.Parse(["5000-6000 r-xp 00000000 08:01 42 /x/y z", "6000-7000 rw-p 00001000 08:01 42 /x/y z"]).Find(0x6800));
    }
}
