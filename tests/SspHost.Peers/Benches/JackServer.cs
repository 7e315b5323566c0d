// jackd with its driver that has no sound card, under a name of its own beside whatever else plays on this machine.
using System.Globalization;
using SspHost.Peers.Timing;

namespace SspHost.Peers.Benches;

internal static class JackServer
{
    private const string Server = "ssp-peers";

    /// <summary>What its clients need in their environment.</summary>
    public static IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>
    {
        ["JACK_DEFAULT_SERVER"] = Server,
        ["JACK_NO_AUDIO_RESERVATION"] = "1",
        ["JACK_NO_START_SERVER"] = "1",
    };

    /// <summary>Starts it at 48 kHz, real-time at priority 80 as our audio thread.</summary>
    public static Service Start(int periodFrames) => Service.Start(
        Words(periodFrames), Environment, s =>
        {
            if (s.Said.Contains("Cannot use real-time scheduling", StringComparison.Ordinal)) throw new PeerException("jackd got no real-time priority");
            return Tool.Ask(["jack_wait", "-s", Server, "-c"], Environment)?.Trim() == "running"; // its exit code says nothing
        });

    /// <summary>The command for the report.</summary>
    public static string Command(int periodFrames) => $"JACK_DEFAULT_SERVER={Server} " + string.Join(' ', Words(periodFrames));

    private static string[] Words(int periodFrames) =>
        ["jackd", "-n", Server, "-R", "-P", "80", "-d", "dummy", "-r", "48000", "-p", periodFrames.ToString(CultureInfo.InvariantCulture)];
}
