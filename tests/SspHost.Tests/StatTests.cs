// The view of `ssp stat`: what it says, that it fits whatever the size and the names, and that a terminal is given back as it was.
using System.Diagnostics;
using SspHost.Commands;
using SspHost.Diagnostics;

namespace SspHost.Tests;

[Collection(ControlCollection.Name)]
public sealed class StatTests(SchemaValidator validator)
{
    [Fact]
    public void At_80_by_24_everything_has_its_place()
    {
        var lines = StatView.Lines(Model(), default, 80, 24).Select(l => l.Text).ToArray();
        Assert.Equal(
            """
            ssp stat  playing  48000 Hz  quantum 32  3 x 64  up 1:02:03  engine 42 (0.1.0)
            load 12% now  p50 10%  p99 15%  p99.9 17%  max 23%
            wake p99 45 max 120 us  join p99 3 max 9 us
            late 5  dropouts 1 (32 frames)  faults 0  bad outputs 0  clock jumps 0
            pool 12 MiB of 256 MiB  peak 14 MiB  largest 200 MiB  failed 0  fragmented 3.0%
            cores  0:50%  1:98%(st 2.0%)
            pressure cpu 1.0% memory 0.0% io -  load 0.50 0.40 0.30  free 2048 MiB
                TID THREAD          P CORE POLICY   S   CPU%  DELAY%  MINFLT MAJFLT  INVOL
                 44 ssp-worker-1    e    1 FIFO 79  R   80.0    1.00       0      0      2
                 43 ssp-audio       e    0 FIFO 80  S   25.0    0.02       0      0      0
                 50 .NET ?[2J       s    0 OTHER    S    1.0       -   12345      0      -
            MODULE             TYPE           us/quantum SHARE%  p99 us  max us ASLEEP%
            dear               vco                   200  30.00     250     900       0
            cheap              lfo                  0.50   0.08       -    1.00      50
            gone               vco                     -      -       -    9.00       -  OF…
            INCIDENTS
            20:15:03 dropout: 32 frames lost
            """.ReplaceLineEndings("\n"),
            string.Join('\n', lines[..17]));
        Assert.Equal(24, lines.Length);
        Assert.Equal("q quit  t threads by cpu  m modules by time  p pause", lines[^1]);
    }

    [Fact]
    public void A_wide_terminal_shows_more_and_the_keys_sort()
    {
        var wide = StatView.Lines(Model(), new StatChoice(ThreadSort.Tid, ModuleSort.Name, Paused: true), 160, 50).Select(l => l.Text).ToArray();
        Assert.Contains(wide, l => l.Contains("load 12% now", StringComparison.Ordinal) && l.Contains("join p99", StringComparison.Ordinal));
        Assert.Contains(wide, l => l.Contains("VOL   INVOL", StringComparison.Ordinal));
        Assert.Contains(wide, l => l.EndsWith("OFF: overload", StringComparison.Ordinal));
        Assert.Contains("PAUSED", wide[0], StringComparison.Ordinal);
        var order = wide.Where(l => l.StartsWith("     ", StringComparison.Ordinal) && l.Contains("FIFO", StringComparison.Ordinal)).ToArray();
        Assert.Contains("ssp-audio", order[0], StringComparison.Ordinal);
        Assert.True(Array.FindIndex(wide, l => l.StartsWith("cheap", StringComparison.Ordinal)) < Array.FindIndex(wide, l => l.StartsWith("dear", StringComparison.Ordinal)));
        var choice = default(StatChoice);
        for (var i = 0; i < 5; i++) choice = StatCommand.Press(StatCommand.Press(choice, 't'), 'm');
        Assert.Equal(default, choice);
        Assert.True(StatCommand.Press(choice, 'p').Paused);
        Assert.False(StatCommand.Press(StatCommand.Press(choice, ' '), ' ').Paused);
    }

