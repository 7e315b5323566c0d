// What carries the control protocol's lines: a Unix socket, or a WebSocket of the web panel.
using System.Net.Sockets;

namespace SspHost.Remote;

/// <summary>Bytes both ways. What is gone throws <see cref="IOException"/>, <see cref="SocketException"/> or <see cref="ObjectDisposedException"/>.</summary>
internal interface IWire
{
    /// <summary>Some bytes; 0: the other end has nothing more to say.</summary>
    ValueTask<int> ReceiveAsync(Memory<byte> buffer);

    /// <summary>Sends all of a line, its end included.</summary>
    ValueTask SendAsync(ReadOnlyMemory<byte> line);

    /// <summary>Ends it, at once.</summary>
    void Close();

    /// <summary>Whether who is at the other end may give a command.</summary>
    bool Allows(string command) => true;
}

/// <summary>A client of the control socket.</summary>
internal sealed class SocketWire : IWire
{
    private const int SendBufferBytes = 64 << 10;

    private readonly Socket _socket;

    public SocketWire(Socket socket)
    {
        _socket = socket;
        // What lies in the kernel is out of reach: the less, the newer is what a slow client reads.
        socket.SendBufferSize = SendBufferBytes;
    }

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer) => _socket.ReceiveAsync(buffer);

    public async ValueTask SendAsync(ReadOnlyMemory<byte> line)
    {
        while (!line.IsEmpty) line = line[await _socket.SendAsync(line)..];
    }

    public void Close() => _socket.Dispose();

    /// <summary>Says that there are too many clients, and closes.</summary>
    public static void TurnAway(Socket socket)
    {
        try
        {
            socket.Blocking = false;
            socket.Send(ControlReplies.TooManyClients);
        }
        catch (SocketException)
        {
            // It left already.
        }

        socket.Dispose();
    }
}

/// <summary>Of somebody who asks once: nothing is ever sent.</summary>
internal sealed class NoWire : IWire
{
    public static NoWire Instance { get; } = new();

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer) => new(0);

    public ValueTask SendAsync(ReadOnlyMemory<byte> line) => default;

    public void Close()
    {
    }
}
