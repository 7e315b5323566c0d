// OSC over UDP: every parameter of the patch by its path, to set, to ask for, and to be told of.
using System.Net;
using System.Net.Sockets;
using SspHost.Abi;
using SspHost.Patching;

namespace SspHost.Remote.Osc;

/// <summary>
/// /patch/MODULE/PARAM with a value sets a parameter in its own unit, without one asks for it; /patch/MODULE/PARAM/travel the same from 0 to 1.
/// /subscribe ["prefix"] [seconds] tells the sender of changes below a prefix for some time, /unsubscribe ends that. What cannot be done is answered by
/// /error "address" "why". What is moved until it rests is one undo step. One thread of its own.
/// </summary>
public sealed class OscServer : IDisposable
{
    private const int MostSubscribers = 32;
    private const int MostScheduled = 4096;
    private const int UsualSeconds = 60, MostSeconds = 600;
    private const int BusyMicroseconds = 5_000, IdleMicroseconds = 100_000;
    private const ulong Rest = 700_000_000; // ns after which a hand has let go
    private const ulong Furthest = 60_000_000_000; // ns ahead: a time tag beyond is a clock that is wrong
    private const ulong TellEvery = 20_000_000;
    private const double Fraction = 4294967296.0;

    private static readonly DateTime Epoch = new(1900, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly PatchSession _session;
    private readonly DescriptorIndex _modules;
    private readonly Socket _socket;
    private readonly Thread _thread;
    private readonly List<OscMessage> _messages = [];
    private readonly PriorityQueue<(OscMessage Message, IPEndPoint From), ulong> _scheduled = new();
    private readonly Dictionary<IPEndPoint, (string Prefix, ulong Until)> _subscribers = [];
    private readonly byte[] _buffer = new byte[OscPacket.MostBytes + 1];
    private volatile bool _ending;
    private Patch _told;
    private ulong _tell;
    private ulong _moved; // when a parameter was moved last; 0: everything rests

    private OscServer(PatchSession session, DescriptorIndex modules, Socket socket)
    {
        (_session, _modules, _socket, _told) = (session, modules, socket, session.Current);
        _thread = new Thread(Run) { Name = "ssp-osc", IsBackground = true };
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Listens; port 0 is any that is free. Throws <see cref="IOException"/> where the port cannot be had.</summary>
    public static OscServer Start(IPAddress address, int port, PatchSession session, DescriptorIndex modules)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"{new IPEndPoint(address, port)}: OSC cannot be heard there: {e.Message}", e);
        }