    [Fact]
    public void Whatever_the_size_and_the_names_no_line_is_too_long_and_nothing_but_text_is_in_it()
    {
        var random = new Random(11);
        for (var i = 0; i < 400; i++)
        {
            string Name() => new([.. Enumerable.Range(0, random.Next(60)).Select(_ => (char)random.Next(random.Next(3) == 0 ? 0x20 : 0x10000))]);
            var model = Model();
            model = model with
            {
                Status = random.Next(5) == 0 ? null : model.Status! with { State = Name(), EngineVersion = Name(), Audio = random.Next(4) == 0 ? null : model.Status.Audio },
                Costs = random.Next(5) == 0 ? null : model.Costs! with { Modules = [.. Enumerable.Range(0, random.Next(100)).Select(_ => new ModuleCostReport { Name = Name(), Module = Name(), Shed = random.Next(3) == 0 ? Name() : null, Nanoseconds = random.NextDouble() * Math.Pow(10, random.Next(15)) })] },
                Metrics = random.Next(5) == 0 ? null : model.Metrics! with { Processes = [new ProcessMetrics { Name = "engine", Threads = [.. Enumerable.Range(0, random.Next(100)).Select(t => new ThreadMetrics { Tid = random.Next(), Name = Name(), State = Name(), Policy = Name(), Cpu = random.NextDouble() * 1000, MinorFaults = (ulong)random.NextInt64() })] }] },
                Incidents = [.. Enumerable.Range(0, random.Next(9)).Select(_ => new Incident { Id = 1, Kind = Name(), Time = Name(), Monotonic = "1", Text = Name(), Figures = new Dictionary<string, long>() })],
            };
            var (columns, rows) = (random.Next(1, 250), random.Next(1, 80));
            var choice = new StatChoice((ThreadSort)random.Next(5), (ModuleSort)random.Next(5), random.Next(2) == 0);
            var lines = StatView.Lines(model, choice, columns, rows);
            Assert.Equal(rows, lines.Count);
            Assert.All(lines, l => Assert.True(l.Text.Length <= columns, $"{l.Text.Length} of {columns}: {l.Text}"));
            Assert.All(lines, l => Assert.DoesNotContain(l.Text, c => char.IsControl(c) || char.IsSurrogate(c) || c is >= '\u1100' and not '…'));
        }
    }

