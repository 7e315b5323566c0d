// Viewers of the panel: each has the panel's pixels, none holds up anything, and what is no message ends only who sent it.
using System.Net.WebSockets;
using SspHost.Panel.Surface;
using SspHost.Web.Tests.Kit;

namespace SspHost.Web.Tests;

public sealed class ViewerTests
{
    [Fact]
    public async Task Several_viewers_have_the_panels_pixels_bit_for_bit()
    {
        using var rig = new WebRig(pages: true);
        using var one = await Viewer.JoinAsync(rig);
        using var two = await Viewer.JoinAsync(rig);
        foreach (var viewer in new[] { one, two }) await SameAsync(rig, viewer);
        var before = rig.Screen.Pixels;
        await one.SendAsync(1, (byte)Control.K8);
        await one.SendAsync(2, (byte)Control.K8);
        await WebRig.UntilAsync(() => !rig.Screen.Pixels.AsSpan().SequenceEqual(before), "K8 changed nothing");
        foreach (var viewer in new[] { one, two }) await SameAsync(rig, viewer);
        Assert.Empty(rig.Failures);
    }

    [Fact]
    public async Task A_slow_viewer_gets_the_newest_state_and_nobody_waits_for_it()
    {
        using var rig = new WebRig();
        using var slow = await Viewer.JoinAsync(rig);
        var picture = new Picture();
        var tick = 0;
        for (; tick < 400; tick++)
        {
            picture.Fill((uint)tick);
            rig.Viewers.Show(picture.Frame, [picture.All]);
        }

        // It never asked for more than the two frames it may be behind; then it asks.
        Assert.True(await slow.FrameAsync());
        Assert.True(await slow.FrameAsync());
        while (slow.Pixels[0] != (uint)(tick - 1)) Assert.True(await slow.FrameAsync());
        Assert.All(slow.Pixels, p => Assert.Equal((uint)(tick - 1), p));
        Assert.InRange(slow.Last.Bytes, 1, 40_000);
    }

    [Fact]
    public async Task A_viewer_that_does_not_read_costs_two_frames_and_no_more()
    {
        const int Frames = 40;
        using var rig = new WebRig();
        using var deaf = await Viewer.JoinAsync(rig, new Slowness(0));
        using var quick = await Viewer.JoinAsync(rig);
        var reading = Task.Run(async () =>
        {
            while (quick.Number < Frames) Assert.True(await quick.FrameAsync());
        });
        var picture = new Picture();
        for (var i = 1; i <= Frames; i++)
        {
            // Noise is what compresses worst: a frame has more bytes than the sockets keep.
            picture.Noise(i);
            rig.Viewers.Show(picture.Frame, [picture.All]);
        }

        Assert.Equal(Frames, rig.Viewers.Picture.Frame);
        await reading;
        Assert.Equal(picture.Pixels, quick.Pixels);

        // When it reads at last: what was on its way, and then the newest. So nothing was kept for it but that.
        var got = new List<uint>();
        while (deaf.Number < Frames)
        {
            Assert.True(await deaf.FrameAsync());
            got.Add(deaf.Number);
        }

        Assert.InRange(got.Count, 1, 3);
        Assert.Equal(picture.Pixels, deaf.Pixels);
    }

