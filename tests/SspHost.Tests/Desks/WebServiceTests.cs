// The web panel moves to another address, as a trial of the settings wants it, and stays where it was where that fails.
using System.Net;
using System.Net.Sockets;
using SspHost.Playing;
using SspHost.Remote.Web;

namespace SspHost.Tests.Desks;

[Collection(ControlCollection.Name)]
public sealed class WebServiceTests(SchemaValidator validator) : IDisposable
{
    private const string Token = "twelve-or-more";

    private readonly ControlHost _host = new(validator);
    private readonly HttpClient _http = new();

    public void Dispose()
    {
        _http.Dispose();
        _host.Dispose();
    }

    [Fact]
    public async Task Served_elsewhere_it_is_gone_from_where_it_was_and_asks_for_the_token()
    {
        using var web = new WebService(WebOptions.Parse("127.0.0.1:0")!, _host.Server, new PanelViewers());
        var before = web.Address;
        Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync(new Uri(before))).StatusCode);
        Assert.Null(web.Serve(WebOptions.Parse("0.0.0.0:0", Token)!));
        await Assert.ThrowsAsync<HttpRequestException>(() => _http.GetAsync(new Uri(before)));
        var port = new Uri(web.Address).Port;
        Assert.Equal(HttpStatusCode.Unauthorized, (await _http.GetAsync(new Uri($"http://127.0.0.1:{port}/api/patch"))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _http.SendAsync(new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/api/patch") { Headers = { { "Authorization", "Bearer " + Token } } })).StatusCode);
    }

    [Fact]
    public async Task Where_the_address_cannot_be_had_it_is_served_as_before()
    {
        using var web = new WebService(WebOptions.Parse("127.0.0.1:0")!, _host.Server, new PanelViewers());
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var before = web.Address;
        Assert.Contains("cannot be served", web.Serve(WebOptions.Parse(taken.LocalEndpoint.ToString()!)!), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync(new Uri(web.Address))).StatusCode);
        Assert.Equal(before, web.Address);
        Assert.Contains("needs a token", web.Serve(WebOptions.Parse("0.0.0.0:0")!), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync(new Uri(web.Address))).StatusCode);
        web.Dispose();
        Assert.NotNull(web.Serve(WebOptions.Parse("127.0.0.1:0")!));
    }
}
