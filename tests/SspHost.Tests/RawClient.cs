// A client that writes what it likes; what it reads is kept for the schema.
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace SspHost.Tests;

internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 120_000, SendTimeout = 120_000 };
    private readonly Action<string, string> _read;
    private readonly Queue<JsonElement> _events = [];
    private readonly byte[] _buffer = new byte[1 << 20];
    private int _length;
    private string _asked = "";

    /// <param name="read">Told each line, and the command it answers ("" where that is not known).</param>
    public RawClient(string path, Action<string, string> read)
    {
        _read = read;
        _socket.Connect(new UnixDomainSocketEndPoint(path));
    }

    /// <summary>Bytes that lie in the socket unread.</summary>
    public int Available => _socket.Available;

    public void Write(string text) => Write(Encoding.UTF8.GetBytes(text));

    public void Write(byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length;) sent += _socket.Send(bytes.AsSpan(sent));
    }

    /// <summary>Asks and reads its reply; what comes first is kept for <see cref="Read"/>.</summary>
    public JsonElement Ask(string line)
    {
        _asked = CommandOf(line);
        Write(line + "\n");
        JsonElement reply;
        while (!(reply = Next()).TryGetProperty("ok", out _)) _events.Enqueue(reply);
        _asked = "";
        return reply;
    }

    /// <summary>The next line, what was passed over first.</summary>
    public JsonElement Read() => _events.TryDequeue(out var passed) ? passed : Next();

    /// <summary>The next event of a topic; others are passed over for good.</summary>
    public JsonElement Event(string topic)
    {
        while (true)
        {
            var e = Read();
            if (e.TryGetProperty("event", out var name) && name.GetString() == topic) return e.GetProperty("data");
        }
    }

    public void Dispose() => _socket.Dispose();

    private static string CommandOf(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement.GetProperty("command").GetString() ?? "";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return "";
        }
    }

    private JsonElement Next()
    {
        while (true)
        {
            var end = _buffer.AsSpan(0, _length).IndexOf((byte)'\n');
            if (end >= 0)
            {
                var line = _buffer.AsSpan(0, end).ToArray();
                _buffer.AsSpan(end + 1, _length - end - 1).CopyTo(_buffer);
                _length -= end + 1;
                _read(Encoding.UTF8.GetString(line), _asked);
                using var document = JsonDocument.Parse(line);
                return document.RootElement.Clone();
            }

            var got = _socket.Receive(_buffer.AsSpan(_length));
            Assert.True(got > 0, "the server closed the connection");
            _length += got;
        }
    }
}
