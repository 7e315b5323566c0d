// The line that holds a codec in reset: an output of a GPIO chip, found by name, low while the chip must be silent.
namespace SspHost.Board;

/// <summary>
/// Holds the line for as long as it lives. The kernel gives a line back with its descriptor, and does not say what becomes of its level: the RK3399's keeps
/// it, on another chip a pull-down may reset the codec.
/// </summary>
internal sealed unsafe class CodecReset : IDisposable
{
    private readonly SystemCalls _system;
    private readonly int _fd;

    private CodecReset(SystemCalls system, int fd) => (_system, _fd) = (system, fd);

    /// <summary>Takes the line at a level; null, and one line why.</summary>
    /// <param name="system">The system's calls.</param>
    /// <param name="folder">Where gpiochip0... are.</param>
    /// <param name="line">Its name: "CODEC_NRST".</param>
    /// <param name="high">Low resets the codec; high leaves one alone that plays.</param>
    /// <param name="why">Why not.</param>
    public static CodecReset? Take(SystemCalls system, string folder, string line, bool high, out string why)
    {
        why = $"no GPIO line is named {line}";
        if (!Directory.Exists(folder)) return null;
        foreach (var path in Directory.GetFileSystemEntries(folder, "gpiochip*").Order(StringComparer.Ordinal))
        {
            using var chip = GpioChip.Open(system, path, out _);
            var at = chip is null ? -1 : Array.IndexOf(chip.LineNames(), line);
            if (at < 0) continue;
            var fd = chip!.RequestOutput(at, high);
            if (fd >= 0) return new CodecReset(system, fd);
            why = $"{path}: the line {line} cannot be had: {SystemCalls.Text(fd)}";
            return null;
        }

        return null;
    }

    /// <summary>Lets the codec go, or resets it. 0, or -errno.</summary>
    public int Set(bool high)
    {
        var values = new GpioLineValues { Bits = high ? 1UL : 0, Mask = 1 };
        return _system.Ioctl(_fd, GpioAbi.SetValues, &values);
    }

    public void Dispose() => _system.Close(_fd);
}
