// A DRM device by its ioctls: what it has, buffers in its memory, setting a mode, flipping to a buffer.
namespace SspHost.Board;

/// <summary>A buffer that can be shown.</summary>
internal readonly record struct DrmBuffer(uint Frame, uint Handle, nint Memory, nuint Size, int Stride, PixelFormat Format);

/// <summary>An open card. Answers are the kernel's: below zero, -errno.</summary>
internal sealed unsafe class DrmCard : IDisposable
{
    private const int MostIds = 64, MostModes = 512;

    private readonly SystemCalls _system;
    private uint[] _connectors = [], _crtcs = [];

    private DrmCard(SystemCalls system, string path, int fd) => (_system, Path, Descriptor) = (system, path, fd);

    public string Path { get; }

    public int Descriptor { get; }

    public static DrmCard? Open(SystemCalls system, string path, out string why)
    {
        why = "";
        var fd = system.Open(path, SystemCalls.ReadWrite | SystemCalls.NonBlocking);
        if (fd < 0)
        {
            why = SystemCalls.Text(fd);
            return null;
        }

        var card = new DrmCard(system, path, fd);
        var dumb = new DrmGetCap { Capability = DrmAbi.CapabilityDumbBuffer };
        if (system.Ioctl(fd, DrmAbi.GetCap, &dumb) < 0) why = "no DRM device";
        else if (dumb.Value == 0) why = "its driver has no simple buffers";
        else if (!card.ReadResources()) why = "it drives no display";
        if (why.Length == 0) return card;
        card.Dispose();
        return null;
    }

    /// <summary>All connectors. Probing asks the displays anew, which takes a while; otherwise it is what the driver knows.</summary>
    public List<DrmConnector> Connectors(bool probe)
    {
        var all = new List<DrmConnector>();
        foreach (var id in _connectors)
        {
            if (Connector(id, probe) is { } c) all.Add(c);
        }

        return all;
    }

    public DrmConnector? Connector(uint id, bool probe)
    {
        // A question with no room for modes makes the driver look; one with some room does not.
        var ask = new DrmModeGetConnector { ConnectorId = id };
        DrmModeModeinfo one;
        if (!probe) (ask.CountModes, ask.ModesPtr) = (1, (ulong)(nint)(&one));
        if (_system.Ioctl(Descriptor, DrmAbi.GetConnector, &ask) < 0) return null;
        while (true)
        {
            if (ask.CountModes > MostModes || ask.CountEncoders > MostIds) return null;
            var modes = new DrmModeModeinfo[Math.Max(1, ask.CountModes)];
            var encoders = new uint[ask.CountEncoders];
            fixed (DrmModeModeinfo* m = modes)
            fixed (uint* e = encoders)
            {
                var fill = new DrmModeGetConnector
                {
                    ConnectorId = id, ModesPtr = (ulong)(nint)m, CountModes = (uint)modes.Length, EncodersPtr = (ulong)(nint)e, CountEncoders = ask.CountEncoders,
                };
                if (_system.Ioctl(Descriptor, DrmAbi.GetConnector, &fill) < 0) return null;
                var grown = fill.CountModes > modes.Length || fill.CountEncoders > encoders.Length;
                ask = fill;
                if (grown) continue; // plugged between the two questions
                return new DrmConnector(
                    id, DrmAbi.ConnectorName(fill.ConnectorType, fill.ConnectorTypeId), fill.ConnectorType, fill.Connection == DrmAbi.Connected,
                    fill.EncoderId, encoders[..(int)fill.CountEncoders], modes[..(int)fill.CountModes]);
            }
        }
    }

    /// <summary>The CRTC for a connector: the one that drives it already, else one that may and that no other display uses; 0: none.</summary>
    public uint CrtcOf(DrmConnector connector)
    {
        if (Encoder(connector.EncoderId) is { CrtcId: not 0 } now) return now.CrtcId;
        var used = new HashSet<uint>();
        foreach (var other in Connectors(probe: false))
        {
            if (other.Id != connector.Id && Encoder(other.EncoderId) is { CrtcId: not 0 } theirs) used.Add(theirs.CrtcId);
        }

        var spare = 0U;
        foreach (var id in connector.Encoders)
        {
            if (Encoder(id) is not { } encoder) continue;
            for (var i = 0; i < _crtcs.Length && i < 32; i++)
            {
                if ((encoder.PossibleCrtcs & (1U << i)) == 0) continue;
                if (!used.Contains(_crtcs[i])) return _crtcs[i];
                spare = _crtcs[i];
            }
        }

        return spare;
    }

    /// <summary>A black buffer of a size: 32 bits a pixel, 16 where the driver has no others.</summary>
    public DrmBuffer? CreateBuffer(int width, int height, out int answer) =>
        CreateBuffer(width, height, 32, 24, PixelFormat.Xrgb8888, out answer) ?? CreateBuffer(width, height, 16, 16, PixelFormat.Rgb565, out answer);

