// Pictures that are held: a page's PNG against the one in the repository, with a small tolerance for the edges of type.
using System.Reflection;
using System.Runtime.InteropServices;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Tests.Kit;

/// <summary>SSP_UPDATE=1 writes the pictures anew. What differs is left beside the test's results as NAME.is.png.</summary>
internal static unsafe partial class Golden
{
    private const int Channel = 48; // of 255: the edge of a glyph that another version of a font library places half a pixel off
    private const double Share = 0.004; // of the picture's pixels that may differ by more

    /// <summary>The root of the repository.</summary>
    public static string Root { get; } =
        typeof(Golden).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == "SspRoot").Value!;

    /// <summary>Holds a page's picture; <paramref name="folder"/> is one of the repository.</summary>
    public static void Holds(FrontPanel panel, string name, string folder = "tests/SspHost.Panel.Tests/Golden")
    {
        panel.DrawAll();
        _ = panel.Draw();
        var file = Path.Combine(Root, folder, name + ".png");
        if (Environment.GetEnvironmentVariable("SSP_UPDATE") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            panel.Canvas.WritePng(file);
            return;
        }

        Assert.True(File.Exists(file), $"{file} is missing: SSP_UPDATE=1 writes it");
        var different = Different(panel.Frame, file);
        if (different <= Share * PanelSize.Width * PanelSize.Height) return;
        var seen = Path.Combine(AppContext.BaseDirectory, name + ".is.png");
        panel.Canvas.WritePng(seen);
        Assert.Fail($"{different} pixels differ from {file}; what was drawn is {seen}");
    }

    /// <summary>Pixels of a frame that differ from a file's by more than the tolerance.</summary>
    public static int Different(in Frame frame, string file)
    {
        var picture = FromPng(file);
        try
        {
            Flush(picture);
            Assert.Equal((frame.Width, frame.Height), (Width(picture), Height(picture)));
            var rows = Data(picture);
            var stride = Stride(picture);
            var different = 0;
            for (var y = 0; y < frame.Height; y++)
            {
                var mine = frame.Row(y);
                var theirs = new ReadOnlySpan<uint>(rows + ((long)y * stride), frame.Width);
                for (var x = 0; x < frame.Width; x++)
                {
                    if (Far(mine[x], theirs[x])) different++;
                }
            }

            return different;
        }
        finally
        {
            Destroy(picture);
        }
    }

    private static bool Far(uint a, uint b) =>
        Math.Abs((int)((a >> 16) & 255) - (int)((b >> 16) & 255)) > Channel || Math.Abs((int)((a >> 8) & 255) - (int)((b >> 8) & 255)) > Channel
        || Math.Abs((int)(a & 255) - (int)(b & 255)) > Channel;

    [LibraryImport("libcairo.so.2", EntryPoint = "cairo_image_surface_create_from_png", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint FromPng(string path);

    [LibraryImport("libcairo.so.2", EntryPoint = "cairo_surface_flush")]
    private static partial void Flush(nint surface);

    [LibraryImport("libcairo.so.2", EntryPoint = "cairo_image_surface_get_data")]
    private static partial byte* Data(nint surface);

    [LibraryImport("libcairo.so.2", EntryPoint = "cairo_image_surface_get_width")]
    private static partial int Width(nint surface);

    [LibraryImport("libcairo.so.2", EntryPoint = "cairo_image_surface_get_height")]
    private static partial int Height(nint surface);

    [LibraryImport("libcairo.so.2", EntryPoint = "cairo_image_surface_get_stride")]
    private static partial int Stride(nint surface);

    [LibraryImport("libcairo.so.2", EntryPoint = "cairo_surface_destroy")]
    private static partial void Destroy(nint surface);
}
