// The panel's picture as the viewers share it: who drew last, and what each viewer has not seen yet.
using System.Buffers;
using System.Buffers.Binary;
using SspHost.Panel.Surface;

namespace SspHost.Remote.Web;

/// <summary>
/// Tiles with the number of the frame that changed them last. A viewer is one number, that of the frame it has: what is newer is what it needs,
/// however long it was away. The panel's thread writes, any thread reads; a reader holds up the writer for the copy of one row of tiles at most.
/// </summary>
internal sealed class SharedPicture
{
    public const int Columns = PanelSize.Width / TileCode.Width;
    public const int Rows = PanelSize.Height / TileCode.Height;

    private readonly uint[] _pixels = new uint[PanelSize.Width * PanelSize.Height];
    private readonly long[] _changed = new long[Columns * Rows];
    private readonly Lock[] _locks = [.. Enumerable.Range(0, Rows).Select(_ => new Lock())];
    private long _frame;

    /// <summary>Number of the last frame; 0: none was shown yet.</summary>
    public long Frame => Volatile.Read(ref _frame);

    /// <summary>Takes what has changed of a frame; false: nothing has, whatever was drawn anew.</summary>
    public bool Put(in Frame frame, ReadOnlySpan<Rect> changed)
    {
        var next = _frame + 1;
        var any = false;
        foreach (var rect in changed)
        {
            var r = rect.And(new Rect(0, 0, Math.Min(PanelSize.Width, frame.Width), Math.Min(PanelSize.Height, frame.Height)));
            if (r.IsEmpty) continue;
            for (var row = r.Y / TileCode.Height; row <= (r.Bottom - 1) / TileCode.Height; row++)
            {
                lock (_locks[row]) any |= PutRow(in frame, r, row, next);
            }
        }

        // Last: whoever reads the number before has all of that frame, and finds the tiles above newer than it.
        if (any) Volatile.Write(ref _frame, next);
        return any;
    }

    /// <summary>
    /// Writes the tiles that have changed since frame <paramref name="since"/>, each as its number (two bytes, the low one first) and its code;
    /// the number of the frame that a viewer then has. <paramref name="scratch"/> holds a row of tiles.
    /// </summary>
    public long Write(long since, uint[] scratch, ArrayBufferWriter<byte> to)
    {
        var frame = Frame;
        Span<byte> numbers = stackalloc byte[Columns];
        for (var row = 0; row < Rows; row++)
        {
            var count = 0;
            lock (_locks[row])
            {
                for (var column = 0; column < Columns; column++)
                {
                    if (_changed[(row * Columns) + column] <= since) continue;
                    Copy(row, column, scratch.AsSpan(count * TileCode.Pixels, TileCode.Pixels));
                    numbers[count++] = (byte)column;
                }
            }

            for (var i = 0; i < count; i++)
            {
                var bytes = to.GetSpan(2 + TileCode.MostBytes);
                BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)((row * Columns) + numbers[i]));
                to.Advance(2 + TileCode.Encode(scratch.AsSpan(i * TileCode.Pixels, TileCode.Pixels), bytes[2..]));
            }
        }

        return frame;
    }

    // What was drawn as it was before is no change: a widget redraws all of itself for one digit.
    private bool PutRow(in Frame frame, Rect r, int row, long next)
    {
        var any = false;
        var (top, bottom) = (Math.Max(r.Y, row * TileCode.Height), Math.Min(r.Bottom, (row + 1) * TileCode.Height));
        for (var column = r.X / TileCode.Width; column <= (r.Right - 1) / TileCode.Width; column++)
        {
            var (left, right) = (Math.Max(r.X, column * TileCode.Width), Math.Min(r.Right, (column + 1) * TileCode.Width));
            var differs = false;
            for (var y = top; y < bottom; y++)
            {
                var from = frame.Row(y)[left..right];
                var to = _pixels.AsSpan((y * PanelSize.Width) + left, right - left);
                if (from.SequenceEqual(to)) continue;
                differs = true;
                from.CopyTo(to);
            }

            if (differs) _changed[(row * Columns) + column] = next;
            any |= differs;
        }

        return any;
    }

    private void Copy(int row, int column, Span<uint> to)
    {
        for (var y = 0; y < TileCode.Height; y++)
        {
            _pixels.AsSpan((((row * TileCode.Height) + y) * PanelSize.Width) + (column * TileCode.Width), TileCode.Width).CopyTo(to[(y * TileCode.Width)..]);
        }
    }
}
