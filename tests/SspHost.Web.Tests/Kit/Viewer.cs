// A viewer without a browser: takes frames as the page does, and puts them together by the codec's own reader.
using System.Buffers.Binary;
using System.Net.WebSockets;
using SspHost.Panel.Surface;
using SspHost.Remote.Web;

namespace SspHost.Web.Tests.Kit;

internal sealed class Viewer(ClientWebSocket socket) : IDisposable
{
    private readonly byte[] _buffer = new byte[4 << 20];

    public uint[] Pixels { get; } = new uint[PanelSize.Width * PanelSize.Height];

    public bool Text { get; private set; }

    /// <summary>Bytes and tiles of the frame that came last.</summary>
    public (int Bytes, int Tiles) Last { get; private set; }

    /// <summary>The number of that frame.</summary>
    public uint Number { get; private set; }

    public static async Task<Viewer> JoinAsync(WebRig rig, Slowness? slow = null)
    {
        var viewer = new Viewer(await rig.ConnectAsync("/panel", slow));
        Assert.Equal(9, await viewer.ReceiveAsync());
        Assert.Equal<byte>([0, 0x40, 0x06, 0xE0, 0x01, 64, 0, 16, 0], viewer._buffer[..9]);
        return viewer;
    }

    /// <summary>The next frame; false: the host has closed.</summary>
    public async Task<bool> FrameAsync(bool another = true)
    {
        var length = await ReceiveAsync();
        if (length < 0) return false;
        Assert.Equal(1, _buffer[0]);
        Number = BinaryPrimitives.ReadUInt32LittleEndian(_buffer.AsSpan(1));
        Text = (_buffer[5] & 1) != 0;
        var tile = new uint[TileCode.Pixels];
        var tiles = 0;
        for (var at = 6; at < length; tiles++)
        {
            var number = BinaryPrimitives.ReadUInt16LittleEndian(_buffer.AsSpan(at));
            var read = TileCode.Decode(_buffer.AsSpan(at + 2, length - at - 2), tile);
            Assert.True(read > 0);
            at += 2 + read;
            var (x, y) = (number % SharedPicture.Columns * TileCode.Width, number / SharedPicture.Columns * TileCode.Height);
            for (var row = 0; row < TileCode.Height; row++) tile.AsSpan(row * TileCode.Width, TileCode.Width).CopyTo(Pixels.AsSpan(((y + row) * PanelSize.Width) + x));
        }

        Last = (length, tiles);
        if (another) await SendAsync(0);
        return true;
    }

    public Task SendAsync(params byte[] bytes) => socket.SendAsync(bytes, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);

    /// <summary>Reads until the host closes, and why it did.</summary>
    public async Task<WebSocketCloseStatus?> EndAsync()
    {
        while (await ReceiveAsync() >= 0)
        {
            // Frames that were on their way.
        }

        return socket.CloseStatus;
    }

    public void Abort() => socket.Abort();

    public void Dispose() => socket.Dispose();

    private async Task<int> ReceiveAsync()
    {
        var length = 0;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var part = await socket.ReceiveAsync(_buffer.AsMemory(length), patience.Token);
            if (part.MessageType == WebSocketMessageType.Close) return -1;
            length += part.Count;
            if (part.EndOfMessage) return length;
        }
    }
}
