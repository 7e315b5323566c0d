// Every pixel of every rectangle, turn, size, stride and format, against the plainest loop there is.
using System.Runtime.InteropServices;
using SspHost.Panel.Surface;

namespace SspHost.Board.Tests;

public unsafe class PixelCopyTests
{
    private const byte Guard = 0xA5;

    public static TheoryData<int, int> TurnsAndFormats()
    {
        var data = new TheoryData<int, int>();
        for (var q = 0; q < 4; q++)
        {
            foreach (var f in Enum.GetValues<PixelFormat>()) data.Add(q, (int)f);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(TurnsAndFormats))]
    public void Rectangles_are_copied_bit_for_bit(int quarters, int format)
    {
        for (var seed = 0; seed < 36; seed++)
        {
            var random = new Random(seed);
            var (width, height) = (random.Next(1, 150), random.Next(1, 100));
            // Larger, smaller, with a frame around it, and exactly as large.
            var (screenWidth, screenHeight) = (seed % 3) switch
            {
                0 => (quarters & 1) == 0 ? (width, height) : (height, width),
                1 => (random.Next(150, 400), random.Next(150, 400)),
                _ => (random.Next(1, 150), random.Next(1, 150)),
            };
            var placement = Placement.Fit(width, height, screenWidth, screenHeight, quarters);
            using var picture = new Memory(width, height, 4, random.Next(5) * 4, random);
            using var screen = new Memory(screenWidth, screenHeight, format == (int)PixelFormat.Rgb565 ? 2 : 4, random.Next(9) * 2, null);
            var frame = new Frame(picture.At, width, height, picture.Stride, 1);
            var copy = new PixelCopy(screen.At, screen.Stride, screenWidth, screenHeight, (PixelFormat)format);
            var rect = seed % 4 == 0 ? new Rect(0, 0, width, height)
                : new Rect(random.Next(-5, width), random.Next(-5, height), random.Next(1, width + 10), random.Next(1, height + 10));
            copy.Copy(in frame, rect, in placement);
            Check(in frame, rect, in placement, screen, (PixelFormat)format, $"seed {seed}: {placement} {rect}");
        }
    }

    [Theory]
    [InlineData(1600, 480, 0, 0, 0, 1600, 480)] // the panel's own
    [InlineData(480, 1600, 1, 0, 0, 480, 1600)] // upright
    [InlineData(1920, 1080, 0, 160, 300, 1600, 480)] // centred, sharp
    [InlineData(3840, 2160, 2, 320, 600, 3200, 960)] // by a whole factor
    [InlineData(800, 480, 0, 0, 120, 800, 240)] // letter-boxed
    [InlineData(1280, 720, 0, 0, 168, 1280, 384)]
    [InlineData(600, 1024, 3, 146, 0, 307, 1024)]
    public void The_picture_fits_and_is_centred(int width, int height, int quarters, int x, int y, int w, int h) =>
        Assert.Equal(new Rect(x, y, w, h), Placement.Fit(1600, 480, width, height, quarters).Picture);

    [Fact]
    public void Clearing_keeps_to_the_rows()
    {
        using var screen = new Memory(33, 7, 2, 10, null);
        new PixelCopy(screen.At, screen.Stride, 33, 7, PixelFormat.Rgb565).Clear();
        for (var y = 0; y < 7; y++)
        {
            for (var b = 0; b < screen.Stride; b++) Assert.Equal(b < 66 ? 0 : Guard, *((byte*)screen.At + (y * screen.Stride) + b));
        }
    }

