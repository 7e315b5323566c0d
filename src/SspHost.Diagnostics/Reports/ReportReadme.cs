// README.txt of a report: what lies where, for the person who opens it, and what is missing.
using System.Globalization;
using System.Text;

namespace SspHost.Diagnostics;

internal static class ReportReadme
{
    public static string Text(ManifestReport m)
    {
        var text = new StringBuilder();
        text.AppendLine("A report of SspHost, a DSP host for Eurorack.");
        text.Append("Made at ").Append(m.Time).Append(" by ssp ").Append(m.Program).AppendLine(". Times are UTC; 'monotonic' counts ns since the machine was started.");
        text.AppendLine();
        text.AppendLine("Where to look first:");
        text.AppendLine("  doctor.txt       what on this system causes dropouts, and the line that mends it");
        text.AppendLine("  glitches/        one file for each of the last dropouts: what was going on, and the minute before");
        text.AppendLine("  incidents.json   what happened to the sound; status.json and costs.json say what it is like now");
        text.AppendLine("  metrics.json     every thread of the last minute: computing, waiting for its core, faults");
        text.AppendLine();
        text.AppendLine("Home directories are shown as ~ or USER, passwords and tokens as [redacted]. The patch is in it: read patch.json before you hand the report on.");
        text.AppendLine();
        text.AppendLine("Files:");
        foreach (var p in m.Parts) text.AppendLine(string.Create(CultureInfo.InvariantCulture, $"  {p.File,-28} {p.Bytes,9} bytes  {p.What}"));
        text.AppendLine();
        if (m.Missing.Count == 0)
        {
            text.AppendLine("Nothing is missing.");
            return text.ToString();
        }

        text.AppendLine("Missing:");
        foreach (var (what, why) in m.Missing) text.Append("  ").Append(what.PadRight(28)).Append(' ').AppendLine(why);
        return text.ToString();
    }
}
