// The control socket, over a real socket: what it answers, what it refuses, and that nobody can harm anybody else.
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Diagnostics;
using SspHost.Patching;
using SspHost.Remote;

namespace SspHost.Tests;

[Collection(ControlCollection.Name)]
public sealed class ControlServerTests : IDisposable
{
    private readonly ControlHost _host;

    public ControlServerTests(SchemaValidator validator) => _host = new ControlHost(validator);

    private string SocketPath => _host.SocketPath;

    private PatchSession Session => _host.Session;

    [Fact]
    public void It_says_hello_with_its_version_and_its_commands()
    {
        using var c = _host.Connect();
        var hello = c.Read().GetProperty("hello");
        Assert.Equal((1, Protocol.Minor, "1.2.3"), (hello.GetProperty("protocol").GetInt32(), hello.GetProperty("minor").GetInt32(), hello.GetProperty("version").GetString()));
        Assert.Equal(Protocol.Commands, hello.GetProperty("commands").EnumerateArray().Select(e => e.GetString()!));
        Assert.True(c.Ask("""{"id":"a","command":"hello","protocol":1}""").GetProperty("ok").GetBoolean());
        Assert.Equal("version", ErrorOf(c.Ask("""{"command":"hello","protocol":2}""")).Code);
        Assert.Equal((UnixFileMode)0b110_000_000, File.GetUnixFileMode(SocketPath));
    }

    [Fact]
    public void Edits_undo_and_redo_change_the_patch_and_each_reply_finds_its_question()
    {
        using var c = _host.Connect();
        c.Read();
        var reply = c.Ask("""{"id":"x-7","command":"edit","edits":[{"op":"add","add":{"id":"t","type":"tone"}},{"op":"add","add":{"id":"e","type":"ear"}},{"op":"connect","from":"t.out","to":"e.in"}]}""");
        Assert.Equal(("x-7", true), (reply.GetProperty("id").GetString(), reply.GetProperty("ok").GetBoolean()));
        Assert.Equal((2, 1), (Session.Current.Modules.Length, Session.Current.Cables.Length));
        var patch = c.Ask("""{"id":3.5,"command":"patch"}""");
        Assert.Equal("3.5", patch.GetProperty("id").GetRawText());
        Assert.Equal("t", patch.GetProperty("result").GetProperty("patch").GetProperty("modules")[0].GetProperty("id").GetString());
        Assert.True(patch.GetProperty("result").GetProperty("canUndo").GetBoolean());
        c.Ask("""{"command":"undo"}""");
        Assert.Empty(Session.Current.Modules);
        c.Ask("""{"command":"redo"}""");
        Assert.Equal(2, Session.Current.Modules.Length);
    }

    [Fact]
    public void A_refused_edit_is_one_error_and_leaves_the_patch_as_it_was()
    {
        using var c = _host.Connect();
        c.Read();
        c.Ask("""{"command":"edit","edits":[{"op":"add","add":{"id":"t","type":"tone"}}]}""");
        var before = Session.Current;
        foreach (var edits in new[]
        {
            """[{"op":"param","module":"t","param":"pitch","value":1},{"op":"add","add":{"id":"n","type":"nothing"}}]""",
            """[{"op":"connect","from":"t.out","to":"gone.in"}]""", """[{"op":"whistle"}]""", """7""", """[{"op":"param","module":"t","param":"pitch","value":1e9}]""",
        })
        {
            var (_, message) = ErrorOf(c.Ask("{\"command\":\"edit\",\"edits\":" + edits + "}"));
            Assert.False(string.IsNullOrWhiteSpace(message));
        }

        Assert.Equal(before, Session.Current);
    }

