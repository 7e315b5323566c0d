// Where reports get their engine from: one that may be gone for a moment, and another one when it is back.
using SspHost.Abi.Link;

namespace SspHost.Diagnostics;

/// <summary>Lends the engine to whoever looks. Thread-safe; a look is short, for a new engine waits until the last one is over.</summary>
public interface IEngineSource
{
    /// <summary>Number of the engine: another one, another number. Steady within <see cref="Try{T}"/>.</summary>
    int Generation { get; }

    /// <summary>Looks at the engine, or gives <paramref name="otherwise"/> while there is none.</summary>
    T Try<T>(Func<EngineLink, T> work, T otherwise);
}
