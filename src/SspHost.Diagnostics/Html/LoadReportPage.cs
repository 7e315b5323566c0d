// The load report as one HTML file that needs nothing else: no network, no server, no other file.
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SspHost.Diagnostics.Html;

/// <summary>
/// Writes the page. Style and script stand in it with their hashes in a Content-Security-Policy that allows nothing else, so that no name from a
/// patch can run and nothing is ever fetched. Loads are codes of 16 bits, all upper bytes before all lower ones, deflated, in base64: about 1.5 to 2 bytes a
/// quantum.
/// </summary>
public static class LoadReportPage
{
    // In the order they build on each other; together they are one script.
    private static readonly string[] Scripts =
    [
        "format.js", "codes.js", "pyramid.js", "statistics.js", "axis.js", "canvas.js", "run.js", "model.js", "plot.js", "gestures.js", "overview.js",
        "distributions.js", "gantt.js", "zones.js", "lists.js", "tables.js", "comparison.js", "modules.js", "legend.js", "main.js",
    ];

    /// <summary>Writes the page to a file; one that is there is replaced when the page is complete. Returns its size in bytes.</summary>
    /// <exception cref="ArgumentException">The data make no report; the message says what and where.</exception>
    /// <exception cref="IOException">The file cannot be written; one that was there is as it was.</exception>
    public static long Write(LoadReportData data, string path)
    {
        Check(data);
        return OutputFile.Replace(path, file => Write(data, file));
    }

    /// <summary>Writes the page, UTF-8.</summary>
    /// <exception cref="ArgumentException">The data make no report; the message says what and where.</exception>
    public static void Write(LoadReportData data, Stream output)
    {
        Check(data);
        var style = Resource("page.css");
        var script = string.Concat(Scripts.Select(Resource).Prepend("(() => {\n'use strict';\n").Append("})();\n"));
        var page = Resource("page.html");
        page = page.Replace("{{title}}", TextOf(data.Title), StringComparison.Ordinal)
            .Replace("{{policy}}", $"default-src 'none'; style-src {HashOf(style)}; script-src {HashOf(script)}; img-src data:; base-uri 'none'; form-action 'none'", StringComparison.Ordinal)
            .Replace("{{style}}", style, StringComparison.Ordinal);
        var cut = page.Split("{{data}}");
        Put(output, cut[0]);
        Put(output, "<script type=\"application/json\" id=\"report\">");
        // The default encoder leaves no '<', so that no name ends the element it is in.
        JsonSerializer.Serialize(output, data, LoadReportJson.Default.LoadReportData);
        Put(output, "</script>\n");
        for (var r = 0; r < data.Runs.Count; r++)
        {
            Put(output, $"<script type=\"application/octet-stream\" id=\"loads-{r}\">");
            PutLoads(output, data.Runs[r].Loads.Span);
            Put(output, "</script>\n");
        }

        Put(output, $"<script>{script}</script>");
        Put(output, cut[1]);
    }

    // Upper bytes are alike from one quantum to the next and pack well; mixed with the lower ones, which are noise, they would not.
    private static void PutLoads(Stream output, ReadOnlySpan<ushort> loads)
    {
        using var base64 = new CryptoStream(output, new ToBase64Transform(), CryptoStreamMode.Write, leaveOpen: true);
        using var deflate = new DeflateStream(base64, CompressionLevel.Optimal);
        Span<byte> bytes = stackalloc byte[4096];
        for (var shift = 8; shift >= 0; shift -= 8)
        {
            for (var start = 0; start < loads.Length; start += bytes.Length)
            {
                var piece = loads[start..Math.Min(loads.Length, start + bytes.Length)];
                for (var i = 0; i < piece.Length; i++) bytes[i] = (byte)(piece[i] >> shift);
                deflate.Write(bytes[..piece.Length]);
            }
        }
    }

    private static void Check(LoadReportData data)
    {
        if (data.Runs.Count is not (1 or 2)) throw new ArgumentException($"a load report shows one run or two, not {data.Runs.Count}");
        for (var r = 0; r < data.Runs.Count; r++)
        {
            var run = data.Runs[r];
            var where = $"run {r + 1} of a load report";
            if (run.Rate <= 0) throw new ArgumentException(FormattableString.Invariant($"{where}: a rate of {run.Rate} Hz; expected more than 0"));
            if (run.Quantum <= 0) throw new ArgumentException(FormattableString.Invariant($"{where}: a quantum of {run.Quantum} frames; expected more than 0"));
            if (!(run.BudgetNs > 0) || !double.IsFinite(run.BudgetNs))
                throw new ArgumentException(FormattableString.Invariant($"{where}: a budget of {run.BudgetNs} ns; expected more than 0"));
            // A quantum's number is a JSON number; beyond 2^53 a reader would show another one.
            if (run.FirstQuantum > (1UL << 53)) throw new ArgumentException(FormattableString.Invariant($"{where}: first quantum {run.FirstQuantum}; expected at most 2^53"));
            foreach (var module in run.Modules)
            {
                if (!double.IsFinite(module.MeanNs) || !double.IsFinite(module.MaxNs) || module.Buckets.Any(b => !double.IsFinite(b.FromNs) || !double.IsFinite(b.ToNs)))
                    throw new ArgumentException($"{where}: the times of module '{module.Name}' are no numbers");
            }
        }
    }

    private static string Resource(string name)
    {
        using var stream = typeof(LoadReportPage).Assembly.GetManifestResourceStream("LoadReport/" + name)
            ?? throw new InvalidOperationException($"the part '{name}' of the load report is missing in this build");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    // The policy names a script by the SHA-256 of exactly what stands between its tags.
    private static string HashOf(string text) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";

    private static string TextOf(string text) => System.Net.WebUtility.HtmlEncode(text).Replace("{", "&#123;", StringComparison.Ordinal);

    private static void Put(Stream output, string text) => output.Write(Encoding.UTF8.GetBytes(text));
}

/// <summary>How the page's data are written as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(LoadReportData))]
internal sealed partial class LoadReportJson : JsonSerializerContext;
