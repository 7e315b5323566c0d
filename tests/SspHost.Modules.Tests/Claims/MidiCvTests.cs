// What MIDI to CV claims: every event at its frame; priorities, legato and glide of one voice; who of several takes a note; MPE; the clock.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

public class MidiCvTests
{
    private const int Pitch = 0, Gate = 1, Velocity = 2, Trigger = 3, Pressure = 4, Timbre = 5, A = 6, B = 7, Clock = 8, Run = 9, Start = 10;

    [Fact]
    [Trait("Category", "Quality")]
    public void A_note_is_there_at_its_frame_in_tune_and_as_hard_as_it_was_played()
    {
        using var rig = Stepped(1);
        var random = new Random(5);
        var late = 0;
        var notes = Enumerable.Range(0, 60).Select(k => (On: (k * 300) + random.Next(150), Length: 1 + random.Next(100), Key: random.Next(128),
            Velocity: 0.01f + (0.99f * random.NextSingle()))).ToArray();
        foreach (var n in notes)
        {
            Send(rig, n.On, EventKind.NoteOn, n.Key, n.Velocity);
            Send(rig, n.On + n.Length, EventKind.NoteOff, n.Key, 0.5f);
        }

        var output = rig.Run(notes[^1].On + 200);
        foreach (var n in notes)
        {
            late += Math.Abs(Array.FindIndex(output[Gate][0], n.On - 1, static v => v > 0f) - n.On);
            late += Math.Abs(Array.FindIndex(output[Gate][0], n.On, static v => v == 0f) - n.On - n.Length);
            Assert.Equal((n.Key - 60) / 12f, output[Pitch][0][n.On], 1e-6);
            Assert.Equal(10f * n.Velocity, output[Velocity][0][n.On], 1e-6);
            for (var i = 0; i < 60; i++) Assert.Equal(i < 48 ? 10f : 0f, output[Trigger][0][n.On + i]);
        }

        Quality.AtMost("midi-cv", "gates off by", late, 0, "frames");
    }

    [Fact]
    public void A_note_without_length_still_opens_the_gate()
    {
        using var rig = Stepped(1);
        Send(rig, 100, EventKind.NoteOn, 60, 1f);
        Send(rig, 100, EventKind.NoteOff, 60, 0f);
        Assert.Equal([100], EdgeList.Rises(rig.Run("gate", 400)));
    }

    [Theory]
    [InlineData(0, "64 60 67 60 .")]
    [InlineData(1, "64 60 60 60 .")]
    [InlineData(2, "64 64 67 60 .")]
    public void One_voice_plays_the_last_lowest_or_highest_key(int priority, string played)
    {
        // 64 down, 60 down, 67 down, 64 and 67 up, 60 up.
        using var rig = Stepped(1);
        rig["priority"] = priority;
        Send(rig, 100, EventKind.NoteOn, 64, 1f);
        Send(rig, 200, EventKind.NoteOn, 60, 1f);
        Send(rig, 300, EventKind.NoteOn, 67, 1f);
        Send(rig, 400, EventKind.NoteOff, 64, 1f);
        Send(rig, 400, EventKind.NoteOff, 67, 1f);
        Send(rig, 500, EventKind.NoteOff, 60, 1f);
        var output = rig.Run(640);
        Assert.Equal(played, string.Join(' ', Enumerable.Range(1, 5).Select(k =>
            output[Gate][0][(k * 100) + 50] == 0f ? "." : $"{(int)Math.Round((output[Pitch][0][(k * 100) + 50] * 12) + 60)}")));
    }

