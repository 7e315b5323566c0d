// How a running host goes: history and histogram of its load, cores, heat, the doctor, reports and traces.
using System.Globalization;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Tracing;
using SspHost.Panel;
using SspHost.Patching;

namespace SspHost.Playing.Desks;

/// <summary>What a system desk is made of.</summary>
internal sealed record SystemTools
{
    public required IEngineSource Engine { get; init; }

    /// <summary>The last report.</summary>
    public required Func<StatusReport> Status { get; init; }

    public required MetricsRecorder Metrics { get; init; }

    public required FlightRecorder Flight { get; init; }

    /// <summary>Has the doctor look.</summary>
    public required Func<DoctorReport> Examine { get; init; }

    /// <summary>Writes a report into a file.</summary>
    public required Action<string> Report { get; init; }

    /// <summary>Lets the engine write events; null, or why it cannot.</summary>
    public required Func<string?> StartTracing { get; init; }

    /// <summary>The state directory: reports and traces go into folders of it.</summary>
    public required string State { get; init; }

    public required Action<string> Say { get; init; }
}

/// <summary>
/// <see cref="Sample"/> comes once a second from the host's thread; the panel's thread reads. There are two sets of figures: one is read while the
/// other is written, and a reader that takes longer than a second sees a mixture, at worst. A sample allocates nothing.
/// </summary>
internal sealed class SystemDesk(SystemTools tools) : ISystemDesk, IDisposable
{
    /// <summary>Seconds of the history.</summary>
    public const int Seconds = 600;

    /// <summary>Buckets of the histogram: up to 120 %, and what is above.</summary>
    public const int Buckets = 25;

    private const int MostCores = 256;
    private const double Step = 1 / 20.0, LoadUnit = 1e6;

    private readonly CoreMeter _cores = new(tools.Metrics);
    private readonly int[] _numbers = new int[MostCores];
    private readonly float[] _busy = new float[MostCores];
    private readonly float[] _history = new float[Seconds]; // a ring
    private readonly ulong[] _counts = new ulong[Buckets];
    private readonly ulong[] _seen = new ulong[Abi.Histogram.Buckets];
    private readonly Figures[] _figures = [new(), new()];
    private readonly Lock _lock = new();
    private Func<EngineLink, bool>? _count, _reset;
    private Figures? _shown;
    private long _seconds;
    private int _generation = -1;
    private bool _playing, _examined;
    private int _version;
    private volatile IReadOnlyList<Finding> _findings = [];
    private ulong _dropoutsBefore, _lateBefore;
    private Task<TraceResult>? _trace;
    private TaskCompletionSource? _endTrace;
    private string _tracePath = "";

    private sealed class Figures
    {
        public readonly float[] History = new float[Seconds];
        public readonly ulong[] Counts = new ulong[Buckets];
        public readonly CoreLoad[] Cores = new CoreLoad[MostCores];
        public int Length, CoreCount;
        public float Temperature = float.NaN;
    }

    public int Version => Volatile.Read(ref _version);

    public ReadOnlySpan<float> History => Shown is { } f ? f.History.AsSpan(0, f.Length) : default;

    public ReadOnlySpan<ulong> Histogram => Shown is { } f ? f.Counts : default;

    public ReadOnlySpan<CoreLoad> Cores => Shown is { } f ? f.Cores.AsSpan(0, f.CoreCount) : default;

    public float Temperature => Shown?.Temperature ?? float.NaN;

    public ulong DropoutsBefore => Volatile.Read(ref _dropoutsBefore);

    public ulong LateBefore => Volatile.Read(ref _lateBefore);

    public IReadOnlyList<Finding> Findings => _findings;

    public bool Tracing => Volatile.Read(ref _trace) is { IsCompleted: false };

    private Figures? Shown => Volatile.Read(ref _shown);

    /// <summary>A second has passed.</summary>
    public void Sample()
    {
        lock (_lock)
        {
            _playing = false;
            tools.Engine.Try(_count ??= Count, otherwise: false);
            var status = tools.Status();
            _history[_seconds++ % Seconds] = _playing ? (float)(status.Audio?.Load.P99 ?? 0) : 0;
            Show(status);
        }

        // Once there is an engine to look at: what it holds is half of what the doctor says.
        if (_examined || !_playing) return;
        _examined = true;
        _ = Task.Run(Examine);
    }

    public string? Reset()
    {
        lock (_lock)
        {
            var status = tools.Status();
            var heard = tools.Engine.Try(_reset ??= Forget, otherwise: false);
            Array.Clear(_counts);
            Show(status);
            return heard ? null : "the engine is not running; the histogram is empty";
        }
    }

    public string? Examine()
    {
        try
        {
            _findings = tools.Examine().Findings;
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or FormatException)
        {
            return "the doctor cannot look: " + PatchError.OneLine(e.Message);
        }
    }

