// From cells to pixels: how large cards are, and what part of the grid is in view.
using SspHost.Panel.Surface;

namespace SspHost.Panel.Pages.Cards;

/// <summary>
/// Cards are as large as the patch allows: few modules have large ones with load and type, many have small ones. Where even the narrowest columns
/// are more than the screen is wide, it scrolls by whole columns, so that the chosen card is in view.
/// </summary>
internal sealed class CardGrid(Rect bounds)
{
    private const int NarrowPitch = 132, WidePitch = 262, LowPitch = 50, HighPitch = 88;

    private int _first, _rows;

    /// <summary>Rows of large cards, and of small ones.</summary>
    public const int LargeRows = 4, SmallRows = 7;

    /// <summary>Modules that still have large cards.</summary>
    public const int MostLarge = 24;

    /// <summary>First column in view.</summary>
    public int First => _first;

    /// <summary>Columns in view.</summary>
    public int Columns => Math.Max(1, (bounds.Width - 24 + Gap) / Pitch);

    /// <summary>Pixels from column to column, and from row to row.</summary>
    public int Pitch { get; private set; } = WidePitch;

    /// <inheritdoc cref="Pitch"/>
    public int RowPitch { get; private set; } = HighPitch;

    // Between two columns, for cables to turn in.
    private int Gap => Math.Max(28, Pitch / 5);

    /// <summary>Rows that a layout may have.</summary>
    public static int RowsFor(int modules) => modules > MostLarge ? SmallRows : LargeRows;

    /// <summary>Fits to a layout, and scrolls so that a cell is in view.</summary>
    public void Fit(int columns, int rows, Cell chosen)
    {
        _rows = rows;
        Pitch = Math.Clamp((bounds.Width - 24 + (NarrowPitch / 5)) / Math.Max(1, columns), NarrowPitch, WidePitch);
        RowPitch = Math.Clamp((bounds.Height - 4) / Math.Max(1, rows), LowPitch, HighPitch);
        _first = Math.Clamp(_first, Math.Max(0, chosen.Column - Columns + 1), Math.Max(0, chosen.Column));
        _first = Math.Clamp(_first, 0, Math.Max(0, columns - Columns));
    }

    /// <summary>Where a cell's card is; outside of the bounds where it is out of view.</summary>
    public Rect Card(Cell cell) => new(
        bounds.X + 12 + ((cell.Column - _first) * Pitch), bounds.Y + ((bounds.Height - (_rows * RowPitch)) / 2) + 4 + (cell.Row * RowPitch),
        Pitch - Gap, RowPitch - (RowPitch < 70 ? 8 : 12));
}
