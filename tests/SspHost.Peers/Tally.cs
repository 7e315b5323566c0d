// What the rounds of a benchmark gave: ours and theirs of one round make one ratio. A peer that fails is named, and left out from there on.
using System.Globalization;
using SspHost.Diagnostics.Benching;

namespace SspHost.Peers;

internal sealed class Tally(bool quick)
{
    private sealed record Row(Comparison Comparison, List<double> Ours, List<double> Theirs, List<double> Ratios);

    private readonly List<Row> _rows = [];
    private readonly Dictionary<string, string> _out = [], _facts = [];

    /// <summary>A smoke run: shorter work, the same code.</summary>
    public bool Quick => quick;

    /// <summary>Peers that are out, and why.</summary>
    public IReadOnlyDictionary<string, string> Out => _out;

    public bool Has(Peer peer) => !_out.ContainsKey(peer.Name);

    /// <summary>Leaves a peer out.</summary>
    public void LeaveOut(string peer, string why) => _out[peer] = why;

    /// <summary>Something a reader must know of the run, as an option of the file.</summary>
    public void Say(string name, string text) => _facts[name] = text;

    /// <summary>Runs a part that is about one peer; where that fails the peer is out, with the reason. Nothing where it is out already.</summary>
    public void Try(Peer peer, Action part)
    {
        if (!Has(peer)) return;
        try
        {
            part();
        }
        catch (Exception e) when (e is PeerException or IOException or InvalidDataException or System.Net.Sockets.SocketException)
        {
            LeaveOut(peer.Name, e.Message);
        }
    }

    /// <summary>One round of a comparison. A figure that is not above 0 is noise on top of nothing and makes no ratio: the round is an error.</summary>
    public void Add(Comparison comparison, double ours, double theirs)
    {
        if (!(ours > 0) || !(theirs > 0) || !double.IsFinite(ours) || !double.IsFinite(theirs))
            throw new PeerException(string.Create(CultureInfo.InvariantCulture, $"{comparison.Id}: no ratio can be made of {ours:G4} and {theirs:G4} {comparison.Unit}"));
        var row = _rows.Find(r => r.Comparison.Id == comparison.Id);
        if (row == null) _rows.Add(row = new Row(comparison, [], [], []));
        row.Ours.Add(ours);
        row.Theirs.Add(theirs);
        row.Ratios.Add(ours / theirs);
    }

    /// <summary>The file of results.</summary>
    public BenchFile File(Bench bench, BenchMachine machine, int rounds, IReadOnlyDictionary<string, string> versions)
    {
        var file = new BenchFile { Bench = "peers-" + bench.Name, Machine = machine };
        file.Options["rounds"] = rounds.ToString(CultureInfo.InvariantCulture);
        file.Options["quick"] = quick ? "true" : "false";
        file.Options["title"] = bench.Title;
        file.Options["text"] = bench.Text;
        foreach (var (name, version) in versions) file.Options["package." + name] = version;
        foreach (var (peer, why) in _out) file.Options["out." + peer] = why;
        foreach (var (name, text) in _facts) file.Options["fact." + name] = text;
        foreach (var (c, ours, theirs, ratios) in _rows)
        {
            file.Options["what." + c.Id] = c.What;
            file.Options["peer." + c.Id] = c.Peer;
            file.Options["ours." + c.Id] = c.Ours;
            file.Options["command." + c.Id] = c.Command;
            file.Options["unlike." + c.Id] = c.Unlike;
            file.Figures.Add(new BenchFigure { Name = c.Id + ".ours", Unit = c.Unit, Better = BenchBetter.None, Values = [.. ours] });
            file.Figures.Add(new BenchFigure { Name = c.Id + ".theirs", Unit = c.Unit, Better = BenchBetter.None, Values = [.. theirs] });
            file.Figures.Add(new BenchFigure { Name = c.Id + ".ratio", Unit = "1", Better = c.Better, Values = [.. ratios], Target = c.Aim });
        }

        return file;
    }
}
