// What ends a proof before it has begun: an input that cannot be read, a list that cannot be understood.
namespace SspHost.Proof;

/// <summary>One line for a person: which file, where in it, what was expected. Names out of a damaged file may hold anything.</summary>
internal sealed class ProofException(string message) : Exception(string.Concat(message.Select(static c => char.IsControl(c) ? '?' : c)));
