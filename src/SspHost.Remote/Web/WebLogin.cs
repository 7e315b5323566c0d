// The door of the web panel: a page that asks for the token, and what is said to programs that have none.
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace SspHost.Remote.Web;

/// <summary>An answer that is complete.</summary>
internal sealed record WebAnswer(int Status, string Type, byte[] Bytes);

/// <summary>Lets browsers in by a form, everybody else by the header.</summary>
internal sealed class WebLogin(WebGate gate)
{
    private const string FormPath = "/login";
    private const int MostBytes = 1 << 10; // of a form: a token has 128 characters at most
    private const string Place = "<!-- said -->";

    private static readonly string Page = Encoding.UTF8.GetString(WebFiles.Read("login.html"));

    /// <summary>Null: it is let in. Otherwise what it is answered; a redirection has no bytes.</summary>
    public async Task<WebAnswer?> AnswerAsync(HttpContext context)
    {
        if (!gate.Asks) return null;
        var (request, response, path) = (context.Request, context.Response, context.Request.Path.Value ?? "/");
        var form = path == FormPath && HttpMethods.IsPost(request.Method);
        var admission = form ? await SubmittedAsync(request, context.RequestAborted) : gate.Admit(request);
        switch (admission)
        {
            case Admission.Granted when form:
            case Admission.Introduced:
                gate.Keep(response);
                return ToPanel(response); // the token does not stay in the address
            case Admission.Granted:
                return path == FormPath ? ToPanel(response) : null;
            case Admission.NoToken when WebFiles.Find(path) is { Open: true }:
                return null;
        }

        var wait = admission == Admission.TooMany ? Math.Max(1, gate.Wait(request)) : 0;
        var status = wait > 0 ? StatusCodes.Status429TooManyRequests : StatusCodes.Status401Unauthorized;
        if (wait > 0) response.Headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
        else response.Headers.WWWAuthenticate = "Bearer";
        if (form || (path is "/" or FormPath && (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))))
        {
            // Without its origin the form would be taken for one of another page's.
            response.Headers["Referrer-Policy"] = "same-origin";
            response.Headers.ContentSecurityPolicy = response.Headers.ContentSecurityPolicy.ToString().Replace("form-action 'none'", "form-action 'self'", StringComparison.Ordinal);
            return new WebAnswer(status, "text/html; charset=utf-8", Encoding.UTF8.GetBytes(Page.Replace(Place, Said(admission, wait), StringComparison.Ordinal)));
        }

        var error = admission switch
        {
            Admission.TooMany => WebApi.Error("too-many-tries", $"too many wrong tokens came from this address: wait {wait} s"),
            Admission.WrongToken => WebApi.Error("token", "that is not the token"),
            _ => WebApi.Error("token", "a token is needed: open / in a browser, or send it as 'Authorization: Bearer TOKEN'"),
        };
        return new WebAnswer(status, "application/json", error);
    }

    private static string Said(Admission admission, int wait) => admission switch
    {
        Admission.TooMany => $"Too many wrong tokens came from your address. Try again in {wait} seconds.",
        Admission.WrongToken => "That is not the token.",
        _ => "",
    };

    private static WebAnswer ToPanel(HttpResponse response)
    {
        response.Headers.Location = "/";
        return new WebAnswer(StatusCodes.Status303SeeOther, "text/plain", []);
    }

    // What is no form has no token in it.
    private async Task<Admission> SubmittedAsync(HttpRequest request, CancellationToken ended)
    {
        if (!request.HasFormContentType || request.ContentLength > MostBytes) return Admission.NoToken;
        var buffer = new byte[MostBytes + 1];
        var length = 0;
        for (int got; length < buffer.Length && (got = await request.Body.ReadAsync(buffer.AsMemory(length), ended)) > 0;) length += got;
        if (length > MostBytes) return Admission.NoToken;
        return QueryHelpers.ParseQuery(Encoding.UTF8.GetString(buffer, 0, length)).TryGetValue("token", out var token) && token is [{ Length: > 0 } text]
            ? gate.Try(request, text.Trim())
            : Admission.NoToken;
    }
}
