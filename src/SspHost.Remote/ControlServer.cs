// The control socket: one JSON message per line in, one per line out; a client that is slow or mad harms itself only.
using System.Net.Sockets;
using SspHost.Diagnostics;
using SspHost.Patching;

namespace SspHost.Remote;

/// <summary>Listens on a Unix socket until disposed.</summary>
public sealed class ControlServer : IDisposable
{
    private readonly ControlTarget _target;
    private readonly string _path;
    private readonly Socket _listener;
    private readonly Lock _lock = new();
    private readonly List<ControlConnection> _clients = [];
    private readonly Publisher _publisher;
    private long _connections;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    private ControlServer(ControlTarget target, string path, Socket listener)
    {
        (_target, _path, _listener) = (target, path, listener);
        _publisher = new Publisher(target);
        target.Session.Changed += OnChanged;
        target.Incidents.Listener = incident => Send("incidents", () => ControlReplies.IncidentEvent(incident));
        target.Log.Listener = line => Send("log", () => ControlReplies.LogEvent(line));
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Clients connected now.</summary>
    public int Clients
    {
        get
        {
            lock (_lock) return _clients.Count;
        }
    }

    /// <summary>Topics at rates that are being measured for somebody.</summary>
    public int Feeds => _publisher.Feeds;

    /// <summary>
    /// Listens at <paramref name="path"/>, replacing a socket that a dead server left. Throws <see cref="IOException"/> where a live one
    /// answers, or where the path is too long for a socket.
    /// </summary>
    public static ControlServer Start(string path, ControlTarget target)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            var address = Address(path);
            if (File.Exists(path))
            {
                if (Answers(address)) throw new IOException($"{path}: another host answers there");
                File.Delete(path);
            }

            listener.Bind(address);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen(Protocol.MaxClients);
            return new ControlServer(target, path, listener);
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw new IOException($"{path}: no socket can be made: {e.Message}", e);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (_stop.IsCancellationRequested) return;
        _target.Session.Changed -= OnChanged;
        _target.Incidents.Listener = null;
        _target.Log.Listener = null;
        _stop.Cancel();
        _publisher.Dispose();
        _listener.Dispose();
        try
        {
            _accepting.Wait();
        }
        catch (AggregateException)
        {
            // It ended by its cancellation.
        }

        ControlConnection[] clients;
        lock (_lock) clients = [.. _clients];
        foreach (var c in clients) c.Close();
        File.Delete(_path);
        _stop.Dispose();
    }

    internal static UnixDomainSocketEndPoint Address(string path)
    {
        try
        {
            return new UnixDomainSocketEndPoint(path);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new IOException($"{path}: too long for a socket (107 bytes at most); a shorter runtime directory is $SSP_RUNTIME", e);
        }
    }

    private static bool Answers(UnixDomainSocketEndPoint address)
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(address);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync(_stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(50); // out of descriptors: somebody has to leave first
                continue;
            }

            if (Join(new SocketWire(socket)) is { } client) _ = ServeAsync(client);
            else SocketWire.TurnAway(socket);
        }
    }

    /// <summary>A place for one more client; null: all are taken.</summary>
    internal ControlConnection? Join(IWire wire)
    {
        lock (_lock)
        {
            if (_clients.Count >= Protocol.MaxClients) return null;
            var client = new ControlConnection(wire, _target, this, Interlocked.Increment(ref _connections));
            _clients.Add(client);
            return client;
        }
    }

    /// <summary>Serves a client until it is gone.</summary>
    internal async Task ServeAsync(ControlConnection client)
    {
        try
        {
            await client.ServeAsync();
        }
        finally
        {
            lock (_lock) _clients.Remove(client);
            _publisher.Set(client, []);
        }
    }

    /// <summary>Answers one line of somebody who asks once and listens to nothing: the bytes are those that the socket would send.</summary>
    internal ValueTask<byte[]> AskAsync(string name, ReadOnlyMemory<byte> line) =>
        new ControlConnection(NoWire.Instance, _target, this, Interlocked.Increment(ref _connections)) { Name = name }.AskAsync(line);

    /// <summary>Replaces what a client listens to.</summary>
    internal void Subscribe(ControlConnection client, IReadOnlyList<Subscription> subscriptions) => _publisher.Set(client, subscriptions);

    /// <summary>Tells that the patch was saved, which changes nothing else about it.</summary>
    internal void TellSaved()
    {
        // Not made under our lock: it asks the session, which tells of changes under its own lock and then waits for ours. Made again where a
        // change came between, so that nobody hears of an older state after a newer one.
        var session = _target.Session;
        while (true)
        {
            var sequence = session.Sequence;
            var line = PatchEvents.Saved(session);
            lock (_lock)
            {
                if (session.Sequence != sequence) continue;
                Offer("patch", () => line);
                return;
            }
        }
    }

    private void OnChanged(object? sender, PatchChange change) => Send("patch", () => PatchEvents.Changed(change, _target.Session));

    private void Send(string topic, Func<byte[]> make)
    {
        lock (_lock) Offer(topic, make);
    }

    // Under the lock: a line is made for the first who wants it.
    private void Offer(string topic, Func<byte[]> make)
    {
        byte[]? line = null;
        foreach (var client in _clients)
        {
            if (client.Wants(topic) is not { } subscription) continue;
            client.Offer(subscription, line ??= make());
        }
    }
}
