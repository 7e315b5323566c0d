// A trace event: ours into its ring, LTTng-UST's into its own.
using SspHost.Diagnostics.Benching;
using SspHost.Peers.Timing;

namespace SspHost.Peers.Benches;

internal sealed class TraceBench(Places places) : Bench(places)
{
    private const string Session = "ssp-peers";

    private readonly Peer _lttng = new("lttng-ust", "lttng-tools", "lttng-sessiond", "lttng", places.Built("ust-event"));
    private Dictionary<string, string> _environment = [];
    private Service? _daemon;

    public override string Name => "trace";

    public override string Title => "A trace event";

    public override string Text =>
        "ns an event of the same payload (two times, two numbers), the clock that stamps it counted: the least of many batches. LTTng-UST records in discard mode into four buffers of 1 MiB a core, "
        + "with a session of this run's own.";

    public override IReadOnlyList<Peer> Peers => [_lttng];

    public override IReadOnlyList<string> Libraries => ["liblttng-ust1"];

    public override void Begin(Tally tally) => tally.Try(_lttng, () =>
    {
        var home = Directory.CreateTempSubdirectory("ssp-lttng-").FullName;
        _environment = new Dictionary<string, string> { ["LTTNG_HOME"] = home };
        // Debian's package starts one for the system; root's own would be the same.
        if (!Running()) _daemon = Service.Start(["lttng-sessiond", "--no-kernel"], _environment, _ => Running());
        Lttng("create", Session, $"--output={Path.Combine(home, "trace")}");
        Lttng("enable-channel", "--userspace", "--discard", "--subbuf-size=1M", "--num-subbuf=4", "peers");
        Lttng("enable-event", "--userspace", "--channel=peers", "ssp_peer:*");
        Lttng("start");
    });

    public override void Round(Tally tally)
    {
        string[] our = [Places.Engine, "bench", "diagnostics", "--json", "--rounds", tally.Quick ? "5" : "20"];
        var ours = EngineFigures.Event(Tool.RunAnyway(TimeSpan.FromMinutes(5), our).Out);
        tally.Try(_lttng, () =>
        {
            string[] command = [Places.Built("ust-event"), tally.Quick ? "200" : "3000"];
            var theirs = JackFigures.Parse(Tool.Run(TimeSpan.FromMinutes(2), command, _environment).Out);
            if (JackFigures.Get(theirs, "enabled") != 1) throw new PeerException("no session recorded the event");
            tally.Add(
                new Comparison("trace.lttng", "an event", "lttng-ust", "ns", 1, BenchBetter.Less, "lttng-sessiond --no-kernel & lttng create ... && lttng start && " + Shell.Line(Places, command),
                    Shell.Line(Places, our), "LTTng's buffers are one a core and shared by all threads, which takes an atomic operation; ours are one a thread. LTTng describes its fields, so any tool reads its trace"),
                ours, JackFigures.Get(theirs, "least"));
        });
    }

    public override void End()
    {
        if (_environment.Count == 0) return;
        try
        {
            Lttng("destroy", Session);
        }
        catch (PeerException)
        {
            // It was never made, or ends with its daemon.
        }

        _daemon?.Dispose();
        try
        {
            Directory.Delete(_environment["LTTNG_HOME"], recursive: true);
        }
        catch (IOException)
        {
            // The system clears its temporary files.
        }
    }

    private void Lttng(params string[] words) => _ = Tool.Run(TimeSpan.FromSeconds(20), ["lttng", "--no-sessiond", .. words], _environment);

    private bool Running() => Tool.Ask(["lttng", "--no-sessiond", "list"], _environment) != null;
}
