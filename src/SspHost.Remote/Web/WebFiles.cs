// The page of the web panel: a handful of files inside the program.
using System.Collections.Frozen;

namespace SspHost.Remote.Web;

/// <summary>A file with its type.</summary>
internal sealed record WebFile(string Type, byte[] Bytes);

/// <summary>What is served, by path.</summary>
internal static class WebFiles
{
    private static readonly FrozenDictionary<string, WebFile> Files = new Dictionary<string, WebFile>(StringComparer.Ordinal)
    {
        ["/"] = Read("index.html", "text/html; charset=utf-8"),
        ["/panel.css"] = Read("panel.css", "text/css; charset=utf-8"),
        ["/icon.svg"] = Read("icon.svg", "image/svg+xml"),
        ["/panel.js"] = Read("panel.js", "text/javascript; charset=utf-8"),
        ["/tiles.js"] = Read("tiles.js", "text/javascript; charset=utf-8"),
        ["/controls.js"] = Read("controls.js", "text/javascript; charset=utf-8"),
        ["/live.js"] = Read("live.js", "text/javascript; charset=utf-8"),
        ["/api/openapi.json"] = Read("openapi.json", "application/json"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The file at a path; null: none.</summary>
    public static WebFile? Find(string path) => Files.GetValueOrDefault(path);

    private static WebFile Read(string name, string type)
    {
        using var stream = typeof(WebFiles).Assembly.GetManifestResourceStream("web/" + name) ?? throw new InvalidOperationException($"'{name}' is not in the program.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return new WebFile(type, bytes);
    }
}
