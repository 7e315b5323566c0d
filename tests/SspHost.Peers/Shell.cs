// A command as a person types it in the root folder.
namespace SspHost.Peers;

internal static class Shell
{
    /// <summary>Paths of the checkout without its place; quoted where the shell needs it.</summary>
    public static string Line(Places places, IEnumerable<string> command) => string.Join(' ', command.Select(w => Quote(places.Relative(w))));

    private static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':' or '=' or '+' or ',') ? word : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
