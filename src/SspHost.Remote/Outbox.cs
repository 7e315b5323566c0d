// What waits to be sent to one client: bounded, whatever it does not read.
using System.Threading.Channels;

namespace SspHost.Remote;

/// <summary>
/// Replies and events in the order in which they came. Of a topic that shows a state only the newest message waits, in the place of the
/// first; events beyond a limit are counted instead of kept; so many replies that are not read end the connection. Nobody ever waits here.
/// </summary>
internal sealed class Outbox
{
    private readonly Channel<(byte[]? Line, int Slot)> _queue = Channel.CreateUnbounded<(byte[]?, int)>(new UnboundedChannelOptions { SingleReader = true });
    private readonly byte[]?[] _newest = new byte[]?[Topic.Slots];
    private readonly Lock _lock = new();
    private SortedDictionary<string, long> _dropped = new(StringComparer.Ordinal);
    private long _backlog;

    /// <summary>Queues a reply; false: far too many wait.</summary>
    public bool Reply(byte[] line)
    {
        if (Interlocked.Add(ref _backlog, line.Length) > Protocol.MaxBacklog) return false;
        return _queue.Writer.TryWrite((line, -1));
    }

    /// <summary>Queues the state of a topic, in place of the one that still waits.</summary>
    public void Newest(int slot, byte[] line)
    {
        if (Interlocked.Exchange(ref _newest[slot], line) == null) _queue.Writer.TryWrite((null, slot));
    }

    /// <summary>Queues an event, or counts it where the client is behind; false: counted.</summary>
    public bool Event(string topic, byte[] line, bool admitted)
    {
        if (!admitted || Interlocked.Read(ref _backlog) > Protocol.EventBacklog)
        {
            lock (_lock) _dropped[topic] = _dropped.GetValueOrDefault(topic) + 1;
            return false;
        }

        TellDropped();
        Reply(line);
        return true;
    }

    /// <summary>Queues how many events were left out since it was last told; false: the client is still behind.</summary>
    public bool TellDropped()
    {
        SortedDictionary<string, long> dropped;
        lock (_lock)
        {
            if (_dropped.Count == 0) return true;
            if (Interlocked.Read(ref _backlog) > Protocol.EventBacklog) return false;
            (dropped, _dropped) = (_dropped, new SortedDictionary<string, long>(StringComparer.Ordinal));
        }

        Reply(ControlReplies.DroppedEvent(dropped));
        return true;
    }

    /// <summary>Nothing more comes.</summary>
    public void Complete() => _queue.Writer.TryComplete();

    /// <summary>Sends what comes until <see cref="Complete"/>.</summary>
    public async Task DrainAsync(Func<ReadOnlyMemory<byte>, ValueTask> send)
    {
        await foreach (var (line, slot) in _queue.Reader.ReadAllAsync())
        {
            if (line == null)
            {
                if (Interlocked.Exchange(ref _newest[slot], value: null) is { } newest) await send(newest);
                continue;
            }

            await send(line);
            Interlocked.Add(ref _backlog, -line.Length);
        }
    }
}
