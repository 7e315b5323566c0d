// The registers of the PCM3168A codec as a Eurorack module needs them: DC-coupled, its ADC port master of the clock (TI SBAS452A).
namespace SspHost.Board;

/// <summary>
/// Written over I2C because Debian's kernels have no driver for it. Every register that has a say in a voltage is written and read back, those that are as
/// a reset leaves them, too: so a chip without a reset line ends the same, and another chip at this address does not pass for it.
/// </summary>
internal static class Pcm3168
{
    /// <summary>The address with both address pins low; they add up to three.</summary>
    public const int UsualAddress = 0x44;

    /// <summary>Channels that the board's data lanes lead to.</summary>
    public const int Inputs = 6, Outputs = 4;

    /// <summary>3846 periods of a system clock of 24.576 MHz are 0.16 ms; the codec answers after them.</summary>
    public static readonly TimeSpan AfterReset = TimeSpan.FromMilliseconds(1);

    /// <summary>How long its reset must be low: 100 ns, and any scheduler's grain is more.</summary>
    public static readonly TimeSpan InReset = TimeSpan.FromMilliseconds(1);

    private const byte Overflow = 0x56, OverflowBits = (1 << Inputs) - 1;

    private const byte OutputAtZeroDb = 0xFF, InputAtZeroDb = 0xD7; // half a dB a step; inputs could amplify by 20 dB

    /// <summary>What is written, in this order, and why.</summary>
    public static ReadOnlySpan<(byte Register, byte Value, string Why)> Registers => Sequence;

    // Register numbers 0x40 to 0x5E; bits from 7 down to 0.
    private static readonly (byte Register, byte Value, string Why)[] Sequence =
    [
        (0x40, 0xC0, "neither its registers nor its clocks in reset, the outputs' sampling mode found by itself"), // MRST SRST - SRDA
        (0x41, 0x00, "outputs follow the clock, 24-bit I2S"), // PSMDA: an output that is off saves power; MSDA 000; FMTDA 0000
        (0x42, 0xC0, "output pairs 3 and 4 off: no lane leads to them; sharp filters"), // OPEDA 4 to 1; FLT 4 to 1
        (0x43, 0x00, "no output inverted"),
        (0x44, 0x00, "no output muted"),
        (0x46, 0x00, "each output has its own level, no de-emphasis"), // ATMDDA ATSPDA DMDA AZRO ZREV
        (0x47, OutputAtZeroDb, "all outputs at 0 dB"),
        (0x48, OutputAtZeroDb, "output 1 at 0 dB"),
        (0x49, OutputAtZeroDb, "output 2 at 0 dB"),
        (0x4A, OutputAtZeroDb, "output 3 at 0 dB"),
        (0x4B, OutputAtZeroDb, "output 4 at 0 dB"),
        (0x50, 0x00, "the inputs' sampling mode found by itself"), // SRAD
        (0x52, 0x07, "no high-pass filter at any input: voltages pass; all inputs powered"), // PSVAD 3 to 1; BYP 3 to 1
        (0x53, 0x00, "inputs differential"),
        (0x54, 0x00, "no input inverted"),
        (0x55, 0x00, "no input muted"),
        (0x57, 0x00, "each input has its own level"), // ATMDAD ATSPAD OVFP
        (0x58, InputAtZeroDb, "all inputs at 0 dB"),
        (0x59, InputAtZeroDb, "input 1 at 0 dB"),
        (0x5A, InputAtZeroDb, "input 2 at 0 dB"),
        (0x5B, InputAtZeroDb, "input 3 at 0 dB"),
        (0x5C, InputAtZeroDb, "input 4 at 0 dB"),
        (0x5D, InputAtZeroDb, "input 5 at 0 dB"),
        (0x5E, InputAtZeroDb, "input 6 at 0 dB"),
        // Last, because this starts the clock: by then everything else is as it is to be.
        (0x51, 0x20, "inputs are master of the clock at 512 periods a frame, 24-bit I2S"), // MSAD 010; FMTAD 000
    ];

    // Registers with a value that few chips have after a reset: this one has no number to be known by. 0x58 is none of them, for there the datasheet (0xD7)
    // and the kernel's driver (0xD3) do not agree.
    private static readonly (byte Register, byte Value)[] AfterAReset = [(0x40, 0xC0), (0x47, OutputAtZeroDb), (0x4F, OutputAtZeroDb)];

    /// <summary>Whether it is this chip, just reset; null, or one line why not.</summary>
    public static string? Greet(I2cDevice codec)
    {
        foreach (var (register, value) in AfterAReset)
        {
            var read = codec.Read(register);
            if (read < 0) return Silent(codec, register, read);
            if (read != value)
                return FormattableString.Invariant($"codec at {codec.Name}: register 0x{register:x2} reads 0x{read:x2} after a reset, a PCM3168A has 0x{value:x2}: another chip, or its reset line does nothing");
        }

        return null;
    }

    /// <summary>Writes all registers and reads each back; null, or one line why not: what the bus says, or which register is not what was written.</summary>
    public static string? Set(I2cDevice codec)
    {
        foreach (var (register, value, why) in Sequence)
        {
            if (codec.Write(register, value) is < 0 and var refused)
                return FormattableString.Invariant($"codec at {codec.Name}: register 0x{register:x2} does not take 0x{value:x2} ({why}): {SystemCalls.Text(refused)}");
        }

        return Check(codec);
    }

    /// <summary>Reads all registers; null, or one line with the first that is not as it was set.</summary>
    public static string? Check(I2cDevice codec)
    {
        foreach (var (register, value, why) in Sequence)
        {
            var read = codec.Read(register);
            if (read < 0) return Silent(codec, register, read);
            if (read != value) return FormattableString.Invariant($"codec at {codec.Name}: register 0x{register:x2} reads 0x{read:x2}, written was 0x{value:x2} ({why})");
        }

        return null;
    }

    /// <summary>Inputs that were beyond full scale since this was last asked, as a set from bit 0; below 0: -errno. Reading clears them in the chip.</summary>
    public static int Overflows(I2cDevice codec)
    {
        var read = codec.Read(Overflow);
        return read < 0 ? read : read & OverflowBits;
    }

    private static string Silent(I2cDevice codec, byte register, int error) =>
        FormattableString.Invariant($"codec at {codec.Name}: register 0x{register:x2} cannot be read: {SystemCalls.Text(error)}");
}
