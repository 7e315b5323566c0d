// What a rule says when it is broken: one exception with one sentence, by few words of its own, so that the suite runs without a test framework.
using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace SspHost.Conformance;

/// <summary>A rule that a module breaks.</summary>
public sealed class ConformanceException(string message) : Exception(message);

/// <summary>Each function throws <see cref="ConformanceException"/> where what it says is not so.</summary>
internal static class Expect
{
    [DoesNotReturn]
    public static void Fail(string why) => throw new ConformanceException(why);

    public static void True(bool condition, string why = "expected something else")
    {
        if (!condition) Fail(why);
    }

    public static void False(bool condition, string why = "expected something else") => True(!condition, why);

    public static void Equal<T>(T expected, T actual)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual)) Fail($"expected {expected}, not {actual}");
    }

    public static void Equal<T>(IEnumerable<T> expected, IEnumerable<T> actual)
    {
        if (!expected.SequenceEqual(actual)) Fail($"expected [{string.Join(", ", expected.Take(8))}], not [{string.Join(", ", actual.Take(8))}]");
    }

    public static void Equal<T>(T[] expected, T[] actual) => Equal<T>((IEnumerable<T>)expected, actual);

    public static void NotEqual<T>(T unwanted, T actual)
    {
        if (EqualityComparer<T>.Default.Equals(unwanted, actual)) Fail($"expected anything but {actual}");
    }

    public static void InRange<T>(T actual, T low, T high) where T : IComparable<T>
    {
        if (!(actual.CompareTo(low) >= 0 && actual.CompareTo(high) <= 0)) Fail($"expected {low} to {high}, not {actual}");
    }

    public static void Matches(string pattern, string text)
    {
        if (!Regex.IsMatch(text, pattern, RegexOptions.None, TimeSpan.FromSeconds(1))) Fail($"'{text}' does not match {pattern}");
    }

    public static void Contains(string part, string text, StringComparison comparison)
    {
        if (!text.Contains(part, comparison)) Fail($"there is no '{part}' in '{text}'");
    }

    public static void DoesNotContain(char part, string text)
    {
        if (text.Contains(part)) Fail($"'{text}' has a character that it must not have ({(int)part})");
    }

    public static void All<T>(IEnumerable<T> items, Action<T> rule)
    {
        foreach (var item in items) rule(item);
    }
}
