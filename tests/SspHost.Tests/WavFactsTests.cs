// What a WAV file says beside its samples is read where it is in order, and ignored with a word where it is not.
using System.Buffers.Binary;
using System.Diagnostics;
using SspHost.Wav;

namespace SspHost.Tests;

public class WavFactsTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Loop_pitch_markers_and_waves_are_read_before_and_behind_the_samples(bool behind)
    {
        byte[][] facts = [Sampler(57, 0x8000_0000, (0, 10, 19), (0, 30, 40)), Cues(5, 250), WavBytes.Chunk("clm ", "<!>2048 10000000 wavetable"u8.ToArray())];
        var (format, data) = (Format, WavBytes.Chunk("data", new byte[2 * 4096]));
        var file = behind ? WavBytes.File([format, data, .. facts]) : WavBytes.File([.. facts, format, data]);
        Assert.Equal(4096, WavBytes.ReadAll(file).Length);
        var read = Facts(file);
        Assert.Equal((10L, 20L, 2048), (read.LoopStart, read.LoopEnd, read.CycleFrames));
        Assert.Equal(-2.5f / 12f, read.Root, 1e-7f); // half a semitone above A3
        Assert.Equal([5L, 250L], read.Cues);
        Assert.Empty(read.Warnings);
    }

    [Fact]
    public void A_file_without_them_says_nothing()
    {
        var read = Facts(File(10));
        Assert.Equal((0L, 0L, 0), (read.LoopStart, read.LoopEnd, read.CycleFrames));
        Assert.True(float.IsNaN(read.Root));
        Assert.True(float.IsNaN(Facts(File(10, Sampler(0, 0))).Root)); // what writers leave that know no note
        Assert.Empty(read.Cues);
    }

    [Fact]
    public async Task Libsndfile_reads_the_same_loop_and_note()
    {
        var path = Path.GetTempFileName();
        try
        {
            await System.IO.File.WriteAllBytesAsync(path, File(400, Sampler(69, 0, (0, 100, 299))));
            using var tool = Process.Start(new ProcessStartInfo("sndfile-info", ["--instrument", path]) { RedirectStandardOutput = true })!;
            var told = (await tool.StandardOutput.ReadToEndAsync()).Split((char[])[' ', ':', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries).ToList();
            using var reader = WavReader.Open(path);
            Assert.Equal(told[told.IndexOf("note") + 1], $"{Math.Round((12 * reader.Facts.Root) + 60)}");
            Assert.Equal((told[told.IndexOf("Start") + 1], told[told.IndexOf("End") + 1]), ($"{reader.Facts.LoopStart}", $"{reader.Facts.LoopEnd}"));
        }
        finally
        {
            System.IO.File.Delete(path);
        }
    }

    [Fact]
    public void Markers_come_back_as_our_writer_wrote_them()
    {
        var bytes = new MemoryStream();
        using (var writer = new WavWriter(bytes, "x", 48_000, 1, WavEncoding.Float32) { Cues = [new WavCue(3, 0, "a"), new WavCue(7, 2, "b")] }) writer.Write(new float[10]);
        Assert.Equal([3L, 7L], Facts(bytes.ToArray()).Cues);
    }

    public static TheoryData<byte[], string> Damaged => new()
    {
        { Sampler(128, 0), "byte 84: expected a MIDI note from 0 to 127, not 128" },
        { WavBytes.Chunk("smpl", new byte[35]), "byte 72: expected a \"smpl\" chunk of at least 36 bytes, not 35" },
        { Sampler(60, 0, (0, 5, 5)), "expected a loop that ends after its beginning, not 5 to 5" },
        { Sampler(60, 0, (0, 5, 10)), "expected a loop within the 10 frames, not 5 to 10" },
        { Sampler(60, 0, (1, 5, 8)), "expected a forward loop (0), not kind 1; the loop is played forward" },
        { Promise(Sampler(60, 0, (0, 1, 8)), 36, 2), "expected at most 1 loops, which is what the chunk has room for, not 2" },
        { Promise(Cues(1), 8, 0x7FFF_FFFF), "expected markers of 24 bytes each in the chunk of 28 bytes" },
        { Cues(11), "expected markers within the 10 frames, 1 are not" },
        { WavBytes.Chunk("clm ", "2048"u8.ToArray()), "expected \"<!>\" and the frames of a wave, 16 to 65536" },
        { WavBytes.Chunk("clm ", "<!>999999999999"u8.ToArray()), "expected \"<!>\" and the frames of a wave" },
        { WavBytes.Chunk("clm ", "<!>64"u8.ToArray()), "expected waves no longer than the 10 frames, not 64" },
        { WavBytes.Chunk("smpl", new byte[70_000]), "expected a chunk of at most 65536 bytes, not 70000" },
        { Promise(WavBytes.Chunk("LIST", new byte[4]), 4, 5), "expected a chunk within the file, not 5 bytes of \"LIST\"" },
    };

    [Theory, MemberData(nameof(Damaged))]
    public void What_is_damaged_is_ignored_with_its_byte_and_the_samples_are_read(byte[] chunk, string expected)
    {
        var file = File(10, chunk);
        Assert.Equal(10, WavBytes.ReadAll(file).Length);
        var warning = Assert.Single(Facts(file).Warnings);
        Assert.StartsWith("x.wav, byte ", warning, StringComparison.Ordinal);
        Assert.Contains(expected, warning, StringComparison.Ordinal);
        Assert.EndsWith("; it is ignored", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_the_chunks_hold_the_facts_lie_within_the_samples()
    {
        var random = new Random(5);
        var good = File(300, Sampler(69, 77, (0, 100, 299)), Cues(1, 2, 300), WavBytes.Chunk("clm ", "<!>256 x"u8.ToArray()));
        var (looped, waved, warned) = (0, 0, 0);
        for (var i = 0; i < 20_000; i++)
        {
            var file = good.ToArray();
            for (var n = random.Next(1, 6); n > 0; n--) file[random.Next(640, file.Length)] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)random.Next(3);
            if (random.Next(4) == 0) file = file[..random.Next(644, file.Length)];
            var read = Facts(file);
            Assert.True((read.LoopStart, read.LoopEnd) == (0, 0) || (read.LoopStart >= 0 && read.LoopStart < read.LoopEnd && read.LoopEnd <= 300));
            Assert.True(float.IsNaN(read.Root) || read.Root is >= -5f and < 6f);
            Assert.InRange(read.CycleFrames, 0, 300);
            Assert.All(read.Cues, static c => Assert.InRange(c, 0, 300));
            Assert.InRange(read.Warnings.Count, 0, 8);
            looped += read.LoopEnd > 0 ? 1 : 0;
            waved += read.CycleFrames > 0 ? 1 : 0;
            warned += read.Warnings.Count > 0 ? 1 : 0;
        }

        Assert.All([looped, waved, warned], static n => Assert.InRange(n, 1000, 19_900));
    }

    internal static byte[] File(int frames, params byte[][] chunks) => WavBytes.File([Format, WavBytes.Chunk("data", new byte[2 * frames]), .. chunks]);

    /// <summary>A "smpl" chunk with a note, its fraction and loops of (kind, first frame, last frame).</summary>
    internal static byte[] Sampler(uint note, uint fraction, params (uint Kind, uint First, uint Last)[] loops)
    {
        var body = new byte[36 + (24 * loops.Length)];
        uint[] head = [0, 0, 20_833, note, fraction, 0, 0, (uint)loops.Length, 0];
        for (var i = 0; i < head.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(4 * i), head[i]);
        for (var n = 0; n < loops.Length; n++)
        {
            uint[] loop = [(uint)n, loops[n].Kind, loops[n].First, loops[n].Last, 0, 0];
            for (var i = 0; i < loop.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(36 + (24 * n) + (4 * i)), loop[i]);
        }

        return WavBytes.Chunk("smpl", body);
    }

    private static byte[] Format => WavBytes.Chunk("fmt ", WavBytes.Format(1, 1, 48_000, 16));

    private static byte[] Cues(params uint[] frames)
    {
        var body = new byte[4 + (24 * frames.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(body, frames.Length);
        for (var i = 0; i < frames.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(4 + (24 * i)), i + 1);
            "data"u8.CopyTo(body.AsSpan(4 + (24 * i) + 8));
            BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(4 + (24 * i) + 20), frames[i]);
        }

        return WavBytes.Chunk("cue ", body);
    }

    // A chunk that says another number at a byte of it.
    private static byte[] Promise(byte[] chunk, int at, uint number)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(chunk.AsSpan(at), number);
        return chunk;
    }

    private static WavFacts Facts(byte[] file)
    {
        using var reader = WavReader.Open(new MemoryStream(file), "x.wav");
        return reader.Facts;
    }
}
