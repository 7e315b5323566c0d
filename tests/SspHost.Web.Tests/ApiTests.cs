// The JSON API: one protocol with the control socket, described by its OpenAPI document, and unmoved by bad input.
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.RegularExpressions;
using System.Text.Json;
using SspHost.Remote;
using SspHost.Remote.Web;
using SspHost.Web.Tests.Kit;

namespace SspHost.Web.Tests;

public sealed class ApiTests : IDisposable
{
    private readonly WebRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData("modules")]
    [InlineData("patch")]
    [InlineData("status")]
    [InlineData("costs")]
    [InlineData("incidents")]
    public async Task A_route_answers_the_bytes_of_the_control_socket(string command)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_rig.SocketPath));
        using var lines = new StreamReader(new NetworkStream(socket));
        _ = await lines.ReadLineAsync(); // hello
        await socket.SendAsync(Encoding.UTF8.GetBytes($"{{\"command\":\"{command}\"}}\n"));
        Assert.Equal(WithoutHeap(await lines.ReadLineAsync() + "\n"), WithoutHeap(await _rig.Http.GetStringAsync("/api/" + command)));
    }

    // Asking allocates, and the status says so.
    private static string WithoutHeap(string json) => Regex.Replace(json, """(?<="allocatedBytes":)\d+(?=\})""", "n", RegexOptions.None, TimeSpan.FromSeconds(10));

    [Fact]
    public async Task Edits_change_the_patch_undo_and_redo_take_them_back_and_again()
    {
        Assert.Equal(HttpStatusCode.OK, await PostAsync("/api/edits", """[{"op":"add","add":{"id":"vco1","type":"vco"}}]"""));
        Assert.NotNull(_rig.Host.Session.Current.Find("vco1"));
        Assert.Equal(HttpStatusCode.OK, await PostAsync("/api/undo?wait=false", ""));
        Assert.Null(_rig.Host.Session.Current.Find("vco1"));
        Assert.Equal(HttpStatusCode.OK, await PostAsync("/api/redo", ""));
        Assert.NotNull(_rig.Host.Session.Current.Find("vco1"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await PostAsync("/api/redo", ""));
    }

    [Fact]
    public async Task A_patch_that_was_got_can_be_put()
    {
        await PostAsync("/api/edits", """{"op":"add","add":{"id":"lfo1","type":"lfo"}}""");
        using var got = JsonDocument.Parse(await _rig.Http.GetStringAsync("/api/patch"));
        await PostAsync("/api/undo", "");
        using var put = await _rig.Http.PutAsync("/api/patch", Json(got.RootElement.GetProperty("result").GetProperty("patch").GetRawText()));
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        Assert.NotNull(_rig.Host.Session.Current.Find("lfo1"));
    }

    [Fact]
    public async Task The_document_has_every_route_and_no_other_and_its_examples_work()
    {
        using var document = JsonDocument.Parse(await _rig.Http.GetStringAsync("/api/openapi.json"));
        var paths = document.RootElement.GetProperty("paths");
        var described = paths.EnumerateObject().SelectMany(p => p.Value.EnumerateObject().Select(o => (o.Name.ToUpperInvariant(), p.Name))).ToHashSet();
        var routes = WebApi.Routes.Select(r => (r.Method, r.Path)).Append(("GET", "/api/events")).Append(("GET", "/api/openapi.json")).ToHashSet();
        Assert.Equal(routes.Order(), described.Order());
        foreach (var route in WebApi.Routes)
        {
            var operation = paths.GetProperty(route.Path).GetProperty(route.Method.ToLowerInvariant());
            Assert.Equal(route.Waits, operation.TryGetProperty("parameters", out _));
            Assert.Equal(route.Body != null, operation.TryGetProperty("requestBody", out _));
            var statuses = operation.GetProperty("responses").EnumerateObject().Select(r => int.Parse(r.Name, System.Globalization.CultureInfo.InvariantCulture)).ToHashSet();
            Assert.Superset(new HashSet<int> { 200, 401, 403, 421, 429 }, statuses);
            Assert.Equal(route.Body != null, statuses.Contains(413) && statuses.Contains(415));
        }

        foreach (var path in paths.EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                foreach (var reference in References(operation.Value)) Assert.True(Exists(document.RootElement, reference), reference);
                var method = new HttpMethod(operation.Name.ToUpperInvariant());
                var bodies = operation.Value.TryGetProperty("requestBody", out var body)
                    ? body.GetProperty("content").GetProperty("application/json").GetProperty("examples").EnumerateObject().Select(e => e.Value.GetProperty("value").GetRawText()).ToArray()
                    : [""];
                foreach (var text in bodies)
                {
                    using var request = new HttpRequestMessage(method, path.Name);
                    if (text.Length > 0) request.Content = Json(text);
                    using var reply = await _rig.Http.SendAsync(request);
                    Assert.True(operation.Value.GetProperty("responses").TryGetProperty($"{(int)reply.StatusCode}", out _), $"{method} {path.Name}: {reply.StatusCode} is not described");
                    if (text.Length > 0) Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
                    if (path.Name != "/api/openapi.json") Keeps(document.RootElement, reply.IsSuccessStatusCode ? "Reply" : "Error", await reply.Content.ReadAsByteArrayAsync());
                }
            }
        }
    }

    [Fact]
    public async Task The_documents_edits_are_those_there_are()
    {
        using var document = JsonDocument.Parse(await _rig.Http.GetStringAsync("/api/openapi.json"));
        var ops = document.RootElement.GetProperty("components").GetProperty("schemas").GetProperty("Edit").GetProperty("properties").GetProperty("op").GetProperty("enum").EnumerateArray().Select(o => o.GetString()!).ToArray();
        Assert.Equal(typeof(SspHost.Patching.Edit).Assembly.GetTypes().Count(t => t is { IsAbstract: false } && t.IsSubclassOf(typeof(SspHost.Patching.Edit))), ops.Length);
        foreach (var op in ops.Append("no-such-edit"))
        {
            using var reply = await _rig.Http.PostAsync("/api/edits", Json($"{{\"op\":\"{op}\"}}"));
            Assert.Equal(op == "no-such-edit", (await reply.Content.ReadAsStringAsync()).Contains("is no edit", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("POST", "/api/edits", "", 400)]
    [InlineData("POST", "/api/edits", "{", 400)]
    [InlineData("POST", "/api/edits", "null", 400)]
    [InlineData("POST", "/api/edits", "{\"op\":\"none\"}", 400)]
    [InlineData("POST", "/api/edits", "[] ,\"command\":\"quit\"", 400)]
    [InlineData("POST", "/api/edits", "[]} {\"command\":\"quit\"", 400)]
    [InlineData("POST", "/api/edits", "{\"op\":\"remove\",\"module\":\"none\"}", 422)]
    [InlineData("PUT", "/api/patch", "{}", 422)]
    [InlineData("POST", "/api/edits?wait=perhaps", "[]", 400)]
    [InlineData("POST", "/api/edits?command=quit", "[]", 400)]
    [InlineData("DELETE", "/api/patch", "", 405)]
    [InlineData("POST", "/panel.js", "", 405)]
    [InlineData("GET", "/api/none", "", 404)]
    [InlineData("GET", "/../../etc/passwd", "", 404)]
    [InlineData("GET", "/api/events", "", 426)]
    [InlineData("GET", "/panel", "", 426)]
    public async Task What_is_wrong_is_one_error_of_one_shape(string method, string path, string body, int status)
    {
        var before = _rig.Host.Session.Sequence;
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body.Length > 0 || method is "POST" or "PUT") request.Content = Json(body);
        using var reply = await _rig.Http.SendAsync(request);
        Assert.Equal(status, (int)reply.StatusCode);
        await IsErrorAsync(reply);
        Assert.Equal(before, _rig.Host.Session.Sequence);
        Assert.Equal(0, _rig.Quits);
    }

    [Fact]
    public async Task A_body_that_is_no_json_by_its_type_is_refused()
    {
        using var reply = await _rig.Http.PostAsync("/api/edits", new StringContent("[]", Encoding.UTF8, "text/plain"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, reply.StatusCode);
        await IsErrorAsync(reply);
    }

    [Fact]
    public async Task Too_large_a_body_is_refused_whether_its_length_is_told_or_not()
    {
        var large = new byte[WebApi.MostBytes + 1];
        Array.Fill(large, (byte)' ');
        foreach (var chunked in new[] { false, true })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/edits") { Content = new ByteArrayContent(large) };
            request.Content.Headers.ContentType = new("application/json");
            request.Headers.TransferEncodingChunked = chunked;
            request.Headers.ExpectContinue = true;
            using var reply = await _rig.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, reply.StatusCode);
            await IsErrorAsync(reply);
        }
    }

    [Fact]
    public async Task Fuzzed_bodies_are_answered_and_change_nothing_by_halves()
    {
        var random = new Random(11);
        var seed = Encoding.UTF8.GetBytes("""[{"op":"add","add":{"id":"vco1","type":"vco","params":{"pitch":1}}},{"op":"param","module":"vco1","param":"pitch","value":1.5e0}]""");
        for (var round = 0; round < 300; round++)
        {
            var bytes = seed.ToArray();
            for (var i = random.Next(1, 5); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            using var content = new ByteArrayContent(bytes[..random.Next(bytes.Length + 1)]);
            content.Headers.ContentType = new("application/json");
            var modules = _rig.Host.Session.Current.Modules.Length;
            using var reply = await _rig.Http.PostAsync("/api/edits?wait=false", content);
            Assert.Contains((int)reply.StatusCode, new[] { 200, 400, 422 });
            if (reply.StatusCode != HttpStatusCode.OK) Assert.Equal(modules, _rig.Host.Session.Current.Modules.Length);
            else Assert.Equal(HttpStatusCode.OK, await PostAsync("/api/undo", ""));
        }
    }

    [Fact]
    public async Task Events_come_over_a_web_socket_and_what_names_files_is_refused_there()
    {
        using var socket = await _rig.ConnectAsync("/api/events");
        Assert.StartsWith("{\"hello\":", await LineAsync(socket), StringComparison.Ordinal);
        await SendAsync(socket, """{"id":1,"command":"subscribe","to":["patch"]}""");
        Assert.Contains("\"ok\":true", await LineAsync(socket), StringComparison.Ordinal);
        await PostAsync("/api/edits", """{"op":"add","add":{"id":"vco1","type":"vco"}}""");
        var told = await LineAsync(socket);
        Assert.StartsWith("{\"event\":\"patch\"", told, StringComparison.Ordinal);
        Assert.Contains("\"by\":\"web\"", told, StringComparison.Ordinal);
        foreach (var command in new[] { """{"id":2,"command":"quit"}""", """{"id":3,"command":"save","path":"/tmp/none.json"}""", """{"id":4,"command":"loads","path":"/tmp/none"}""" })
        {
            await SendAsync(socket, command);
            Assert.Contains("\"refused\"", await LineAsync(socket), StringComparison.Ordinal);
        }

        Assert.Equal(0, _rig.Quits);
    }

    [Fact]
    public async Task A_line_that_is_too_long_ends_its_socket_only()
    {
        using var socket = await _rig.ConnectAsync("/api/events");
        _ = await LineAsync(socket);
        var large = new byte[1 << 20];
        Array.Fill(large, (byte)' ');
        try
        {
            for (var i = 0; i < 6; i++) await socket.SendAsync(large, WebSocketMessageType.Text, endOfMessage: false, CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // It was closed while more was sent.
        }

        await WebRig.UntilAsync(() => _rig.Control.Clients == 0, "the socket was not ended");
        Assert.Equal(HttpStatusCode.OK, (await _rig.Http.GetAsync("/api/patch")).StatusCode);
    }

    [Fact]
    public async Task Half_open_connections_and_slow_heads_hold_nobody_up()
    {
        var open = new List<TcpClient>();
        for (var i = 0; i < 30; i++)
        {
            var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, new Uri(_rig.Server.Address).Port);
            if (i % 2 == 0) await client.GetStream().WriteAsync("POST /api/edits HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le"u8.ToArray());
            open.Add(client);
        }

        Assert.Equal(HttpStatusCode.OK, (await _rig.Http.GetAsync("/api/patch")).StatusCode);
        foreach (var client in open) client.Dispose();
    }

    [Fact]
    public async Task Bytes_that_are_no_http_do_no_harm()
    {
        var random = new Random(5);
        for (var round = 0; round < 40; round++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, new Uri(_rig.Server.Address).Port);
            var bytes = new byte[random.Next(1, 400)];
            random.NextBytes(bytes);
            await client.GetStream().WriteAsync(bytes);
        }

        Assert.Equal(HttpStatusCode.OK, (await _rig.Http.GetAsync("/api/patch")).StatusCode);
    }

    private static async Task IsErrorAsync(HttpResponseMessage reply)
    {
        Assert.Equal("application/json", reply.Content.Headers.ContentType?.MediaType);
        using var json = JsonDocument.Parse(await reply.Content.ReadAsByteArrayAsync());
        Assert.False(json.RootElement.GetProperty("ok").GetBoolean());
        var error = json.RootElement.GetProperty("error");
        Assert.NotEqual("", error.GetProperty("code").GetString());
        Assert.NotEqual("", error.GetProperty("message").GetString());
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private async Task<HttpStatusCode> PostAsync(string path, string body)
    {
        using var reply = await _rig.Http.PostAsync(path, Json(body));
        return reply.StatusCode;
    }

    private static Task SendAsync(ClientWebSocket socket, string line) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(line), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    private static async Task<string> LineAsync(ClientWebSocket socket)
    {
        var buffer = new byte[1 << 20];
        var length = 0;
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
            length += part.Count;
            if (part.EndOfMessage) return Encoding.UTF8.GetString(buffer, 0, length);
        }
    }

    private static IEnumerable<string> References(JsonElement e) => e.ValueKind switch
    {
        JsonValueKind.Object => e.EnumerateObject().SelectMany(p => p.NameEquals("$ref") ? [p.Value.GetString()!] : References(p.Value)),
        JsonValueKind.Array => e.EnumerateArray().SelectMany(References),
        _ => [],
    };

    // What the schemas of replies say: which fields there are, and what they are.
    private static void Keeps(JsonElement root, string schema, ReadOnlyMemory<byte> bytes)
    {
        using var reply = JsonDocument.Parse(bytes);
        Keeps(root.GetProperty("components").GetProperty("schemas").GetProperty(schema), reply.RootElement);
    }

    private static void Keeps(JsonElement schema, JsonElement value)
    {
        if (schema.TryGetProperty("const", out var constant)) Assert.Equal(constant.GetRawText(), value.GetRawText());
        if (schema.TryGetProperty("type", out var type)) Assert.Equal(type.GetString(), value.ValueKind switch { JsonValueKind.Null => "null", JsonValueKind.String => "string", _ => "object" });
        if (!schema.TryGetProperty("properties", out var properties)) return;
        Assert.Equal(schema.GetProperty("required").EnumerateArray().Select(r => r.GetString()!).Order(StringComparer.Ordinal), value.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
        foreach (var p in properties.EnumerateObject()) Keeps(p.Value, value.GetProperty(p.Name));
    }

    private static bool Exists(JsonElement root, string reference)
    {
        foreach (var name in reference[2..].Split('/'))
        {
            if (!root.TryGetProperty(name, out root)) return false;
        }

        return true;
    }
}
