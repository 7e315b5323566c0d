// A headless Chromium, driven by its DevTools protocol: what a browser really does with the page is the oracle.
using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;

namespace SspHost.Html.Tests;

public sealed class Chromium : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(300);

    private readonly string _profile = Directory.CreateTempSubdirectory("ssp-html-").FullName;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _asked = new();
    private readonly ConcurrentDictionary<string, Action<string, JsonElement>> _listeners = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly ClientWebSocket _socket = new();
    private Process? _process;
    private Task _reading = Task.CompletedTask;
    private int _last;

    /// <summary>The reports the tests share: making one of ten million quanta takes a second.</summary>
    public Reports Reports { get; } = new();

    public async Task InitializeAsync()
    {
        var program = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("these tests need Chromium: tools/setup.sh test installs it");
        var start = new ProcessStartInfo(program) { RedirectStandardError = true, RedirectStandardOutput = true };
        string[] arguments =
        [
            "--headless=new", "--remote-debugging-port=0", $"--user-data-dir={_profile}", "--no-first-run", "--no-default-browser-check", "--disable-gpu", "--disable-extensions",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--mute-audio", "--hide-scrollbars", "--font-render-hinting=none",
            "about:blank",
        ];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        if (string.Equals(Environment.UserName, "root", StringComparison.Ordinal)) start.ArgumentList.Insert(0, "--no-sandbox");
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();

        var told = Path.Combine(_profile, "DevToolsActivePort");
        var watch = Stopwatch.StartNew();
        string[] lines;
        while (!File.Exists(told) || (lines = await File.ReadAllLinesAsync(told)).Length < 2)
        {
            if (_process.HasExited || watch.Elapsed > Patience) throw new InvalidOperationException("Chromium does not start");
            await Task.Delay(20);
        }

        await _socket.ConnectAsync(new Uri($"ws://127.0.0.1:{lines[0]}{lines[1]}"), CancellationToken.None);
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>A fresh page with a profile of its own.</summary>
    public async Task<BrowserPage> NewPageAsync(int width = 1280, int height = 900, bool dark = false, bool touch = false, double ratio = 1)
    {
        var context = (await AskAsync("Target.createBrowserContext", new { })).GetProperty("browserContextId").GetString()!;
        var target = (await AskAsync("Target.createTarget", new { url = "about:blank", browserContextId = context })).GetProperty("targetId").GetString()!;
        var session = (await AskAsync("Target.attachToTarget", new { targetId = target, flatten = true })).GetProperty("sessionId").GetString()!;
        var page = new BrowserPage(this, session, context);
        _listeners[session] = page.Heard;
        await page.PrepareAsync(width, height, dark, touch, ratio);
        return page;
    }

    public void Forget(string session) => _listeners.TryRemove(session, out _);

    public async Task<JsonElement> AskAsync(string method, object parameters, string? session = null)
    {
        var id = Interlocked.Increment(ref _last);
        var answer = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[id] = answer;
        var message = session is null
            ? JsonSerializer.SerializeToUtf8Bytes(new { id, method, @params = parameters })
            : JsonSerializer.SerializeToUtf8Bytes(new { id, method, @params = parameters, sessionId = session });
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        }
        finally
        {
            _ = _sending.Release();
        }

        return await answer.Task.WaitAsync(Patience);
    }

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            try
            {
                _ = await AskAsync("Browser.close", new { });
            }
            catch (Exception e) when (e is WebSocketException or TimeoutException or OperationCanceledException)
            {
                // It goes by the way below.
            }

            if (!_process.WaitForExit(60_000)) _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
            await _reading;
        }

        Reports.Dispose();
        // A helper process of the browser may outlive it by a moment and still write.
        for (var attempt = 0; attempt < 20 && Directory.Exists(_profile); attempt++)
        {
            try
            {
                Directory.Delete(_profile, recursive: true);
            }
            catch (IOException)
            {
                await Task.Delay(50);
            }
        }
    }

    public void Dispose()
    {
        _process?.Dispose();
        _socket.Dispose();
        _sending.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new ArrayBufferWriter<byte>(1 << 16);
        try
        {
            while (_socket.State == WebSocketState.Open)
            {
                buffer.ResetWrittenCount();
                ValueWebSocketReceiveResult part;
                do
                {
                    part = await _socket.ReceiveAsync(buffer.GetMemory(1 << 16), CancellationToken.None);
                    buffer.Advance(part.Count);
                }
                while (!part.EndOfMessage);
                if (part.MessageType == WebSocketMessageType.Close) break;
                Hear(JsonDocument.Parse(buffer.WrittenMemory.ToArray()).RootElement);
            }
        }
        catch (WebSocketException)
        {
            // The browser is gone, as asked for.
        }

        foreach (var answer in _asked.Values) _ = answer.TrySetCanceled();
    }

    private void Hear(JsonElement message)
    {
        if (message.TryGetProperty("id", out var id))
        {
            if (!_asked.TryRemove(id.GetInt32(), out var answer)) return;
            if (message.TryGetProperty("error", out var error)) _ = answer.TrySetException(new InvalidOperationException(error.ToString()));
            else _ = answer.TrySetResult(message.GetProperty("result"));
        }
        else if (message.TryGetProperty("sessionId", out var session) && _listeners.TryGetValue(session.GetString()!, out var listener))
        {
            listener(message.GetProperty("method").GetString()!, message.GetProperty("params"));
        }
    }
}

[CollectionDefinition("chromium")]
public sealed class ChromiumCollection : ICollectionFixture<Chromium>;
