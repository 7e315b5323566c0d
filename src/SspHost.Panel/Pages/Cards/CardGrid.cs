// From cells to pixels: how large cards are, and what part of the grid is in view.
using SspHost.Panel.Surface;

namespace SspHost.Panel.Pages.Cards;

/// <summary>
/// Two sizes of cards: large ones with levels and load where there are few modules, small ones where there are many. Where the grid is wider than
/// the screen it scrolls by whole columns, so that the chosen card is in view.
/// </summary>
internal sealed class CardGrid(Rect bounds)
{
    private int _first;

    /// <summary>Rows of large cards, and of small ones.</summary>
    public const int LargeRows = 4, SmallRows = 7;

    /// <summary>Modules that still have large cards.</summary>
    public const int MostLarge = 24;

    public bool Small { get; private set; }

    /// <summary>First column in view.</summary>
    public int First => _first;

    /// <summary>Columns in view.</summary>
    public int Columns => Math.Max(1, (bounds.Width - 24) / Pitch);

    /// <summary>Pixels from column to column.</summary>
    public int Pitch => Small ? 196 : 262;

    private int RowPitch => Small ? 50 : 88;

    /// <summary>Rows that a layout may have.</summary>
    public static int RowsFor(int modules) => modules > MostLarge ? SmallRows : LargeRows;

    /// <summary>Fits to a number of modules, and scrolls so that a cell is in view.</summary>
    public void Fit(int modules, int columns, Cell chosen)
    {
        Small = modules > MostLarge;
        _first = Math.Clamp(_first, Math.Max(0, chosen.Column - Columns + 1), Math.Max(0, chosen.Column));
        _first = Math.Clamp(_first, 0, Math.Max(0, columns - Columns));
    }

    /// <summary>Where a cell's card is; outside of the bounds where it is out of view.</summary>
    public Rect Card(Cell cell) => new(
        bounds.X + 12 + ((cell.Column - _first) * Pitch), bounds.Y + 4 + (cell.Row * RowPitch), Small ? 152 : 200, RowPitch - (Small ? 8 : 12));
}
