// A benchmark outside the quantum, which may allocate: so much and no more.
namespace SspHost.Benchmarks;

[AttributeUsage(AttributeTargets.Method)]
internal sealed class AllocatesAttribute(long bytes) : Attribute
{
    /// <summary>Most bytes of a call.</summary>
    public long Bytes { get; } = bytes;
}
