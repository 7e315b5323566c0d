// The greatest number that holds: doubling, bisection with short trials, and proof at the full length.
namespace SspHost.Commands;

internal static class CapacitySearch
{
    private const int Finest = 16; // a short trial is no finer than a sixteenth: what is decided is decided at the full length
    private const int MostProofs = 12;

    /// <summary>
    /// The greatest number from 1 to <paramref name="most"/> that <paramref name="holds"/>, by short trials, and of those next below it the first that
    /// <paramref name="proves"/> itself at the full length; 0: none does.
    /// </summary>
    public static int Find(int most, Func<int, bool> holds, Func<int, bool> proves)
    {
        var (good, bad) = (0, most + 1);
        for (var n = 1; good < most; n = Math.Min(2 * n, most))
        {
            if (!holds(n))
            {
                bad = n;
                break;
            }

            good = n;
        }

        while (bad - good > 1 && bad - good > good / Finest)
        {
            var middle = good + ((bad - good) / 2);
            if (holds(middle)) good = middle;
            else bad = middle;
        }

        // What a short trial let pass may fail in a long one: a step down, of the same fineness, until it does not.
        for (var proof = 0; good > 0 && proof < MostProofs; proof++)
        {
            if (proves(good)) return good;
            good -= Math.Max(1, good / Finest);
        }

        return 0;
    }
}
