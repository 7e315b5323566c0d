// The one size the panel is drawn in; screens of another size turn or letter-box it.
namespace SspHost.Panel.Surface;

/// <summary>Pixels of the panel.</summary>
public static class PanelSize
{
    public const int Width = 1600;

    public const int Height = 480;
}