    [Fact]
    public void A_patch_is_saved_and_loaded_by_path_or_in_the_message()
    {
        using var c = _host.Connect();
        c.Read();
        c.Ask("""{"command":"edit","edits":{"op":"add","add":{"id":"t","type":"tone"}}}""");
        var file = Path.Combine(_host.Directory, "my.json");
        Assert.True(c.Ask($$"""{"command":"save","path":"{{file}}"}""").GetProperty("ok").GetBoolean());
        c.Ask("""{"command":"undo"}""");
        Assert.True(c.Ask($$"""{"command":"load","path":"{{file}}"}""").GetProperty("ok").GetBoolean());
        Assert.Equal("t", Session.Current.Modules[0].Id);
        Assert.True(c.Ask("""{"command":"load","patch":{"format":1,"id":"p","modules":[{"id":"e","type":"ear"}],"cables":[]}}""").GetProperty("ok").GetBoolean());
        Assert.Equal("e", Session.Current.Modules[0].Id);
        Assert.Contains("not absolute", ErrorOf(c.Ask("""{"command":"load","path":"my.json"}""")).Message, StringComparison.Ordinal);
        Assert.Equal("refused", ErrorOf(c.Ask("""{"command":"load","path":"/no/such/file.json"}""")).Code);
        Assert.Equal("e", Session.Current.Modules[0].Id);
    }

    [Fact]
    public void Status_modules_start_stop_and_quit_reach_the_host()
    {
        using var c = _host.Connect();
        c.Read();
        Assert.Equal(42, c.Ask("""{"command":"status"}""").GetProperty("result").GetProperty("enginePid").GetInt32());
        var modules = c.Ask("""{"command":"modules"}""").GetProperty("result").GetProperty("modules");
        Assert.Equal(["vco", "mixer"], modules.EnumerateArray().Take(2).Select(m => m.GetProperty("id").GetString()));
        Assert.Equal("Follow", modules[0].GetProperty("outputs")[0].GetProperty("rule").GetString());
        Assert.True(c.Ask("""{"command":"start"}""").GetProperty("ok").GetBoolean());
        _host.Refusal = "the device is gone";
        Assert.Equal(("refused", "the device is gone"), ErrorOf(c.Ask("""{"command":"stop"}""")));
        c.Ask("""{"command":"quit"}""");
        Assert.Equal(1, _host.Quits);
    }

    [Fact]
    public void Subscribers_hear_of_what_they_asked_for_and_nobody_else_does()
    {
        using var a = _host.Connect();
        using var b = _host.Connect();
        a.Read();
        b.Read();
        a.Ask("""{"command":"subscribe","to":["patch","log"]}""");
        b.Ask("""{"command":"edit","edits":[{"op":"add","add":{"id":"t","type":"tone"}}]}""");
        var change = a.Read();
        Assert.Equal("patch", change.GetProperty("event").GetString());
        Assert.Equal("structure", change.GetProperty("data").GetProperty("kind").GetString());
        _host.Incidents.Add(new Notice { Kind = NoticeKind.Dropout }, module: null); // not asked for
        _host.Log.Add("a dropout");
        Assert.Equal("a dropout", a.Read().GetProperty("data").GetProperty("text").GetString());
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
        using var c = _host.Connect();
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
        using var c = _host.Connect();
        c.Read();
        for (var i = 0; i < 2000; i++)
        {
            var line = Encoding.UTF8.GetBytes(seeds[random.Next(seeds.Length)]);
            for (var k = random.Next(0, 4); k > 0; k--) line[random.Next(line.Length)] = (byte)random.Next(256);
            line.AsSpan().Replace((byte)'\n', (byte)'?');
            line.AsSpan().Replace((byte)'\r', (byte)'?');
            c.Write([.. line, (byte)'\n']);
            var reply = c.Read();
            while (reply.TryGetProperty("event", out _)) reply = c.Read(); // some of these lines subscribe
            Assert.True(reply.TryGetProperty("ok", out var ok));
            if (!ok.GetBoolean() && ErrorOf(reply) is ("internal", var defect)) Assert.Fail($"{Encoding.Latin1.GetString(line)}: {defect}");
        }

        Assert.True(c.Ask("""{"command":"status"}""").GetProperty("ok").GetBoolean());
    }

