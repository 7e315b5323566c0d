// Wheel, drag, fingers and keys.
namespace SspHost.Html.Tests;

[Collection("chromium")]
public class InputTests(Chromium browser)
{
    [Fact]
    public async Task The_wheel_zooms_around_the_pointer_and_sideways_it_moves()
    {
        await using var page = await OpenAsync();
        var (x, y) = await ZoneTests.ScreenAsync(page, Reports.SpikeAt, 0.5);
        for (var k = 0; k < 8; k++) await page.MouseAsync("mouseWheel", x, y, wheel: -240);
        await page.DrawnAsync();
        var view = await ViewAsync(page);
        Assert.InRange(view.To - view.From, 1_000_000 * Math.Exp(-0.6 * 8) * 0.99, 1_000_000 * Math.Exp(-0.6 * 8) * 1.01);
        var (after, _) = await ZoneTests.ScreenAsync(page, Reports.SpikeAt, 0.5);
        Assert.InRange(after, x - 125, x + 125);
        await page.MouseAsync("mouseWheel", x, y, wheel: 100, modifiers: 8);
        await page.DrawnAsync();
        var moved = await ViewAsync(page);
        Assert.True(moved.From > view.From);
        Assert.Equal(view.To - view.From, moved.To - moved.From, 3);
        // Zoomed out as far as it goes, the wheel is the page's again.
        for (var k = 0; k < 20; k++) await page.MouseAsync("mouseWheel", x, y, wheel: 300);
        Assert.Equal(new View(0, 1_000_000), await ViewAsync(page));
    }

    [Fact]
    public async Task A_drag_zooms_to_what_it_marks_with_shift_it_moves_and_a_double_click_shows_all()
    {
        await using var page = await OpenAsync();
        var (from, y) = await ZoneTests.ScreenAsync(page, 600_000, 2);
        var (to, _) = await ZoneTests.ScreenAsync(page, 700_000, 2);
        await page.DragAsync(from, to, y);
        var view = await ViewAsync(page);
        Assert.InRange(view.From, 599_000, 601_000);
        Assert.InRange(view.To, 699_000, 701_000);
        Assert.True(await page.EvaluateAsync<bool>("document.getElementById('detail').hidden"), "a drag is no click");
        await page.DragAsync(to, to - 100, y, modifiers: 8);
        var moved = await ViewAsync(page);
        Assert.True(moved.From > view.From + 100);
        Assert.Equal(view.To - view.From, moved.To - moved.From, 3);
        await page.RunAsync("document.getElementById('plot').dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))");
        Assert.Equal(new View(0, 1_000_000), await ViewAsync(page));
    }

    [Fact]
    public async Task The_window_in_the_strip_below_can_be_dragged()
    {
        await using var page = await OpenAsync();
        await page.RunAsync("report.show(100000, 200000)");
        var box = await page.EvaluateAsync<double[]>("(() => { const r = document.getElementById('overview').getBoundingClientRect(); return [r.left + 50, r.width - 58, r.top + r.height / 2]; })()");
        await page.DragAsync(box[0] + box[1] * 0.15, box[0] + box[1] * 0.75, box[2]);
        var view = await ViewAsync(page);
        Assert.InRange(view.From, 695_000, 705_000);
        Assert.Equal(100_000, view.To - view.From, 3);
    }

    [Fact]
    public async Task Two_fingers_zoom_and_one_moves()
    {
        await using var page = await OpenAsync(touch: true);
        var (x, y) = await ZoneTests.ScreenAsync(page, 500_000, 2);
        await page.TouchAsync("touchStart", (x - 30, y), (x + 30, y));
        for (var k = 1; k <= 5; k++) await page.TouchAsync("touchMove", (x - 30 - 12 * k, y), (x + 30 + 12 * k, y));
        await page.TouchAsync("touchEnd");
        await page.DrawnAsync();
        var view = await ViewAsync(page);
        Assert.InRange(view.To - view.From, 300_000, 370_000);
        await page.TouchAsync("touchStart", (x, y));
        for (var k = 1; k <= 5; k++) await page.TouchAsync("touchMove", (x + 10 * k, y));
        await page.TouchAsync("touchEnd");
        await page.DrawnAsync();
        var moved = await ViewAsync(page);
        Assert.True(moved.From < view.From - 1000);
        Assert.Equal(view.To - view.From, moved.To - moved.From, 3);
    }

