// The phase of the user interface: the panel is drawn at full rate, all of it each time, and two browsers get all its tiles.
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using SspHost.Commands;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Soak;
using SspHost.Panel;
using SspHost.Panel.Surface;
using SspHost.Remote;
using SspHost.Remote.Web;

namespace SspHost.Soak;

/// <summary>The panel of the rig with a screen that is memory, and the web panel as `ssp run` serves it, on the loopback device.</summary>
internal sealed class PanelPhase(PanelBenchRig rig) : SoakPhase("panel")
{
    private const int Viewers = 2, FrameMs = 16, FramesAPage = 30, FramesATurn = 4, MostHead = 4096;
    private const byte Hello = 0; // first byte of a message that is no frame

    private readonly List<Task> _viewers = [];
    private BenchScreen? _screen;
    private BenchControls? _controls;
    private PanelLoop? _loop;
    private ControlServer? _control;
    private WebServer? _web;
    private FrontPanel? _panel;
    private CancellationTokenSource? _ending;
    private Thread? _hand;
    private long _bytes, _frames;

    public override void Begin()
    {
        var (host, viewers) = (rig.Host, new PanelViewers());
        (_screen, _controls, _ending) = (new BenchScreen(), new BenchControls(), new CancellationTokenSource());
        _loop = rig.Loop(_controls, _screen, panel => _panel = panel, viewers);
        _control = ControlServer.Start(Path.Combine(rig.Runtime, Protocol.SocketName), new ControlTarget
        {
            Session = host.Session, Modules = host.Modules, Engine = host.Slot, Status = () => host.Latest, Costs = () => host.Costs, Incidents = host.Incidents, Log = new LogLines(),
            Open = host.Open, Start = host.Play, Stop = host.Stop, Quit = () => { }, Version = CommandTree.Version,
        });
        _web = WebServer.Start(new WebOptions { Address = IPAddress.Loopback, Port = 0 }, _control, viewers);
        var address = new Uri(_web.Address + "/panel");
        for (var v = 0; v < Viewers; v++) _viewers.Add(Task.Run(() => ViewAsync(address, _ending.Token)));
        _hand = new Thread(Turn) { Name = "ssp-hand", IsBackground = true };
        _hand.Start();
    }

    public override string? End()
    {
        if (_ending == null) return null;
        Count("framesDrawn", (long)_screen!.Drawn);
        Count("framesShown", (long)_screen.Frames);
        _ending.Cancel();
        _hand?.Join(); // what could not be begun may be half there
        string? trouble = null;
        try
        {
            Task.WaitAll([.. _viewers]);
        }
        catch (AggregateException e)
        {
            trouble = $"phase {Name}: a viewer failed: {e.InnerException?.Message}";
        }

        Count("viewerFrames", Interlocked.Exchange(ref _frames, 0));
        Count("viewerBytes", Interlocked.Exchange(ref _bytes, 0));
        _viewers.Clear();
        _web?.Dispose();
        _control?.Dispose();
        _loop?.Dispose(); // and with it screens, viewers and controls
        _ending.Dispose();
        (_ending, _hand, _web, _control, _loop, _panel) = (null, null, null, null, null, null);
        return trouble;
    }

    // A player who never rests: knobs turn, pages change, and every frame is drawn anew.
    private void Turn()
    {
        for (var frame = 0; !_ending!.IsCancellationRequested; frame++)
        {
            var n = frame;
            _loop!.Call(() =>
            {
                if (_panel is not { } panel) return;
                if (n % FramesAPage == 0) panel.Go(panel.All[n / FramesAPage % panel.All.Count].Id);
                panel.DrawAll();
            });
            if (frame % FramesATurn == 0) _ = _controls!.Turn(Control.E1, frame % (2 * FramesATurn) == 0 ? 1 : -1);
            Thread.Sleep(FrameMs);
        }
    }

    // .NET's own client would bring all of HTTP with it, megabytes of program, for this one request.
    private static async Task<WebSocket> OpenAsync(TcpClient client, Uri address, CancellationToken ending)
    {
        await client.ConnectAsync(IPAddress.Parse(address.Host), address.Port, ending);
        var stream = client.GetStream();
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"GET {address.AbsolutePath} HTTP/1.1\r\nHost: {address.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"),
            ending);
        var (head, one) = (new StringBuilder(), new byte[1]);
        while (head.Length < MostHead && !(head.Length >= 4 && head.ToString(head.Length - 4, 4) == "\r\n\r\n"))
        {
            await stream.ReadExactlyAsync(one, ending);
            head.Append((char)one[0]);
        }

        var answer = head.ToString();
        if (!answer.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal)) throw new IOException($"the web panel answered '{answer.Split('\r')[0]}' to a viewer");
        return WebSocket.CreateFromStream(stream, new WebSocketCreationOptions());
    }

    // As the page in the browser does: each frame that came makes room for one more.
    private async Task ViewAsync(Uri address, CancellationToken ending)
    {
        using var client = new TcpClient();
        var (buffer, welcome) = (new byte[64 << 10], new byte[1]);
        try
        {
            using var socket = await OpenAsync(client, address, ending);
            while (true)
            {
                var kind = Hello;
                ValueWebSocketReceiveResult part;
                var begins = true;
                do
                {
                    part = await socket.ReceiveAsync(buffer.AsMemory(), ending);
                    if (part.MessageType == WebSocketMessageType.Close) throw new IOException($"sent away: {socket.CloseStatusDescription}");
                    if (begins && part.Count > 0) (kind, begins) = (buffer[0], false);
                    Interlocked.Add(ref _bytes, part.Count);
                }
                while (!part.EndOfMessage);
                if (kind == Hello) continue; // nobody has to make room for that
                Interlocked.Increment(ref _frames);
                await socket.SendAsync(welcome, WebSocketMessageType.Binary, endOfMessage: true, ending);
            }
        }
        catch (OperationCanceledException)
        {
            // The turn is over.
        }
    }
}
