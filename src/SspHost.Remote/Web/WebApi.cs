// The JSON API: each route is one command of the control protocol, answered with the bytes that the control socket would send.
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace SspHost.Remote.Web;

/// <summary>A route of the API.</summary>
/// <param name="Command">The command it gives.</param>
/// <param name="Body">The field of the command that the request's body is; null: it has none.</param>
/// <param name="Waits">Whether `?wait=false` answers before the change is in the journal.</param>
internal sealed record WebRoute(string Method, string Path, string Command, string? Body = null, bool Waits = false);

/// <summary>Answers requests below /api/.</summary>
internal sealed class WebApi(ControlServer server)
{
    /// <summary>Name under which others hear of changes that came by a request.</summary>
    private const string Author = "web";

    /// <summary>Bytes of a body at most: with the command around it, it is a line.</summary>
    public const int MostBytes = Protocol.MaxLine - 256;

    public static IReadOnlyList<WebRoute> Routes { get; } =
    [
        new("GET", "/api/patch", "patch"),
        new("PUT", "/api/patch", "load", Body: "patch", Waits: true),
        new("POST", "/api/edits", "edit", Body: "edits", Waits: true),
        new("POST", "/api/undo", "undo", Waits: true),
        new("POST", "/api/redo", "redo", Waits: true),
        new("GET", "/api/modules", "modules"),
        new("GET", "/api/status", "status"),
        new("GET", "/api/levels", "levels"),
        new("GET", "/api/costs", "costs"),
        new("GET", "/api/incidents", "incidents"),
    ];

    /// <summary>An error as every part of the web panel says it.</summary>
    public static byte[] Error(string code, string message) => ControlReplies.Error("null", code, message);

    /// <summary>The HTTP status of a reply.</summary>
    public static int StatusOf(ReadOnlySpan<byte> reply)
    {
        if (reply.StartsWith("{\"id\":null,\"ok\":true"u8)) return StatusCodes.Status200OK;
        var reader = new Utf8JsonReader(reply);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || !reader.ValueTextEquals("code"u8)) continue;
            reader.Read();
            return reader.ValueTextEquals("bad-message"u8) ? StatusCodes.Status400BadRequest
                : reader.ValueTextEquals("refused"u8) ? StatusCodes.Status422UnprocessableEntity
                : StatusCodes.Status500InternalServerError;
        }

        return StatusCodes.Status500InternalServerError;
    }

    /// <summary>Answers a request; its path is known to begin with /api/.</summary>
    public async Task<(int Status, byte[] Reply)> AnswerAsync(HttpRequest request, CancellationToken ended)
    {
        var path = request.Path.Value ?? "";
        if (!Routes.Any(r => r.Path == path)) return (StatusCodes.Status404NotFound, Error("not-found", "there is no such path; /api/openapi.json has those there are"));
        if (Routes.FirstOrDefault(r => r.Path == path && r.Method == request.Method) is not { } route)
        {
            request.HttpContext.Response.Headers.Allow = string.Join(", ", Routes.Where(r => r.Path == path).Select(r => r.Method));
            return (StatusCodes.Status405MethodNotAllowed, Error("method", $"{path} knows {request.HttpContext.Response.Headers.Allow} only"));
        }

        if (!TryWait(request, route, out var wait)) return Bad("the query may say wait=true or wait=false, where a change is asked for, and nothing else");
        ReadOnlyMemory<byte> body = default;
        if (route.Body != null)
        {
            if (!request.HasJsonContentType()) return (StatusCodes.Status415UnsupportedMediaType, Error("media-type", "the body has to be application/json"));
            (var status, body) = await ReadAsync(request, ended);
            if (status != 0) return (status, Error("too-large", $"a body has {MostBytes} bytes at most"));
            if (Flaw(body) is { } flaw) return Bad(flaw);
        }

        var reply = await server.AskAsync(Author, Line(route, body.Span, wait));
        return (StatusOf(reply), reply);
    }

    private static (int Status, byte[] Reply) Bad(string message) => (StatusCodes.Status400BadRequest, Error("bad-message", message));

    private static bool TryWait(HttpRequest request, WebRoute route, out bool wait)
    {
        wait = true;
        foreach (var (name, value) in request.Query)
        {
            if (name != "wait" || !route.Waits || value is not ["true" or "false"]) return false;
            wait = value[0] == "true";
        }

        return true;
    }

    // Exactly one value: the line around it must not become another command.
    private static string? Flaw(ReadOnlyMemory<byte> body)
    {
        if (!System.Text.Unicode.Utf8.IsValid(body.Span)) return "the body is not UTF-8";
        try
        {
            var reader = new Utf8JsonReader(body.Span, new JsonReaderOptions { MaxDepth = Protocol.MaxDepth - 1 });
            while (reader.Read())
            {
                // Read to its end, it is one value and nothing after it.
            }

            return null;
        }
        catch (JsonException e)
        {
            return $"line {(e.LineNumber ?? 0) + 1}, byte {e.BytePositionInLine ?? 0}: not JSON (or nested deeper than {Protocol.MaxDepth - 1})";
        }
    }

    private static byte[] Line(WebRoute route, ReadOnlySpan<byte> body, bool wait)
    {
        var head = Encoding.UTF8.GetBytes($"{{\"command\":\"{route.Command}\"{(route.Waits && !wait ? ",\"wait\":false" : "")}{(route.Body is { } field ? $",\"{field}\":" : "")}");
        return [.. head, .. body, (byte)'}'];
    }

    private static async Task<(int Status, ReadOnlyMemory<byte> Body)> ReadAsync(HttpRequest request, CancellationToken ended)
    {
        var buffer = new byte[(int)Math.Clamp(request.ContentLength ?? 4096, 1, MostBytes + 1)];
        for (var length = 0; ;)
        {
            if (length > MostBytes) return (StatusCodes.Status413PayloadTooLarge, default);
            if (length == buffer.Length) Array.Resize(ref buffer, Math.Min(buffer.Length * 2, MostBytes + 1));
            var got = await request.Body.ReadAsync(buffer.AsMemory(length), ended);
            if (got == 0) return (0, buffer.AsMemory(0, length));
            length += got;
        }
    }
}
