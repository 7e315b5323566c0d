// Our modules beside the same algorithms in Faust and in SuperCollider's plugins: what `ssp-engine bench modules --peers` measures.
using SspHost.Diagnostics.Benching;
using SspHost.Peers.Timing;

namespace SspHost.Peers.Benches;

internal sealed class FaustBench(Places places) : Bench(places)
{
    private static readonly (string File, Peer Peer)[] Known =
    [
        ("faust.so", new Peer("faust", "faust")),
        ("faust-native.so", new Peer("faust, for this machine", "faust")),
        ("supercollider.so", new Peer("SuperCollider's plugins", "supercollider-server")),
    ];

    private readonly (string File, Peer Peer)[] _libraries = [.. Known.Select(k => (k.File, k.Peer with { Needs = [places.Built(k.File)] }))];

    public override string Name => "kernels";

    public override string Title => "The same algorithm elsewhere";

    public override string Text =>
        "One module, one or four voices, 48 kHz, 64 frames, by turns in one process: ns a frame, all voices together. Faust's C++ is compiled with -O3 -ffast-math, for x86-64-v3 as ours and for this machine; SuperCollider's plugins are Debian's.";

    public override IReadOnlyList<Peer> Peers => [.. _libraries.Select(l => l.Peer)];

    public override IReadOnlyList<string> Libraries => ["supercollider-dev", "g++"];

    public override void Round(Tally tally)
    {
        var there = _libraries.Where(l => tally.Has(l.Peer)).ToList();
        if (there.Count == 0) return;
        string[] command =
            [Places.Engine, "bench", "modules", "--module", "none", "--json", .. there.SelectMany(l => new[] { "--peers", Places.Built(l.File) }), .. tally.Quick ? new[] { "--quick" } : []];
        foreach (var k in EngineFigures.Kernels(Tool.Run(TimeSpan.FromMinutes(5), command).Out))
        {
            // Of SuperCollider's units only its oscillator does what ours does (tests/Peers/README.md): of the others the ratio says what features cost.
            var alias = k.OurAlias is { } a && k.TheirAlias is { } b ? FormattableString.Invariant($"strongest alias {-Math.Abs(a):0} dB here, {-Math.Abs(b):0} dB there") : Alike(k.Peer) ? "" : "another algorithm with fewer features: the ratio says what ours cost (tests/Peers/README.md)";
            tally.Add(
                new Comparison($"kernels.{Id(k.Case)}.{k.Voices}.{Id(k.Peer)}", $"{k.Case}, {k.Voices} voice{(k.Voices == 1 ? "" : "s")}", k.Peer, "ns", Alike(k.Peer) ? 1 : null, BenchBetter.Less,
                    Shell.Line(Places, command), Shell.Line(Places, command), alias),
                k.Ours, k.Theirs);
        }
    }

    private static bool Alike(string peer) => !peer.StartsWith("SuperCollider", StringComparison.Ordinal) || peer.EndsWith(" Saw", StringComparison.Ordinal);

    private static string Id(string words) => string.Join('-', words.ToLowerInvariant().Split([' ', ',', '(', ')'], StringSplitOptions.RemoveEmptyEntries));
}
