// What the System page shows of a host: second by second, without allocating, and across engines that come and go.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Tracing;
using SspHost.Panel;
using SspHost.Playing.Desks;

namespace SspHost.Tests.Desks;

public sealed unsafe class SystemDeskTests : IEngineSource, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-system-").FullName;
    private readonly ProcTree _tree = new ProcTree().System();
    private readonly MetricsRecorder _metrics;
    private readonly FlightRecorder _flight;
    private readonly SystemDesk _desk;
    private readonly List<string> _said = [], _reports = [];
    private FakeEngine _engine = new();
    private EngineLink? _link;
    private StatusReport _status = Playing(0.25);
    private int _examined;

    public SystemDeskTests()
    {
        _tree.Put("sys/class/hwmon/hwmon1/temp2_input", "48500\n").Put("sys/class/hwmon/hwmon0/temp1_input", "51500\n");
        _metrics = MetricsRecorder.ByHand(() => 0, root: _tree.Root);
        _metrics.Take();
        _tree.System(busy: 1100);
        _metrics.Take();
        Connect();
        _flight = new FlightRecorder(this, new FlightRecorderOptions());
        _desk = new SystemDesk(new SystemTools
        {
            Engine = this, Status = () => _status, Metrics = _metrics, Flight = _flight, State = _folder, Say = _said.Add, Report = Report, StartTracing = () => null,
            Examine = () =>
            {
                Interlocked.Increment(ref _examined);
                return new DoctorReport { Time = "", Findings = [new Finding { Id = "swap", Severity = "warning", Found = "there is swap" }] };
            },
        });
    }

    public int Generation { get; private set; }

    public T Try<T>(Func<EngineLink, T> work, T otherwise) => _link is { } link ? work(link) : otherwise;

    public void Dispose()
    {
        _desk.Dispose();
        _flight.Dispose();
        _metrics.Dispose();
        _link?.Dispose();
        _engine.Dispose();
        _tree.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void The_history_is_the_last_ten_minutes_a_second_each()
    {
        for (var s = 0; s < 700; s++)
        {
            _status = Playing(s / 1000.0);
            _desk.Sample();
        }

        Assert.Equal(600, _desk.History.Length);
        Assert.Equal((0.1f, 0.699f), (_desk.History[0], _desk.History[^1]));
        Assert.Equal(700, _desk.Version);
        _engine.Map.Header->State = (uint)EngineState.Stopped;
        _desk.Sample();
        Assert.Equal(0, _desk.History[^1]); // nothing plays: what the last report said is old
    }

    [Fact]
    public void The_histogram_counts_quanta_by_twentieths_of_their_time_from_the_last_reset_on()
    {
        Play(0.02, 0.12, 0.12, 0.97, 1.03, 5); // the engine's own buckets are 3 % wide there
        _desk.Sample();
        Assert.Equal((1ul, 2ul, 1ul, 1ul, 1ul), (At(0), At(2), At(19), At(20), At(SystemDesk.Buckets - 1)));
        Assert.Equal(6ul, Sum());
        SetLost(dropouts: 3, late: 9);
        Assert.Null(_desk.Reset());
        Assert.Equal((0ul, 3ul, 9ul), (Sum(), _desk.DropoutsBefore, _desk.LateBefore));
        Play(0.12);
        _desk.Sample();
        Assert.Equal((1ul, 1ul), (At(2), Sum()));

        // Another engine counts from nothing, and what the one before had counted stays.
        Connect();
        Play(0.52, 0.52);
        _desk.Sample();
        Assert.Equal((1ul, 2ul, 3ul), (At(2), At(10), Sum()));
        Assert.Equal((0ul, 0ul), (_desk.DropoutsBefore, _desk.LateBefore));
        _link = null;
        _desk.Sample();
        Assert.Equal(3ul, Sum());
        Assert.NotNull(_desk.Reset());
        Assert.Equal(0ul, Sum());
    }

    [Fact]
    public void Cores_are_those_of_the_last_second_with_those_that_audio_has_and_the_heat_is_the_hottest_sensor()
    {
        _status = _status with { Threads = [new ThreadReport { Name = "ssp-audio", Policy = "FIFO", Core = 1 }] };
        _desk.Sample();
        Assert.Equal([new CoreLoad(0, 1, false), new CoreLoad(1, 1, true)], _desk.Cores.ToArray()); // 100 ticks more, none of them idle
        Assert.Equal(51.5f, _desk.Temperature); // of hwmon: this machine has no thermal zones
    }

    [Fact]
    public void The_doctor_looks_once_there_is_an_engine_and_when_asked()
    {
        Assert.Empty(_desk.Findings);
        _desk.Sample();
        Assert.True(SpinWait.SpinUntil(() => _desk.Findings.Count == 1, TimeSpan.FromSeconds(20)));
        _desk.Sample();
        Assert.Equal(1, Volatile.Read(ref _examined));
        Assert.Null(_desk.Examine());
        Assert.Equal(2, Volatile.Read(ref _examined));
    }

    [Fact]
    public void A_report_is_a_new_file_each_time()
    {
        var (first, second) = (_desk.WriteReport(), _desk.WriteReport());
        Assert.Equal([first.Path!, second.Path!], _reports);
        Assert.NotEqual(first.Path, second.Path);
        Assert.StartsWith(Path.Combine(_folder, "reports"), first.Path, StringComparison.Ordinal);
        Directory.Delete(Path.Combine(_folder, "reports"), recursive: true);
        File.WriteAllText(Path.Combine(_folder, "reports"), "in the way");
        var (path, why) = _desk.WriteReport();
        Assert.Null(path);
        Assert.StartsWith("no report: ", why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_lasts_from_one_press_to_the_next()
    {
        Assert.Equal((null, "no trace is being taken"), _desk.Trace(on: false));
        Assert.Equal((null, null), _desk.Trace(on: true));
        Assert.True(_desk.Tracing);
        Assert.NotNull(_desk.Trace(on: true).Why);
        for (ulong q = 1; q < 40; q++)
        {
            _engine.Trace(q);
            Thread.Sleep(5);
            _flight.Turn();
        }

        var (path, why) = _desk.Trace(on: false);
        Assert.True(path != null, why);
        Assert.False(_desk.Tracing);
        Assert.True(RawTrace.Read(path).Header.To > 0);
        Assert.True(new TraceView(RawTrace.Read(path)).Zones > 0);
        Assert.Empty(_said);
    }

    [Fact]
    public void A_trace_of_nothing_and_one_that_cannot_be_written_say_so()
    {
        Assert.Equal((null, null), _desk.Trace(on: true));
        Assert.StartsWith("no trace: ", _desk.Trace(on: false).Why, StringComparison.Ordinal);
        Directory.Delete(Path.Combine(_folder, "traces"));
        File.WriteAllText(Path.Combine(_folder, "traces"), "in the way");
        Assert.NotNull(_desk.Trace(on: true).Why);
        Assert.False(_desk.Tracing);
    }

    [Fact]
    public void A_sample_and_a_look_allocate_nothing()
    {
        _desk.Sample();
        Assert.True(SpinWait.SpinUntil(() => _desk.Findings.Count == 1, TimeSpan.FromSeconds(20)));
        _desk.Sample();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            _desk.Sample();
            _ = _desk.History.Length + _desk.Histogram.Length + _desk.Cores.Length + _desk.Temperature + _desk.Version + _desk.DropoutsBefore;
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private void Report(string path)
    {
        File.WriteAllText(path, "all that is known");
        _reports.Add(path);
    }

    private static StatusReport Playing(double p99)
    {
        var none = new Distribution(0, 0, 0, 0, 0);
        return new StatusReport
        {
            State = "playing",
            Audio = new AudioReport { Load = new Distribution(1, p99, p99, p99, p99), RenderMicroseconds = none, WakeMicroseconds = none, JoinMicroseconds = none, InputPeaks = [], OutputPeaks = [] },
        };
    }

    private void Connect()
    {
        if (_link != null)
        {
            _link.Dispose();
            _engine.Dispose();
            _engine = new FakeEngine();
        }

        _link = EngineLink.Over(_engine.Map, () => false);
        _engine.Map.Header->State = (uint)EngineState.Playing;
        var types = DescriptorBlob.Write([]);
        (_engine.Map.Header->DescriptorsOffset, _engine.Map.Header->DescriptorsBytes) = (5 << 20, types.Length);
        types.CopyTo(new Span<byte>(_engine.Map.At(5 << 20), types.Length));
        SetLost(0, 0);
        Generation++;
    }

    private void SetLost(ulong dropouts, ulong late)
    {
        var audio = new AudioStatus { Dropouts = dropouts, Late = late, Rate = 48_000, Quantum = 32 };
        _engine.Map.AudioStatus->Write(in audio);
    }

    private void Play(params ReadOnlySpan<double> loads)
    {
        foreach (var load in loads) _engine.Map.Histogram(HistogramKind.Load)->Record((ulong)(load * 1e6));
    }

    private ulong At(int bucket) => _desk.Histogram[bucket];

    private ulong Sum()
    {
        ulong sum = 0;
        foreach (var c in _desk.Histogram) sum += c;
        return sum;
    }
}
