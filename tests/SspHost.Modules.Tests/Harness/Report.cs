// The figures behind the tests: written where the environment asks for it, so that quality can be read and not only passed.
namespace SspHost.Modules.Tests;

/// <summary>Appends measured figures to the file named by SSP_QUALITY, if any.</summary>
public static class Report
{
    private static readonly Lock Gate = new();
    private static readonly string? Path = Environment.GetEnvironmentVariable("SSP_QUALITY");

    public static void Line(string text)
    {
        if (Path == null) return;
        lock (Gate) File.AppendAllText(Path, text + "\n");
    }
}
