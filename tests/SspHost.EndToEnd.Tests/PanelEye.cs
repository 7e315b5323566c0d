// Somebody at the panel in a browser, without the browser: sees what is drawn, presses keys.
using System.Buffers.Binary;
using System.Net.WebSockets;
using SspHost.Panel.Surface;
using SspHost.Remote.Web;
using Key = SspHost.Panel.Surface.Control;

namespace SspHost.EndToEnd.Tests;

/// <summary>Takes every frame, on a task of its own, as fast as they come.</summary>
internal sealed class PanelEye : IDisposable
{
    private const int BarTop = PanelSize.Height - 48; // the labels of the soft keys

    private ClientWebSocket _socket = new();
    private readonly byte[] _buffer = new byte[4 << 20];
    private readonly uint[] _pixels = new uint[PanelSize.Width * PanelSize.Height];
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly Task _looking;
    private long _frames;

    public PanelEye(string address)
    {
        Eventually.True(() => TryConnect(address), $"{address}: the panel is served");
        _looking = Task.Run(LookAsync);
    }

    /// <summary>Frames seen.</summary>
    public long Frames => Interlocked.Read(ref _frames);

    /// <summary>The labels of the soft keys, as they are drawn now: they tell one page from another.</summary>
    public uint[] Bar()
    {
        lock (_lock) return _pixels[(BarTop * PanelSize.Width)..];
    }

    /// <summary>Presses keys one after the other, each within the one before, and lets go of them again.</summary>
    public async Task PressAsync(params Key[] chord)
    {
        foreach (var key in chord) await SendAsync(1, (byte)key);
        foreach (var key in chord.Reverse()) await SendAsync(2, (byte)key);
    }

    public void Dispose()
    {
        _socket.Abort();
        try
        {
            _looking.Wait();
        }
        catch (AggregateException)
        {
            // The host is gone, which is what was tested.
        }

        _socket.Dispose();
        _sending.Dispose();
    }

    private bool TryConnect(string address)
    {
        try
        {
            _socket.ConnectAsync(new Uri($"ws://{address}/panel"), CancellationToken.None).Wait();
            return true;
        }
        catch (AggregateException e) when (e.InnerException is WebSocketException)
        {
            _socket.Dispose();
            _socket = new ClientWebSocket(); // one that could not connect never will
            return false;
        }
    }

    private async Task SendAsync(params byte[] message)
    {
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task LookAsync()
    {
        var tile = new uint[TileCode.Pixels];
        while (true)
        {
            var length = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await _socket.ReceiveAsync(_buffer.AsMemory(length), CancellationToken.None);
                length += part.Count;
            }
            while (!part.EndOfMessage);
            if (part.MessageType == WebSocketMessageType.Close) return;
            if (_buffer[0] != 1) continue;
            Take(_buffer.AsSpan(6, length - 6), tile);
            Interlocked.Increment(ref _frames);
            await SendAsync(0);
        }
    }

    private void Take(ReadOnlySpan<byte> tiles, uint[] tile)
    {
        lock (_lock)
        {
            while (!tiles.IsEmpty)
            {
                var number = BinaryPrimitives.ReadUInt16LittleEndian(tiles);
                var read = TileCode.Decode(tiles[2..], tile);
                Assert.True(read > 0);
                tiles = tiles[(2 + read)..];
                var (x, y) = (number % SharedPicture.Columns * TileCode.Width, number / SharedPicture.Columns * TileCode.Height);
                for (var row = 0; row < TileCode.Height; row++)
                    tile.AsSpan(row * TileCode.Width, TileCode.Width).CopyTo(_pixels.AsSpan(((y + row) * PanelSize.Width) + x));
            }
        }
    }
}
