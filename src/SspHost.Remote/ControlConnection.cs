// One client of the control socket: its lines in, its queue out, its subscriptions.
using System.Net.Sockets;
using System.Threading.Channels;

namespace SspHost.Remote;

/// <summary>
/// Reads lines and answers them one after the other; everything sent goes through a queue with a limit, so that nobody ever waits
/// for this client.
/// </summary>
internal sealed class ControlConnection
{
    private readonly Socket _socket;
    private readonly ControlTarget _target;
    private readonly Channel<byte[]> _queue = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });
    private volatile IReadOnlyList<string> _topics = [];
    private long _backlog;
    private long _dropped;

    public ControlConnection(Socket socket, ControlTarget target) => (_socket, _target) = (socket, target);

    public bool Subscribed(string topic) => _topics.Contains(topic, StringComparer.Ordinal);

    /// <summary>Offers an event: left out and counted while the client is behind.</summary>
    public void Offer(byte[] line)
    {
        if (Interlocked.Read(ref _backlog) > Protocol.EventBacklog)
        {
            Interlocked.Increment(ref _dropped);
            return;
        }

        if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var lost) Enqueue(ControlReplies.DroppedEvent(lost));
        Enqueue(line);
    }

    /// <summary>Says that there are too many clients, and closes.</summary>
    public void TurnAway()
    {
        try
        {
            _socket.Blocking = false;
            _socket.Send(ControlReplies.Error("null", "too-many-clients", $"{Protocol.MaxClients} clients are connected, which is the limit"));
        }
        catch (SocketException)
        {
            // It left already.
        }

        Close();
    }

    public void Close() => _socket.Dispose();

    public async Task ServeAsync()
    {
        Enqueue(ControlReplies.Hello(_target.Version));
        var writing = Task.Run(WriteAsync);
        try
        {
            await ReadAsync();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            // The client is gone; so is what it still wanted to know.
        }
        finally
        {
            _queue.Writer.TryComplete();
            await writing;
            Close();
        }
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[8192];
        var length = 0;
        while (true)
        {
            if (length == buffer.Length)
            {
                if (length >= Protocol.MaxLine)
                {
                    Enqueue(ControlReplies.Error("null", "line-too-long", $"a line has at most {Protocol.MaxLine} bytes; the connection ends here"));
                    return;
                }

                Array.Resize(ref buffer, Math.Min(buffer.Length * 2, Protocol.MaxLine));
            }

            var got = await _socket.ReceiveAsync(buffer.AsMemory(length));
            if (got == 0) return; // a last line without an end is no line
            var searched = length;
            length += got;
            var start = 0;
            int end;
            while ((end = buffer.AsSpan(Math.Max(start, searched), length - Math.Max(start, searched)).IndexOf((byte)'\n')) >= 0)
            {
                end += Math.Max(start, searched);
                var line = buffer.AsMemory(start, end - start);
                if (line.Span.TrimEnd((byte)'\r').Length > 0 && !Answer(line)) return;
                start = end + 1;
            }

            buffer.AsSpan(start, length - start).CopyTo(buffer);
            length -= start;
            if (buffer.Length > 1 << 16 && length < 8192) Array.Resize(ref buffer, 8192); // a big patch came and went
        }
    }

    private bool Answer(ReadOnlyMemory<byte> line)
    {
        var id = "null";
        byte[] reply;
        try
        {
            using var message = Message.Parse(line, out id);
            reply = ControlReplies.Answer(id, message, _target, topics => _topics = topics);
        }
        catch (ProtocolException e)
        {
            reply = ControlReplies.Error(id, e.Code, e.Message);
        }
        catch (Exception e)
        {
            // A defect of ours must not leave a client waiting for ever, or take the music's host down.
            reply = ControlReplies.Error(id, "internal", $"{e.GetType().Name}: {e.Message}");
        }

        return Enqueue(reply);
    }

    private bool Enqueue(byte[] line)
    {
        if (Interlocked.Add(ref _backlog, line.Length) > Protocol.MaxBacklog)
        {
            Close(); // it asks and does not read: nothing can be said to it any more
            return false;
        }

        return _queue.Writer.TryWrite(line);
    }

    private async Task WriteAsync()
    {
        try
        {
            await foreach (var line in _queue.Reader.ReadAllAsync())
            {
                for (var sent = 0; sent < line.Length;) sent += await _socket.SendAsync(line.AsMemory(sent));
                Interlocked.Add(ref _backlog, -line.Length);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Close();
        }
    }
}
