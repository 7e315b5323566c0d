// A tile of pixels as few bytes: a palette, runs, and copies of the row above; lossless, and quick at both ends.
namespace SspHost.Remote.Web;

/// <summary>
/// A tile begins with its number of colours. 1 to 128: so many RGB triples follow, then operations until the tile is full: 0..127 a pixel of that
/// colour, 128..191 the pixel before once more (1 to 64 times), 192..255 as many pixels as in the row above (1 to 64). 0: there are more colours, and
/// 0..127 says that so many RGB triples and one more follow, one a pixel; the other operations are the same.
/// </summary>
internal static class TileCode
{
    public const int Width = 64;
    public const int Height = 16;
    public const int Pixels = Width * Height;

    /// <summary>Bytes of a tile at most.</summary>
    public const int MostBytes = 1 + (3 * Pixels) + (Pixels / MostColours);

    private const int MostColours = 128; // of a palette, and pixels after one operation where there is none
    private const int Repeat = 128, Above = 192;
    private const int MostRun = 64;
    private const int Buckets = 512;
    private const uint Rgb = 0x00FFFFFF;

    /// <summary>Writes a tile of <see cref="Pixels"/> pixels (0x00RRGGBB, rows without gaps); how many bytes. What is above 24 bits is left out.</summary>
    public static int Encode(ReadOnlySpan<uint> tile, Span<byte> to)
    {
        if (tile.IndexOfAnyExcept(tile[0]) < 0) return EncodeFlat(tile[0], to); // half of a page is ground
        Span<byte> numbers = stackalloc byte[Pixels];
        var colours = Palette(tile, numbers, to);
        return colours == 0 ? EncodeDirect(tile, to) : EncodeRuns(numbers, to, 1 + (3 * colours));
    }

    /// <summary>
    /// Reads a tile; how many bytes it had, or -1 where they are no tile.
    /// </summary>
    public static int Decode(ReadOnlySpan<byte> from, Span<uint> tile)
    {
        if (from.IsEmpty || from[0] > MostColours) return -1;
        var colours = from[0];
        var at = 1;
        var palette = from[1..];
        at += 3 * colours;
        for (var i = 0; i < Pixels;)
        {
            if (at >= from.Length) return -1;
            int op = from[at++];
            if (op >= Repeat)
            {
                var back = op < Above ? 1 : Width;
                var count = 1 + (op & (MostRun - 1));
                if (i < back || count > Pixels - i) return -1;
                for (var end = i + count; i < end; i++) tile[i] = tile[i - back];
            }
            else if (colours == 0)
            {
                if (++op > Pixels - i || 3 * op > from.Length - at) return -1;
                for (var end = i + op; i < end; i++, at += 3) tile[i] = Colour(from[at..]);
            }
            else if (op < colours)
            {
                tile[i++] = Colour(palette[(3 * op)..]);
            }
            else
            {
                return -1;
            }
        }

        return at;
    }

    // The number of each pixel's colour, in the order in which colours are met; 0: there are too many.
    private static int Palette(ReadOnlySpan<uint> tile, Span<byte> numbers, Span<byte> to)
    {
        Span<uint> keys = stackalloc uint[Buckets];
        Span<byte> values = stackalloc byte[Buckets];
        keys.Fill(uint.MaxValue); // no colour
        var colours = 0;
        var last = uint.MaxValue;
        byte number = 0;
        for (var i = 0; i < Pixels; i++)
        {
            var colour = tile[i] & Rgb;
            if (colour != last)
            {
                last = colour;
                var bucket = (int)((colour * 2654435761u) >> 23);
                while (keys[bucket] != colour && keys[bucket] != uint.MaxValue) bucket = (bucket + 1) & (Buckets - 1);
                if (keys[bucket] == uint.MaxValue)
                {
                    if (colours == MostColours) return 0;
                    (keys[bucket], values[bucket]) = (colour, (byte)colours);
                    Put(colour, to[(1 + (3 * colours))..]);
                    colours++;
                }

                number = values[bucket];
            }

            numbers[i] = number;
        }

        to[0] = (byte)colours;
        return colours;
    }

    private static int EncodeRuns(ReadOnlySpan<byte> numbers, Span<byte> to, int at)
    {
        for (var i = 0; i < Pixels;)
        {
            var most = Math.Min(MostRun, Pixels - i);
            var above = i < Width ? 0 : numbers.Slice(i, most).CommonPrefixLength(numbers.Slice(i - Width, most));
            var same = i == 0 || numbers[i] != numbers[i - 1] ? 0 : numbers.Slice(i, most).IndexOfAnyExcept(numbers[i - 1]) is >= 0 and var n ? n : most;
            if (above == 0 && same == 0)
            {
                to[at++] = numbers[i++];
                continue;
            }

            to[at++] = (byte)(above >= same ? Above + above - 1 : Repeat + same - 1);
            i += Math.Max(above, same);
        }

        return at;
    }

    private static int EncodeFlat(uint colour, Span<byte> to)
    {
        (to[0], to[4]) = (1, 0);
        Put(colour, to[1..]);
        var at = 5;
        for (var left = Pixels - 1; left > 0; left -= MostRun) to[at++] = (byte)(Repeat + Math.Min(MostRun, left) - 1);
        return at;
    }

    private static int EncodeDirect(ReadOnlySpan<uint> tile, Span<byte> to)
    {
        Span<uint> pixels = stackalloc uint[Pixels];
        for (var n = 0; n < Pixels; n++) pixels[n] = tile[n] & Rgb;
        to[0] = 0;
        var (at, head) = (1, 0); // head: where the pixels that go on have their operation; 0: none do
        for (var i = 0; i < Pixels;)
        {
            var most = Math.Min(MostRun, Pixels - i);
            var above = i < Width ? 0 : pixels.Slice(i, most).CommonPrefixLength(pixels.Slice(i - Width, most));
            var same = i == 0 || pixels[i] != pixels[i - 1] ? 0 : pixels.Slice(i, most).IndexOfAnyExcept(pixels[i]) is >= 0 and var n ? n : most;
            if (above > 0 || same > 0)
            {
                to[at++] = (byte)(above >= same ? Above + above - 1 : Repeat + same - 1);
                i += Math.Max(above, same);
                head = 0;
                continue;
            }

            if (head == 0 || to[head] == MostColours - 1) to[head = at++] = 0;
            else to[head]++;
            Put(pixels[i++], to[at..]);
            at += 3;
        }

        return at;
    }

    private static void Put(uint colour, Span<byte> to) => (to[0], to[1], to[2]) = ((byte)(colour >> 16), (byte)(colour >> 8), (byte)colour);

    private static uint Colour(ReadOnlySpan<byte> from) => ((uint)from[0] << 16) | ((uint)from[1] << 8) | from[2];
}
