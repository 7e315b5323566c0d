// OSC: parameters by their paths, told as they change, and a parser that nothing upsets.
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using SspHost.Panel.Tests.Kit;
using SspHost.Patching;
using SspHost.Remote.Osc;
using SspHost.Web.Tests.Kit;

namespace SspHost.Web.Tests;

public sealed class OscTests : IDisposable
{
    private readonly TestHost _host = new();
    private readonly OscServer _server;
    private readonly UdpClient _client = new(0, AddressFamily.InterNetwork);

    public OscTests()
    {
        Assert.Null(_host.Session.Apply(new AddModule(new Module { Id = "vco1", Type = "vco" })));
        _server = OscServer.Start(IPAddress.Loopback, 0, _host.Session, _host.Modules);
        _client.Client.ReceiveTimeout = 60_000;
    }

    private string Parameter { get; } = TestHost.Shipped.Single(m => m.Id == "vco").Parameters[0].Id;

    private Abi.ParameterDescriptor Described => TestHost.Shipped.Single(m => m.Id == "vco").Parameters[0];

    private string Path => $"/patch/vco1/{Parameter}";

    public void Dispose()
    {
        _server.Dispose();
        _client.Dispose();
        _host.Dispose();
    }

    [Fact]
    public void A_message_is_written_as_the_specification_has_it()
    {
        // The example of OSC 1.0: /foo with 1000, -1, "hello", 1.234, 5.678.
        byte[] bytes =
        [
            0x2f, 0x66, 0x6f, 0x6f, 0, 0, 0, 0, 0x2c, 0x69, 0x69, 0x73, 0x66, 0x66, 0, 0, 0, 0, 3, 0xe8, 0xff, 0xff, 0xff, 0xff,
            0x68, 0x65, 0x6c, 0x6c, 0x6f, 0, 0, 0, 0x3f, 0x9d, 0xf3, 0xb6, 0x40, 0xb5, 0xb2, 0x2d,
        ];
        var messages = new List<OscMessage>();
        Assert.True(OscPacket.TryRead(bytes, messages));
        var m = Assert.Single(messages);
        Assert.Equal("/foo", m.Address);
        Assert.Equal([new OscValue('i', 1000), new OscValue('i', -1), new OscValue('s', 0, "hello"), new OscValue('f', 1.234f), new OscValue('f', 5.678f)], m.Values);
        Assert.Equal(bytes, OscPacket.Write(m));
    }

    [Fact]
    public async Task A_value_sets_a_parameter_in_its_own_unit_and_no_value_asks_for_it()
    {
        Send(new OscMessage(Path, [new OscValue('f', 0.5)]));
        await WebRig.UntilAsync(() => Value() == 0.5f, "it was not set");
        Send(new OscMessage(Path, []));
        Assert.Equal(new OscValue('f', 0.5), Receive(Path));
        Send(new OscMessage(Path + "/travel", [new OscValue('f', 1)]));
        await WebRig.UntilAsync(() => Value() == Described.Max, "its travel was not set");
        Send(new OscMessage(Path, [new OscValue('i', -1_000_000)]));
        Send(new OscMessage(Path + "/travel", []));
        Assert.Equal(new OscValue('f', 0), Receive(Path + "/travel"));
        Assert.Equal(Described.Min, Value());
    }

    [Fact]
    public async Task What_is_moved_until_it_rests_is_one_undo_step()
    {
        for (var i = 1; i <= 20; i++) Send(new OscMessage(Path, [new OscValue('f', i / 20.0)]));
        await WebRig.UntilAsync(() => Value() == 1, "not all of it arrived");
        Assert.Null(_host.Session.Undo());
        Assert.Equal(Described.Default, Value());
    }

    [Fact]
    public void Who_subscribes_is_told_of_changes_until_it_has_enough()
    {
        Send(new OscMessage("/subscribe", [new OscValue('s', 0, "/patch/vco1"), new OscValue('i', 30)]));
        Send(new OscMessage(Path, []));
        _ = Receive(Path); // it was heard
        Assert.Null(_host.Session.Apply(new SetParameter("vco1", Parameter, 0.75f)));
        Assert.Equal(new OscValue('f', 0.75), Receive(Path));
        Send(new OscMessage("/unsubscribe", []));
        Send(new OscMessage(Path, []));
        _ = Receive(Path);
        Assert.Null(_host.Session.Apply(new SetParameter("vco1", Parameter, 0.25f)));
        Send(new OscMessage("/nothing", []));
        Receive("/error"); // and not the parameter before it
    }

