// The codec from reset to ready, over a bus and a line that behave and that do not.
namespace SspHost.Board.Tests.Codec;

public sealed class BoardCodecTests : IDisposable
{
    private readonly Folder _folder = new();
    private readonly StandIn _system = new();
    private readonly List<string> _story = [];
    private string _why = "";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Data_lanes_get_their_direction_while_the_codec_is_in_reset_and_its_clock_starts_last()
    {
        var chip = Chip();
        using var codec = Start();
        Assert.Equal("", _why);
        Assert.NotNull(codec);
        Assert.Equal(["reset low", "reset low", "lanes", "reset high"], _story.Take(4));
        Assert.All(_story.Skip(4), line => Assert.StartsWith("0x", line, StringComparison.Ordinal));
        Assert.Equal("0x51=20", _story[^1]);
        Assert.False(chip.Reset);
    }

    [Fact]
    public void Voltages_pass_at_0_dB_and_the_inputs_lead_the_clock()
    {
        var chip = Chip();
        using var codec = Start();
        // Bit by bit as SBAS452A has them, not as the sequence does.
        Assert.Equal(0b1100_0000, chip[0x40]); // MRST, SRST: not in reset
        Assert.Equal(0b000, (chip[0x41] >> 4) & 7); // MSDA: slave
        Assert.Equal(0b0000, chip[0x41] & 15); // FMTDA: 24-bit I2S
        Assert.Equal(0b1100, chip[0x42] >> 4); // OPEDA: pairs 3 and 4 off
        Assert.Equal(0b010, (chip[0x51] >> 4) & 7); // MSAD: master, 512 fS
        Assert.Equal(0b000, chip[0x51] & 7); // FMTAD: 24-bit I2S
        Assert.Equal(0b000, (chip[0x52] >> 4) & 7); // PSVAD: all powered
        Assert.Equal(0b111, chip[0x52] & 7); // BYP: no high-pass filter
        Assert.Equal(0, chip[0x53]); // SEAD: differential
        Assert.Equal((0, 0, 0, 0), (chip[0x43], chip[0x54], chip[0x44], chip[0x55])); // nothing inverted, nothing muted
        for (var output = 0x47; output <= 0x4B; output++) Assert.Equal(0.0, 0.5 * (chip[output] - 255)); // dB, by the formula of ATDA
        for (var input = 0x58; input <= 0x5E; input++) Assert.Equal(0.0, 0.5 * (chip[input] - 215)); // and of ATAD
    }

    [Fact]
    public void A_codec_that_somebody_plays_on_is_left_alone_if_it_is_as_it_should_be()
    {
        var chip = Chip();
        Start()!.Dispose();
        _story.Clear();
        using var codec = Start(playing: true);
        Assert.NotNull(codec);
        Assert.Equal(["reset high"], _story);
        chip[0x52] = 0; // somebody turned the filters on
        Assert.Contains("register 0x52 reads 0x00, written was 0x07", codec.Check(), StringComparison.Ordinal);
        _story.Clear();
        using var again = Start(playing: true);
        Assert.Equal(["reset high", "reset low", "lanes", "reset high"], _story.Take(4));
        Assert.Null(again!.Check());
    }

    [Fact]
    public void An_input_beyond_full_scale_is_told_once()
    {
        var chip = Chip();
        using var codec = Start();
        Assert.Equal(0, codec!.Overflows());
        chip.Overflown = 0b0010_0100;
        Assert.Equal(0b100100, codec.Overflows());
        Assert.Equal(0, codec.Overflows());
        chip.Refuses.Add(0x56);
        Assert.Equal(0, codec.Overflows());
    }

    [Fact]
    public void Nobody_at_the_address_is_said_with_bus_and_address_and_the_codec_stays_in_reset()
    {
        var chip = Chip(address: 0x45);
        Assert.Null(Start());
        Assert.Equal($"codec at {Bus}, 0x44: register 0x40 cannot be read: No such device or address", _why);
        Assert.True(chip.Reset);
    }

    [Fact]
    public void The_address_is_a_setting()
    {
        Chip(address: 0x47);
        using var codec = Start(address: 0x47);
        Assert.NotNull(codec);
    }

    [Theory]
    [InlineData(0x52, 0x04, "register 0x52 reads 0x03, written was 0x07 (no high-pass filter")]
    [InlineData(0x51, 0x20, "register 0x51 reads 0x00, written was 0x20 (inputs are master")]
    [InlineData(0x42, 0x80, "register 0x42 reads 0x40, written was 0xc0 (output pairs 3 and 4 off")]
    public void A_stuck_bit_is_said_with_register_written_and_read(int register, byte bits, string expected)
    {
        var chip = Chip();
        chip.Stuck[register] = bits;
        Assert.Null(Start());
        Assert.Contains(expected, _why, StringComparison.Ordinal);
        Assert.True(chip.Reset);
    }

