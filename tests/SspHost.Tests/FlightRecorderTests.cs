// The recorder as a host has it: traces on demand and after a dropout, several at once, and every way in which a file can fail.
using System.Text.Json;
using SspHost.Abi;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Tracing;

namespace SspHost.Tests;

[Collection(ControlCollection.Name)]
public sealed class FlightRecorderTests : IDisposable
{
    private readonly ControlHost _host;
    private readonly List<string> _said = [];

    public FlightRecorderTests(SchemaValidator validator) => _host = new ControlHost(validator);

    public void Dispose() => _host.Dispose();

    [Fact]
    public void A_trace_over_the_control_socket_is_a_file_with_the_events_of_its_time()
    {
        using var client = _host.Connect();
        client.Read();
        for (ulong q = 0; q < 20; q++) _host.Trace(2000 + q);
        var path = Path.Combine(_host.Directory, "t.ssptrace");
        var told = client.Ask($$"""{"command":"trace","path":"{{path}}","last":60}""").GetProperty("result");
        var raw = RawTrace.Read(path);
        Assert.Equal((42, 42L), (told.GetProperty("events").GetInt32(), raw.Events));
        Assert.Equal(new FileInfo(path).Length, told.GetProperty("bytes").GetInt64());
        Assert.Equal([path], Directory.GetFiles(_host.Directory, "t.*"));
        Assert.Equal((48_000, 32), (raw.Header.Rate, raw.Header.Quantum));
        Assert.Equal(21, new TraceView(raw).Tracks[0].Zones.Count(z => z.Kind == TraceKind.Quantum));
    }

    [Fact]
    public async Task Several_clients_trace_at_once_each_its_own_time_and_the_others_are_served_meanwhile()
    {
        using var engine = new Traced(_host, _said);
        using var going = engine.Play();
        var tasks = Enumerable.Range(0, 3).Select(i => engine.Recorder.RecordAsync(Path.Combine(_host.Directory, $"r{i}"), 0.2 * (i + 1))).ToArray();
        var results = await Task.WhenAll(tasks);
        for (var i = 0; i < 3; i++)
        {
            var view = new TraceView(RawTrace.Read(results[i].Path));
            Assert.InRange(results[i].Seconds, 0.19 * (i + 1), 60);
            Assert.NotEqual(0, view.Zones);
            var quanta = view.Tracks[0].Zones.Where(z => z.Kind == TraceKind.Quantum).Select(z => z.Quantum).ToArray();
            Assert.Equal(Enumerable.Range(0, quanta.Length).Select(n => quanta[0] + (ulong)n), quanta); // none twice, none missing
            if (view.Switches.Count == 0) Assert.True(view.Header.Scheduler == "recorded" || view.Header.Scheduler.StartsWith("unavailable: ", StringComparison.Ordinal), view.Header.Scheduler);
        }
    }

