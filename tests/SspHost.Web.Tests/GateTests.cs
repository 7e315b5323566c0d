// Who is let in: names this host has, pages of its own, and beyond this machine whoever has the token.
using System.Net;
using System.Net.WebSockets;
using SspHost.Remote.Web;
using SspHost.Web.Tests.Kit;

namespace SspHost.Web.Tests;

public class GateTests
{
    [Theory]
    [InlineData("evil.example", 421)]
    [InlineData("evil.example:{port}", 421)]
    [InlineData("127.0.0.1", 421)]
    [InlineData("127.0.0.1:1", 421)]
    [InlineData("192.168.1.2:{port}", 421)]
    [InlineData("localhost.evil.example:{port}", 421)]
    [InlineData("127.0.0.1:{port}", 200)]
    [InlineData("LOCALHOST:{port}", 200)]
    [InlineData("[::1]:{port}", 200)]
    public async Task A_request_under_another_name_is_refused(string host, int status)
    {
        using var rig = new WebRig();
        foreach (var path in new[] { "/", "/api/patch", "/panel.js" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Host = host.Replace("{port}", $"{new Uri(rig.Server.Address).Port}", StringComparison.Ordinal);
            using var reply = await rig.Http.SendAsync(request);
            Assert.Equal(status, (int)reply.StatusCode);
        }
    }

    [Theory]
    [InlineData("http://evil.example", 403)]
    [InlineData("null", 403)]
    [InlineData("https://127.0.0.1:{port}", 403)]
    [InlineData("http://127.0.0.1:1", 403)]
    [InlineData("http://127.0.0.1:{port}", 200)]
    public async Task A_request_of_another_page_is_refused_and_so_is_its_socket(string origin, int status)
    {
        using var rig = new WebRig();
        origin = origin.Replace("{port}", $"{new Uri(rig.Server.Address).Port}", StringComparison.Ordinal);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/edits") { Content = new StringContent("[]", System.Text.Encoding.UTF8, "application/json") };
        request.Headers.Add("Origin", origin);
        using var reply = await rig.Http.SendAsync(request);
        Assert.Equal(status == 200, (int)reply.StatusCode != 403);
        foreach (var path in new[] { "/panel", "/api/events" })
        {
            using var socket = new ClientWebSocket();
            socket.Options.SetRequestHeader("Origin", origin);
            if (status == 200) await socket.ConnectAsync(rig.Socket(path), CancellationToken.None);
            else Assert.Contains("403", (await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(rig.Socket(path), CancellationToken.None))).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("", 401)]
    [InlineData("wrong", 401)]
    [InlineData("twelve-or-morf", 401)]
    [InlineData(WebRig.Token, 200)]
    public async Task A_token_is_asked_for_everywhere_as_header_or_cookie(string token, int status)
    {
        using var rig = new WebRig(token: WebRig.Token);
        foreach (var path in new[] { "/", "/api/status", "/panel.js" })
        {
            foreach (var header in new[] { ("Authorization", "Bearer " + token), ("Cookie", WebGate.Cookie + "=" + WebGate.CookieOf(token)) })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                request.Headers.TryAddWithoutValidation(header.Item1, header.Item2);
                using var reply = await rig.Http.SendAsync(request);
                Assert.Equal(status, (int)reply.StatusCode);
            }
        }

        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
        if (status == 200) await socket.ConnectAsync(rig.Socket("/panel"), CancellationToken.None);
        else await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(rig.Socket("/panel"), CancellationToken.None));
    }

    [Fact]
    public async Task The_first_page_takes_the_token_from_its_address_into_a_cookie()
    {
        using var rig = new WebRig(token: WebRig.Token);
        using var wrong = await rig.Http.GetAsync("/?token=wrong-wrong-wrong");
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        using var elsewhere = await rig.Http.GetAsync("/api/status?token=" + WebRig.Token);
        Assert.Equal(HttpStatusCode.Unauthorized, elsewhere.StatusCode);
        using var reply = await rig.Http.GetAsync("/?token=" + WebRig.Token);
        Assert.Equal(HttpStatusCode.SeeOther, reply.StatusCode);
        Assert.Equal("/", reply.Headers.Location?.OriginalString);
        var cookie = reply.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Pages_may_run_nothing_but_their_own_files()
    {
        using var rig = new WebRig();
        using var reply = await rig.Http.GetAsync("/");
        var policy = reply.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", reply.Headers.GetValues("X-Content-Type-Options").Single());
        var html = await reply.Content.ReadAsStringAsync();
        Assert.DoesNotContain(" style=", html, StringComparison.Ordinal);
        Assert.DoesNotContain(" onclick=", html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1", 8440)]
    [InlineData("127.0.0.1:80", "127.0.0.1", 80)]
    [InlineData("0.0.0.0:0", "0.0.0.0", 0)]
    [InlineData("::", "::", 8440)]
    [InlineData("[::1]:9000", "::1", 9000)]
    public void An_address_is_read_with_or_without_a_port(string text, string address, int port)
    {
        var options = WebOptions.Parse(text)!;
        Assert.Equal((IPAddress.Parse(address), port), (options.Address, options.Port));
    }

    [Theory]
    [InlineData("")]
    [InlineData("8440")]
    [InlineData("example.org")]
    [InlineData("127.0.0.1:70000")]
    [InlineData("127.0.0.1:x")]
    [InlineData("1.2.3")]
    public void What_is_no_address_is_none(string text) => Assert.Null(WebOptions.Parse(text));

    [Fact]
    public void Beyond_this_machine_there_is_no_panel_without_a_token()
    {
        Assert.Contains("token", WebOptions.Parse("0.0.0.0")!.Refusal, StringComparison.Ordinal);
        Assert.Null(WebOptions.Parse("0.0.0.0", WebRig.Token)!.Refusal);
        Assert.Null(WebOptions.Parse("127.0.0.1")!.Refusal);
        Assert.NotNull(WebOptions.CheckToken("short"));
        Assert.NotNull(WebOptions.CheckToken("with blanks in it"));
    }
}
