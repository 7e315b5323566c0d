// What tests expect of recorded sines.
namespace SspHost.Target.Kit;

internal static class Sound
{
    /// <summary>Frequencies of the two jacks in tests that look for breaks: no multiples of each other.</summary>
    public static readonly double[] Pair = [1000, 1500];

    /// <summary>Both channels carry their sine from the time the recording has run for so long until it ends.</summary>
    public static void GoesOn(Wav sound, double from, double least = 2)
    {
        var part = sound.Part(from, (sound.Frames / (double)sound.Rate) - 0.1);
        Assert.True(part.Frames > least * part.Rate, $"{part.Frames} frames were captured after {from} s");
        for (var channel = 0; channel < Pair.Length; channel++)
        {
            var tone = part.Tone(channel, Pair[channel]);
            Assert.NotNull(tone);
            Assert.True(tone.Breaks.Count == 0 && Math.Abs(tone.Hz - Pair[channel]) < 0.02 && tone.Seconds > least, $"channel {channel}: {tone}");
        }
    }
}
