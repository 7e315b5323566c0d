// Glitch reports: when they are written, how many are kept, what a full disk changes (nothing), and what they say.
using System.Text.Json;
using SspHost.Abi;
using SspHost.Diagnostics;

namespace SspHost.Tests;

public sealed class GlitchTests : IDisposable
{
    private const ulong Second = 1_000_000_000;
    private readonly string _state = Directory.CreateTempSubdirectory("ssp-glitch-").FullName;
    private readonly IncidentLog _log = new();
    private readonly List<string> _said = [];
    private readonly ProcTree _tree = new ProcTree().Process(42, 100).Process(50, 200).System();
    private readonly MetricsRecorder _metrics;

    public GlitchTests() => _metrics = MetricsRecorder.ByHand(() => 42, root: _tree.Root, ownPid: 50);

    public void Dispose()
    {
        _metrics.Dispose();
        _tree.Dispose();
        Directory.Delete(_state, recursive: true);
    }

    [Fact]
    public void A_dropout_is_reported_a_second_later_with_the_time_before_it()
    {
        var recorder = Recorder();
        Measure(20);
        Dropout(frames: 32, cause: DropoutCause.LateWakeUp);
        Assert.Null(recorder.Turn(100 * Second));
        Assert.Null(recorder.Turn((101 * Second) - 1));
        var path = recorder.Turn(101 * Second);
        var (report, trouble) = GlitchFiles.Read(path!);
        Assert.Null(trouble);
        Assert.Equal((32L, 1, 0), (report!.LostFrames, report.Incidents.Count, report.More));
        Assert.Equal("lateWakeUp", report.Incidents[0].Cause);
        Assert.Equal(19, report.Metrics!.History!.Seconds.Count);
        Assert.Contains(report.Metrics.History.Processes[0].Threads, t => t.Name == "ssp-audio");
        Assert.Contains("32 frames were lost because the audio thread got its core too late", report.Text, StringComparison.Ordinal);
        Assert.Empty(_said);
    }

    [Fact]
    public void There_is_at_most_one_in_ten_seconds_and_none_is_forgotten()
    {
        var recorder = Recorder();
        var written = new List<GlitchReport>();
        for (ulong tenth = 0; tenth < 300; tenth++)
        {
            if (tenth < 250) Dropout(frames: 1); // ten a second
            if (recorder.Turn((1000 * Second) + (tenth * Second / 10)) is { } path) written.Add(GlitchFiles.Read(path).Report!);
        }

        Assert.Equal(3, written.Count);
        Assert.Equal(11, written[0].LostFrames); // its second, both ends included
        Assert.All(written.Skip(1), r => Assert.True(r.Incidents.Count == 50 && r.More > 0));
        Assert.Equal(211, written.Sum(r => r.LostFrames)); // those of the last four seconds wait
        Assert.NotNull(recorder.Turn(1031 * Second));
        Assert.Equal(250, GlitchFiles.Read(new GlitchFiles(_state).Names()[^1]).Report!.LostFrames + 211);
    }

    [Fact]
    public void Late_quanta_and_other_incidents_make_none()
    {
        var recorder = Recorder();
        _log.Add(new Notice { Kind = NoticeKind.Late, Time = Linux.Now() }, module: null);
        _log.Add(new Notice { Kind = NoticeKind.DeviceAway, Time = Linux.Now() }, module: null);
        for (ulong s = 1; s < 30; s++) Assert.Null(recorder.Turn(s * Second));
        Assert.False(Directory.Exists(Path.Combine(_state, "glitches")));
    }

    [Fact]
    public void The_last_twenty_are_kept_each_within_its_bound()
    {
        var files = new GlitchFiles(_state);
        var report = Report([]);
        for (var i = 0; i < 25; i++) files.Write(report, new DateTime(2026, 1, 31, 20, 0, i, DateTimeKind.Utc));
        var names = files.Names().Select(Path.GetFileName).ToArray();
        Assert.Equal(GlitchFiles.Kept, names.Length);
        Assert.Equal("glitch-20260131T200005.000Z.json", names[0]);
        Assert.Equal("glitch-20260131T200024.000Z.json", names[^1]);
    }

