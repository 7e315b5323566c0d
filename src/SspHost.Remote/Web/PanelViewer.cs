// One browser that looks at the panel: frames out, when it is ready for one; what its player does in.
using System.Buffers;
using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Text;
using SspHost.Abi;
using SspHost.Panel.Surface;

namespace SspHost.Remote.Web;

/// <summary>
/// Messages are binary. To the browser: 0, then width, height, tile width, tile height (two bytes each, the low one first); 1, the frame's number
/// (four bytes), flags (1: characters are text), tiles. From it: 0 one more frame is welcome; 1 press, 2 release, each with a control; 3 turn, with
/// a control and detents (signed); 4 a character, with its code point (four bytes). Anything else ends the connection.
/// </summary>
internal sealed class PanelViewer(PanelViewers viewers, WebSocket socket, byte source) : IDisposable
{
    private const int Ahead = 2; // frames on their way: one being drawn, one under way
    private const int LongestMessage = 5;
    private const double MostEvents = 500; // a second: more than two hands do
    private const byte TextFlag = 1;

    private readonly SemaphoreSlim _wake = new(1);
    private readonly ArrayBufferWriter<byte> _message = new(64 << 10);
    private readonly uint[] _scratch = new uint[SharedPicture.Columns * TileCode.Pixels];
    private int _welcome = Ahead;
    private double _tokens = MostEvents;
    private ulong _filled = Linux.Now();

    /// <summary>Its number among the sources of control events.</summary>
    public byte Source => source;

    /// <summary>There may be something to send. From any thread, never waits.</summary>
    public void Wake()
    {
        try
        {
            if (_wake.CurrentCount == 0) _wake.Release();
        }
        catch (ObjectDisposedException)
        {
            // It left at this moment.
        }
    }

    public void Close() => socket.Abort();

    public async Task RunAsync(CancellationToken ended)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ended);
        var sending = SendAsync(stop.Token);
        try
        {
            await ReceiveAsync(stop.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // It is gone, as browsers go: without a word.
        }
        finally
        {
            await stop.CancelAsync();
            await sending;
        }
    }

    public void Dispose() => _wake.Dispose();

    private async Task SendAsync(CancellationToken stop)
    {
        try
        {
            await socket.SendAsync(Hello(), WebSocketMessageType.Binary, endOfMessage: true, stop);
            var (seen, text) = (0L, false);
            while (true)
            {
                await _wake.WaitAsync(stop);
                if (Volatile.Read(ref _welcome) == 0 || (viewers.Picture.Frame == seen && viewers.Text == text)) continue;
                text = viewers.Text;
                seen = Write(seen, text);
                Interlocked.Decrement(ref _welcome);
                await socket.SendAsync(_message.WrittenMemory, WebSocketMessageType.Binary, endOfMessage: true, stop);
                if (viewers.Picture.Frame != seen) Wake();
            }
        }
        catch (OperationCanceledException)
        {
            // The other half has ended, and said why.
        }
        catch (Exception e) when (e is WebSocketException or ObjectDisposedException or InvalidOperationException)
        {
            socket.Abort(); // so that the other half ends, too
        }
    }

    private long Write(long seen, bool text)
    {
        _message.ResetWrittenCount();
        var head = _message.GetSpan(6);
        head[0] = 1;
        head[5] = text ? TextFlag : (byte)0;
        _message.Advance(6);
        var frame = viewers.Picture.Write(seen, _scratch, _message);
        // Written into what is there by now: the buffer may have grown.
        BinaryPrimitives.WriteUInt32LittleEndian(System.Runtime.InteropServices.MemoryMarshal.AsMemory(_message.WrittenMemory).Span[1..], (uint)frame);
        return frame;
    }

    private static byte[] Hello()
    {
        var hello = new byte[9];
        ReadOnlySpan<ushort> sizes = [PanelSize.Width, PanelSize.Height, TileCode.Width, TileCode.Height];
        for (var i = 0; i < sizes.Length; i++) BinaryPrimitives.WriteUInt16LittleEndian(hello.AsSpan(1 + (2 * i)), sizes[i]);
        return hello;
    }

    private async Task ReceiveAsync(CancellationToken stop)
    {
        var buffer = new byte[LongestMessage + 1];
        while (true)
        {
            var length = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                if (length == buffer.Length)
                {
                    await RefuseAsync(WebSocketCloseStatus.MessageTooBig, "no message is that long", stop);
                    return;
                }

                part = await socket.ReceiveAsync(buffer.AsMemory(length), stop);
                length += part.Count;
            }
            while (!part.EndOfMessage);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, statusDescription: null, stop);
                return;
            }

            if (part.MessageType != WebSocketMessageType.Binary || !Admit() || !Heard(buffer.AsSpan(0, length)))
            {
                await RefuseAsync(WebSocketCloseStatus.PolicyViolation, "that is nothing a panel has", stop);
                return;
            }
        }
    }

    private async Task RefuseAsync(WebSocketCloseStatus why, string text, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(TimeSpan.FromSeconds(2)); // who sends such things may not read either
        await socket.CloseOutputAsync(why, text, patience.Token);
    }

    private bool Admit()
    {
        var now = Linux.Now();
        _tokens = Math.Min(MostEvents, _tokens + ((now - _filled) / 1e9 * MostEvents));
        _filled = now;
        return --_tokens >= 0;
    }

    private bool Heard(ReadOnlySpan<byte> m)
    {
        switch (m)
        {
            case [0]:
                if (Volatile.Read(ref _welcome) >= Ahead) return false; // it never got that many
                Interlocked.Increment(ref _welcome);
                Wake();
                return true;
            case [1 or 2, < Controls.Count]:
                Tell((Control)m[1], m[0] == 1 ? ControlAction.Press : ControlAction.Release, 0);
                return true;
            case [3, < Controls.Encoders, not 0]:
                Tell((Control)m[1], ControlAction.Turn, (sbyte)m[2]);
                return true;
            case [4, _, _, _, _] when BinaryPrimitives.ReadUInt32LittleEndian(m[1..]) is var code && Rune.IsValid(code):
                Tell(default, ControlAction.Type, (int)code);
                return true;
            default:
                return false;
        }
    }

    private void Tell(Control control, ControlAction action, int value) => viewers.Put(new ControlEvent(control, action, value, Linux.Now(), source));
}
