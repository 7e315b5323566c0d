// MIDI on the control side, piece by piece: what is learnt, what a program means, when a controller's gesture is over.
using SspHost.Abi;
using SspHost.Patching;
using SspHost.Playing;

namespace SspHost.Tests;

public sealed class MidiTests
{
    private const ulong Ms = 1_000_000;

    private static Heard Controller(int number, int value, ulong time = 1000 * Ms, int channel = 0, ulong port = 5) =>
        new() { Kind = HeardKind.Controller, Number = (byte)number, Value = value, Time = time, Channel = (byte)channel, Port = port };

    private static Heard Program(int number, int channel = 0, ulong port = 5) => new() { Kind = HeardKind.Program, Number = (byte)number, Channel = (byte)channel, Port = port };

    [Fact]
    public void A_controller_that_nothing_follows_has_seven_bits_and_is_told_once_that_is_clear()
    {
        var learn = new MidiLearn();
        Assert.Equal(0UL, learn.Last.Serial);
        learn.Hear(Controller(1, 127, channel: 9), "keys");
        learn.Tend((1000 * Ms) + MidiLearn.Follows - 1);
        Assert.Equal(0UL, learn.Last.Serial); // nobody must learn half of it
        learn.Tend((1000 * Ms) + MidiLearn.Follows);
        Assert.Equal((1UL, "keys", 10, 1, false, 1f), (learn.Last.Serial, learn.Last.Port, learn.Last.Channel, learn.Last.Number, learn.Last.Fine, learn.Last.Value));
        learn.Hear(Controller(74, 0), "keys");
        Assert.Equal((2UL, 74, false), (learn.Last.Serial, learn.Last.Number, learn.Last.Fine)); // above 31 there is nothing to wait for
    }

    [Fact]
    public void One_whose_lower_half_follows_has_fourteen_also_where_only_that_half_moves_on()
    {
        var learn = new MidiLearn();
        learn.Hear(Controller(1, 64), "keys");
        learn.Hear(Controller(33, 32), "keys");
        Assert.Equal((1UL, 1, true), (learn.Last.Serial, learn.Last.Number, learn.Last.Fine));
        Assert.Equal(((64 * 128) + 32) / 16383f, learn.Last.Value, 6);
        learn.Hear(Controller(33, 33, 5000 * Ms), "keys");
        Assert.Equal((2UL, 1, true), (learn.Last.Serial, learn.Last.Number, learn.Last.Fine));
    }

    [Fact]
    public void A_controller_from_32_to_63_that_follows_nothing_is_one_of_its_own()
    {
        var learn = new MidiLearn();
        learn.Hear(Controller(33, 32), "keys");
        Assert.Equal((33, false), (learn.Last.Number, learn.Last.Fine));
        learn.Hear(Controller(2, 1), "keys");
        learn.Hear(Controller(33, 32, channel: 1), "keys");
        Assert.Equal((33, 2), (learn.Last.Number, learn.Last.Channel));
        Assert.Equal(3UL, learn.Last.Serial); // and 2 before it was told, too
    }

    [Theory]
    [InlineData(0)]
    [InlineData(32)]
    [InlineData(98)]
    [InlineData(101)]
    [InlineData(120)]
    [InlineData(123)]
    public void Messages_that_are_no_controllers_to_turn_are_not_learnt(int number)
    {
        var learn = new MidiLearn();
        learn.Hear(Controller(number, 64), "keys");
        learn.Tend(ulong.MaxValue);
        Assert.Equal(0UL, learn.Last.Serial);
    }