    [Fact]
    public void A_write_that_is_not_acknowledged_is_said_with_register_and_value()
    {
        var chip = Chip();
        chip.Refuses.Add(0x53);
        Assert.Null(Start());
        Assert.Contains("register 0x53 does not take 0x00 (inputs differential): No such device or address", _why, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_chip_at_the_address_gets_nothing_written()
    {
        var chip = new Pcm3168Model(_story);
        _system.Devices[_folder.Node("i2c-8")] = chip;
        var line = new StuckLine(_system, chip);
        _system.Devices[_folder.Node("gpiochip0")] = line;
        chip[0x4F] = 0x30;
        Assert.Null(Start());
        Assert.Contains("register 0x4f reads 0x30 after a reset, a PCM3168A has 0xff", _why, StringComparison.Ordinal);
        Assert.DoesNotContain(_story, l => l.StartsWith("0x", StringComparison.Ordinal));
    }

    [Fact]
    public void Lanes_that_cannot_be_turned_leave_it_in_reset()
    {
        var chip = Chip();
        Assert.Null(BoardCodec.Start(_system, Settings(0x44, "CODEC_NRST"), playing: false, () => "hw:SSPIO,0: Device or resource busy", out _why));
        Assert.Equal("codec: it stays in reset, for the processor's data lanes may be driven against it: hw:SSPIO,0: Device or resource busy", _why);
        Assert.True(chip.Reset);
        Assert.All(_story, line => Assert.Equal("reset low", line));
    }

    [Fact]
    public void Without_a_reset_line_every_register_is_written_all_the_same()
    {
        var chip = new Pcm3168Model(_story);
        _system.Devices[_folder.Node("i2c-8")] = chip;
        chip[0x5A] = 0; // muted by whoever was here before
        using var codec = Start(reset: "");
        Assert.NotNull(codec);
        Assert.Equal(0xD7, chip[0x5A]);
        Assert.DoesNotContain(_story, l => l.StartsWith("reset", StringComparison.Ordinal));
    }

    [Fact]
    public void A_line_or_a_bus_that_is_not_there_or_taken_is_one_clear_error()
    {
        _system.Devices[_folder.Node("i2c-8")] = new Pcm3168Model(_story);
        Assert.Null(Start());
        Assert.Equal("codec: no GPIO line is named CODEC_NRST", _why);
        _system.Devices[_folder.Node("gpiochip3")] = new ResetChip(_system, new Pcm3168Model(_story), "", "CODEC_NRST") { Taken = true };
        Assert.Null(Start());
        Assert.Contains("gpiochip3: the line CODEC_NRST cannot be had: Device or resource busy", _why, StringComparison.Ordinal);
        var none = Settings(0x44, reset: "") with { Bus = Path.Combine(_folder.At, "i2c-9") };
        Assert.Null(BoardCodec.Start(_system, none, playing: false, Lanes, out _why));
        Assert.Equal($"codec: {none.Bus}: No such file or directory", _why);
    }

    private string Bus => Path.Combine(_folder.At, "i2c-8");

    private Pcm3168Model Chip(int address = 0x44)
    {
        var chip = new Pcm3168Model(_story) { Address = address };
        _system.Devices[_folder.Node("i2c-8")] = chip;
        _system.Devices[_folder.Node("gpiochip4")] = new ResetChip(_system, chip, "", "PANEL_INT", "CODEC_NRST");
        return chip;
    }

    private BoardCodec? Start(bool playing = false, int address = 0x44, string reset = "CODEC_NRST") =>
        BoardCodec.Start(_system, Settings(address, reset), playing, Lanes, out _why);

    private CodecSettings Settings(int address, string reset) =>
        new() { Chip = "pcm3168a", Bus = Bus, Address = address, Reset = reset, GpioFolder = _folder.At };

    private string? Lanes()
    {
        _story.Add("lanes");
        return null;
    }

    /// <summary>A line that leads nowhere: the chip never sees a reset.</summary>
    private sealed unsafe class StuckLine(StandIn system, Pcm3168Model codec) : StandInDevice
    {
        private readonly ResetChip _chip = new(system, new Pcm3168Model([]), "CODEC_NRST");

        public override int Ioctl(uint request, void* argument)
        {
            Assert.False(codec.Reset);
            return _chip.Ioctl(request, argument);
        }
    }
}
