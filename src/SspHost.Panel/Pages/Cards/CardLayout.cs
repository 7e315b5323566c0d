// Where each module's card stands: columns in signal order, rows so that cables cross little. Made from the graph alone.
using SspHost.Patching;

namespace SspHost.Panel.Pages.Cards;

/// <summary>A cell of the grid that cards stand in, from the upper left.</summary>
internal readonly record struct Cell(int Column, int Row);

/// <summary>
/// Layers by the longest way from a source, then orders each layer by the middle of its neighbours (Sugiyama, Tagawa and Toda, "Methods for
/// Visual Understanding of Hierarchical System Structures", 1981). The same patch is always laid out the same. A module that the player has moved
/// stands as many cells beside its place as he said (<see cref="Module.X"/>, <see cref="Module.Y"/>).
/// </summary>
internal sealed class CardLayout
{
    private const int Sweeps = 6;

    private CardLayout(Cell[] cells, int columns, int rows) => (Cells, Columns, Rows) = (cells, columns, rows);

    /// <summary>Cells by index of the module in the patch; no two are the same.</summary>
    public Cell[] Cells { get; }

    /// <summary>Columns and rows that are in use.</summary>
    public int Columns { get; }

    /// <inheritdoc cref="Columns"/>
    public int Rows { get; }

    /// <summary>Lays out a patch in at most <paramref name="mostRows"/> rows and as many columns as that takes.</summary>
    public static CardLayout Of(Patch patch, int mostRows)
    {
        var n = patch.Modules.Length;
        if (n == 0) return new CardLayout([], 0, 0);
        var (after, before) = Neighbours(patch);
        var layers = Layers(Ranks(n, after, before), mostRows, after, before);
        var cells = new Cell[n];
        var rows = Math.Min(mostRows, layers.Max(l => l.Count));
        for (var c = 0; c < layers.Count; c++)
        {
            // A short column stands in the middle of the height: cables then go straight on.
            var top = (rows - layers[c].Count) / 2;
            for (var r = 0; r < layers[c].Count; r++) cells[layers[c][r]] = new Cell(c, top + r);
        }

        Nudge(patch, cells, mostRows);
        return new CardLayout(cells, cells.Max(c => c.Column) + 1, cells.Max(c => c.Row) + 1);
    }

    // Modules each one's cables go to, and come from; without delayed cables, which go back by their nature.
    private static (List<int>[] After, List<int>[] Before) Neighbours(Patch patch)
    {
        var (after, before) = (new List<int>[patch.Modules.Length], new List<int>[patch.Modules.Length]);
        for (var i = 0; i < after.Length; i++) (after[i], before[i]) = ([], []);
        foreach (var cable in patch.Cables)
        {
            var (from, to) = (patch.IndexOf(cable.From.Module), patch.IndexOf(cable.To.Module));
            if (cable.Delayed || from < 0 || to < 0 || from == to || after[from].Contains(to)) continue;
            after[from].Add(to);
            before[to].Add(from);
        }

        return (after, before);
    }

    // The longest way from a source; then each module as far to the right as those behind it allow, so that an LFO stands beside what it moves.
    private static int[] Ranks(int n, List<int>[] after, List<int>[] before)
    {
        var ranks = new int[n];
        var waiting = before.Select(b => b.Count).ToArray();
        var order = new List<int>(n);
        for (var i = 0; i < n; i++)
        {
            if (waiting[i] == 0) order.Add(i);
        }

        for (var k = 0; k < order.Count; k++)
        {
            foreach (var next in after[order[k]])
            {
                ranks[next] = Math.Max(ranks[next], ranks[order[k]] + 1);
                if (--waiting[next] == 0) order.Add(next);
            }
        }

        for (var k = order.Count - 1; k >= 0; k--)
        {
            var i = order[k];
            if (after[i].Count > 0) ranks[i] = after[i].Min(j => ranks[j]) - 1;
        }

        // What has no cable at all stands with the sources.
        return ranks;
    }

    private static List<List<int>> Layers(int[] ranks, int mostRows, List<int>[] after, List<int>[] before)
    {
        var layers = new List<List<int>>();
        for (var i = 0; i < ranks.Length; i++)
        {
            while (layers.Count <= ranks[i]) layers.Add([]);
            layers[ranks[i]].Add(i);
        }

        layers.RemoveAll(l => l.Count == 0);
        var place = new double[ranks.Length];
        foreach (var layer in layers) Number(layer, place);
        for (var sweep = 0; sweep < Sweeps; sweep++)
        {
            if (sweep % 2 == 0)
            {
                for (var c = 1; c < layers.Count; c++) Order(layers[c], before, place);
            }
            else
            {
                for (var c = layers.Count - 2; c >= 0; c--) Order(layers[c], after, place);
            }
        }

        // A layer too high for the screen becomes several columns side by side.
        var columns = new List<List<int>>();
        foreach (var layer in layers)
        {
            var parts = (layer.Count + mostRows - 1) / mostRows;
            var each = (layer.Count + parts - 1) / parts;
            for (var first = 0; first < layer.Count; first += each) columns.Add(layer.GetRange(first, Math.Min(each, layer.Count - first)));
        }

        return columns;
    }

    private static void Order(List<int> layer, List<int>[] neighbours, double[] place)
    {
        var middle = layer.ToDictionary(i => i, i => neighbours[i].Count == 0 ? place[i] : neighbours[i].Average(j => place[j]));
        var sorted = layer.OrderBy(i => middle[i]).ToList(); // stable: equals stay as they were
        layer.Clear();
        layer.AddRange(sorted);
        Number(layer, place);
    }

    // Places within a layer as shares of its height, so that layers of different heights compare.
    private static void Number(List<int> layer, double[] place)
    {
        for (var r = 0; r < layer.Count; r++) place[layer[r]] = (r + 0.5) / layer.Count;
    }

    private static void Nudge(Patch patch, Cell[] cells, int mostRows)
    {
        var taken = new HashSet<Cell>(cells);
        for (var i = 0; i < cells.Length; i++)
        {
            var m = patch.Modules[i];
            if (m.X == 0 && m.Y == 0) continue;
            taken.Remove(cells[i]);
            var wanted = new Cell(Math.Clamp(cells[i].Column + m.X, 0, 999), Math.Clamp(cells[i].Row + m.Y, 0, mostRows - 1));
            while (!taken.Add(wanted)) wanted = wanted.Row + 1 < mostRows ? wanted with { Row = wanted.Row + 1 } : new Cell(wanted.Column + 1, 0);
            cells[i] = wanted;
        }
    }
}
