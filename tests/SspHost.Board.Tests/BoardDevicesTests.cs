// What is chosen, and what is said of the rest.
namespace SspHost.Board.Tests;

public sealed class BoardDevicesTests : IDisposable
{
    private readonly Folder _folder = new();
    private readonly StandIn _system = new();

    private BoardSettings Here => new()
    {
        Evdev = new EvdevSettings { Folder = Path.Combine(_folder.At, "input") },
        Gpio = new GpioSettings { Folder = _folder.At },
        Screen = new ScreenSettings { DrmFolder = Path.Combine(_folder.At, "dri"), FrameBufferFolder = _folder.At, ActiveTerminal = Path.Combine(_folder.At, "active") },
    };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_machine_without_any_of_it_gives_one_line_for_each_and_waits_for_keys()
    {
        var found = BoardDevices.Find(_system, Here);
        Assert.Empty(found.Screens);
        Assert.Single(found.Controls).Dispose();
        Assert.Equal(
            [
                $"drm: no card in {_folder.At}/dri", $"fbdev: no frame buffer in {_folder.At}", "gpio: no chip",
                $"evdev {_folder.At}/input: no such folder", $"evdev: no device in {_folder.At}/input has keys or encoders of a panel",
            ], found.Notes);
    }

    [Fact]
    public void The_frame_buffer_is_taken_where_no_card_shows_anything()
    {
        Directory.CreateDirectory(Path.Combine(_folder.At, "dri"));
        _system.Devices[_folder.Node("dri/card0")] = new CardNode([new Display("HDMI-A-1", 11, 1, []) { Connected = false }]);
        _system.Devices[_folder.Node("fb0")] = new FrameBufferTests.FbNode(1600, 480, 32, 16, 0);
        var found = BoardDevices.Find(_system, Here with { Evdev = new EvdevSettings { Enabled = false } });
        using (var screen = Assert.Single(found.Screens)) Assert.StartsWith("fbdev", screen.Name, StringComparison.Ordinal);
        Assert.Contains($"drm {_folder.At}/dri/card0: nothing is connected to HDMI-A-1", found.Notes);
    }

    [Fact]
    public void The_second_card_is_taken_where_the_first_shows_nothing()
    {
        Directory.CreateDirectory(Path.Combine(_folder.At, "dri"));
        _system.Devices[_folder.Node("dri/card0")] = new CardNode([new Display("HDMI-A-1", 11, 1, []) { Connected = false }]);
        _system.Devices[_folder.Node("dri/card1")] = new CardNode([new Display("DSI-1", 16, 1, ["1600x480*"])]);
        using var screen = Assert.Single(BoardDevices.Find(_system, Here with { Evdev = new EvdevSettings { Enabled = false } }).Screens);
        Assert.Contains("card1 (DSI-1, 1600x480)", screen.Name, StringComparison.Ordinal);
    }

    [Fact]
    public void Parts_that_are_switched_off_are_not_looked_for()
    {
        var off = new BoardSettings { Evdev = new() { Enabled = false }, Gpio = new() { Enabled = false }, Screen = new() { Enabled = false } };
        var found = BoardDevices.Find(_system, off);
        Assert.Equal((0, 0, 0), (found.Controls.Count, found.Screens.Count, found.Notes.Count));
    }

    [Fact]
    public void A_mode_that_is_none_is_said()
    {
        var found = BoardDevices.Find(_system, Here with { Screen = new ScreenSettings { Mode = "large" }, Evdev = new() { Enabled = false } });
        Assert.Contains("screen: a mode is written as 1600x480 or 1600x480@60, not large", found.Notes);
    }

    [Fact]
    public void This_very_machine_can_be_asked()
    {
        var found = BoardDevices.Find(new BoardSettings { Screen = new() { Enabled = false }, Evdev = new() { Enabled = false } });
        foreach (var c in found.Controls) c.Dispose();
        Assert.True(found.Controls.Count > 0 || found.Notes.Count > 0);
    }
}
