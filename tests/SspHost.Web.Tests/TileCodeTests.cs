// The tile code: every tile comes back bit for bit, and what is no tile is no danger.
using SspHost.Remote.Web;

namespace SspHost.Web.Tests;

public class TileCodeTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(17)]
    [InlineData(128)]
    [InlineData(129)]
    [InlineData(1024)]
    public void A_tile_of_so_many_colours_comes_back_bit_for_bit(int colours)
    {
        var random = new Random(colours);
        for (var round = 0; round < 200; round++)
        {
            var tile = Tile(random, colours, runs: round % 4);
            var bytes = new byte[TileCode.MostBytes];
            var length = TileCode.Encode(tile, bytes);
            var back = new uint[TileCode.Pixels];
            Assert.Equal(length, TileCode.Decode(bytes.AsSpan(0, length), back));
            Assert.Equal(tile, back);
        }
    }

    [Fact]
    public void What_is_above_24_bits_is_left_out()
    {
        var tile = new uint[TileCode.Pixels];
        Array.Fill(tile, 0xFF123456u);
        var bytes = new byte[TileCode.MostBytes];
        Assert.True(TileCode.Decode(bytes.AsSpan(0, TileCode.Encode(tile, bytes)), tile) > 0);
        Assert.All(tile, p => Assert.Equal(0x123456u, p));
    }

    [Fact]
    public void A_tile_of_one_colour_is_small_and_none_is_larger_than_its_pixels()
    {
        var bytes = new byte[TileCode.MostBytes];
        Assert.InRange(TileCode.Encode(new uint[TileCode.Pixels], bytes), 5, 25);
        var noise = Tile(new Random(1), 1024, runs: 0);
        Assert.Equal(TileCode.MostBytes, TileCode.Encode(noise, bytes));
        Assert.InRange(TileCode.MostBytes, 3 * TileCode.Pixels, 3.01 * TileCode.Pixels);
    }

    [Fact]
    public void Bytes_that_are_no_tile_are_refused_and_never_read_beyond()
    {
        var random = new Random(7);
        var tile = new uint[TileCode.Pixels];
        var refused = 0;
        for (var round = 0; round < 20_000; round++)
        {
            byte[] bytes;
            if (round % 2 == 0)
            {
                bytes = new byte[random.Next(300)];
                random.NextBytes(bytes);
                if (bytes.Length > 0) bytes[0] %= 140;
            }
            else
            {
                var whole = new byte[TileCode.MostBytes];
                bytes = whole[..TileCode.Encode(Tile(random, round % 3 == 0 ? 400 : 9, runs: 2), whole)];
                bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
                bytes = bytes[..random.Next(bytes.Length + 1)];
            }

            var read = TileCode.Decode(bytes, tile);
            Assert.InRange(read, -1, bytes.Length);
            if (read < 0) refused++;
        }

        Assert.InRange(refused, 1000, 20_000);
    }

    private static uint[] Tile(Random random, int colours, int runs)
    {
        var palette = Enumerable.Range(0, colours).Select(i => ((uint)i * 0x9E3779B1u) & 0xFFFFFF).ToArray();
        var tile = new uint[TileCode.Pixels];
        for (var i = 0; i < tile.Length; i++)
        {
            var what = runs == 0 ? 3 : random.Next(1 + (runs * 4));
            tile[i] = what switch
            {
                0 or 3 => palette[runs == 0 && colours == 1024 ? i : random.Next(colours)],
                _ when i >= TileCode.Width && what % 2 == 0 => tile[i - TileCode.Width],
                _ => i > 0 ? tile[i - 1] : palette[0],
            };
        }

        return tile;
    }
}
