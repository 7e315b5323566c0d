// The table of quality: a claim is asserted and, where the environment asks for it, written down with what was measured.
using System.Globalization;

namespace SspHost.Modules.Tests;

/// <summary>
/// One row a claim: family, module, claim, measured, limit, unit, appended as tab-separated text to the file named by SSP_QUALITY. Tests
/// that call this carry <c>[Trait("Category", "Quality")]</c>; <c>make quality</c> runs them and prints the table.
/// </summary>
public static class Quality
{
    private static readonly Lock Gate = new();
    private static readonly string? Path = Environment.GetEnvironmentVariable("SSP_QUALITY");

    /// <summary>Asserts that <paramref name="measured"/> is at most <paramref name="limit"/>, both in <paramref name="unit"/>.</summary>
    public static void AtMost(string module, string claim, double measured, double limit, string unit)
    {
        Row(module, claim, measured, "<=", limit, unit);
        Assert.True(
            measured <= limit, string.Create(CultureInfo.InvariantCulture, $"{module}, {claim}: {measured:g5} {unit}, allowed {limit:g5}"));
    }

    /// <summary>Asserts that <paramref name="measured"/> is at least <paramref name="limit"/>.</summary>
    public static void AtLeast(string module, string claim, double measured, double limit, string unit)
    {
        Row(module, claim, measured, ">=", limit, unit);
        Assert.True(
            measured >= limit, string.Create(CultureInfo.InvariantCulture, $"{module}, {claim}: {measured:g5} {unit}, wanted {limit:g5}"));
    }

    private static void Row(string module, string claim, double measured, string relation, double limit, string unit)
    {
        if (Path == null) return;
        var family = Registered.Descriptor(module).Family;
        var line = string.Create(
            CultureInfo.InvariantCulture, $"{family}\t{module}\t{claim}\t{measured:0.###}\t{relation} {limit:0.###}\t{unit}\n");
        lock (Gate) File.AppendAllText(Path, line);
    }
}
