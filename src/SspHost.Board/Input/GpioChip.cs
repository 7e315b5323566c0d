// A GPIO chip: its lines by name, and a request of some of them.
using System.Text;

namespace SspHost.Board;

/// <summary>An open chip, for as long as it takes to ask for lines.</summary>
internal sealed unsafe class GpioChip : IDisposable
{
    private const int MostLines = 4096;

    private readonly SystemCalls _system;
    private readonly int _fd;

    private GpioChip(SystemCalls system, string path, int fd, in GpioChipInfo info)
    {
        (_system, Path, _fd) = (system, path, fd);
        fixed (GpioChipInfo* i = &info) (Name, Label, Lines) = (Text(i->Name), Text(i->Label), (int)Math.Min(i->Lines, MostLines));
    }

    public string Path { get; }

    public string Name { get; }

    public string Label { get; }

    public int Lines { get; }

    public static GpioChip? Open(SystemCalls system, string path, out string why)
    {
        why = "";
        var fd = system.Open(path, SystemCalls.ReadWrite);
        if (fd < 0)
        {
            why = $"{path}: {SystemCalls.Text(fd)}";
            return null;
        }

        GpioChipInfo info;
        var answer = system.Ioctl(fd, GpioAbi.GetChipInfo, &info);
        if (answer >= 0) return new GpioChip(system, path, fd, in info);
        system.Close(fd);
        why = $"{path}: no GPIO chip ({SystemCalls.Text(answer)})";
        return null;
    }

    /// <summary>Names of its lines; "" where a line has none.</summary>
    public string[] LineNames()
    {
        var names = new string[Lines];
        GpioLineInfo info;
        for (var line = 0; line < Lines; line++)
        {
            info = default;
            info.Offset = (uint)line;
            names[line] = _system.Ioctl(_fd, GpioAbi.GetLineInfo, &info) < 0 ? "" : Text(info.Name);
        }

        return names;
    }

    /// <summary>Whether somebody has a line, be it a driver of the kernel.</summary>
    public bool IsTaken(int line)
    {
        var info = new GpioLineInfo { Offset = (uint)line };
        return _system.Ioctl(_fd, GpioAbi.GetLineInfo, &info) >= 0 && (info.Flags & GpioAbi.Used) != 0;
    }

    /// <summary>
    /// Asks for lines as inputs with events of both edges. What the chip cannot do is left out: first its pull-ups, then debouncing. Descriptor of
    /// the request, or -errno.
    /// </summary>
    /// <param name="debounce">µs of each line; set to 0 where the kernel does not debounce.</param>
    public int Request(ReadOnlySpan<int> lines, bool activeLow, ref bool pullUp, Span<int> debounce)
    {
        while (true)
        {
            var answer = Request(lines, activeLow, pullUp, (ReadOnlySpan<int>)debounce);
            if (answer is not (-SystemCalls.Invalid or -SystemCalls.NotSupported or -SystemCalls.NotSupportedInKernel)) return answer;
            if (pullUp) pullUp = false;
            else if (debounce.ContainsAnyExcept(0)) debounce.Clear();
            else return answer;
        }
    }

    /// <summary>Asks for a line as an output at a level. Descriptor of the request, or -errno.</summary>
    public int RequestOutput(int line, bool high)
    {
        GpioLineRequest request = default;
        request.Offsets[0] = (uint)line;
        "ssp-codec"u8.CopyTo(new Span<byte>(request.Consumer, 32));
        request.NumLines = 1;
        request.Config.Flags = GpioAbi.OutputLine;
        request.Config.NumAttrs = 1;
        request.Config.Attr0.Attr.Id = GpioAbi.AttributeValues;
        request.Config.Attr0.Attr.Flags = high ? 1UL : 0;
        request.Config.Attr0.Mask = 1;
        var answer = _system.Ioctl(_fd, GpioAbi.GetLine, &request);
        return answer < 0 ? answer : request.Fd;
    }

    public void Dispose() => _system.Close(_fd);

    private int Request(ReadOnlySpan<int> lines, bool activeLow, bool pullUp, ReadOnlySpan<int> debounce)
    {
        GpioLineRequest request = default;
        for (var i = 0; i < lines.Length; i++) request.Offsets[i] = (uint)lines[i];
        "ssp-panel"u8.CopyTo(new Span<byte>(request.Consumer, 32));
        request.NumLines = (uint)lines.Length;
        request.EventBufferSize = 1024;
        request.Config.Flags = GpioAbi.InputLine | GpioAbi.EdgeRising | GpioAbi.EdgeFalling
            | (activeLow ? GpioAbi.ActiveLow : 0) | (pullUp ? GpioAbi.PullUp : 0);
        var attributes = &request.Config.Attr0;
        for (var i = 0; i < lines.Length; i++)
        {
            if (debounce[i] <= 0) continue;
            var at = 0;
            while (at < request.Config.NumAttrs && attributes[at].Attr.Flags != (uint)debounce[i]) at++;
            if (at == 10) return -SystemCalls.Invalid; // more periods than a request has attributes for
            attributes[at].Attr.Id = GpioAbi.AttributeDebounce;
            attributes[at].Attr.Flags = (uint)debounce[i];
            attributes[at].Mask |= 1UL << i;
            request.Config.NumAttrs = (uint)Math.Max(request.Config.NumAttrs, at + 1);
        }

        var answer = _system.Ioctl(_fd, GpioAbi.GetLine, &request);
        return answer < 0 ? answer : request.Fd;
    }

    private static string Text(byte* text)
    {
        var span = new ReadOnlySpan<byte>(text, 32);
        var end = span.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? span : span[..end]);
    }
}