    [Fact]
    public void Programs_are_scenes_and_in_bank_1_patches_or_the_other_way_round()
    {
        var scenes = new MidiPrograms(ProgramUse.Scenes, channel: 0);
        Assert.Equal(new ProgramChoice(ProgramUse.Scenes, 7), scenes.Hear(Program(7)));
        Assert.Null(scenes.Hear(Controller(0, 1)));
        Assert.Equal(new ProgramChoice(ProgramUse.Patches, 7), scenes.Hear(Program(7)));
        Assert.Null(scenes.Hear(Controller(32, 2)));
        Assert.Equal(new ProgramChoice(ProgramUse.Patches, 256 + 7), scenes.Hear(Program(7)));
        Assert.Equal(new ProgramChoice(ProgramUse.Scenes, 7), scenes.Hear(Program(7, channel: 1))); // banks are a channel's own
        Assert.Equal(new ProgramChoice(ProgramUse.Scenes, 7), scenes.Hear(Program(7, port: 6))); // and a port's
        Assert.Null(scenes.Hear(Controller(0, 0)));
        Assert.Equal(new ProgramChoice(ProgramUse.Scenes, 7), scenes.Hear(Program(7)));
        Assert.Null(scenes.Hear(Controller(0, 5)));
        Assert.Null(scenes.Hear(Program(7))); // nobody's bank

        var patches = new MidiPrograms(ProgramUse.Patches, channel: 3);
        Assert.Equal(new ProgramChoice(ProgramUse.Patches, 4), patches.Hear(Program(4, channel: 2)));
        Assert.Null(patches.Hear(Program(4, channel: 3)));
        Assert.Null(patches.Hear(Controller(0, 1, channel: 2)));
        Assert.Equal(new ProgramChoice(ProgramUse.Scenes, 4), patches.Hear(Program(4, channel: 2)));
        Assert.Null(new MidiPrograms(ProgramUse.Off, 0).Hear(Program(4)));
    }

    [Fact]
    public void A_gesture_is_over_when_its_parameter_rests_and_each_has_its_last_value()
    {
        var moves = new MidiMoves();
        for (var t = 0UL; t < 100; t++) moves.Add("vcf", "cutoff", t, played: true, 1000 * Ms + (t * Ms));
        moves.Add("vca", "gain", 1, played: false, 1050 * Ms);
        Assert.False(moves.Take(1099 * Ms));
        Assert.True(moves.Take((1050 * Ms) + MidiMoves.RestNs));
        Assert.Equal(([], [new SetParameter("vca", "gain", 1)]), (moves.Played.ToArray(), moves.Unplayed.ToArray()), Same);
        Assert.True(moves.Take((1099 * Ms) + MidiMoves.RestNs));
        Assert.Equal(([new SetParameter("vcf", "cutoff", 99)], []), (moves.Played.ToArray(), moves.Unplayed.ToArray()), Same);
        Assert.False(moves.Take(ulong.MaxValue));

        // What never rests is kept now and then all the same.
        for (var t = 0UL; t <= MidiMoves.LongestNs; t += 100 * Ms) moves.Add("vcf", "cutoff", t / Ms, played: true, (2000 * Ms) + t);
        Assert.True(moves.Take((2000 * Ms) + MidiMoves.LongestNs));
        static bool Same((Edit[] Played, Edit[] Unplayed) a, (Edit[] Played, Edit[] Unplayed) b) => a.Played.SequenceEqual(b.Played) && a.Unplayed.SequenceEqual(b.Unplayed);
    }

    [Theory]
    [InlineData("auto", true)]
    [InlineData("off", true)]
    [InlineData("seq", true)]
    [InlineData("raw", true)]
    [InlineData("seq, raw:1, raw:KeyStep.0, /dev/ttyAMA0", true)]
    [InlineData("", false)]
    [InlineData("raw:", false)]
    [InlineData("dev/midi", false)]
    [InlineData("seq;raw", false)]
    [InlineData("auto,seq", false)]
    public void A_line_names_sources_or_is_refused(string text, bool good) => Assert.Equal(good, MidiDevices.Check(text) is null);

