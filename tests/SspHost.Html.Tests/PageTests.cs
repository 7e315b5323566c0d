// The page as a whole: it fetches nothing, complains of nothing, fits a phone, and takes any name for a name.
using System.Text.Json;
using SspHost.Diagnostics.Html;

namespace SspHost.Html.Tests;

[Collection("chromium")]
public class PageTests(Chromium browser)
{
    private static readonly string[] Hostile =
    [
        "</script><script>window.caught = 1</script>", "\"'><img src=x onerror=\"window.caught = 1\">", "<!--<script>", "{{data}} {{style}} ${window.caught = 1}", "🎛️ Hallraum 💥 \u202Egnissim",
        "\uD800 alone", "a\0b\u2028c\u2029d", "]]>&lt;&amp;", new('W', 10_240), string.Concat(Enumerable.Repeat("no space ", 1200)),
    ];

    [Fact]
    public async Task Nothing_is_fetched_and_nothing_is_complained_of_whatever_a_person_does()
    {
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.BadDay);
        await page.RunAsync("for (const b of [...document.querySelectorAll('button')]) { b.click(); await new Promise(r => setTimeout(r)); }");
        await page.RunAsync("for (const b of [...document.querySelectorAll('#detail button')]) b.click(); await new Promise(r => setTimeout(r, 150));");
        Assert.Empty(page.Requests);
        Assert.Empty(page.Complaints);
        // Its own policy would refuse, even if it tried.
        Assert.Equal("TypeError", await page.EvaluateAsync<string>("fetch('https://example.org/x').then(() => 'fetched', e => e.name)"));
        Assert.Equal("refused", await page.EvaluateAsync<string>("new Promise(r => { const i = new Image(); i.onload = () => r('loaded'); i.onerror = () => r('refused'); i.src = 'https://example.org/x.png'; })"));
        Assert.Empty(page.Requests);
        Assert.NotEmpty(page.Complaints);
    }

    [Fact]
    public async Task A_page_that_fetches_would_have_been_noticed()
    {
        var path = browser.Reports.Write(Samples.One(Samples.Run(Samples.Calm(10))));
        await File.WriteAllTextAsync(path, "<!DOCTYPE html><img src='https://example.org/x.png'><script>window.loadReport = Promise.resolve({}); console.error('e');</script>");
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(path);
        Assert.Equal(["https://example.org/x.png"], page.Requests);
        Assert.NotEmpty(page.Complaints);
    }

    [Fact]
    public async Task Hostile_names_are_shown_as_the_text_they_are()
    {
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.Write(HostileReport(runs: 1)));
        await page.RunAsync("document.querySelector('#worst button').click()");
        await page.DrawnAsync();
        for (var k = 0; k < Hostile.Length; k++)
        {
            // The encoder writes what is no character as U+FFFD.
            var name = Hostile[k].Replace("\uD800", "\uFFFD", StringComparison.Ordinal);
            Assert.True(await page.EvaluateAsync<bool>(
                $"(() => {{ const z = [...document.querySelectorAll('#detail .zone')].filter(z => z.style.left !== '').sort((a, b) => parseFloat(a.style.left) - parseFloat(b.style.left))[{k}]; z.click(); return document.querySelector('.picked b').textContent === {JsonSerializer.Serialize(name)}; }})()"));
            Assert.True(await page.EvaluateAsync<bool>($"[...document.querySelectorAll('#detail .notes li')][{k}].textContent === {JsonSerializer.Serialize(name)}"));
            Assert.True(await page.EvaluateAsync<bool>($"[...document.querySelectorAll('#detail .story')][{k}].textContent === {JsonSerializer.Serialize(name)}"));
        }

        Assert.Equal(Hostile[0], await page.TextAsync("#title"));
        Assert.Equal(Hostile[0], await page.EvaluateAsync<string>("document.title"));
        Assert.True(await page.EvaluateAsync<bool>("window.caught === undefined"));
        Assert.Equal(0, await page.CountAsync("img, iframe, object"));
        Assert.Empty(page.Requests);
        Assert.Empty(page.Complaints);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_phone_shows_it_all_without_scrolling_sideways(int runs)
    {
        await using var page = await browser.NewPageAsync(360, 740, touch: true, ratio: 2);
        await page.OpenAsync(browser.Reports.Write(HostileReport(runs)));
        await page.RunAsync("document.querySelector('#worst button').click(); document.querySelectorAll('details').forEach(d => d.open = true); document.querySelectorAll('.zone')[8].click()");
        await page.DrawnAsync();
        Assert.Equal(360, await page.EvaluateAsync<int>("innerWidth"));
        Assert.Equal(360, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        // And no part of it stands out where it cannot be reached: what is wider lies in a box that scrolls.
        var beyond = await page.EvaluateAsync<string[]>("""
            [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 361 && !e.closest('.scroll, .neighbours, .lanes, .legend span, .list .what, h1, .story')).map(e => e.tagName + '.' + e.className)
            """);
        Assert.Empty(beyond);
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task A_desktop_does_not_scroll_sideways_either()
    {
        await using var page = await browser.NewPageAsync(900, 700);
        await page.OpenAsync(browser.Reports.Write(HostileReport(2)));
        await page.RunAsync("document.querySelector('#worst button').click()");
        await page.DrawnAsync();
        Assert.Equal(900, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_run_of_hardly_any_quanta_is_a_report_too(int count)
    {
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.Write(Samples.One(Samples.Run(Samples.Calm(count)) with { Marks = [new LoadMark { Quantum = 99_999, Kind = LoadMarkKind.Dropout }] })));
        foreach (var key in new[] { "+", "-", ".", "n", "p", "w", "Enter", "l", "0", "Escape" })
        {
            await page.RunAsync("document.getElementById('plot').focus()");
            await page.PressAsync(key);
        }

        var text = await page.TextAsync("main");
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
        Assert.DoesNotContain("undefined", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Infinity", text, StringComparison.Ordinal);
        Assert.Contains(count switch { 0 => "no quantum was recorded", 1 => "1 quantum in", _ => "3 quanta in" }, text, StringComparison.Ordinal);
        Assert.Contains("outside this history", await page.TextAsync("#incidents"), StringComparison.Ordinal);
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task A_run_that_is_one_gap_says_that_nothing_was_recorded()
    {
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.Write(new LoadReportData { Title = "gap", Runs = [Samples.Run(new ushort[5000]), Samples.Run(Samples.Calm(100))] }));
        var (x, y) = await ZoneTests.ScreenAsync(page, 2500, 0.3);
        await page.ClickAsync(x, y);
        Assert.Contains("it fell into a gap of the history", await page.TextAsync("#detail"), StringComparison.Ordinal);
        Assert.Contains("there is nothing to compare", await page.TextAsync("#comparison"), StringComparison.Ordinal);
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task A_file_that_was_cut_off_says_that_it_cannot_be_read()
    {
        var path = browser.Reports.Write(Samples.One(Samples.Run(Samples.Calm(1000))));
        var text = await File.ReadAllTextAsync(path);
        var at = text.IndexOf("id=\"loads-0\">", StringComparison.Ordinal) + 13;
        await File.WriteAllTextAsync(path, string.Concat(text.AsSpan(0, at + 400), text.AsSpan(text.IndexOf("</script>", at, StringComparison.Ordinal))));
        await using var page = await browser.NewPageAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => page.OpenAsync(path));
        Assert.StartsWith("This report could not be read: ", await page.TextAsync("#verdict"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_says_what_one_is_looking_at_and_why_it_never_averages()
    {
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.BadDay);
        var text = await page.TextAsync("#intro");
        Assert.StartsWith("What am I looking at?", text, StringComparison.Ordinal);
        Assert.Contains("An average hides the one quantum you heard", text, StringComparison.Ordinal);
        Assert.Contains("dropout lost 64 frames", await page.TextAsync("#verdict"), StringComparison.Ordinal);
        Assert.Equal(Samples.Modules.Length, await page.CountAsync("#modules tbody tr"));
    }

    private static LoadReportData HostileReport(int runs)
    {
        var loads = Samples.Calm(3000);
        loads[1500] = LoadCode.Encode(1.7);
        var run = Samples.Run(loads, Hostile[9]) with
        {
            Machine = Hostile[8], EngineVersion = Hostile[1], StartTime = Hostile[2],
            Marks = [.. Hostile.Select(h => new LoadMark { Quantum = 2500, Kind = LoadMarkKind.Stall, Cause = h, Module = h, Text = h })],
            Spikes =
            [
                new LoadSpike
                {
                    Quantum = 2500, Notes = Hostile,
                    Zones = [.. Hostile.Select((h, k) => new SpikeZone(h, h, "module", k * 50_000, 45_000, k, k))],
                    Facts = [.. Hostile.Select((h, k) => new SpikeFact(SpikeFactKind.Preempted, h, k * 50_000, 2, h))],
                },
            ],
            Modules = [.. Hostile.Select((h, k) => Samples.Times(h, k))],
        };
        return new LoadReportData { Title = Hostile[runs == 1 ? 0 : 8], Runs = Enumerable.Repeat(run, runs).ToArray() };
    }
}
