// `ssp trace` on a host that plays: every format, what it says of the quanta, what a dropout leaves, and a disk that takes nothing.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using SspHost.Abi.Link;
using SspHost.Diagnostics.Tracing;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class TraceCommandTests : IDisposable
{
    private const int SigInt = 2, SigStop = 19, SigCont = 18;

    private readonly Runtime _runtime = new();
    private Process? _host;
    private Lines? _lines;

    public void Dispose()
    {
        if (_host is { HasExited: false })
        {
            using var process = EngineProcess.Open(_host.Id);
            process?.Signal(SigInt);
            if (!_host.WaitForExit(60_000)) _host.Kill();
        }

        _host?.Dispose();
        _runtime.Dispose();
    }

    [Fact]
    public async Task A_host_that_plays_is_traced_in_every_format_and_every_quantum_of_the_time_is_in_it()
    {
        Play();
        var before = Quanta();
        Assert.Contains("zones", await Trace("--seconds", "0.5", "--format", "chrome", "-o", "t.json"), StringComparison.Ordinal);
        Assert.Contains("zones", await Trace("--seconds", "0.5", "--format", "firefox", "-o", "t.firefox.json"), StringComparison.Ordinal);
        Assert.Contains("zones", await Trace("--seconds", "0.5", "--format", "perfetto", "-o", "t.pftrace"), StringComparison.Ordinal);
        Assert.Contains("events", await Trace("--last", "2", "--format", "raw", "-o", "t.ssptrace"), StringComparison.Ordinal);
        var after = Quanta();
        Assert.Empty(Directory.GetFiles(_runtime.Directory, "t.*.*.ssptrace")); // what the host wrote for the command is gone

        var chrome = Chrome("t.json");
        var quanta = chrome.Where(e => e.Name == "quantum").Select(e => e.Quantum).Order().ToList();
        Assert.InRange(quanta.Count, 100, (int)(after - before));
        Assert.InRange(quanta[0], before, after);
        if (chrome.All(e => e.Name != "events missing here")) Assert.Equal(quanta[^1] - quanta[0] + 1, (ulong)quanta.Count);
        // Every module that is awake in a quantum has its zone there: the output is always awake.
        Assert.InRange(chrome.Count(e => e.Name == "out1"), quanta.Count - 2, quanta.Count + 2);

        using (var firefox = JsonDocument.Parse(await File.ReadAllTextAsync(_runtime.File("t.firefox.json"))))
            Assert.NotEqual(0, firefox.RootElement.GetProperty("threads")[0].GetProperty("markers").GetProperty("length").GetInt32());
        Assert.True(new FileInfo(_runtime.File("t.pftrace")).Length > 10_000);
        var raw = RawTrace.Read(_runtime.File("t.ssptrace"));
        Assert.False(raw.CutShort);
        Assert.Equal((48_000, 32), (raw.Header.Rate, raw.Header.Quantum));
        Assert.Contains(raw.Header.Modules, m => m.Name == "vco1");
        Assert.Contains(raw.Header.Seats, s => s.Tid > 0 && s.Seat == 0);
        var engine = Engine();
        Assert.Equal(engine, raw.Header.EnginePid);
        Assert.NotEmpty(raw.Header.Memory);
        if (raw.Header.Anchors.Count > 1) // the clock of the trace is CLOCK_MONOTONIC: its last event is not in the future, and not long ago
            Assert.InRange(new TraceView(raw).End, raw.Header.To - 1_000_000_000, raw.Header.To + 100_000_000);

        Assert.Contains("zones", await Trace("convert", "t.ssptrace", "--format", "chrome", "-o", "converted.json"), StringComparison.Ordinal);
        Assert.NotEmpty(Chrome("converted.json"));

        _ = await Trace("modules", "off");
        await Task.Delay(200);
        _ = await Trace("--seconds", "0.2", "-o", "without.json");
        Assert.DoesNotContain(Chrome("without.json"), e => e.Name == "vco1");
        Assert.Contains(Chrome("without.json"), e => e.Name == "quantum");
        _ = await Trace("off");
        await Task.Delay(200);
        var off = await Executables.Run(Executables.Ssp, _runtime.Directory, "trace", "--seconds", "0.2", "-o", "off.json");
        Assert.NotEqual(0, off.ExitCode);
        Assert.Contains("tracing is off", off.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_runtime.File("off.json")));
        Assert.False(Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/sys/kernel/tracing/instances/ssp-{_host!.Id}")));
    }

    [Fact]
    public void A_dropout_leaves_a_trace_in_the_state_directory()
    {
        Play();
        Lose();
        var traces = Path.Combine(_runtime.Directory, "ssphost", "traces");
        var file = Eventually.Get(() => Directory.Exists(traces) ? Directory.GetFiles(traces, "*.ssptrace").FirstOrDefault() : null, "a trace of the dropout");
        var raw = RawTrace.Read(file);
        Assert.NotEqual(0, raw.Events);
        Assert.Contains(raw.Header.Incidents, i => i.Kind is "dropout" or "late");
        Assert.Contains(file, _lines!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_no_trace_can_be_written_one_line_says_so_and_it_plays_on()
    {
        Directory.CreateDirectory(Path.Combine(_runtime.Directory, "ssphost"));
        File.WriteAllText(Path.Combine(_runtime.Directory, "ssphost", "traces"), "a file where the directory should be");
        Play();
        Lose();
        Eventually.True(() => _lines!.Text.Contains("no trace could be kept", StringComparison.Ordinal), "the line that says so");
        var quanta = Quanta();
        Eventually.True(() => Quanta() > quanta + 100, "audio goes on");
        Assert.Equal(2, _lines!.Text.Split("no trace could be kept").Length);
    }

    [Fact]
    public async Task Without_a_host_and_without_a_file_it_says_what_is_missing()
    {
        var none = await Executables.Run(Executables.Ssp, _runtime.Directory, "trace", "-o", "x.json");
        Assert.Equal((1, "ssp: no host runs; ssp run starts one (ssp trace convert reads files without one)\n"), (none.ExitCode, none.Error));
        await File.WriteAllTextAsync(_runtime.File("bad.ssptrace"), "no trace at all");
        var bad = await Executables.Run(Executables.Ssp, _runtime.Directory, "trace", "convert", "bad.ssptrace", "-o", "x.json");
        Assert.Equal(1, bad.ExitCode);
        Assert.Contains("no raw trace", Assert.Single(bad.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.False(File.Exists(_runtime.File("x.json")));
    }

    private void Play()
    {
        _host = Executables.Start(Executables.Ssp, _runtime.Directory, ["run", Executables.Patch("acid-line"), "--device", "sim", .. Executables.NoPanel]);
        _lines = Executables.Follow(_host);
        Eventually.True(() => File.Exists(Path.Combine(_runtime.Directory, "control.sock")), "the control socket");
        Eventually.True(() => Quanta() > 500, "quanta");
    }

    private ulong Quanta()
    {
        try
        {
            using var look = EngineLink.Look(_runtime.Directory);
            return look.TryAudio(out var audio) ? audio.Quanta : 0;
        }
        catch (EngineGoneException)
        {
            return 0;
        }
    }

    private int Engine() => EngineFile.TryRead(_runtime.Directory)!.Pid;

    // The engine stands still for longer than its buffer lasts.
    private void Lose()
    {
        using var engine = EngineProcess.Open(Engine())!;
        engine.Signal(SigStop);
        Thread.Sleep(100);
        engine.Signal(SigCont);
    }

    private async Task<string> Trace(params string[] arguments)
    {
        var outcome = await Executables.Run(Executables.Ssp, _runtime.Directory, ["trace", .. arguments]);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        return outcome.Output;
    }

    private List<(string Name, ulong Quantum)> Chrome(string file)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(_runtime.File(file)));
        return
        [
            .. json.RootElement.GetProperty("traceEvents").EnumerateArray().Where(e => e.GetProperty("ph").GetString() is "X" or "i" && e.GetProperty("cat").GetString() is not "core" and not "incident")
                .Select(e => (e.GetProperty("name").GetString()!, e.GetProperty("args").GetProperty("data").GetProperty("quantum").GetUInt64())),
        ];
    }
}