    [Fact]
    public unsafe void A_line_becomes_the_sources_that_are_there()
    {
        RawMidi[] raw = [new("hw:KeyStep,0", "/dev/snd/midiC1D0"), new("hw:KeyStep,1", "/dev/snd/midiC1D1"), new("hw:2,0", "/dev/snd/midiC2D0")];
        string[] Names(string text, out int sequencer)
        {
            var config = new MidiDevices(text).Now(() => raw);
            sequencer = config.Sequencer;
            var names = new List<string>();
            for (var i = 0; i < config.PathCount; i++)
                names.Add(System.Text.Encoding.UTF8.GetString(System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(config.Names + (i * MidiLimits.NameBytes))));
            return [.. names];
        }

        Assert.Equal(["hw:KeyStep,0", "hw:KeyStep,1", "hw:2,0"], Names("raw", out var sequencer));
        Assert.Equal(0, sequencer);
        Assert.Equal(["hw:KeyStep,0", "hw:KeyStep,1"], Names("raw:KeyStep", out _));
        Assert.Equal(["hw:KeyStep,1", "hw:2,0"], Names("raw:1.1, raw:2", out _));
        Assert.Equal(["/dev/ttyS0"], Names("/dev/ttyS0,seq", out sequencer));
        Assert.Equal(1, sequencer);
        Assert.Empty(Names("off", out sequencer));
        Assert.Equal(0, sequencer);
        Assert.True(new MidiDevices("auto").Varies && new MidiDevices("raw:1").Varies && !new MidiDevices("seq,/dev/ttyS0").Varies);
    }

    [Fact]
    public void The_table_has_a_row_for_each_controller_whose_module_plays_and_moves_as_the_panel_would()
    {
        using var engine = new SteppedEngine();
        var knob = new Module { Id = "knob", Type = "voltage" };
        var filter = new Module { Id = "svf", Type = "svf" };
        var cutoff = engine.Modules.Find("svf")!.Descriptor.Parameters.Select((p, i) => (Parameter: p, Index: i)).First(p => p.Parameter.Curve == ParameterCurve.Exponential);
        var patch = Patch.New() with
        {
            Modules = [knob, filter],
            Controllers =
            [
                new ControllerMap { Port = "keys", Channel = 3, Number = 7, Module = "knob", Parameter = "volts", From = 5, To = -5 },
            ],
        };
        var plan = PlanCompiler.Compile(patch, engine.Modules, new SlotMap(), new CompileOptions { Serial = 1 }, out var error);
        Assert.True(plan is not null, error?.ToString());

        // The patch may have moved on before its plan has: what is not there yet, or no more, is left out.
        patch = patch with
        {
            Controllers =
            [
                .. patch.Controllers,
                new ControllerMap { Number = 9, Module = "new", Parameter = "volts", From = 0, To = 1 },
                new ControllerMap { Number = 1, Fine = true, Module = "svf", Parameter = cutoff.Parameter.Id, From = -1e6f, To = 1e6f },
            ],
        };
        var table = MidiControllers.Of(patch, plan, engine.Modules, 77);
        Assert.Equal([("knob", "volts"), ("svf", cutoff.Parameter.Id)], table.Targets);
        var (first, second) = (table.Rows[0], table.Rows[1]);
        var instance = plan.Instances.Single(i => i.Module == "knob");
        Assert.Equal((MidiPorts.Hash("keys"), 3, 7, 0), (first.Port, (int)first.Channel, (int)first.Number, (int)first.Fine));
        Assert.Equal(((uint)instance.Key, instance.Slot, 0), (first.Target, first.Slot, first.Parameter));
        Assert.Equal((5f, 0f, -5f), (first.ValueAt(0), first.ValueAt(0.5), first.ValueAt(1)));
        Assert.Equal((0UL, 1, cutoff.Index), (second.Port, (int)second.Fine, second.Parameter)); // ends beyond its range are those of its range
        for (var place = 0.0; place <= 1; place += 0.01) Assert.Equal(ParameterTravel.At(cutoff.Parameter, place), second.ValueAt(place), cutoff.Parameter.Max * 1e-6f);
        Assert.Empty(MidiControllers.Of(patch, null, engine.Modules, 78).Rows);
    }
}