    [Theory]
    [InlineData("""{"command":"trace","seconds":1}""", "bad-message", "\"path\" is missing")]
    [InlineData("""{"command":"trace","path":"t","last":1}""", "bad-message", "not absolute")]
    [InlineData("""{"command":"trace","path":"/t","last":0}""", "bad-message", "0.1 to 60")]
    [InlineData("""{"command":"trace","path":"/t","seconds":60.1}""", "bad-message", "0.1 to 60")]
    [InlineData("""{"command":"trace","path":"/t","seconds":1,"last":1}""", "bad-message", "either")]
    [InlineData("""{"command":"trace","path":"/t"}""", "bad-message", "either")]
    [InlineData("""{"command":"trace","path":"/nowhere/t","last":60}""", "refused", "cannot be written")]
    [InlineData("""{"command":"trace","path":"/nowhere/t","seconds":60}""", "refused", "cannot be written")]
    [InlineData("""{"command":"tracing","modules":1}""", "bad-message", "neither true nor false")]
    public void What_is_wrong_with_a_request_is_one_clear_error_at_once(string line, string code, string expected)
    {
        using var client = _host.Connect();
        client.Read();
        var error = client.Ask(line).GetProperty("error");
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.Contains(expected, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_nothing_was_traced_it_says_why_and_leaves_no_file()
    {
        using var engine = new Traced(_host, _said);
        var path = Path.Combine(_host.Directory, "none");
        Assert.Contains("tracing is off", Assert.Throws<TraceException>(() => engine.Recorder.Dump(path)).Message, StringComparison.Ordinal);
        _host.Gone = true;
        Assert.Contains("not running", Assert.Throws<TraceException>(() => engine.Recorder.Dump(path)).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_host.Directory, "none*"));
    }

    [Fact]
    public void A_dropout_leaves_a_trace_with_its_aftermath_and_the_next_one_within_half_a_minute_does_not()
    {
        using var engine = new Traced(_host, _said);
        using (engine.Play())
        {
            ControlHost.Until(() => engine.Recorder.Size.Events > 10, "it is traced");
            Lose(engine.Recorder, NoticeKind.Late, 100, 90);
            Assert.Empty(_said); // late, and absorbed: that happens
            Lose(engine.Recorder, NoticeKind.Dropout, 64, 0);
            Lose(engine.Recorder, NoticeKind.Dropout, 64, 0);
            engine.Recorder.Dumps!.Finish();
        }

        var file = Assert.Single(engine.Recorder.Dumps.Files());
        Assert.Contains(file, Assert.Single(_said), StringComparison.Ordinal);
        var view = new TraceView(RawTrace.Read(file));
        Assert.Equal("dropout", view.Header.Reason);
        var when = view.Header.Incidents.First(i => i.Kind == "dropout").Time;
        Assert.True(view.Start < when && view.End > when + 500_000_000, "what came after it is missing");
    }

    [Fact]
    public void A_stall_leaves_a_trace_and_is_in_it()
    {
        using var engine = new Traced(_host, _said);
        using (engine.Play())
        {
            ControlHost.Until(() => engine.Recorder.Size.Events > 10, "it is traced");
            var time = Linux.Now();
            engine.Recorder.NoteStall(new Incident { Kind = "stall", Time = "", Monotonic = "", Figures = new Dictionary<string, long>(), Text = "'echo' spinning" }, time);
            engine.Recorder.Dumps!.Finish();
            var header = RawTrace.Read(Assert.Single(engine.Recorder.Dumps.Files())).Header;
            Assert.Equal("stall", header.Reason);
            Assert.Contains(header.Incidents, i => i.Kind == "stall" && i.Time == time && i.Text == "'echo' spinning");
        }
    }

    [Fact]
    public void A_disk_that_is_full_or_cannot_be_written_is_one_line_and_nothing_else()
    {
        using var engine = new Traced(_host, _said, "/dev/full/traces");
        using (engine.Play())
        {
            ControlHost.Until(() => engine.Recorder.Size.Events > 10, "it is traced");
            Lose(engine.Recorder, NoticeKind.Dropout, 64, 0);
            engine.Recorder.Dumps!.Finish();
            Assert.StartsWith("no trace could be kept", Assert.Single(_said), StringComparison.Ordinal);
            var before = engine.Recorder.Size.Events;
            ControlHost.Until(() => engine.Recorder.Size.Events > before + 10, "it goes on");
        }
    }

    [Fact]
    public void A_file_that_fills_the_disk_is_not_left_behind()
    {
        // A stream that has no room left, as the file system tells it.
        using var store = new ChunkStore();
        foreach (var (seat, e) in SyntheticTrace.Events(500, 20, 1)) store.Append(seat, in e);
        using var snapshot = store.Snapshot();
        using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        Assert.Throws<IOException>(() => RawTraceWriter.Write(full, new TraceHeader(), snapshot, []));
    }

    [Fact]
    public void An_engine_that_ends_right_after_a_dropout_still_leaves_its_trace()
    {
        var dumps = new TraceDumps(Path.Combine(_host.Directory, "dumps"), _ => { });
        Assert.True(dumps.Ask("dropout", path => File.WriteAllText(path, "")));
        Assert.True(dumps.Ask("engine-ended", path => File.WriteAllText(path, ""), now: true));
        Assert.False(dumps.Ask("engine-ended", path => File.WriteAllText(path, ""), now: true));
        Assert.False(dumps.Ask("late", path => File.WriteAllText(path, "")));
        dumps.Finish();
        Assert.Equal(["dropout", "engine-ended"], dumps.Files().Select(f => Path.GetFileName(f)[16..^".ssptrace".Length]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Ten_dumps_are_kept_and_a_failed_one_says_so_once()
    {
        var directory = Path.Combine(_host.Directory, "dumps");
        Directory.CreateDirectory(directory);
        for (var i = 0; i < 15; i++) File.WriteAllText(Path.Combine(directory, $"20200101-0000{i:00}-dropout.ssptrace"), "old");
        var dumps = new TraceDumps(directory, _said.Add);
        Assert.True(dumps.Ask("late", path => File.WriteAllText(path, "new"), now: true));
        dumps.Finish();
        Assert.Equal(TraceDumps.Most, dumps.Files().Count);
        Assert.Equal("new", File.ReadAllText(dumps.Files()[0]));
        Assert.False(dumps.Ask("late", _ => Assert.Fail("half a minute is not over"), now: true));
    }

    [Fact]
    public void A_turn_of_the_recorder_allocates_nothing_while_nothing_stands_out()
    {
        using var engine = new Traced(_host, _said);
        for (ulong q = 5000; q < 5400; q++) engine.Trace(q); // the worst are known by now, and chunks are there
        for (var i = 0; i < 100; i++) engine.Recorder.Turn();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (ulong q = 5400; q < 6000; q++) engine.Trace(q);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Another_engine_begins_anew_and_what_the_one_before_did_last_is_kept()
    {
        using var engine = new Traced(_host, _said);
        for (ulong q = 5000; q < 5020; q++) engine.Trace(q);
        Assert.Equal((5000ul, 5020ul), engine.Recorder.Loads.Range);
        _host.Generation++;
        engine.Trace(1);
        engine.Recorder.Dumps!.Finish();
        Assert.Equal((1ul, 2ul), engine.Recorder.Loads.Range);
        var last = RawTrace.Read(Assert.Single(engine.Recorder.Dumps.Files()));
        Assert.Equal(("engine-ended", 40L), (last.Header.Reason, last.Events));
    }

    [Fact]
    public void Tracefs_that_is_not_there_or_not_ours_is_a_reason_and_stale_instances_go()
    {
        Assert.Null(SchedTrace.TryStart(null, [1], out var reason));
        Assert.Contains("mount -t tracefs", reason, StringComparison.Ordinal);
        var root = Path.Combine(_host.Directory, "tracefs");
        Directory.CreateDirectory(root + "/instances/ssp-999999999");
        Directory.CreateDirectory(root + $"/instances/ssp-{Environment.ProcessId + 1_000_000}x");
        Assert.Null(SchedTrace.TryStart(root, [1], out reason)); // an ordinary directory has none of the files
        Assert.NotEmpty(reason);
        Assert.False(Directory.Exists(root + "/instances/ssp-999999999"));
        Assert.False(Directory.Exists(root + $"/instances/ssp-{Environment.ProcessId}"));
        Assert.True(Directory.Exists(root + $"/instances/ssp-{Environment.ProcessId + 1_000_000}x")); // not ours
    }

    [Fact]
    public void The_state_of_tracing_is_told_and_switched()
    {
        using var client = _host.Connect();
        client.Read();
        JsonElement Ask(string fields) => client.Ask($$"""{"command":"tracing"{{fields}}}""").GetProperty("result");
        Assert.True(Ask("").GetProperty("modules").GetBoolean());
        Assert.False(Ask(",\"modules\":false").GetProperty("modules").GetBoolean());
        Assert.False(Ask(",\"trace\":false").GetProperty("trace").GetBoolean());
        Assert.True(Ask(",\"trace\":true,\"modules\":true").GetProperty("trace").GetBoolean());
    }

    private static void Lose(FlightRecorder recorder, NoticeKind kind, long a, long b)
    {
        var notice = new Notice { Kind = kind, Time = Linux.Now(), A = a, B = b };
        recorder.Note(new IncidentLog().Add(in notice, "vco1"), in notice);
    }

    // A recorder of its own over the host's engine: the host's is not started, so this one is the only reader.
    private sealed class Traced : IDisposable
    {
        private readonly ControlHost _host;

        public Traced(ControlHost host, List<string> said, string? directory = null)
        {
            _host = host;
            Recorder = new FlightRecorder(host, new FlightRecorderOptions
            {
                Directory = directory ?? Path.Combine(host.Directory, "traces"),
                Say = line =>
                {
                    lock (said) said.Add(line);
                },
            });
        }

        public FlightRecorder Recorder { get; }

        public void Trace(ulong quantum)
        {
            _host.Engine.Trace(quantum);
            Recorder.Turn();
        }

        /// <summary>Quanta, about one a millisecond, until it is disposed of; drained by the recorder's own thread.</summary>
        public IDisposable Play()
        {
            Recorder.Start();
            return new Player(_host);
        }

        public void Dispose() => Recorder.Dispose();

        private sealed class Player : IDisposable
        {
            private readonly Thread _thread;
            private volatile bool _stop;

            public Player(ControlHost host)
            {
                _thread = new Thread(() =>
                {
                    for (ulong q = 10_000; !_stop; q++)
                    {
                        host.Engine.Trace(q);
                        Thread.Sleep(1);
                    }
                });
                _thread.Start();
            }

            public void Dispose()
            {
                _stop = true;
                _thread.Join();
            }
        }
    }
}