    private static void Check(in Frame frame, Rect rect, in Placement p, Memory screen, PixelFormat format, string what)
    {
        var inside = rect.And(new Rect(0, 0, frame.Width, frame.Height));
        for (var y = 0; y < screen.Height; y++)
        {
            for (var x = 0; x < screen.Width; x++)
            {
                var at = (byte*)screen.At + (y * screen.Stride) + (x * screen.Bytes);
                var got = screen.Bytes == 2 ? *(ushort*)at : *(uint*)at;
                var (expected, touched) = Naive(in frame, inside, in p, x, y, format);
                if (touched) Assert.True(expected == got, $"{what}: ({x}, {y}) is {got:x}, not {expected:x}");
                else if (got != (screen.Bytes == 2 ? 0xA5A5 : 0xA5A5A5A5))
                {
                    // Only a scaled picture may be copied a pixel further, and rightly then too.
                    Assert.True(p.IsScaled && p.Picture.Contains(x, y) && !inside.IsEmpty, $"{what}: ({x}, {y}) was written");
                    Assert.True(Naive(in frame, new Rect(0, 0, frame.Width, frame.Height), in p, x, y, format).Pixel == got, $"{what}: ({x}, {y}) is wrong");
                }
            }

            for (var b = screen.Width * screen.Bytes; b < screen.Stride; b++) Assert.Equal(Guard, *((byte*)screen.At + (y * screen.Stride) + b));
        }
    }

    // What a pixel of the screen has to be, and whether it shows some of the rectangle.
    private static (uint Pixel, bool Touched) Naive(in Frame frame, Rect rect, in Placement p, int x, int y, PixelFormat format)
    {
        if (!p.Picture.Contains(x, y)) return (0, false);
        var (u, v) = (x - p.X, y - p.Y);
        for (var turn = 0; turn < p.Quarters; turn++)
        {
            // A quarter back: (u, v) of a picture turned clockwise was (v, height - 1 - u) before.
            var height = p.IsUpright == ((turn & 1) == 0) ? p.ScaledWidth : p.ScaledHeight;
            (u, v) = (v, height - 1 - u);
        }

        double sx = (double)frame.Width / p.ScaledWidth, sy = (double)frame.Height / p.ScaledHeight;
        var (left, top) = ((int)Math.Floor((u * sx) + 1e-9), (int)Math.Floor((v * sy) + 1e-9));
        var right = Math.Max(left + 1, (int)Math.Floor(((u + 1) * sx) + 1e-9));
        var bottom = Math.Max(top + 1, (int)Math.Floor(((v + 1) * sy) + 1e-9));
        Span<uint> sums = stackalloc uint[3];
        for (var j = top; j < bottom; j++)
        {
            foreach (var pixel in frame.Row(j)[left..right])
            {
                for (var c = 0; c < 3; c++) sums[c] += (pixel >> (16 - (8 * c))) & 255;
            }
        }

        var count = (uint)((right - left) * (bottom - top));
        var (r, g, b) = ((sums[0] + (count / 2)) / count, (sums[1] + (count / 2)) / count, (sums[2] + (count / 2)) / count);
        var packed = format switch
        {
            PixelFormat.Xrgb8888 => (r << 16) | (g << 8) | b,
            PixelFormat.Xbgr8888 => (b << 16) | (g << 8) | r,
            _ => ((r >> 3) << 11) | ((g >> 2) << 5) | (b >> 3),
        };
        return (packed, rect.Overlaps(Rect.FromEdges(left, top, right, bottom)));
    }

    private sealed class Memory : IDisposable
    {
        public Memory(int width, int height, int bytes, int padding, Random? random)
        {
            (Width, Height, Bytes, Stride) = (width, height, bytes, (width * bytes) + padding);
            At = (nint)NativeMemory.Alloc((nuint)(Stride * height));
            new Span<byte>((void*)At, Stride * height).Fill(Guard);
            if (random is null) return;
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++) *(uint*)((byte*)At + (y * Stride) + (x * 4)) = (uint)random.Next(0x1000000);
            }
        }

        public nint At { get; }

        public int Width { get; }

        public int Height { get; }

        public int Bytes { get; }

        public int Stride { get; }

        public void Dispose() => NativeMemory.Free((void*)At);
    }
}
