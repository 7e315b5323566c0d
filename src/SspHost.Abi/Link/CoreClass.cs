// A kind of core, as the engine tells it.
namespace SspHost.Abi.Link;

/// <summary>Cores of about the same speed.</summary>
/// <param name="Cores">How many there are.</param>
/// <param name="Capacity">Speed of the slowest of them relative to the fastest core: 1 and less.</param>
public readonly record struct CoreClass(int Cores, float Capacity);
