// Text of others in a line of ours.
namespace SspHost.Diagnostics.Tracing;

internal static class PlainText
{
    /// <summary>The text on one line.</summary>
    public static string OneLine(string text) => text.ReplaceLineEndings(" ").Trim();
}