    public void Destroy(in DrmBuffer buffer)
    {
        var frame = buffer.Frame;
        if (buffer.Memory != 0) _system.Unmap(buffer.Memory, buffer.Size);
        if (frame != 0) _ = _system.Ioctl(Descriptor, DrmAbi.RemoveFb, &frame);
        var destroy = new DrmModeDestroyDumb { Handle = buffer.Handle };
        _ = _system.Ioctl(Descriptor, DrmAbi.DestroyDumb, &destroy);
    }

    public int SetMode(in DrmOutput output, uint frame)
    {
        var connector = output.Connector;
        var set = new DrmModeCrtc
        {
            CrtcId = output.Crtc, FbId = frame, SetConnectorsPtr = (ulong)(nint)(&connector), CountConnectors = 1, ModeValid = 1, Mode = output.Mode,
        };
        return _system.Ioctl(Descriptor, DrmAbi.SetCrtc, &set);
    }

    /// <summary>Shows a buffer from the next frame on; the descriptor then has an event.</summary>
    public int Flip(uint crtc, uint frame)
    {
        var flip = new DrmModeCrtcPageFlip { CrtcId = crtc, FbId = frame, Flags = DrmAbi.FlipEvent };
        return _system.Ioctl(Descriptor, DrmAbi.PageFlip, &flip);
    }

    /// <summary>Tells drivers that send pictures to their displays that one has changed.</summary>
    public int Dirty(uint frame)
    {
        var dirty = new DrmModeFbDirtyCmd { FbId = frame };
        return _system.Ioctl(Descriptor, DrmAbi.DirtyFb, &dirty);
    }

    public int BecomeMaster() => _system.Ioctl(Descriptor, DrmAbi.SetMaster, null);

    public int DropMaster() => _system.Ioctl(Descriptor, DrmAbi.DropMaster, null);

    /// <summary>Reads events; whether a flip was done. -errno once the device is gone.</summary>
    public int ReadEvents()
    {
        var buffer = stackalloc byte[1024];
        var read = _system.Read(Descriptor, buffer, 1024);
        if (read == -SystemCalls.TryAgain) return 0;
        if (read <= 0) return read == 0 ? -SystemCalls.NoDevice : read;
        var flipped = 0;
        for (var at = 0; at + 8 <= read;)
        {
            var (type, length) = (*(uint*)(buffer + at), *(uint*)(buffer + at + 4));
            if (type == DrmAbi.FlipComplete) flipped = 1;
            if (length < 8 || length > read) break;
            at += (int)length;
        }

        return flipped;
    }

    public void Dispose() => _system.Close(Descriptor);

    private DrmBuffer? CreateBuffer(int width, int height, uint bits, uint depth, PixelFormat format, out int answer)
    {
        var create = new DrmModeCreateDumb { Width = (uint)width, Height = (uint)height, Bpp = bits };
        answer = _system.Ioctl(Descriptor, DrmAbi.CreateDumb, &create);
        if (answer < 0) return null;
        var buffer = new DrmBuffer(0, create.Handle, 0, (nuint)create.Size, (int)create.Pitch, format);
        var add = new DrmModeFbCmd
        {
            Width = create.Width, Height = create.Height, Pitch = create.Pitch, Bpp = bits, Depth = depth, Handle = create.Handle,
        };
        answer = _system.Ioctl(Descriptor, DrmAbi.AddFb, &add);
        if (answer >= 0)
        {
            buffer = buffer with { Frame = add.FbId };
            var map = new DrmModeMapDumb { Handle = create.Handle };
            answer = _system.Ioctl(Descriptor, DrmAbi.MapDumb, &map);
            if (answer >= 0)
            {
                buffer = buffer with { Memory = _system.Map(Descriptor, buffer.Size, (long)map.Offset) };
                if (buffer.Memory == 0) answer = -SystemCalls.Invalid;
            }
        }

        if (answer >= 0)
        {
            new PixelCopy(buffer.Memory, buffer.Stride, width, height, format).Clear();
            return buffer;
        }

        Destroy(in buffer);
        return null;
    }

    private DrmModeGetEncoder? Encoder(uint id)
    {
        if (id == 0) return null;
        var encoder = new DrmModeGetEncoder { EncoderId = id };
        return _system.Ioctl(Descriptor, DrmAbi.GetEncoder, &encoder) < 0 ? null : encoder;
    }

    private bool ReadResources()
    {
        var connectors = stackalloc uint[MostIds];
        var crtcs = stackalloc uint[MostIds];
        var resources = new DrmModeCardRes
        {
            ConnectorIdPtr = (ulong)(nint)connectors, CountConnectors = MostIds, CrtcIdPtr = (ulong)(nint)crtcs, CountCrtcs = MostIds,
        };
        if (_system.Ioctl(Descriptor, DrmAbi.GetResources, &resources) < 0) return false;
        _connectors = new ReadOnlySpan<uint>(connectors, (int)Math.Min(MostIds, resources.CountConnectors)).ToArray();
        _crtcs = new ReadOnlySpan<uint>(crtcs, (int)Math.Min(MostIds, resources.CountCrtcs)).ToArray();
        return _connectors.Length > 0 && _crtcs.Length > 0;
    }
}