    [Fact]
    public void A_minute_of_many_busy_threads_is_joined_until_it_fits()
    {
        using var recorder = MetricsRecorder.ByHand(() => 42, root: _tree.Root, ownPid: 50);
        for (var i = 0; i < 602; i++)
        {
            if (i is 0 or 1) for (var t = 0; t < 120; t++) _tree.Thread(42, 100 + t, name: "w" + t, cpu: (ulong)(1 + (i * 12_345_678L * t)), wait: (ulong)i * 777_777);
            recorder.Take();
        }

        var watch = new GlitchRecorder(_log, recorder, () => new StatusReport { State = "playing" }, new GlitchFiles(_state), _said.Add, run: false);
        Dropout(frames: 7);
        Assert.Null(watch.Turn(Second));
        var path = watch.Turn(3 * Second)!;
        Assert.InRange(new FileInfo(path).Length, 1000, GlitchFiles.MaxBytes);
        Assert.Equal(7, GlitchFiles.Read(path).Report!.LostFrames);
    }

    [Fact]
    public void A_full_disk_is_said_once_and_leaves_nothing_behind()
    {
        var full = true;
        var files = new GlitchFiles(_state) { Create = path => full ? new FullDisk(path) : new FileStream(path, FileMode.Create) };
        var recorder = new GlitchRecorder(_log, _metrics, () => new StatusReport { State = "playing" }, files, _said.Add, run: false);
        for (ulong i = 1; i < 5; i++)
        {
            Dropout(frames: 1);
            Assert.Null(recorder.Turn(i * 100 * Second));
            Assert.Null(recorder.Turn(((i * 100) + 2) * Second));
        }

        Assert.Equal("glitch reports cannot be written: No space left on device; nothing else changes", Assert.Single(_said));
        Assert.Empty(Directory.EnumerateFiles(files.Directory));
        full = false;
        Dropout(frames: 1);
        _ = recorder.Turn(900 * Second);
        Assert.NotNull(recorder.Turn(902 * Second));
    }

    [Fact]
    public void The_paragraph_says_what_happened_and_what_was_unusual_meanwhile()
    {
        var at = Moment.Now();
        double?[] quiet = [0, 0, 0, 0];
        var history = new MetricsHistory
        {
            Seconds = [-0.3, -0.2, -0.1, 0],
            Cores = [new CoreHistory(0, [0.1, 0.1, 0.1, 0.1], quiet), new CoreHistory(1, [0.2, 0.98, 0.3, 0.1], quiet)],
            CpuPressure = quiet, MemoryPressure = [0, 0.2, 0, 0], IoPressure = quiet, MemoryAvailable = quiet, MajorFaults = quiet, SwapOut = quiet,
            Processes = [new ProcessHistory("engine", 42, 0, quiet, [Thread(43, "ssp-audio", delay: 0.031), Thread(44, "ssp-worker-1", delay: 0)]), new ProcessHistory("ssp", 50, 0, quiet, [Thread(50, "hog\e[2J", delay: 0, cpu: 0.9)])],
        };
        var report = Report(history: history, incidents: new Incident
        {
            Id = 1, Kind = "dropout", Cause = "lateWakeUp", Engine = 7, Time = "2026-01-31T20:15:03.000000Z",
            Monotonic = (ulong.Parse(at.Monotonic, System.Globalization.CultureInfo.InvariantCulture) - (200 * 1_000_000)).ToString(System.Globalization.CultureInfo.InvariantCulture),
            Figures = new Dictionary<string, long> { ["frames"] = 32 }, Text = "",
        }, moment: at) with { AudioCore = 1, AudioTid = 43 };
        Assert.Equal(
            "At 20:15:03 32 frames were lost because the audio thread got its core too late (incident 7). Meanwhile core 1 (the audio thread's) was 98 % busy, the audio thread waited 3.1 ms for its core, "
            + "thread 'hog?[2J' of ssp computed for 90 % of the time and everybody waited for memory for 20 % of the time.",
            GlitchWords.Paragraph(report, TimeZoneInfo.Utc));
        Assert.Contains("Nothing was measured meanwhile", GlitchWords.Paragraph(report with { Metrics = null }, TimeZoneInfo.Utc), StringComparison.Ordinal);
        var module = report.Incidents[0] with { Cause = "slowRender", Module = "vco1", Figures = new Dictionary<string, long> { ["frames"] = 32, ["moduleNanoseconds"] = 910_000 } };
        Assert.StartsWith("From 20:15:03 on there were 3 dropouts and 32 frames were lost, the first because a quantum was rendered too slowly ('vco1' took 0.91 ms of it) (in all: 1 slowRender, 1 lateWakeUp)", GlitchWords.Paragraph(report with { Incidents = [module, report.Incidents[0]], More = 1 }, TimeZoneInfo.Utc), StringComparison.Ordinal);

        ThreadHistory Thread(int tid, string name, double delay, double cpu = 0.1) =>
            new() { Tid = tid, Name = name, Cpu = [0.1, cpu, 0.1, 0.1], RunDelay = [0, delay, 0, 0], Faults = quiet, Involuntary = quiet, Core = [1, 1, 1, 1] };
    }

