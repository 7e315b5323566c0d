// Who is let in: the right host, the right origin, the right token; asked of every request before anything else.
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using SspHost.Abi;

namespace SspHost.Remote.Web;

/// <summary>What came of a token.</summary>
internal enum Admission
{
    /// <summary>It is let in.</summary>
    Granted,

    /// <summary>Let in by the token in the address of the first page, which is to be kept as a cookie.</summary>
    Introduced,

    /// <summary>There was none.</summary>
    NoToken,

    /// <summary>It is another.</summary>
    WrongToken,

    /// <summary>Wrong too often: it was not even looked at.</summary>
    TooMany,
}

/// <summary>
/// A page of somebody else's may make a browser send requests here, even under a name of its own that points to this machine (DNS rebinding). So the
/// host has to be one this machine is known by, and whoever names an origin has to come from this page. The cookie is made from the token and cannot be
/// guessed: it is looked at first and never counted, so that nobody's wrong tokens lock out a browser that was let in before.
/// </summary>
internal sealed class WebGate(WebOptions options)
{
    public const string Cookie = "ssp-token";

    private readonly bool _local = IPAddress.IsLoopback(options.Address);
    private readonly string _cookie = CookieOf(options.Token);
    private readonly TokenTries _tries = new(Linux.Now);

    /// <summary>Whether a token is asked for at all.</summary>
    public bool Asks => options.Token.Length > 0;

    /// <summary>Why a request is refused whoever sends it, with its status; null: it is not.</summary>
    public (int Status, string Code, string Message)? Refusal(HttpRequest request, int port)
    {
        if (!Knows(request.Headers.Host, port)) return (StatusCodes.Status421MisdirectedRequest, "host", "this host is not known by that name");
        var origins = request.Headers.Origin;
        if (origins.Count > 0 && (origins.Count > 1 || !string.Equals(origins[0], "http://" + request.Headers.Host, StringComparison.OrdinalIgnoreCase)))
            return (StatusCodes.Status403Forbidden, "origin", "requests of other pages are not served");
        return null;
    }

    /// <summary>Whether a request is let in by its cookie, by its header, or by the address of the first page.</summary>
    public Admission Admit(HttpRequest request)
    {
        if (!Asks || (request.Cookies[Cookie] is { } cookie && WebOptions.Same(cookie, _cookie))) return Admission.Granted;
        if (request.Headers.Authorization is [{ } a] && a.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) return Try(request, a[7..].Trim());
        if (!HttpMethods.IsGet(request.Method) || request.Path != "/" || request.Query["token"] is not [{ } token]) return Admission.NoToken;
        return Try(request, token) is var admission and not Admission.Granted ? admission : Admission.Introduced;
    }

    /// <summary>Whether a token is the right one; wrong ones count against the address that they come from.</summary>
    public Admission Try(HttpRequest request, string token)
    {
        var from = request.HttpContext.Connection.RemoteIpAddress;
        lock (_tries)
        {
            if (_tries.Wait(from) > 0) return Admission.TooMany;
            if (options.Admits(token)) return Admission.Granted;
            _tries.Wrong(from);
            return Admission.WrongToken;
        }
    }

    /// <summary>Seconds until an address may try again.</summary>
    public int Wait(HttpRequest request)
    {
        lock (_tries) return _tries.Wait(request.HttpContext.Connection.RemoteIpAddress);
    }

    /// <summary>Lets a browser in from now on.</summary>
    public void Keep(HttpResponse response) => response.Cookies.Append(
        Cookie, _cookie, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/", MaxAge = TimeSpan.FromDays(365), IsEssential = true });

    /// <summary>The cookie that goes with a token: another token is another cookie.</summary>
    internal static string CookieOf(string token) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(token), "a browser of SspHost"u8));

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
