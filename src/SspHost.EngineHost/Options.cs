// The command line of the engine process: three options, checked here and nowhere else.
using System.Globalization;

namespace SspHost.EngineHost;

/// <summary>What the engine was told at start.</summary>
/// <param name="Runtime">Directory of engine.json and engine.log.</param>
/// <param name="RegionBytes">Bytes of the region, a multiple of 2 MiB.</param>
/// <param name="Locks">Whether memory is locked; an experiment shows what happens where it is not.</param>
internal readonly record struct Options(string Runtime, long RegionBytes, bool Locks)
{
    private const int DefaultMib = 256;
    private const int LeastMib = 64;
    private const int MostMib = 16 * 1024;

    /// <summary>Reads the arguments; on failure <paramref name="error"/> says which one is wrong and what was expected.</summary>
    public static bool TryParse(string[] args, out Options options, out string error)
    {
        options = default;
        string? runtime = null;
        var mib = DefaultMib;
        var locks = true;
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--unlocked")
            {
                locks = false;
                continue;
            }

            var value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--runtime" when value != null:
                    runtime = value;
                    break;
                case "--region-mib" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out mib) && mib is >= LeastMib and <= MostMib:
                    break;
                case "--region-mib":
                    error = $"--region-mib: expected a whole number from {LeastMib} to {MostMib}, not '{value}'";
                    return false;
                default:
                    error = $"'{args[i]}': expected --runtime DIR, --region-mib N or --unlocked";
                    return false;
            }

            i++;
        }

        if (runtime == null)
        {
            error = "--runtime DIR is missing";
            return false;
        }

        options = new Options(runtime, ((long)mib << 20) & ~((2L << 20) - 1), locks);
        error = "";
        return true;
    }
}
