// Serves the web panel: the page, the panel's pixels and controls, the API.
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using BadHttpRequestException = Microsoft.AspNetCore.Http.BadHttpRequestException;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace SspHost.Remote.Web;

/// <summary>Serves until disposed. Whoever asks wrongly, slowly or too much harms itself only.</summary>
public sealed class WebServer : IDisposable
{
    private const int MostConnections = 64;
    private const int MostSockets = PanelViewers.Most + Protocol.MaxClients;
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self' ";

    // A phone that fell asleep is gone; one at the end of 10 kB a second is still busy with its first picture.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly WebApplication _app;
    private readonly WebGate _gate;
    private readonly WebLogin _login;
    private readonly WebApi _api;
    private readonly ControlServer _control;
    private readonly PanelViewers _viewers;
    private readonly CancellationTokenSource _ended = new();

    private WebServer(WebOptions options, ControlServer control, PanelViewers viewers, WebApplication app)
    {
        (_gate, _api, _control, _viewers, _app) = (new WebGate(options), new WebApi(control), control, viewers, app);
        _login = new WebLogin(_gate);
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = Silence / 3, KeepAliveTimeout = Silence });
        app.Run(ServeAsync);
    }

    /// <summary>Where it is served: "http://127.0.0.1:8440".</summary>
    public string Address { get; private set; } = "";

    /// <summary>
    /// Serves. Throws <see cref="IOException"/> where the address cannot be had, or is one beyond this machine without a token.
    /// </summary>
    public static WebServer Start(WebOptions options, ControlServer control, PanelViewers viewers)
    {
        if (options.Refusal is { } why) throw new IOException(why);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>(); // signals are the command's
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(options.Address, options.Port, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Limits.MaxConcurrentUpgradedConnections = MostSockets;
            kestrel.Limits.MaxRequestBodySize = WebApi.MostBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 << 10;
            kestrel.Limits.MaxRequestLineSize = 4 << 10;
            kestrel.Limits.MaxRequestHeaderCount = 64;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
        });
        var server = new WebServer(options, control, viewers, builder.Build());
        try
        {
            server._app.StartAsync().GetAwaiter().GetResult();
            server.Address = server._app.Urls.First();
            return server;
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or AddressInUseException)
        {
            server.Dispose();
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"{new IPEndPoint(options.Address, options.Port)}: the web panel cannot be served there: {(e.InnerException is AddressInUseException ? "another program has that port" : e.Message)}"), e);
        }
    }

    public void Dispose()
    {
        if (_ended.IsCancellationRequested) return;
        _ended.Cancel(); // sockets of viewers would keep it for ever
        using (var patience = new CancellationTokenSource(Patience))
        {
            try
            {
                _app.StopAsync(patience.Token).GetAwaiter().GetResult();
            }
            catch (OperationCanceledException)
            {
                // Who is still there is cut off.
            }
        }

        ((IDisposable)_app).Dispose();
        _ended.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var refused = _gate.Refusal(request, context.Connection.LocalPort);
        Secure(response.Headers, refused == null ? "ws://" + request.Headers.Host : ""); // older browsers do not count sockets as 'self'
        try
        {
            if (refused is { } refusal) await ReplyAsync(response, refusal.Status, WebApi.Error(refusal.Code, refusal.Message));
            else if (await _login.AnswerAsync(context) is { } answer) await SendAsync(response, answer.Status, answer.Type, answer.Bytes);
            else await AnswerAsync(context);
        }
        catch (BadHttpRequestException e)
        {
            if (!response.HasStarted) await ReplyAsync(response, e.StatusCode, WebApi.Error(e.StatusCode == StatusCodes.Status413PayloadTooLarge ? "too-large" : "bad-message", e.Message));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ConnectionAbortedException)
        {
            context.Abort(); // it is gone, or we are
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var path = request.Path.Value ?? "/";
        if (path is "/panel" or "/api/events")
        {
            await UpgradeAsync(context, path);
        }
        else if (WebFiles.Find(path) is { } file)
        {
            if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) await SendAsync(response, StatusCodes.Status200OK, file.Type, file.Bytes);
            else await ReplyAsync(response, StatusCodes.Status405MethodNotAllowed, WebApi.Error("method", "a file can be got only"));
        }
        else
        {
            var (status, reply) = await _api.AnswerAsync(request, context.RequestAborted);
            await ReplyAsync(response, status, reply);
        }
    }

    private async Task UpgradeAsync(HttpContext context, string path)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.Headers.Upgrade = "websocket";
            await ReplyAsync(context.Response, StatusCodes.Status426UpgradeRequired, WebApi.Error("websocket", $"{path} is a WebSocket"));
            return;
        }

        if (path == "/panel")
        {
            if (!_viewers.HasPlace)
            {
                await ReplyAsync(context.Response, StatusCodes.Status503ServiceUnavailable, WebApi.Error("too-many-viewers", $"{PanelViewers.Most} viewers look on, which is the limit"));
                return;
            }

            using var panel = await context.WebSockets.AcceptWebSocketAsync();
            await _viewers.ServeAsync(panel, _ended.Token);
            return;
        }

        if (_control.Clients >= Protocol.MaxClients)
        {
            await ReplyAsync(context.Response, StatusCodes.Status503ServiceUnavailable, ControlReplies.TooManyClients);
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        if (_control.Join(new WebSocketWire(socket, _ended.Token)) is not { } client) return; // somebody else was quicker
        client.Name = "web";
        await _control.ServeAsync(client);
    }

    private static void Secure(IHeaderDictionary headers, string host)
    {
        headers.ContentSecurityPolicy = Policy + host;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }

    private static Task ReplyAsync(HttpResponse response, int status, byte[] json) => SendAsync(response, status, "application/json", json);

    private static async Task SendAsync(HttpResponse response, int status, string type, byte[] bytes)
    {
        response.StatusCode = status;
        response.ContentType = type;
        response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(response.HttpContext.Request.Method)) await response.Body.WriteAsync(bytes, response.HttpContext.RequestAborted);
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
