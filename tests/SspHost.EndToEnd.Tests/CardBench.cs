// A host's surroundings with the test card as its sound card, and a patch that puts five volts on a jack.
using SspHost.TestCards;

namespace SspHost.EndToEnd.Tests;

/// <summary>What is started while it stands finds the card as an ALSA device.</summary>
internal sealed class CardBench : IDisposable
{
    private const string Variable = "ALSA_CONFIG_PATH";

    private readonly string? _before = Environment.GetEnvironmentVariable(Variable);

    public CardBench()
    {
        Card = new TestCard(Runtime.Directory);
        Environment.SetEnvironmentVariable(Variable, Card.Configuration);
        File.WriteAllText(Runtime.File("five.json"), """
            {
              "format": 1, "id": "five-volts", "name": "Five volts",
              "modules": [
                { "id": "v", "type": "voltage", "version": 1, "params": { "volts": 5 } },
                { "id": "out", "type": "audio-out", "version": 1 }
              ],
              "cables": [{ "from": "v.out", "to": "out.in3" }]
            }
            """);
    }

    public Runtime Runtime { get; } = new();

    public TestCard Card { get; }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Variable, _before);
        Runtime.Dispose();
        Card.Dispose();
    }
}
