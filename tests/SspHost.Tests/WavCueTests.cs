// Markers in a WAV file, read back by libsndfile's own tool and by this test.
using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using SspHost.Wav;

namespace SspHost.Tests;

public sealed class WavCueTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Sndfile_finds_every_marker_at_its_frame_and_the_samples_as_before()
    {
        WavCue[] cues = [new(100, 64, "32 frames lost, a quantum was rendered too slowly, 1.20 ms of that in 'filter1' (incident 7)"), new(5000, 0, "odd"), new(9_999, 1, "Schluß – 終")];
        Write(cues, frames: 10_001);
        using var tool = Process.Start(new ProcessStartInfo("sndfile-info", [_path]) { RedirectStandardOutput = true })!;
        var text = tool.StandardOutput.ReadToEnd();
        tool.WaitForExit();
        Assert.Contains("Frames      : 10001", text, StringComparison.Ordinal);
        Assert.Contains("Count : 3", text, StringComparison.Ordinal);
        for (var i = 0; i < cues.Length; i++)
        {
            Assert.Matches($"Cue ID : +{i + 1} +Pos : +{cues[i].Frame} .*Offset : +{cues[i].Frame}\\b", text);
            Assert.Contains($"labl : {i + 1} : {cues[i].Text}", text, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("*** ", text, StringComparison.Ordinal); // its complaints
        using var reader = WavReader.Open(_path);
        Assert.Equal((10_001L, 2), (reader.Frames, reader.Channels));
    }

    [Fact]
    public void Points_labels_and_lengths_are_those_that_were_put_in_and_the_file_is_as_long_as_it_says()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var cues = Enumerable.Range(0, random.Next(0, 20)).Select(_ => new WavCue(random.Next(1000), random.Next(2) * random.Next(1000), new string((char)random.Next(0x391, 0x3C9), random.Next(60)))).ToArray();
            Write(cues, random.Next(1, 1000));
            var bytes = File.ReadAllBytes(_path);
            Assert.Equal((uint)bytes.Length - 8, BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4)));
            Assert.Equal(cues.Select(c => (c.Frame, c.Frames, c.Text)), Read(bytes));
        }
    }

    private void Write(WavCue[] cues, int frames)
    {
        using var writer = WavWriter.Create(_path, 48_000, 2, WavEncoding.Float32);
        writer.Write(new float[2 * frames]);
        writer.Cues = cues;
    }

    private static List<(long, long, string)> Read(byte[] bytes)
    {
        var points = new Dictionary<uint, (long Frame, long Length, string Text)>();
        for (var at = 12; at + 8 <= bytes.Length;)
        {
            var (name, size) = (Encoding.ASCII.GetString(bytes, at, 4), (int)BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 4)));
            var body = bytes.AsSpan(at + 8, size);
            if (name == "cue ")
            {
                for (var p = body[4..]; p.Length >= 24; p = p[24..])
                    points[U(p)] = (U(p[20..]), 0, "");
            }
            else if (name == "LIST")
            {
                for (var sub = body[4..]; sub.Length >= 8;)
                {
                    var length = (int)U(sub[4..]);
                    var id = U(sub[8..]);
                    var data = sub.Slice(12, length - 4);
                    if (sub[..4].SequenceEqual("labl"u8)) points[id] = points[id] with { Text = Encoding.UTF8.GetString(data[..^1]) };
                    else points[id] = points[id] with { Length = U(data) };
                    sub = sub[Math.Min(sub.Length, 8 + length + (length & 1))..];
                }
            }

            at += 8 + size + (size & 1);
        }

        return [.. points.OrderBy(p => p.Key).Select(p => (p.Value.Frame, p.Value.Length, p.Value.Text))];
    }

    private static uint U(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
