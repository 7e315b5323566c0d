// Patches whose sound can be computed: a sine on each jack.
using System.Globalization;
using System.Text;

namespace SspHost.Target.Kit;

internal static class Patches
{
    /// <summary>0 V of the oscillator.</summary>
    private const double MiddleC = 261.6255653005986;

    /// <summary>A sine of each frequency on the jack of its place, 5 V, which is half of full scale.</summary>
    public static string Sines(params IReadOnlyList<double> hertz)
    {
        var (modules, cables) = (new StringBuilder(), new StringBuilder());
        for (var i = 0; i < hertz.Count; i++)
        {
            var pitch = Math.Log2(hertz[i] / MiddleC).ToString("0.000000000", CultureInfo.InvariantCulture);
            modules.Append(CultureInfo.InvariantCulture, $$"""{ "id": "vco{{i + 1}}", "type": "vco", "version": 1, "x": 0, "y": 0, "params": { "pitch": {{pitch}} } }, """);
            cables.Append(CultureInfo.InvariantCulture, $$"""{{(i > 0 ? ", " : "")}}{ "from": "vco{{i + 1}}.sine", "to": "out1.in{{i + 1}}" }""");
        }

        return $$"""
            { "format": 1, "id": "target-sines", "name": "Sines", "quantum": 32,
              "modules": [{{modules}}{ "id": "out1", "type": "audio-out", "version": 1, "x": 0, "y": 0 }], "cables": [{{cables}}] }
            """;
    }

    /// <summary>What comes in at jacks 1 and 2 goes out at jacks 1 and 2.</summary>
    public const string Through = """
        { "format": 1, "id": "target-through", "name": "Through", "quantum": 32,
          "modules": [{ "id": "in1", "type": "audio-in", "version": 1, "x": 0, "y": 0 }, { "id": "out1", "type": "audio-out", "version": 1, "x": 0, "y": 0 }],
          "cables": [{ "from": "in1.out1", "to": "out1.in1" }, { "from": "in1.out2", "to": "out1.in2" }] }
        """;

    /// <summary>A line of a script that plays such a patch.</summary>
    public static string PlaySines(params IReadOnlyList<double> hertz) => $"play <<'PATCH'\n{Sines(hertz)}\nPATCH\n";
}
