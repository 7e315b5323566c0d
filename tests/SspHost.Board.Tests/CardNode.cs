// A DRM card for tests: connectors, encoders, CRTCs, dumb buffers, flips that are done when the test says so.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Panel.Surface;

namespace SspHost.Board.Tests;

/// <summary>A connector: its modes as "1600x480", "*" where preferred, "i" where interlaced, "@50" for a rate.</summary>
internal sealed record Display(string Name, uint Type, uint Number, string[] Modes)
{
    public bool Connected { get; init; } = true;

    public uint PossibleCrtcs { get; init; } = 1;

    public uint CurrentCrtc { get; init; }
}

/// <summary>The kernel's side of a card. Ids: connectors 11.., encoders 21.., CRTCs 31 and 32; frame = handle + 100.</summary>
internal sealed unsafe class CardNode(List<Display> displays) : StandInDevice
{
    private readonly Dictionary<uint, (int Width, int Height, int Bytes, int Stride)> _buffers = [];
    private readonly Dictionary<uint, nint> _maps = [];
    private uint _handle;

    public List<Display> Displays { get; } = displays;

    public bool Only16 { get; set; }

    public bool NoFlips { get; set; }

    public bool OtherMaster { get; set; }

    public bool Master { get; private set; } = true;

    public uint InView { get; private set; }

    public uint Flipping { get; private set; }

    public uint Crtc { get; private set; }

    public int Dirtied { get; private set; }

    /// <summary>The display shows the next frame.</summary>
    public void Refresh()
    {
        Assert.NotEqual(0U, Flipping);
        (InView, Flipping) = (Flipping, 0);
        Write<DrmEventVblank>([new DrmEventVblank { Type = DrmAbi.FlipComplete, Length = (uint)sizeof(DrmEventVblank), CrtcId = Crtc }]);
    }

    /// <summary>A pixel of what is in view.</summary>
    public uint Pixel(int x, int y)
    {
        lock (_buffers)
        {
            var (_, _, bytes, stride) = _buffers[InView - 100];
            var at = (byte*)_maps[InView - 100] + ((nint)y * stride) + (x * bytes);
            return bytes == 2 ? *(ushort*)at : *(uint*)at;
        }
    }

    public override nint Map(nuint length, long offset)
    {
        lock (_buffers)
        {
            var (_, height, _, stride) = _buffers[(uint)(offset >> 12)];
            Assert.Equal((nuint)(height * stride), length);
            var at = base.Map(length, offset);
            new Span<byte>((void*)at, (int)length).Fill(0xEE); // a buffer is not black because the kernel was so kind
            return _maps[(uint)(offset >> 12)] = at;
        }
    }

    public override int Ioctl(uint request, void* argument)
    {
        lock (_buffers)
        {
            if (request == DrmAbi.GetCap) ((DrmGetCap*)argument)->Value = 1;
            else if (request == DrmAbi.GetResources) Resources((DrmModeCardRes*)argument);
            else if (request == DrmAbi.GetConnector) return Connector((DrmModeGetConnector*)argument);
            else if (request == DrmAbi.GetEncoder) return Encoder((DrmModeGetEncoder*)argument);
            else if (request == DrmAbi.CreateDumb) return Create((DrmModeCreateDumb*)argument);
            else if (request == DrmAbi.AddFb) ((DrmModeFbCmd*)argument)->FbId = ((DrmModeFbCmd*)argument)->Handle + 100;
            else if (request == DrmAbi.MapDumb) ((DrmModeMapDumb*)argument)->Offset = ((DrmModeMapDumb*)argument)->Handle << 12;
            else if (request == DrmAbi.DestroyDumb) return _buffers.Remove(*(uint*)argument) ? 0 : -SystemCalls.NoEntry;
            else if (request == DrmAbi.RemoveFb) return _buffers.ContainsKey(*(uint*)argument - 100) ? 0 : -SystemCalls.NoEntry;
            else if (request == DrmAbi.SetCrtc) return SetCrtc((DrmModeCrtc*)argument);
            else if (request == DrmAbi.PageFlip) return Flip((DrmModeCrtcPageFlip*)argument);
            else if (request == DrmAbi.DirtyFb) Dirtied++;
            else if (request == DrmAbi.DropMaster) Master = false;
            else if (request == DrmAbi.SetMaster)
            {
                if (OtherMaster) return -SystemCalls.NoAccess;
                Master = true;
            }
            else return -SystemCalls.NoTty;

            return 0;
        }
    }

    private static void Fill(ulong to, uint room, ReadOnlySpan<uint> ids)
    {
        for (var i = 0; i < Math.Min(ids.Length, room); i++) ((uint*)to)[i] = ids[i];
    }

