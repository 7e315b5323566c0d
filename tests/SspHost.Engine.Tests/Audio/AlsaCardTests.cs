// ALSA without hardware: libasound's own null and file devices, named in a private configuration.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio;

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
        Assert.InRange((ulong)FakeAlsa.Waits, 2UL, 2 * quanta); // two questions for each quantum's time, where a loop asks tens of thousands
        FakeAlsa.Available = Quantum;
        Assert.Equal(CardState.Ready, card.Wait(Quantum, 60_000_000).State);
        card.Close();
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
