// A click on a spike: what was going on inside.
using System.Globalization;
using SspHost.Diagnostics.Html;

namespace SspHost.Html.Tests;

[Collection("chromium")]
public class ZoneTests(Chromium browser)
{
    [Fact]
    public async Task A_click_on_the_spike_opens_its_zones_with_the_names_and_durations_that_were_recorded()
    {
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.OneInAMillion);
        Assert.True(await page.EvaluateAsync<bool>("document.getElementById('detail').hidden"));
        var (x, y) = await ScreenAsync(page, Reports.SpikeAt, 3);
        // A finger or a mouse is not exact: two pixels beside it will do.
        await page.ClickAsync(x + 2, y);
        Assert.Equal(Reports.SpikeAt, await page.EvaluateAsync<int>("report.selected().index"));
        Assert.Equal("Quantum 655,321", await page.TextAsync("#detail-heading"));

        var spike = Samples.Spike(1000 + Reports.SpikeAt, Reports.SpikeLoad, "Reverb Hall");
        Assert.Equal(spike.Zones.Count, await page.CountAsync("#detail .zone"));
        foreach (var zone in spike.Zones)
        {
            var label = $"{zone.Name}, {zone.Kind}, {Time(zone.DurationNs)}, from {Time(zone.StartNs)}";
            Assert.Equal(1, await page.EvaluateAsync<int>($"[...document.querySelectorAll('#detail .zone')].filter(z => z.getAttribute('aria-label') === '{label}').length"));
        }

        Assert.Contains("audio · core 2", await page.TextAsync("#detail .lanes"), StringComparison.Ordinal);
        Assert.Contains("worker 1 · core 3", await page.TextAsync("#detail .lanes"), StringComparison.Ordinal);
        Assert.Contains("Longest module: Reverb Hall", await page.TextAsync("#detail"), StringComparison.Ordinal);
        Assert.Contains("3 page faults", await page.TextAsync("#detail .fact.fault"), StringComparison.Ordinal);
        Assert.Contains("by irq/35-mmc0 (pid 88) for 214 µs", await page.TextAsync("#detail .fact.preempted"), StringComparison.Ordinal);
        Assert.Contains("memory pressure (PSI some, 10 s): 3.1 %", await page.TextAsync("#detail .notes"), StringComparison.Ordinal);
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task Zones_lie_where_and_as_long_as_they_were_and_inside_the_one_that_contains_them()
    {
        var spike = new LoadSpike
        {
            Quantum = 1005,
            Zones =
            [
                new("audio", "quantum", "quantum", 0, 500_000, 1), new("audio", "a", "module", 100_000, 200_000, 1, 1), new("audio", "b", "module", 300_000, 100_000, 1, 2),
                new("audio", "inner", "module", 120_000, 50_000, 1, 3), new("worker 1", "c", "module", 250_000, 250_000, 2, 4),
            ],
        };
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.Write(Samples.One(Samples.Run(Samples.Calm(20)) with { Spikes = [spike] })));
        var (x, y) = await ScreenAsync(page, 5, 0.3);
        await page.ClickAsync(x, y);
        var boxes = await page.EvaluateAsync<Dictionary<string, double[]>>(
            "Object.fromEntries([...document.querySelectorAll('#detail .zone')].map(z => { const r = z.getBoundingClientRect(); return [z.getAttribute('aria-label').split(',')[0], [r.left, r.right, r.top]]; }))");
        var track = await page.EvaluateAsync<double[]>("(() => { const r = document.querySelector('#detail .track-box').getBoundingClientRect(); return [r.left, r.width]; })()");
        // The scale ends 1 % behind the budget, which is later than the last zone.
        double At(double ns) => track[0] + track[1] * ns / (Samples.BudgetNs * 1.01);
        foreach (var zone in spike.Zones)
        {
            Assert.InRange(boxes[zone.Name][0], At(zone.StartNs) - 1, At(zone.StartNs) + 1);
            Assert.InRange(boxes[zone.Name][1], At(zone.StartNs + zone.DurationNs) - 1, At(zone.StartNs + zone.DurationNs) + 1);
        }