    [Fact]
    public async Task A_viewer_of_10_kB_a_second_sees_some_of_the_frames_and_at_the_end_the_last_one()
    {
        const int Frames = 150;
        using var rig = new WebRig();
        var speed = new Slowness(10_000);
        using var slow = await Viewer.JoinAsync(rig, speed);
        using var quick = await Viewer.JoinAsync(rig);
        var (some, all) = (new List<uint>(), new List<uint>());
        var picture = new Picture();
        var drawing = Task.Run(async () =>
        {
            for (var i = 1; i <= Frames; i++)
            {
                picture.Fill((uint)i);
                rig.Viewers.Show(picture.Frame, [picture.All]);
                await Task.Delay(10);
            }
        });
        await Task.WhenAll(drawing, ReadAsync(quick, all), Task.Run(async () =>
        {
            await drawing;
            Assert.Equal(Frames, rig.Viewers.Picture.Frame);
            speed.BytesPerSecond = 0;
        }), ReadAsync(slow, some));
        Assert.All(new[] { some, all }, seen => Assert.Equal(seen.Distinct().Order(), seen)); // never an older one after a newer
        Assert.True(some.Count < all.Count, "the slow one held the quick one up");
        Assert.Equal(quick.Pixels, slow.Pixels);

        async Task ReadAsync(Viewer viewer, List<uint> seen)
        {
            while (viewer.Number < Frames)
            {
                Assert.True(await viewer.FrameAsync());
                seen.Add(viewer.Number);
            }
        }
    }

    [Fact]
    public async Task What_is_drawn_as_it_was_is_not_sent()
    {
        using var rig = new WebRig();
        using var viewer = await Viewer.JoinAsync(rig);
        var picture = new Picture();
        picture.Fill(0x112233);
        rig.Viewers.Show(picture.Frame, [picture.All]);
        Assert.True(await viewer.FrameAsync());
        Assert.Equal(750, viewer.Last.Tiles);
        rig.Viewers.Show(picture.Frame, [picture.All]);
        picture.Set(700, 100, 0x445566);
        rig.Viewers.Show(picture.Frame, [new Rect(600, 90, 300, 30)]);
        Assert.True(await viewer.FrameAsync());
        Assert.Equal(1, viewer.Last.Tiles);
        Assert.Equal(0x445566u, viewer.Pixels[(100 * PanelSize.Width) + 700]);
    }

    [Fact]
    public async Task What_a_viewer_held_is_released_when_its_socket_closes()
    {
        using var rig = new WebRig();
        using var one = await Viewer.JoinAsync(rig);
        using var two = await Viewer.JoinAsync(rig);
        await one.SendAsync(1, (byte)Control.K3);
        await two.SendAsync(1, (byte)Control.ShiftLeft);
        await WebRig.UntilAsync(() => rig.Events.Count == 2, "the presses did not arrive");
        Assert.Equal(2, rig.Events.Select(e => e.Source).Distinct().Count());
        one.Abort();
        await WebRig.UntilAsync(() => rig.Left.Count == 1, "nobody noticed that it is gone");
        Assert.Equal(rig.Events.Single(e => e.Control == Control.K3).Source, rig.Left[0]);
        Assert.Equal(1, rig.Viewers.Count);
    }

    [Fact]
    public async Task Turns_presses_and_characters_arrive_in_order()
    {
        using var rig = new WebRig();
        using var viewer = await Viewer.JoinAsync(rig);
        await viewer.SendAsync(3, 1, 253);
        await viewer.SendAsync(1, 17);
        await viewer.SendAsync(2, 17);
        await viewer.SendAsync(4, 0xE4, 0, 0, 0);
        await WebRig.UntilAsync(() => rig.Events.Count == 4, "not all events arrived");
        Assert.Equal(
            [(Control.E2, ControlAction.Turn, -3), (Control.ShiftRight, ControlAction.Press, 0), (Control.ShiftRight, ControlAction.Release, 0), (default, ControlAction.Type, 'ä')],
            rig.Events.Select(e => (e.Control, e.Action, e.Value)));
    }

