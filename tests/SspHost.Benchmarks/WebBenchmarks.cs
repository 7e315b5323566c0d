// The panel in browsers: what a frame costs to be taken and to be encoded, and what a viewer that is slow costs the panel.
using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using BenchmarkDotNet.Attributes;
using SspHost.Panel;
using SspHost.Panel.Surface;
using SspHost.Panel.Tests.Kit;
using SspHost.Remote.Web;

namespace SspHost.Benchmarks;

/// <summary>A frame as tiles; a whole one at 60 frames a second has to leave most of a core.</summary>
public class TileBenchmarks
{
    private readonly uint[] _scratch = new uint[SharedPicture.Columns * TileCode.Pixels];
    private readonly ArrayBufferWriter<byte> _bytes = new(4 << 20);
    private readonly SharedPicture _picture = new();
    private TestHost _host = null!;
    private FrontPanel _panel = null!;
    private long _before;

    [Params("patch", "module", "scope", "jacks", "help")]
    public string Page { get; set; } = "patch";

    [GlobalSetup]
    public void Setup()
    {
        _host = BusyHost.Make();
        _panel = new FrontPanel(_host);
        _panel.Go(Page == "help" ? "patch" : Page);
        if (Page == "help") _panel.Put(new ControlEvent(Control.K8, ControlAction.Press, 0, _host.Now, 0));
        _host.FilesStand = true;
        Put();
        Whole();
        Console.WriteLine($"// {Page}: a whole frame has {_bytes.WrittenCount} bytes");
        _before = _picture.Frame;
        BusyHost.Move(_host, 1);
        if (Page == "module") _panel.Put(new ControlEvent(Control.E1, ControlAction.Turn, 3, _host.Now, 0));
        Put();
        Next();
        Console.WriteLine($"// {Page}: the next one has {_bytes.WrittenCount} bytes");
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _panel.Dispose();
        _host.Dispose();
    }

    [Benchmark]
    [Allocates(512)] // the buffer's growth, once
    public long Whole() => Write(0);

    [Benchmark]
    [Allocates(0)]
    public long Next() => Write(_before);

    private void Put()
    {
        var changed = _panel.Draw();
        _picture.Put(_panel.Frame, changed);
    }

    private long Write(long since)
    {
        _bytes.ResetWrittenCount();
        return _picture.Write(since, _scratch, _bytes);
    }
}

/// <summary>The panel hands a frame of moving levels over; what it costs must not depend on who looks on, or how badly.</summary>
public class ViewerBenchmarks
{
    private readonly CancellationTokenSource _ended = new();
    private readonly List<IDisposable> _parts = [];
    private PanelViewers _viewers = null!;
    private uint[] _pixels = null!;
    private uint _tick;

    [Params("nobody", "quick", "10 kB/s", "deaf", "deaf x16")]
    public string Viewer { get; set; } = "nobody";

    [GlobalSetup]
    public void Setup()
    {
        _viewers = new PanelViewers();
        _pixels = GC.AllocateArray<uint>(PanelSize.Width * PanelSize.Height, pinned: true);
        for (var i = 0; i < (Viewer == "nobody" ? 0 : Viewer == "deaf x16" ? 16 : 1); i++) Join();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _ended.Cancel();
        foreach (var part in _parts) part.Dispose();
        _viewers.Dispose();
    }

    /// <summary>A tenth of the picture, of new colours each time.</summary>
    [Benchmark]
    [Allocates(4096)] // of viewers' sockets, on other threads; the panel's share is 0
    public unsafe void Show()
    {
        _tick++;
        for (var i = 0; i < _pixels.Length / 10; i++) _pixels[i] = _tick * 7919 * (uint)(i >> 4);
        fixed (uint* at = _pixels)
        {
            var frame = new Frame((nint)at, PanelSize.Width, PanelSize.Height, PanelSize.Width * 4, _tick);
            _viewers.Show(in frame, [new Rect(0, 0, PanelSize.Width, PanelSize.Height / 10)]);
        }
    }

    private void Join()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = new TcpClient { ReceiveBufferSize = 8 << 10 };
        client.Connect((IPEndPoint)listener.LocalEndpoint);
        var server = listener.AcceptTcpClient();
        _parts.AddRange([client, server]);
        _ = _viewers.ServeAsync(WebSocket.CreateFromStream(server.GetStream(), new WebSocketCreationOptions { IsServer = true }), _ended.Token);
        if (Viewer is "quick" or "10 kB/s") _ = ReadAsync(client, Viewer == "quick" ? 0 : 100);
    }

    // Bytes as they come: frames are counted by their heads only so far that each one is answered by the wish for another.
    private async Task ReadAsync(TcpClient client, int wait)
    {
        var socket = WebSocket.CreateFromStream(client.GetStream(), new WebSocketCreationOptions { IsServer = false });
        var buffer = new byte[1 << 10];
        var hello = true;
        try
        {
            while (true)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(), _ended.Token);
                if (wait > 0) await Task.Delay(wait, _ended.Token);
                if (part.EndOfMessage && !hello) await socket.SendAsync(new byte[] { 0 }.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, _ended.Token);
                if (part.EndOfMessage) hello = false;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException)
        {
            // The benchmark has ended.
        }
    }
}
