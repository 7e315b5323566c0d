// Takes out of a text what nobody needs in order to help: whose home it was, and anything that opens a door.
using System.Text;
using System.Text.RegularExpressions;

namespace SspHost.Diagnostics;

/// <summary>Text by text. <paramref name="home"/>: the home directory of the user; "/", "/root" and an empty one say nothing about anybody.</summary>
internal sealed partial class Redactor(string home)
{
    private readonly string _home = home.TrimEnd('/') is { Length: > 1 } h and not "/root" ? h : "";

    /// <summary>Of this user.</summary>
    public static Redactor OfThisUser() => new(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify));

    /// <summary>The text as it may be handed on; JSON stays JSON.</summary>
    public string Redact(string text)
    {
        if (_home.Length > 0)
        {
            text = Replace(text, _home);
            var escaped = System.Text.Json.JsonEncodedText.Encode(_home).ToString();
            if (escaped != _home) text = Replace(text, escaped);
        }

        text = OtherHomes().Replace(text, "${k}USER");
        text = Quoted().Replace(text, "${k}[redacted]\"");
        text = Bare().Replace(text, m => m.Groups["k"].Value is var key && key.TrimEnd().TrimEnd(':', '=').TrimEnd().EndsWith('"') ? key + "\"[redacted]\"" : key + "[redacted]");
        return Credentials().Replace(text, "${k}[redacted]@");
    }

    /// <inheritdoc cref="Redact(string)"/>
    public byte[] Redact(byte[] utf8) => Encoding.UTF8.GetBytes(Redact(Encoding.UTF8.GetString(utf8)));

    // Only where the path ends there: /home/ann is not the beginning of /home/anna.
    private static string Replace(string text, string home)
    {
        var at = text.IndexOf(home, StringComparison.Ordinal);
        if (at < 0) return text;
        var result = new StringBuilder(text.Length);
        var from = 0;
        for (; at >= 0; at = text.IndexOf(home, at + 1, StringComparison.Ordinal))
        {
            if (at < from) continue;
            var end = at + home.Length;
            if (end < text.Length && (char.IsLetterOrDigit(text[end]) || text[end] is '_' or '-' or '.')) continue;
            result.Append(text, from, at - from).Append('~');
            from = end;
        }

        return result.Append(text, from, text.Length - from).ToString();
    }

    [GeneratedRegex("""(?<k>(?:/home|/Users|/var/home)/)[^/\s"':,;\\]+""", RegexOptions.None, 10_000)]
    private static partial Regex OtherHomes();

    private const string Words = """[A-Za-z0-9_.\-]*(?:token|password|passwd|passphrase|secret|api[_\-]?key|authorization|credential)[A-Za-z0-9_.\-]*""";

    // "token": "..." and token="..."
    [GeneratedRegex("(?<k>\"?" + Words + "\"?\\s*[:=]\\s*\")(?:\\\\.|[^\"\\\\\\n])*\"", RegexOptions.IgnoreCase, 10_000)]
    private static partial Regex Quoted();

    // token=..., and "token": 1234
    [GeneratedRegex("(?<k>\"?" + Words + "\"?\\s*[:=]\\s*)(?!\")[^\\s\"',;}\\]\\[{]+", RegexOptions.IgnoreCase, 10_000)]
    private static partial Regex Bare();

    // scheme://user:password@
    [GeneratedRegex("""(?<k>[A-Za-z][A-Za-z0-9+.\-]*://)[^/\s"'@]+@""", RegexOptions.None, 10_000)]
    private static partial Regex Credentials();
}
