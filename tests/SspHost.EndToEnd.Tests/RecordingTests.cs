// A recording of a host that plays, while its engine stands still for a while: in step, with silence and a marker where frames were lost.
using System.Diagnostics;
using System.Text.Json;
using SspHost.Abi.Link;
using SspHost.Diagnostics;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class RecordingTests
{
    private const int SigStop = 19, SigCont = 18, SigInt = 2;

    [Fact]
    public async Task What_is_lost_while_a_recording_runs_is_silence_with_a_marker_that_says_why()
    {
        using var host = new PlayingHost(Executables.Patch("acid-line"));
        var file = Path.Combine(host.Directory, "take.wav");
        var earlier = host.Audio.LostFrames;
        using var record = Executables.Start(Executables.Ssp, host.Directory, "record", file, "--outputs", "1,2", "--inputs", "1", "--json");
        var lines = Executables.Follow(record);
        Eventually.True(() => File.Exists(file), "the recording begins\n" + lines.Text);
        await Task.Delay(300);
        var before = host.Audio;
        for (var i = 0; i < 50 && host.Audio.Dropouts == before.Dropouts; i++)
        {
            using var engine = EngineProcess.Open(host.Look.Process!.Pid)!;
            _ = engine.Signal(SigStop);
            Thread.Sleep(100);
            _ = engine.Signal(SigCont);
            Thread.Sleep(300);
        }

        Assert.True(host.Audio.LostFrames > before.LostFrames, "frames were lost");
        using (var handle = EngineProcess.Open(record.Id)) _ = handle!.Signal(SigInt);
        Assert.True(record.WaitForExit(120_000), "Ctrl-C ends it");
        record.WaitForExit();
        var report = JsonSerializer.Deserialize(lines.Text, DiagnosticsJson.Default.RecordingReport)!;
        Assert.Null(report.Trouble);
        Assert.Equal(0UL, report.DroppedBlocks);
        Assert.Contains(report.Gaps, g => g.Text.Contains("frames lost", StringComparison.Ordinal));
        var lost = (long)(host.Audio.LostFrames - earlier); // a busy machine adds some of its own, also while the recording begins
        Assert.True(report.Missing > 0 && report.Missing <= lost, $"{report.Missing} of {lost} frames");

        // libsndfile reads the same.
        using var tool = Process.Start(new ProcessStartInfo("sndfile-info", [file]) { RedirectStandardOutput = true })!;
        var info = await tool.StandardOutput.ReadToEndAsync();
        Assert.Contains($"Frames      : {report.Frames}", info, StringComparison.Ordinal);
        Assert.Contains("Channels    : 3", info, StringComparison.Ordinal);
        Assert.Contains($"Count : {report.Gaps.Count}", info, StringComparison.Ordinal);
        Assert.Contains($"labl : 1 : {report.Gaps[0].Text}", info, StringComparison.Ordinal);

        // The samples of each gap are silence, and music is around it.
        var samples = Samples(await File.ReadAllBytesAsync(file));
        Assert.Equal(report.Frames * 3, samples.Length);
        foreach (var gap in report.Gaps)
            Assert.All(samples[(int)(gap.At * 3)..(int)((gap.At + gap.Frames) * 3)], v => Assert.Equal(0, v));
        Assert.Contains(samples, v => Math.Abs(v) > 0.01f);
        host.End();
    }

    [Fact]
    public async Task A_recording_that_cannot_be_is_one_clear_error_and_the_music_plays_on()
    {
        using var host = new PlayingHost(Executables.Patch("acid-line"));
        var nowhere = await Executables.Run(Executables.Ssp, host.Directory, "record", "/no/such/folder/x.wav", "--seconds", "1");
        Assert.Equal(1, nowhere.ExitCode);
        Assert.Contains("the folder /no/such/folder does not exist", nowhere.Error, StringComparison.Ordinal);
        var full = await Executables.Run(Executables.Ssp, host.Directory, "record", "/dev/full", "--seconds", "1");
        Assert.Equal(1, full.ExitCode);
        Assert.Contains("/dev/full", Assert.Single(full.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        var quanta = host.Audio.Quanta;
        Eventually.True(() => host.Audio.Quanta > quanta + 100, "it plays on");
        host.End();
    }

    private static float[] Samples(byte[] wav)
    {
        for (var at = 12; ; at += 8 + BitConverter.ToInt32(wav, at + 4))
        {
            if (!wav.AsSpan(at, 4).SequenceEqual("data"u8)) continue;
            return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(wav.AsSpan(at + 8, BitConverter.ToInt32(wav, at + 4))).ToArray();
        }
    }
}
