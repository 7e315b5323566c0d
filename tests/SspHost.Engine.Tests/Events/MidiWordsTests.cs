// Messages as events: what a keyboard means by its bytes.
using SspHost.Abi;
using SspHost.Engine.Events;

namespace SspHost.Engine.Tests.Events;

public sealed class MidiWordsTests
{
    private static (EventKind Kind, int Channel, int Index, float Value) Of(byte status, byte first = 0, byte second = 0)
    {
        var e = MidiWords.EventOf(new MidiMessage(status, first, second));
        Assert.Equal((0u, 0), (e.Target, (int)e.Slot)); // for every module that listens
        return (e.Kind, e.Channel, e.Index, e.Value);
    }

    [Fact]
    public void Notes_keep_their_channel_key_and_velocity_and_a_note_on_without_velocity_ends_one()
    {
        Assert.Equal((EventKind.NoteOn, 3, 60, 1f), Of(0x93, 60, 127));
        Assert.Equal((EventKind.NoteOff, 15, 61, 10 / 127f), Of(0x8F, 61, 10));
        Assert.Equal((EventKind.NoteOff, 0, 62, 64 / 127f), Of(0x90, 62, 0));
    }

    [Fact]
    public void Controllers_and_both_pressures_go_from_0_to_1()
    {
        Assert.Equal((EventKind.Controller, 1, 74, 1f), Of(0xB1, 74, 127));
        Assert.Equal((EventKind.KeyPressure, 2, 60, 0f), Of(0xA2, 60, 0));
        Assert.Equal((EventKind.Pressure, 4, 0, 1f), Of(0xD4, 127));
    }

    [Fact]
    public void The_bend_wheel_rests_at_0_and_reaches_both_ends()
    {
        Assert.Equal((EventKind.PitchBend, 0, 0, 0f), Of(0xE0, 0, 64));
        Assert.Equal((EventKind.PitchBend, 0, 0, -1f), Of(0xE0, 0, 0));
        Assert.Equal((EventKind.PitchBend, 0, 0, 1f), Of(0xE0, 127, 127));
    }

    [Fact]
    public void The_clock_speaks_for_all_channels()
    {
        Assert.Equal((EventKind.Clock, 0, 0, 0f), Of(0xF8));
        Assert.Equal((EventKind.Start, 0, 0, 0f), Of(0xFA));
        Assert.Equal((EventKind.Continue, 0, 0, 0f), Of(0xFB));
        Assert.Equal((EventKind.Stop, 0, 0, 0f), Of(0xFC));
    }

    [Fact]
    public void Modules_hear_nothing_of_programs_song_positions_and_active_sensing()
    {
        foreach (var status in (byte[])[0xC0, 0xF1, 0xF2, 0xF3, 0xFE, 0xFF]) Assert.Equal(EventKind.None, Of(status, 1, 2).Kind);
    }
}
