// A DRM device as the kernel's are asked: the choice of display and mode, buffers, flips, a display that goes and comes, a master that is another.
using SspHost.Panel.Surface;

namespace SspHost.Board.Tests;

public sealed unsafe class DrmTests : IDisposable
{
    private readonly Folder _folder = new();
    private readonly StandIn _system = new();
    private readonly Picture _picture = new();
    private readonly string _terminal;
    private DrmScreen? _screen;

    public DrmTests()
    {
        _terminal = Path.Combine(_folder.At, "active");
        File.WriteAllText(_terminal, "tty1\n");
    }

    public void Dispose()
    {
        _screen?.Dispose();
        Assert.Empty(_system.Mapped);
        _picture.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void The_panels_size_is_chosen_and_each_frame_flips_to_the_buffer_that_was_not_in_view()
    {
        var card = Card(new Display("HDMI-A-1", 11, 1, ["1920x1080*", "1600x480", "1600x480i"]));
        Start();
        Assert.Equal($"drm {_folder.At}/card0 (HDMI-A-1, 1600x480)", _screen!.Name);
        var first = card.InView;
        Assert.True(_screen.Ready);
        Show(new Rect(0, 0, 1600, 480));
        Assert.False(_screen.Ready); // until the display has it
        Assert.NotEqual(first, card.Flipping);
        card.Refresh();
        AssertReady();
        Same(card);
        Assert.NotEqual(first, card.InView);

        // The other buffer lacks the first frame: it gets it with the second.
        _picture.Paint(new Rect(100, 50, 31, 17), 0x00ff00);
        Show(new Rect(100, 50, 31, 17));
        card.Refresh();
        AssertReady();
        Assert.Equal(first, card.InView);
        Same(card);

        _picture.Paint(new Rect(7, 8, 9, 10), 0x0000ff);
        Show(new Rect(7, 8, 9, 10));
        card.Refresh();
        AssertReady();
        Same(card);
    }

    [Fact]
    public void An_upright_display_is_turned_and_a_larger_one_has_black_around_the_picture()
    {
        var card = Card(new Display("DSI-1", 16, 1, ["480x1600*"]));
        Start();
        Show(new Rect(0, 0, 1600, 480));
        card.Refresh();
        Assert.Equal(_picture[0, 0], card.Pixel(479, 0));
        Assert.Equal(_picture[1599, 0], card.Pixel(479, 1599));
        Assert.Equal(_picture[0, 479], card.Pixel(0, 0));
        _screen!.Dispose();
        _screen = null;

        var large = Card(new Display("HDMI-A-1", 11, 1, ["1920x1080*"]));
        Start();
        Show(new Rect(0, 0, 1600, 480));
        large.Refresh();
        Assert.Equal((0U, _picture[0, 0], 0U), (large.Pixel(159, 300), large.Pixel(160, 300), large.Pixel(160, 299)));
    }

    [Fact]
    public void Sixteen_bits_are_taken_where_there_are_no_thirty_two()
    {
        var card = Card(new Display("SPI-1", 19, 1, ["1600x480*"]));
        card.Only16 = true;
        Start();
        Show(new Rect(0, 0, 1600, 480));
        card.Refresh();
        var p = _picture[5, 5];
        Assert.Equal(((p >> 8) & 0xf800) | ((p >> 5) & 0x7e0) | ((p >> 3) & 0x1f), card.Pixel(5, 5));
    }

    [Theory]
    [InlineData("", "", "DSI-1", "800x480")] // built-in before plugged
    [InlineData("HDMI-A-1", "", "HDMI-A-1", "1600x480")]
    [InlineData("HDMI-A-1", "1280x720", "HDMI-A-1", "1280x720")]
    [InlineData("HDMI-A-1", "1280x720@50", "HDMI-A-1", "1280x720")]
    public void Connector_and_mode_are_those_of_the_settings_or_the_best(string connector, string mode, string gets, string size)
    {
        Card(new Display("HDMI-A-1", 11, 1, ["1920x1080*", "1280x720", "1280x720@50", "1600x480"]), new Display("DSI-1", 16, 1, ["800x480*"]),
            new Display("DP-1", 10, 1, []) { Connected = false });
        Start(new ScreenSettings { Connector = connector, Mode = mode });
        Assert.EndsWith($"({gets}, {size})", _screen!.Name, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DP-1", "", "nothing is connected to DP-1")]
    [InlineData("DP-2", "", "no connector DP-2, it has HDMI-A-1, DP-1")]
    [InlineData("", "640x480", "HDMI-A-1 has no mode 640x480, it has 1600x480")]
    public void Why_not_is_one_clear_line(string connector, string mode, string why)
    {
        Card(new Display("HDMI-A-1", 11, 1, ["1600x480*"]), new Display("DP-1", 10, 1, []) { Connected = false });
        Assert.Null(Open(new ScreenSettings { Connector = connector, Mode = mode }, mayWait: false, out var line));
        Assert.Equal($"drm {_folder.At}/card0: {why}", line);
    }

    [Fact]
    public void A_CRTC_that_drives_another_display_is_not_taken()
    {
        var card = Card(new Display("HDMI-A-1", 11, 1, ["1600x480*"]) { PossibleCrtcs = 3 }, new Display("DP-1", 10, 1, ["1024x768*"]) { CurrentCrtc = 31 });
        Start(new ScreenSettings { Connector = "HDMI-A-1" });
        Assert.Equal(32U, card.Crtc);
    }

    [Fact]
    public void Another_program_that_has_the_display_is_told_of_and_does_not_stop_anything()
    {
        var card = Card(new Display("HDMI-A-1", 11, 1, ["1600x480*"]));
        card.OtherMaster = true;
        Assert.Null(Open(new ScreenSettings(), mayWait: true, out var why));
        Assert.EndsWith("another program has the display", why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_display_may_be_plugged_in_later_and_pulled_and_another_put_in_its_place()
    {
        var card = Card(new Display("HDMI-A-1", 11, 1, []) { Connected = false });
        _screen = Open(new ScreenSettings(), mayWait: true, out _);
        Assert.False(_screen!.Ready);
        card.Displays[0] = new Display("HDMI-A-1", 11, 1, ["1600x480*"]);
        AssertReady();
        Show(new Rect(0, 0, 1600, 480));
        card.Refresh();
        AssertReady();
        Same(card);

        card.Displays[0] = new Display("HDMI-A-1", 11, 1, []) { Connected = false };
        Assert.True(Eventually.True(() => !_screen.Ready));
        Assert.Contains("waiting", _screen.Name, StringComparison.Ordinal);
        card.Displays[0] = new Display("HDMI-A-1", 11, 1, ["1920x1080*"]);
        AssertReady();
        Assert.True(_screen.Forgot); // so that the whole picture comes, whatever has changed
        Show(new Rect(0, 0, 1, 1));
        Assert.False(_screen.Forgot);
        card.Refresh();
        Assert.Equal(_picture[1599, 479], card.Pixel(160 + 1599, 300 + 479));
    }

    [Fact]
    public void Away_from_its_terminal_the_display_is_somebody_elses()
    {
        var card = Card(new Display("HDMI-A-1", 11, 1, ["1600x480*"]));
        Start();
        File.WriteAllText(_terminal, "tty2\n");
        Assert.True(Eventually.True(() => !_screen!.Ready && !card.Master));
        File.WriteAllText(_terminal, "tty1\n");
        AssertReady();
        Assert.True(card.Master && _screen!.Forgot);
    }

    [Fact]
    public void A_flip_that_is_refused_because_another_is_master_is_tried_again_when_it_is_not()
    {
        var card = Card(new Display("HDMI-A-1", 11, 1, ["1600x480*"]));
        Start();
        card.OtherMaster = true;
        Show(new Rect(0, 0, 1600, 480));
        Assert.False(_screen!.Ready);
        card.OtherMaster = false;
        AssertReady();
        Assert.True(_screen.Forgot);
    }

    [Fact]
    public void A_driver_without_flips_is_drawn_into_and_told()
    {
        var card = Card(new Display("USB-1", 20, 1, ["1600x480*"]));
        card.NoFlips = true;
        Start();
        Show(new Rect(0, 0, 1600, 480));
        Assert.True(_screen!.Ready);
        Same(card);
        var told = card.Dirtied;
        _picture.Paint(new Rect(3, 3, 3, 3), 0x123456);
        Show(new Rect(3, 3, 3, 3));
        Same(card);
        Assert.True(card.Dirtied > told);
    }

    [Fact]
    public void A_flip_whose_event_never_comes_is_done_after_a_second()
    {
        Card(new Display("HDMI-A-1", 11, 1, ["1600x480*"]));
        Start();
        Show(new Rect(0, 0, 1600, 480));
        Assert.False(_screen!.Ready);
        AssertReady();
    }

    [Fact]
    public void A_card_that_is_pulled_is_not_ready_any_more()
    {
        var card = Card(new Display("USB-1", 20, 1, ["1600x480*"]));
        Start();
        card.Unplug();
        Assert.True(Eventually.True(() => !_screen!.Ready && _screen.Name.EndsWith("(gone)", StringComparison.Ordinal)));
    }

    private CardNode Card(params Display[] displays)
    {
        var card = new CardNode([.. displays]);
        _system.Devices[_folder.Node("card0")] = card;
        return card;
    }

    private void Start(ScreenSettings? settings = null)
    {
        _screen = Open(settings ?? new ScreenSettings(), mayWait: false, out var why);
        Assert.True(_screen is not null, why);
    }

    private DrmScreen? Open(ScreenSettings settings, bool mayWait, out string why) =>
        DrmScreen.Open(_system, settings with { ActiveTerminal = _terminal, LookEach = 100 }, Path.Combine(_folder.At, "card0"), mayWait, out why);

    private void Show(Rect changed) => _screen!.Show(_picture.Frame, [changed]);

    private void AssertReady() => Assert.True(Eventually.True(() => _screen!.Ready), _screen!.Name);

    private void Same(CardNode card)
    {
        for (var y = 0; y < 480; y++)
        {
            for (var x = 0; x < 1600; x++)
            {
                if (card.Pixel(x, y) != _picture[x, y]) Assert.Fail($"({x}, {y}) is {card.Pixel(x, y):x}, not {_picture[x, y]:x}");
            }
        }
    }
}
