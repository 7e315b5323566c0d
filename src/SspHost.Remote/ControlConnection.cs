// One client of the control socket: its lines in, its queue out, its subscriptions.
using System.Net.Sockets;

namespace SspHost.Remote;

/// <summary>
/// Reads lines and answers them one after the other; everything sent goes through a queue with a limit, so that nobody ever waits
/// for this client.
/// </summary>
internal sealed class ControlConnection
{
    private const int SendBufferBytes = 64 << 10;
    private const int TellDroppedMs = 1000;

    private readonly Socket _socket;
    private readonly ControlTarget _target;
    private readonly ControlServer _server;
    private readonly Outbox _outbox = new();
    private volatile IReadOnlyList<Subscription> _subscriptions = [];
    private volatile bool _closed;
    private int _telling;

    public ControlConnection(Socket socket, ControlTarget target, ControlServer server, long number)
    {
        (_socket, _target, _server, Number) = (socket, target, server, number);
        // What lies in the kernel is out of reach: the less, the newer is what a slow client reads.
        socket.SendBufferSize = SendBufferBytes;
    }

    /// <summary>Number of the connection, 1 and up.</summary>
    public long Number { get; }

    /// <summary>What the client calls itself.</summary>
    public string Name { get; set; } = "";

    /// <summary>The client's subscription to a topic, if it has one.</summary>
    public Subscription? Wants(string topic)
    {
        foreach (var s in _subscriptions)
            if (s.Topic.Name == topic) return s;
        return null;
    }

    /// <summary>Replaces what the client hears of.</summary>
    public void Subscribe(IReadOnlyList<Subscription> subscriptions)
    {
        _subscriptions = subscriptions;
        _server.Subscribe(this, subscriptions);
    }

    /// <summary>The host's other clients hear of a save, too.</summary>
    public void TellSaved() => _server.TellSaved();

    /// <summary>Offers the state of a topic, which replaces the one that still waits.</summary>
    public void Newest(Topic topic, byte[] line)
    {
        if (!_closed && Wants(topic.Name) != null) _outbox.Newest(topic.Slot, line);
    }

    /// <summary>Offers an event: left out and counted while the client is behind, or wants fewer.</summary>
    public void Offer(Subscription subscription, byte[] line)
    {
        if (_outbox.Event(subscription.Topic.Name, line, subscription.Admit())) return;
        if (Interlocked.Exchange(ref _telling, 1) == 0) _ = TellDroppedAsync();
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

    public void Close()
    {
        _closed = true;
        _socket.Dispose();
    }

    public async Task ServeAsync()
    {
        Enqueue(ControlReplies.Hello(_target.Version, Number));
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
            _outbox.Complete();
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
                if (line.Span.TrimEnd((byte)'\r').Length > 0 && !await AnswerAsync(line)) return;
                start = end + 1;
            }

            buffer.AsSpan(start, length - start).CopyTo(buffer);
            length -= start;
            if (buffer.Length > 1 << 16 && length < 8192) Array.Resize(ref buffer, 8192); // a big patch came and went
        }
    }

    private async ValueTask<bool> AnswerAsync(ReadOnlyMemory<byte> line)
    {
        var id = "null";
        byte[] reply;
        try
        {
            using var message = Message.Parse(line, out id);
            reply = message.Command == "trace" ? await ControlReplies.TraceAsync(id, message, _target) : ControlReplies.Answer(id, message, _target, this);
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
        if (_outbox.Reply(line)) return true;
        Close(); // it asks and does not read: nothing can be said to it any more
        return false;
    }

    // What was left out is told with the next event that is not, or here, once the client has caught up.
    private async Task TellDroppedAsync()
    {
        do await Task.Delay(TellDroppedMs);
        while (!_closed && !_outbox.TellDropped());
        Interlocked.Exchange(ref _telling, 0);
    }

    private async Task WriteAsync()
    {
        try
        {
            await _outbox.DrainAsync(async line =>
            {
                for (var sent = 0; sent < line.Length;) sent += await _socket.SendAsync(line[sent..]);
            });
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Close();
        }
    }
}
