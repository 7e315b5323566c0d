// The pool beside the system's malloc, mimalloc and jemalloc: what `ssp-engine bench memory` measures, round by round.
using SspHost.Diagnostics.Benching;
using SspHost.Peers.Timing;

namespace SspHost.Peers.Benches;

internal sealed class MemoryBench(Places places) : Bench(places)
{
    private readonly Peer[] _others = [new("glibc malloc", "libc6"), new("mimalloc", "libmimalloc2.0"), new("jemalloc", "libjemalloc2")];

    public override string Name => "memory";

    public override string Title => "Allocation";

    public override string Text =>
        "8192 live blocks of 16 B to 8 KiB, one of them freed and another allocated at a time on one pinned SCHED_FIFO thread, each call timed alone, the clock subtracted. The others replace malloc in the same program.";

    public override IReadOnlyList<Peer> Peers => _others;

    public override void Round(Tally tally)
    {
        string[] command = [Places.Engine, "bench", "memory", "--json", "--ops", tally.Quick ? "50000" : "1000000"];
        var (found, missing) = EngineFigures.Memory(Tool.Run(TimeSpan.FromMinutes(5), command).Out);
        var ours = found["pool"];
        foreach (var other in _others)
        {
            tally.Try(other, () =>
            {
                if (!found.TryGetValue(other.Name, out var theirs)) throw new PeerException(Array.Find(missing, m => m.StartsWith(other.Name, StringComparison.Ordinal)) ?? "gave no result");
                foreach (var (name, ns) in ours)
                {
                    // The clock has steps: what is below one cannot be told from nothing.
                    tally.Add(
                        new Comparison($"memory.{other.Name.Replace(' ', '-')}.{name}", name.Replace(".", ", ", StringComparison.Ordinal), other.Name, "ns", name.Contains("p99", StringComparison.Ordinal) || name.Contains("p50", StringComparison.Ordinal) ? 1 : null,
                            BenchBetter.Less, Shell.Line(Places, command), Shell.Line(Places, command),
                            "the pool is bounded in time and in fragmentation and makes no system call; the others grow as they need"),
                        Math.Max(ns, EngineFigures.ClockStep), Math.Max(theirs[name], EngineFigures.ClockStep));
                }
            });
        }
    }
}
