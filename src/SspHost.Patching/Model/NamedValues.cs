// A small immutable set of named values, sorted by name: what a module has of parameters, settings and assets.
using System.Collections;

namespace SspHost.Patching;

/// <summary>A name and its value.</summary>
public readonly record struct Named<T>(string Name, T Value);

/// <summary>
/// Immutable, sorted by ordinal name, equal by value. A module has a handful of them, so a sorted array beats a tree in
/// memory, in speed and in having one order only (files are written in it).
/// </summary>
public readonly struct NamedValues<T> : IEquatable<NamedValues<T>>, IReadOnlyList<Named<T>>
{
    private readonly Named<T>[]? _items;

    private NamedValues(Named<T>[] items) => _items = items;

    /// <summary>No values.</summary>
    public static NamedValues<T> Empty => default;

    public int Count => _items?.Length ?? 0;

    public Named<T> this[int index] => _items![index];

    private ReadOnlySpan<Named<T>> Items => _items;

    public static bool operator ==(NamedValues<T> left, NamedValues<T> right) => left.Equals(right);

    public static bool operator !=(NamedValues<T> left, NamedValues<T> right) => !left.Equals(right);

    /// <summary>Makes a set. Of two values with one name the later stays.</summary>
    public static NamedValues<T> From(IEnumerable<Named<T>> values)
    {
        var result = default(NamedValues<T>);
        foreach (var v in values) result = result.With(v.Name, v.Value);
        return result;
    }

    /// <summary>The value called <paramref name="name"/>, if there is one.</summary>
    public bool TryGet(string name, out T value)
    {
        var at = Find(name);
        value = at >= 0 ? _items![at].Value : default!;
        return at >= 0;
    }

    public bool Contains(string name) => Find(name) >= 0;

    /// <summary>The same with <paramref name="name"/> set.</summary>
    public NamedValues<T> With(string name, T value)
    {
        var at = Find(name);
        if (at >= 0)
        {
            var copy = Items.ToArray();
            copy[at] = new Named<T>(name, value);
            return new NamedValues<T>(copy);
        }

        var items = Items;
        var grown = new Named<T>[items.Length + 1];
        items[..~at].CopyTo(grown);
        grown[~at] = new Named<T>(name, value);
        items[~at..].CopyTo(grown.AsSpan(~at + 1));
        return new NamedValues<T>(grown);
    }

    /// <summary>The same without <paramref name="name"/>.</summary>
    public NamedValues<T> Without(string name)
    {
        var at = Find(name);
        if (at < 0) return this;
        var items = Items;
        var shrunk = new Named<T>[items.Length - 1];
        items[..at].CopyTo(shrunk);
        items[(at + 1)..].CopyTo(shrunk.AsSpan(at));
        return new NamedValues<T>(shrunk);
    }

    public bool Equals(NamedValues<T> other)
    {
        if (ReferenceEquals(_items, other._items)) return true;
        var a = Items;
        var b = other.Items;
        if (a.Length != b.Length) return false;
        var comparer = EqualityComparer<T>.Default;
        for (var i = 0; i < a.Length; i++)
        {
            if (!string.Equals(a[i].Name, b[i].Name, StringComparison.Ordinal) || !comparer.Equals(a[i].Value, b[i].Value)) return false;
        }

        return true;
    }

    public override bool Equals(object? obj) => obj is NamedValues<T> other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var item in Items)
        {
            hash.Add(item.Name, StringComparer.Ordinal);
            hash.Add(item.Value);
        }

        return hash.ToHashCode();
    }

    public ReadOnlySpan<Named<T>>.Enumerator GetEnumerator() => Items.GetEnumerator();

    IEnumerator<Named<T>> IEnumerable<Named<T>>.GetEnumerator() => ((IEnumerable<Named<T>>)(_items ?? [])).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => (_items ?? []).GetEnumerator();

    // Index of the name, or the complement of where it would stand.
    private int Find(string name)
    {
        int low = 0, high = Count - 1;
        while (low <= high)
        {
            var middle = (low + high) >> 1;
            var order = string.CompareOrdinal(_items![middle].Name, name);
            if (order == 0) return middle;
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }

        return ~low;
    }
}
