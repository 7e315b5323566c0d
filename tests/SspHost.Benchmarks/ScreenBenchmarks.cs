// A whole picture of the panel into the memory of a screen; an operation is 1600x480 pixels.
using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using SspHost.Board;
using SspHost.Panel.Surface;

namespace SspHost.Benchmarks;

/// <summary>Turned, converted, scaled; and turned by the plainest loop, to compare with. The screen is ordinary memory here.</summary>
[Allocates(0)]
public unsafe class ScreenBenchmarks
{
    private nint _pixels, _screen;

    [GlobalSetup]
    public void Setup()
    {
        _pixels = (nint)NativeMemory.AllocZeroed(PanelSize.Width * PanelSize.Height * 4);
        _screen = (nint)NativeMemory.AllocZeroed(1920 * 1080 * 4);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        NativeMemory.Free((void*)_pixels);
        NativeMemory.Free((void*)_screen);
    }

    [Benchmark]
    public void Straight() => Copy(1600, 480, 0, PixelFormat.Xrgb8888);

    [Benchmark]
    public void By90() => Copy(480, 1600, 1, PixelFormat.Xrgb8888);

    [Benchmark]
    public void By180() => Copy(1600, 480, 2, PixelFormat.Xrgb8888);

    [Benchmark]
    public void By270() => Copy(480, 1600, 3, PixelFormat.Xrgb8888);

    [Benchmark]
    public void To565() => Copy(1600, 480, 0, PixelFormat.Rgb565);

    [Benchmark]
    public void By90To565() => Copy(480, 1600, 1, PixelFormat.Rgb565);

    [Benchmark]
    public void Scaled1280() => Copy(1280, 720, 0, PixelFormat.Xrgb8888);

    [Benchmark]
    public void By90Naive()
    {
        for (var y = 0; y < 480; y++)
        {
            for (var x = 0; x < 1600; x++) ((uint*)_screen)[(x * 480) + 479 - y] = ((uint*)_pixels)[(y * 1600) + x];
        }
    }

    private void Copy(int width, int height, int quarters, PixelFormat format)
    {
        var placement = Placement.Fit(PanelSize.Width, PanelSize.Height, width, height, quarters);
        var copy = new PixelCopy(_screen, width * (format == PixelFormat.Rgb565 ? 2 : 4), width, height, format);
        copy.Copy(new Frame(_pixels, PanelSize.Width, PanelSize.Height, PanelSize.Width * 4, 1), new Rect(0, 0, PanelSize.Width, PanelSize.Height), in placement);
    }
}
