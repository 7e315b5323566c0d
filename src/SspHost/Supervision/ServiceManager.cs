// The service manager that started this process: it is told when the music plays, and fed while it goes on (sd_notify(3)).
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace SspHost.Supervision;

/// <summary>
/// Datagrams to systemd's socket. One that cannot be sent is dropped: a manager that is gone is no reason to stop playing. [one thread]
/// </summary>
internal sealed class ServiceManager : IDisposable
{
    private const int MostStatus = 200;

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
    private readonly System.Net.EndPoint _to;
    private string _status = "";

    private ServiceManager(System.Net.EndPoint to, TimeSpan? watchdog) => (_to, Watchdog) = (to, watchdog);

    /// <summary>Within this time it wants to hear that all is well; null: it does not ask.</summary>
    public TimeSpan? Watchdog { get; }

    /// <summary>
    /// The manager that the environment names ($NOTIFY_SOCKET; $WATCHDOG_USEC where $WATCHDOG_PID is this process or nobody's); null: there is none.
    /// </summary>
    public static ServiceManager? Find(Func<string, string?> environment)
    {
        if (environment("NOTIFY_SOCKET") is not { Length: > 1 } name || name[0] is not ('/' or '@')) return null;
        if (Encoding.UTF8.GetByteCount(name) > 107) return null; // sun_path
        var path = name[0] == '@' ? "\0" + name[1..] : name; // the abstract name space
        return new ServiceManager(new UnixDomainSocketEndPoint(path), WatchdogOf(environment));
    }

    /// <summary>The music plays.</summary>
    public void Ready(string status) => Send("READY=1\n" + StatusLine(status));

    /// <summary>What `systemctl status` shows; sent where it has changed.</summary>
    public void Status(string status)
    {
        if (status == _status) return;
        Send(StatusLine(status));
    }

    /// <summary>All is well.</summary>
    public void Feed() => Send("WATCHDOG=1");

    /// <summary>It ends because it was told to.</summary>
    public void Stopping() => Send("STOPPING=1");

    public void Dispose() => _socket.Dispose();

    private static TimeSpan? WatchdogOf(Func<string, string?> environment)
    {
        if (environment("WATCHDOG_PID") is { Length: > 0 } pid && pid != Environment.ProcessId.ToString(CultureInfo.InvariantCulture)) return null;
        return long.TryParse(environment("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var us) && us > 0 ? TimeSpan.FromMicroseconds(us) : null;
    }

    private string StatusLine(string status)
    {
        _status = status;
        return "STATUS=" + Patching.PatchError.OneLine(status, MostStatus);
    }

    private void Send(string text)
    {
        try
        {
            _ = _socket.SendTo(Encoding.UTF8.GetBytes(text), _to);
        }
        catch (SocketException)
        {
            // Nobody listens, or it is busy: the next one says the same.
        }
    }
}
