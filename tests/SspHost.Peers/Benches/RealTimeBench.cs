// In real time, where a server is judged on stage: what the kernel says our engine's process and SuperCollider's servers ran, block by block.
using System.Globalization;
using SspHost.Diagnostics.Benching;
using SspHost.Peers.SuperCollider;
using SspHost.Peers.Timing;
using SspHost.Peers.Voices;

namespace SspHost.Peers.Benches;

internal sealed class RealTimeBench(Places places) : Bench(places)
{
    private const int Nodes = 400;
    private readonly Peer[] _servers =
    [
        new("scsynth", "supercollider-server", "scsynth", "jackd", places.Built("jack-peer")),
        new("supernova", "supercollider-supernova", "supernova", "jackd", places.Built("jack-peer")),
    ];

    public override string Name => "realtime";

    public override string Title => "Scheduling overhead a node, in real time";

    public override string Text =>
        $"The row of nodes as above, {Nodes} and none of them, playing in real time in blocks of {NodesBench.Block} frames: ours on its simulated card, SuperCollider's servers on jackd's dummy driver. ns a node and block, by "
        + "/proc/PID/task/*/schedstat of the whole process, which is the same measure for all (what a server says of its own load is not). One real-time thread each. The blocks of the servers are counted by a client beside them (`jack-peer wake`): under load jackd leaves some out.";

    public override IReadOnlyList<Peer> Peers => _servers;

    public override void Round(Tally tally)
    {
        var seconds = tally.Quick ? 2 : 8;
        var traced = PerNode(seconds, (nodes, measure) => OurRun(nodes, measure, trace: true));
        var ours = PerNode(seconds, (nodes, measure) => OurRun(nodes, measure, trace: false));
        foreach (var server in _servers)
        {
            tally.Try(server, () =>
            {
                var theirs = PerNode(seconds, (nodes, measure) => TheirRun(server.Name, nodes, seconds, measure));
                tally.Add(Comparison($"realtime.{server.Name}", "a node that passes its input, tracing off", server.Name, 1, "ssp trace off && "), ours, theirs);
                tally.Add(Comparison($"realtime.{server.Name}.traced", "the same with the flight recorder on, as it is always", server.Name, null, ""), traced, theirs);
            });
        }
    }

    private Comparison Comparison(string id, string what, string server, double? aim, string before) => new(
        id, what, server, "ns", aim, BenchBetter.Less,
        $"{JackServer.Command(NodesBench.Block)} & {string.Join(' ', ScServer.Words(server, NodesBench.Block))} & cat /proc/$(pidof {server})/task/*/schedstat",
        $"{Shell.Line(Places, OurCommand(Nodes))} & {before}cat /proc/$(pidof ssp-engine)/task/*/schedstat",
        "theirs is clocked by another process, ours by its own thread; ours times every module and checks its output; what is the same for any number of nodes is subtracted");

    // ns a node and block, of what a block with so many nodes takes.
    private static double PerNode(int seconds, Func<int, Func<int, double>, double> run)
    {
        // ns on a core a second.
        double Measure(int pid)
        {
            Thread.Sleep(500); // what a start leaves behind is over
            var (from, clock) = (Schedstat.OnCpu(pid), System.Diagnostics.Stopwatch.StartNew());
            Thread.Sleep(TimeSpan.FromSeconds(seconds));
            return (Schedstat.OnCpu(pid) - from) / clock.Elapsed.TotalSeconds;
        }

        return (run(Nodes, Measure) - run(0, Measure)) / Nodes;
    }

    private string[] OurCommand(int nodes)
    {
        var render = NodesBench.OurCommand(Places, nodes, 1);
        return
        [
            Places.Ssp, "run", render[2], "--device", "sim", "--web", "off", "--midi", "off", "--cores", "1", "--rate", VoicePatch.Rate.ToString(CultureInfo.InvariantCulture),
            "--quantum", NodesBench.Block.ToString(CultureInfo.InvariantCulture), "--region-mib", "64", "--module-dir", Places.Built("modules"),
        ];
    }

    private double OurRun(int nodes, Func<int, double> measure, bool trace)
    {
        // A host of its own: neither its state nor its socket is that of one that may be playing here.
        var home = Directory.CreateTempSubdirectory("ssp-peers-").FullName;
        try
        {
            var environment = new Dictionary<string, string> { ["XDG_RUNTIME_DIR"] = home, ["XDG_STATE_HOME"] = home, ["XDG_CONFIG_HOME"] = home, ["HOME"] = home };
            using var host = Service.Start(OurCommand(nodes), environment, s => Child(s.Pid, "ssp-engine") > 0 && Schedstat.Threads(Child(s.Pid, "ssp-engine")).Contains("ssp-audio"));
            Thread.Sleep(500);
            if (!trace) _ = Tool.Run(TimeSpan.FromSeconds(20), [Places.Ssp, "trace", "off"], environment);
            return measure(Child(host.Pid, "ssp-engine")) * NodesBench.Block / VoicePatch.Rate;
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    private double TheirRun(string server, int nodes, int seconds, Func<int, double> measure)
    {
        using var jack = JackServer.Start(NodesBench.Block);
        using var running = new ScServer(server, NodesBench.Block, JackServer.Environment);
        var def = new SynthDef("pass");
        def.End("ReplaceOut", Rate.Audio, 0f, def.Add("In", Rate.Audio, 0, 0f));
        running.Send(Osc.Message("/d_recv", def.ToBytes()));
        running.Send(Score.NewGroup(parallel: false));
        running.Sync();
        for (var i = 0; i < nodes; i++)
        {
            running.Send(Score.New("pass", i, 440));
            if (i % 50 == 49) running.Sync(); // no packet is lost to a full socket
        }

        running.Sync();
        if (running.Synths() != nodes) throw new PeerException($"{server} plays {running.Synths()} nodes instead of {nodes}");
        var cycles = Task.Run(() => JackFigures.Get(JackFigures.Parse(Tool.Run(
            TimeSpan.FromMinutes(1), [Places.Built("jack-peer"), "wake", seconds.ToString(CultureInfo.InvariantCulture)], JackServer.Environment).Out), "count"));
        var load = measure(running.Pid);
        return load * seconds / cycles.GetAwaiter().GetResult();
    }

    // The child of that name, or 0.
    private static int Child(int parent, string name)
    {
        foreach (var pid in Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(n => int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            try
            {
                // "pid (name) state parent ...": a name may hold anything but the last bracket.
                var stat = File.ReadAllText($"/proc/{pid}/stat");
                var end = stat.LastIndexOf(')');
                if (stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..end] == name && int.Parse(stat[(end + 2)..].Split(' ')[1], CultureInfo.InvariantCulture) == parent)
                    return int.Parse(pid!, CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
        }

        return 0;
    }
}
