// What callgrind writes down: instructions by function, and their sum.
using System.Globalization;

namespace SspHost.Gate.Tests;

/// <summary>
/// A file of callgrind's (format version 1, one event), read as valgrind's manual describes it ("Callgrind Format Specification"): names are
/// written once and then called by their number, positions may be relative, and the line behind <c>calls=</c> is the callee's cost, which its own
/// lines have already.
/// </summary>
internal sealed class CallgrindProfile
{
    private CallgrindProfile(long total, Dictionary<string, long> functions) => (Total, Functions) = (total, functions);

    /// <summary>Instructions that were counted.</summary>
    public long Total { get; }

    /// <summary>Instructions of each function without what it called.</summary>
    public IReadOnlyDictionary<string, long> Functions { get; }

    /// <summary>Reads a file; throws <see cref="FormatException"/> with its name where it is cut off or counts something else.</summary>
    public static CallgrindProfile Read(string path)
    {
        using var reader = new StreamReader(path);
        return Parse(reader, path);
    }

    /// <summary>The same from any text; <paramref name="name"/> is for the error.</summary>
    public static CallgrindProfile Parse(TextReader text, string name)
    {
        var (names, functions) = (new Dictionary<string, string>(), new Dictionary<string, long>());
        long? total = null;
        var (function, called, number) = ("", false, 0);
        while (text.ReadLine() is { } line)
        {
            number++;
            if (line.StartsWith("events: ", StringComparison.Ordinal) && line != "events: Ir") throw Wrong("one event, Ir", line);
            else if (line.StartsWith("fn=", StringComparison.Ordinal)) function = Name(line[3..]);
            else if (line.StartsWith("cfn=", StringComparison.Ordinal)) _ = Name(line[4..]);
            else if (line.StartsWith("calls=", StringComparison.Ordinal)) called = true;
            else if (line.StartsWith("totals: ", StringComparison.Ordinal)) total = Count(line[8..]);
            else if (line.Length > 0 && (char.IsAsciiDigit(line[0]) || line[0] is '+' or '-' or '*'))
            {
                var space = line.IndexOf(' ', StringComparison.Ordinal);
                if (space < 0) throw Wrong("a position and a count", line);
                var count = Count(line[(space + 1)..].TrimEnd());
                if (!called) functions[function] = functions.GetValueOrDefault(function) + count;
                called = false;
            }
        }

        return new CallgrindProfile(total ?? throw new FormatException($"{name}: it ends without its totals: valgrind was cut off"), functions);

        // "(7) name" the first time, "(7)" from then on.
        string Name(string given)
        {
            var end = given.IndexOf(')', StringComparison.Ordinal);
            if (given is not ['(', ..] || end < 0) return given;
            if (end + 2 < given.Length) return names[given[..end]] = given[(end + 2)..];
            return names.TryGetValue(given[..end], out var known) ? known : throw Wrong("a name that was given before", given);
        }

        long Count(string digits) => long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : throw Wrong("a count", digits);

        FormatException Wrong(string expected, string got) => new($"{name}, line {number}: expected {expected}, not '{got}'");
    }
}
