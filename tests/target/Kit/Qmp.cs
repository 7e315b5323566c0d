// QEMU's monitor: JSON over a socket, one command at a time; events in between are passed over.
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace SspHost.Target.Kit;

/// <summary>A connection to a running machine.</summary>
internal sealed class Qmp : IDisposable
{
    private readonly Socket _socket;
    private readonly StreamReader _reader;

    private Qmp(Socket socket)
    {
        _socket = socket;
        _reader = new StreamReader(new NetworkStream(socket), Encoding.UTF8);
    }

    /// <summary>Connects to the socket that -qmp named; throws <see cref="SocketException"/> while there is none.</summary>
    public static Qmp Connect(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 60_000 };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            var qmp = new Qmp(socket);
            _ = qmp._reader.ReadLine(); // the greeting
            _ = qmp.Ask("qmp_capabilities");
            return qmp;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Runs a command and returns what it returns; throws <see cref="IOException"/> with QEMU's words where it fails.</summary>
    public JsonElement Ask(string command, object? arguments = null)
    {
        var line = arguments is null
            ? JsonSerializer.Serialize(new { execute = command })
            : JsonSerializer.Serialize(new { execute = command, arguments });
        _socket.Send(Encoding.UTF8.GetBytes(line + "\n"));
        while (_reader.ReadLine() is { } answer)
        {
            using var json = JsonDocument.Parse(answer);
            if (json.RootElement.TryGetProperty("return", out var value)) return value.Clone();
            if (json.RootElement.TryGetProperty("error", out var error)) throw new IOException($"{command}: {error.GetProperty("desc").GetString()}");
        }

        throw new IOException($"{command}: the machine has ended");
    }

    /// <summary>A line of the human monitor, for what QMP itself cannot.</summary>
    public string Human(string line) => Ask("human-monitor-command", new Dictionary<string, string> { ["command-line"] = line }).GetString() ?? "";

    public void Dispose()
    {
        _reader.Dispose();
        _socket.Dispose();
    }
}
