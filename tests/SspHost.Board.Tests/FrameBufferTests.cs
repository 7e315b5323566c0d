// Frame buffer devices: what they say of their memory, and what is written into it.
using System.Text;
using SspHost.Panel.Surface;

namespace SspHost.Board.Tests;

public sealed unsafe class FrameBufferTests : IDisposable
{
    private readonly Folder _folder = new();
    private readonly StandIn _system = new();
    private readonly Picture _picture = new();

    public void Dispose()
    {
        Assert.Empty(_system.Mapped);
        _picture.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(32, 16, 0, "32 bits")]
    [InlineData(32, 0, 16, "32 bits")]
    [InlineData(16, 11, 0, "16 bits")]
    public void The_picture_is_in_its_memory_where_the_display_looks(uint bits, uint red, uint blue, string says)
    {
        var node = new FbNode(1600, 480, bits, red, blue) { Panned = 3 };
        using var screen = Open(node, out _);
        Assert.Equal($"fbdev {_folder.At}/fb0 (test, 1600x480, {says})", screen!.Name);
        Assert.True(screen.Ready);
        screen.Show(_picture.Frame, [new Rect(0, 0, 10, 10)]); // the first is whole, whatever is said to have changed
        Check(1599, 479);
        _picture.Paint(new Rect(5, 6, 20, 20), 0x123456);
        screen.Show(_picture.Frame, [new Rect(5, 6, 20, 20)]);
        Check(5, 6);
        Check(24, 25);

        void Check(int x, int y)
        {
            var p = _picture[x, y];
            var at = (byte*)_system.Mapped.Keys.Single() + ((y + 3) * node.Stride) + (x * (int)bits / 8);
            var expected = bits == 16 ? ((p >> 8) & 0xf800) | ((p >> 5) & 0x7e0) | ((p >> 3) & 0x1f)
                : red == 16 ? p : ((p & 0xff) << 16) | (p & 0xff00) | (p >> 16);
            Assert.Equal(expected, bits == 16 ? *(ushort*)at : *(uint*)at);
        }
    }

    [Fact]
    public void What_it_cannot_show_on_is_said()
    {
        Assert.Null(Open(new FbNode(800, 480, 24, 16, 0), out var why));
        Assert.Equal($"fbdev {_folder.At}/fb0: 24 bits a pixel, red from bit 16: only 32 bits and 16 as 565 are known", why);
        Assert.Null(Open(new FbNode(800, 480, 32, 16, 0) { Lies = true }, out why)); // more picture than memory
        Assert.Equal($"fbdev {_folder.At}/fb0: its memory cannot be mapped", why);
    }

    private FrameBufferScreen? Open(FbNode node, out string why)
    {
        _system.Devices[_folder.Node("fb0")] = node;
        return FrameBufferScreen.Open(_system, new ScreenSettings(), Path.Combine(_folder.At, "fb0"), out why);
    }

    internal sealed class FbNode(uint width, uint height, uint bits, uint red, uint blue) : StandInDevice
    {
        public uint Panned { get; init; }

        public bool Lies { get; init; }

        public int Stride => (int)((width * bits / 8) + 32);

        public override int Ioctl(uint request, void* argument)
        {
            if (request == FrameBufferScreen.GetVariable)
            {
                *(FbVarScreeninfo*)argument = new FbVarScreeninfo { Xres = width, Yres = height, Yoffset = Panned, BitsPerPixel = bits };
                ((FbVarScreeninfo*)argument)->Red.Offset = red;
                ((FbVarScreeninfo*)argument)->Green.Offset = bits == 16 ? 5U : 8;
                ((FbVarScreeninfo*)argument)->Blue.Offset = blue;
                return 0;
            }

            if (request != FrameBufferScreen.GetFixed) return -SystemCalls.NoTty;
            var fix = (FbFixScreeninfo*)argument;
            *fix = new FbFixScreeninfo { LineLength = (uint)Stride, SmemLen = (uint)((height + Panned - (Lies ? 1U : 0)) * Stride) };
            if (Lies) fix->SmemLen -= 64;
            Encoding.ASCII.GetBytes("test", new Span<byte>(fix->Id, 16));
            return 0;
        }
    }
}