    [Theory]
    [InlineData("/patch/none/pitch")]
    [InlineData("/patch/vco1/none")]
    [InlineData("/patch/vco1")]
    [InlineData("/elsewhere")]
    public void What_is_not_there_is_answered_with_an_error(string address)
    {
        Send(new OscMessage(address, [new OscValue('f', 1)]));
        Assert.Equal(new OscValue('s', 0, address), Receive("/error"));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_value_that_is_no_number_changes_nothing(double value)
    {
        Send(new OscMessage(Path, [new OscValue('f', value)]));
        Receive("/error");
        Assert.Equal(Described.Default, Value());
    }

    [Fact]
    public async Task A_bundle_is_done_at_its_time()
    {
        var soon = (DateTime.UtcNow - new DateTime(1900, 1, 1, 0, 0, 0, DateTimeKind.Utc)).TotalSeconds + 0.4;
        _client.Send(Bundle((ulong)(soon * 4294967296.0), OscPacket.Write(new OscMessage(Path, [new OscValue('f', 1)]))), _server.EndPoint);
        Send(new OscMessage(Path, []));
        Assert.Equal(new OscValue('f', Described.Default), Receive(Path));
        await WebRig.UntilAsync(() => Value() == 1, "its time came and nothing was done");
        _client.Send(Bundle(1, Bundle(1, OscPacket.Write(new OscMessage(Path, [new OscValue('T', 1)]))), OscPacket.Write(new OscMessage(Path, [new OscValue('F', 0)]))), _server.EndPoint);
        await WebRig.UntilAsync(() => Value() == 0, "a bundle for now was not done");
    }

    [Fact]
    public void Bytes_that_are_no_packet_are_refused_and_never_read_beyond()
    {
        var random = new Random(9);
        var messages = new List<OscMessage>();
        var whole = Bundle(1, OscPacket.Write(new OscMessage("/patch/a/b", [new OscValue('i', 1), new OscValue('s', 0, "text"), new OscValue('T', 1), new OscValue('f', 2)])), OscPacket.Write(new OscMessage("/x", [])));
        var refused = 0;
        for (var round = 0; round < 50_000; round++)
        {
            var bytes = whole.ToArray();
            for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (!OscPacket.TryRead(bytes.AsSpan(0, random.Next(3) == 0 ? random.Next(bytes.Length + 1) : bytes.Length), messages)) refused++;
            Assert.All(messages, m => Assert.StartsWith("/", m.Address, StringComparison.Ordinal));
        }

        Assert.InRange(refused, 1000, 49_999);
        for (var i = 0; i < 200; i++)
        {
            var noise = new byte[random.Next(200)];
            random.NextBytes(noise);
            _client.Send(noise, _server.EndPoint);
        }

        Send(new OscMessage(Path, []));
        Assert.Equal(new OscValue('f', Described.Default), Receive(Path));
    }

    public static TheoryData<string, byte[]> NoPackets()
    {
        var value = OscPacket.Write(new OscMessage("/patch/vco1/x", [new OscValue('f', 1)]));
        byte[] deep = value;
        for (var i = 0; i < 6; i++) deep = Bundle(1, deep);
        byte[] Raw(string text) => System.Text.Encoding.ASCII.GetBytes(text.Replace('|', '\0'));
        return new TheoryData<string, byte[]>
        {
            { "nothing", [] },
            { "not a multiple of four", value[..^1] },
            { "cut in its value", value[..^4] },
            { "more after its values", [.. value, 0, 0, 0, 0] },
            { "an address without an end", Raw("/abc") },
            { "an address that is none", Raw("abc|,|||") },
            { "an address that is not ASCII", [0x2f, 0xC3, 0xA4, 0, 0x2c, 0, 0, 0] },
            { "an address of 300 characters", Raw("/" + new string('a', 300) + "|||,|||") },
            { "padding that is not zero", Raw("/a|x,|||") },
            { "type tags without a comma", Raw("/a||f|||") },
            { "an unknown type", Raw("/a||,b||||||") },
            { "an array", Raw("/a||,[i]||||||||") },
            { "64 bits, which are not spoken", Raw("/a||,d||||||||||") },
            { "a bundle without a time", Raw("#bundle|") },
            { "a bundle whose element is longer than it", [.. Bundle(1), 0, 0, 0, 64, .. value] },
            { "a bundle with an element of nothing", [.. Bundle(1), 0, 0, 0, 0] },
            { "a bundle with a negative length", [.. Bundle(1), 0xFF, 0xFF, 0xFF, 0xFC, .. value] },
            { "bundles in bundles, six deep", deep },
            { "more messages than are taken", Bundle(1, [.. Enumerable.Repeat(OscPacket.Write(new OscMessage("/x", [])), 1100)]) },
        };
    }

    [Theory]
    [MemberData(nameof(NoPackets))]
    public void What_is_no_packet_is_left_alone_as_a_whole(string what, byte[] bytes)
    {
        var messages = new List<OscMessage> { new("/before", []) };
        Assert.False(OscPacket.TryRead(bytes, messages), what);
        Assert.Empty(messages);
        var before = _host.Session.Sequence;
        if (bytes.Length > 0) _client.Send(bytes, _server.EndPoint);
        Send(new OscMessage(Path, []));
        Assert.Equal(new OscValue('f', Described.Default), Receive(Path)); // and the server answers the next one
        Assert.Equal(before, _host.Session.Sequence);
    }

    [Fact]
    public async Task The_largest_datagram_is_read_whole()
    {
        var one = OscPacket.Write(new OscMessage(Path, [new OscValue('f', 0.25)]));
        var bundle = Bundle(1, [.. Enumerable.Repeat(one, 1000)]);
        Assert.InRange(bundle.Length, 20_000, OscPacket.MostBytes);
        _client.Send(bundle, _server.EndPoint);
        await WebRig.UntilAsync(() => Value() == 0.25f, "it was not done");
        _client.Send(Bundle(1, OscPacket.Write(new OscMessage(Path, [new OscValue('f', 1)])), new byte[OscPacket.MostBytes / 4 * 4 - 64]), _server.EndPoint);
        Send(new OscMessage(Path, []));
        Assert.Equal(new OscValue('f', 0.25), Receive(Path)); // what comes with noise is not done by halves
    }

    [Theory]
    [InlineData("two values")]
    [InlineData("a text")]
    [InlineData("a text for the travel")]
    public void A_value_of_the_wrong_kind_is_answered_with_what_was_expected(string what)
    {
        var message = what switch
        {
            "two values" => new OscMessage(Path, [new OscValue('f', 1), new OscValue('f', 2)]),
            "a text" => new OscMessage(Path, [new OscValue('s', 0, "loud")]),
            _ => new OscMessage(Path + "/travel", [new OscValue('s', 0, "loud")]),
        };
        Send(message);
        Assert.Equal(new OscValue('s', 0, message.Address), Receive("/error"));
        Assert.Equal(Described.Default, Value());
    }

    [Fact]
    public void Every_parameter_of_every_module_is_asked_for_and_set_by_its_path()
    {
        var n = 0;
        foreach (var type in TestHost.Shipped.Where(t => t.Parameters.Count > 0))
        {
            Assert.Null(_host.Session.Apply(new AddModule(new Module { Id = "m", Type = type.Id })));
            foreach (var p in type.Parameters)
            {
                var path = $"/patch/m/{p.Id}";
                Send(new OscMessage(path, []));
                Assert.Equal(new OscValue('f', p.Default), Receive(path));
                Send(new OscMessage(path + "/travel", [new OscValue('f', 1)]));
                Send(new OscMessage(path, []));
                Assert.Equal(new OscValue('f', p.Max), Receive(path));
                if (p.Choices.Length > 0)
                {
                    Send(new OscMessage(path, [new OscValue('s', 0, p.Choices[0].ToUpperInvariant())]));
                    Send(new OscMessage(path, []));
                    Assert.Equal(new OscValue('f', p.Min), Receive(path));
                }

                n++;
            }

            Assert.Null(_host.Session.Apply(new RemoveModule("m")));
        }

        Assert.InRange(n, 200, 10_000);
    }

    [Fact]
    public void Subscribers_without_number_are_refused_and_those_there_are_are_told()
    {
        var clients = Enumerable.Range(0, 33).Select(_ => new UdpClient(0, AddressFamily.InterNetwork)).ToArray();
        foreach (var c in clients)
        {
            c.Client.ReceiveTimeout = 60_000;
            c.Send(OscPacket.Write(new OscMessage("/subscribe", [])), _server.EndPoint);
        }

        var from = new IPEndPoint(IPAddress.Any, 0);
        var messages = new List<OscMessage>();
        Assert.True(OscPacket.TryRead(clients[32].Receive(ref from), messages));
        Assert.Equal("/error", messages[0].Address);
        Assert.Null(_host.Session.Apply(new SetParameter("vco1", Parameter, 0.75f)));
        Assert.True(OscPacket.TryRead(clients[31].Receive(ref from), messages));
        Assert.Equal(Path, messages[0].Address);
        foreach (var c in clients) c.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(601)]
    public void A_subscription_of_no_time_or_for_ever_is_refused(int seconds)
    {
        Send(new OscMessage("/subscribe", [new OscValue('i', seconds)]));
        Assert.Equal(new OscValue('s', 0, "/subscribe"), Receive("/error"));
    }

    private static byte[] Bundle(ulong time, params byte[][] elements)
    {
        var bytes = new List<byte>("#bundle\0"u8.ToArray());
        var head = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(head, time);
        bytes.AddRange(head);
        foreach (var e in elements)
        {
            BinaryPrimitives.WriteInt32BigEndian(head, e.Length);
            bytes.AddRange(head[..4]);
            bytes.AddRange(e);
        }

        return [.. bytes];
    }

    private float Value() => _host.Session.Current.Find("vco1")!.Parameters.TryGet(Parameter, out var value) ? value : Described.Default;

    private void Send(OscMessage message) => _client.Send(OscPacket.Write(message), _server.EndPoint);

    private OscValue Receive(string address)
    {
        var from = new IPEndPoint(IPAddress.Any, 0);
        var messages = new List<OscMessage>();
        Assert.True(OscPacket.TryRead(_client.Receive(ref from), messages));
        Assert.Equal(address, messages[0].Address);
        return messages[0].Values[0];
    }
}
