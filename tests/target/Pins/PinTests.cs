// Lines of a real GPIO driver, toggled from outside: what the host asks the kernel for, and what it makes of the edges that the kernel has seen.
using SspHost.Board;
using SspHost.Panel.Surface;

namespace SspHost.Target.Pins;

public sealed class PinTests(PinMachine machine) : IClassFixture<PinMachine>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-pins-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void An_encoder_and_its_push_are_found_by_their_lines_names_and_do_what_the_hand_does()
    {
        File.WriteAllText(Path.Combine(_folder, "gpiochip0"), ""); // that there is a chip; it is opened there
        List<string> why = [];
        using var controls = GpioControls.Find(machine.Calls, new GpioSettings { Folder = _folder }, 7, why);
        Assert.True(controls != null, string.Join('\n', why));
        var heard = new Heard();
        controls.Start(heard);

        machine.Turn(5, edgeMs: 10);
        Assert.Equal(5, heard.Until(5).Sum(e => e.Value));
        machine.Turn(-3, edgeMs: 10);
        var turns = heard.Until(8);
        Assert.All(turns, e => Assert.Equal((Control.E1, ControlAction.Turn, (byte)7), (e.Control, e.Action, e.Source)));
        Assert.Equal(2, turns.Sum(e => e.Value));

        // A contact that bounces is one push: the kernel waits until it stands.
        foreach (var high in new[] { false, true, false, true, false }) machine.Set(PinMachine.Push, high);
        Assert.Equal(ControlAction.Press, heard.Until(9)[^1].Action);
        machine.Set(PinMachine.Push, high: true);
        var release = heard.Until(10)[^1];
        Assert.Equal((Control.E1, ControlAction.Release), (release.Control, release.Action));
        Assert.Equal(10, heard.Until(10).Count);
    }

    [Fact]
    public unsafe void A_key_of_the_device_tree_is_a_control_of_the_panel()
    {
        var node = machine.Guest.Run("grep -l panel-keys /sys/class/input/event*/device/name | sed 's|.*/\\(event[0-9]*\\)/.*|\\1|'").Output.Trim();
        Assert.StartsWith("event", node, StringComparison.Ordinal);
        var fd = machine.Calls.Open("/dev/input/" + node, SystemCalls.ReadWrite);
        Assert.True(fd >= 0, SystemCalls.Text(fd));
        machine.Calls.Stream(fd);
        machine.Set(PinMachine.Key, high: false);
        Assert.Equal((1, 59, 1), Event(fd));
        machine.Set(PinMachine.Key, high: true);
        Assert.Equal((1, 59, 0), Event(fd));
        Assert.Equal(Control.K1, KeyMap.Panel[59]);
        machine.Calls.Close(fd);

        // struct input_event, and the one that ends it.
        (int Type, int Code, int Value) Event(int fd)
        {
            Span<byte> events = stackalloc byte[2 * 24];
            fixed (byte* e = events)
            {
                for (var got = 0; got < events.Length;)
                {
                    var read = machine.Calls.Read(fd, e + got, events.Length - got);
                    Assert.True(read > 0, SystemCalls.Text(read));
                    got += read;
                }
            }

            return (BitConverter.ToUInt16(events[16..]), BitConverter.ToUInt16(events[18..]), BitConverter.ToInt32(events[20..]));
        }
    }

    private sealed class Heard : IControlSink
    {
        private readonly List<ControlEvent> _events = [];

        public void Put(in ControlEvent e)
        {
            lock (_events) _events.Add(e);
        }

        public void Gone(byte source) => Assert.Fail("the chip is gone");

        /// <summary>All events, once there are so many, and a little later.</summary>
        public List<ControlEvent> Until(int count)
        {
            for (var i = 0; i < 1000; i++)
            {
                lock (_events)
                {
                    if (_events.Count >= count) break;
                }

                Thread.Sleep(10);
            }

            Thread.Sleep(300); // one too many would come now
            lock (_events) return [.. _events];
        }
    }
}
