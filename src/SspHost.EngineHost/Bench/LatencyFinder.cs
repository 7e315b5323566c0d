// Where a burst comes back: the lag at which what was heard is most like what was played (normalised cross-correlation).
namespace SspHost.EngineHost.Bench;

internal static class LatencyFinder
{
    // Noise of the same strength as the burst has a likeness of 0.06 by chance at one lag, and never 0.5 at any.
    private const double Alike = 0.5;

    /// <summary>
    /// Frames from the start of what was played to its return in <paramref name="heard"/>, whose first frame is that of the start; -1: it did not
    /// come back. A cable may invert it or make it weaker.
    /// </summary>
    public static int Find(ReadOnlySpan<float> heard, ReadOnlySpan<float> burst)
    {
        double own = 0, there = 0;
        foreach (var b in burst) own += b * (double)b;
        var (best, at) = (Alike, -1);
        for (var lag = 0; lag + burst.Length <= heard.Length; lag++)
        {
            if (lag == 0)
            {
                foreach (var h in heard[..burst.Length]) there += h * (double)h;
            }
            else
            {
                double leaves = heard[lag - 1], comes = heard[lag + burst.Length - 1];
                there = Math.Max(0, there + (comes * comes) - (leaves * leaves));
            }

            if (there <= own * 1e-8) continue; // nothing but the rounding of what went by
            double sum = 0;
            for (var i = 0; i < burst.Length; i++) sum += heard[lag + i] * (double)burst[i];
            var alike = Math.Abs(sum) / Math.Sqrt(own * there);
            if (alike > best) (best, at) = (alike, lag);
        }

        return at;
    }
}
