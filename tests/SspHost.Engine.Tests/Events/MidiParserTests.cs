// The MIDI byte stream against the specification's rules, by example and by a naive reference over random bytes.
using SspHost.Engine.Events;

namespace SspHost.Engine.Tests.Events;

public sealed class MidiParserTests
{
    private static List<MidiMessage> Parse(params byte[] bytes)
    {
        var parser = default(MidiParser);
        var messages = new List<MidiMessage>();
        foreach (var b in bytes)
        {
            if (parser.Put(b, out var message)) messages.Add(message);
        }

        return messages;
    }

    [Fact]
    public void Every_channel_message_has_the_data_bytes_of_its_kind()
    {
        Assert.Equal([new MidiMessage(0x93, 60, 100)], Parse(0x93, 60, 100));
        Assert.Equal([new MidiMessage(0x8F, 1, 2)], Parse(0x8F, 1, 2));
        Assert.Equal([new MidiMessage(0xA0, 3, 4)], Parse(0xA0, 3, 4));
        Assert.Equal([new MidiMessage(0xB1, 74, 127)], Parse(0xB1, 74, 127));
        Assert.Equal([new MidiMessage(0xC2, 5)], Parse(0xC2, 5));
        Assert.Equal([new MidiMessage(0xD2, 6)], Parse(0xD2, 6));
        Assert.Equal([new MidiMessage(0xE2, 0, 64)], Parse(0xE2, 0, 64));
        Assert.Equal((2, 0xE0), (Parse(0xE2, 0, 64)[0].Channel, Parse(0xE2, 0, 64)[0].Kind));
    }

    [Fact]
    public void Running_status_holds_until_another_status_and_system_messages_end_it()
    {
        Assert.Equal([new MidiMessage(0xB0, 1, 2), new MidiMessage(0xB0, 3, 4), new MidiMessage(0xB0, 5, 6)], Parse(0xB0, 1, 2, 3, 4, 5, 6));
        Assert.Equal([new MidiMessage(0xC0, 1), new MidiMessage(0xC0, 2)], Parse(0xC0, 1, 2));
        Assert.Equal([new MidiMessage(0xB0, 1, 2)], Parse(0xB0, 1, 2, 0xF6, 3, 4));
        Assert.Equal([new MidiMessage(0xF2, 1, 2)], Parse(0xF2, 1, 2, 3, 4));
    }

    [Fact]
    public void Real_time_bytes_come_through_in_the_middle_of_anything_and_disturb_nothing()
    {
        Assert.Equal([new MidiMessage(0xF8), new MidiMessage(0xFA), new MidiMessage(0x90, 60, 1)], Parse(0x90, 0xF8, 60, 0xFA, 1));
        Assert.Equal([new MidiMessage(0xFC), new MidiMessage(0x90, 1, 2)], Parse(0xF0, 1, 2, 0xFC, 3, 0xF7, 0x90, 1, 2));
        Assert.Empty(Parse(0xF9, 0xFD));
    }

    [Fact]
    public void Exclusive_data_and_broken_messages_are_passed_over()
    {
        Assert.Empty(Parse(0xF0, 0x7E, 0x7F, 0x09, 0x01, 0xF7));
        Assert.Equal([new MidiMessage(0xB0, 1, 2)], Parse(0xF0, 1, 2, 3, 0xB0, 1, 2)); // cut off by a status
        Assert.Equal([new MidiMessage(0x90, 7, 8)], Parse(0xB0, 1, 0x90, 7, 8)); // half a message
        Assert.Empty(Parse(1, 2, 3, 4, 5));
    }

    // Looks at the whole stream: real-time bytes are taken out first, then it is cut at status bytes, then each piece is read.
    private static List<MidiMessage> Naive(byte[] bytes)
    {
        var found = new List<(int At, MidiMessage Message)>();
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] >= 0xF8 && bytes[i] != 0xF9 && bytes[i] != 0xFD) found.Add((i, new MidiMessage(bytes[i])));
        }

        var plain = bytes.Select((b, i) => (Byte: b, At: i)).Where(x => x.Byte < 0xF8).ToList();
        for (var i = 0; i < plain.Count; i++)
        {
            var status = plain[i].Byte;
            if (status < 0x80) continue;
            var data = plain.Skip(i + 1).TakeWhile(x => x.Byte < 0x80).ToList();
            var size = status switch { < 0xC0 => 2, < 0xE0 => 1, < 0xF0 => 2, 0xF1 or 0xF3 => 1, 0xF2 => 2, _ => 0 };
            var most = size == 0 ? 0 : status >= 0xF0 ? Math.Min(1, data.Count / size) : data.Count / size;
            for (var m = 0; m < most; m++)
                found.Add((data[(m * size) + size - 1].At, new MidiMessage(status, data[m * size].Byte, size == 2 ? data[(m * size) + 1].Byte : (byte)0)));
        }

        return found.OrderBy(f => f.At).Select(f => f.Message).ToList();
    }

    [Fact]
    public void Any_bytes_give_what_a_naive_reading_of_the_whole_stream_gives()
    {
        var random = new Random(6);
        byte[] likely = [0x90, 0xB0, 0xC0, 0xE0, 0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA, 0xFD, 0xFF];
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(40)];
            for (var i = 0; i < bytes.Length; i++)
            {
                bytes[i] = random.Next(3) switch { 0 => likely[random.Next(likely.Length)], 1 => (byte)random.Next(256), _ => (byte)random.Next(128) };
            }

            var expected = Naive(bytes);
            var actual = Parse(bytes);
            Assert.True(expected.SequenceEqual(actual), $"round {round}: {Convert.ToHexString(bytes)}");
        }
    }
}
