// The panel on a frame buffer device: for systems without DRM. There is one buffer, and it is in view.
using System.Text;
using SspHost.Panel.Surface;

namespace SspHost.Board;

/// <summary>struct fb_bitfield.</summary>
internal struct FbBitfield
{
    public uint Offset, Length, MsbRight;
}

/// <summary>struct fb_var_screeninfo.</summary>
internal unsafe struct FbVarScreeninfo
{
    public uint Xres, Yres, XresVirtual, YresVirtual, Xoffset, Yoffset, BitsPerPixel, Grayscale;
    public FbBitfield Red, Green, Blue, Transp;
    public fixed uint Rest[20];
}

/// <summary>struct fb_fix_screeninfo; 64-bit systems.</summary>
internal unsafe struct FbFixScreeninfo
{
    public fixed byte Id[16];
    public ulong SmemStart;
    public uint SmemLen, Type, TypeAux, Visual;
    public ushort Xpanstep, Ypanstep, Ywrapstep;
    public uint LineLength;
    public ulong MmioStart;
    public uint MmioLen, Accel;
    public ushort Capabilities, Reserved0, Reserved1;
}

/// <summary>A mapped /dev/fb.</summary>
internal sealed unsafe class FrameBufferScreen : IScreen
{
    public const uint GetVariable = 0x4600, GetFixed = 0x4602;

    private const int PackedPixels = 0;

    private readonly SystemCalls _system;
    private readonly int _fd;
    private readonly nint _mapped;
    private readonly nuint _size;
    private readonly PixelCopy _copy;
    private readonly Placement _placement;
    private bool _shown;

    private FrameBufferScreen(SystemCalls system, int fd, nint mapped, nuint size, PixelCopy copy, Placement placement, string name)
    {
        (_system, _fd, _mapped, _size, _copy, _placement, Name) = (system, fd, mapped, size, copy, placement, name);
        _copy.Clear();
    }

    public string Name { get; }

    public bool Ready => true;

    public static FrameBufferScreen? Open(SystemCalls system, ScreenSettings settings, string path, out string why)
    {
        var fd = system.Open(path, SystemCalls.ReadWrite);
        if (fd < 0)
        {
            why = $"fbdev {path}: {SystemCalls.Text(fd)}";
            return null;
        }

        FbVarScreeninfo variable;
        FbFixScreeninfo fix;
        if (system.Ioctl(fd, GetVariable, &variable) < 0 || system.Ioctl(fd, GetFixed, &fix) < 0) why = $"fbdev {path}: no frame buffer";
        else if (Format(in variable) is not { } format || fix.Type != PackedPixels)
        {
            why = $"fbdev {path}: {variable.BitsPerPixel} bits a pixel, red from bit {variable.Red.Offset}: only 32 bits and 16 as 565 are known";
        }
        else
        {
            var bytes = format == PixelFormat.Rgb565 ? 2L : 4;
            var offset = (variable.Yoffset * (long)fix.LineLength) + (variable.Xoffset * bytes);
            var end = offset + (Math.Max(0, variable.Yres - 1L) * fix.LineLength) + (variable.Xres * bytes);
            var mapped = variable.Xres == 0 || variable.Yres == 0 || end > fix.SmemLen ? 0 : system.Map(fd, fix.SmemLen, 0);
            if (mapped != 0)
            {
                why = "";
                var (width, height) = ((int)variable.Xres, (int)variable.Yres);
                var quarters = settings.Rotation is { } d ? (((d / 90) % 4) + 4) % 4 : height > width ? 1 : 0;
                var name = $"fbdev {path} ({Encoding.ASCII.GetString(fix.Id, 16).TrimEnd('\0')}, {width}x{height}, {variable.BitsPerPixel} bits)";
                return new FrameBufferScreen(
                    system, fd, mapped, fix.SmemLen, new PixelCopy(mapped + (nint)offset, (int)fix.LineLength, width, height, format),
                    Placement.Fit(PanelSize.Width, PanelSize.Height, width, height, quarters), name);
            }

            why = $"fbdev {path}: its memory cannot be mapped";
        }

        system.Close(fd);
        return null;
    }

    public void Show(in Frame frame, ReadOnlySpan<Rect> changed)
    {
        if (_shown)
        {
            foreach (var rect in changed) _copy.Copy(in frame, rect, in _placement);
            return;
        }

        _shown = true;
        _copy.Copy(in frame, new Rect(0, 0, frame.Width, frame.Height), in _placement);
    }

    public void Dispose()
    {
        _system.Unmap(_mapped, _size);
        _system.Close(_fd);
    }

    private static PixelFormat? Format(in FbVarScreeninfo v) => (v.BitsPerPixel, v.Red.Offset, v.Green.Offset, v.Blue.Offset) switch
    {
        (32, 16, 8, 0) => PixelFormat.Xrgb8888,
        (32, 0, 8, 16) => PixelFormat.Xbgr8888,
        (16, 11, 5, 0) => PixelFormat.Rgb565,
        _ => null,
    };
}
