// What audio runs on, what is said while it plays, and what one control process leaves its successor.
using SspHost.Abi;
using SspHost.Commands;
using SspHost.Configuration;
using SspHost.Devices;
using SspHost.Diagnostics;
using SspHost.Playing;

namespace SspHost.Tests;

public sealed unsafe class PlayingTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ssp-play-").FullName;

    [Fact]
    public void Without_the_privilege_defaults_are_safe_and_the_remedy_is_one_line()
    {
        var setup = AudioSetup.Decide(new Settings(), realTime: false, card: false, availableCores: 4);
        Assert.Equal((128, 3), (setup.QuantumFor(32), setup.Periods));
        Assert.Contains(setup.Remarks, r => r.Contains("rtprio", StringComparison.Ordinal) && !r.Contains('\n', StringComparison.Ordinal));
        var asked = AudioSetup.Decide(new Settings { Quantum = new(32, Origin.Flag), Periods = new(2, Origin.Flag) }, realTime: false, card: false, availableCores: 4);
        Assert.Equal((32, 2), (asked.QuantumFor(64), asked.Periods));
    }

    [Fact]
    public void The_device_is_alsa_where_there_is_a_card_and_else_simulated_and_it_is_said()
    {
        var sim = AudioSetup.Decide(new Settings(), realTime: true, card: false, availableCores: 1);
        Assert.Equal((CardKind.Simulated, 1), (sim.Card, sim.Threads));
        Assert.Contains(sim.Remarks, r => r.Contains("no sound card", StringComparison.Ordinal));
        var alsa = AudioSetup.Decide(new Settings(), realTime: true, card: true, availableCores: 6);
        Assert.Equal((CardKind.Alsa, "default", 5), (alsa.Card, alsa.AlsaName, alsa.Threads));
        Assert.Equal(64, alsa.QuantumFor(64));
        var wav = AudioSetup.Decide(new Settings { Device = "wav:a.wav,b.wav" }, realTime: true, card: true, availableCores: 6);
        Assert.Equal((CardKind.PacedStream, "a.wav", "b.wav"), (wav.Card, wav.WavInput, wav.WavOutput));
    }

    [Fact]
    public void The_configuration_names_device_cores_and_period()
    {
        var config = AudioSetup.Decide(new Settings { Device = "alsa:hw:1", Cores = new([3, 2], Origin.Flag) }, realTime: true, card: true, availableCores: 8).ToConfig(64);
        Assert.Equal((64, 64, 2, 3, 2, -1), (config.Quantum, config.Period, config.Threads, config.Cores[0], config.Cores[1], config.Cores[2]));
        Assert.Equal("hw:1", System.Text.Encoding.UTF8.GetString(config.Device, 4));
        Assert.Equal(0, config.Device[4]);
    }

    [Fact]
    public void A_core_that_is_not_there_is_named_with_those_that_are()
    {
        Assert.Null(AudioSetup.CheckCores([1, 0], [0, 1]));
        Assert.Equal("core 99: not one this process may use; expected 0, 1", AudioSetup.CheckCores([0, 99], [0, 1]));
        Assert.Equal(Environment.ProcessorCount, AudioSetup.AllowedCores().Count);
    }

    [Fact]
    public void A_device_that_fails_says_at_what()
    {
        // The engine's enumeration is not seen from here: each of its numbers has words, and none says "step".
        for (var step = 1; step <= 9; step++)
        {
            var said = Abi.Link.EngineWords.Refusal(new Reply { Kind = RequestKind.StartAudio, Status = ReplyStatus.DeviceFailed, A = 2, B = step }).Message;
            Assert.StartsWith("cannot start audio: ", said, StringComparison.Ordinal);
            Assert.EndsWith(": No such file or directory", said, StringComparison.Ordinal);
            Assert.DoesNotContain("step", said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_home_that_does_not_exist_is_still_no_folder_of_where_one_stands() => Assert.True(Path.IsPathRooted(Settings.Home) && Path.IsPathRooted(new Settings().StateDirectory));

    [Fact]
    public void What_plays_is_remembered_and_a_damaged_memory_is_none()
    {
        var file = new PlayingFile(12, 345, 0xFFFF_FFFF_FFFF_FFFE, 77);
        file.Write(_directory);
        Assert.Equal(file, PlayingFile.TryRead(_directory));
        var path = Path.Combine(_directory, PlayingFile.FileName);
        var text = File.ReadAllText(path).TrimEnd();
        for (var n = 0; n < text.Length; n++)
        {
            File.WriteAllText(path, text[..n]);
            Assert.Null(PlayingFile.TryRead(_directory));
        }

        PlayingFile.Forget(_directory);
        Assert.Null(PlayingFile.TryRead(_directory));
    }

    [Fact]
    public void The_hash_of_a_plan_ignores_serial_and_what_is_measured_and_nothing_else()
    {
        var plan = new byte[sizeof(PlanHeader) + (2 * sizeof(PlanNode))];
        void Change(Action<nint> what)
        {
            fixed (byte* start = plan) what((nint)start);
        }

        Change(p => *(PlanHeader*)p = new PlanHeader { Version = 1, Bytes = (uint)plan.Length, Serial = 1, NodeCount = 2, NodesOffset = sizeof(PlanHeader) });
        var hash = PlayingFile.HashOf(plan);
        Change(p => ((PlanHeader*)p)->Serial = 9);
        Change(p => ((PlanNode*)(p + sizeof(PlanHeader)))[1].Priority = 123);
        Change(p => ((PlanNode*)(p + sizeof(PlanHeader)))[1].Costs[2] = 456);
        Assert.Equal(hash, PlayingFile.HashOf(plan));
        Change(p => ((PlanNode*)(p + sizeof(PlanHeader)))[1].Slot = 1);
        Assert.NotEqual(hash, PlayingFile.HashOf(plan));
    }

    [Fact]
    public void Recordings_are_found_beside_the_patch_and_nowhere_else()
    {
        var patches = Directory.CreateDirectory(Path.Combine(_directory, "patches")).FullName;
        File.WriteAllText(Path.Combine(patches, "drum.wav"), "");
        File.WriteAllText(Path.Combine(_directory, "secret.wav"), "");
        var memory = Path.Combine(_directory, "state", "journal.roots");
        var assets = new AssetFiles(memory);
        assets.AddRoot(patches);
        Assert.Equal(Path.Combine(patches, "drum.wav"), assets.Resolve("drum.wav"));
        Assert.Contains("not found in " + patches, Assert.Throws<FileNotFoundException>(() => assets.Resolve("snare.wav")).Message, StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => assets.Resolve("../secret.wav"));
        Assert.Throws<FileNotFoundException>(() => assets.Resolve(Path.Combine(_directory, "secret.wav")));
        Assert.Equal(Path.Combine(patches, "drum.wav"), new AssetFiles(memory).Resolve("drum.wav")); // the next process
    }

    [Fact]
    public void Late_quanta_and_dropouts_are_summed_up_and_everything_else_is_told_one_by_one()
    {
        var words = new NoticeWords();
        for (var i = 1; i <= 3; i++) Assert.Null(words.Line(new Notice { Kind = NoticeKind.Late, A = i * 1_000_000, B = 666_667 }, _ => null));
        Assert.Equal("late: 3 quanta, the longest 3.00 ms of 0.67 ms; nothing lost unless a dropout is told", words.TakeLate());
        Assert.Null(words.TakeLate());
        Assert.Null(words.Line(new Notice { Kind = NoticeKind.Dropout, A = 48, B = 1, Incident = 4 }, _ => null));
        Assert.Equal("dropout: 48 frames lost, a quantum was rendered too slowly (incident 4)", words.TakeDropouts());
        Assert.Null(words.TakeDropouts());
        for (var i = 5; i <= 7; i++) Assert.Null(words.Line(new Notice { Kind = NoticeKind.Dropout, A = i == 6 ? 100 : 32, B = i == 6 ? 2 : 1, Incident = (uint)i }, _ => null));
        Assert.Equal("3 dropouts: 164 frames lost, the longest because the audio thread got its core too late (incident 6)", words.TakeDropouts());
        Assert.Contains("'echo'", words.Line(new Notice { Kind = NoticeKind.BadOutput, Key = 5 }, key => key == 5 ? "echo" : null), StringComparison.Ordinal);
        Assert.Null(words.Line(new Notice { Kind = NoticeKind.Late, A = 2_000_000, B = 666_667, Key = 5, C = 1_500_000 }, key => key == 5 ? "echo" : null));
        Assert.Contains("the longest 2.00 ms of 0.67 ms, 1.50 ms of that in 'echo'; nothing", words.TakeLate(), StringComparison.Ordinal);
        Assert.Null(words.Line(new Notice { Kind = NoticeKind.Dropout, A = 48, B = 1, Incident = 8, Key = 6, C = 900_000 }, _ => null));
        Assert.Equal("dropout: 48 frames lost, a quantum was rendered too slowly, 0.90 ms of that in 'a module that left' (incident 8)", words.TakeDropouts());
        Assert.Null(words.Line(new Notice { Kind = NoticeKind.Dropout, A = 48_000, B = 4, Incident = 9 }, _ => null));
        Assert.Equal("dropout: 48000 frames lost, the device was away and is back (incident 9)", words.TakeDropouts());
        Assert.Equal("the device is away; the patch plays on unheard until it is back (incident 9)", words.Line(new Notice { Kind = NoticeKind.DeviceAway, Incident = 9 }, _ => null));
        Assert.Contains("away (No such device); the patch", words.Line(new Notice { Kind = NoticeKind.DeviceAway, A = 19 }, _ => null), StringComparison.Ordinal);
        Assert.Equal(
            "the device's timestamps leapt by -12.5 ms; nothing is lost by that (incident 10)",
            words.Line(new Notice { Kind = NoticeKind.ClockJump, A = -12_500_000, Incident = 10 }, _ => null));
        Assert.StartsWith("the device's timestamps stopped", words.Line(new Notice { Kind = NoticeKind.ClockJump, Incident = 11 }, _ => null), StringComparison.Ordinal);
        Assert.Contains("No such device", words.Line(new Notice { Kind = NoticeKind.DeviceLost, A = 19 }, _ => null), StringComparison.Ordinal);
    }

    [Fact]
    public void On_a_terminal_one_line_moves_and_elsewhere_plain_lines_come_now_and_then()
    {
        var text = new StringWriter();
        var screen = new Screen(text, terminal: true, () => 20, () => 0);
        screen.Status("load 1%");
        screen.Say("a notice");
        screen.Status(new string('x', 50));
        screen.Close();
        Assert.Equal("\r\e[Kload 1%\r\e[Ka notice\nload 1%\r\e[K" + new string('x', 19) + "\n", text.ToString());

        var now = 0L;
        text = new StringWriter();
        screen = new Screen(text, terminal: false, () => 20, () => now);
        for (; now < 10_000; now += 1000) screen.Status($"load {now}");
        Assert.Equal("load 0\nload 5000\n", text.ToString());
    }

    [Fact]
    public void The_status_line_says_what_a_player_needs()
    {
        var some = new Distribution(100, 0.05, 0.2, 0.3, 1.25);
        var report = new StatusReport
        {
            State = "playing",
            Audio = new AudioReport
            {
                RealTime = true, Late = 3, Dropouts = 1, Load = some, RenderMicroseconds = some, WakeMicroseconds = some, JoinMicroseconds = some,
                InputPeaks = [0, 0, 0], OutputPeaks = [5, 0.001f, 12, 0.05f, 0],
            },
            Memory = new MemoryReport { PoolBytes = 240 << 20, PoolLive = 12 << 20 },
            Threads = [new ThreadReport { Name = "a", Policy = "FIFO", Core = 3 }, new ThreadReport { Name = "w", Policy = "FIFO", Core = 2 }],
        };
        Assert.Equal("load 5.0% p99 20% max 125% | late 3 dropouts 1 | cores 3,2 | memory 12 MiB of 240 MiB | in . | out █.!▁", StatusLine.Format(report));
        Assert.Equal("load 5.0/20/125% late 3 dropouts 1 cores 3,2 mem 12.0/240M out █.!▁ in .", StatusLine.Format(report, 79));
        var busy = report with { Audio = report.Audio! with { RealTime = false, Late = 378_811, Dropouts = 162_368, Load = new Distribution(1, 1.97, 2.1, 0, 2.23), InputPeaks = new float[16], OutputPeaks = [5, 5, 5, 5, 5, 5, 5, 5] } };
        Assert.InRange(StatusLine.Format(busy, 79).Length, 60, 79);
        Assert.Contains("HEAP MOVED", StatusLine.Format(report with { Memory = report.Memory! with { Collections = 1 } }, 79), StringComparison.Ordinal);
        Assert.Contains("HEAP MOVED", StatusLine.Format(report with { Memory = report.Memory! with { Collections = 1 } }), StringComparison.Ordinal);
        Assert.StartsWith("DEVICE AWAY | load", StatusLine.Format(report with { Audio = report.Audio! with { Away = true } }), StringComparison.Ordinal);
        Assert.Equal("stopped", StatusLine.Format(new StatusReport { State = "stopped" }));
    }

    [Fact]
    public void Memory_in_the_region_is_told_from_memory_outside()
    {
        string[] smaps =
        [
            "7f0000000000-7f0010000000 rw-s 00000000 00:01 123    /memfd:ssp-region (deleted)", "Size:             262144 kB", "Rss:               40960 kB",
            "7f1000000000-7f1000010000 r-xp 00000000 08:01 5      /usr/lib/libc.so.6", "Rss:                  64 kB",
            "7f1000010000-7f1000020000 rw-p 00000000 00:00 0 ", "Rss:                  12 kB", "VmFlags: rd wr mr",
        ];
        Assert.Equal(new ProcessMemory(40960 * 1024, 76 * 1024), ProcessMemory.Sum(Mapping.Parse(smaps)));
        Assert.True(ProcessMemory.Of(Environment.ProcessId).Outside > 1 << 20);
    }

    [Fact]
    public void Cards_are_the_numbered_lines_of_the_kernels_list()
    {
        Assert.Equal(["0 [Generic ]: HDA-Intel - HD-Audio Generic"], SoundCards.Parse([" 0 [Generic ]: HDA-Intel - HD-Audio Generic", "                      HD-Audio Generic at 0xfe"]));
        Assert.Empty(SoundCards.Parse(["--- no soundcards ---"]));
    }

    [Fact]
    public void A_storm_allocates_and_collects_at_least_as_often_as_asked()
    {
        using var storm = new AllocationStorm(1, 50);
        while (storm.Collections < 20) Thread.Sleep(5);
        Assert.True(storm.AllocatedBytes > 0);
    }

    [Fact]
    public void A_clock_in_this_runtime_counts_every_period_as_come_or_missed()
    {
        using var clock = new RuntimeClock(1_000_000, 80);
        var begun = Linux.Now();
        while (clock.Lateness.Count < 200) Thread.Sleep(1);
        var periods = clock.Lateness.Count + clock.Missed;
        Assert.InRange(periods, 200ul, ((Linux.Now() - begun) / 1_000_000) + 2);
    }

    [Fact]
    public void The_verdict_counts_only_with_a_real_storm_and_a_heap_that_stood_still()
    {
        var side = new GcIsolationSide { RealTime = true, CollectionsPerSecond = 250, LatenessMicroseconds = new Distribution(1, 1, 2, 3, 4) };
        Assert.True(GcIsolation.Judge(1, side, side, 0, 0, 0).Valid);
        Assert.False(GcIsolation.Judge(1, side with { CollectionsPerSecond = 199 }, side, 0, 0, 0).Valid);
        var moved = GcIsolation.Judge(1, side, side, 0, 24, 0);
        Assert.False(moved.Valid);
        Assert.Contains("MOVED", moved.Verdict, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
