// Hands on the panel of a running host, by the way a browser has: keys and encoders over its socket, and a short look at what it says.
using System.Net.WebSockets;
using System.Text.RegularExpressions;

namespace SspHost.EndToEnd.Tests;

/// <summary>Pictures are asked for and not looked at: what a key did is seen in files and in the engine.</summary>
internal sealed partial class PanelHands : IDisposable
{
    public const byte E1 = 0, E2 = 1, E3 = 2, E4 = 3, ShiftLeft = 16, ShiftRight = 17;

    private readonly ClientWebSocket _socket = new();
    private readonly CancellationTokenSource _end = new();
    private readonly ManualResetEventSlim _drawn = new();
    private readonly Task _reading;

    /// <param name="text">What the host has printed: it names the address.</param>
    public PanelHands(Func<string> text)
    {
        Match at = Match.Empty;
        Eventually.True(() => (at = Address().Match(text())).Success, "the panel's address\n" + text());
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        _socket.ConnectAsync(new Uri($"ws://{at.Groups[1].Value}/panel"), patience.Token).Wait(patience.Token);
        _reading = Task.Run(Read);
        Assert.True(_drawn.Wait(TimeSpan.FromMinutes(1)), "a first picture"); // before it the panel has not looked at the engine
    }

    /// <summary>Soft key 1 to 8.</summary>
    public static byte K(int number) => (byte)(3 + number);

    /// <summary>A key goes down and up.</summary>
    public void Press(params ReadOnlySpan<byte> keys)
    {
        foreach (var k in keys)
        {
            Send(1, k);
            Send(2, k);
        }
    }

    /// <summary>A page: Shift R and a soft key.</summary>
    public void Page(int key) => With(ShiftRight, K(key));

    /// <summary>A key while another is down.</summary>
    public void With(byte held, byte key)
    {
        Send(1, held);
        Press(key);
        Send(2, held);
    }

    public void Turn(byte encoder, int detents)
    {
        for (var i = 0; i < Math.Abs(detents); i++)
        {
            Send(3, encoder, (byte)(sbyte)Math.Sign(detents));
            Thread.Sleep(40); // a slow hand: each detent is a step
        }
    }

    public void Type(string text)
    {
        foreach (var c in text) Send(4, (byte)c, 0, 0, 0);
    }

    public void Dispose()
    {
        _end.Cancel();
        _socket.Abort();
        try
        {
            _reading.Wait();
        }
        catch (AggregateException)
        {
            // It was cut off.
        }

        _socket.Dispose();
        _drawn.Dispose();
        _end.Dispose();
    }

    [GeneratedRegex("panel: http://([0-9.:]+)")]
    private static partial Regex Address();

    private void Send(params byte[] message) => _socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, _end.Token).Wait();

    // The panel draws for whoever looks: a frame each time it has one.
    private async Task Read()
    {
        var buffer = new byte[64 << 10];
        var pictures = 0;
        while (!_end.IsCancellationRequested)
        {
            var part = await _socket.ReceiveAsync(buffer, _end.Token);
            if (part.MessageType == WebSocketMessageType.Close) return;
            if (!part.EndOfMessage) continue;
            if (pictures++ > 0) _drawn.Set(); // the first message tells sizes
            if (pictures > 1) await _socket.SendAsync(new byte[] { 0 }, WebSocketMessageType.Binary, endOfMessage: true, _end.Token);
        }
    }
}
