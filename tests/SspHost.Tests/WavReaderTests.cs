// What the WAV reader reads, and what it says of files that it does not.
using System.Buffers.Binary;
using SspHost.Wav;

namespace SspHost.Tests;

public class WavReaderTests
{
    [Fact]
    public void Every_encoding_gives_full_scale_as_one()
    {
        Assert.Equal([-1f, 0f, 0.5f], WavBytes.ReadAll(File(1, 8, [0, 128, 192])));
        Assert.Equal([-1f, 0f, 0.5f], WavBytes.ReadAll(File(1, 16, [0x00, 0x80, 0, 0, 0x00, 0x40])));
        Assert.Equal([-1f, 0f, 0.5f], WavBytes.ReadAll(File(1, 24, [0, 0, 0x80, 0, 0, 0, 0, 0, 0x40])));
        Assert.Equal([-1f, 0f, 0.5f], WavBytes.ReadAll(File(1, 32, [0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x40])));
        Assert.Equal([-1f, 0f, 2.5f], WavBytes.ReadAll(File(3, 32, Floats(-1f, 0f, 2.5f))));
        Assert.Equal([-1f, 0f, 2.5f], WavBytes.ReadAll(File(3, 64, Doubles(-1, 0, 2.5))));
    }

    [Fact]
    public void Negative_24_bit_samples_keep_their_sign() =>
        Assert.Equal([-1f / 8388608f, -256f / 8388608f], WavBytes.ReadAll(File(1, 24, [0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF])));

    [Fact]
    public void An_extensible_format_is_read_as_its_sub_format()
    {
        var file = WavBytes.File(WavBytes.Chunk("fmt ", WavBytes.Format(3, 1, 48000, 32, extensible: true)), WavBytes.Chunk("data", Floats(0.25f)));
        Assert.Equal([0.25f], WavBytes.ReadAll(file));
    }

    [Fact]
    public void Unknown_chunks_of_odd_length_and_data_before_format_are_read()
    {
        var format = WavBytes.Chunk("fmt ", WavBytes.Format(1, 1, 44100, 16));
        var data = WavBytes.Chunk("data", [0, 0x40]);
        var junk = WavBytes.Chunk("LIST", [1, 2, 3]);
        Assert.Equal([0.5f], WavBytes.ReadAll(WavBytes.File(junk, format, junk, data, junk)));
        Assert.Equal([0.5f], WavBytes.ReadAll(WavBytes.File(data, junk, format)));
    }

    [Fact]
    public void An_rf64_file_takes_its_size_from_ds64()
    {
        var ds64 = new byte[28];
        BinaryPrimitives.WriteInt64LittleEndian(ds64.AsSpan(8), 4);
        var data = WavBytes.Chunk("data", [0, 0x40, 0, 0xC0]);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(4), uint.MaxValue);
        var file = WavBytes.Riff("RF64", WavBytes.Chunk("ds64", ds64), WavBytes.Chunk("fmt ", WavBytes.Format(1, 1, 44100, 16)), data);
        Assert.Equal([0.5f, -0.5f], WavBytes.ReadAll(file));
    }

    [Theory]
    [InlineData(7, 1, 44100, 16, "byte 20: expected PCM (1) or float (3), not format tag 7")]
    [InlineData(1, 0, 44100, 16, "byte 22: expected 1 to 256 channels, not 0")]
    [InlineData(1, 1, 0, 16, "byte 24: expected a sample rate")]
    [InlineData(1, 1, 44100, 20, "byte 34: expected 8, 16, 24 or 32 bits of PCM or 32 or 64 of float, not 20 bits of PCM")]
    public void A_format_that_is_not_read_is_named_with_its_byte(int tag, int channels, int rate, int bits, string expected)
    {
        var file = WavBytes.File(WavBytes.Chunk("fmt ", WavBytes.Format(tag, channels, rate, bits)), WavBytes.Chunk("data", [0, 0]));
        Assert.Contains(expected, Refusal(file), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_wav_file_is_said_in_one_line()
    {
        Assert.Contains("byte 0: expected a WAV file, it is empty", Refusal([]), StringComparison.Ordinal);
        Assert.Contains("byte 0: expected \"RIFF\" or \"RF64\", not \"ID3.\"", Refusal("ID3\u0003 and then some music"u8.ToArray()), StringComparison.Ordinal);
        Assert.Contains("byte 8: expected \"WAVE\"", Refusal("RIFF\0\0\0\0AVI LIST"u8.ToArray()), StringComparison.Ordinal);
        var format = WavBytes.Chunk("fmt ", WavBytes.Format(1, 2, 44100, 16));
        Assert.Contains("\"data\" chunk before the end", Refusal(WavBytes.File(format)), StringComparison.Ordinal);
        Assert.Contains("whole frames of 4 bytes, 2 are left over", Refusal(WavBytes.File(format, WavBytes.Chunk("data", new byte[6]))), StringComparison.Ordinal);
        Assert.Contains("this is the second", Refusal(WavBytes.File(format, format, WavBytes.Chunk("data", new byte[4]))), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_truncation_of_a_file_is_refused_with_a_byte_within_it()
    {
        var file = WavBytes.File(
            WavBytes.Chunk("LIST", [1, 2, 3]), WavBytes.Chunk("fmt ", WavBytes.Format(3, 2, 48000, 32, extensible: true)), WavBytes.Chunk("data", Floats(1, 2, 3, 4, 5, 6)));
        for (var length = 0; length < file.Length; length++)
        {
            var message = Refusal(file[..length]);
            var at = int.Parse(message.Split("byte ")[1].Split(':')[0], System.Globalization.CultureInfo.InvariantCulture);
            Assert.InRange(at, 0, length);
            Assert.DoesNotContain('\n', message);
        }
    }

    [Fact]
    public void Damaged_files_are_read_or_refused_and_nothing_else()
    {
        var random = new Random(1);
        var good = WavBytes.File(WavBytes.Chunk("fmt ", WavBytes.Format(1, 2, 44100, 24, extensible: true)), WavBytes.Chunk("data", new byte[60]), WavBytes.Chunk("LIST", new byte[9]));
        var refused = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var file = good.ToArray();
            for (var n = random.Next(1, 6); n > 0; n--) file[random.Next(file.Length)] = (byte)random.Next(256);
            try
            {
                _ = WavBytes.ReadAll(file);
            }
            catch (WavException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1000, 19_999);
    }

    private static string Refusal(byte[] file)
    {
        var message = Assert.Throws<WavException>(() => WavReader.Open(new MemoryStream(file), "x.wav")).Message;
        Assert.StartsWith("x.wav, byte ", message, StringComparison.Ordinal);
        return message;
    }

    private static byte[] File(int tag, int bits, byte[] data) =>
        WavBytes.File(WavBytes.Chunk("fmt ", WavBytes.Format(tag, 1, 48000, bits)), WavBytes.Chunk("data", data));

    private static byte[] Floats(params float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private static byte[] Doubles(params double[] values) => [.. values.SelectMany(BitConverter.GetBytes)];
}
