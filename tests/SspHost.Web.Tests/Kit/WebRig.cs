// A panel that is served: real pages, real session, real server on a free port; only the engine is made up.
using System.Net.WebSockets;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Panel;
using SspHost.Panel.Surface;
using SspHost.Panel.Tests.Kit;
using SspHost.Patching;
using SspHost.Remote;
using SspHost.Remote.Web;
using SspHost.Tests;

namespace SspHost.Web.Tests.Kit;

internal sealed class WebRig : IEngineSource, IControlSink, IDisposable
{
    public const string Token = "twelve-or-more";

    private readonly string _directory = Directory.CreateTempSubdirectory("ssp-web-").FullName;
    private readonly PanelLoop? _loop;
    private FakeEngine? _engine;
    private EngineLink? _link;

    /// <summary>With pages, or only with viewers whose events are kept.</summary>
    public WebRig(bool pages = false, string token = "")
    {
        Target = new ControlTarget
        {
            Session = Host.Session,
            Modules = Host.Modules,
            Engine = this,
            Status = () => Host.Status,
            Costs = () => Host.Costs,
            Incidents = Host.Incidents,
            Log = Host.Log,
            Open = Host.Open,
            Start = () => null,
            Stop = () => null,
            Quit = () => Quits++,
            Version = "1.2.3",
        };
        Control = ControlServer.Start(SocketPath, Target);
        Server = WebServer.Start(WebOptions.Parse("127.0.0.1:0", token)!, Control, Viewers);
        Http = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = new Uri(Server.Address), Timeout = TimeSpan.FromSeconds(60) };
        if (!pages)
        {
            Viewers.Start(this);
            return;
        }

        Host.Now = Linux.Now();
        Host.Moving.Refreshing = () => Host.Now = Linux.Now();
        Viewers.TakesText = () => Panel?.Current.TakesText == true;
        _loop = PanelLoop.Start(() => Panel = new FrontPanel(Host), [Viewers], [Viewers, Screen], e => Failures.Add(e));
    }

    public TestHost Host { get; } = new();

    public ControlTarget Target { get; }

    public ControlServer Control { get; }

    public PanelViewers Viewers { get; } = new();

    public WebServer Server { get; private set; }

    public HttpClient Http { get; }

    public KeptScreen Screen { get; } = new();

    public FrontPanel? Panel { get; private set; }

    public List<Exception> Failures { get; } = [];

    /// <summary>What viewers did, where there are no pages.</summary>
    public List<ControlEvent> Events { get; } = [];

    public List<byte> Left { get; } = [];

    public int Quits { get; private set; }

    public string SocketPath => Path.Combine(_directory, "control.sock");

    public int Generation => 0;

    public Uri Socket(string path) => new("ws" + Server.Address[4..] + path);

    public T Try<T>(Func<EngineLink, T> work, T otherwise) => _link is { } link ? work(link) : otherwise;

    /// <summary>Lets an engine have played so far, with these peaks at its two inputs and three outputs.</summary>
    public unsafe void Play(ulong quanta, params float[] volts)
    {
        if (_link == null)
        {
            _engine = new FakeEngine();
            _engine.Map.Header->State = (uint)EngineState.Playing;
            _link = EngineLink.Over(_engine.Map, () => _engine.Ended);
        }

        var a = new AudioStatus { Quanta = quanta, Frames = quanta * 32, Rate = 48_000, Quantum = 32, Period = 64, Periods = 2, Inputs = 2, Outputs = 3, Threads = 1, Load = 0.25f, MasterGain = 1f, Settled = 1 };
        for (var j = 0; j < volts.Length; j++)
        {
            if (j < 2) a.InputPeaks[j] = volts[j];
            else a.OutputPeaks[j - 2] = volts[j];
        }

        _engine!.Map.AudioStatus->Write(in a);
    }

    public void Put(in ControlEvent e)
    {
        lock (Events) Events.Add(e);
    }

    public void Gone(byte source)
    {
        lock (Events) Left.Add(source);
    }

    /// <summary>Ends the server, and serves the same panel at the same place anew.</summary>
    public void Restart(string token = "")
    {
        var address = new Uri(Server.Address).Authority;
        Server.Dispose();
        Server = WebServer.Start(WebOptions.Parse(address, token)!, Control, Viewers);
    }

    public async Task<ClientWebSocket> ConnectAsync(string path, Slowness? slow = null)
    {
        var socket = new ClientWebSocket();
        if (slow == null)
        {
            await socket.ConnectAsync(Socket(path), CancellationToken.None);
            return socket;
        }

        var handler = new SocketsHttpHandler { ConnectCallback = (context, ended) => slow.ConnectAsync(context.DnsEndPoint, ended) };
        await socket.ConnectAsync(Socket(path), new HttpMessageInvoker(handler), CancellationToken.None);
        return socket;
    }

    /// <summary>Waits until something is so, as long as a busy machine may take.</summary>
    public static async Task UntilAsync(Func<bool> so, string what)
    {
        for (var end = Linux.Now() + 60_000_000_000; !so();)
        {
            Assert.True(Linux.Now() < end, what);
            await Task.Delay(5);
        }
    }

    public void Dispose()
    {
        Http.Dispose();
        Server.Dispose();
        _loop?.Dispose();
        if (_loop == null) Viewers.Dispose();
        Control.Dispose();
        _link?.Dispose();
        _engine?.Dispose();
        Host.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}

/// <summary>A screen that keeps what it was shown: what browsers show is compared with it.</summary>
internal sealed class KeptScreen : IScreen
{
    private readonly Lock _lock = new();
    private readonly uint[] _pixels = new uint[PanelSize.Width * PanelSize.Height];

    public string Name => "kept";

    public bool Ready => true;

    public uint[] Pixels
    {
        get
        {
            lock (_lock) return [.. _pixels];
        }
    }

    public void Show(in Frame frame, ReadOnlySpan<Rect> changed)
    {
        lock (_lock)
        {
            for (var y = 0; y < PanelSize.Height; y++) frame.Row(y).CopyTo(_pixels.AsSpan(y * PanelSize.Width));
        }
    }

    public void Dispose()
    {
    }
}
