// Pixels of the panel into the memory of a screen: turned, scaled, converted.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using SspHost.Panel.Surface;

namespace SspHost.Board;

/// <summary>
/// Copies rectangles. A screen's memory is often write-combining: it is never read, and written in runs of whole rows of a tile. A tile is turned in
/// the cache first, because a picture turned by a quarter is read across its rows.
/// </summary>
/// <param name="Memory">First pixel of the screen.</param>
/// <param name="Stride">Bytes from row to row.</param>
internal readonly unsafe record struct PixelCopy(nint Memory, int Stride, int Width, int Height, PixelFormat Format)
{
    private const int Tile = 32;

    /// <summary>Copies what of <paramref name="frame"/> is in <paramref name="rect"/>, to where <paramref name="placement"/> has it.</summary>
    public void Copy(in Frame frame, Rect rect, in Placement placement)
    {
        var target = placement.ToScreen(rect).And(new Rect(0, 0, Width, Height));
        if (target.IsEmpty) return;
        if (placement is { Quarters: 0, IsScaled: false })
        {
            for (var y = target.Y; y < target.Bottom; y++)
            {
                Emit((uint*)(frame.Pixels + ((nint)(y - placement.Y) * frame.Stride)) + (target.X - placement.X), target.X, y, target.Width);
            }

            return;
        }

        var tile = stackalloc uint[Tile * Tile];
        for (var y = target.Y; y < target.Bottom; y += Tile)
        {
            var height = Math.Min(Tile, target.Bottom - y);
            for (var x = target.X; x < target.Right; x += Tile)
            {
                var width = Math.Min(Tile, target.Right - x);
                if (placement.IsScaled) Scale(in frame, tile, x, y, width, height, in placement);
                else Turn(in frame, tile, x, y, width, height, in placement);
                for (var row = 0; row < height; row++) Emit(tile + (row * Tile), x, y + row, width);
            }
        }
    }

    /// <summary>Makes the whole screen black.</summary>
    public void Clear()
    {
        var bytes = Width * (Format == PixelFormat.Rgb565 ? 2 : 4);
        for (var y = 0; y < Height; y++) new Span<byte>((byte*)Memory + ((nint)y * Stride), bytes).Clear();
    }

    private static void Turn(in Frame frame, uint* tile, int x, int y, int width, int height, in Placement p)
    {
        var stride = (nint)frame.Stride;
        switch (p.Quarters)
        {
            case 1: // a column of the picture, from the bottom, is a row of the screen
                Transpose((byte*)frame.Pixels + ((p.ScaledHeight - 1 - (x - p.X)) * stride) + ((nint)(y - p.Y) * 4), -stride, tile, width, height);
                break;
            case 2:
                for (var row = 0; row < height; row++)
                {
                    var from = (uint*)(frame.Pixels + ((p.ScaledHeight - 1 - (y + row - p.Y)) * stride)) + (p.ScaledWidth - (x - p.X) - width);
                    new ReadOnlySpan<uint>(from, width).CopyTo(new Span<uint>(tile + (row * Tile), width));
                    new Span<uint>(tile + (row * Tile), width).Reverse();
                }

                break;
            default: // a column of the picture, from the top; the rightmost comes first
                Transpose((byte*)frame.Pixels + ((x - p.X) * stride) + ((nint)(p.ScaledWidth - (y - p.Y) - height) * 4), stride, tile, width, height);
                for (var (top, bottom) = (0, height - 1); top < bottom; top++, bottom--)
                {
                    Swap(new Span<uint>(tile + (top * Tile), width), new Span<uint>(tile + (bottom * Tile), width));
                }

                break;
        }
    }

    private static void Swap(Span<uint> a, Span<uint> b)
    {
        Span<uint> kept = stackalloc uint[Tile];
        a.CopyTo(kept);
        b.CopyTo(a);
        kept[..a.Length].CopyTo(b);
    }

    /// <summary>tile[j][i] = from[i][j]: two by two in 64-bit words, which is as fast as the reads and needs no instruction by name.</summary>
    private static void Transpose(byte* from, nint stride, uint* tile, int width, int height)
    {
        var i = 0;
        for (; i + 1 < width; i += 2)
        {
            var upper = from + (i * stride);
            var lower = upper + stride;
            var to = tile + i;
            var j = 0;
            for (; j + 1 < height; j += 2, to += 2 * Tile)
            {
                var (a, b) = (Unsafe.ReadUnaligned<ulong>(upper + (j * 4)), Unsafe.ReadUnaligned<ulong>(lower + (j * 4)));
                Unsafe.WriteUnaligned(to, (uint)a | (b << 32));
                Unsafe.WriteUnaligned(to + Tile, (a >> 32) | (b & 0xffff_ffff_0000_0000));
            }

            if (j < height) (to[0], to[1]) = (*(uint*)(upper + (j * 4)), *(uint*)(lower + (j * 4)));
        }

        if (i == width) return;
        for (var j = 0; j < height; j++) tile[(j * Tile) + i] = *(uint*)(from + (i * stride) + (j * 4));
    }

    /// <summary>Each pixel of the screen is the mean of those of the picture that it covers.</summary>
    private static void Scale(in Frame frame, uint* tile, int x, int y, int width, int height, in Placement p)
    {
        // Where each column and each row of the tile begins and ends in the picture: divided once, not for each pixel.
        Span<(int From, int To)> across = stackalloc (int, int)[Tile];
        Span<(int From, int To)> down = stackalloc (int, int)[Tile];
        var (alongX, alongY) = p.IsUpright ? (p.ScaledWidth, p.ScaledHeight) : (p.ScaledHeight, p.ScaledWidth);
        var (fromX, fromY) = p.IsUpright ? (p.SourceWidth, p.SourceHeight) : (p.SourceHeight, p.SourceWidth);
        for (var i = 0; i < width; i++) across[i] = Covered(x + i - p.X, alongX, fromX, p.Quarters is 1 or 2);
        for (var i = 0; i < height; i++) down[i] = Covered(y + i - p.Y, alongY, fromY, p.Quarters is 2 or 3);
        for (var row = 0; row < height; row++)
        {
            for (var column = 0; column < width; column++)
            {
                var (u, v) = p.IsUpright ? (across[column], down[row]) : (down[row], across[column]);
                tile[(row * Tile) + column] = Mean(in frame, u.From, v.From, u.To, v.To);
            }
        }
    }

    private static (int From, int To) Covered(int at, int scaled, int source, bool backwards)
    {
        if (backwards) at = scaled - 1 - at;
        var from = (int)((long)at * source / scaled);
        return (from, Math.Max(from + 1, (int)((long)(at + 1) * source / scaled)));
    }

    // A screen that is a little smaller than the panel takes a pixel or two each way: those come without loop and division, three channels in two words.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Mean(in Frame frame, int left, int top, int right, int bottom)
    {
        var row = (uint*)(frame.Pixels + ((nint)top * frame.Stride)) + left;
        var below = (uint*)((byte*)row + frame.Stride);
        return ((right - left) << 2 | (bottom - top)) switch
        {
            (1 << 2) | 1 => row[0],
            (2 << 2) | 1 => Mean(row[0], row[1]),
            (1 << 2) | 2 => Mean(row[0], below[0]),
            (2 << 2) | 2 => Mean(row[0], row[1], below[0], below[1]),
            _ => MeanOf(in frame, left, top, right, bottom),
        };
    }

    private static uint Mean(uint a, uint b) => (a | b) - (((a ^ b) >> 1) & 0x007f_7f7f);

    private static uint Mean(uint a, uint b, uint c, uint d)
    {
        const uint Outer = 0x00ff_00ff, Middle = 0x0000_ff00;
        var outer = (a & Outer) + (b & Outer) + (c & Outer) + (d & Outer) + 0x0002_0002;
        var middle = (a & Middle) + (b & Middle) + (c & Middle) + (d & Middle) + 0x0000_0200;
        return ((outer >> 2) & Outer) | ((middle >> 2) & Middle);
    }

    private static uint MeanOf(in Frame frame, int left, int top, int right, int bottom)
    {
        var count = (uint)((right - left) * (bottom - top));
        uint red = count / 2, green = count / 2, blue = count / 2;
        for (var y = top; y < bottom; y++)
        {
            var row = (uint*)(frame.Pixels + ((nint)y * frame.Stride));
            for (var x = left; x < right; x++)
            {
                red += (row[x] >> 16) & 255;
                green += (row[x] >> 8) & 255;
                blue += row[x] & 255;
            }
        }

        return ((red / count) << 16) | ((green / count) << 8) | (blue / count);
    }

    private void Emit(uint* from, int x, int y, int count)
    {
        var row = (byte*)Memory + ((nint)y * Stride);
        switch (Format)
        {
            case PixelFormat.Xrgb8888:
                new ReadOnlySpan<uint>(from, count).CopyTo(new Span<uint>((uint*)row + x, count));
                break;
            case PixelFormat.Xbgr8888:
                Swapped(from, (uint*)row + x, count);
                break;
            default:
                Narrowed(from, (ushort*)row + x, count);
                break;
        }
    }

    private static void Swapped(uint* from, uint* to, int count)
    {
        var i = 0;
        var (middle, low) = (Vector128.Create(0x0000_ff00u), Vector128.Create(0x0000_00ffu));
        for (; i + 4 <= count; i += 4)
        {
            var p = Vector128.Load(from + i);
            ((p & middle) | ((p >>> 16) & low) | ((p & low) << 16)).Store(to + i);
        }

        for (; i < count; i++) to[i] = (from[i] & 0xff00) | ((from[i] >> 16) & 0xff) | ((from[i] & 0xff) << 16);
    }

    private static void Narrowed(uint* from, ushort* to, int count)
    {
        var i = 0;
        for (; i + 8 <= count; i += 8) Vector128.Narrow(Narrow(Vector128.Load(from + i)), Narrow(Vector128.Load(from + i + 4))).Store(to + i);
        for (; i < count; i++) to[i] = (ushort)(((from[i] >> 8) & 0xf800) | ((from[i] >> 5) & 0x07e0) | ((from[i] >> 3) & 0x001f));
    }

    private static Vector128<uint> Narrow(Vector128<uint> p) =>
        ((p >>> 8) & Vector128.Create(0xf800u)) | ((p >>> 5) & Vector128.Create(0x07e0u)) | ((p >>> 3) & Vector128.Create(0x001fu));
}
