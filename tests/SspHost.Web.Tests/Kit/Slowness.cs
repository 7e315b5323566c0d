// A connection that is as slow as a test wants it.
using System.Net;
using System.Net.Sockets;

namespace SspHost.Web.Tests.Kit;

/// <summary>Reads so many bytes a second, with next to nothing kept by the kernel in between; 0: as fast as they come.</summary>
internal sealed class Slowness(int bytesPerSecond)
{
    private const int Parts = 10; // a second

    /// <summary>May be changed while it reads.</summary>
    public int BytesPerSecond { get; set; } = bytesPerSecond;

    public async ValueTask<Stream> ConnectAsync(DnsEndPoint to, CancellationToken ended)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4 << 10 };
        await socket.ConnectAsync(to, ended);
        return new SlowStream(this, socket);
    }

    private sealed class SlowStream(Slowness slow, Socket socket) : NetworkStream(socket, ownsSocket: true)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var most = slow.BytesPerSecond / Parts; // once: it may change meanwhile, and nothing read is the end of a stream
            if (most == 0) return await base.ReadAsync(buffer, cancellationToken);
            await Task.Delay(1000 / Parts, cancellationToken);
            return await base.ReadAsync(buffer[..Math.Min(buffer.Length, most)], cancellationToken);
        }
    }
}
