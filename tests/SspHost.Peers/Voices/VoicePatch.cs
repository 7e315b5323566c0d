// The patches that several programs play: many voices of a source and a filter, summed into one channel.
namespace SspHost.Peers.Voices;

/// <summary>What a voice is made of.</summary>
internal enum VoiceKind
{
    Sine,
    SawLowPass,
    SawLadder,
}

internal static class VoicePatch
{
    public const int Rate = 48_000;
    private const double MiddleC = 261.6256;
    public const float Cutoff = 1000f;

    /// <summary>Frames a block: SuperCollider's own, Pd's only one.</summary>
    public const int Block = 64;

    /// <summary>Every voice has a pitch of its own, 110 Hz to 1.7 kHz, in Hz.</summary>
    public static double Frequency(int voice) => 110 * Math.Pow(2, voice % 64 / 16.0);

    /// <summary>The same in volts of ours: 0 V is C4, 1 V an octave.</summary>
    public static double Volts(int voice) => Math.Log2(Frequency(voice) / MiddleC);

    public static string Id(VoiceKind kind) => kind switch
    {
        VoiceKind.Sine => "sine",
        VoiceKind.SawLowPass => "saw-lowpass",
        _ => "saw-ladder",
    };

    public static string Words(VoiceKind kind) => kind switch
    {
        VoiceKind.Sine => "sine",
        VoiceKind.SawLowPass => "saw, 12 dB low-pass",
        _ => "saw, 24 dB ladder",
    };
}

/// <summary>A program that plays them offline.</summary>
internal interface IRenderer
{
    Peer Peer { get; }

    /// <summary>What is not the same about its voice, beside ours.</summary>
    string Unlike(VoiceKind kind);

    /// <summary>Whether its voice is of the same class as ours, so that being ahead of it is an aim; otherwise the ratio is only told.</summary>
    bool Alike(VoiceKind kind);

    /// <summary>Writes what the program needs and returns the command that plays so many voices for so many seconds.</summary>
    string[] Command(Places places, VoiceKind kind, int voices, int seconds);
}
