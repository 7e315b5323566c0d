// A page in the browser: what it fetches and complains about is counted, whatever a test is about.
using System.Collections.Concurrent;
using System.Text.Json;

namespace SspHost.Html.Tests;

public sealed class BrowserPage(Chromium browser, string session, string context) : IAsyncDisposable
{
    private readonly TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _address = "about:blank";

    /// <summary>What the page tried to fetch besides itself. All of it was refused.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Errors and warnings of the console, exceptions, violations of the policy.</summary>
    public ConcurrentQueue<string> Complaints { get; } = new();

    public async Task PrepareAsync(int width, int height, bool dark, bool touch, double ratio)
    {
        await AskAsync("Page.enable");
        await AskAsync("Runtime.enable");
        await AskAsync("Log.enable");
        await AskAsync("Fetch.enable", new { patterns = new[] { new { urlPattern = "*" } } });
        await AskAsync("Emulation.setDeviceMetricsOverride", new { width, height, deviceScaleFactor = ratio, mobile = touch });
        await AskAsync("Emulation.setTouchEmulationEnabled", new { enabled = touch });
        await AskAsync("Emulation.setEmulatedMedia", new { features = new[] { new { name = "prefers-color-scheme", value = dark ? "dark" : "light" } } });
    }

    /// <summary>Opens a report and waits until it is drawn.</summary>
    public async Task OpenAsync(string path)
    {
        _address = new Uri(path).AbsoluteUri;
        await AskAsync("Page.navigate", new { url = _address });
        await _loaded.Task.WaitAsync(TimeSpan.FromSeconds(300));
        _ = await EvaluateAsync<bool>("loadReport.then(r => { window.report = r; return true; })");
    }

    public async Task<T> EvaluateAsync<T>(string expression)
    {
        var answer = await AskAsync("Runtime.evaluate", new { expression, awaitPromise = true, returnByValue = true });
        if (answer.TryGetProperty("exceptionDetails", out var failure)) throw new InvalidOperationException(failure.ToString());
        var result = answer.GetProperty("result");
        return result.TryGetProperty("value", out var value) ? value.Deserialize<T>(JsonSerializerOptions.Web)! : default!;
    }

    public async Task RunAsync(string statement) => _ = await EvaluateAsync<JsonElement?>($"(async () => {{ {statement} }})()");

    /// <summary>Two frames later everything that was asked for is on the canvas.</summary>
    public Task DrawnAsync() => RunAsync("await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)));");

    public Task<string> TextAsync(string selector) => EvaluateAsync<string>($"document.querySelector({JsonSerializer.Serialize(selector)}).textContent");

    public Task<int> CountAsync(string selector) => EvaluateAsync<int>($"document.querySelectorAll({JsonSerializer.Serialize(selector)}).length");

    public Task MouseAsync(string type, double x, double y, int buttons = 0, double wheel = 0, int modifiers = 0) => AskAsync("Input.dispatchMouseEvent", new
    {
        type, x, y, buttons, modifiers, deltaX = 0, deltaY = wheel, clickCount = type is "mousePressed" or "mouseReleased" ? 1 : 0,
        button = type is "mousePressed" or "mouseReleased" ? "left" : "none",
    });

    public async Task ClickAsync(double x, double y)
    {
        await MouseAsync("mouseMoved", x, y);
        await MouseAsync("mousePressed", x, y, buttons: 1);
        await MouseAsync("mouseReleased", x, y);
        await DrawnAsync();
    }

    public async Task DragAsync(double fromX, double toX, double y, int modifiers = 0)
    {
        await MouseAsync("mouseMoved", fromX, y, modifiers: modifiers);
        await MouseAsync("mousePressed", fromX, y, buttons: 1, modifiers: modifiers);
        for (var k = 1; k <= 4; k++) await MouseAsync("mouseMoved", fromX + (toX - fromX) * k / 4, y, buttons: 1, modifiers: modifiers);
        await MouseAsync("mouseReleased", toX, y, modifiers: modifiers);
        await DrawnAsync();
    }

    public Task TouchAsync(string type, params (double X, double Y)[] fingers) =>
        AskAsync("Input.dispatchTouchEvent", new { type, touchPoints = fingers.Select((f, id) => new { x = f.X, y = f.Y, id }).ToArray() });

    public async Task PressAsync(string key)
    {
        var text = key.Length == 1 ? key : key == "Enter" ? "\r" : null;
        var code = key switch { "Enter" => 13, "Tab" => 9, "Escape" => 27, "End" => 35, "Home" => 36, "ArrowLeft" => 37, "ArrowRight" => 39, _ => 0 };
        await AskAsync("Input.dispatchKeyEvent", text is null ? new { type = "rawKeyDown", key, windowsVirtualKeyCode = code } : new { type = "keyDown", key, text, windowsVirtualKeyCode = code });
        await AskAsync("Input.dispatchKeyEvent", new { type = "keyUp", key, windowsVirtualKeyCode = code });
        await DrawnAsync();
    }

    public async Task<byte[]> PictureAsync(bool whole = true)
    {
        var size = await EvaluateAsync<double[]>("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]");
        var answer = whole
            ? await AskAsync("Page.captureScreenshot", new { format = "png", captureBeyondViewport = true, clip = new { x = 0, y = 0, width = size[0], height = size[1], scale = 1 } })
            : await AskAsync("Page.captureScreenshot", new { format = "png" });
        return Convert.FromBase64String(answer.GetProperty("data").GetString()!);
    }

    public Task<JsonElement> AskAsync(string method, object? parameters = null) => browser.AskAsync(method, parameters ?? new { }, session);

    public void Heard(string method, JsonElement told)
    {
        switch (method)
        {
            case "Page.loadEventFired" when _address != "about:blank":
                _ = _loaded.TrySetResult();
                break;
            case "Runtime.consoleAPICalled" when told.GetProperty("type").GetString() is "error" or "warning" or "assert":
            case "Runtime.exceptionThrown":
                Complaints.Enqueue(told.ToString());
                break;
            case "Log.entryAdded" when told.GetProperty("entry").GetProperty("level").GetString() is "error" or "warning":
                Complaints.Enqueue(told.GetProperty("entry").ToString());
                break;
            case "Fetch.requestPaused":
                var url = told.GetProperty("request").GetProperty("url").GetString()!;
                var requestId = told.GetProperty("requestId").GetString();
                if (url == _address)
                {
                    _ = AskAsync("Fetch.continueRequest", new { requestId });
                }
                else
                {
                    Requests.Enqueue(url);
                    _ = AskAsync("Fetch.failRequest", new { requestId, errorReason = "BlockedByClient" });
                }

                break;
        }
    }

    public async ValueTask DisposeAsync()
    {
        browser.Forget(session);
        _ = await browser.AskAsync("Target.disposeBrowserContext", new { browserContextId = context });
    }
}
