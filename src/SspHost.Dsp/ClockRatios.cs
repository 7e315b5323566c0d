// The ratios that a clocked module offers, by the names players use for them.
namespace SspHost.Dsp;

/// <summary>From sixteen ticks a cycle to sixteen cycles a tick.</summary>
public static class ClockRatios
{
    /// <summary>Number of the ratio of one to one.</summary>
    public const int One = 10;

    /// <summary>Names by number. [start-up]</summary>
    public static string[] Names =>
    [
        "/16", "/12", "/8", "/7", "/6", "/5", "/4", "/3", "/2", "x2/3", "x1", "x3/2", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x12", "x16",
    ];

    /// <summary>Ratio number <paramref name="choice"/>: <paramref name="m"/> for <paramref name="d"/> ticks.</summary>
    public static void Get(int choice, out int m, out int d)
    {
        (m, d) = (1, 1);
        switch (choice)
        {
            case 0: d = 16; break;
            case 1: d = 12; break;
            case 2: d = 8; break;
            case 3: d = 7; break;
            case 4: d = 6; break;
            case 5: d = 5; break;
            case 6: d = 4; break;
            case 7: d = 3; break;
            case 8: d = 2; break;
            case 9: (m, d) = (2, 3); break;
            case 11: (m, d) = (3, 2); break;
            case 12: m = 2; break;
            case 13: m = 3; break;
            case 14: m = 4; break;
            case 15: m = 5; break;
            case 16: m = 6; break;
            case 17: m = 7; break;
            case 18: m = 8; break;
            case 19: m = 12; break;
            case 20: m = 16; break;
            default: break;
        }
    }
}
