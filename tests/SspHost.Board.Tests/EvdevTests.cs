// Devices of /dev/input as the kernel has them: bytes of struct input_event, answers of ioctls; what the panel hears of it.
using System.Text;
using SspHost.Panel.Surface;

namespace SspHost.Board.Tests;

public sealed class EvdevTests : IDisposable
{
    private const int F1 = 59, One = 2, Shift = 42, Q = 16, Alt = 56;

    private readonly Folder _folder = new();
    private readonly StandIn _system = new();
    private readonly Heard _heard = new();
    private EvdevControls? _controls;

    public void Dispose()
    {
        _controls?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Keys_of_the_panel_are_pressed_and_released_at_the_kernels_times()
    {
        var keys = Plug("event0", Node.Keys("gpio-keys", F1, One, Shift));
        Start();
        keys.Say((1, F1, 1), (1, One, 1), (1, F1, 2), (1, F1, 0), (1, One, 0));
        _heard.Is("+K1", "+E1", "-K1", "-E1");
        Assert.Equal(12_000_034_000UL, _heard.Events[0].Time);
        Assert.All(_heard.Events, e => Assert.Equal(201, e.Source));
        Assert.Equal(1, keys.Clock);
        Assert.Contains("event0 (gpio-keys)", _controls!.Name, StringComparison.Ordinal);
    }

    [Fact]
    public void Rotary_encoders_turn_in_the_order_of_their_names_not_of_their_nodes()
    {
        var second = Plug("event0", Node.Axis("rotary@2", 0));
        var first = Plug("event7", Node.Axis("rotary@1", 0));
        Start();
        first.Say((2, 0, 1));
        _heard.Is("1xE1");
        second.Say((2, 0, -3));
        _heard.Is("1xE1", "-3xE2");
    }

    [Fact]
    public void An_encoder_that_is_configured_has_its_control_and_counts()
    {
        var dial = Plug("event0", Node.Axis("big dial", EvdevAbi.Dial));
        Start(new EvdevSettings { Encoders = [new EncoderAxis("dial", EvdevAbi.Dial, Control.E4, CountsPerDetent: -2)] });
        dial.Say((2, 7, 1), (2, 7, 1), (2, 7, 1), (2, 7, -7));
        _heard.Is("-1xE4", "3xE4");
    }

    [Fact]
    public void What_was_dropped_is_asked_for_again()
    {
        var keys = Plug("event0", Node.Keys("gpio-keys", F1, F1 + 1, F1 + 2));
        Start();
        keys.Say((1, F1, 1));
        _heard.Is("+K1");
        keys.Hold(F1, down: false); // lost: K1 up, K2 down; the K3 of the torn report does not count
        keys.Hold(F1 + 1, down: true);
        keys.Say((0, EvdevAbi.Dropped, 0), (1, F1 + 2, 1), (0, 0, 0));
        _heard.Is("+K1", "-K1", "+K2");
        keys.Say((1, F1 + 1, 0), (0, 0, 0));
        _heard.Is("+K1", "-K1", "+K2", "-K2");
    }

    [Fact]
    public void A_device_may_come_late_and_go_and_lets_go_of_what_it_held()
    {
        Start();
        Assert.Contains("waiting", _controls!.Name, StringComparison.Ordinal);
        var keys = Plug("event3", Node.Keys("gpio-keys", F1));
        Eventually.True(() => keys.Written >= 0);
        keys.Say((1, F1, 1));
        _heard.Is("+K1");
        keys.Unplug();
        _heard.Is("+K1", "gone 201");
        File.Delete(Path.Combine(_folder.At, "event3"));
        var again = Plug("event3", Node.Keys("gpio-keys", F1));
        Eventually.True(() => again.Written >= 0);
        again.Say((1, F1, 1));
        _heard.Is("+K1", "gone 201", "+K1");
    }

    [Fact]
    public void A_node_whose_permissions_come_later_is_opened_then()
    {
        var keys = Node.Keys("gpio-keys", F1);
        keys.Refuses = true;
        Plug("event0", keys);
        Start();
        Assert.Contains(_controls!.Refused, r => r.Contains("event0", StringComparison.Ordinal));
        keys.Refuses = false;
        File.SetUnixFileMode(Path.Combine(_folder.At, "event0"), UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Eventually.True(() => keys.Written >= 0);
        keys.Say((1, F1, 1));
        _heard.Is("+K1");
    }

    [Fact]
    public void The_folder_itself_may_come_late()
    {
        var folder = Path.Combine(_folder.At, "input");
        var keys = Node.Keys("gpio-keys", F1);
        _system.Devices[Path.Combine(folder, "event0")] = keys;
        Start(new EvdevSettings { Folder = folder });
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "event0"), "");
        Eventually.True(() => keys.Written >= 0);
        keys.Say((1, F1, 1));
        _heard.Is("+K1");
    }

