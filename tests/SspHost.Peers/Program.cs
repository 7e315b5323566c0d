// Measures ours beside its peers, in rounds, and makes BENCHMARKS.md of what came of it. `make bench-peers` calls it.
using SspHost.Peers;
using SspHost.Peers.Report;

return PeersProgram.Run(args);
