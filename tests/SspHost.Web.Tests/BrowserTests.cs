// The page in a browser: its pixels are the panel's, and what a hand does to it is done to the panel.
using System.Security.Cryptography;
using Microsoft.Playwright;
using SspHost.Panel.Surface;
using SspHost.Web.Tests.Kit;

namespace SspHost.Web.Tests;

/// <summary>Debian's Chromium, started once.</summary>
public sealed class Browser : IAsyncLifetime
{
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async Task InitializeAsync()
    {
        var program = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("these tests need Chromium: tools/setup.sh test installs it");
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = program, Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
    }

    /// <summary>A page on the panel, in a profile of its own; what it complains about fails the test that looks.</summary>
    internal async Task<(IPage Page, List<string> Complaints)> OpenAsync(WebRig rig, int width = 1280, int height = 900, bool phone = false, bool light = false, string address = "/", bool door = false)
    {
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            HasTouch = phone,
            IsMobile = phone,
            DeviceScaleFactor = phone ? 2 : 1,
            ColorScheme = light ? ColorScheme.Light : ColorScheme.Dark,
        });
        context.SetDefaultTimeout(60_000);
        var page = await context.NewPageAsync();
        var complaints = new List<string>();
        page.Console += (_, m) =>
        {
            // That the test reads the canvas so often is the test's own doing.
            if (m.Type is "error" or "warning" && !m.Text.Contains("readback", StringComparison.Ordinal)) lock (complaints) complaints.Add(m.Text);
        };
        page.PageError += (_, e) => complaints.Add(e);
        await page.GotoAsync(rig.Server.Address + address);
        if (!door) await page.WaitForFunctionAsync("() => window.panel?.frames > 0");
        return (page, complaints);
    }

    public async Task DisposeAsync()
    {
        if (_browser != null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}

public sealed class BrowserTests(Browser browser) : IClassFixture<Browser>
{
    private const string Digest = """
        async () => {
          const c = document.getElementById("screen");
          const data = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
          const sum = await crypto.subtle.digest("SHA-256", data);
          return [...new Uint8Array(sum)].map(b => b.toString(16).padStart(2, "0")).join("");
        }
        """;

    [Fact]
    public async Task The_canvas_has_the_panels_pixels_and_keys_and_encoders_reach_the_panel()
    {
        using var rig = new WebRig(pages: true);
        var (page, complaints) = await browser.OpenAsync(rig);
        await SameAsync(rig, page);

        // By mouse: K8 is the help of every page, and takes it away again.
        await page.ClickAsync("#softkeys button:nth-child(8)");
        await PageAsync(rig, "help");
        await SameAsync(rig, page);
        await page.Keyboard.PressAsync("Digit8");
        await PageAsync(rig, "patch");

        // By keyboard: K1 of the Patch page is Add; there characters are text, and Escape is one of them.
        await page.Keyboard.DownAsync("ShiftRight");
        await page.Keyboard.PressAsync("Digit3");
        await page.Keyboard.UpAsync("ShiftRight");
        await PageAsync(rig, "scenes");
        await SameAsync(rig, page);
        await page.Keyboard.PressAsync("Escape");
        await PageAsync(rig, "patch");
        Assert.Empty(complaints);
        Assert.Empty(rig.Failures);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task Wheel_drag_and_keyboard_turn_an_encoder_and_a_click_pushes_it()
    {
        using var rig = new WebRig();
        Shown(rig);
        var (page, complaints) = await browser.OpenAsync(rig);
        var knob = page.Locator(".knob").Nth(1);
        var box = (await knob.BoundingBoxAsync())!;
        var (x, y) = (box.X + (box.Width / 2), box.Y + (box.Height / 2));
        await page.Mouse.MoveAsync(x, y);
        await page.Mouse.WheelAsync(0, -150);
        await EventsAsync(rig, [(Control.E2, ControlAction.Turn, 3)]);
        await page.Mouse.WheelAsync(0, 100);
        await EventsAsync(rig, [(Control.E2, ControlAction.Turn, -2)]);
        await page.Keyboard.PressAsync("KeyR");
        await page.Keyboard.PressAsync("KeyQ");
        await EventsAsync(rig, [(Control.E2, ControlAction.Turn, 1), (Control.E1, ControlAction.Turn, -1)]);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(x, y - 40);
        await page.Mouse.UpAsync();
        await EventsAsync(rig, [(Control.E2, ControlAction.Turn, 5)]);
        await page.Mouse.ClickAsync(x, y);
        await EventsAsync(rig, [(Control.E2, ControlAction.Press, 0), (Control.E2, ControlAction.Release, 0)]);
        Assert.Empty(complaints);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task What_is_held_is_released_when_the_page_closes()
    {
        using var rig = new WebRig();
        Shown(rig);
        var (page, _) = await browser.OpenAsync(rig);
        await page.Keyboard.DownAsync("ShiftLeft");
        await EventsAsync(rig, [(Control.ShiftLeft, ControlAction.Press, 0)]);
        await page.Context.CloseAsync();
        await WebRig.UntilAsync(() => rig.Left.Count == 1, "nobody noticed that the page is gone");
    }

    [Fact]
    public async Task Two_viewers_see_the_same_and_each_what_the_other_does()
    {
        using var rig = new WebRig(pages: true);
        var (one, _) = await browser.OpenAsync(rig);
        var (two, _) = await browser.OpenAsync(rig, light: true);
        await one.ClickAsync("#softkeys button:nth-child(8)");
        await PageAsync(rig, "help");
        await SameAsync(rig, one);
        await SameAsync(rig, two);
        await one.Context.CloseAsync();
        await two.Context.CloseAsync();
    }

    [Theory]
    [InlineData(390, 844)]
    [InlineData(844, 390)]
    [InlineData(360, 640)]
    public async Task A_phone_shows_all_of_it_without_scrolling_sideways_and_its_keys_are_touched(int width, int height)
    {
        using var rig = new WebRig(pages: true);
        rig.Play(1000, 0.5f, 2, 5, 8, 11);
        var (page, complaints) = await browser.OpenAsync(rig, width, height, phone: true);
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        foreach (var button in await page.Locator("button:visible, .knob:visible").AllAsync())
        {
            var box = (await button.BoundingBoxAsync())!;
            Assert.True(box is { Width: >= 44, Height: >= 44 }, "a finger needs 44 pixels");
        }

        if (width > height)
        {
            var rack = (await page.Locator("#rack").BoundingBoxAsync())!;
            Assert.True(rack.Height <= height, $"a phone on its side shows screen and controls at once, not {rack.Height} of {height}");
        }

        await page.TapAsync("#softkeys button:nth-child(8)");
        await PageAsync(rig, "help");
        await SameAsync(rig, page);
        await page.TapAsync("#softkeys button:nth-child(8)");
        await PageAsync(rig, "patch");
        await page.TapAsync("#softkeys button:nth-child(1)");
        await PageAsync(rig, "add");
        await SameAsync(rig, page);
        await PictureAsync(page, $"phone-{width}x{height}.png");
        Assert.Empty(complaints);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task A_finger_turns_an_encoder_without_moving_the_page_and_one_that_rests_holds_it_down()
    {
        using var rig = new WebRig();
        Shown(rig);
        var (page, complaints) = await browser.OpenAsync(rig, 390, 844, phone: true);
        var touch = await page.Context.NewCDPSessionAsync(page);
        var knob = page.Locator(".knob").Nth(2);
        await knob.ScrollIntoViewIfNeededAsync();
        var before = await page.EvaluateAsync<double>("() => scrollY");
        var box = (await knob.BoundingBoxAsync())!;
        var (x, y) = (box.X + (box.Width / 2), box.Y + (box.Height / 2));
        await TouchAsync("touchStart", x, y);
        for (var i = 1; i <= 8; i++) await TouchAsync("touchMove", x, y - (8 * i));
        await TouchAsync("touchEnd");
        await EventsAsync(rig, [(Control.E3, ControlAction.Turn, 8)]);

        await TouchAsync("touchStart", x, y);
        await WebRig.UntilAsync(() => rig.Events.Count == 1, "a finger that rests pushes");
        for (var i = 1; i <= 4; i++) await TouchAsync("touchMove", x, y + (8 * i));
        await TouchAsync("touchEnd");
        await EventsAsync(rig, [(Control.E3, ControlAction.Press, 0), (Control.E3, ControlAction.Turn, -4), (Control.E3, ControlAction.Release, 0)]);

        // Two fingers: one holds Shift L, the other presses a key.
        var shift = (await page.Locator("#shifts .key").First.BoundingBoxAsync())!;
        var key = (await page.Locator("#arrows .key").First.BoundingBoxAsync())!;
        var (first, second) = (Centre(shift), Centre(key));
        await TouchAsync("touchStart", first);
        await TouchAsync("touchStart", first, second);
        await EventsAsync(rig, [(Control.ShiftLeft, ControlAction.Press, 0), (Control.Up, ControlAction.Press, 0)]);
        await TouchAsync("touchEnd");
        await WebRig.UntilAsync(() => rig.Events.Count == 2 && rig.Events.All(e => e.Action == ControlAction.Release), "both are let go");
        Assert.Equal(before, await page.EvaluateAsync<double>("() => scrollY"));
        Assert.Empty(complaints);
        await page.Context.CloseAsync();

        static (double X, double Y) Centre(LocatorBoundingBoxResult b) => (b.X + (b.Width / 2), b.Y + (b.Height / 2));

        Task TouchAsync(string type, params object[] at) => touch.SendAsync("Input.dispatchTouchEvent", new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["type"] = type,
            ["touchPoints"] = Points(at),
        });

        static object[] Points(object[] at) => at is [float px, float py]
            ? [new { x = px, y = py, id = 0 }]
            : [.. at.Cast<(double X, double Y)>().Select((p, i) => new { x = p.X, y = p.Y, id = i })];
    }

    [Fact]
    public async Task Beside_the_panel_are_live_levels_the_load_and_the_keys_that_a_keyboard_has_for_it()
    {
        using var rig = new WebRig(pages: true);
        rig.Play(1000, 0.5f, 2, 5, 8, 11);
        var (page, complaints) = await browser.OpenAsync(rig);
        await Assertions.Expect(page.Locator("#state")).ToHaveTextAsync("playing");
        await Assertions.Expect(page.Locator(".meter")).ToHaveCountAsync(5);
        await Assertions.Expect(page.Locator(".meter").Nth(3)).ToHaveAttributeAsync("aria-valuenow", "8.00");
        await Assertions.Expect(page.Locator(".meter").Nth(4)).ToHaveClassAsync("meter hot");
        rig.Play(2000, 0.5f, 2, 5, 3, 0);
        await Assertions.Expect(page.Locator(".meter").Nth(3)).ToHaveAttributeAsync("aria-valuenow", "3.00");
        await Assertions.Expect(page.Locator(".meter").Nth(4)).ToHaveClassAsync("meter");
        await page.WaitForFunctionAsync("() => document.getElementById('load').textContent.endsWith('%')");
        await page.WaitForFunctionAsync(
            """
            () => {
              const c = document.getElementById("plot"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
              let coloured = 0; // the curves are blue and ochre on grey lines
              for (let i = 0; i < d.length; i += 4) if (d[i + 3] && Math.max(d[i], d[i + 1], d[i + 2]) - Math.min(d[i], d[i + 1], d[i + 2]) > 60) coloured++;
              return coloured > 0;
            }
            """);
        Assert.Equal(["1", "2", "3", "4", "5", "6", "7", "8"], await page.Locator("#softkeys kbd").AllTextContentsAsync());
        Assert.Equal(["Q", "W", "E", "R", "T", "Y", "U", "I"], await page.Locator(".encoder kbd").AllTextContentsAsync());
        foreach (var light in new[] { false, true })
        {
            var (desk, _) = await browser.OpenAsync(rig, 1280, 960, light: light);
            await SameAsync(rig, desk);
            await Assertions.Expect(desk.Locator(".meter")).ToHaveCountAsync(5);
            await PictureAsync(desk, light ? "light.png" : "dark.png");
            await desk.Context.CloseAsync();
        }

        Assert.Empty(complaints);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task When_the_server_is_back_after_a_restart_so_is_the_panel_by_itself()
    {
        using var rig = new WebRig(pages: true);
        rig.Play(1000, 0.5f, 2, 5, 8, 11);
        var (page, _) = await browser.OpenAsync(rig);
        await SameAsync(rig, page);
        await page.Keyboard.DownAsync("ShiftLeft");
        rig.Server.Dispose();
        await page.WaitForFunctionAsync("() => !window.panel.connected && document.body.dataset.panel === 'off'");
        await Assertions.Expect(page.Locator("#state")).ToHaveTextAsync("not connected");
        await WebRig.UntilAsync(() => rig.Viewers.Count == 0, "its place is free");
        rig.Restart();
        await page.WaitForFunctionAsync("() => window.panel.connected && document.body.dataset.panel === 'on'");
        await page.Keyboard.UpAsync("ShiftLeft"); // of a key that the panel knows nothing of any more
        await page.ClickAsync("#softkeys button:nth-child(8)");
        await PageAsync(rig, "help");
        await SameAsync(rig, page);
        await Assertions.Expect(page.Locator("#state")).ToHaveTextAsync("playing");
        Assert.Empty(rig.Failures);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task With_a_token_in_its_address_the_page_opens_and_keeps_it()
    {
        using var rig = new WebRig(pages: true, token: WebRig.Token);
        var (page, complaints) = await browser.OpenAsync(rig, address: "/?token=" + WebRig.Token);
        Assert.Equal(rig.Server.Address + "/", page.Url);
        await SameAsync(rig, page);
        Assert.Empty(complaints);
        await page.Context.CloseAsync();
    }

    private static async Task PictureAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("SSP_PICTURES") is { Length: > 0 } folder) await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name), FullPage = true });
    }

    // Without pages a picture of the test's own is in view: the page waits for one.
    private static void Shown(WebRig rig)
    {
        var picture = new Picture();
        picture.Fill(0x203040);
        rig.Viewers.Show(picture.Frame, [picture.All]);
    }

    private static Task PageAsync(WebRig rig, string id) => WebRig.UntilAsync(() => rig.Panel!.Current.Id == id, $"the panel did not go to '{id}'");

    private static async Task EventsAsync(WebRig rig, (Control Control, ControlAction Action, int Value)[] expected)
    {
        // Turns may come in several messages: what counts is how far.
        try
        {
            await WebRig.UntilAsync(() => Sum(rig).SequenceEqual(expected), "the panel heard something else");
        }
        catch (Xunit.Sdk.TrueException)
        {
            Assert.Equal(expected, Sum(rig)); // says what it heard
        }

        lock (rig.Events) rig.Events.Clear();
    }

    private static List<(Control, ControlAction, int)> Sum(WebRig rig)
    {
        var sum = new List<(Control, ControlAction, int)>();
        lock (rig.Events)
        {
            foreach (var e in rig.Events)
            {
                if (sum.Count > 0 && e.Action == ControlAction.Turn && sum[^1].Item1 == e.Control && sum[^1].Item2 == e.Action) sum[^1] = (e.Control, e.Action, sum[^1].Item3 + e.Value);
                else sum.Add((e.Control, e.Action, e.Value));
            }
        }

        return sum;
    }

    private static async Task SameAsync(WebRig rig, IPage page)
    {
        for (var i = 0; i < 400; i++)
        {
            var rgba = new byte[PanelSize.Width * PanelSize.Height * 4];
            var pixels = rig.Screen.Pixels;
            for (var p = 0; p < pixels.Length; p++)
            {
                (rgba[4 * p], rgba[(4 * p) + 1], rgba[(4 * p) + 2], rgba[(4 * p) + 3]) = ((byte)(pixels[p] >> 16), (byte)(pixels[p] >> 8), (byte)pixels[p], 255);
            }

            if (await page.EvaluateAsync<string>(Digest) == Convert.ToHexStringLower(SHA256.HashData(rgba))) return;
            await Task.Delay(20);
        }

        Assert.Fail("the canvas never had the panel's pixels");
    }
}