    [Fact]
    public void What_is_held_when_it_is_opened_was_not_pressed_for_the_panel()
    {
        var keys = Node.Keys("gpio-keys", F1);
        keys.Hold(F1, down: true);
        Plug("event0", keys);
        Start();
        keys.Say((1, F1, 0), (1, F1, 1));
        _heard.Is("+K1");
    }

    [Fact]
    public void Two_keys_of_one_control_hold_it_until_both_are_up()
    {
        var keys = Plug("event0", Node.Keys("gpio-keys", One, 0x100));
        Start();
        keys.Say((1, One, 1), (1, 0x100, 1), (1, One, 0), (1, 0x100, 0), (1, One, 1));
        _heard.Is("+E1", "-E1", "+E1");
    }

    [Fact]
    public void A_keyboard_types_plays_its_function_keys_and_turns_with_alt()
    {
        var keyboard = Plug("event0", Node.Keyboard());
        Start(keyboards: true);
        keyboard.Say((1, Q, 1), (1, Q, 2), (1, Q, 0), (1, Shift, 1), (1, Q, 1), (1, Q, 0), (1, Shift, 0));
        _heard.Is("'q'", "'q'", "'Q'");
        keyboard.Say((1, Alt, 1), (1, Q, 1), (1, Q, 2), (1, Q, 0), (1, 30, 1), (1, 30, 0), (1, 3, 1), (1, Alt, 0), (1, 3, 0), (1, F1, 1), (1, 28, 1));
        _heard.Is("'q'", "'q'", "'Q'", "1xE1", "1xE1", "-1xE1", "+E2", "-E2", "+K1", "'\r'");
    }

    [Fact]
    public void Keyboards_mice_and_power_buttons_are_left_alone_where_the_panel_has_no_screen()
    {
        var keyboard = Plug("event0", Node.Keyboard());
        var power = Plug("event1", Node.Keys("Power Button", 116));
        Start(keyboards: false);
        Assert.Contains("waiting", _controls!.Name, StringComparison.Ordinal);
        Assert.Equal((1, 1), (keyboard.Opened, power.Opened)); // looked at, and closed
    }

    [Fact]
    public void The_wheel_of_a_mouse_turns_and_its_moves_do_not()
    {
        var mouse = Plug("event0", Node.Mouse());
        var knob = Plug("event1", Node.Axis("rotary@1", 0));
        Start(keyboards: true);
        mouse.Say((2, 0, 50), (2, 8, 1));
        _heard.Is("1xE1");
        knob.Say((2, 0, 1)); // the mouse has taken no encoder's place
        _heard.Is("1xE1", "1xE1");
    }

