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
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    private ControlServer(ControlTarget target, string path, Socket listener)
    {
        (_target, _path, _listener) = (target, path, listener);
        target.Session.Changed += OnChanged;
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

    /// <summary>Sends a report to whoever subscribed to "status".</summary>
    public void Publish(StatusReport report) => Send("status", () => ControlReplies.StatusEvent(report));

    /// <summary>Sends a line to whoever subscribed to "notices".</summary>
    public void Publish(string notice) => Send("notices", () => ControlReplies.NoticeEvent(notice));

    public void Dispose()
    {
        if (_stop.IsCancellationRequested) return;
        _target.Session.Changed -= OnChanged;
        _stop.Cancel();
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

            var client = new ControlConnection(socket, _target);
            bool welcome;
            lock (_lock)
            {
                welcome = _clients.Count < Protocol.MaxClients;
                if (welcome) _clients.Add(client);
            }

            if (welcome) _ = ServeAsync(client);
            else client.TurnAway();
        }
    }

    private async Task ServeAsync(ControlConnection client)
    {
        try
        {
            await client.ServeAsync();
        }
        finally
        {
            lock (_lock) _clients.Remove(client);
        }
    }

    private void OnChanged(object? sender, PatchChange change) => Send("patch", () => ControlReplies.PatchEvent(change));

    private void Send(string topic, Func<byte[]> make)
    {
        byte[]? line = null;
        lock (_lock)
        {
            foreach (var client in _clients)
            {
                if (!client.Subscribed(topic)) continue;
                client.Offer(line ??= make());
            }
        }
    }
}
