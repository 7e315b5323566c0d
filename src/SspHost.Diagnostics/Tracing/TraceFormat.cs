// The formats a trace can be written in, each for the tool that reads it.
namespace SspHost.Diagnostics.Tracing;

/// <summary>Formats by name.</summary>
public static class TraceFormat
{
    /// <summary>chrome: about://tracing, Perfetto, Tracy's importer. firefox: profiler.firefox.com. perfetto: ui.perfetto.dev. raw: .ssptrace.</summary>
    public static IReadOnlyList<string> Names { get; } = ["chrome", "firefox", "perfetto", "raw"];

    /// <summary>Writes a trace in a format other than raw.</summary>
    public static void Write(string format, TraceView view, Stream output)
    {
        switch (format)
        {
            case "chrome":
                ChromeTrace.Write(view, output);
                break;
            case "firefox":
                FirefoxProfile.Write(view, output);
                break;
            case "perfetto":
                PerfettoTrace.Write(view, output);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(format), format, $"expected one of {string.Join(", ", Names.Where(n => n != "raw"))}");
        }
    }
}
