// The control protocol over a WebSocket: a line is a text message, without its end.
using System.Net.WebSockets;

namespace SspHost.Remote.Web;

/// <summary>One client of /api/events. It may look and change the patch; what names files of this machine, or ends the host, it may not.</summary>
internal sealed class WebSocketWire(WebSocket socket, CancellationToken ended) : IWire
{
    private static readonly string[] Refused = ["load", "save", "record", "recordStop", "trace", "loads", "reload", "tracing", "quit"];

    private bool _endOwed;

    public bool Allows(string command) => !Refused.Contains(command, StringComparer.Ordinal);

    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer)
    {
        try
        {
            while (!_endOwed)
            {
                var part = await socket.ReceiveAsync(buffer, ended);
                if (part.MessageType != WebSocketMessageType.Text) return 0; // it closes, or speaks of something else
                _endOwed = part.EndOfMessage;
                if (part.Count > 0) return part.Count;
            }

            _endOwed = false;
            buffer.Span[0] = (byte)'\n';
            return 1;
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            throw new IOException("the client is gone", e);
        }
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> line)
    {
        try
        {
            await socket.SendAsync(line[..^1], WebSocketMessageType.Text, endOfMessage: true, ended);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or InvalidOperationException)
        {
            throw new IOException("the client is gone", e);
        }
    }

    public void Close() => socket.Abort();
}