    private static DrmModeModeinfo Mode(string text)
    {
        var mode = new DrmModeModeinfo { Vrefresh = 60 };
        var name = text.TrimEnd('*', 'i');
        if (name.Contains('@', StringComparison.Ordinal))
        {
            mode.Vrefresh = uint.Parse(name[(name.IndexOf('@', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture);
            name = name[..name.IndexOf('@', StringComparison.Ordinal)];
        }

        var size = name.Split('x');
        mode.Hdisplay = ushort.Parse(size[0], CultureInfo.InvariantCulture);
        mode.Vdisplay = ushort.Parse(size[1], CultureInfo.InvariantCulture);
        if (text.EndsWith('*')) mode.Type = DrmAbi.TypePreferred;
        if (text.EndsWith('i')) mode.Flags = DrmAbi.FlagInterlace;
        Encoding.ASCII.GetBytes(name, new Span<byte>(mode.Name, 32));
        return mode;
    }

    private void Resources(DrmModeCardRes* r)
    {
        Fill(r->ConnectorIdPtr, r->CountConnectors, [.. Enumerable.Range(0, Displays.Count).Select(i => (uint)(11 + i))]);
        Fill(r->CrtcIdPtr, r->CountCrtcs, [31, 32]);
        (r->CountConnectors, r->CountCrtcs) = ((uint)Displays.Count, 2);
    }

    private int Connector(DrmModeGetConnector* c)
    {
        var display = Displays[(int)c->ConnectorId - 11];
        var number = c->ConnectorId - 11;
        for (var i = 0; i < Math.Min(display.Modes.Length, c->CountModes); i++) ((DrmModeModeinfo*)c->ModesPtr)[i] = Mode(display.Modes[i]);
        Fill(c->EncodersPtr, c->CountEncoders, [21 + number]);
        (c->CountModes, c->CountEncoders) = ((uint)display.Modes.Length, 1);
        (c->ConnectorType, c->ConnectorTypeId, c->Connection) = (display.Type, display.Number, display.Connected ? 1U : 2);
        c->EncoderId = display.CurrentCrtc != 0 ? 21 + number : 0;
        return 0;
    }

    private int Encoder(DrmModeGetEncoder* e)
    {
        var display = Displays[(int)e->EncoderId - 21];
        (e->CrtcId, e->PossibleCrtcs) = (display.CurrentCrtc, display.PossibleCrtcs);
        return 0;
    }

    private int Create(DrmModeCreateDumb* c)
    {
        if (Only16 && c->Bpp != 16) return -SystemCalls.Invalid;
        c->Handle = ++_handle;
        c->Pitch = (c->Width * c->Bpp / 8) + 64;
        c->Size = (ulong)c->Pitch * c->Height;
        _buffers[c->Handle] = ((int)c->Width, (int)c->Height, (int)c->Bpp / 8, (int)c->Pitch);
        return 0;
    }

    private int SetCrtc(DrmModeCrtc* c)
    {
        if (OtherMaster || !Master) return -SystemCalls.NoAccess;
        var (width, height, _, _) = _buffers[c->FbId - 100];
        Assert.Equal((width, height), (c->Mode.Hdisplay, c->Mode.Vdisplay));
        (InView, Crtc) = (c->FbId, c->CrtcId);
        return 0;
    }

    private int Flip(DrmModeCrtcPageFlip* f)
    {
        if (OtherMaster || !Master) return -SystemCalls.NoAccess;
        if (NoFlips) return -SystemCalls.Invalid;
        if (Flipping != 0) return -SystemCalls.Busy;
        Assert.True(f->FbId != InView && _buffers.ContainsKey(f->FbId - 100) && f->CrtcId == Crtc && f->Flags == DrmAbi.FlipEvent);
        Flipping = f->FbId;
        return 0;
    }
}

/// <summary>The panel's picture, random at first.</summary>
internal sealed unsafe class Picture : IDisposable
{
    private readonly uint* _pixels = (uint*)NativeMemory.Alloc(PanelSize.Width * PanelSize.Height * 4);

    public Picture()
    {
        var random = new Random(5);
        for (var i = 0; i < PanelSize.Width * PanelSize.Height; i++) _pixels[i] = (uint)random.Next(0x1000000);
    }

    public Frame Frame => new((nint)_pixels, PanelSize.Width, PanelSize.Height, PanelSize.Width * 4, 1);

    public uint this[int x, int y] => _pixels[(y * PanelSize.Width) + x];

    public void Paint(Rect rect, uint colour)
    {
        for (var y = rect.Y; y < rect.Bottom; y++) new Span<uint>(_pixels + (y * PanelSize.Width) + rect.X, rect.Width).Fill(colour);
    }

    public void Dispose() => NativeMemory.Free(_pixels);
}
