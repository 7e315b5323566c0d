// Which connector, which mode and which CRTC: the choice among what a DRM device has.
using System.Globalization;
using System.Text;
using SspHost.Panel.Surface;

namespace SspHost.Board;

/// <summary>A connector as the driver tells it.</summary>
internal sealed record DrmConnector(uint Id, string Name, uint Type, bool Connected, uint EncoderId, uint[] Encoders, DrmModeModeinfo[] Modes);

/// <summary>Where the picture goes.</summary>
internal readonly record struct DrmOutput(uint Connector, string Name, uint Crtc, DrmModeModeinfo Mode)
{
    public int Width => Mode.Hdisplay;

    public int Height => Mode.Vdisplay;

    /// <summary>The connector: the named one, else what is connected, built-in panels before plugs. Null where none is, and why.</summary>
    public static DrmConnector? Choose(IReadOnlyList<DrmConnector> connectors, string wanted, out string why)
    {
        why = "";
        if (wanted.Length > 0)
        {
            var named = connectors.FirstOrDefault(c => c.Name == wanted);
            if (named is { Connected: true, Modes.Length: > 0 }) return named;
            why = named is null ? $"no connector {wanted}, it has {Names(connectors)}" : $"nothing is connected to {wanted}";
            return null;
        }

        var shows = connectors.Where(c => c.Connected && c.Modes.Length > 0 && !DrmAbi.IsWriteback(c.Type));
        var chosen = shows.OrderBy(c => DrmAbi.IsBuiltIn(c.Type) ? 0 : 1).FirstOrDefault();
        if (chosen is null) why = connectors.Count == 0 ? "it has no connectors" : $"nothing is connected to {Names(connectors)}";
        return chosen;
    }

    /// <summary>The mode: the wanted one, else the panel's size (either way up), else the preferred one, else the first. Interlaced ones last.</summary>
    public static bool TryMode(ReadOnlySpan<DrmModeModeinfo> modes, string wanted, out DrmModeModeinfo mode)
    {
        mode = default;
        var best = int.MinValue;
        foreach (var m in modes)
        {
            var rank = Rank(in m, wanted);
            if (rank <= best) continue;
            (best, mode) = (rank, m);
        }

        return best > int.MinValue && (wanted.Length == 0 || best >= 1000);
    }

    /// <summary>"1600x480", "1600x480@60".</summary>
    public static bool Parse(string text, out int width, out int height, out int rate)
    {
        (width, height, rate) = (0, 0, 0);
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0 && (!Number(text.AsSpan(at + 1), out rate) || rate == 0)) return false;
        var size = at >= 0 ? text.AsSpan(0, at) : text;
        var x = size.IndexOf('x');
        return x > 0 && Number(size[..x], out width) && Number(size[(x + 1)..], out height) && width > 0 && height > 0;
    }

    public static unsafe string ModeName(in DrmModeModeinfo mode)
    {
        fixed (byte* name = mode.Name)
        {
            var text = new ReadOnlySpan<byte>(name, 32);
            var end = text.IndexOf((byte)0);
            return end == 0 ? $"{mode.Hdisplay}x{mode.Vdisplay}" : Encoding.UTF8.GetString(end < 0 ? text : text[..end]);
        }
    }

    private static bool Number(ReadOnlySpan<char> text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static int Rank(in DrmModeModeinfo m, string wanted)
    {
        var rank = (m.Flags & DrmAbi.FlagInterlace) != 0 ? -10 : 0;
        if ((m.Type & DrmAbi.TypePreferred) != 0) rank += 5;
        if ((m.Hdisplay, m.Vdisplay) is (PanelSize.Width, PanelSize.Height) or (PanelSize.Height, PanelSize.Width)) rank += 100;
        if (Parse(wanted, out var width, out var height, out var rate) && m.Hdisplay == width && m.Vdisplay == height && (rate == 0 || rate == m.Vrefresh)) rank += 2000;
        return rank;
    }

    private static string Names(IReadOnlyList<DrmConnector> connectors) => string.Join(", ", connectors.Select(c => c.Name));
}
