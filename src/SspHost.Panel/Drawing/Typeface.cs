// The type the panel is set in: a few sizes of one family, made once.
using System.Runtime.InteropServices;

namespace SspHost.Panel.Drawing;

/// <summary>Sizes of type. Nothing is smaller than 16 pixels: the panel is read at arm's length.</summary>
public enum Font : byte
{
    /// <summary>16 px, condensed: units, port names, hints.</summary>
    Small = 0,

    /// <summary>18 px: lists and labels.</summary>
    Body = 1,

    /// <summary>18 px, bold: names of modules, soft keys.</summary>
    Strong = 2,

    /// <summary>24 px, bold: values and titles.</summary>
    Large = 3,

    /// <summary>44 px, bold: what a player looks for from afar (a note, a figure being turned).</summary>
    Huge = 4,
}

/// <summary>Scaled fonts of cairo, one for each <see cref="Font"/>. Belongs to one thread.</summary>
internal sealed unsafe class Typeface : IDisposable
{
    /// <summary>The family; where it is not installed fontconfig gives its next best, and the setup of the project installs it.</summary>
    public const string Family = "Roboto", Condensed = "Roboto Condensed";

    private static readonly (string Family, int Weight, double Size)[] Sizes =
    [
        (Condensed, Cairo.WeightNormal, 16),
        (Family, Cairo.WeightNormal, 18),
        (Family, Cairo.WeightBold, 18),
        (Family, Cairo.WeightBold, 24),
        (Family, Cairo.WeightBold, 44),
    ];

    /// <summary>Sizes in pixels.</summary>
    public static IEnumerable<double> Pixels => Sizes.Select(s => s.Size);

    private readonly nint[] _fonts = new nint[Sizes.Length];
    private readonly Cairo.FontExtents[] _extents = new Cairo.FontExtents[Sizes.Length];

    public Typeface()
    {
        // Without hinting a glyph looks the same wherever it stands, and on every machine.
        var options = Cairo.CreateOptions();
        Cairo.SetAntialias(options, Cairo.AntialiasGray);
        Cairo.SetHintStyle(options, Cairo.HintStyleNone);
        Cairo.SetHintMetrics(options, Cairo.HintMetricsOff);
        var identity = Cairo.Matrix.Scale(1);
        for (var i = 0; i < _fonts.Length; i++)
        {
            var face = Cairo.CreateFace(Sizes[i].Family, Cairo.SlantNormal, Sizes[i].Weight);
            var size = Cairo.Matrix.Scale(Sizes[i].Size);
            _fonts[i] = Cairo.CreateFont(face, &size, &identity, options);
            Cairo.DestroyFace(face);
            if (Cairo.FontStatus(_fonts[i]) != Cairo.StatusSuccess) throw new ExternalException($"cairo has no font for {Sizes[i].Family}: install fonts-roboto-unhinted");
            fixed (Cairo.FontExtents* extents = &_extents[i]) Cairo.GetExtents(_fonts[i], extents);
        }

        Cairo.DestroyOptions(options);
    }

    public nint Handle(Font font) => _fonts[(int)font];

    /// <summary>Pixels from the top of a line to its base line.</summary>
    public double Ascent(Font font) => _extents[(int)font].Ascent;

    /// <summary>Pixels of a line from top to bottom.</summary>
    public double Height(Font font) => _extents[(int)font].Ascent + _extents[(int)font].Descent;

    public void Dispose()
    {
        foreach (var font in _fonts) Cairo.DestroyFont(font);
    }
}
