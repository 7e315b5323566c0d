// One client of the control protocol: its lines in, its queue out, its subscriptions.
using System.Net.Sockets;

namespace SspHost.Remote;

/// <summary>
/// Reads lines and answers them one after the other; everything sent goes through a queue with a limit, so that nobody ever waits
/// for this client.
/// </summary>
internal sealed class ControlConnection
{
    private const int TellDroppedMs = 1000;

    private readonly IWire _wire;
    private readonly ControlTarget _target;
    private readonly ControlServer _server;
    private readonly Outbox _outbox = new();
    private volatile IReadOnlyList<Subscription> _subscriptions = [];
    private volatile bool _closed;
    private int _telling;

    public ControlConnection(IWire wire, ControlTarget target, ControlServer server, long number) => (_wire, _target, _server, Number) = (wire, target, server, number);

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

    public void Close()
    {
        _closed = true;
        _wire.Close();
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

            var got = await _wire.ReceiveAsync(buffer.AsMemory(length));
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

    private async ValueTask<bool> AnswerAsync(ReadOnlyMemory<byte> line) => Enqueue(await AskAsync(line));

    /// <summary>Does what a line asks; its reply, whatever happens.</summary>
    public async ValueTask<byte[]> AskAsync(ReadOnlyMemory<byte> line)
    {
        var id = "null";
        try
        {
            using var message = Message.Parse(line, out id);
            if (!_wire.Allows(message.Command)) throw ProtocolException.Refused($"'{message.Command}' is not done from here, but by the control socket");
            return message.Command == "trace" ? await ControlReplies.TraceAsync(id, message, _target) : ControlReplies.Answer(id, message, _target, this);
        }
        catch (ProtocolException e)
        {
            return ControlReplies.Error(id, e.Code, e.Message);
        }
        catch (Exception e)
        {
            // A defect of ours must not leave a client waiting for ever, or take the music's host down.
            return ControlReplies.Error(id, "internal", $"{e.GetType().Name}: {e.Message}");
        }
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
            await _outbox.DrainAsync(_wire.SendAsync);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            Close();
        }
    }
}
