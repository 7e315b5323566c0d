// Which channel of a device is which jack: as configured, else in the standard order of speakers, else one to one.
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>
/// Jack of each channel of a device. Devices order surround channels differently (HDMI puts the centre third, most converters the rear);
/// where a device tells, jacks 1, 2, 3... are front left, front right, rear left... on all of them.
/// </summary>
internal unsafe struct ChannelMap
{
    /// <summary>Nobody's channel.</summary>
    internal const sbyte None = -1;

    private const int FrontLeft = 3, LastSpeaker = 36, PositionMask = 0xFFFF; // SND_CHMAP_FL .. SND_CHMAP_BRC; flags lie above the mask

    private fixed sbyte _jacks[AudioConfig.MaxDeviceChannels];

    /// <summary>Jack behind a channel, or <see cref="None"/>.</summary>
    internal readonly int this[int channel] => channel < AudioConfig.MaxDeviceChannels ? _jacks[channel] : None;

    /// <summary>Highest channel a configured map names, counted from 1; 0 where none is configured.</summary>
    internal static int Highest(sbyte* configured, int jacks)
    {
        var highest = 0;
        for (var j = 0; j < jacks; j++) highest = Math.Max(highest, configured[j]);
        return highest;
    }

    /// <summary>Whether a configured map is one: each jack a channel of its own (1..64), or none (-1), or all as they are (0).</summary>
    internal static bool IsPossible(sbyte* configured, int jacks)
    {
        ulong taken = 0;
        var named = 0;
        for (var j = 0; j < jacks; j++)
        {
            var channel = configured[j];
            if (channel == 0) continue;
            named++;
            if (channel is < -1 or > AudioConfig.MaxDeviceChannels) return false;
            if (channel < 0) continue;
            var bit = 1UL << (channel - 1);
            if ((taken & bit) != 0) return false;
            taken |= bit;
        }

        return named == 0 || named == jacks; // half a map is a mistake: the rest could be meant either way
    }

    /// <summary>The map of a configured device that has been set up. Allocates only inside the library. [steward]</summary>
    internal static ChannelMap For(void* pcm, int channels, sbyte* configured, int jacks)
    {
        var map = default(ChannelMap);
        for (var c = 0; c < AudioConfig.MaxDeviceChannels; c++) map._jacks[c] = None;
        if (jacks > 0 && configured[0] != 0)
        {
            for (var j = 0; j < jacks; j++)
                if (configured[j] > 0 && configured[j] <= channels) map._jacks[configured[j] - 1] = (sbyte)j;
            return map;
        }

        for (var c = 0; c < Math.Min(channels, jacks); c++) map._jacks[c] = (sbyte)c;
        var positions = AlsaLibrary.GetChmap(pcm);
        if (positions == null) return map;
        if (positions[0] == channels && AreSpeakers(positions + 1, channels) && !IsSorted(positions + 1, channels))
        {
            if (!TrySort(pcm, positions, channels)) map.Permute(positions + 1, channels, jacks);
        }

        AlsaLibrary.Release(positions);
        return map;
    }

    // Asks the device to order them itself: some can. True if they are in order now.
    private static bool TrySort(void* pcm, int* positions, int channels)
    {
        var wanted = stackalloc int[AudioConfig.MaxDeviceChannels + 1];
        wanted[0] = channels;
        for (var c = 0; c < channels; c++) wanted[1 + Rank(positions + 1, channels, c)] = positions[1 + c];
        if (AlsaLibrary.SetChmap(pcm, wanted) < 0) return false;
        var now = AlsaLibrary.GetChmap(pcm);
        var sorted = now != null && now[0] == channels && AreSpeakers(now + 1, channels) && IsSorted(now + 1, channels);
        if (now != null) AlsaLibrary.Release(now);
        return sorted;
    }

    private void Permute(int* positions, int channels, int jacks)
    {
        for (var c = 0; c < channels; c++)
        {
            var jack = Rank(positions, channels, c);
            _jacks[c] = jack < jacks ? (sbyte)jack : None;
        }
    }

    private static bool AreSpeakers(int* positions, int channels)
    {
        ulong seen = 0;
        for (var c = 0; c < channels; c++)
        {
            var position = positions[c] & PositionMask;
            if (position is < FrontLeft or > LastSpeaker || (seen & (1UL << position)) != 0) return false;
            seen |= 1UL << position;
        }

        return channels is > 0 and <= AudioConfig.MaxDeviceChannels;
    }

    private static bool IsSorted(int* positions, int channels)
    {
        for (var c = 1; c < channels; c++)
            if ((positions[c] & PositionMask) < (positions[c - 1] & PositionMask)) return false;
        return true;
    }

    // ALSA numbers positions in its standard order (FL FR RL RR FC LFE SL SR ...), so the place is how many lie before it.
    private static int Rank(int* positions, int channels, int channel)
    {
        var rank = 0;
        for (var c = 0; c < channels; c++)
            if ((positions[c] & PositionMask) < (positions[channel] & PositionMask)) rank++;
        return rank;
    }
}
