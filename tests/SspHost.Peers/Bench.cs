// One benchmark of the run: ours and its peers by turns, a round at a time.
using SspHost.Peers.Timing;

namespace SspHost.Peers;

/// <summary>Somebody to be measured beside us.</summary>
/// <param name="Name">As the report has it.</param>
/// <param name="Package">Debian's package.</param>
/// <param name="Needs">Programs or files without which it is left out.</param>
internal sealed record Peer(string Name, string Package, params string[] Needs)
{
    /// <summary>What is missing of it, or null.</summary>
    public string? Missing() => Array.Find(Needs, n => Tool.Find(n) == null) is { } lacking ? $"{lacking} is not there (Debian: {Package})" : null;
}

internal abstract class Bench(Places places)
{
    /// <summary>Name of its file of results.</summary>
    public abstract string Name { get; }

    public abstract string Title { get; }

    /// <summary>How it is measured, for the report.</summary>
    public abstract string Text { get; }

    public abstract IReadOnlyList<Peer> Peers { get; }

    /// <summary>Debian's packages whose versions belong to its figures, besides those of its peers.</summary>
    public virtual IReadOnlyList<string> Libraries => [];

    protected Places Places => places;

    /// <summary>Once, before the first round.</summary>
    public virtual void Begin(Tally tally)
    {
    }

    /// <summary>Measures ours and every peer that is there, once. What fails for a peer is told to the tally by <see cref="Tally.Try"/>.</summary>
    public abstract void Round(Tally tally);

    /// <summary>Once, after the last round, also where one failed: ends what was started.</summary>
    public virtual void End()
    {
    }
}