    [Theory]
    [InlineData(new byte[] { 9 }, WebSocketCloseStatus.PolicyViolation)]
    [InlineData(new byte[] { 1, 18 }, WebSocketCloseStatus.PolicyViolation)]
    [InlineData(new byte[] { 3, 4, 1 }, WebSocketCloseStatus.PolicyViolation)]
    [InlineData(new byte[] { 3, 0, 0 }, WebSocketCloseStatus.PolicyViolation)]
    [InlineData(new byte[] { 4, 0, 0xD8, 0, 0 }, WebSocketCloseStatus.PolicyViolation)]
    [InlineData(new byte[] { 0 }, WebSocketCloseStatus.PolicyViolation)]
    [InlineData(new byte[0], WebSocketCloseStatus.PolicyViolation)]
    [InlineData(new byte[] { 1, 2, 3, 4, 5, 6, 7, 8 }, WebSocketCloseStatus.MessageTooBig)]
    public async Task What_is_no_message_ends_who_sent_it_and_nobody_else(byte[] message, WebSocketCloseStatus why)
    {
        using var rig = new WebRig();
        using var good = await Viewer.JoinAsync(rig);
        using var bad = await Viewer.JoinAsync(rig);
        await bad.SendAsync(message);
        Assert.Equal(why, await bad.EndAsync());
        await good.SendAsync(3, 0, 1);
        await WebRig.UntilAsync(() => rig.Events.Count == 1, "the other viewer was disturbed");
    }

    [Fact]
    public async Task Fuzzed_messages_do_no_harm()
    {
        using var rig = new WebRig();
        var random = new Random(3);
        for (var round = 0; round < 40; round++)
        {
            using var viewer = await Viewer.JoinAsync(rig);
            for (var i = 0; i < 10; i++)
            {
                var bytes = new byte[random.Next(8)];
                random.NextBytes(bytes);
                if (bytes.Length > 0) bytes[0] %= 6;
                try
                {
                    await viewer.SendAsync(bytes);
                }
                catch (WebSocketException)
                {
                    break; // it was sent away for the one before
                }
            }
        }

        await WebRig.UntilAsync(() => rig.Viewers.Count == 0, "viewers that are gone keep their places");
        Assert.All(rig.Events, e => Assert.True((int)e.Control < Controls.Count));
        using var last = await Viewer.JoinAsync(rig);
        await last.SendAsync(3, 0, 1);
    }

    [Fact]
    public async Task The_seventeenth_viewer_is_told_that_all_places_are_taken()
    {
        using var rig = new WebRig();
        var viewers = new List<Viewer>();
        for (var i = 0; i < 16; i++) viewers.Add(await Viewer.JoinAsync(rig));
        var refused = await Assert.ThrowsAsync<WebSocketException>(() => rig.ConnectAsync("/panel"));
        Assert.Contains("503", refused.Message, StringComparison.Ordinal);
        foreach (var v in viewers) v.Dispose();
    }

    // The panel draws on until it rests; the viewer is to have what it then shows.
    private static async Task SameAsync(WebRig rig, Viewer viewer)
    {
        for (var i = 0; i < 200; i++)
        {
            if (viewer.Pixels.AsSpan().SequenceEqual(rig.Screen.Pixels.Select(p => p & 0xFFFFFF).ToArray())) return;
            Assert.True(await viewer.FrameAsync());
        }

        Assert.Fail("the viewer never had the panel's pixels");
    }
}

/// <summary>A picture of a test's own.</summary>
internal sealed unsafe class Picture
{
    private readonly uint[] _pixels = GC.AllocateArray<uint>(PanelSize.Width * PanelSize.Height, pinned: true);
    private ulong _serial;

    public uint[] Pixels => [.. _pixels];

    public Rect All => new(0, 0, PanelSize.Width, PanelSize.Height);

    public Frame Frame => new((nint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _pixels[0]), PanelSize.Width, PanelSize.Height, PanelSize.Width * 4, ++_serial);

    public void Fill(uint colour) => Array.Fill(_pixels, colour);

    public void Noise(int seed)
    {
        new Random(seed).NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_pixels.AsSpan()));
        foreach (ref var p in _pixels.AsSpan()) p &= 0xFFFFFF;
    }

    public void Set(int x, int y, uint colour) => _pixels[(y * PanelSize.Width) + x] = colour;
}
