// Lines of a GPIO chip: how they are found and asked for, and what their edges mean.
using System.Text;
using SspHost.Panel.Surface;

namespace SspHost.Board.Tests;

public sealed class GpioTests : IDisposable
{
    private readonly Folder _folder = new();
    private readonly StandIn _system = new();
    private readonly Heard _heard = new();
    private readonly List<string> _why = [];
    private GpioControls? _controls;

    public void Dispose()
    {
        _controls?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Encoders_are_found_by_the_usual_names_on_whatever_chips_they_are()
    {
        var one = Chip("gpiochip0", "", "ENC1_A", "ENC1_B", "");
        var two = Chip("gpiochip10", "ENC2_B", "LED", "ENC2_A", "ENC2_SW");
        Start(new GpioSettings());
        one.Turn(1, 2, 4);
        _heard.Is("1xE1");
        two.Turn(2, 0, -8);
        _heard.Is("1xE1", "-1xE2", "-1xE2");
        two.Edges((3, true), (3, false));
        _heard.Is("1xE1", "-1xE2", "-1xE2", "+E2", "-E2");
        Assert.Equal([1u, 2u], one.Asked!);
        Assert.Equal(1024u, one.Buffer);
        Assert.Equal(GpioAbi.InputLine | GpioAbi.EdgeRising | GpioAbi.EdgeFalling | GpioAbi.ActiveLow | GpioAbi.PullUp, one.Flags);
        Assert.Equal([(5000u, 0b100UL)], two.Debounced);
        Assert.All(_heard.Events, e => Assert.Equal((192, true), (e.Source, e.Time >= 1_000_000)));
    }

    [Fact]
    public void Lines_are_named_by_the_settings_or_numbered_on_their_chip()
    {
        var chip = Chip("gpiochip0", "x", "y", "", "");
        Chip("gpiochip1", "x", "y");
        Start(new GpioSettings { Chip = "label of gpiochip0", Encoders = [new GpioEncoder(Control.E3, "y", "x", 2)], Keys = [new GpioKey(Control.K5, "3")] });
        chip.Turn(1, 0, 6);
        chip.Edges((3, true));
        _heard.Is("1xE3", "1xE3", "1xE3", "+K5");
    }

    [Fact]
    public void A_chip_without_pull_ups_or_debouncing_is_used_without_and_keys_are_debounced_here()
    {
        var chip = Chip("gpiochip0", "K", "ENC1_A", "ENC1_B");
        (chip.NoPullUp, chip.NoDebounce) = (true, true);
        Start(new GpioSettings { Keys = [new GpioKey(Control.K1, "K")], KeyDebounce = 20_000 });
        chip.Edges((0, true), (0, false), (0, true), (0, false)); // 1 ms apart; it comes to rest open
        _heard.Is("+K1", "-K1");
        Assert.True(_heard.Events[1].Time >= _heard.Events[0].Time + 20_000_000);
        Assert.Contains("no pull-ups", _controls!.Name, StringComparison.Ordinal);
        Assert.Empty(chip.Debounced);
    }

    [Fact]
    public void A_gap_in_the_sequence_means_that_the_levels_are_read_again()
    {
        var chip = Chip("gpiochip0", "ENC1_A", "ENC1_B", "ENC1_SW");
        Start(new GpioSettings());
        chip.Edges((2, true));
        chip.Turn(0, 1, 4);
        _heard.Is("+E1", "1xE1");
        chip.Lose(3);
        chip.Levels = 0b011; // meanwhile the push was let go
        chip.Edges((0, false), (0, true));
        _heard.Is("+E1", "1xE1", "-E1");
        chip.Turn(0, 1, 4);
        _heard.Is("+E1", "1xE1", "-E1", "1xE1");
    }

    [Fact]
    public void More_edges_than_are_read_at_once_are_all_counted()
    {
        var chip = Chip("gpiochip0", "ENC1_A", "ENC1_B");
        Start(new GpioSettings());
        chip.Turn(0, 1, 4 * 250);
        Eventually.True(() => _heard.Events.Count >= 250);
        Assert.Equal(250, _heard.Events.Sum(e => e.Value));
    }

    [Fact]
    public void A_push_that_a_driver_of_the_kernel_has_is_left_to_it_and_the_encoders_are_taken()
    {
        var lines = Chip("gpiochip1", "ENC1_A", "ENC1_B");
        var pushes = Chip("gpiochip5", "ENC1_SW", "ENC2_SW");
        pushes.Used.Add(0);
        Start(new GpioSettings());
        lines.Turn(0, 1, 4);
        _heard.Is("1xE1");
        Assert.Equal([1u], pushes.Asked!);
    }

    [Fact]
    public void A_chip_that_goes_lets_go_of_what_it_held()
    {
        var chip = Chip("gpiochip0", "ENC1_SW");
        Start(new GpioSettings());
        chip.Edges((0, true));
        _heard.Is("+E1");
        chip.Unplug();
        _heard.Is("+E1", "gone 192");
    }

    [Fact]
    public void What_is_wrong_with_the_settings_is_said_in_a_line_each_and_nothing_is_taken()
    {
        var chip = Chip("gpiochip0", "a", "b");
        Chip("gpiochip1", "c");
        var settings = new GpioSettings
        {
            Folder = _folder.At,
            Encoders = [new(Control.E1, "a", "none"), new(Control.E2, "a", "c"), new(Control.K1, "a", "b"), new(Control.E4, "a", "b", 3)],
            Keys = [new(Control.K1, "d")],
        };
        Assert.Null(GpioControls.Find(_system, settings, 192, _why));
        Assert.Equal(
            [
                "gpio: no line is named none", "gpio: a and c are on different chips: the order of their edges would not be known",
                "gpio: a, b: K1 is no encoder", "gpio: a, b: an encoder has 1, 2 or 4 edges a detent, not 3", "gpio: no line is named d",
            ], _why);
        Assert.Null(chip.Asked);
    }

    [Fact]
    public void A_line_that_somebody_else_has_is_said()
    {
        Chip("gpiochip0", "ENC1_A", "ENC1_B").Taken = true;
        Assert.Null(GpioControls.Find(_system, new GpioSettings { Folder = _folder.At }, 192, _why));
        Assert.Contains("gpiochip0: lines 0, 1: Device or resource busy", Assert.Single(_why), StringComparison.Ordinal);
    }

    private ChipNode Chip(string name, params string[] lines)
    {
        var chip = new ChipNode(_system, name, lines);
        _system.Devices[_folder.Node(name)] = chip;
        return chip;
    }

    private void Start(GpioSettings settings)
    {
        _controls = GpioControls.Find(_system, settings with { Folder = _folder.At }, 192, _why);
        Assert.True(_controls is not null, string.Join('\n', _why));
        _controls.Start(_heard);
    }

    /// <summary>A chip with its lines pulled up: contacts are open, levels 0 where lines are active low.</summary>
    private sealed unsafe class ChipNode(StandIn system, string name, string[] lines) : StandInDevice
    {
        private uint _seqno;
        private ulong _time = 1_000_000_000;
        private int _phase;

        public bool NoPullUp { get; set; }

        public bool NoDebounce { get; set; }

        public bool Taken { get; set; }

        /// <summary>Lines that a driver has.</summary>
        public HashSet<int> Used { get; } = [];

        public ulong Levels { get; set; }

        public uint[]? Asked { get; private set; }

        public uint Buffer { get; private set; }

        public ulong Flags { get; private set; }

        public List<(uint Period, ulong Mask)> Debounced { get; } = [];

        public void Lose(uint edges) => _seqno += edges;

        /// <summary>Edges a ms apart, in one read.</summary>
        public void Edges(params (int Line, bool Rising)[] edges)
        {
            var events = new GpioLineEvent[edges.Length];
            for (var i = 0; i < edges.Length; i++)
            {
                events[i].TimestampNs = _time += 1_000_000;
                events[i].Id = edges[i].Rising ? GpioAbi.Rising : GpioAbi.Falling;
                events[i].Offset = (uint)edges[i].Line;
                events[i].Seqno = ++_seqno;
            }

            Write<GpioLineEvent>(events);
        }

        /// <summary>Quarter steps of an encoder whose contacts were open.</summary>
        public void Turn(int a, int b, int steps)
        {
            // Active low: open is 0. Clockwise A closes first.
            (bool A, bool B)[] phases = [(false, false), (true, false), (true, true), (false, true)];
            var edges = new List<(int, bool)>();
            for (var i = 0; i < Math.Abs(steps); i++)
            {
                var before = phases[_phase & 3];
                _phase += Math.Sign(steps);
                var after = phases[_phase & 3];
                edges.Add(before.A != after.A ? (a, after.A) : (b, after.B));
            }

            Edges([.. edges]);
        }

        public override int Ioctl(uint request, void* argument)
        {
            if (request == GpioAbi.GetChipInfo)
            {
                var info = (GpioChipInfo*)argument;
                *info = default;
                Encoding.ASCII.GetBytes(name, new Span<byte>(info->Name, 32));
                Encoding.ASCII.GetBytes("label of " + name, new Span<byte>(info->Label, 32));
                info->Lines = (uint)lines.Length;
                return 0;
            }

            if (request == GpioAbi.GetLineInfo)
            {
                var info = (GpioLineInfo*)argument;
                if (info->Offset >= lines.Length) return -SystemCalls.Invalid;
                Encoding.ASCII.GetBytes(lines[info->Offset], new Span<byte>(info->Name, 32));
                info->Flags = Used.Contains((int)info->Offset) ? GpioAbi.Used : 0;
                return 0;
            }

            if (request == GpioAbi.GetValues)
            {
                ((GpioLineValues*)argument)->Bits = Levels & ((GpioLineValues*)argument)->Mask;
                return 0;
            }

            return request == GpioAbi.GetLine ? Request((GpioLineRequest*)argument) : -SystemCalls.NoTty;
        }

        private int Request(GpioLineRequest* request)
        {
            if (Taken) return -SystemCalls.Busy;
            if (NoPullUp && (request->Config.Flags & GpioAbi.PullUp) != 0) return -SystemCalls.NotSupportedInKernel;
            if (NoDebounce && request->Config.NumAttrs > 0) return -SystemCalls.NotSupported;
            Asked = new Span<uint>(request->Offsets, (int)request->NumLines).ToArray();
            if (Asked.Any(line => Used.Contains((int)line))) return -SystemCalls.Busy;
            (Buffer, Flags) = (request->EventBufferSize, request->Config.Flags);
            var attributes = &request->Config.Attr0;
            for (var i = 0; i < request->Config.NumAttrs; i++) Debounced.Add(((uint)attributes[i].Attr.Flags, attributes[i].Mask));
            request->Fd = Open(0); // waits, as the kernel's does
            system.Adopt(request->Fd, this);
            return 0;
        }
    }
}
