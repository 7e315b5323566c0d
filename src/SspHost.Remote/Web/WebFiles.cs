// The page of the web panel: a handful of files inside the program.
using System.Collections.Frozen;

namespace SspHost.Remote.Web;

/// <summary>A file with its type.</summary>
/// <param name="Open">Whether it is served without a token, too.</param>
internal sealed record WebFile(string Type, byte[] Bytes, bool Open = false);

/// <summary>What is served, by path.</summary>
internal static class WebFiles
{
    private static readonly FrozenDictionary<string, WebFile> Files = new Dictionary<string, WebFile>(StringComparer.Ordinal)
    {
        ["/"] = new WebFile("text/html; charset=utf-8", Read("index.html")),
        ["/panel.css"] = new WebFile("text/css; charset=utf-8", Read("panel.css")),
        ["/login.css"] = new WebFile("text/css; charset=utf-8", Read("login.css"), Open: true),
        ["/icon.svg"] = new WebFile("image/svg+xml", Read("icon.svg"), Open: true),
        ["/panel.js"] = new WebFile("text/javascript; charset=utf-8", Read("panel.js")),
        ["/tiles.js"] = new WebFile("text/javascript; charset=utf-8", Read("tiles.js")),
        ["/controls.js"] = new WebFile("text/javascript; charset=utf-8", Read("controls.js")),
        ["/live.js"] = new WebFile("text/javascript; charset=utf-8", Read("live.js")),
        ["/api/openapi.json"] = new WebFile("application/json", Read("openapi.json")),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The file at a path; null: none.</summary>
    public static WebFile? Find(string path) => Files.GetValueOrDefault(path);

    /// <summary>A file of the page by its name.</summary>
    public static byte[] Read(string name)
    {
        using var stream = typeof(WebFiles).Assembly.GetManifestResourceStream("web/" + name) ?? throw new InvalidOperationException($"'{name}' is not in the program.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
