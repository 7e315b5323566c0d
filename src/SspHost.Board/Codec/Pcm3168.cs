// The registers of the PCM3168A codec as a Eurorack module needs them: DC-coupled, its ADC port master of the clock (TI SBAS452A).
namespace SspHost.Board;

/// <summary>
/// Written over I2C because Debian's kernels have no driver for it. The order matters: the chip is held in reset until the processor's side of the
/// four data lanes has its direction, or both would drive them; then these registers, then the streams start.
/// </summary>
internal static class Pcm3168
{
    /// <summary>The address with both address pins low.</summary>
    public const int UsualAddress = 0x44;

    /// <summary>3846 periods of a system clock of 24.576 MHz are 0.16 ms; the codec answers after them.</summary>
    public static readonly TimeSpan AfterReset = TimeSpan.FromMilliseconds(1);

    /// <summary>How long its reset must be low: 100 ns, and any scheduler's grain is more.</summary>
    public static readonly TimeSpan InReset = TimeSpan.FromMilliseconds(1);

    private const byte Running = 0xC0;

    /// <summary>What is written, in this order, and why.</summary>
    public static ReadOnlySpan<(byte Register, byte Value, string Why)> Registers => Sequence;

    private static readonly (byte Register, byte Value, string Why)[] Sequence =
    [
        (0x40, Running, "out of mode and system reset, sampling mode found by itself"),
        (0x41, 0x00, "DAC port slave, 24-bit I2S, powered"),
        (0x51, 0x20, "ADC port master at 512 fs, 24-bit I2S"),
        (0x52, 0x07, "no high-pass filter in any pair of the ADC: voltages pass, and all pairs are powered"),
        (0x53, 0x00, "all ADC inputs differential"),
        (0x42, 0xC0, "DAC pairs 3 and 4 off: two lanes lead to it"),
        (0x44, 0x00, "no DAC channel muted"),
        (0x55, 0x00, "no ADC channel muted"),
    ];

    /// <summary>Writes all registers and reads each back; null, or one line why not: what the bus says, or which register is not what was written.</summary>
    public static string? Set(I2cDevice codec)
    {
        foreach (var (register, value, why) in Sequence)
        {
            if (codec.Write(register, value) is < 0 and var refused)
                return FormattableString.Invariant($"codec at {codec.Name}: register 0x{register:x2} ({why}) is not taken: {SystemCalls.Text(refused)}");
        }

        return Check(codec);
    }

    /// <summary>Reads all registers; null, or one line with the first that is not as it was set.</summary>
    public static string? Check(I2cDevice codec)
    {
        foreach (var (register, value, why) in Sequence)
        {
            var read = codec.Read(register);
            if (read < 0) return FormattableString.Invariant($"codec at {codec.Name}: register 0x{register:x2} cannot be read: {SystemCalls.Text(read)}");
            if (read != value) return FormattableString.Invariant($"codec at {codec.Name}: register 0x{register:x2} ({why}) reads 0x{read:x2}, expected 0x{value:x2}");
        }

        return null;
    }
}
