// The door: a page that asks for the token, and a count of wrong ones that nobody's cookie suffers from.
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Playwright;
using SspHost.Remote.Web;
using SspHost.Web.Tests.Kit;

namespace SspHost.Web.Tests;

public sealed class LoginTests(Browser browser) : IClassFixture<Browser>
{
    private const string Wrong = "wrong-wrong-wrong";

    [Fact]
    public async Task Whoever_opens_the_panel_without_a_token_is_asked_for_it_and_then_sees_the_panel()
    {
        using var rig = new WebRig(pages: true, token: WebRig.Token);
        var (page, complaints) = await browser.OpenAsync(rig, 390, 844, phone: true, door: true);
        Assert.Equal("#token", await page.EvaluateAsync<string>("() => '#' + document.activeElement.id"));
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        await PictureAsync(page, "login-phone.png");
        await page.FillAsync("#token", Wrong);
        await page.TapAsync("button");
        await Assertions.Expect(page.Locator("#said")).ToHaveTextAsync("That is not the token.");
        Assert.Empty(await page.Context.CookiesAsync());

        await page.FillAsync("#token", WebRig.Token);
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForFunctionAsync("() => window.panel?.frames > 0");
        Assert.Equal(rig.Server.Address + "/", page.Url);
        var cookie = Assert.Single(await page.Context.CookiesAsync());
        Assert.True(cookie is { HttpOnly: true, SameSite: SameSiteAttribute.Strict });
        Assert.DoesNotContain(WebRig.Token, cookie.Value, StringComparison.Ordinal);

        // The browser is known from now on, in another tab and tomorrow.
        var second = await page.Context.NewPageAsync();
        await second.GotoAsync(rig.Server.Address);
        await second.WaitForFunctionAsync("() => window.panel?.frames > 0");
        Assert.All(complaints, c => Assert.Contains("401", c, StringComparison.Ordinal)); // Chromium says of each refusal that it was one
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task A_page_that_is_open_while_the_token_changes_goes_back_to_the_door()
    {
        using var rig = new WebRig(pages: true, token: WebRig.Token);
        var (page, _) = await browser.OpenAsync(rig, address: "/?token=" + WebRig.Token);
        rig.Restart("another-token-now");
        await page.WaitForSelectorAsync("#token");
        await page.FillAsync("#token", "another-token-now");
        await page.ClickAsync("button");
        await page.WaitForFunctionAsync("() => window.panel?.frames > 0");
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task The_form_lets_in_by_a_cookie_and_only_from_its_own_page()
    {
        using var rig = new WebRig(token: WebRig.Token);
        using var door = await rig.Http.GetAsync("/");
        Assert.Equal(HttpStatusCode.Unauthorized, door.StatusCode);
        Assert.Contains("action=\"/login\"", await door.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("form-action 'self'", door.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        using var style = await rig.Http.GetAsync("/login.css");
        Assert.Equal(HttpStatusCode.OK, style.StatusCode);

        foreach (var origin in new[] { "http://evil.example", "null" })
        {
            using var foreign = await SubmitAsync(rig, WebRig.Token, origin);
            Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
            Assert.False(foreign.Headers.Contains("Set-Cookie"));
        }

        using var wrong = await SubmitAsync(rig, Wrong);
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.False(wrong.Headers.Contains("Set-Cookie"));

        using var right = await SubmitAsync(rig, WebRig.Token);
        Assert.Equal(HttpStatusCode.SeeOther, right.StatusCode);
        Assert.Equal("/", right.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.OK, await GetAsync(rig, "/api/status", CookieOf(right)));
    }

    [Theory]
    [InlineData("", "application/x-www-form-urlencoded")]
    [InlineData("token=", "application/x-www-form-urlencoded")]
    [InlineData("token=twelve-or-more&token=twelve-or-more", "application/x-www-form-urlencoded")]
    [InlineData("name=twelve-or-more", "application/x-www-form-urlencoded")]
    [InlineData("token=twelve-or-more", "text/plain")]
    [InlineData("{\"token\":\"twelve-or-more\"}", "application/json")]
    [InlineData("token=%FF%00&%%%", "application/x-www-form-urlencoded")]
    [InlineData("token=<b>&\"'", "application/x-www-form-urlencoded")]
    public async Task What_is_no_form_with_the_token_lets_nobody_in(string body, string type)
    {
        using var rig = new WebRig(token: WebRig.Token);
        using var reply = await rig.Http.PostAsync("/login", new StringContent(body, Encoding.UTF8, type));
        Assert.Equal(HttpStatusCode.Unauthorized, reply.StatusCode);
        Assert.False(reply.Headers.Contains("Set-Cookie"));
        Assert.DoesNotContain("<b>", await reply.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_that_is_too_long_is_not_read_to_its_end()
    {
        using var rig = new WebRig(token: WebRig.Token);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(rig.Server.Address).Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /login HTTP/1.1\r\nHost: {new Uri(rig.Server.Address).Authority}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3000000\r\n\r\ntoken={WebRig.Token}"));
        var reply = new byte[64];
        _ = await stream.ReadAsync(reply).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.StartsWith("HTTP/1.1 401", Encoding.ASCII.GetString(reply), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_tokens_are_counted_whichever_way_they_come_and_a_cookie_does_not_suffer()
    {
        using var rig = new WebRig(token: WebRig.Token);
        using var right = await SubmitAsync(rig, WebRig.Token);
        var cookie = CookieOf(right);
        for (var i = 0; i < TokenTries.AtOnce; i++)
        {
            var status = (i % 3) switch
            {
                0 => (await SubmitAsync(rig, Wrong + i)).StatusCode,
                1 => (await rig.Http.GetAsync("/?token=" + Wrong + i)).StatusCode,
                _ => await GetAsync(rig, "/api/status", ("Authorization", "Bearer " + Wrong + i)),
            };
            Assert.Equal(HttpStatusCode.Unauthorized, status);
        }

        // From now on not even the right one is looked at: otherwise counting would be no use.
        using var form = await SubmitAsync(rig, WebRig.Token);
        Assert.Equal(HttpStatusCode.TooManyRequests, form.StatusCode);
        Assert.InRange(form.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 6);
        Assert.Contains("Try again in", await form.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.TooManyRequests, await GetAsync(rig, "/api/status", ("Authorization", "Bearer " + WebRig.Token)));
        Assert.Equal(HttpStatusCode.TooManyRequests, (await rig.Http.GetAsync("/?token=" + WebRig.Token)).StatusCode);

        // Who was let in before notices nothing, and a wrong cookie counts for nothing.
        Assert.Equal(HttpStatusCode.OK, await GetAsync(rig, "/", cookie));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(rig, "/api/status", cookie));
        Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(rig, "/api/status", ("Cookie", WebGate.Cookie + "=" + WebGate.CookieOf(Wrong))));
        using var socket = new System.Net.WebSockets.ClientWebSocket();
        socket.Options.SetRequestHeader(cookie.Name, cookie.Value);
        await socket.ConnectAsync(rig.Socket("/panel"), CancellationToken.None);
    }

    [Fact]
    public async Task Where_no_token_is_asked_for_there_is_no_door()
    {
        using var rig = new WebRig();
        using var reply = await SubmitAsync(rig, "anything-at-all");
        Assert.Equal(HttpStatusCode.NotFound, reply.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await rig.Http.GetAsync("/")).StatusCode);
    }

    [Fact]
    public void Tries_come_back_one_by_one_and_each_address_has_its_own()
    {
        var now = 1_000_000_000_000ul;
        var tries = new TokenTries(() => now);
        var (one, two) = (IPAddress.Parse("192.168.1.7"), IPAddress.Parse("192.168.1.8"));
        for (var i = 0; i < TokenTries.AtOnce; i++)
        {
            Assert.Equal(0, tries.Wait(one));
            tries.Wrong(one);
        }

        Assert.Equal(6, tries.Wait(one));
        Assert.Equal(6, tries.Wait(IPAddress.Parse("::ffff:192.168.1.7"))); // the same, by another name
        Assert.Equal(0, tries.Wait(two));
        now += 6_000_000_000;
        Assert.Equal(0, tries.Wait(one));
        tries.Wrong(one);
        Assert.Equal(6, tries.Wait(one));
        now += 3_600_000_000_000;
        for (var i = 0; i < TokenTries.AtOnce; i++, tries.Wrong(one)) Assert.Equal(0, tries.Wait(one));
        Assert.NotEqual(0, tries.Wait(one));
    }

    [Fact]
    public void Addresses_without_number_neither_grow_a_list_nor_help_to_try_more()
    {
        var tries = new TokenTries(() => 1_000_000_000_000);
        for (var i = 0; i < 20 * TokenTries.MostAddresses; i++) tries.Wrong(new IPAddress([0x20, 1, 0xD, 0xB8, (byte)(i >> 16), (byte)(i >> 8), (byte)i, 0, 1, 2, 3, 4, 5, 6, 7, 8]));
        Assert.InRange(tries.Count, TokenTries.MostAddresses, TokenTries.MostAddresses + 1);
        Assert.NotEqual(0, tries.Wait(IPAddress.Parse("2001:db8:ffff:ffff::1"))); // those that come late share one count
        for (var i = 0; i < TokenTries.AtOnce; i++) tries.Wrong(new IPAddress([0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)i])); // of one network
        Assert.NotEqual(0, tries.Wait(IPAddress.Parse("2001:db8::77")));
    }

    private static async Task<HttpResponseMessage> SubmitAsync(WebRig rig, string token, string? origin = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/login") { Content = new FormUrlEncodedContent([new("token", token)]) };
        request.Headers.Add("Origin", origin ?? rig.Server.Address);
        return await rig.Http.SendAsync(request);
    }

    private static async Task<HttpStatusCode> GetAsync(WebRig rig, string path, (string Name, string Value) header)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        using var reply = await rig.Http.SendAsync(request);
        return reply.StatusCode;
    }

    private static (string Name, string Value) CookieOf(HttpResponseMessage reply) => ("Cookie", reply.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);

    private static async Task PictureAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("SSP_PICTURES") is { Length: > 0 } folder) await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name) });
    }
}
