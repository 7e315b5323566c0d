// The board's codec from reset to ready: in which order, and what can go wrong on the way.
namespace SspHost.Board;

/// <summary>
/// The order, and why it is this one:
/// <list type="number">
/// <item>Reset low. A codec in reset drives no data lane.</item>
/// <item>
/// The processor's data lanes get their directions. After power-on the RK3399 has eight outputs and two inputs, so that it drives two lanes which the codec
/// drives, too; the driver writes four and six in hw_params, from the number of playback channels, into a register that stays as it is when the stream is
/// closed. So one stream with its parameters set is enough, and it needs no clock: only a start does.
/// </item>
/// <item>Reset high, then 3846 periods of its system clock before it answers.</item>
/// <item>Its registers, the one that starts its clocks last.</item>
/// <item>Then the engine opens its streams: when it starts them the clock is there.</item>
/// </list>
/// </summary>
public sealed class BoardCodec : IDisposable
{
    private readonly I2cDevice _bus;
    private readonly CodecReset? _reset;

    private BoardCodec(I2cDevice bus, CodecReset? reset) => (_bus, _reset) = (bus, reset);

    /// <summary>Playback channels that the processor's lanes are for.</summary>
    public static int LaneChannels => Pcm3168.Outputs;

    /// <summary>Makes the codec ready; null, and one line why not. Never throws where a device cannot be used.</summary>
    /// <param name="settings">Which codec.</param>
    /// <param name="playing">Whether an engine plays on it: then it is left as it is, if it is as it should be.</param>
    /// <param name="giveLanes">Sets the directions of the processor's data lanes; null, or why that failed. Called with the codec in reset.</param>
    /// <param name="why">One line.</param>
    public static BoardCodec? Start(CodecSettings settings, bool playing, Func<string?> giveLanes, out string why) =>
        Start(SystemCalls.Real, settings, playing, giveLanes, out why);

    /// <summary>What is wrong with the registers of a codec that another process holds; null: nothing.</summary>
    public static string? Examine(CodecSettings settings)
    {
        using var bus = I2cDevice.Open(SystemCalls.Real, settings.Bus, settings.Address, out var why);
        return bus is null ? "codec: " + why : Pcm3168.Check(bus);
    }

    internal static BoardCodec? Start(SystemCalls system, CodecSettings settings, bool playing, Func<string?> giveLanes, out string why)
    {
        CodecReset? reset = null;
        if (settings.Reset.Length > 0 && (reset = CodecReset.Take(system, settings.GpioFolder, settings.Reset, high: playing, out why)) is null)
        {
            why = "codec: " + why;
            return null;
        }

        if (I2cDevice.Open(system, settings.Bus, settings.Address, out why) is not { } bus)
        {
            why = "codec: " + why;
            reset?.Dispose();
            return null;
        }

        var codec = new BoardCodec(bus, reset);
        if (playing && Pcm3168.Check(bus) is null) return codec;
        if (codec.Begin(giveLanes) is not { } trouble) return codec;
        why = trouble;
        _ = reset?.Set(high: false); // half set it would put voltages on jacks that nobody means
        codec.Dispose();
        return null;
    }

    /// <summary>What is wrong with its registers; null: nothing.</summary>
    public string? Check() => Pcm3168.Check(_bus);

    /// <summary>Inputs, from bit 0, that were beyond full scale since this was last asked; 0 where it does not answer.</summary>
    public int Overflows() => Math.Max(0, Pcm3168.Overflows(_bus));

    public void Dispose()
    {
        _bus.Dispose();
        _reset?.Dispose();
    }

    private string? Begin(Func<string?> giveLanes)
    {
        if (_reset?.Set(high: false) is < 0 and var stuck) return "codec: its reset line cannot be set: " + SystemCalls.Text(stuck);
        Thread.Sleep(Pcm3168.InReset);
        if (giveLanes() is { } lanes) return "codec: it stays in reset, for the processor's data lanes may be driven against it: " + lanes;
        if (_reset?.Set(high: true) is < 0 and var low) return "codec: its reset line cannot be set: " + SystemCalls.Text(low);
        Thread.Sleep(Pcm3168.AfterReset);
        return (_reset is null ? null : Pcm3168.Greet(_bus)) ?? Pcm3168.Set(_bus);
    }
}
