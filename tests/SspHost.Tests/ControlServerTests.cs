// The control socket, over a real socket: what it answers, what it refuses, and that nobody can harm anybody else.
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Diagnostics;
using SspHost.Patching;
using SspHost.Remote;

namespace SspHost.Tests;

public sealed class ControlServerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ssp-ctl-").FullName;
    private readonly PatchSession _session;
    private readonly ControlServer _server;
    private int _quits;
    private string? _refusal;

    public ControlServerTests()
    {
        var modules = new DescriptorIndex(
        [
            new ModuleDescriptor { Id = "tone", Name = "Tone", Family = "Test", Text = "", Outputs = [new PortDescriptor("out", "Out")], Parameters = [new ParameterDescriptor("pitch", "Pitch", "V/oct", -5, 5, 0)] },
            new ModuleDescriptor { Id = "ear", Name = "Ear", Family = "Test", Text = "", Inputs = [new PortDescriptor("in", "In")] },
        ]);
        _session = PatchSession.Start(new PatchSessionOptions { Modules = modules, Sink = new NoEngine() });
        _server = ControlServer.Start(SocketPath, new ControlTarget
        {
            Session = _session,
            Modules = modules,
            Status = () => new StatusReport { State = "playing", EnginePid = 42 },
            Open = path => _session.Open(path, out _)?.ToString(),
            Start = () => _refusal,
            Stop = () => _refusal,
            Quit = () => _quits++,
            Version = "1.2.3",
        });
    }

    private string SocketPath => Path.Combine(_directory, Protocol.SocketName);

    [Fact]
    public void It_says_hello_with_its_version_and_its_commands()
    {
        using var c = new Raw(SocketPath);
        var hello = c.Read().GetProperty("hello");
        Assert.Equal((1, "1.2.3"), (hello.GetProperty("protocol").GetInt32(), hello.GetProperty("version").GetString()));
        Assert.Equal(Protocol.Commands, hello.GetProperty("commands").EnumerateArray().Select(e => e.GetString()!));
        Assert.True(c.Ask("""{"id":"a","command":"hello","protocol":1}""").GetProperty("ok").GetBoolean());
        Assert.Equal("version", ErrorOf(c.Ask("""{"command":"hello","protocol":2}""")).Code);
        Assert.Equal((UnixFileMode)0b110_000_000, File.GetUnixFileMode(SocketPath));
    }

    [Fact]
    public void Edits_undo_and_redo_change_the_patch_and_each_reply_finds_its_question()
    {
        using var c = new Raw(SocketPath);
        c.Read();
        var reply = c.Ask("""{"id":"x-7","command":"edit","edits":[{"op":"add","add":{"id":"t","type":"tone"}},{"op":"add","add":{"id":"e","type":"ear"}},{"op":"connect","from":"t.out","to":"e.in"}]}""");
        Assert.Equal(("x-7", true), (reply.GetProperty("id").GetString(), reply.GetProperty("ok").GetBoolean()));
        Assert.Equal((2, 1), (_session.Current.Modules.Length, _session.Current.Cables.Length));
        var patch = c.Ask("""{"id":3.5,"command":"patch"}""");
        Assert.Equal("3.5", patch.GetProperty("id").GetRawText());
        Assert.Equal("t", patch.GetProperty("result").GetProperty("patch").GetProperty("modules")[0].GetProperty("id").GetString());
        Assert.True(patch.GetProperty("result").GetProperty("canUndo").GetBoolean());
        c.Ask("""{"command":"undo"}""");
        Assert.Empty(_session.Current.Modules);
        c.Ask("""{"command":"redo"}""");
        Assert.Equal(2, _session.Current.Modules.Length);
    }

    [Fact]
    public void A_refused_edit_is_one_error_and_leaves_the_patch_as_it_was()
    {
        using var c = new Raw(SocketPath);
        c.Read();
        c.Ask("""{"command":"edit","edits":[{"op":"add","add":{"id":"t","type":"tone"}}]}""");
        var before = _session.Current;
        foreach (var edits in new[]
        {
            """[{"op":"param","module":"t","param":"pitch","value":1},{"op":"add","add":{"id":"n","type":"nothing"}}]""",
            """[{"op":"connect","from":"t.out","to":"gone.in"}]""", """[{"op":"whistle"}]""", """7""", """[{"op":"param","module":"t","param":"pitch","value":1e9}]""",
        })
        {
            var (_, message) = ErrorOf(c.Ask("{\"command\":\"edit\",\"edits\":" + edits + "}"));
            Assert.False(string.IsNullOrWhiteSpace(message));
        }

        Assert.Equal(before, _session.Current);
    }

    [Fact]
    public void A_patch_is_saved_and_loaded_by_path_or_in_the_message()
    {
        using var c = new Raw(SocketPath);
        c.Read();
        c.Ask("""{"command":"edit","edits":{"op":"add","add":{"id":"t","type":"tone"}}}""");
        var file = Path.Combine(_directory, "my.json");
        Assert.True(c.Ask($$"""{"command":"save","path":"{{file}}"}""").GetProperty("ok").GetBoolean());
        c.Ask("""{"command":"undo"}""");
        Assert.True(c.Ask($$"""{"command":"load","path":"{{file}}"}""").GetProperty("ok").GetBoolean());
        Assert.Equal("t", _session.Current.Modules[0].Id);
        Assert.True(c.Ask("""{"command":"load","patch":{"format":1,"id":"p","modules":[{"id":"e","type":"ear"}],"cables":[]}}""").GetProperty("ok").GetBoolean());
        Assert.Equal("e", _session.Current.Modules[0].Id);
        Assert.Contains("not absolute", ErrorOf(c.Ask("""{"command":"load","path":"my.json"}""")).Message, StringComparison.Ordinal);
        Assert.Equal("refused", ErrorOf(c.Ask("""{"command":"load","path":"/no/such/file.json"}""")).Code);
        Assert.Equal("e", _session.Current.Modules[0].Id);
    }

    [Fact]
    public void Status_modules_start_stop_and_quit_reach_the_host()
    {
        using var c = new Raw(SocketPath);
        c.Read();
        Assert.Equal(42, c.Ask("""{"command":"status"}""").GetProperty("result").GetProperty("enginePid").GetInt32());
        var modules = c.Ask("""{"command":"modules"}""").GetProperty("result").GetProperty("modules");
        Assert.Equal(["tone", "ear"], modules.EnumerateArray().Select(m => m.GetProperty("id").GetString()));
        Assert.Equal("Follow", modules[0].GetProperty("outputs")[0].GetProperty("rule").GetString());
        Assert.True(c.Ask("""{"command":"start"}""").GetProperty("ok").GetBoolean());
        _refusal = "the device is gone";
        Assert.Equal(("refused", "the device is gone"), ErrorOf(c.Ask("""{"command":"stop"}""")));
        c.Ask("""{"command":"quit"}""");
        Assert.Equal(1, _quits);
    }

    [Fact]
    public void Subscribers_hear_of_what_they_asked_for_and_nobody_else_does()
    {
        using var a = new Raw(SocketPath);
        using var b = new Raw(SocketPath);
        a.Read();
        b.Read();
        a.Ask("""{"command":"subscribe","to":["patch","notices"]}""");
        b.Ask("""{"command":"edit","edits":[{"op":"add","add":{"id":"t","type":"tone"}}]}""");
        var change = a.Read();
        Assert.Equal("patch", change.GetProperty("event").GetString());
        Assert.Equal("structure", change.GetProperty("data").GetProperty("kind").GetString());
        _server.Publish(new StatusReport { State = "playing" }); // not asked for
        _server.Publish("a dropout");
        Assert.Equal("a dropout", a.Read().GetProperty("data").GetString());
        Assert.True(b.Ask("""{"id":9,"command":"status"}""").GetProperty("id").GetInt32() == 9); // no event came between
        Assert.Contains("cannot be subscribed to", ErrorOf(b.Ask("""{"command":"subscribe","to":["weather"]}""")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("""{"command":7}""")]
    [InlineData("""{"command":"status","extra":1}""")]
    [InlineData("""{"command":"subscribe","to":[7]}""")]
    [InlineData("""{"id":{},"command":"status"}""")]
    [InlineData("""{"command":"\ud800"}""")]
    [InlineData("""{"command":"edit"}""")]
    [InlineData("""{"command":"edit","edits":[],"wait":3}""")]
    public void A_bad_message_is_one_clear_error_and_the_connection_goes_on(string line)
    {
        using var c = new Raw(SocketPath);
        c.Read();
        c.Write(line + " \n");
        Assert.Equal("bad-message", ErrorOf(c.Read()).Code);
        Assert.True(c.Ask("""{"command":"status"}""").GetProperty("ok").GetBoolean());
    }

    [Fact]
    public void Any_bytes_are_answered_line_by_line_or_not_at_all()
    {
        var random = new Random(11);
        var seeds = new[]
        {
            """{"id":1,"command":"edit","edits":[{"op":"add","add":{"id":"t","type":"tone"}}],"wait":false}""", """{"id":2,"command":"load","patch":{"format":1,"id":"p","modules":[],"cables":[]}}""",
            """{"id":3,"command":"subscribe","to":["status"]}""", """{"id":4,"command":"status"}""", """{"command":"undo"}""",
        };
        using var c = new Raw(SocketPath);
        c.Read();
        for (var i = 0; i < 2000; i++)
        {
            var line = Encoding.UTF8.GetBytes(seeds[random.Next(seeds.Length)]);
            for (var k = random.Next(0, 4); k > 0; k--) line[random.Next(line.Length)] = (byte)random.Next(256);
            line.AsSpan().Replace((byte)'\n', (byte)'?');
            line.AsSpan().Replace((byte)'\r', (byte)'?');
            c.Write([.. line, (byte)'\n']);
            var reply = c.Read();
            Assert.True(reply.TryGetProperty("ok", out var ok));
            if (!ok.GetBoolean() && ErrorOf(reply) is ("internal", var defect)) Assert.Fail($"{Encoding.Latin1.GetString(line)}: {defect}");
        }

        Assert.True(c.Ask("""{"command":"status"}""").GetProperty("ok").GetBoolean());
    }

    [Fact]
    public void Messages_may_come_in_pieces_or_many_at_once()
    {
        using var c = new Raw(SocketPath);
        c.Read();
        foreach (var b in Encoding.UTF8.GetBytes("""{"id":1,"command":"status"}""" + "\n")) c.Write([b]);
        Assert.Equal(1, c.Read().GetProperty("id").GetInt32());
        c.Write(string.Concat(Enumerable.Range(2, 100).Select(i => $$"""{"id":{{i}},"command":"status"}""" + "\r\n\n")));
        for (var i = 2; i < 102; i++) Assert.Equal(i, c.Read().GetProperty("id").GetInt32());
    }

    [Fact]
    public void A_line_that_never_ends_is_cut_off_with_an_error()
    {
        using var c = new Raw(SocketPath);
        c.Read();
        var chunk = new byte[1 << 16];
        Array.Fill(chunk, (byte)'x');
        try
        {
            for (var sent = 0; sent < Protocol.MaxLine + (1 << 20); sent += chunk.Length) c.Write(chunk);
        }
        catch (SocketException)
        {
            // Cut off while writing: that is what is tested.
        }

        using var other = new Raw(SocketPath);
        other.Read();
        Assert.True(other.Ask("""{"command":"status"}""").GetProperty("ok").GetBoolean());
    }

    [Fact]
    public void A_client_that_does_not_read_is_let_go_and_delays_nobody()
    {
        using var deaf = new Raw(SocketPath);
        deaf.Read();
        deaf.Ask("""{"command":"subscribe","to":["notices"]}""");
        using var other = new Raw(SocketPath);
        other.Read();
        other.Ask("""{"command":"subscribe","to":["notices"]}""");
        var notice = new string('n', 10_000);
        for (var i = 0; i < 500; i++)
        {
            _server.Publish(notice);
            Assert.Equal("notice", other.Read().GetProperty("event").GetString());
        }

        // Events are left out for the deaf one; what it asks for and never reads ends its connection.
        var modules = Encoding.UTF8.GetBytes("""{"command":"modules"}""" + "\n");
        var gone = false;
        for (var i = 0; i < 100_000 && !gone; i++)
        {
            try
            {
                deaf.Write(modules);
            }
            catch (SocketException)
            {
                gone = true;
            }
        }

        Assert.True(gone);
        Assert.True(other.Ask("""{"command":"status"}""").GetProperty("ok").GetBoolean());
    }

    [Fact]
    public void The_seventeenth_client_is_turned_away_with_a_reason()
    {
        var clients = new List<Raw>();
        for (var i = 0; i < Protocol.MaxClients; i++)
        {
            clients.Add(new Raw(SocketPath));
            clients[^1].Read();
        }

        using (var late = new Raw(SocketPath)) Assert.Equal("too-many-clients", ErrorOf(late.Read()).Code);
        Assert.True(clients[3].Ask("""{"command":"status"}""").GetProperty("ok").GetBoolean());
        foreach (var c in clients) c.Dispose();
    }

    [Fact]
    public void A_socket_left_by_a_dead_host_is_replaced_and_a_live_one_is_not()
    {
        Assert.Contains("another host answers", Assert.Throws<IOException>(() => ControlServer.Start(SocketPath, Target())).Message, StringComparison.Ordinal);
        var left = Path.Combine(_directory, "left.sock");
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(left + "1"));
            File.Move(left + "1", left); // .NET would remove the file with the socket; a host that was killed does not
        }

        using (var server = ControlServer.Start(left, Target())) Assert.Equal(0, server.Clients);
        Assert.False(File.Exists(left));
        Assert.Contains("too long for a socket", Assert.Throws<IOException>(() => ControlServer.Start("/tmp/" + new string('x', 200), Target())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_client_of_the_commands_asks_and_is_told_why_not()
    {
        Assert.Null(ControlClient.TryConnect(Path.Combine(_directory, "nobody"), TimeSpan.FromSeconds(5)));
        using var client = ControlClient.TryConnect(_directory, TimeSpan.FromSeconds(20))!;
        Assert.Equal("playing", client.Ask("status").GetProperty("state").GetString());
        var e = Assert.Throws<ControlRefusedException>(() => client.Ask("subscribe", w => w.WriteString("to", "x")));
        Assert.Equal("bad-message", e.Code);
    }

    public void Dispose()
    {
        _server.Dispose();
        _session.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private ControlTarget Target() => new()
    {
        Session = _session, Modules = new DescriptorIndex([]), Status = () => new StatusReport { State = "none" }, Open = _ => null, Start = () => null, Stop = () => null, Quit = () => { }, Version = "1",
    };

    private static (string Code, string Message) ErrorOf(JsonElement reply)
    {
        Assert.False(reply.TryGetProperty("ok", out var ok) && ok.GetBoolean(), reply.GetRawText());
        var error = reply.GetProperty("error");
        var message = error.GetProperty("message").GetString()!;
        Assert.DoesNotContain('\n', message);
        return (error.GetProperty("code").GetString()!, message);
    }

    // A client that writes what it likes.
    private sealed class Raw : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 20_000, SendTimeout = 20_000 };
        private readonly byte[] _buffer = new byte[1 << 20];
        private int _length;

        public Raw(string path) => _socket.Connect(new UnixDomainSocketEndPoint(path));

        public void Write(string text) => Write(Encoding.UTF8.GetBytes(text));

        public void Write(byte[] bytes)
        {
            for (var sent = 0; sent < bytes.Length;) sent += _socket.Send(bytes.AsSpan(sent));
        }

        public JsonElement Ask(string line)
        {
            Write(line + "\n");
            JsonElement reply;
            while ((reply = Read()).TryGetProperty("event", out _))
            {
                // Events may come at any time.
            }

            return reply;
        }

        public JsonElement Read()
        {
            while (true)
            {
                var end = _buffer.AsSpan(0, _length).IndexOf((byte)'\n');
                if (end >= 0)
                {
                    using var document = JsonDocument.Parse(_buffer.AsSpan(0, end).ToArray());
                    _buffer.AsSpan(end + 1, _length - end - 1).CopyTo(_buffer);
                    _length -= end + 1;
                    return document.RootElement.Clone();
                }

                var got = _socket.Receive(_buffer.AsSpan(_length));
                Assert.True(got > 0, "the server closed the connection");
                _length += got;
            }
        }

        public void Dispose() => _socket.Dispose();
    }

    // A session needs somewhere to put its plans.
    private sealed class NoEngine : IPlanSink
    {
        public int Inputs => 2;

        public int Outputs => 2;

        public ReadOnlySpan<InstanceRecord> Instances => default;

        public ReadOnlyMemory<float> Costs => default;

        public PlanRefusal? Install(CompiledPlan plan) => null;

        public bool Send(in ModuleEvent move) => true;

        public string? SetAsset(in PlanAsset asset) => null;

        public string? LoadState(in PlanInstance instance, uint version, ReadOnlySpan<byte> state) => null;

        public byte[]? SaveState(in PlanInstance instance, out uint version)
        {
            version = 0;
            return null;
        }
    }
}
