// Loops: which cable of one is delayed, and until when.
using System.Collections.Immutable;

namespace SspHost.Patching;

/// <summary>
/// The rule: the cable that closes a loop is delayed, and stays so until its ends no longer lie in one loop; an edit elsewhere
/// never moves the delay. So the cables that are not delayed never form a loop, and a delayed cable is always part of one.
/// A cable plugged in where every loop through it already passes a delayed cable closes nothing and is not delayed.
/// </summary>
public static class Loops
{
    /// <summary>Whether a cable from one module to another would close a loop of cables that are not delayed.</summary>
    public static bool WouldClose(Patch patch, string fromModule, string toModule)
    {
        var (from, to) = (patch.IndexOf(fromModule), patch.IndexOf(toModule));
        return from >= 0 && to >= 0 && new ModuleGraph(patch, patch.Cables.Length).Reaches(to, from);
    }

    /// <summary>The cables with those no longer delayed whose loop is gone.</summary>
    internal static Patch Release(Patch patch)
    {
        var delayed = 0;
        foreach (var c in patch.Cables) delayed += c.Delayed ? 1 : 0;
        if (delayed == 0) return patch;

        var loop = new ModuleGraph(patch, patch.Cables.Length).StrongComponents();
        ImmutableArray<Cable>.Builder? cables = null;
        for (var i = 0; i < patch.Cables.Length; i++)
        {
            var c = patch.Cables[i];
            if (!c.Delayed || loop[patch.IndexOf(c.From.Module)] == loop[patch.IndexOf(c.To.Module)]) continue;
            cables ??= patch.Cables.ToBuilder();
            cables[i] = c with { Delayed = false };
        }

        return cables is null ? patch : patch with { Cables = cables.MoveToImmutable() };
    }

    /// <summary>
    /// Makes the rule hold for a patch that comes from a file: in the order of its cables, one that closes a loop is delayed, then
    /// delays without a loop are taken away. A patch that was saved by this program comes out as it went in.
    /// </summary>
    internal static Patch Normalise(Patch patch, List<string>? warnings)
    {
        if (!new ModuleGraph(patch, patch.Cables.Length).IsAcyclic())
        {
            // Only cables within a strong component can close anything.
            var loop = new ModuleGraph(patch, patch.Cables.Length).StrongComponents();
            var graph = new ModuleGraph(patch, 0);
            var cables = patch.Cables.ToBuilder();

            // Delays the file states come first: the loops they break need no other.
            for (var i = 0; i < cables.Count; i++)
            {
                var c = cables[i];
                if (c.Delayed) continue;
                var (from, to) = (patch.IndexOf(c.From.Module), patch.IndexOf(c.To.Module));
                if (loop[from] == loop[to] && graph.Reaches(to, from))
                {
                    cables[i] = c with { Delayed = true };
                    warnings?.Add($"cables[{i}]: {c.From} to {c.To} closes a loop: it is delayed by one quantum");
                }
                else
                {
                    graph.Add(from, to);
                }
            }

            patch = patch with { Cables = cables.MoveToImmutable() };
        }

        var released = Release(patch);
        if (warnings is not null && !ReferenceEquals(released, patch))
        {
            for (var i = 0; i < patch.Cables.Length; i++)
            {
                if (patch.Cables[i].Delayed && !released.Cables[i].Delayed)
                    warnings.Add($"cables[{i}]: {patch.Cables[i].From} to {patch.Cables[i].To} is part of no loop: it is not delayed");
            }
        }

        return released;
    }
}

/// <summary>The modules of a patch and who feeds whom. Cables between modules that do not exist are left out.</summary>
internal sealed class ModuleGraph
{
    private readonly List<(int To, bool Delayed)>?[] _next;
    private readonly int[] _mark;
    private int _round;

    /// <summary>A graph with the first <paramref name="cables"/> cables.</summary>
    public ModuleGraph(Patch patch, int cables)
    {
        _next = new List<(int, bool)>?[patch.Modules.Length];
        _mark = new int[patch.Modules.Length];
        for (var i = 0; i < cables; i++)
        {
            var c = patch.Cables[i];
            var (from, to) = (patch.IndexOf(c.From.Module), patch.IndexOf(c.To.Module));
            if (from >= 0 && to >= 0) (_next[from] ??= []).Add((to, c.Delayed));
        }
    }

    /// <summary>Adds a cable that is not delayed.</summary>
    public void Add(int from, int to) => (_next[from] ??= []).Add((to, false));

    /// <summary>Whether cables that are not delayed lead from one module to another; every module reaches itself.</summary>
    public bool Reaches(int from, int to)
    {
        _round++;
        var open = new Stack<int>();
        open.Push(from);
        _mark[from] = _round;
        while (open.TryPop(out var at))
        {
            if (at == to) return true;
            if (_next[at] is not { } next) continue;
            foreach (var (n, delayed) in next)
            {
                if (delayed || _mark[n] == _round) continue;
                _mark[n] = _round;
                open.Push(n);
            }
        }

        return false;
    }

    /// <summary>Whether the cables that are not delayed form no loop (Kahn: everything can be taken away from the front).</summary>
    public bool IsAcyclic()
    {
        var pending = new int[_next.Length];
        foreach (var next in _next)
        {
            if (next is null) continue;
            foreach (var (n, delayed) in next) pending[n] += delayed ? 0 : 1;
        }

        var open = new Stack<int>();
        var taken = 0;
        for (var i = 0; i < pending.Length; i++)
        {
            if (pending[i] == 0) open.Push(i);
        }

        while (open.TryPop(out var at))
        {
            taken++;
            if (_next[at] is not { } next) continue;
            foreach (var (n, delayed) in next)
            {
                if (!delayed && --pending[n] == 0) open.Push(n);
            }
        }

        return taken == pending.Length;
    }

    /// <summary>Number of the strong component of each module over all cables, delayed ones too (Tarjan 1972, without recursion).</summary>
    public int[] StrongComponents()
    {
        var n = _next.Length;
        var component = new int[n];
        var low = new int[n];
        var number = new int[n]; // 0 = not seen
        Array.Fill(component, -1);
        var stack = new Stack<int>();
        var path = new Stack<(int At, int Edge)>();
        var (seen, found) = (0, 0);
        for (var root = 0; root < n; root++)
        {
            if (number[root] != 0) continue;
            path.Push((root, 0));
            while (path.TryPop(out var step))
            {
                var (at, edge) = step;
                if (edge == 0)
                {
                    number[at] = low[at] = ++seen;
                    stack.Push(at);
                }

                var next = _next[at];
                var descended = false;
                for (; next is not null && edge < next.Count; edge++)
                {
                    var to = next[edge].To;
                    if (number[to] == 0)
                    {
                        path.Push((at, edge + 1)); // comes back here, past this cable
                        path.Push((to, 0));
                        descended = true;
                        break;
                    }

                    if (component[to] < 0) low[at] = Math.Min(low[at], number[to]);
                }

                if (descended) continue;
                if (low[at] == number[at])
                {
                    int member;
                    do
                    {
                        member = stack.Pop();
                        component[member] = found;
                    }
                    while (member != at);
                    found++;
                }

                if (path.TryPeek(out var parent)) low[parent.At] = Math.Min(low[parent.At], low[at]);
            }
        }

        return component;
    }
}
