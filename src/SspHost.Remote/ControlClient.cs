// The other end of the control socket, as the commands use it: ask one thing, wait for its answer.
using System.Buffers;
using System.Net.Sockets;
using System.Text.Json;
using SspHost.Patching;

namespace SspHost.Remote;

/// <summary>The host refused, and says why.</summary>
public sealed class ControlRefusedException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;
}

/// <summary>A connection to a running host. Not thread-safe.</summary>
public sealed class ControlClient : IDisposable
{
    private readonly Socket _socket;
    private byte[] _buffer = new byte[8192];
    private int _length;
    private bool _ended;
    private readonly Queue<JsonElement> _events = [];
    private long _nextId;

    private ControlClient(Socket socket) => _socket = socket;

    /// <summary>
    /// Connects to the host of a runtime directory; null if none listens there. Throws <see cref="IOException"/> if what answers is no
    /// host or speaks another version.
    /// </summary>
    public static ControlClient? TryConnect(string runtime, TimeSpan timeout)
    {
        var path = Path.Combine(runtime, Protocol.SocketName);
        if (!File.Exists(path)) return null;
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        {
            ReceiveTimeout = (int)timeout.TotalMilliseconds,
            SendTimeout = (int)timeout.TotalMilliseconds,
        };
        try
        {
            socket.Connect(ControlServer.Address(path));
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }

        var client = new ControlClient(socket);
        try
        {
            using var hello = client.ReadLine();
            if (hello.RootElement.TryGetProperty("error", out var error)) throw new IOException($"{path}: {Text(error, "message")}");
            if (!hello.RootElement.TryGetProperty("hello", out var h) || !h.TryGetProperty("protocol", out var p) || !p.TryGetInt32(out var version))
                throw new IOException($"{path}: what answers there is no SspHost");
            if (version != Protocol.Version) throw new IOException($"{path}: the host speaks protocol {version}, this program {Protocol.Version}.{Protocol.Minor}");
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Asks and returns the result. <paramref name="fields"/> writes the command's fields. Throws <see cref="ControlRefusedException"/>
    /// with the host's reason, <see cref="IOException"/> if it is gone or silent for too long.
    /// </summary>
    public JsonElement Ask(string command, Action<Utf8JsonWriter>? fields = null)
    {
        var id = ++_nextId;
        var line = new ArrayBufferWriter<byte>(256);
        using (var w = new Utf8JsonWriter(line))
        {
            w.WriteStartObject();
            w.WriteNumber("id", id);
            w.WriteString("command", command);
            fields?.Invoke(w);
            w.WriteEndObject();
        }

        line.Write("\n"u8);
        try
        {
            for (var sent = 0; sent < line.WrittenCount;) sent += _socket.Send(line.WrittenSpan[sent..]);
            while (true)
            {
                using var answer = ReadLine();
                var root = answer.RootElement;
                if (!root.TryGetProperty("ok", out var ok))
                {
                    _events.Enqueue(root.Clone());
                    continue;
                }

                if (ok.ValueKind == JsonValueKind.True) return root.GetProperty("result").Clone();
                var error = root.GetProperty("error");
                throw new ControlRefusedException(Text(error, "code"), Text(error, "message"));
            }
        }
        catch (SocketException e)
        {
            throw new IOException($"the host does not answer: {e.Message}", e);
        }
    }

    /// <summary>Subscribes to topics as they come, and to one that shows a state so many times a second.</summary>
    public void Subscribe(params ReadOnlySpan<(string Topic, double Rate)> topics)
    {
        var list = topics.ToArray();
        Ask("subscribe", w =>
        {
            w.WriteStartArray("to");
            foreach (var (topic, rate) in list)
            {
                w.WriteStartObject();
                w.WriteString("topic", topic);
                if (rate > 0) w.WriteNumber("rate", rate);
                w.WriteEndObject();
            }

            w.WriteEndArray();
        });
    }

    /// <summary>The next event, however long it takes; null once the host has ended.</summary>
    public JsonElement? NextEvent()
    {
        if (_events.TryDequeue(out var waiting)) return waiting;
        _socket.ReceiveTimeout = 0;
        try
        {
            while (true)
            {
                using var line = ReadLine();
                if (line.RootElement.TryGetProperty("event", out _)) return line.RootElement.Clone();
            }
        }
        catch (IOException) when (_ended)
        {
            return null;
        }
    }

    public void Dispose() => _socket.Dispose();

    private static string Text(JsonElement e, string field) => e.TryGetProperty(field, out var t) && t.ValueKind == JsonValueKind.String ? PatchError.OneLine(t.GetString()!, 2000) : "";

    private JsonDocument ReadLine()
    {
        while (true)
        {
            var end = _buffer.AsSpan(0, _length).IndexOf((byte)'\n');
            if (end >= 0)
            {
                var line = _buffer.AsSpan(0, end).ToArray();
                _buffer.AsSpan(end + 1, _length - end - 1).CopyTo(_buffer);
                _length -= end + 1;
                try
                {
                    return JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 128 });
                }
                catch (JsonException e)
                {
                    throw new IOException($"the host sent what is no message: {e.Message}", e);
                }
            }

            if (_length == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
            int got;
            try
            {
                got = _socket.Receive(_buffer.AsSpan(_length));
            }
            catch (SocketException e)
            {
                throw new IOException($"the host does not answer: {e.Message}", e);
            }

            if (got == 0)
            {
                _ended = true;
                throw new IOException("the host closed the connection");
            }

            _length += got;
        }
    }
}