    [Fact]
    public async Task Everything_can_be_done_by_keys()
    {
        await using var page = await OpenAsync();
        // The plot is reached by Tab alone, past every button of its bar.
        var passed = new List<string>();
        for (var k = 0; k < 20 && (passed.Count == 0 || passed[^1] != "plot"); k++)
        {
            await page.PressAsync("Tab");
            passed.Add(await page.EvaluateAsync<string>("document.activeElement.id"));
        }

        Assert.Equal(["zoom-in", "zoom-out", "reset", "previous", "next", "linear", "log", "plot"], passed);

        await page.PressAsync("n");
        Assert.Equal(Reports.SpikeAt, await CursorAsync(page));
        Assert.Contains("load 4.2500 = 2.833 ms of 666.7 µs", await page.TextAsync("#readout"), StringComparison.Ordinal);
        for (var k = 0; k < 12; k++) await page.PressAsync("+");
        var view = await ViewAsync(page);
        Assert.InRange(view.To - view.From, 1_000_000 / 4096.0 - 1, 1_000_000 / 4096.0 + 1);
        Assert.InRange(Reports.SpikeAt, view.From, view.To);
        await page.PressAsync(".");
        Assert.Equal(Reports.SpikeAt + 1, await CursorAsync(page));
        await page.PressAsync("p");
        Assert.Equal(Reports.SpikeAt, await CursorAsync(page));
        await page.PressAsync("Enter");
        Assert.Equal("Quantum 655,321", await page.TextAsync("#detail-heading"));
        Assert.True(await page.CountAsync("#detail .zone") > 10);
        await page.PressAsync("Escape");
        Assert.True(await page.EvaluateAsync<bool>("document.getElementById('detail').hidden"));
        await page.PressAsync("ArrowRight");
        Assert.True((await ViewAsync(page)).From > view.From);
        await page.PressAsync("-");
        Assert.Equal(2 * (view.To - view.From), (await ViewAsync(page)).To - (await ViewAsync(page)).From, 3);
        await page.PressAsync("End");
        Assert.Equal(1_000_000, (await ViewAsync(page)).To);
        await page.PressAsync("Home");
        Assert.Equal(0, (await ViewAsync(page)).From);
        await page.PressAsync("0");
        Assert.Equal(new View(0, 1_000_000), await ViewAsync(page));
        await page.PressAsync("l");
        Assert.Equal("true", await page.EvaluateAsync<string>("document.getElementById('log').getAttribute('aria-pressed')"));
        await page.PressAsync("w");
        Assert.Equal(Reports.SpikeAt, await page.EvaluateAsync<int>("report.selected().index"));
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task The_crosshair_tells_the_exact_value_of_the_highest_quantum_under_it()
    {
        await using var page = await OpenAsync();
        var (x, y) = await ZoneTests.ScreenAsync(page, Reports.SpikeAt, 1.5);
        await page.MouseAsync("mouseMoved", x, y);
        await page.DrawnAsync();
        var text = await page.TextAsync("#readout");
        Assert.StartsWith("436.2140 s · quantum 655,321 · load 4.2500 = 2.833 ms of 666.7 µs", text, StringComparison.Ordinal);
        Assert.Contains(" · the highest of ", text, StringComparison.Ordinal);
        Assert.EndsWith(" · zones kept", text, StringComparison.Ordinal);
    }

    private async Task<BrowserPage> OpenAsync(bool touch = false)
    {
        var page = await browser.NewPageAsync(touch: touch);
        await page.OpenAsync(browser.Reports.OneInAMillion);
        return page;
    }

    private static Task<View> ViewAsync(BrowserPage page) => page.EvaluateAsync<View>("report.view()");

    private static Task<int> CursorAsync(BrowserPage page) => page.EvaluateAsync<int>("report.cursor().index");

    private sealed record View(double From, double To);
}
