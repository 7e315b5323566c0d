// One ratio of the report: what was done, by whom besides us, by which command, and what is not the same about it.
namespace SspHost.Peers;

/// <summary>What is compared; ours and theirs are always in the same unit, and measured in the same round.</summary>
/// <param name="Id">Unique in its benchmark: letters, digits and . _ - +.</param>
/// <param name="What">The work.</param>
/// <param name="Peer">Who else does it.</param>
/// <param name="Unit">Of ours and theirs.</param>
/// <param name="Aim">What the ratio, ours over theirs, is to reach; null where it is told and nothing is claimed.</param>
/// <param name="Better">Which way the ratio is better.</param>
/// <param name="Command">What a person types for theirs.</param>
/// <param name="Ours">And for ours.</param>
/// <param name="Unlike">What is not the same about the work.</param>
internal sealed record Comparison(
    string Id, string What, string Peer, string Unit, double? Aim, Diagnostics.Benching.BenchBetter Better, string Command, string Ours, string Unlike);
