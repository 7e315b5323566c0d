// The one place where this process holds its engine: borrowed by whoever talks to it, swapped when it dies.
using SspHost.Abi.Link;
using SspHost.Diagnostics;

namespace SspHost.Supervision;

/// <summary>
/// Holds a link while others use it. A dead engine's region is unmapped as soon as the last borrower is done: two regions at once
/// would be twice the locked memory.
/// </summary>
internal sealed class EngineSlot : IEngineSource, IDisposable
{
    private readonly ReaderWriterLockSlim _lock = new(LockRecursionPolicy.SupportsRecursion);
    private EngineLink? _link;

    /// <summary>Number of the engine in here: rises with each <see cref="Put"/>.</summary>
    public int Generation { get; private set; }

    /// <summary>Does something with the engine; <see cref="EngineGoneException"/> while there is none.</summary>
    public T Use<T>(Func<EngineLink, T> work)
    {
        _lock.EnterReadLock();
        try
        {
            return work(_link ?? throw new EngineGoneException("the engine is not running; it is being started again"));
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <inheritdoc cref="Use{T}"/>
    public void Use(Action<EngineLink> work) => Use<object?>(link =>
    {
        work(link);
        return null;
    });

    /// <summary>Like <see cref="Use{T}"/>, or <paramref name="otherwise"/> while there is no engine.</summary>
    public T Try<T>(Func<EngineLink, T> work, T otherwise)
    {
        _lock.EnterReadLock();
        try
        {
            return _link is { } link ? work(link) : otherwise;
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Puts a new engine in, and lets go of the one before once nobody uses it.</summary>
    public void Put(EngineLink? link)
    {
        _lock.EnterWriteLock();
        try
        {
            _link?.Dispose();
            _link = link;
            if (link != null) Generation++;
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    public void Dispose()
    {
        Put(null);
        _lock.Dispose();
    }
}
