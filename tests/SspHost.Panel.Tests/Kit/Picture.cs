// A PNG file's pixels, by the library that draws the panel, and how far two pictures may be apart.
using System.Runtime.InteropServices;

namespace SspHost.Panel.Tests.Kit;

/// <summary>Rows of 0xRRGGBB from the top.</summary>
internal sealed unsafe partial class Picture
{
    /// <summary>Of a picture's pixels, how many may differ by more than the tolerance.</summary>
    public const double Share = 0.004;

    private const int Channel = 48; // of 255: the edge of a glyph that another version of a font library places half a pixel off

    private readonly uint[] _pixels;

    private Picture(string file, int width, int height, uint[] pixels) => (File, Width, Height, _pixels) = (file, width, height, pixels);

    public string File { get; }

    public int Width { get; }

    public int Height { get; }

    public static Picture Load(string file)
    {
        Assert.True(System.IO.File.Exists(file), file);
        var surface = FromPng(file);
        try
        {
            Flush(surface);
            var (width, height, stride) = (WidthOf(surface), HeightOf(surface), Stride(surface));
            var rows = Data(surface);
            Assert.True(width > 0 && height > 0, $"{file} is no picture");
            var pixels = new uint[width * height];
            for (var y = 0; y < height; y++)
                for (var x = 0; x < width; x++) pixels[(y * width) + x] = ((uint*)(rows + ((long)y * stride)))[x] & 0xFFFFFF;
            return new Picture(file, width, height, pixels);
        }
        finally
        {
            Destroy(surface);
        }
    }

    public ReadOnlySpan<uint> Row(int y) => _pixels.AsSpan(y * Width, Width);

    /// <summary>Pixels of two rows that differ by more than the tolerance.</summary>
    public static int Different(ReadOnlySpan<uint> a, ReadOnlySpan<uint> b)
    {
        var different = 0;
        for (var x = 0; x < a.Length; x++)
        {
            if (Far(a[x], b[x])) different++;
        }

        return different;
    }

    private static bool Far(uint a, uint b)
    {
        for (var shift = 0; shift <= 16; shift += 8)
        {
            if (Math.Abs((int)((a >> shift) & 255) - (int)((b >> shift) & 255)) > Channel) return true;
        }

        return false;
    }

    [LibraryImport("libcairo.so.2", EntryPoint = "cairo_image_surface_create_from_png", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint FromPng(string path);

    [LibraryImport("libcairo.so.2", EntryPoint = "cairo_surface_flush")]
    private static partial void Flush(nint surface);

    [LibraryImport("libcairo.so.2", EntryPoint = "cairo_image_surface_get_data")]
    private static partial byte* Data(nint surface);

    [LibraryImport("libcairo.so.2", EntryPoint = "cairo_image_surface_get_width")]
    private static partial int WidthOf(nint surface);

    [LibraryImport("libcairo.so.2", EntryPoint = "cairo_image_surface_get_height")]
    private static partial int HeightOf(nint surface);

    [LibraryImport("libcairo.so.2", EntryPoint = "cairo_image_surface_get_stride")]
    private static partial int Stride(nint surface);

    [LibraryImport("libcairo.so.2", EntryPoint = "cairo_surface_destroy")]
    private static partial void Destroy(nint surface);
}
