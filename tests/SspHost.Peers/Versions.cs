// Versions of Debian's packages, as dpkg says them.
using SspHost.Peers.Timing;

namespace SspHost.Peers;

internal static class Versions
{
    /// <summary>The installed version of each, glibc's too; what is not installed, or where there is no dpkg, is left out.</summary>
    public static IReadOnlyDictionary<string, string> Of(IEnumerable<string> packages)
    {
        try
        {
            // One that is not installed makes dpkg-query's exit code 1; its list is whole all the same.
            var names = string.Join(' ', packages.Append("libc6").Where(p => p.Length > 0).Distinct());
            return Parse(Tool.Run(TimeSpan.FromSeconds(20), ["sh", "-c", $"dpkg-query -W -f='${{Package}} ${{Version}} ${{db:Status-Status}}\\n' {names} || true"]).Out);
        }
        catch (PeerException)
        {
            return new Dictionary<string, string>();
        }
    }

    /// <summary>Lines of name, version and status; of other lines nothing is made.</summary>
    public static IReadOnlyDictionary<string, string> Parse(string text)
    {
        var versions = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n'))
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is [var name, var version, "installed"]) versions[name] = version;
        return versions;
    }
}