    [Fact]
    public void Legato_does_not_start_anew_and_retrigger_closes_the_gate_for_a_frame()
    {
        foreach (var legato in new[] { 0, 1 })
        {
            using var rig = Stepped(1);
            rig["legato"] = legato;
            Send(rig, 100, EventKind.NoteOn, 60, 1f);
            Send(rig, 200, EventKind.NoteOn, 62, 0.5f);
            Send(rig, 300, EventKind.NoteOff, 62, 0f);
            var output = rig.Run(400);
            Assert.Equal(legato == 1 ? [100] : [100, 201, 301], EdgeList.Rises(output[Gate][0]));
            Assert.Equal(2f / 12f, output[Pitch][0][200]);
            Assert.Equal(0f, output[Pitch][0][300]);
            Assert.Equal(legato == 1 ? 10f : 5f, output[Velocity][0][250]);
        }
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void A_glide_takes_its_time_on_a_straight_line()
    {
        using var rig = Stepped(1);
        rig["glide"] = 0.1f;
        Send(rig, 100, EventKind.NoteOn, 60, 1f);
        Send(rig, 1000, EventKind.NoteOn, 72, 1f);
        var pitch = rig.Run("pitch", 8000);
        var off = Enumerable.Range(1000, 6000).Max(i => Math.Abs(Math.Min((i - 1000) / 4800.0, 1.0) - pitch[i]));
        Quality.AtMost("midi-cv", "glide off its line by", off * 1e6, 1, "uV");
        Assert.Equal(1f, pitch[5800]);
        Assert.True(pitch[5799] < 1f);
    }

    [Fact]
    public void Several_voices_go_round_are_reused_or_fill_from_below()
    {
        // Four notes one after the other, never together; then the second again.
        foreach (var (allocation, expected) in new[] { (0, "0123012"), (1, "0123111"), (2, "0000000") })
        {
            using var rig = Stepped(4);
            rig["allocation"] = allocation;
            int[] keys = [60, 62, 64, 65, 62, 62, 62];
            for (var k = 0; k < keys.Length; k++)
            {
                Send(rig, 100 + (k * 100), EventKind.NoteOn, keys[k], 1f);
                Send(rig, 150 + (k * 100), EventKind.NoteOff, keys[k], 1f);
            }

            var gates = rig.Run(900)[Gate];
            Assert.Equal(expected, string.Concat(keys.Select((_, k) => Array.FindIndex(gates, g => g[110 + (k * 100)] > 0f))));
        }
    }

    [Fact]
    public void Where_all_are_busy_the_one_on_the_pedal_goes_first_and_then_the_oldest()
    {
        using var rig = Stepped(3);
        Send(rig, 10, EventKind.Controller, 64, 1f);
        for (var k = 0; k < 3; k++) Send(rig, 100 + k, EventKind.NoteOn, 60 + k, 1f);
        Send(rig, 200, EventKind.NoteOff, 61, 0f); // held by the pedal alone
        Send(rig, 300, EventKind.NoteOn, 70, 1f);
        Send(rig, 400, EventKind.NoteOn, 71, 1f);
        Send(rig, 500, EventKind.NoteOff, 71, 0f);
        Send(rig, 600, EventKind.Controller, 64, 0f);
        var output = rig.Run(800);
        string Keys(int frame) => string.Join(' ', Enumerable.Range(0, 3).Select(v =>
            output[Gate][v][frame] == 0f ? "." : $"{(int)Math.Round((output[Pitch][v][frame] * 12) + 60)}"));
        Assert.Equal("60 61 62", Keys(250));
        Assert.Equal("60 70 62", Keys(350));
        Assert.Equal("71 70 62", Keys(450));
        Assert.Equal("71 70 62", Keys(550));
        Assert.Equal(". 70 62", Keys(650));
        Assert.Equal(0f, output[Gate][1][300]); // the stolen gate closes for a frame
        Assert.Equal(10f, output[Gate][1][301]);
    }

    [Fact]
    public void The_pedal_holds_a_single_voice_too()
    {
        using var rig = Stepped(1);
        Send(rig, 100, EventKind.NoteOn, 60, 1f);
        Send(rig, 150, EventKind.Controller, 64, 1f);
        Send(rig, 200, EventKind.NoteOff, 60, 1f);
        Send(rig, 300, EventKind.Controller, 64, 0f);
        var gate = rig.Run("gate", 400);
        Assert.All(gate[100..300], static v => Assert.Equal(10f, v));
        Assert.All(gate[300..], static v => Assert.Equal(0f, v));
    }

    [Fact]
    public void Bend_pressure_and_controllers_arrive_in_the_time_of_Smooth()
    {
        using var rig = new Rig("midi-cv") { ["smooth"] = 0.01f, ["bend"] = 12f };
        Send(rig, 10, EventKind.NoteOn, 60, 1f);
        Send(rig, 100, EventKind.PitchBend, 0, -0.5f);
        Send(rig, 100, EventKind.Pressure, 0, 0.6f);
        Send(rig, 100, EventKind.Controller, 1, 1f);
        Send(rig, 100, EventKind.Controller, 11, 0.25f);
        Send(rig, 100, EventKind.Controller, 74, 0.5f);
        Send(rig, 2000, EventKind.KeyPressure, 60, 0.9f);
        var output = rig.Run(3000);
        for (var i = 100; i < 2000; i++)
        {
            var part = Math.Min((i - 100) / 480.0, 1.0);
            Assert.Equal(-0.5 * part, output[Pitch][0][i], 1e-5);
            Assert.Equal(6.0 * part, output[Pressure][0][i], 1e-5);
            Assert.Equal(10.0 * part, output[A][0][i], 1e-5);
            Assert.Equal(2.5 * part, output[B][0][i], 1e-5);
            Assert.Equal(5.0 * part, output[Timbre][0][i], 1e-5);
        }

        Assert.Equal(9f, output[Pressure][0][^1]);
    }

    [Fact]
    public void A_channel_is_heard_or_not()
    {
        using var rig = Stepped(1);
        rig["channel"] = 3f;
        Send(rig, 100, EventKind.NoteOn, 60, 1f, channel: 1);
        Send(rig, 200, EventKind.NoteOn, 64, 1f, channel: 2);
        Assert.Equal([200], EdgeList.Rises(rig.Run("gate", 400)));
    }

    [Fact]
    public void With_MPE_each_note_bends_by_itself_and_channel_1_bends_all()
    {
        using var rig = new Rig("midi-cv", new RigOptions { Settings = new() { ["voices"] = 2, ["mpe"] = 1 } }) { ["smooth"] = 0.001f };
        Send(rig, 100, EventKind.PitchBend, 0, 0.25f, channel: 4); // before its note: it starts there
        Send(rig, 110, EventKind.NoteOn, 60, 1f, channel: 4);
        Send(rig, 120, EventKind.NoteOn, 60, 1f, channel: 7);
        Send(rig, 200, EventKind.Pressure, 0, 0.5f, channel: 7);
        Send(rig, 300, EventKind.Controller, 74, 1f, channel: 4);
        Send(rig, 400, EventKind.PitchBend, 0, 1f, channel: 0);
        Send(rig, 500, EventKind.NoteOff, 60, 1f, channel: 4);
        var output = rig.Run(700);
        Assert.Equal([1f, 0f], [output[Pitch][0][110], output[Pitch][1][120]]); // a quarter of 48 semitones
        Assert.Equal([0f, 5f], [output[Pressure][0][250], output[Pressure][1][250]]);
        Assert.Equal([10f, 0f], [output[Timbre][0][350], output[Timbre][1][350]]);
        Assert.Equal(1.0 + (2.0 / 12.0), output[Pitch][0][450], 1e-6);
        Assert.Equal(2.0 / 12.0, output[Pitch][1][450], 1e-6);
        Assert.Equal([0f, 10f], [output[Gate][0][600], output[Gate][1][600]]);
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void The_clock_divides_the_ticks_and_starts_where_the_song_does()
    {
        using var rig = Stepped(1);
        var ticks = Enumerable.Range(0, 200).Select(static k => 503 + (k * 101)).ToArray();
        Send(rig, 500, EventKind.Start, 0, 0f);
        foreach (var t in ticks) Send(rig, t, EventKind.Clock, 0, 0f);
        Send(rig, ticks[99] + 1, EventKind.Stop, 0, 0f);
        Send(rig, ticks[150] + 1, EventKind.Continue, 0, 0f);
        rig.Events.Sort(static (x, y) => x.Frame.CompareTo(y.Frame));
        var output = rig.Run(ticks[^1] + 101);
        Assert.Equal([500], EdgeList.Rises(output[Start][0]));
        Assert.Equal([500, ticks[150] + 1], EdgeList.Rises(output[Run][0]));

        // A sixteenth is six ticks; after the stop it goes on where it was: tick 100 of the song is tick 151 on the wire.
        var expected = Enumerable.Range(0, 149).Where(static k => k % 6 == 0).Select(k => ticks[k < 100 ? k : k + 51]).ToArray();
        var rises = EdgeList.Rises(output[Clock][0]);
        Assert.Equal(expected.Length, rises.Length);
        Quality.AtMost("midi-cv", "clock off by", rises.Zip(expected).Max(static p => Math.Abs(p.First - p.Second)), 0, "frames");
    }

    [Fact]
    public void A_key_that_is_played_legato_begins_without_the_pressure_of_the_one_before()
    {
        using var rig = Stepped(1);
        rig["legato"] = 1f;
        Send(rig, 100, EventKind.NoteOn, 60, 1f);
        Send(rig, 200, EventKind.KeyPressure, 60, 0.7f);
        Send(rig, 300, EventKind.NoteOn, 64, 1f);
        var pressure = rig.Run("pressure", 400);
        Assert.Equal(7f, pressure[299], 1e-6);
        Assert.All(pressure[300..], static v => Assert.Equal(0f, v));
    }

    [Fact]
    public void With_MPE_all_notes_off_on_channel_1_ends_those_of_every_channel()
    {
        using var rig = new Rig("midi-cv", new RigOptions { Settings = new() { ["voices"] = 2, ["mpe"] = 1 } });
        Send(rig, 100, EventKind.NoteOn, 60, 1f, 1);
        Send(rig, 100, EventKind.NoteOn, 64, 1f, 2);
        Send(rig, 200, EventKind.Controller, 123, 0f, 1);
        Send(rig, 300, EventKind.Controller, 123, 0f);
        var gates = rig.Run(400)[Gate];
        Assert.Equal((10f, 0f, 10f, 0f), (gates[0][199], gates[0][200], gates[1][299], gates[1][300]));
    }

    private static void Send(Rig rig, int frame, EventKind kind, int index, float value, byte channel = 0) =>
        rig.Events.Add(new ModuleEvent { Frame = (ulong)frame, Kind = kind, Index = index, Value = value, Channel = channel });

    private static Rig Stepped(int voices) =>
        new("midi-cv", new RigOptions { Settings = new() { ["voices"] = voices } }) { ["smooth"] = 0.001f };
}
