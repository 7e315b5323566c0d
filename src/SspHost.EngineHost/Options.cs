// The command line of the engine process: four options, checked here and nowhere else.
using System.Globalization;

namespace SspHost.EngineHost;

/// <summary>What the engine was told at start.</summary>
/// <param name="Runtime">Directory of engine.json and engine.log.</param>
/// <param name="RegionBytes">Bytes of the region, a multiple of 2 MiB.</param>
/// <param name="Locks">Whether memory is locked; an experiment shows what happens where it is not.</param>
/// <param name="Owner">Process that started it and that it ends with, however that ends; 0: it outlives whoever started it.</param>
internal readonly record struct Options(string Runtime, long RegionBytes, bool Locks, int Owner)
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
        var owner = 0;
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
                case "--owner" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out owner) && owner > 0:
                    break;
                case "--owner":
                    error = $"--owner: expected the number of the process that starts this one, not '{value}'";
                    return false;
                default:
                    error = $"'{args[i]}': expected --runtime DIR, --region-mib N, --owner PID or --unlocked";
                    return false;
            }

            i++;
        }

        if (runtime == null)
        {
            error = "--runtime DIR is missing";
            return false;
        }

        options = new Options(runtime, ((long)mib << 20) & ~((2L << 20) - 1), locks, owner);
        error = "";
        return true;
    }
}
