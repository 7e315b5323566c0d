// A server of SuperCollider's that plays in real time on JACK, spoken to by OSC over UDP on the loopback device.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using SspHost.Peers.Timing;

namespace SspHost.Peers.SuperCollider;

internal sealed class ScServer : IDisposable
{
    private const int Port = 57199; // beside the usual 57110
    private readonly UdpClient _socket = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly Service _service;
    private readonly string _name;
    private int _syncs;

    /// <summary>Starts one; throws <see cref="PeerException"/> where it does not answer within a minute.</summary>
    public ScServer(string name, int block, IReadOnlyDictionary<string, string> environment)
    {
        _name = name;
        _socket.Client.ReceiveTimeout = 5000;
        _socket.Connect(IPAddress.Loopback, Port);
        _service = Service.Start(
            Words(name, block), new Dictionary<string, string>(environment) { ["SC_JACK_DEFAULT_INPUTS"] = "", ["SC_JACK_DEFAULT_OUTPUTS"] = "system" }, _ => Answers());
    }

    public int Pid => _service.Pid;

    /// <summary>The command that starts it.</summary>
    public static string[] Words(string name, int block) =>
    [
        name, "-u", Port.ToString(CultureInfo.InvariantCulture), "-i", "0", "-o", "1", "-z", block.ToString(CultureInfo.InvariantCulture), "-n", "8192", "-m", "262144", "-D", "0", "-R", "0",
        .. name == "supernova" ? new[] { "-T", "1" } : [],
    ];

    public void Send(byte[] packet) => _ = _socket.Send(packet, packet.Length);

    /// <summary>Waits until everything sent before was done.</summary>
    public void Sync()
    {
        Send(Osc.Message("/sync", ++_syncs));
        _ = Await("/synced");
    }

    /// <summary>Synths that play, by the server's own count.</summary>
    public int Synths()
    {
        Send(Osc.Message("/status"));
        return Osc.Integers(Await("/status.reply"))[2]; // 1, unit generators, synths, groups, definitions
    }

    public void Dispose()
    {
        _socket.Dispose();
        _service.Dispose();
    }

    private byte[] Await(string address)
    {
        try
        {
            for (var i = 0; i < 1000; i++)
            {
                var from = new IPEndPoint(IPAddress.Loopback, 0);
                var packet = _socket.Receive(ref from);
                if (Osc.Address(packet) == address) return packet;
                if (Osc.Address(packet) == "/fail") throw new PeerException($"{_name} refused: {Tool.Short(System.Text.Encoding.ASCII.GetString(packet))}");
            }
        }
        catch (SocketException)
        {
            // said below
        }

        throw new PeerException($"{_name} did not answer with {address}");
    }

    private bool Answers()
    {
        try
        {
            Send(Osc.Message("/status"));
            _socket.Client.ReceiveTimeout = 300;
            _ = Await("/status.reply");
            _socket.Client.ReceiveTimeout = 5000;
            return true;
        }
        catch (Exception e) when (e is PeerException or SocketException)
        {
            return false; // nobody listens yet
        }
    }
}