    [Fact]
    public void Devices_are_grabbed_where_that_is_wanted_and_it_is_said_where_it_fails()
    {
        var ours = Plug("event0", Node.Keys("gpio-keys", F1));
        var theirs = Node.Keys("other keys", F1);
        theirs.Grabbed = true;
        Plug("event1", theirs);
        Start(new EvdevSettings { Grab = true });
        Assert.True(ours.Grabbed);
        Assert.Contains("other keys, somebody else has grabbed it", _controls!.Name, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_are_read_without_harm()
    {
        var keyboard = Plug("event0", Node.Keyboard());
        Start(keyboards: true);
        var random = new Random(1);
        var bytes = new byte[24 * 500];
        random.NextBytes(bytes);
        for (var i = 0; i < 20_000; i++)
        {
            if (i % 24 is 16 or 17 && i < bytes.Length) bytes[i] = (byte)(i % 24 == 16 ? random.Next(4) : 0);
        }

        keyboard.Write<byte>(bytes);
        keyboard.Write<byte>(new byte[24]);
        keyboard.Say((0, 0, 0), (1, F1, 0), (1, F1, 1));
        Assert.True(Eventually.True(() => _heard.Events.Any(e => e.Control == Control.K1 && e.Action == ControlAction.Press)));
        Assert.All(_heard.Events, e => Assert.True((int)e.Control < Controls.Count));
    }

    private Node Plug(string name, Node device)
    {
        _system.Devices[Path.Combine(_folder.At, name)] = device;
        _folder.Node(name);
        return device;
    }

    private void Start(EvdevSettings? settings = null, bool keyboards = false)
    {
        settings ??= new EvdevSettings();
        if (settings.Folder == "/dev/input") settings = settings with { Folder = _folder.At };
        _controls = new EvdevControls(_system, settings, keyboards, 201, 16);
        _controls.Start(_heard);
    }

    private sealed unsafe class Node : StandInDevice
    {
        private readonly string _name;
        private readonly byte[] _keys = new byte[EvdevAbi.KeyBytes], _axes = new byte[2], _down = new byte[EvdevAbi.KeyBytes];

        private Node(string name) => _name = name;

        public bool Refuses { get; set; }

        public bool Grabbed { get; set; }

        public int Clock { get; private set; } = -1;

        public static Node Keys(string name, params int[] keys)
        {
            var node = new Node(name);
            foreach (var k in keys) node._keys[k / 8] |= (byte)(1 << (k % 8));
            return node;
        }

        public static Node Axis(string name, params int[] axes)
        {
            var node = new Node(name);
            foreach (var a in axes) node._axes[a / 8] |= (byte)(1 << (a % 8));
            return node;
        }

        // The bits of a usual PC keyboard, as its driver reports them: all keys up to F12 and the arrows.
        public static Node Keyboard() => Keys("AT Translated Set 2 keyboard", [.. Enumerable.Range(1, 88), 96, 97, 100, 103, 105, 106, 108, 116]);

        public static Node Mouse()
        {
            var node = Keys("USB Optical Mouse", 0x110, 0x111, 0x112);
            (node._axes[0], node._axes[1]) = (0b0000_0011, 0b0000_1001); // X, Y, the wheel and its finer copy
            return node;
        }

        public override int Open(int flags) => Refuses ? -SystemCalls.NoAccess : base.Open(flags);

        public void Hold(int key, bool down)
        {
            if (down) _down[key / 8] |= (byte)(1 << (key % 8));
            else _down[key / 8] &= (byte)~(1 << (key % 8));
        }

        public void Say(params (int Type, int Code, int Value)[] events)
        {
            var said = new InputEvent[events.Length];
            for (var i = 0; i < events.Length; i++)
            {
                said[i] = new InputEvent
                {
                    Seconds = 12, Microseconds = 34, Type = (ushort)events[i].Type, Code = (ushort)events[i].Code, Value = events[i].Value,
                };
            }

            Write<InputEvent>(said);
        }

        public override int Ioctl(uint request, void* argument)
        {
            if (request == EvdevAbi.GetName) return Give(Encoding.UTF8.GetBytes(_name + "\0"), argument);
            if (request == EvdevAbi.GetBits(EvdevAbi.Key, EvdevAbi.KeyBytes)) return Give(_keys, argument);
            if (request == EvdevAbi.GetBits(EvdevAbi.Relative, 2)) return Give(_axes, argument);
            if (request == EvdevAbi.GetKeyState) return Give(_down, argument);
            if (request == EvdevAbi.SetClock)
            {
                Clock = *(int*)argument;
                return 0;
            }

            if (request != EvdevAbi.Grab) return -SystemCalls.NoTty;
            if (Grabbed) return -SystemCalls.Busy;
            Grabbed = true;
            return 0;
        }

        private static int Give(byte[] bytes, void* to)
        {
            bytes.CopyTo(new Span<byte>(to, bytes.Length));
            return bytes.Length;
        }
    }
}
