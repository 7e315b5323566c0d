// The calls of libcairo that the panel makes.
using System.Runtime.InteropServices;

namespace SspHost.Panel.Drawing;

internal static unsafe partial class Cairo
{
    public const int FormatRgb24 = 1; // 32 bits a pixel, the upper eight unused
    public const int LineCapRound = 1, LineJoinRound = 1;
    public const int SlantNormal = 0, WeightNormal = 0, WeightBold = 1;
    public const int AntialiasGray = 2, HintStyleNone = 1, HintMetricsOff = 1;
    public const int StatusSuccess = 0;

    private const string Library = "libcairo.so.2";

    [StructLayout(LayoutKind.Sequential)]
    public struct Glyph
    {
        public nuint Index;
        public double X, Y;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct TextExtents
    {
        public double XBearing, YBearing, Width, Height, XAdvance, YAdvance;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct FontExtents
    {
        public double Ascent, Descent, Height, MaxXAdvance, MaxYAdvance;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Matrix
    {
        public double Xx, Yx, Xy, Yy, X0, Y0;

        public static Matrix Scale(double by) => new() { Xx = by, Yy = by };
    }

    [LibraryImport(Library, EntryPoint = "cairo_image_surface_create_for_data")]
    public static partial nint CreateSurface(void* data, int format, int width, int height, int stride);

    [LibraryImport(Library, EntryPoint = "cairo_surface_status")]
    public static partial int SurfaceStatus(nint surface);

    [LibraryImport(Library, EntryPoint = "cairo_surface_destroy")]
    public static partial void DestroySurface(nint surface);

    [LibraryImport(Library, EntryPoint = "cairo_surface_flush")]
    public static partial void Flush(nint surface);

    [LibraryImport(Library, EntryPoint = "cairo_surface_write_to_png", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int WritePng(nint surface, string path);

    [LibraryImport(Library, EntryPoint = "cairo_create")]
    public static partial nint Create(nint surface);

    [LibraryImport(Library, EntryPoint = "cairo_destroy")]
    public static partial void Destroy(nint context);

    [LibraryImport(Library, EntryPoint = "cairo_status")]
    public static partial int Status(nint context);

    [LibraryImport(Library, EntryPoint = "cairo_save")]
    public static partial void Save(nint context);

    [LibraryImport(Library, EntryPoint = "cairo_restore")]
    public static partial void Restore(nint context);

    [LibraryImport(Library, EntryPoint = "cairo_clip")]
    public static partial void Clip(nint context);

    [LibraryImport(Library, EntryPoint = "cairo_new_path")]
    public static partial void NewPath(nint context);

    [LibraryImport(Library, EntryPoint = "cairo_new_sub_path")]
    public static partial void NewSubPath(nint context);

    [LibraryImport(Library, EntryPoint = "cairo_close_path")]
    public static partial void ClosePath(nint context);

    [LibraryImport(Library, EntryPoint = "cairo_move_to")]
    public static partial void MoveTo(nint context, double x, double y);

    [LibraryImport(Library, EntryPoint = "cairo_line_to")]
    public static partial void LineTo(nint context, double x, double y);

    [LibraryImport(Library, EntryPoint = "cairo_curve_to")]
    public static partial void CurveTo(nint context, double x1, double y1, double x2, double y2, double x3, double y3);

    [LibraryImport(Library, EntryPoint = "cairo_arc")]
    public static partial void Arc(nint context, double x, double y, double radius, double from, double to);

    [LibraryImport(Library, EntryPoint = "cairo_arc_negative")]
    public static partial void ArcNegative(nint context, double x, double y, double radius, double from, double to);

    [LibraryImport(Library, EntryPoint = "cairo_rectangle")]
    public static partial void Rectangle(nint context, double x, double y, double width, double height);

    [LibraryImport(Library, EntryPoint = "cairo_fill")]
    public static partial void Fill(nint context);

    [LibraryImport(Library, EntryPoint = "cairo_stroke")]
    public static partial void Stroke(nint context);

    [LibraryImport(Library, EntryPoint = "cairo_set_source_rgba")]
    public static partial void SetSource(nint context, double red, double green, double blue, double alpha);

    [LibraryImport(Library, EntryPoint = "cairo_set_line_width")]
    public static partial void SetLineWidth(nint context, double width);

    [LibraryImport(Library, EntryPoint = "cairo_set_line_cap")]
    public static partial void SetLineCap(nint context, int cap);

    [LibraryImport(Library, EntryPoint = "cairo_set_line_join")]
    public static partial void SetLineJoin(nint context, int join);

    [LibraryImport(Library, EntryPoint = "cairo_set_dash")]
    public static partial void SetDash(nint context, double* dashes, int count, double offset);

    [LibraryImport(Library, EntryPoint = "cairo_toy_font_face_create", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint CreateFace(string family, int slant, int weight);

    [LibraryImport(Library, EntryPoint = "cairo_font_face_destroy")]
    public static partial void DestroyFace(nint face);

    [LibraryImport(Library, EntryPoint = "cairo_font_options_create")]
    public static partial nint CreateOptions();

    [LibraryImport(Library, EntryPoint = "cairo_font_options_destroy")]
    public static partial void DestroyOptions(nint options);

    [LibraryImport(Library, EntryPoint = "cairo_font_options_set_antialias")]
    public static partial void SetAntialias(nint options, int antialias);

    [LibraryImport(Library, EntryPoint = "cairo_font_options_set_hint_style")]
    public static partial void SetHintStyle(nint options, int style);

    [LibraryImport(Library, EntryPoint = "cairo_font_options_set_hint_metrics")]
    public static partial void SetHintMetrics(nint options, int metrics);

    [LibraryImport(Library, EntryPoint = "cairo_scaled_font_create")]
    public static partial nint CreateFont(nint face, Matrix* size, Matrix* transform, nint options);

    [LibraryImport(Library, EntryPoint = "cairo_scaled_font_destroy")]
    public static partial void DestroyFont(nint font);

    [LibraryImport(Library, EntryPoint = "cairo_scaled_font_status")]
    public static partial int FontStatus(nint font);

    [LibraryImport(Library, EntryPoint = "cairo_scaled_font_extents")]
    public static partial void GetExtents(nint font, FontExtents* extents);

    [LibraryImport(Library, EntryPoint = "cairo_scaled_font_text_to_glyphs")]
    public static partial int TextToGlyphs(nint font, double x, double y, byte* utf8, int bytes, Glyph** glyphs, int* count, void* clusters, void* clusterCount, void* flags);

    [LibraryImport(Library, EntryPoint = "cairo_scaled_font_glyph_extents")]
    public static partial void GlyphExtents(nint font, Glyph* glyphs, int count, TextExtents* extents);

    [LibraryImport(Library, EntryPoint = "cairo_glyph_free")]
    public static partial void FreeGlyphs(Glyph* glyphs);

    [LibraryImport(Library, EntryPoint = "cairo_set_scaled_font")]
    public static partial void SetFont(nint context, nint font);

    [LibraryImport(Library, EntryPoint = "cairo_show_glyphs")]
    public static partial void ShowGlyphs(nint context, Glyph* glyphs, int count);
}
