// Wake-ups: our audio thread's sleep beside cyclictest's, which is the same measure, and beside the jitter of JACK's driver.
using SspHost.Diagnostics.Benching;
using SspHost.Peers.Timing;

namespace SspHost.Peers.Benches;

internal sealed class WakeBench(Places places) : Bench(places)
{
    private const int IntervalUs = 667, TrackedUs = 20_000;
    private readonly Peer _cyclictest = new("cyclictest", "rt-tests", "cyclictest");
    private readonly Peer _jack = new("jackd", "jackd2", "jackd", places.Built("jack-peer"));

    public override string Name => "wake";

    public override string Title => "Wake-up";

    public override string Text =>
        $"A thread at SCHED_FIFO 80, pinned to core 0, sleeps until absolute times {IntervalUs} us apart; how much later it runs. JACK's dummy driver (period 1 ms) has no time that it must keep, "
        + "only a grid; so its jitter is compared: how far the percentile lies above the median.";

    public override IReadOnlyList<Peer> Peers => [_cyclictest, _jack];

    public override void Round(Tally tally)
    {
        var seconds = tally.Quick ? 2 : 20;
        var text = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        string[] our = [Places.Engine, "bench", "wake", "--seconds", text, "--json"];
        var (ours, inTurns) = EngineFigures.Wake(Tool.Run(TimeSpan.FromMinutes(5), our).Out);
        tally.Try(_cyclictest, () =>
        {
            // The engine's own benchmark takes turns with cyclictest where it finds it; what it does not measure is measured behind it.
            string[] command = ["cyclictest", "-m", "-p80", $"-i{IntervalUs}", "-t1", "-a0", $"-D{text}", "-q", $"-h{TrackedUs}"];
            var theirs = inTurns ?? Cyclictest(command);
            foreach (var (name, our1, their, aim) in new (string, double, double, double?)[] { ("p50", ours.P50, theirs.P50, null), ("p99", ours.P99, theirs.P99, null), ("p99.9", ours.P999, theirs.P999, 1.2) })
            {
                tally.Add(
                    new Comparison($"wake.cyclictest.{name}", $"lateness, {name}", "cyclictest", "us", aim, BenchBetter.Less, Shell.Line(Places, inTurns != null ? our : command), Shell.Line(Places, our),
                        "cyclictest counts whole us and rounds down"),
                    our1, their);
            }
        });
        tally.Try(_jack, () =>
        {
            using var jack = JackServer.Start(periodFrames: 48);
            string[] command = [Places.Built("jack-peer"), "wake", text];
            var theirs = JackFigures.Parse(Tool.Run(TimeSpan.FromMinutes(5), command, JackServer.Environment).Out);
            foreach (var (name, our1, their) in new[] { ("p99", ours.P99 - ours.P50, theirs["p99"] - theirs["p50"]), ("p99.9", ours.P999 - ours.P50, theirs["p99.9"] - theirs["p50"]) })
            {
                tally.Add(
                    new Comparison($"wake.jack.{name}", $"jitter, {name} over the median", "jackd", "us", 1, BenchBetter.Less, JackServer.Command(48) + " & " + Shell.Line(Places, command),
                        Shell.Line(Places, our), "JACK's callback is a wake-up of the driver and one of the client behind it; after an xrun its grid begins anew"),
                    our1, their / 1e3);
            }
        });
    }

    private static Lateness Cyclictest(string[] command)
    {
        var histogram = CyclictestHistogram.Parse(Tool.Run(TimeSpan.FromMinutes(5), command).Out);
        return new Lateness(histogram.Percentile(0.5), histogram.Percentile(0.99), histogram.Percentile(0.999));
    }
}
