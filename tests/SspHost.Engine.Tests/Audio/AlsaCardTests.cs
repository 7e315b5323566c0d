// ALSA without hardware: libasound's own null and file devices, named in a private configuration.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio;

[Collection("alsa")] // the library's configuration and its functions are one per process
public sealed unsafe partial class AlsaCardTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-alsa-").FullName;

    public AlsaCardTests()
    {
        File.WriteAllText(
            $"{_folder}/asound.conf",
            $$"""
            pcm.silent { type null }
            pcm.tape { type file slave.pcm { type null } file "{{_folder}}/tape.raw" format "raw" }
            pcm.reel { type file slave.pcm { type null } file "/dev/null" infile "{{_folder}}/reel.raw" format "raw" }
            """);
        SetEnv("ALSA_CONFIG_PATH", $"{_folder}/asound.conf"); // the C library's environment: the runtime keeps a copy of its own
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static AudioConfig Config(string device, int inputs, int outputs, int quantum = 32, int period = 64, int periods = 4)
    {
        var config = new AudioConfig { Card = CardKind.Alsa, Rate = 48_000, Quantum = quantum, Period = period, Periods = periods, Inputs = inputs, Outputs = outputs };
        Encoding.UTF8.GetBytes(device).CopyTo(new Span<byte>(config.Device, 128));
        return config;
    }

    private static bool HasLibrary => AlsaLibrary.TryLoad();

    [Fact]
    public void A_device_that_does_not_exist_is_an_errno_and_a_step()
    {
        var config = Config("no-such-device", 2, 2);
        Assert.NotEqual(0, AlsaCard.Open(&config, out _, out var step));
        Assert.Equal(HasLibrary ? AlsaStep.Open : AlsaStep.Library, step);
    }

    [Fact]
    public void The_null_device_plays_and_captures_and_is_paced_by_the_clock_instead_of_being_spun_on()
    {
        if (!HasLibrary) return;
        using var rig = new LoopRig(32);
        var config = Config("silent", 2, 4);
        Assert.Equal(0, AlsaCard.Open(&config, out var card, out _));
        Assert.Equal((48_000, 2, 4), (card.Facts.Rate, card.Facts.Inputs, card.Facts.Outputs));
        Assert.False(card.IsLinked); // ENOSYS: two null devices do not link
        var loop = rig.Zeroed<AudioLoop<AlsaCard, ScriptedQuantum>>(1);
        *loop = new(card, rig.Render, rig.Setup);
        var engine = new Thread(() => loop->Run());
        var began = Linux.Now();
        engine.Start();
        Thread.Sleep(300);
        Assert.True(SpinWait.SpinUntil(() => rig.Status.Frames > 0, 120_000));
        loop->RequestStop(96);
        engine.Join();
        var elapsed = Linux.Now() - began;
        card.Close();
        Assert.Equal(AudioEnd.Stopped, loop->End);
        var s = rig.Status;
        Assert.NotEqual(0UL, s.Frames);
        Assert.True(s.Frames + s.LostFrames <= (elapsed * 48_000 / 1_000_000_000) + 1, "no faster than time");
        Assert.Equal(0f, s.InputPeaks[0]);
    }

    public static TheoryData<int> Formats() =>
        [AlsaLibrary.FormatS16, AlsaLibrary.FormatS24, AlsaLibrary.FormatS24Packed, AlsaLibrary.FormatS32, AlsaLibrary.FormatFloat, -1];

    [Theory]
    [MemberData(nameof(Formats))]
    public void What_is_played_reaches_the_device_frame_by_frame_in_its_own_format(int format)
    {
        if (!HasLibrary) return;
        using var rig = new LoopRig(32);
        var config = Config("tape", 0, 3, period: 50);
        Assert.Equal(0, AlsaCard.Open(&config, format, out var card, out _));
        if (format >= 0) Assert.Equal(format, card.Format);
        else Assert.Equal(AlsaLibrary.FormatS32, card.Format);
        var buffer = card.Facts.BufferFrames;
        var ramp = rig.Zeroed<RampQuantum>(1);
        ramp->Quantum = 32;
        var loop = rig.Zeroed<AudioLoop<AlsaCard, RampQuantum>>(1);
        *loop = new(card, ramp, rig.Setup);
        Assert.True(loop->Begin());
        while (ramp->Calls < 200) Assert.True(loop->Step());
        loop->RequestStop(0);
        while (loop->Step())
        {
        }

        card.Close();
        var bytes = File.ReadAllBytes($"{_folder}/tape.raw");
        var size = card.Format switch { AlsaLibrary.FormatS16 => 2, AlsaLibrary.FormatS24Packed => 3, _ => 4 };
        Assert.Equal(0, bytes.Length % (3 * size));
        var frames = bytes.Length / (3 * size);
        Assert.True(frames > buffer);
        float At(int frame, int channel)
        {
            var code = bytes.AsSpan(((frame * 3) + channel) * size, size);
            return card.Format switch
            {
                AlsaLibrary.FormatS16 => BitConverter.ToInt16(code) / 32768f,
                AlsaLibrary.FormatS24Packed => ((code[0] << 8) | (code[1] << 16) | (code[2] << 24)) / 2147483648f,
                AlsaLibrary.FormatS24 => (BitConverter.ToInt32(code) << 8) / 2147483648f,
                AlsaLibrary.FormatFloat => BitConverter.ToSingle(code),
                _ => BitConverter.ToInt32(code) / 2147483648f,
            };
        }

        var lsb = card.Format == AlsaLibrary.FormatS16 ? 1f / 65536 : 1f / (1 << 23);
        for (var f = 0; f < buffer; f++) Assert.Equal(0f, At(f, 0)); // the first buffer is silence
        // Quantum by quantum in order; one that a busy machine made late was not played, and is a dropout.
        var at = buffer;
        ulong unplayed = 0;
        for (var q = 0; q < 200 && at + 32 <= frames; q++)
        {
            if (MathF.Abs((RampQuantum.Value(q * 32, 0) / Volts.FullScale) - At(at, 0)) > lsb)
            {
                unplayed++;
                continue;
            }

            for (var f = 0; f < 32; f++)
            {
                for (var c = 0; c < 3; c++) Assert.Equal(RampQuantum.Value((q * 32) + f, c) / Volts.FullScale, At(at + f, c), lsb);
            }

            at += 32;
        }

        Assert.InRange(unplayed, 0UL, Math.Min(199, rig.Status.Dropouts));
    }

    [Fact]
    public void Impossible_wishes_are_refused_or_bent_to_what_the_device_does()
    {
        if (!HasLibrary) return;
        var config = Config("silent", 0, 0);
        Assert.Equal(0, AlsaCard.Open(&config, out var card, out _));
        Assert.Equal((0, 0), (card.Facts.Inputs, card.Facts.Outputs));
        card.Close();
        config = Config("silent", 0, 2, quantum: 256, period: 48, periods: 2);
        Assert.Equal(0, AlsaCard.Open(&config, out card, out _));
        Assert.True(card.Facts.BufferFrames >= 512, "it holds a quantum that plays and one that is rendered");
        card.Close();
        config = Config("silent", 0, 2);
        Assert.Equal(22, AlsaCard.Open(&config, onlyFormat: 77, out _, out var step));
        Assert.Equal(AlsaStep.Format, step);
    }

    [Fact]
    public void Opening_and_closing_allocates_nothing_managed()
    {
        if (!HasLibrary) return;
        var config = Config("silent", 2, 2);
        long before = 0;
        for (var i = 0; i < 5; i++)
        {
            if (i == 1) before = GC.GetAllocatedBytesForCurrentThread();
            if (AlsaCard.Open(&config, out var card, out _) != 0) Assert.Fail("not opened");
            card.Close();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void An_xrun_is_counted_from_where_the_hardware_last_was_until_it_starts_again()
    {
        using var fake = new FakeAlsa();
        var config = Config("fake", 0, 2);
        Assert.Equal(0, AlsaCard.Open(&config, out var card, out _));
        Assert.Equal(0, card.Start());
        var buffer = card.Facts.BufferFrames;
        long total = 0;
        var samples = stackalloc float[2 * 32];
        var outputs = stackalloc float*[] { samples, samples + 32 };
        foreach (var milliseconds in new[] { 40, 0, 15 })
        {
            const int Seen = 64, Played = 32;
            FakeAlsa.Available = Seen;
            var beforeSeen = Linux.Now();
            Assert.Equal(CardState.Ready, card.Wait(Played, 1_000_000_000).State);
            var afterSeen = Linux.Now();
            Assert.Equal(CardState.Ready, card.Play(outputs, Played));
            Thread.Sleep(milliseconds);
            FakeAlsa.Available = -32; // EPIPE
            Assert.Equal(CardState.XRun, card.Wait(Played, 1_000_000_000).State);
            var beforeStart = Linux.Now();
            var lost = card.Recover().Skipped;
            var afterStart = Linux.Now();

            // Between the two looks at the clock lies the moment the card took; it is a buffer at least, as that has been played.
            static long Frames(ulong ns) => (long)(ns * 48_000 / 1_000_000_000);
            Assert.InRange(
                lost,
                Math.Max(buffer, Seen - Played + Frames(beforeStart - afterSeen)),
                Math.Max(buffer, Seen - Played + Frames(afterStart - beforeSeen) + 1));
            if (milliseconds > 10) Assert.True(lost > buffer, "a gap longer than the buffer loses more than the buffer");
            total += lost;
        }

        Assert.True(total > 3 * buffer);
        card.Close();
    }

    [Fact]
    public void A_device_that_calls_itself_ready_without_being_so_is_slept_on_for_the_missing_frames_not_spun_on()
    {
        using var fake = new FakeAlsa();
        const int Quantum = 256;
        const ulong QuantumNs = Quantum * 1_000_000_000UL / 48_000;
        var config = Config("fake", 0, 2, quantum: Quantum, period: Quantum);
        Assert.Equal(0, AlsaCard.Open(&config, out var card, out _));
        Assert.Equal(0, card.Start());
        var began = Linux.Now();
        Assert.Equal(CardState.TimedOut, card.Wait(Quantum, 60_000_000).State);
        var quanta = ((Linux.Now() - began) / QuantumNs) + 2;
        Assert.InRange((ulong)FakeAlsa.Waits, 1UL, 2 * quanta); // two questions for each quantum's time, where a loop asks tens of thousands
        FakeAlsa.Available = Quantum;
        Assert.Equal(CardState.Ready, card.Wait(Quantum, 60_000_000).State);
        card.Close();
    }

    [Fact]
    public void A_wake_up_is_late_from_when_the_hardwares_own_timestamp_says_it_was_due()
    {
        using var fake = new FakeAlsa();
        var config = Config("fake", 0, 2, quantum: 64, period: 48);
        Assert.Equal(0, AlsaCard.Open(&config, out var card, out _));
        Assert.Equal(0, card.Start());
        FakeAlsa.Available = 110; // due at two periods of 48: 14 frames ago by the stamp, which is 3 ms old
        FakeAlsa.StampedAt = Linux.Now() - 3_000_000;
        var wait = card.Wait(64, 1_000_000_000);
        Assert.Equal((CardState.Ready, 110), (wait.State, wait.Available));
        Assert.Equal(FakeAlsa.StampedAt - (14UL * 1_000_000_000 / 48_000), wait.ReadyAt);
        FakeAlsa.StampedAt = Linux.Now() + 60_000_000_000; // of another clock: not believed
        var before = Linux.Now();
        Assert.InRange(card.Wait(64, 1_000_000_000).ReadyAt, before - (14UL * 1_000_000_000 / 48_000), Linux.Now());
        card.Close();
    }

    [Theory]
    [InlineData(0, true, 1)]
    [InlineData(-38, false, 2)] // ENOSYS
    public void Directions_that_link_are_started_at_once_and_others_one_by_one(int link, bool linked, int starts)
    {
        using var fake = new FakeAlsa();
        FakeAlsa.LinkResult = link;
        var config = Config("fake", 2, 2);
        Assert.Equal(0, AlsaCard.Open(&config, out var card, out _));
        Assert.Equal(linked, card.IsLinked);
        Assert.Equal(0, card.Start());
        Assert.Equal(starts, FakeAlsa.Starts);
        card.Close();
    }

    public static TheoryData<int, string> ReelFormats() => new()
    {
        { AlsaLibrary.FormatS16, "-e signed -b 16 -L" }, { AlsaLibrary.FormatS16Big, "-e signed -b 16 -B" },
        { AlsaLibrary.FormatS24Packed, "-e signed -b 24 -L" }, { AlsaLibrary.FormatS24PackedBig, "-e signed -b 24 -B" },
        { AlsaLibrary.FormatS32, "-e signed -b 32 -L" }, { AlsaLibrary.FormatS32Big, "-e signed -b 32 -B" },
        { AlsaLibrary.FormatFloat, "-e float -b 32 -L" }, { AlsaLibrary.FormatFloatBig, "-e float -b 32 -B" },
    };

    [Theory]
    [MemberData(nameof(ReelFormats))]
    public void What_sox_wrote_is_captured_as_sox_reads_it(int format, string encoding)
    {
        if (!HasLibrary) return;
        const int Channels = 2, Frames = 24_000;
        Sox($"-R -n -r 48000 -c 2 {encoding} -t raw {_folder}/reel.raw synth 0.5 sine 440 whitenoise gain -1");
        Sox($"-R -t raw -r 48000 -c 2 {encoding} {_folder}/reel.raw -t raw -e float -b 64 {_folder}/oracle.raw");
        var oracle = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(File.ReadAllBytes($"{_folder}/oracle.raw")).ToArray();
        Assert.Equal(Frames * Channels, oracle.Length);
        var config = Config("silent", Channels, 1, period: 64, periods: 4);
        "reel"u8.CopyTo(new Span<byte>(config.CaptureDevice, 128));
        Assert.Equal(0, AlsaCard.Open(&config, format, out var card, out _));
        Assert.Equal(0, card.Start());
        var samples = stackalloc float[3 * 32];
        var inputs = stackalloc float*[] { samples, samples + 32 };
        var outputs = stackalloc float*[] { samples + 64 };
        var heard = new List<float>();
        while (heard.Count < 2000 * Channels)
        {
            var wait = card.Wait(32, 1_000_000_000);
            if (wait.State == CardState.XRun)
            {
                Assert.Equal(CardState.Ready, card.Recover().State); // a busy machine: nothing was captured meanwhile
                continue;
            }

            card.Capture(inputs, 32);
            for (var i = 0; i < 64; i++) heard.Add(inputs[i % 2][i / 2]);
            _ = card.Play(outputs, 32);
        }

        card.Close();
        // The first buffer of a device made of software is cleared unseen; from there on, quantum by quantum, it is the file in its order.
        var (at, matched) = (0, 0);
        for (var q = 0; q < heard.Count; q += 64)
        {
            var quantum = heard.GetRange(q, 64);
            for (var from = at; from + 64 <= oracle.Length; from += 2)
            {
                var k = 0;
                while (k < 64 && Math.Abs((quantum[k] / Volts.FullScale) - oracle[from + k]) < 1e-6) k++;
                if (k < 64) continue;
                (at, matched) = (from + 64, matched + 1);
                break;
            }
        }

        Assert.InRange(matched, (heard.Count / 64) - 9, heard.Count / 64);
    }

    private static void Sox(string arguments)
    {
        using var sox = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("sox", arguments) { RedirectStandardError = true })!;
        var said = sox.StandardError.ReadToEnd();
        sox.WaitForExit();
        Assert.True(sox.ExitCode == 0, said);
    }

    private struct RampQuantum : IQuantum
    {
        public int Quantum, Calls;

        public static float Value(long frame, int channel) => (((frame * 7) + (channel * 1000)) % 19_000 / 1000f) - 9.5f;

        public bool Render(float** inputs, int inputCount, float** outputs, int outputCount, ulong frame)
        {
            // Counted in quanta, not in frames of the clock: a busy machine may make the paced card skip.
            for (var c = 0; c < outputCount; c++)
            {
                for (var i = 0; i < Quantum; i++) outputs[c][i] = Value(((long)Calls * Quantum) + i, c);
            }

            Calls++;
            return true;
        }

        public readonly bool Resume(float** inputs, int inputCount, float** outputs, int outputCount) => throw new NotSupportedException("nobody is stuck here");

        public readonly void Judge(bool late)
        {
        }

        public readonly void Report(ref AudioStatus status)
        {
        }

        public readonly Culprit Culprit() => Engine.Audio.Culprit.None;
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvCall(string name, string value, int overwrite);

    private static void SetEnv(string name, string value) => Assert.Equal(0, SetEnvCall(name, value, 1));
}
