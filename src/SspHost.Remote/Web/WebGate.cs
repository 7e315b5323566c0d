// Who is let in: the right host, the right origin, the right token; asked of every request before anything else.
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace SspHost.Remote.Web;

/// <summary>
/// A page of somebody else's may make a browser send requests here, even under a name of its own that points to this machine (DNS rebinding). So the
/// host has to be one this machine is known by, and whoever names an origin has to come from this page.
/// </summary>
internal sealed class WebGate(WebOptions options)
{
    public const string Cookie = "ssp-token";

    private readonly bool _local = IPAddress.IsLoopback(options.Address);

    /// <summary>Why a request is refused, with its status; null: it is let in.</summary>
    public (int Status, string Code, string Message)? Refusal(HttpRequest request, int port)
    {
        if (!Knows(request.Headers.Host, port)) return (StatusCodes.Status421MisdirectedRequest, "host", "this host is not known by that name");
        var origins = request.Headers.Origin;
        if (origins.Count > 0 && (origins.Count > 1 || !string.Equals(origins[0], "http://" + request.Headers.Host, StringComparison.OrdinalIgnoreCase)))
            return (StatusCodes.Status403Forbidden, "origin", "requests of other pages are not served");
        return options.Token.Length == 0 || HasToken(request) ? null : (StatusCodes.Status401Unauthorized, "token", "a token is needed: open /?token=TOKEN once, or send it as 'Authorization: Bearer TOKEN'");
    }

    /// <summary>Whether the first page is asked for with the right token in its address: the browser then keeps it as a cookie.</summary>
    public bool Introduces(HttpRequest request) =>
        options.Token.Length > 0 && HttpMethods.IsGet(request.Method) && request.Path == "/" && request.Query["token"] is [{ } token] && options.Admits(token);

    public void Keep(HttpResponse response) => response.Cookies.Append(
        Cookie, options.Token, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/", MaxAge = TimeSpan.FromDays(365), IsEssential = true });

    private bool HasToken(HttpRequest request)
    {
        if (request.Headers.Authorization is [{ } a] && a.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) return options.Admits(a[7..].Trim());
        return (request.Cookies[Cookie] is { } cookie && options.Admits(cookie)) || Introduces(request);
    }

    private bool Knows(StringValues header, int port)
    {
        if (header is not [{ Length: > 0 and <= 256 } text]) return false;
        var host = HostString.FromUriComponent(text);
        if ((host.Port ?? 80) != port) return false;
        var name = host.Host.Trim('[', ']');
        if (IPAddress.TryParse(name, out var address)) return !_local || IPAddress.IsLoopback(address); // a number is nobody's name
        if (string.Equals(name, "localhost", StringComparison.OrdinalIgnoreCase)) return true;
        return !_local && (Is(name, Environment.MachineName) || Is(name, Environment.MachineName + ".local"));
    }

    private static bool Is(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}
