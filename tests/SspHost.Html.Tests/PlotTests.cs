// What is on the canvas, pixel by pixel.
using SspHost.Diagnostics.Html;

namespace SspHost.Html.Tests;

[Collection("chromium")]
public class PlotTests(Chromium browser)
{
    // Columns of the plot in a row of pixels that have a colour of the page; the share of a box that is painted at all; whether a box has a colour.
    private const string Eyes = """
        const sheet = document.getElementById('plot').getContext('2d');
        const shade = name => { const v = getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim(); return [1, 3, 5].map(i => parseInt(v.slice(i, i + 2), 16)); };
        const is = (d, i, c) => d[i + 3] > 200 && Math.abs(d[i] - c[0]) + Math.abs(d[i + 1] - c[1]) + Math.abs(d[i + 2] - c[2]) < 12;
        window.columnsOf = (name, y) => { const w = sheet.canvas.width, d = sheet.getImageData(0, y, w, 1).data, c = shade(name), out = []; for (let x = 0; x < w; x++) if (is(d, 4 * x, c)) out.push(x); return out; };
        window.rowsOf = (name, x) => { const h = sheet.canvas.height, d = sheet.getImageData(x, 0, 1, h).data, c = shade(name), out = []; for (let y = 0; y < h; y++) if (is(d, 4 * y, c)) out.push(y); return out; };
        window.painted = (x, y, w, h) => { const d = sheet.getImageData(x, y, w, h).data; let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i] > 0) n++; return n / (w * h); };
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_spike_among_millions_of_quanta_stands_at_its_place_and_height_at_any_zoom(bool tenMillion)
    {
        await using var page = await OpenAsync(tenMillion ? browser.Reports.TenMillion : browser.Reports.OneInAMillion);
        var count = tenMillion ? 10_000_000 : 1_000_000;
        (double From, double To)[] views =
        [
            (0, count), (0, 700_001), (123_456.5, 987_654.25), (600_000, 660_000), (654_000, 655_000), (654_300.7, 654_400.2), (654_321 - 8, 654_321 + 8), (654_320, 654_328), (654_314, 654_322),
        ];
        foreach (var (from, to) in views)
        {
            await page.RunAsync(FormattableString.Invariant($"report.show({from}, {to})"));
            var (left, right, _) = await PlaceAsync(page, Reports.SpikeAt, 1);
            // A row half way up the spike, where nothing else is.
            var row = (await PlaceAsync(page, Reports.SpikeAt, 2.7)).Y;
            var red = await page.EvaluateAsync<int[]>($"columnsOf('late', {row})");
            var width = Math.Max(1, right - left);
            Assert.InRange(red.Length, Math.Max(1, width - 1), width + 1);
            Assert.All(red, x => Assert.InRange(x, left - 1, Math.Max(left, right)));
            var top = (await page.EvaluateAsync<int[]>($"rowsOf('late', {red[red.Length / 2]})")).First();
            Assert.InRange(top, (await PlaceAsync(page, Reports.SpikeAt, Reports.SpikeLoad)).Y - 3, (await PlaceAsync(page, Reports.SpikeAt, Reports.SpikeLoad)).Y + 1);
            // Above it there is nothing, and below the budget it goes down to the others without a hole.
            Assert.Empty(await page.EvaluateAsync<int[]>($"columnsOf('late', {top - 4})"));
        }
    }

    [Fact]
    public async Task The_place_of_a_quantum_is_where_arithmetic_puts_it()
    {
        await using var page = await OpenAsync(browser.Reports.OneInAMillion);
        await page.RunAsync("report.show(600000, 700000)");
        var area = await page.EvaluateAsync<Area>("report.place(0, 0)");
        var red = await page.EvaluateAsync<int[]>($"columnsOf('late', {(await PlaceAsync(page, 0, 2.7)).Y})");
        Assert.Equal([area.ColumnLeft + (int)((Reports.SpikeAt - 600_000) / 100_000.0 * (area.ColumnRight - area.ColumnLeft))], red);
        var (one, two, four) = ((await PlaceAsync(page, 0, 1)).Y, (await PlaceAsync(page, 0, 2)).Y, (await PlaceAsync(page, 0, 4)).Y);
        Assert.InRange(two - four - 2 * (one - two), -2, 2);
    }

    [Fact]
    public async Task The_spike_stands_on_a_logarithmic_axis_too_and_on_a_screen_with_two_pixels_to_the_pixel()
    {
        await using var page = await OpenAsync(browser.Reports.OneInAMillion, ratio: 2);
        await page.RunAsync("document.getElementById('log').click()");
        await page.DrawnAsync();
        var place = await PlaceAsync(page, Reports.SpikeAt, Reports.SpikeLoad);
        var red = await page.EvaluateAsync<int[]>($"columnsOf('late', {(await PlaceAsync(page, 0, 2)).Y})");
        Assert.InRange(red.Single(), place.Left - 1, place.Left + 1);
        Assert.InRange((await page.EvaluateAsync<int[]>($"rowsOf('late', {red.Single()})")).First(), place.Y - 6, place.Y + 1);
        var steps = new List<int>();
        foreach (var load in new[] { 0.5, 1, 2, 4 }) steps.Add((await PlaceAsync(page, 0, load)).Y);
        Assert.InRange(steps[0] - steps[1] - (steps[1] - steps[2]), -2, 2);
        Assert.InRange(steps[1] - steps[2] - (steps[2] - steps[3]), -2, 2);
    }

    [Fact]
    public async Task Red_is_what_is_over_budget_and_nothing_else()
    {
        var loads = Samples.Calm(100);
        loads[20] = LoadCode.One;
        loads[50] = LoadCode.One + 1;
        loads[70] = LoadCode.Encode(1.15);
        await using var page = await OpenAsync(browser.Reports.Write(Samples.One(Samples.Run(loads))));
        foreach (var (index, over) in new[] { (19, false), (20, false), (50, true), (70, true), (71, false) })
        {
            var (left, right, y) = await PlaceAsync(page, index, LoadCode.Decode(loads[index]));
            // The topmost two rows of it; the line of the budget may cover one of them.
            var red = await page.EvaluateAsync<int[]>($"rowsOf('late', {(left + right) / 2})");
            var blue = await page.EvaluateAsync<int[]>($"rowsOf('a', {(left + right) / 2})");
            Assert.Equal(over, red.Contains(y) && red.Contains(y + 1));
            Assert.Equal(!over, blue.Contains(y) || blue.Contains(y + 1));
        }

        Assert.Equal("2", await page.EvaluateAsync<string>("document.querySelector('#figures tbody tr:nth-child(3) td').firstChild.textContent"));
    }

    [Fact]
    public async Task Late_quanta_dropouts_and_stalls_have_their_signs_and_a_dropout_a_line()
    {
        var run = Samples.Run(Samples.Calm(1000)) with
        {
            Marks =
            [
                new LoadMark { Quantum = 1100, Kind = LoadMarkKind.Late }, new LoadMark { Quantum = 1500, Kind = LoadMarkKind.Dropout, LostFrames = 32 },
                new LoadMark { Quantum = 1800, Kind = LoadMarkKind.Stall },
            ],
        };
        await using var page = await OpenAsync(browser.Reports.Write(Samples.One(run)));
        foreach (var (index, colour) in new[] { (100, "late"), (500, "lost"), (800, "stall") })
        {
            var (left, _, _) = await PlaceAsync(page, index, 1);
            var signs = await page.EvaluateAsync<int[]>($"columnsOf('{colour}', 5)");
            Assert.NotEmpty(signs);
            Assert.All(signs, x => Assert.InRange(x, left - 8, left + 10));
        }

        var place = await PlaceAsync(page, 500, 0.7);
        Assert.True(await page.EvaluateAsync<double>($"painted({place.Left - 2}, {place.Y - 20}, 5, 40)") >= 0.15);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(60_000)]
    public async Task A_gap_is_hatched_however_short_it_is(int length)
    {
        var loads = Samples.Calm(1_000_000);
        Array.Clear(loads, 400_000, length);
        await using var page = await OpenAsync(browser.Reports.Write(Samples.One(Samples.Run(loads))));
        var from = await PlaceAsync(page, 400_000, 0.9);
        var to = await PlaceAsync(page, 400_000 + length - 1, 0.9);
        var (height, y) = (60, (await PlaceAsync(page, 0, 0.95)).Y);
        var inside = await page.EvaluateAsync<double>($"painted({from.Left}, {y}, {Math.Max(1, to.Left - from.Left)}, {height})");
        var beside = await page.EvaluateAsync<double>($"painted({from.Left - 30}, {y}, 20, {height})");
        Assert.True(inside > beside + 0.1, $"{inside} of a gap is painted, {beside} beside it");
        Assert.Contains("1 quantum was not recorded|60,000 quanta were not recorded".Split('|')[length == 1 ? 0 : 1], await page.TextAsync("#verdict"), StringComparison.Ordinal);
        if (length > 1) Assert.Empty(await page.EvaluateAsync<int[]>($"rowsOf('a', {(from.Left + to.Left) / 2})"));
    }

    [Fact]
    public async Task In_the_dark_the_page_and_its_canvas_are_dark_and_legible_and_follow_when_that_changes()
    {
        await using var page = await OpenAsync(browser.Reports.OneInAMillion, dark: true);
        const string Luminance = """
            (name => { const v = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
              const [r, g, b] = [1, 3, 5].map(i => parseInt(v.slice(i, i + 2), 16) / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
              return 0.2126 * r + 0.7152 * g + 0.0722 * b; })
            """;
        foreach (var scheme in new[] { "dark", "light" })
        {
            await page.AskAsync("Emulation.setEmulatedMedia", new { features = new[] { new { name = "prefers-color-scheme", value = scheme } } });
            await page.DrawnAsync();
            var ground = await page.EvaluateAsync<double>($"{Luminance}('--card')");
            Assert.Equal(scheme == "dark", ground < 0.1);
            foreach (var (colour, least) in new[] { ("--ink", 7.0), ("--muted", 4.5), ("--late", 4.5), ("--lost", 4.5), ("--stall", 4.5), ("--a", 3.0), ("--b", 3.0) })
            {
                var other = await page.EvaluateAsync<double>($"{Luminance}('{colour}')");
                var contrast = (Math.Max(ground, other) + 0.05) / (Math.Min(ground, other) + 0.05);
                Assert.True(contrast >= least, $"{colour} on a {scheme} card has a contrast of {contrast:0.0}");
            }

            // The band of ordinary loads, in the colour of this scheme.
            Assert.True((await page.EvaluateAsync<int[]>($"columnsOf('a', {(await PlaceAsync(page, 0, 0.3)).Y})")).Length > 500);
        }
    }

    private async Task<BrowserPage> OpenAsync(string path, bool dark = false, double ratio = 1)
    {
        var page = await browser.NewPageAsync(dark: dark, ratio: ratio);
        await page.OpenAsync(path);
        await page.RunAsync(Eyes);
        Assert.Empty(page.Complaints);
        return page;
    }

    private static async Task<(int Left, int Right, int Y)> PlaceAsync(BrowserPage page, int index, double load)
    {
        var area = await page.EvaluateAsync<Area>(FormattableString.Invariant($"report.place({index}, {load})"));
        return (area.Left, area.Right, (int)Math.Round(area.Y));
    }

    private sealed record Area(int Left, int Right, double Y, int ColumnLeft, int ColumnRight);
}
