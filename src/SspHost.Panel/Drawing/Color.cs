// A colour, and the measure by which text is legible on another.
namespace SspHost.Panel.Drawing;

/// <summary>sRGB with alpha, 0xAARRGGBB.</summary>
public readonly record struct Color(uint Argb)
{
    public double Red => ((Argb >> 16) & 255) / 255.0;

    public double Green => ((Argb >> 8) & 255) / 255.0;

    public double Blue => (Argb & 255) / 255.0;

    public double Alpha => (Argb >> 24) / 255.0;

    /// <summary>An opaque colour from 0xRRGGBB.</summary>
    public static Color Of(uint rgb) => new(0xFF000000 | rgb);

    /// <summary>The same, <paramref name="alpha"/> of it: 0 is nothing, 1 all.</summary>
    public Color At(double alpha) => new((Argb & 0xFFFFFF) | ((uint)Math.Clamp(alpha * 255 + 0.5, 0, 255) << 24));

    /// <summary>A share of another colour mixed in, component by component; opaque.</summary>
    public Color Towards(Color other, double share)
    {
        var r = Red + ((other.Red - Red) * share);
        var g = Green + ((other.Green - Green) * share);
        var b = Blue + ((other.Blue - Blue) * share);
        return Of(((uint)((r * 255) + 0.5) << 16) | ((uint)((g * 255) + 0.5) << 8) | (uint)((b * 255) + 0.5));
    }

    /// <summary>Contrast between two opaque colours, 1..21, by WCAG 2.2's relative luminance.</summary>
    public static double Contrast(Color a, Color b)
    {
        var (high, low) = (Math.Max(a.Luminance, b.Luminance), Math.Min(a.Luminance, b.Luminance));
        return (high + 0.05) / (low + 0.05);
    }

    private double Luminance => (0.2126 * Linear(Red)) + (0.7152 * Linear(Green)) + (0.0722 * Linear(Blue));

    private static double Linear(double c) => c <= 0.04045 ? c / 12.92 : Math.Pow((c + 0.055) / 1.055, 2.4);
}