    [Fact]
    public void A_file_that_is_no_report_is_named_and_not_thrown()
    {
        var path = Path.Combine(_state, "x.json");
        foreach (var text in new[] { "", "{", "[]", "{}", "null", "{\"time\":\"a\",\"monotonic\":\"b\",\"incidents\":[]}" })
        {
            File.WriteAllText(path, text);
            var (report, trouble) = GlitchFiles.Read(path);
            Assert.Null(report);
            Assert.StartsWith(path, trouble, StringComparison.Ordinal);
        }
    }

    private GlitchRecorder Recorder() =>
        new(_log, _metrics, () => new StatusReport { State = "playing", Threads = [new ThreadReport { Name = "ssp-audio", Tid = 43, Core = 1, Policy = "FIFO" }] }, new GlitchFiles(_state), _said.Add, run: false);

    private void Dropout(int frames, DropoutCause cause = DropoutCause.SlowRender) =>
        _log.Add(new Notice { Kind = NoticeKind.Dropout, Incident = 7, Time = Linux.Now(), A = frames, B = (long)cause }, module: null);

    private void Measure(int snapshots)
    {
        for (var i = 0; i < snapshots; i++)
        {
            _tree.Thread(42, 43, cpu: 1 + ((ulong)i * 10_000_000));
            _metrics.Take();
        }
    }

    private static GlitchReport Report(IReadOnlyList<Incident> incidents, MetricsHistory? history = null, Moment? moment = null)
    {
        var at = moment ?? Moment.Now();
        return new GlitchReport
        {
            Time = at.Time, Monotonic = at.Monotonic, Incidents = incidents, LostFrames = 32,
            Metrics = new MetricsReport { Time = at.Time, Monotonic = at.Monotonic, System = new SystemMetrics(), History = history },
        };
    }

    private static GlitchReport Report(MetricsHistory history, Incident incidents, Moment moment) => Report([incidents], history, moment);
}

/// <summary>A file on a disk that fills up after its first bytes.</summary>
internal sealed class FullDisk(string path, int room = 100) : FileStream(path, FileMode.Create)
{
    // The span's overload of a derived FileStream ends here, too.
    public override void Write(byte[] buffer, int offset, int count)
    {
        if (Position + count > room) throw new IOException("No space left on device");
        base.Write(buffer, offset, count);
    }
}
