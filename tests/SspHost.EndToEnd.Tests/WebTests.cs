// The panel in browsers, of the executables as they are: served, asked for a token beyond this machine, and no reason not to play.
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.RegularExpressions;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed partial class WebTests
{
    [Fact]
    public void A_port_that_is_taken_is_said_in_one_line_and_the_music_plays()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var address = taken.LocalEndpoint.ToString();
        using var files = new Runtime();
        var config = files.File("ssp.json");
        File.WriteAllText(config, $$"""{ "web": { "address": "{{address}}" } }""");
        using var host = new PlayingHost(Executables.Patch("acid-line"), "--config", config);
        Eventually.True(() => host.Text.Contains("no panel", StringComparison.Ordinal), "it is said\n" + host.Text);
        var line = Assert.Single(host.Text.Split('\n'), l => l.Contains("no panel", StringComparison.Ordinal));
        Assert.Contains(address + ": the web panel cannot be served there: another program has that port", line, StringComparison.Ordinal);
        var quanta = host.Audio.Quanta;
        Eventually.True(() => host.Audio.Quanta > quanta + 100, "it plays on");
        host.End();
    }

    [Fact]
    public async Task A_browser_gets_the_page_and_pixels_and_what_it_edits_plays()
    {
        using var host = new PlayingHost(Executables.Patch("acid-line"), "--web", "127.0.0.1:0");
        using var http = new HttpClient { BaseAddress = new Uri(AddressOf(host)) };
        Assert.Contains("panel.js", await http.GetStringAsync("/"), StringComparison.Ordinal);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri("ws" + http.BaseAddress.ToString()[4..] + "panel"), patience.Token);
        var buffer = new byte[4 << 20];
        var hello = await socket.ReceiveAsync(buffer.AsMemory(), patience.Token);
        Assert.Equal((9, 0), (hello.Count, buffer[0]));
        await socket.ReceiveAsync(buffer.AsMemory(), patience.Token);
        Assert.Equal(1, buffer[0]); // a frame, so the panel draws in the native program, too

        var serial = host.Audio.PlanSerial;
        using var reply = await http.PostAsync("/api/edits", new StringContent("""{"op":"add","add":{"id":"from-a-browser","type":"vco"}}""", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        Eventually.True(() => host.Audio.PlanSerial > serial, "the edit plays");
        Assert.Contains("from-a-browser", await http.GetStringAsync("/api/patch"), StringComparison.Ordinal);
        host.End();
    }

    [Fact]
    public async Task On_the_network_whoever_has_no_token_is_asked_for_it()
    {
        const string Token = "a-token-of-a-test";
        using var host = new PlayingHost(Executables.Patch("acid-line"), "--web", "0.0.0.0:0", "--web-token", Token);
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(AddressOf(host).Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)) };
        using var door = await http.GetAsync("/");
        Assert.Equal(HttpStatusCode.Unauthorized, door.StatusCode);
        Assert.Contains("<form method=\"post\" action=\"/login\">", await door.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var status = await http.GetAsync("/api/status");
        Assert.Equal(HttpStatusCode.Unauthorized, status.StatusCode);
        using var login = await http.PostAsync("/login", new FormUrlEncodedContent([new("token", Token)]));
        Assert.Equal(HttpStatusCode.SeeOther, login.StatusCode);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        Assert.Contains("\"ok\":true", await http.GetStringAsync("/api/status"), StringComparison.Ordinal);
        Assert.DoesNotContain(Token, host.Text, StringComparison.Ordinal); // a terminal is read by others
        host.End();
    }

    [Fact]
    public async Task Beyond_this_machine_it_is_refused_without_a_token_before_anything_starts()
    {
        using var runtime = new Runtime();
        var refused = await Executables.Run(Executables.Ssp, runtime.Directory, "run", Executables.Patch("acid-line"), "--device", "sim", "--web", "0.0.0.0");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("needs a token", Assert.Single(refused.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private static string AddressOf(PlayingHost host)
    {
        Eventually.True(() => Address().IsMatch(host.Text), "it says where the panel is\n" + host.Text);
        return Address().Match(host.Text).Value;
    }

    [GeneratedRegex(@"(?<=panel: )http://[\d.]+:\d+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Address();
}
