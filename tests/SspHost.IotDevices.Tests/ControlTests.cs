// Encoders and keys on numbered pins and on expanders.
using SspHost.Board;
using SspHost.Panel.Surface;

namespace SspHost.IotDevices.Tests;

public class ControlTests
{
    private const int A = 17, B = 18, Push = 27;

    private static readonly (bool A, bool B)[] Clockwise = [(false, true), (false, false), (true, false), (true, true)];

    [Fact]
    public void A_detent_is_one_turn_either_way()
    {
        var (pins, heard) = (new Pins(), new Heard());
        using var controls = Encoder(pins, heard);
        foreach (var (a, b) in Clockwise) Step(pins, a, b);
        foreach (var (a, b) in Clockwise.Reverse().Skip(1).Append(Clockwise[^1])) Step(pins, a, b);
        Assert.Equal(["E1 Turn 1", "E1 Turn -1"], heard.Events);
    }

    [Fact]
    public void Edges_that_are_told_late_or_twice_or_in_another_order_turn_nothing_that_was_not_turned()
    {
        var (pins, heard) = (new Pins(), new Heard());
        using var controls = Encoder(pins, heard);
        foreach (var (a, b) in Clockwise)
        {
            pins.Set(A, a, tell: false);
            pins.Set(B, b, tell: false);
            foreach (var told in new[] { B, A, B }) pins.Tell(told);
        }

        Assert.Equal(["E1 Turn 1"], heard.Events);
    }

    [Fact]
    public void Contacts_that_bounce_turn_nothing()
    {
        var (pins, heard) = (new Pins(), new Heard());
        using var controls = Encoder(pins, heard);
        for (var i = 0; i < 9; i++) pins.Set(A, i % 2 != 0);
        pins.Set(A, high: true);
        Assert.Empty(heard.Events);
    }

    [Fact]
    public void A_key_that_bounces_is_pressed_once_and_its_release_is_not_lost()
    {
        var (pins, heard, now) = (new Pins(), new Heard(), 1_000_000_000UL);
        using var controls = new PinControls(pins, [], [new IotKey(Control.E1, Push)], 128, () => Volatile.Read(ref now));
        controls.Start(heard);
        foreach (var high in new[] { false, true, false, true, false, true }) pins.Set(Push, high);
        Assert.Equal(["E1 Press"], heard.Events);
        Volatile.Write(ref now, now + 6_000_000);
        Eventually.True(() => heard.Events.Length == 2, "the contact has come to rest");
        Assert.Equal(["E1 Press", "E1 Release"], heard.Events);
    }

    [Fact]
    public void Pins_are_given_back()
    {
        var pins = new Pins();
        Encoder(pins, new Heard()).Dispose();
        Assert.True(pins.IsDisposed);
    }

    [Fact]
    public void Keys_of_an_expander_are_bits_that_go_to_ground()
    {
        var (port, heard) = (new Port(), new Heard());
        using var keys = new PortKeys(port, [new IotKey(Control.K1, 0, "x"), new IotKey(Control.Up, 15, "x")], 129);
        Assert.True(keys.Look(heard, 0));
        port.Levels = 0x7fff;
        Assert.True(keys.Look(heard, 10_000_000));
        port.Levels = 0xfffe;
        Assert.True(keys.Look(heard, 20_000_000));
        Assert.Equal(["Up Press", "K1 Press", "Up Release"], heard.Events);
    }

    [Fact]
    public void An_expander_that_does_not_answer_holds_nothing_down_and_is_begun_anew()
    {
        var (port, heard) = (new Port { Levels = 0xfffe }, new Heard());
        using var keys = new PortKeys(port, [new IotKey(Control.K1, 0, "x")], 129);
        Assert.True(keys.Look(heard, 10_000_000));
        port.Answers = false;
        Assert.False(keys.Look(heard, 20_000_000));
        Assert.False(keys.Look(heard, 30_000_000));
        port.Answers = true;
        Assert.True(keys.Look(heard, 40_000_000));
        Assert.Equal(["K1 Press", "gone", "K1 Press"], heard.Events);
    }

    [Fact]
    public void Where_the_packages_are_not_in_the_build_each_part_says_so_and_nothing_throws()
    {
        var found = IotBoard.AddTo(new BoardDevices([], [], ["before"]), new IotSettings
        {
            Encoders = [new IotEncoder(Control.E1, A, B)],
            Expanders = [new IotExpander("x", IotChip.Mcp23017, 1, 0x20)],
            Display = new IotDisplay(),
            Mixer = new IotMixer("hw:0", 1),
        });
        Assert.Equal((0, 0), (found.Controls.Count, found.Screens.Count));
        Assert.Equal(["before", "iot gpio", "iot expander x", "iot display", "iot mixer hw"], found.Notes.Select(n => n.Split(':')[0]));
    }

    private static PinControls Encoder(Pins pins, Heard heard)
    {
        var controls = new PinControls(pins, [new IotEncoder(Control.E1, A, B)], [], 128);
        controls.Start(heard);
        return controls;
    }

    private static void Step(Pins pins, bool a, bool b)
    {
        if (pins.Read(A) != a) pins.Set(A, a);
        if (pins.Read(B) != b) pins.Set(B, b);
    }
}
