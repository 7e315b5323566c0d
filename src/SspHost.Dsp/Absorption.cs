// What a wall takes away: a delay's share of a decay that is one time for the lows and another for the highs.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>
/// The filter y = b0 x + b1 x' - a1 y' of a delay within a room. If every delay of a lossless network, those within its allpasses
/// included, loses g^length, each of its modes decays as g^n, whatever the network is and however it moves: its output is that of the
/// lossless one times g^n. The filter is a first-order shelf whose middle is the geometric mean of its ends, which keeps decibels per
/// second the same for delays of different lengths between the bands as well (after Jot and Chaigne, AES 90, 1991; Schlecht and Habets,
/// Accurate Reverberation Time Control in Feedback Delay Networks, DAFx 2017).
/// </summary>
public readonly struct Absorption
{
    /// <summary>Coefficients.</summary>
    public readonly float B0, B1, A1;

    /// <summary>Of a delay of <paramref name="frames"/>.</summary>
    /// <param name="frames">Length of the delay.</param>
    /// <param name="decayFrames">Frames of a decay by 60 dB at low frequencies.</param>
    /// <param name="highRatio">Decay of the highs as a part of that, above 0.</param>
    /// <param name="tangent">tan(pi crossover / rate).</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Absorption(float frames, float decayFrames, float highRatio, float tangent)
    {
        // 60 dB are 9.96578 octaves of amplitude.
        var octaves = -9.96578428f * frames / decayFrames;
        var low = FastMath.Exp2(octaves);
        var root = FastMath.Exp2(Math.Max(0.5f * octaves * ((1f / highRatio) - 1f), -40f));
        var inverse = 1f / root;
        var scale = 1f / (tangent + inverse);
        B0 = low * (tangent + root) * scale;
        B1 = low * (tangent - root) * scale;
        A1 = (tangent - inverse) * scale;
    }
}
