// Definitions and scores for SuperCollider: their bytes, and what a real scsynth makes of them where one is installed.
using SspHost.Peers.SuperCollider;
using SspHost.Peers.Timing;
using SspHost.Peers.Voices;

namespace SspHost.Peers.Tests;

public sealed class SynthDefTests
{
    [Fact]
    public void A_definition_has_the_bytes_of_the_file_format()
    {
        var def = new SynthDef("d");
        var frequency = def.Parameter("freq", 440);
        def.End("Out", Rate.Audio, 0f, def.Add("SinOsc", Rate.Audio, 0, frequency, 0f));
        Assert.Equal(
            "53436766 00000002 0001 0164 00000001 00000000 00000001 43DC0000 00000001 0466726571 00000000 00000003 "
            + "07436F6E74726F6C 01 00000000 00000001 0000 01 "
            + "0653696E4F7363 02 00000002 00000001 0000 00000000 00000000 FFFFFFFF 00000000 02 "
            + "034F7574 02 00000002 00000000 0000 FFFFFFFF 00000000 00000001 00000000 "
            + "0000",
            Spaced(def.ToBytes(), [4, 4, 2, 2, 4, 4, 4, 4, 4, 5, 4, 4, 8, 1, 4, 4, 2, 1, 7, 1, 4, 4, 2, 4, 4, 4, 4, 1, 4, 1, 4, 4, 2, 4, 4, 4, 4, 2]));
    }

    [Fact]
    public void An_operator_keeps_its_number_and_equal_constants_stand_once()
    {
        var def = new SynthDef("d");
        def.End("Out", Rate.Audio, 2f, def.Add("BinaryOpUGen", Rate.Audio, 2, def.Add("DC", Rate.Audio, 0, 2f), 3f));
        var text = Convert.ToHexString(def.ToBytes());
        Assert.Contains("00000002" + "40000000" + "40400000", text, StringComparison.Ordinal); // two constants: 2 and 3
        Assert.Contains("0C42696E6172794F705547656E" + "02" + "00000002" + "00000001" + "0002", text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_no_server_could_read_is_refused()
    {
        var def = new SynthDef("d");
        _ = def.Add("DC", Rate.Audio, 0, 1f);
        _ = Assert.Throws<InvalidOperationException>(() => def.Parameter("late", 1));
        _ = Assert.Throws<ArgumentException>(() => def.Add("Saw", Rate.Audio, 0, new Input(5, 0, 0)));
        _ = Assert.Throws<ArgumentException>(() => new SynthDef("").ToBytes());
        _ = Assert.Throws<ArgumentException>(() => new SynthDef(new string('x', 256)).ToBytes());
    }

    // The examples of the OSC 1.0 specification.
    [Fact]
    public void A_message_has_the_bytes_of_the_specification()
    {
        Assert.Equal("2F6F7363696C6C61746F722F342F6672657175656E637900" + "2C660000" + "43DC0000", Convert.ToHexString(Osc.Message("/oscillator/4/frequency", 440f)));
        Assert.Equal(
            "2F666F6F00000000" + "2C69697366660000" + "000003E8" + "FFFFFFFF" + "68656C6C6F000000" + "3F9DF3B6" + "40B5B22D",
            Convert.ToHexString(Osc.Message("/foo", 1000, -1, "hello", 1.234f, 5.678f)));
    }

    [Fact]
    public void A_bundle_carries_its_time_and_the_lengths_of_its_messages()
    {
        Assert.Equal("2362756E646C6500" + "0000000180000000" + "00000008" + "2F610000" + "2C000000", Convert.ToHexString(Osc.Bundle(1.5, Osc.Message("/a"))));
    }

    [Fact]
    public void Replies_are_read_as_far_as_they_are_whole_numbers()
    {
        var packet = Osc.Message("/status.reply", 1, 2, 400, 3, 4f, 5);
        Assert.Equal("/status.reply", Osc.Address(packet));
        Assert.Equal([1, 2, 400, 3], Osc.Integers(packet));
        Assert.Equal("", Osc.Address([]));
        for (var length = 0; length < packet.Length; length++)
        {
            try
            {
                Assert.True(Osc.Integers(packet.AsSpan(0, length)).Count <= 4);
            }
            catch (PeerException)
            {
                // cut off: said, not read
            }
        }
    }

    [Fact]
    public void A_blob_is_padded_and_what_OSC_has_not_is_refused()
    {
        Assert.Equal("2F620000" + "2C620000" + "00000003" + "01020300", Convert.ToHexString(Osc.Message("/b", new byte[] { 1, 2, 3 })));
        _ = Assert.Throws<ArgumentException>(() => Osc.Message("/x", 1.0));
    }

    [Theory]
    [InlineData("scsynth")]
    [InlineData("supernova")]
    public void A_server_plays_the_score_at_the_pitch_it_says(string server)
    {
        if (Tool.Find(server) == null) return; // `make bench-peers` installs it; CI may not have it
        var folder = Directory.CreateTempSubdirectory("ssp-peers-test-").FullName;
        try
        {
            var (score, sound) = (Path.Combine(folder, "score.osc"), Path.Combine(folder, "out.wav"));
            Score.Write(score, SuperColliderRenderer.Voice(VoiceKind.Sine, 1), "voice", 1, 1, _ => 1000, parallel: server == "supernova");
            _ = Tool.Run(TimeSpan.FromMinutes(2), Score.Arguments(server, score, sound, 64));
            var samples = Samples(File.ReadAllBytes(sound));
            Assert.InRange(samples.Length, 47_000, 49_000);
            Assert.InRange(samples.Max(), 0.99f, 1.01f);
            var rising = Enumerable.Range(1, samples.Length - 1).Count(i => samples[i - 1] < 0 && samples[i] >= 0);
            Assert.InRange(rising, 970, 1010);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Float WAV of one channel: what follows the chunk "data".
    private static float[] Samples(byte[] wav)
    {
        for (var at = 12; at + 8 <= wav.Length;)
        {
            var size = BitConverter.ToInt32(wav, at + 4);
            if (wav.AsSpan(at, 4).SequenceEqual("data"u8)) return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(wav.AsSpan(at + 8, Math.Min(size, wav.Length - at - 8) & ~3)).ToArray();
            at += 8 + size + (size & 1);
        }

        throw new InvalidDataException("no sound in it");
    }

    private static string Spaced(byte[] bytes, int[] lengths)
    {
        Assert.Equal(lengths.Sum(), bytes.Length);
        var (at, parts) = (0, new List<string>());
        foreach (var length in lengths)
        {
            parts.Add(Convert.ToHexString(bytes, at, length));
            at += length;
        }

        return string.Join(' ', parts);
    }
}
