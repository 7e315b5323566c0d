// What the sequencer claims: a step at each clock edge, to the frame.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

public class Seq8Tests
{
    private const int Period = 1000;

    [Fact]
    public void Each_clock_edge_plays_the_next_step_at_its_frame()
    {
        using var rig = Clocked();
        for (var i = 0; i < 8; i++) rig[$"pitch{i + 1}"] = i * 0.25f;
        rig["gate"] = 0.5f;
        var output = rig.Run(20 * Period);
        for (var frame = 0; frame < 20 * Period; frame++)
        {
            var step = frame < 500 ? -1 : (frame - 500) / Period;
            Assert.Equal(Math.Max(step, 0) % 8 * 0.25f, output[0][0][frame]);
            if (step < 1) continue; // the first gate's length comes from the tempo
            Assert.Equal((frame - 500) % Period < Period / 2 ? 10f : 0f, output[1][0][frame]);
            Assert.Equal(step % 8 == 0 && (frame - 500) % Period < 48 ? 10f : 0f, output[2][0][frame]);
        }

        Assert.Equal(19 % 8, rig.Telemetry(0));
    }

    [Fact]
    public void Steps_says_how_many_are_played_and_gate_1_ties_them()
    {
        using var rig = Clocked();
        rig["steps"] = 3f;
        rig["gate"] = 1f;
        var output = rig.Run(10 * Period);
        var firsts = Enumerable.Range(1, (10 * Period) - 1).Where(i => output[2][0][i] > output[2][0][i - 1]).ToArray();
        Assert.Equal([500, 3500, 6500, 9500], firsts);
        Assert.All(output[1][0][500..], static v => Assert.Equal(10f, v));
    }

    [Fact]
    public void Reset_makes_the_next_step_the_first()
    {
        using var rig = Clocked();
        var clock = rig.Input;
        rig.Input = (port, channel, frame) => port == 1 ? (frame is >= 3700 and < 3748 ? 10f : 0f) : clock(port, channel, frame);
        var output = rig.Run(6 * Period);
        var firsts = Enumerable.Range(1, (6 * Period) - 1).Where(i => output[2][0][i] > output[2][0][i - 1]).ToArray();
        Assert.Equal([500, 4500], firsts);
    }

    [Fact]
    public void Without_a_clock_it_plays_sixteenths_of_its_tempo()
    {
        using var rig = new Rig("seq8", new RigOptions { Cables = [0, 1] });
        rig["tempo"] = 150f; // 100 ms a step
        var gate = rig.Run("gate", 48_000);
        var rises = Enumerable.Range(0, 48_000).Where(i => gate[i] > 0 && (i == 0 || gate[i - 1] == 0)).ToArray();
        Assert.Equal(Enumerable.Range(0, 10).Select(static k => k * 4800), rises);
    }

    [Fact]
    public void MIDI_clock_start_stop_and_continue_are_obeyed_at_their_frames()
    {
        using var rig = new Rig("seq8", new RigOptions { Cables = [0, 1] });
        rig.Values[rig.IndexOf("gate")] = 0.1f;
        rig.Events.Add(new ModuleEvent { Frame = 3, Kind = EventKind.Stop });
        rig.Events.Add(new ModuleEvent { Frame = 50, Kind = EventKind.Clock }); // clocks run also while stopped
        rig.Events.Add(new ModuleEvent { Frame = 100, Kind = EventKind.Start });
        for (var tick = 0; tick < 30; tick++) rig.Events.Add(new ModuleEvent { Frame = (ulong)(101 + (tick * 100)),
            Kind = EventKind.Clock });
        rig.Events.Add(new ModuleEvent { Frame = 3010, Kind = EventKind.Stop });
        for (var tick = 0; tick < 12; tick++) rig.Events.Add(new ModuleEvent { Frame = (ulong)(3101 + (tick * 100)),
            Kind = EventKind.Clock });
        rig.Events.Add(new ModuleEvent { Frame = 4350, Kind = EventKind.Continue });
        for (var tick = 0; tick < 6; tick++) rig.Events.Add(new ModuleEvent { Frame = (ulong)(4401 + (tick * 100)),
            Kind = EventKind.Clock });
        rig["steps"] = 2f;
        var first = rig.Run("first", 6000);
        var rises = Enumerable.Range(0, 6000).Where(i => first[i] > 0 && (i == 0 || first[i - 1] == 0)).ToArray();

        // Six ticks a step and two steps a round: the first step at ticks 0, 12, 24; stopped after tick 29, so that tick 30 is the
        // sixth step.
        Assert.Equal([0, 101, 1301, 2501], rises);
        Assert.Equal(1f, rig.Telemetry(0));
    }

    [Fact]
    public void A_note_transposes_and_a_custom_event_switches_a_step()
    {
        using var rig = Clocked();
        for (var i = 0; i < 8; i++) rig[$"pitch{i + 1}"] = 0f;
        rig.Events.Add(new ModuleEvent { Frame = 10, Target = 77, Kind = EventKind.Custom, Index = 2, Value = -1f });
        rig.Events.Add(new ModuleEvent { Frame = 11, Target = 12, Kind = EventKind.Custom, Index = 3, Value = 0f }); // somebody else's
        rig.Events.Add(new ModuleEvent { Frame = 1234, Target = 77, Kind = EventKind.NoteOn, Index = 67, Value = 1f });
        var output = rig.Run(6 * Period);
        Assert.Equal(0f, output[0][0][1233]);
        Assert.Equal(7f / 12f, output[0][0][1234]);
        Assert.Equal(10f, output[1][0][1600]);
        Assert.All(output[1][0][2500..3500], static v => Assert.Equal(0f, v));
        Assert.Equal(10f, output[1][0][3600]);
    }

    [Fact]
    public void State_of_version_1_is_read_as_the_steps_that_are_on()
    {
        using var rig = Clocked();
        Assert.True(rig.LoadState(1, [0b1111_0101]));
        var gate = rig.Run("gate", 9 * Period);
        for (var step = 0; step < 8; step++) Assert.Equal(step is 1 or 3 ? 0f : 10f, gate[500 + (step * Period) + 100]);
        var saved = rig.SaveState();
        Assert.Equal(8, saved.Length);
        Assert.Equal(0b1111_0101, saved[0]);
    }

    [Fact]
    public void State_that_can_not_be_meant_is_refused()
    {
        using var rig = Clocked();
        Assert.False(rig.LoadState(1, [1, 2]));
        Assert.False(rig.LoadState(2, [255, 2, 0, 0, 0, 0, 0, 0]));
        Assert.False(rig.LoadState(2, [255, 0, 0, 1, 0, 0, 0, 0]));
        Assert.False(rig.LoadState(2, [255, 0, 0, 0, 0, 0, 0xC0, 0x7F])); // NaN
        Assert.False(rig.LoadState(3, [255, 0, 0, 0, 0, 0, 0, 0]));
        Assert.True(rig.LoadState(2, [255, 0, 0, 0, 0, 0, 0, 0]));
    }

    private static Rig Clocked() =>
        new("seq8") { Input = static (port, _, frame) => port == 0 && frame >= 500 && (frame - 500) % Period < 48 ? 10f : 0f };
}
