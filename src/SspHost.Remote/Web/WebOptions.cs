// Where the web panel is served, and who may see it.
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace SspHost.Remote.Web;

/// <summary>An address and a port; beyond this machine only with a token.</summary>
public sealed record WebOptions
{
    public const int UsualPort = 8440;

    /// <summary>What is used where nothing is said.</summary>
    public const string Usual = "127.0.0.1:8440";

    /// <summary>Shortest token: 12 characters are more than can be tried.</summary>
    public const int ShortestToken = 12;

    private const int LongestToken = 128;

    public required IPAddress Address { get; init; }

    /// <summary>0: any that is free.</summary>
    public required int Port { get; init; }

    /// <summary>Empty: none is asked for.</summary>
    public string Token { get; init; } = "";

    /// <summary>What an address has to look like, for messages.</summary>
    public static string Expected => $"an IP address with or without a port (127.0.0.1:{UsualPort}, 0.0.0.0, [::]:80) or off";

    /// <summary>Reads "ADDRESS", "ADDRESS:PORT" or "[ADDRESS]:PORT"; null where it is none.</summary>
    public static WebOptions? Parse(string text, string token = "")
    {
        if (!IPEndPoint.TryParse(text, out var end) || text.Contains('%', StringComparison.Ordinal)) return null;
        // "1" and "0x7f.1" are addresses to some; nobody means them.
        if (end.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork && text.Split(':')[0].Split('.').Length != 4) return null;
        var port = end.Port != 0 || text.EndsWith(":0", StringComparison.Ordinal) && HasPort(text) ? end.Port : UsualPort;
        return new WebOptions { Address = end.Address, Port = port, Token = token };
    }

    /// <summary>What is wrong with a token, or null; the empty one is none.</summary>
    public static string? CheckToken(string token) =>
        token.Length == 0 || (token.Length is >= ShortestToken and <= LongestToken && token.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '~'))
            ? null
            : $"{ShortestToken} to {LongestToken} letters, digits or - _ . ~";

    /// <summary>Why it cannot be served so, or null.</summary>
    public string? Refusal => IPAddress.IsLoopback(Address) || Token.Length > 0
        ? null
        : $"{Address} can be reached from other machines: the web panel needs a token there (--web-token, or \"token\" of \"web\" in ssp.json; {ShortestToken} characters or more)";

    /// <summary>Whether a token is the right one, in a time that does not tell how much of it was.</summary>
    internal bool Admits(string token) => Same(token, Token);

    /// <summary>Whether two secrets are the same; of their digests, so that the length is not told either.</summary>
    internal static bool Same(string a, string b) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(a)), SHA256.HashData(Encoding.UTF8.GetBytes(b)));

    private static bool HasPort(string text) => text.StartsWith('[') ? text.Contains("]:", StringComparison.Ordinal) : text.Count(c => c == ':') == 1;
}