        var server = new OscServer(session, modules, socket);
        server._thread.Start();
        return server;
    }

    public void Dispose()
    {
        _ending = true;
        if (_thread.IsAlive) _thread.Join();
        _socket.Dispose();
    }

    private void Run()
    {
        while (!_ending)
        {
            try
            {
                var busy = _moved != 0 || _scheduled.Count > 0 || _subscribers.Count > 0;
                if (_socket.Poll(busy ? BusyMicroseconds : IdleMicroseconds, SelectMode.SelectRead)) Receive();
                Turn(Linux.Now());
            }
            catch (SocketException)
            {
                // A subscriber that is gone answers so; its time will be over.
            }
        }

        if (_moved != 0) _session.EndGesture();
    }

    private void Receive()
    {
        EndPoint from = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        var length = _socket.ReceiveFrom(_buffer, ref from);
        if (!OscPacket.TryRead(_buffer.AsSpan(0, length), _messages)) return; // whoever sends what is no OSC would not understand an answer
        var now = Linux.Now();
        foreach (var message in _messages)
        {
            var at = When(message.Time, now);
            if (at <= now) Serve(message, (IPEndPoint)from);
            else if (at - now > Furthest || _scheduled.Count >= MostScheduled) Refuse((IPEndPoint)from, message.Address, "its time is too far ahead, or too much waits already");
            else _scheduled.Enqueue((message, (IPEndPoint)from), at);
        }
    }

    private void Turn(ulong now)
    {
        while (_scheduled.TryPeek(out var next, out var at) && at <= now)
        {
            _scheduled.Dequeue();
            Serve(next.Message, next.From);
        }

        if (_moved != 0 && now > _moved + Rest)
        {
            _moved = 0;
            _session.EndGesture();
        }

        if (_subscribers.Count == 0 || now < _tell) return;
        _tell = now + TellEvery;
        Tell(now);
    }

    private void Serve(OscMessage message, IPEndPoint from)
    {
        if (message.Address is "/subscribe" or "/unsubscribe")
        {
            if (Subscribe(message, from) is { } flaw) Refuse(from, message.Address, flaw);
            return;
        }

        if (message.Address.Split('/') is not ["", "patch", { } module, { } name, .. { } rest] || rest is not ([] or ["travel"]))
        {
            Refuse(from, message.Address, "expected /patch/MODULE/PARAM, with /travel or without, /subscribe or /unsubscribe");
            return;
        }

        if (Find(module, name) is not { } p)
        {
            Refuse(from, message.Address, _session.Current.Find(module) == null ? $"there is no module '{module}'" : $"'{module}' has no parameter '{name}'");
            return;
        }

        var travel = rest.Length > 0;
        if (message.Values.Count == 0) Send(from, message.Address, travel ? ParameterTravel.Of(p, ValueOf(_session.Current, module, p)) : ValueOf(_session.Current, module, p));
        else if (Move(module, p, message.Values, travel) is { } why) Refuse(from, message.Address, why);
    }

    private string? Move(string module, ParameterDescriptor p, IReadOnlyList<OscValue> values, bool travel)
    {
        if (values is not [var v] || !double.IsFinite(v.Number)) return "expected one value, a finite number, true, false or the name of a choice";
        float value;
        if (v.Kind == 's')
        {
            var choice = travel ? -1 : Array.FindIndex(p.Choices, c => string.Equals(c, v.Text, StringComparison.OrdinalIgnoreCase));
            if (choice < 0) return p.Choices.Length == 0 || travel ? "a text is no value of it" : $"expected one of {string.Join(", ", p.Choices)}";
            value = p.Min + choice;
        }
        else
        {
            value = travel ? ParameterTravel.At(p, v.Number) : (float)Math.Clamp(v.Number, p.Min, p.Max);
            if (!travel && p.Curve == ParameterCurve.Stepped) value = MathF.Round(value);
        }

        if (_moved == 0) _session.BeginGesture();
        _moved = Linux.Now();
        return _session.Apply(new SetParameter(module, p.Id, value))?.ToString();
    }

    private string? Subscribe(OscMessage message, IPEndPoint from)
    {
        if (message.Address == "/unsubscribe")
        {
            _subscribers.Remove(from);
            return null;
        }

        var (prefix, seconds) = ("/patch", (double)UsualSeconds);
        foreach (var v in message.Values)
        {
            if (v.Kind == 's') prefix = v.Text;
            else if (v.Kind is 'i' or 'f' && v.Number is >= 1 and <= MostSeconds) seconds = v.Number;
            else return $"expected a prefix and 1 to {MostSeconds} seconds";
        }

        if (_subscribers.Count >= MostSubscribers && !_subscribers.ContainsKey(from)) return $"{MostSubscribers} subscribe already";
        if (_subscribers.Count == 0) _told = _session.Current;
        _subscribers[from] = (prefix, Linux.Now() + (ulong)(seconds * 1e9));
        return null;
    }

    private void Tell(ulong now)
    {
        foreach (var gone in _subscribers.Where(s => now >= s.Value.Until).Select(s => s.Key).ToArray()) _subscribers.Remove(gone);
        var (before, after) = (_told, _session.Current);
        if (ReferenceEquals(before, after)) return;
        _told = after;
        foreach (var module in after.Modules)
        {
            if (ReferenceEquals(before.Find(module.Id), module) || _modules.Find(module.Type) is not { } type) continue;
            foreach (var p in type.Descriptor.Parameters)
            {
                var value = ValueOf(after, module.Id, p);
                if (before.Find(module.Id)?.Type == module.Type && ValueOf(before, module.Id, p).Equals(value)) continue;
                var address = $"/patch/{module.Id}/{p.Id}";
                foreach (var (to, (prefix, _)) in _subscribers)
                {
                    if (address.StartsWith(prefix, StringComparison.Ordinal)) Send(to, address, value);
                }
            }
        }
    }

    private ParameterDescriptor? Find(string module, string parameter) =>
        _session.Current.Find(module) is { } m && _modules.Find(m.Type) is { } type ? type.Descriptor.Parameters.FirstOrDefault(p => p.Id == parameter) : null;

    private static float ValueOf(Patch patch, string module, ParameterDescriptor p) =>
        patch.Find(module) is { } m && m.Parameters.TryGet(p.Id, out var value) ? value : p.Default;

    private void Send(IPEndPoint to, string address, float value) => _socket.SendTo(OscPacket.Write(new OscMessage(address, [new OscValue('f', value)])), to);

    private void Refuse(IPEndPoint to, string address, string why) =>
        _socket.SendTo(OscPacket.Write(new OscMessage("/error", [new OscValue('s', 0, address), new OscValue('s', 0, PatchError.OneLine(why, 200))])), to);

    // A time tag is seconds since 1900 by the wall clock; what waits is kept by the steady one.
    private static ulong When(ulong tag, ulong now)
    {
        if (tag == OscPacket.AtOnce) return now;
        var ahead = (tag / Fraction) - (DateTime.UtcNow - Epoch).TotalSeconds;
        return ahead <= 0 ? now : now + (ulong)(ahead * 1e9);
    }
}
