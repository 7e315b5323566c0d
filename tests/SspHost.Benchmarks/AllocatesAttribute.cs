// What a benchmark may allocate: every one says which of the two it is.
using System.Reflection;

namespace SspHost.Benchmarks;

/// <summary>What runs on a real-time thread: not a byte. On a class: all that it times.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class RealTimeAttribute : Attribute;

/// <summary>What runs outside the quantum and may allocate: so much and no more. On a class: all that it times.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class AllocatesAttribute(long bytes) : Attribute
{
    /// <summary>Most bytes of a call.</summary>
    public long Bytes { get; } = bytes;
}

internal static class Allowance
{
    /// <summary>Most bytes a call of a benchmark may allocate; null where it does not say, or says both. What the method says goes before its class.</summary>
    public static long? Of(MethodInfo benchmark) => Said(benchmark) is var (real, most) && (real || most != null) ? Decide(real, most) : Decide(Said(benchmark.ReflectedType!));

    /// <summary>Whether it times what runs on a real-time thread.</summary>
    public static bool IsRealTime(MethodInfo benchmark) => Said(benchmark) is var (real, most) && (real || most != null) ? real : Said(benchmark.ReflectedType!).Real;

    private static (bool Real, long? Most) Said(MemberInfo member) =>
        (member.IsDefined(typeof(RealTimeAttribute), inherit: true), member.GetCustomAttribute<AllocatesAttribute>(inherit: true)?.Bytes);

    private static long? Decide((bool Real, long? Most) said) => Decide(said.Real, said.Most);

    private static long? Decide(bool real, long? most) => real ? (most == null ? 0 : null) : most;
}
