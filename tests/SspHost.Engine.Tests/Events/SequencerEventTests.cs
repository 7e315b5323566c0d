// The sequencer's events against libasound itself: what it makes of bytes, and what it makes of its events. No kernel is asked.
using System.Runtime.InteropServices;
using SspHost.Engine.Events;

namespace SspHost.Engine.Tests.Events;

public sealed unsafe partial class SequencerEventTests
{
    private const int Most = 64;

    private static List<MidiMessage> Parse(ReadOnlySpan<byte> bytes)
    {
        var parser = default(MidiParser);
        var messages = new List<MidiMessage>();
        foreach (var b in bytes)
        {
            if (parser.Put(b, out var message)) messages.Add(message);
        }

        return messages;
    }

    private static List<MidiMessage> Messages(SequencerEvent e)
    {
        var messages = stackalloc MidiMessage[SequencerEvent.MostMessages];
        var count = e.Messages(messages);
        return [.. new ReadOnlySpan<MidiMessage>(messages, count)];
    }

    [Fact]
    public void An_event_lies_in_memory_as_libasound_lays_it_out() => Assert.Equal(28, sizeof(SequencerEvent));

    [Fact]
    public void What_libasound_encodes_of_any_messages_is_read_back_as_those_messages()
    {
        Assert.Equal(0, New(Most, out var encoder));
        var random = new Random(11);
        byte[] real = [0xF8, 0xFA, 0xFB, 0xFC];
        for (var round = 0; round < 5000; round++)
        {
            var kind = random.Next(8);
            byte[] bytes = kind == 7
                ? [real[random.Next(real.Length)]]
                : kind is 4 or 5 ? [(byte)(0x80 | (kind << 4) | random.Next(16)), (byte)random.Next(128)]
                : [(byte)(0x80 | (kind << 4) | random.Next(16)), (byte)random.Next(128), (byte)random.Next(128)];
            SequencerEvent e;
            fixed (byte* b = bytes) Assert.Equal(bytes.Length, Encode(encoder, b, bytes.Length, &e));
            Assert.Equal(Parse(bytes), Messages(e));
            Assert.Equal(0, e.Extra);
        }

        Free(encoder);
    }

    [Theory]
    [InlineData(SequencerEvent.NoteOn)]
    [InlineData(SequencerEvent.NoteOff)]
    [InlineData(SequencerEvent.KeyPressure)]
    [InlineData(SequencerEvent.Controller)]
    [InlineData(SequencerEvent.Program)]
    [InlineData(SequencerEvent.Pressure)]
    [InlineData(SequencerEvent.Bend)]
    [InlineData(SequencerEvent.Controller14)]
    [InlineData(SequencerEvent.NonRegistered)]
    [InlineData(SequencerEvent.Registered)]
    [InlineData(SequencerEvent.Start)]
    [InlineData(SequencerEvent.Continue)]
    [InlineData(SequencerEvent.Stop)]
    [InlineData(SequencerEvent.Clock)]
    public void What_libasound_decodes_of_an_event_are_the_messages_read_of_it(byte type)
    {
        Assert.Equal(0, New(Most, out var decoder));
        NoStatus(decoder, 1); // every message with its status: no running status
        var random = new Random(type);
        var bytes = stackalloc byte[Most];
        for (var round = 0; round < 500; round++)
        {
            var e = new SequencerEvent { Type = type };
            if (type is SequencerEvent.NoteOn or SequencerEvent.NoteOff or SequencerEvent.KeyPressure)
                (e.Channel, e.Key, e.Velocity) = ((byte)random.Next(16), (byte)random.Next(128), (byte)random.Next(128));
            else
            {
                e.Channel = (byte)random.Next(16);
                e.Parameter = (uint)random.Next(type is SequencerEvent.NonRegistered or SequencerEvent.Registered ? 16384 : 128);
                e.Value = type == SequencerEvent.Bend ? random.Next(16384) - 8192
                    : type is SequencerEvent.Controller14 or SequencerEvent.NonRegistered or SequencerEvent.Registered ? random.Next(16384) : random.Next(128);
            }

            var count = Decode(decoder, bytes, Most, &e);
            Assert.True(count > 0, $"libasound knows event type {type}: {count}");
            Assert.Equal(Parse(new ReadOnlySpan<byte>(bytes, (int)count)), Messages(e));
        }

        Free(decoder);
    }

    [Fact]
    public void Any_bytes_are_read_without_harm_and_what_follows_an_event_is_counted_in_whole_events()
    {
        var random = new Random(5);
        var e = default(SequencerEvent);
        for (var round = 0; round < 20_000; round++)
        {
            random.NextBytes(new Span<byte>(&e, sizeof(SequencerEvent)));
            foreach (var m in Messages(e)) Assert.True(m.Status >= 0x80 && m.First < 0x80 && m.Second < 0x80);
            Assert.True(e.Extra >= 0 && e.Extra % SequencerEvent.Bytes == 0);
        }

        Assert.Equal(28, new SequencerEvent { Flags = 4, Length = 1 }.Extra);
        Assert.Equal(56, new SequencerEvent { Flags = 4, Length = 29 }.Extra);
    }

    [Fact]
    public void A_stamp_counts_where_it_lies_shortly_before_the_reading_and_else_the_reading_does()
    {
        const ulong Now = 10_000_000_000;
        const long Offset = 7_000_000_000;
        ulong Of(byte flags, uint seconds, uint ns, long offset)
        {
            var e = new SequencerEvent { Flags = flags, Seconds = seconds, Nanoseconds = ns };
            return EventsThread.TimeOf(&e, offset, Now);
        }

        Assert.Equal(Now - 1_000_000, Of(1, 2, 999_000_000, Offset));
        Assert.Equal(Now, Of(0, 2, 999_000_000, Offset)); // in ticks of the queue
        Assert.Equal(Now, Of(1, 2, 999_000_000, 0)); // the queue's clock is not known yet
        Assert.Equal(Now, Of(1, 4, 0, Offset)); // of the future
        Assert.Equal(Now, Of(1, 1, 0, Offset)); // of long ago
    }

    [LibraryImport("libasound.so.2", EntryPoint = "snd_midi_event_new")]
    private static partial int New(nuint bytes, out nint coder);

    [LibraryImport("libasound.so.2", EntryPoint = "snd_midi_event_free")]
    private static partial void Free(nint coder);

    [LibraryImport("libasound.so.2", EntryPoint = "snd_midi_event_no_status")]
    private static partial void NoStatus(nint coder, int on);

    [LibraryImport("libasound.so.2", EntryPoint = "snd_midi_event_encode")]
    private static partial nint Encode(nint coder, byte* bytes, nint count, SequencerEvent* e);

    [LibraryImport("libasound.so.2", EntryPoint = "snd_midi_event_decode")]
    private static partial nint Decode(nint coder, byte* bytes, nint count, SequencerEvent* e);
}