        Assert.True(boxes["a"][2] > boxes["quantum"][2] && boxes["inner"][2] > boxes["a"][2]);
        Assert.Equal(boxes["a"][2], boxes["b"][2]);
        Assert.True(boxes["c"][2] > boxes["inner"][2]);
    }

    [Fact]
    public async Task Where_no_zones_were_kept_it_says_so_and_leads_to_the_nearest()
    {
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.BadDay);
        await page.RunAsync("report.show(360300, 360360)");
        var (x, y) = await ScreenAsync(page, 360_321, 0.3);
        await page.ClickAsync(x, y);
        Assert.Equal(360_321, await page.EvaluateAsync<int>("report.selected().index"));
        Assert.Contains("No zones were kept for this quantum.", await page.TextAsync("#detail"), StringComparison.Ordinal);
        Assert.Contains("Quantum 361,331, load 1.4199, 10 after", await page.TextAsync("#detail .kept"), StringComparison.Ordinal);
        await page.RunAsync("document.querySelector('#detail .kept').click()");
        Assert.Equal(360_331, await page.EvaluateAsync<int>("report.selected().index"));
        Assert.True(await page.CountAsync("#detail .zone") > 10);
    }

    [Fact]
    public async Task Its_neighbours_are_shown_with_their_loads_and_lead_on()
    {
        var loads = Samples.Calm(1000);
        loads[501] = LoadCode.Encode(0.75);
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.Write(Samples.One(Samples.Run(loads))));
        await page.RunAsync("report.show(490, 510)");
        var (x, y) = await ScreenAsync(page, 500, 0.3);
        await page.ClickAsync(x, y);
        var told = await page.EvaluateAsync<string[]>("[...document.querySelectorAll('.neighbours b')].map(b => b.textContent)");
        Assert.Equal(Enumerable.Range(494, 13).Select(i => LoadCode.Decode(loads[i]).ToString("0.0000", CultureInfo.InvariantCulture)), told);
        await page.RunAsync("document.querySelector('.neighbours [aria-current]').nextElementSibling.click()");
        Assert.Equal("Quantum 1,501", await page.TextAsync("#detail-heading"));
        Assert.Contains("the slowest of all", await page.TextAsync("#detail .about"), StringComparison.Ordinal);
        Assert.Contains("No zones were kept in this run", await page.TextAsync("#detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_incident_leads_to_its_quantum_and_tells_its_story()
    {
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.BadDay);
        Assert.Equal(5, await page.CountAsync("#incidents .incident"));
        Assert.Contains("64 frames lost; a quantum was rendered too slowly; slowest or stuck: Reverb Hall; incident 4", await page.TextAsync("#incidents"), StringComparison.Ordinal);
        await page.RunAsync("[...document.querySelectorAll('#incidents button')].find(b => b.textContent.startsWith('Stall')).click()");
        await page.DrawnAsync();
        Assert.Equal(450_017, await page.EvaluateAsync<int>("report.selected().index"));
        Assert.Contains("ReverbHall.Process   reverb.cs:212", await page.TextAsync("#detail .story"), StringComparison.Ordinal);
        var view = await page.EvaluateAsync<View>("report.view()");
        Assert.True(view.From < 450_017 && view.To > 450_018 && view.To - view.From < 1000);
        await page.RunAsync("document.querySelector('#worst button').click()");
        Assert.Equal(450_017, await page.EvaluateAsync<int>("report.selected().index"));
    }

    [Fact]
    public async Task Very_many_zones_are_drawn_up_to_a_limit_that_is_told()
    {
        var zones = Enumerable.Range(0, 6000).Select(i => new SpikeZone("audio", $"m{i}", "module", i * 100L, 50 + i % 40, 0, i)).ToArray();
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.Write(Samples.One(Samples.Run(Samples.Calm(20)) with { Spikes = [new LoadSpike { Quantum = 1003, Zones = zones }] })));
        await page.RunAsync("document.getElementById('plot').focus()");
        var (x, y) = await ScreenAsync(page, 3, 0.3);
        await page.ClickAsync(x, y);
        Assert.Equal(4000, await page.CountAsync("#detail .zone"));
        Assert.Contains("The 4,000 longest of 6,000 zones are drawn.", await page.TextAsync("#detail"), StringComparison.Ordinal);
    }

    internal static async Task<(double X, double Y)> ScreenAsync(BrowserPage page, int index, double load)
    {
        var at = await page.EvaluateAsync<double[]>(FormattableString.Invariant(
            $"(() => {{ const p = report.place({index}, {load}), b = document.getElementById('plot').getBoundingClientRect(); return [b.left + (p.left + p.right) / 2 / p.ratio, b.top + p.y / p.ratio]; }})()"));
        return (at[0], at[1]);
    }

    // Four significant digits with their unit, three below a microsecond.
    private static string Time(long ns)
    {
        static string Digits(double x)
        {
            if (x == 0) return "0";
            return x.ToString("F" + Math.Max(0, 4 - (int)Math.Floor(Math.Log10(Math.Abs(x))) - 1), CultureInfo.InvariantCulture);
        }

        return Math.Abs(ns) switch
        {
            0 => "0 ns",
            >= 1_000_000 => $"{Digits(ns / 1e6)} ms",
            _ => $"{Digits(ns / 1e3)} µs",
        };
    }

    private sealed record View(double From, double To);
}
