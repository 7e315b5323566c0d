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