    public (string? Path, string? Why) WriteReport()
    {
        var path = FileFor("reports", "tar.gz");
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            tools.Report(path);
            return (path, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, $"no report: {PatchError.OneLine(e.Message)}");
        }
    }

    public (string? Path, string? Why) Trace(bool on)
    {
        lock (_lock)
        {
            if (!on) return Ended();
            if (Tracing) return (null, "a trace is being taken already");
            if (tools.StartTracing() is { } why) return (null, why);
            _tracePath = FileFor("traces", "ssptrace");
            _endTrace = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(_tracePath)!);
                _trace = tools.Flight.RecordAsync(_tracePath, FlightRecorder.Longest, end: _endTrace.Task);
                if (_trace.IsFaulted) return Result(_trace); // the place cannot be written to
                _ = Watch(_trace, _endTrace.Task);
                return (null, null);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return (null, PatchError.OneLine(e.Message));
            }
        }
    }

    public void Dispose()
    {
        _ = _endTrace?.TrySetResult();
        try
        {
            _trace?.Wait();
        }
        catch (AggregateException)
        {
            // It was said.
        }
    }

    private (string? Path, string? Why) Ended()
    {
        if (_trace is not { } trace || _endTrace is not { } end) return (null, "no trace is being taken");
        _ = end.TrySetResult();
        (_trace, _endTrace) = (null, null);
        return Result(trace);
    }

    private static (string? Path, string? Why) Result(Task<TraceResult> trace)
    {
        try
        {
            return (trace.GetAwaiter().GetResult().Path, null);
        }
        catch (Exception e) when (e is TraceException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            return (null, "no trace: " + (e is OperationCanceledException ? "the host ends" : PatchError.OneLine(e.Message)));
        }
    }

    // One that nobody ends writes itself when it is as long as a trace can be.
    private async Task Watch(Task<TraceResult> trace, Task ended)
    {
        await Task.WhenAny(trace).ConfigureAwait(false);
        if (ended.IsCompleted) return;
        var (path, why) = Result(trace);
        tools.Say(why ?? string.Create(CultureInfo.InvariantCulture, $"the trace is as long as one can be ({FlightRecorder.Longest:0} s): {path}"));
    }

    private string FileFor(string folder, string ending)
    {
        var stem = Path.Combine(tools.State, folder, string.Create(CultureInfo.InvariantCulture, $"{DateTime.Now:yyyy-MM-dd HH.mm.ss}"));
        var path = $"{stem}.{ending}";
        for (var i = 2; Path.Exists(path); i++) path = string.Create(CultureInfo.InvariantCulture, $"{stem} {i}.{ending}");
        return path;
    }

    // What the engine has counted since the last look. Another engine counts from 0.
    private unsafe bool Count(EngineLink link)
    {
        _playing = link.State == EngineState.Playing;
        if (_generation != tools.Engine.Generation)
        {
            _generation = tools.Engine.Generation;
            Array.Clear(_seen);
            (_dropoutsBefore, _lateBefore) = (0, 0);
        }

        var load = link.Map.Histogram(HistogramKind.Load);
        for (var b = 0; b < _seen.Length; b++)
        {
            var now = Volatile.Read(ref load->Counts[b]);
            if (now == _seen[b]) continue;
            _counts[BucketOf(b)] += now - Math.Min(now, _seen[b]);
            _seen[b] = now;
        }

        return true;
    }

    private bool Forget(EngineLink link)
    {
        _ = Count(link);
        if (link.TryAudio(out var audio)) (_dropoutsBefore, _lateBefore) = (audio.Dropouts, audio.Late);
        return true;
    }

    // By the middle of the engine's bucket, which is narrower than ours up to 100 %.
    private static int BucketOf(int bucket)
    {
        var middle = (Abi.Histogram.LowerBound(bucket) + Abi.Histogram.LowerBound(Math.Min(bucket + 1, Abi.Histogram.Buckets - 1))) / 2.0 / LoadUnit;
        return (int)Math.Clamp(middle / Step, 0, Buckets - 1);
    }

    private void Show(StatusReport status)
    {
        var to = ReferenceEquals(_shown, _figures[0]) ? _figures[1] : _figures[0];
        to.Length = (int)Math.Min(_seconds, Seconds);
        for (var i = 0; i < to.Length; i++) to.History[i] = _history[(_seconds - to.Length + i) % Seconds];
        _counts.CopyTo(to.Counts, 0);
        to.CoreCount = _cores.Take(_numbers, _busy);
        for (var i = 0; i < to.CoreCount; i++)
        {
            var audio = false;
            for (var t = 0; t < status.Threads.Count && !audio; t++) audio = status.Threads[t].Core == _numbers[i];
            to.Cores[i] = new CoreLoad(_numbers[i], _busy[i], audio);
        }

        to.Temperature = _cores.Temperature;
        Volatile.Write(ref _shown, to);
        Volatile.Write(ref _version, _version + 1);
    }
}
