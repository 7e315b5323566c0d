// The control socket as any client sees it: a request, a reply.
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace SspHost.EndToEnd.Tests;

internal sealed class Control : IDisposable
{
    private readonly StreamReader _reader;
    private readonly StreamWriter _writer;

    public Control(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Eventually.True(
            () =>
            {
                try
                {
                    socket.Connect(new UnixDomainSocketEndPoint(path));
                    return true;
                }
                catch (SocketException)
                {
                    return false;
                }
            },
            "the control socket");
        var stream = new NetworkStream(socket, ownsSocket: true);
        _reader = new StreamReader(stream);
        _writer = new StreamWriter(stream) { AutoFlush = true };
        _ = _reader.ReadLine(); // it says hello
    }

    public JsonNode Send(JsonObject request)
    {
        request["id"] = 1;
        _writer.Write(request.ToJsonString() + "\n");
        return JsonNode.Parse(_reader.ReadLine() ?? throw new IOException("the control socket was closed"))!;
    }

    public JsonNode Ask(JsonObject request)
    {
        var answer = Send(request);
        Assert.True((bool)answer["ok"]!, request.ToJsonString() + " -> " + answer.ToJsonString());
        return answer["result"]!;
    }

    public void Dispose() => _reader.Dispose();
}