    [Fact]
    public void Messages_may_come_in_pieces_or_many_at_once()
    {
        using var c = _host.Connect();
        c.Read();
        foreach (var b in Encoding.UTF8.GetBytes("""{"id":1,"command":"status"}""" + "\n")) c.Write([b]);
        Assert.Equal(1, c.Read().GetProperty("id").GetInt32());
        c.Write(string.Concat(Enumerable.Range(2, 100).Select(i => $$"""{"id":{{i}},"command":"status"}""" + "\r\n\n")));
        for (var i = 2; i < 102; i++) Assert.Equal(i, c.Read().GetProperty("id").GetInt32());
    }

    [Fact]
    public void A_line_that_never_ends_is_cut_off_with_an_error()
    {
        using var c = _host.Connect();
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

        using var other = _host.Connect();
        other.Read();
        Assert.True(other.Ask("""{"command":"status"}""").GetProperty("ok").GetBoolean());
    }

    [Fact]
    public void A_client_that_does_not_read_is_let_go_and_delays_nobody()
    {
        using var deaf = _host.Connect();
        deaf.Read();
        deaf.Ask("""{"command":"subscribe","to":["log"]}""");
        using var other = _host.Connect();
        other.Read();
        other.Ask("""{"command":"subscribe","to":["log"]}""");
        var notice = new string('n', 10_000);
        for (var i = 0; i < 500; i++)
        {
            _host.Log.Add(notice);
            Assert.Equal("log", other.Read().GetProperty("event").GetString());
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
        var clients = new List<RawClient>();
        for (var i = 0; i < Protocol.MaxClients; i++)
        {
            clients.Add(_host.Connect());
            clients[^1].Read();
        }

        using (var late = _host.Connect()) Assert.Equal("too-many-clients", ErrorOf(late.Read()).Code);
        Assert.True(clients[3].Ask("""{"command":"status"}""").GetProperty("ok").GetBoolean());
        foreach (var c in clients) c.Dispose();
    }

    [Fact]
    public void A_socket_left_by_a_dead_host_is_replaced_and_a_live_one_is_not()
    {
        Assert.Contains("another host answers", Assert.Throws<IOException>(() => ControlServer.Start(SocketPath, _host.Target)).Message, StringComparison.Ordinal);
        var left = Path.Combine(_host.Directory, "left.sock");
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(left + "1"));
            File.Move(left + "1", left); // .NET would remove the file with the socket; a host that was killed does not
        }

        using (var server = ControlServer.Start(left, _host.Target)) Assert.Equal(0, server.Clients);
        Assert.False(File.Exists(left));
        Assert.Contains("too long for a socket", Assert.Throws<IOException>(() => ControlServer.Start("/tmp/" + new string('x', 200), _host.Target)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_client_of_the_commands_asks_and_is_told_why_not()
    {
        Assert.Null(ControlClient.TryConnect(Path.Combine(_host.Directory, "nobody"), TimeSpan.FromSeconds(5)));
        using var client = ControlClient.TryConnect(_host.Directory, TimeSpan.FromSeconds(120))!;
        Assert.Equal("playing", client.Ask("status").GetProperty("state").GetString());
        var e = Assert.Throws<ControlRefusedException>(() => client.Ask("subscribe", w => w.WriteString("to", "x")));
        Assert.Equal("bad-message", e.Code);
    }

    public void Dispose() => _host.Dispose();

    private static (string Code, string Message) ErrorOf(JsonElement reply)
    {
        Assert.False(reply.TryGetProperty("ok", out var ok) && ok.GetBoolean(), reply.GetRawText());
        var error = reply.GetProperty("error");
        var message = error.GetProperty("message").GetString()!;
        Assert.DoesNotContain('\n', message);
        return (error.GetProperty("code").GetString()!, message);
    }
}
