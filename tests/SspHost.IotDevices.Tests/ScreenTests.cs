// The panel on small displays: which part of it, in which bytes, and only what has changed.
using System.Runtime.InteropServices;
using SspHost.Board;
using SspHost.Panel.Surface;

namespace SspHost.IotDevices.Tests;

public class ScreenTests
{
    private const int Black = 0, White = 0xffffff, Red = 0xff0000;

    [Theory]
    [InlineData(128, 64, true, 960)]
    [InlineData(320, 240, false, 640)]
    public void A_display_shows_a_window_as_high_as_the_panel(int width, int height, bool mono, int columns)
    {
        var display = new Display(width, height, mono);
        using var screen = new SmallScreen(display, new IotDisplay());
        Show(screen, (x, y) => x < columns / 2 ? White : x < columns ? Black : White);
        Eventually.True(() => display.At(0, 0) != 0, "the picture is there");
        Assert.Equal((true, true, false, false), (Lit(display, 0, height - 1), Lit(display, (width / 2) - 1, 0), Lit(display, width / 2, 0), Lit(display, width - 1, height - 1)));
    }

    [Fact]
    public void The_window_begins_where_the_settings_say_and_ends_at_the_panels_edge()
    {
        var display = new Display(320, 240, mono: false);
        using var screen = new SmallScreen(display, new IotDisplay { X = 1599 });
        Show(screen, (x, _) => x == 960 || x == 961 || x >= 1598 ? White : Black);
        Eventually.True(() => Lit(display, 0, 0), "the picture is there");
        Assert.Equal((false, false, true), (Lit(display, 1, 5), Lit(display, 318, 5), Lit(display, 319, 5)));
    }

    [Fact]
    public void The_whole_panel_has_black_above_and_below()
    {
        var display = new Display(320, 240, mono: false);
        using var screen = new SmallScreen(display, new IotDisplay { Whole = true });
        Show(screen, (_, _) => White);
        Eventually.True(() => Lit(display, 160, 120), "the picture is there");
        const int Above = (240 - 96) / 2; // 1600x480 is 320x96 here
        Assert.Equal((false, true, true, false), (Lit(display, 0, Above - 1), Lit(display, 0, Above), Lit(display, 319, Above + 95), Lit(display, 0, Above + 96)));
    }

    [Fact]
    public void An_upright_display_is_turned()
    {
        var display = new Display(240, 320, mono: false);
        using var screen = new SmallScreen(display, new IotDisplay());
        Show(screen, (x, y) => x < 320 && y < 240 ? Red : Black);
        // A quarter turn clockwise: what was above and to the left is above and to the right.
        Eventually.True(() => display.At(239, 0) == 0xf80000, "the upper left of the panel is upper right of the display, and red");
        Assert.Equal((Black, Black, Black, 0xf80000), (display.At(0, 0), display.At(239, 319), display.At(119, 159), display.At(120, 159)));
    }

    [Fact]
    public void Only_the_rows_that_have_changed_are_sent_of_a_mono_display_whole_pages()
    {
        foreach (var mono in new[] { false, true })
        {
            var display = mono ? new Display(128, 64, mono: true) : new Display(320, 240, mono: false);
            using var screen = new SmallScreen(display, new IotDisplay());
            Show(screen, (_, _) => White);
            Eventually.True(() => screen.Ready && Lit(display, 9, 9), "the first picture is there");
            var sent = display.Sent.Length;
            Show(screen, (_, _) => Black, new Rect(0, 240, 10, 2));
            Eventually.True(() => screen.Ready && display.Sent.Length > sent, "the change is there");
            var (row, rows) = display.Sent[^1];
            Assert.Equal(mono ? (true, 32, 8) : (true, 119, 3), (row == (mono ? 24 : 119) || row == 32 || row == 119, mono ? 32 : row, mono ? Math.Min(rows, 8) : rows));
        }
    }

    [Fact]
    public void What_is_outside_of_the_window_sends_nothing()
    {
        var display = new Display(320, 240, mono: false);
        using var screen = new SmallScreen(display, new IotDisplay());
        Show(screen, (_, _) => White);
        Eventually.True(() => screen.Ready && Lit(display, 9, 9), "the first picture is there");
        var sent = display.Sent.Length;
        Show(screen, (_, _) => Black, new Rect(700, 0, 100, 480));
        Assert.True(screen.Ready);
        Assert.Equal(sent, display.Sent.Length);
    }

    [Fact]
    public void A_display_that_failed_is_shown_everything_again()
    {
        var display = new Display(128, 64, mono: true);
        display.FailOnce();
        using var screen = new SmallScreen(display, new IotDisplay());
        Eventually.True(() => screen.Ready && screen.Forgot, "it may be tried again");
        Show(screen, (_, _) => White);
        Assert.False(screen.Forgot);
        Eventually.True(() => Lit(display, 127, 63), "the picture is there");
    }

    private static bool Lit(Display display, int x, int y) => display.At(x, y) != 0;

    private static unsafe void Show(SmallScreen screen, Func<int, int, int> picture, Rect? changed = null)
    {
        Eventually.True(() => screen.Ready, "it takes a frame");
        var pixels = (uint*)NativeMemory.Alloc(PanelSize.Width * PanelSize.Height * sizeof(uint));
        try
        {
            for (var i = 0; i < PanelSize.Width * PanelSize.Height; i++) pixels[i] = (uint)picture(i % PanelSize.Width, i / PanelSize.Width);
            screen.Show(new Frame((nint)pixels, PanelSize.Width, PanelSize.Height, PanelSize.Width * sizeof(uint), 1), [changed ?? new Rect(0, 0, PanelSize.Width, PanelSize.Height)]);
        }
        finally
        {
            NativeMemory.Free(pixels);
        }
    }
}
