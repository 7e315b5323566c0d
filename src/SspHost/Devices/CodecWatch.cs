// The board's codec while the host runs: made ready before anything plays on it, asked once a second whether an input was too loud for it.
using System.Globalization;
using SspHost.Abi;
using SspHost.Board;
using SspHost.Playing;

namespace SspHost.Devices;

/// <summary>Without a codec in the settings, or with another card to play on, it does nothing. One thread.</summary>
internal sealed class CodecWatch : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly BoardCodec _codec;
    private readonly Func<AudioSetup> _setup;
    private readonly Action<string> _say;
    private readonly TimeSpan[] _saidAt = new TimeSpan[Limits.MaxJacks];

    private CodecWatch(BoardCodec codec, Func<AudioSetup> setup, Action<string> say) => (_codec, _setup, _say) = (codec, setup, say);

    /// <summary>Makes the codec ready; null where there is none, or where it could not be, which is said.</summary>
    public static CodecWatch? Start(CodecSettings settings, Func<AudioSetup> setup, bool playing, Action<string> say)
    {
        var s = setup();
        if (s.Card != CardKind.Alsa || !AudioSetup.IsCodec(s.AlsaName, settings)) return null;
        var codec = BoardCodec.Start(settings, playing, () => DataLanes.Give(s.AlsaName, BoardCodec.LaneChannels, s.Rate), out var why);
        if (codec is null)
        {
            say(why);
            return null;
        }

        say(string.Create(CultureInfo.InvariantCulture, $"codec: {settings.Chip} at {settings.Bus}, 0x{settings.Address:x2} is ready, {settings.FullScale:0.##} V at full scale"));
        return new CodecWatch(codec, setup, say);
    }

    /// <summary>Says which inputs were beyond full scale, each once a minute at most. <paramref name="now"/>: since some beginning.</summary>
    public void Look(TimeSpan now)
    {
        var channels = _codec.Overflows();
        if (channels == 0) return;
        foreach (var jack in JacksOf(channels, _setup()))
        {
            ref var said = ref _saidAt[jack - 1];
            if (said != TimeSpan.Zero && now - said < Patience) continue;
            said = now;
            var full = MathF.Abs(_setup().LineOf(new Jack(JackSide.In, jack)).FullScale);
            _say(string.Create(CultureInfo.InvariantCulture, $"input {jack} was beyond the {full:0.#} V that its converter can: it is cut off there"));
        }
    }

    /// <summary>Jacks, from 1, behind channels of the converter, a set from bit 0.</summary>
    internal static IEnumerable<int> JacksOf(int channels, AudioSetup setup)
    {
        for (var jack = 1; jack <= Math.Min(setup.Inputs, Limits.MaxJacks); jack++)
        {
            var channel = setup.InputChannels.Length > 0 ? setup.InputChannels[jack - 1] : jack;
            if (channel is > 0 and <= 32 && (channels & (1 << (channel - 1))) != 0) yield return jack;
        }
    }

    public void Dispose() => _codec.Dispose();
}
