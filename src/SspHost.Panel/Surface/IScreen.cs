// Where the panel's pixels go: the other interface a body of the panel implements.
namespace SspHost.Panel.Surface;

/// <summary>The panel's picture as it is: lent for the length of a call.</summary>
/// <param name="Pixels">Top row first; a pixel is 0x00RRGGBB in the machine's order (XRGB8888).</param>
/// <param name="Stride">Bytes from one row to the next.</param>
/// <param name="Serial">Number of the frame, from 1.</param>
public readonly unsafe record struct Frame(nint Pixels, int Width, int Height, int Stride, ulong Serial)
{
    /// <summary>A row of pixels.</summary>
    public ReadOnlySpan<uint> Row(int y) => new((byte*)Pixels + ((long)y * Stride), Width);
}

/// <summary>A screen: a DRM device, a frame buffer, the viewers of the web panel, a picture in a test.</summary>
public interface IScreen : IDisposable
{
    /// <summary>One line for the System page and the log: "drm /dev/dri/card0 (DSI-1, 1600x480)".</summary>
    string Name { get; }

    /// <summary>Whether it can take a frame now; while no screen can, nothing is drawn. What is left out comes with the next frame.</summary>
    bool Ready { get; }

    /// <summary>Whether it shows nothing any more of what it was shown (another display, another terminal meanwhile): the next frame comes whole, and at once.</summary>
    bool Forgot => false;

    /// <summary>
    /// A frame, and what has changed since the one that was shown here before (all of it the first time): copies what it needs and returns, without
    /// waiting for a display or a network. Called by the panel's thread only.
    /// </summary>
    void Show(in Frame frame, ReadOnlySpan<Rect> changed);
}