    [Fact]
    public void Once_prints_a_plain_page_and_json_one_object()
    {
        using var host = new ControlHost(validator);
        var state = Path.Combine(host.Directory, "state");
        var (code, text) = SspChild.Run(host.Directory, state, "stat", "--once");
        Assert.True(code == 0, text);
        Assert.StartsWith("ssp stat  playing", text, StringComparison.Ordinal);
        Assert.Contains("ssp-audio", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', text);
        var (jsonCode, json) = SspChild.Run(host.Directory, state, "stat", "--json");
        Assert.Equal(0, jsonCode);
        using var document = System.Text.Json.JsonDocument.Parse(json);
        Assert.Equal(["status", "costs", "metrics", "incidents"], document.RootElement.EnumerateObject().Select(p => p.Name));
        var (none, error) = SspChild.Run(Path.Combine(host.Directory, "nobody"), state, "stat");
        Assert.Equal((1, "ssp: no host runs; ssp run starts one\n"), (none, error));
    }

    [Theory]
    [InlineData("q")] // the key
    [InlineData("signal")] // kill
    public void On_a_terminal_it_draws_and_gives_the_terminal_back_as_it_was(string how)
    {
        if (!validator.Exists) return; // without python3 there is no terminal to be had
        const string script = """
            import os, pty, select, signal, struct, sys, fcntl, termios, time
            how, command = sys.argv[1], sys.argv[2:]
            master, slave = pty.openpty()
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
            before = termios.tcgetattr(slave)
            pid = os.fork()
            if pid == 0:
                os.setsid()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                for fd in (0, 1, 2): os.dup2(slave, fd)
                os.environ['TERM'] = 'xterm-256color'
                os.execvp(command[0], command)
            seen = b''
            def pump(until, seconds):
                global seen
                end = time.time() + seconds
                while time.time() < end and until not in seen:
                    if select.select([master], [], [], 0.1)[0]: seen += os.read(master, 65536)
                assert until in seen, (until, seen[-2000:])
            pump(b'ssp-audio', 30)
            assert termios.tcgetattr(slave) != before, 'the terminal was not taken'
            seen = b''
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 150, 0, 0))
            os.kill(pid, signal.SIGWINCH)
            pump(b'VOL   INVOL', 20)
            if how == 'q': os.write(master, b'q')
            else: os.kill(pid, signal.SIGTERM)
            pump(b'\x1b[?1049l', 20)
            _, status = os.waitpid(pid, 0)
            assert os.waitstatus_to_exitcode(status) == 0, status
            assert b'\x1b[?25h' in seen
            assert termios.tcgetattr(slave) == before, 'the terminal is not as it was'
            print('restored')
            """;
        using var host = new ControlHost(validator);
        var start = SspChild.Start("python3", host.Directory, Path.Combine(host.Directory, "state"), ["-c", script, how, "dotnet", SspChild.Program, "stat"]);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        var error = process.StandardError.ReadToEnd(); // a traceback fits into a pipe
        process.WaitForExit();
        Assert.True(output == "restored\n", output + error);
    }

    private static StatModel Model() => new(
        new StatusReport
        {
            State = "playing", EnginePid = 42, EngineVersion = "0.1.0", Uptime = 3723,
            Audio = new AudioReport
            {
                Rate = 48_000, Quantum = 32, Period = 64, Periods = 3, RealTime = true, Late = 5, Dropouts = 1, LostFrames = 32, LoadNow = 0.123f,
                Load = new Distribution(1500, 0.101, 0.152, 0.17, 0.231), RenderMicroseconds = new Distribution(0, 0, 0, 0, 0), WakeMicroseconds = new Distribution(9, 20, 45, 80, 120),
                JoinMicroseconds = new Distribution(9, 1, 3, 5, 9), InputPeaks = [], OutputPeaks = [],
            },
            Memory = new MemoryReport { PoolBytes = 256L << 20, PoolLive = 12 << 20, PoolPeak = 14 << 20, PoolLargest = 200L << 20, PoolFragmentation = 0.03 },
            Threads = [new ThreadReport { Name = "ssp-audio", Tid = 43, Core = 0, Policy = "FIFO", Priority = 80 }],
        },
        new CostsReport
        {
            Time = "", Monotonic = "", Timed = true,
            Modules =
            [
                new ModuleCostReport { Name = "dear", Module = "vco", Nanoseconds = 200_000, Share = 0.3, Asleep = 0, P99 = 250_000, Longest = 900_000 },
                new ModuleCostReport { Name = "cheap", Module = "lfo", Nanoseconds = 500, Share = 0.00075, Asleep = 0.5, Longest = 1000 },
                new ModuleCostReport { Name = "gone", Module = "vco", Longest = 9000, Shed = "overload" },
            ],
        },
        new MetricsReport
        {
            Time = "", Monotonic = "", Seconds = 0.5,
            Processes =
            [
                new ProcessMetrics
                {
                    Name = "engine", Pid = 42, Threads =
                    [
                        new ThreadMetrics { Tid = 43, Name = "ssp-audio", State = "S", Policy = "FIFO", Priority = 80, Core = 0, Cpu = 0.25, RunDelay = 0.0002, Voluntary = 1500, Involuntary = 0 },
                        new ThreadMetrics { Tid = 44, Name = "ssp-worker-1", State = "R", Policy = "FIFO", Priority = 79, Core = 1, Cpu = 0.8, RunDelay = 0.01, Voluntary = 3, Involuntary = 2 },
                    ],
                },
                new ProcessMetrics { Name = "ssp", Pid = 50, Threads = [new ThreadMetrics { Tid = 50, Name = ".NET \e[2J", State = "S", Policy = "OTHER", Core = 0, Cpu = 0.01, MinorFaults = 12_345 }] },
            ],
            System = new SystemMetrics
            {
                Cores = [new CoreMetrics { Core = 0, Busy = 0.5 }, new CoreMetrics { Core = 1, Busy = 0.98, Steal = 0.02 }],
                CpuPressure = new PressurePair(new PressureMetrics { Window = 0.01 }, null), MemoryPressure = new PressurePair(new PressureMetrics(), null), Load = [0.5, 0.4, 0.3],
                MemoryAvailable = 2L << 30,
            },
        },
        [new Incident { Id = 1, Kind = "dropout", Time = "2026-01-31T20:15:03.000000Z", Monotonic = "1", Text = "32 frames lost", Figures = new Dictionary<string, long>() }]);
}
