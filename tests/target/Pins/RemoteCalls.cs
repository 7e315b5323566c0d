// The board's system calls, made in the machine: what asks for lines and decodes their edges is the host's own code, what answers is its kernel.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using SspHost.Board;
using SspHost.Target.Kit;

namespace SspHost.Target.Pins;

/// <summary>Descriptors here are pipes, so that they can be waited for; calls.pl fills them from those in the machine.</summary>
internal sealed unsafe partial class RemoteCalls : SystemCalls, IDisposable
{
    private const int FdInLineRequest = 588;

    private readonly Process _agent;
    private readonly ConcurrentDictionary<int, int> _there = new(); // by the descriptor here
    private readonly ConcurrentDictionary<int, int> _into = new(); // the end that is written, by the descriptor there
    private readonly BlockingCollection<string> _answers = [];
    private readonly Lock _one = new();

    public RemoteCalls(Guest guest)
    {
        guest.Put("/tmp/calls.pl", File.ReadAllBytes(Path.Combine(TargetDisk.Root, "tests/target/Pins/calls.pl")));
        _agent = guest.Open("perl /tmp/calls.pl");
        new Thread(Listen) { IsBackground = true }.Start();
    }

    public override int Open(string path, int flags)
    {
        var answer = Ask("open " + (path.StartsWith("/dev/", StringComparison.Ordinal) ? path : "/dev/" + Path.GetFileName(path)));
        return answer[0] == "ok" ? Adopt(int.Parse(answer[1], CultureInfo.InvariantCulture)) : -int.Parse(answer[1], CultureInfo.InvariantCulture);
    }

    public override int Ioctl(int fd, uint request, void* argument)
    {
        if (!_there.TryGetValue(fd, out var there)) return -NoTty;
        var size = (int)(request >> 16) & 0x3FFF; // _IOC_SIZE
        var bytes = new Span<byte>(argument, size);
        var answer = Ask(string.Create(CultureInfo.InvariantCulture, $"ioctl {there} {request} {Convert.ToHexStringLower(bytes)}"));
        if (answer[0] != "ok") return -int.Parse(answer[1], CultureInfo.InvariantCulture);
        Convert.FromHexString(answer[2]).AsSpan(0, size).CopyTo(bytes); // Perl makes short arguments longer
        if (request == GpioAbi.GetLine)
        {
            var lines = MemoryMarshal.Read<int>(bytes[FdInLineRequest..]);
            var here = Adopt(lines);
            MemoryMarshal.Write(bytes[FdInLineRequest..], in here);
            _ = Ask(string.Create(CultureInfo.InvariantCulture, $"stream {lines}"));
        }

        return int.Parse(answer[1], CultureInfo.InvariantCulture);
    }

    public override void Close(int fd)
    {
        if (_there.TryRemove(fd, out var there))
        {
            _ = Ask(string.Create(CultureInfo.InvariantCulture, $"close {there}"));
            if (_into.TryRemove(there, out var into)) base.Close(into);
        }

        base.Close(fd);
    }

    /// <summary>Begins to read a device that was opened; what comes is read by <see cref="SystemCalls.Read"/>.</summary>
    public void Stream(int fd) => _ = Ask(string.Create(CultureInfo.InvariantCulture, $"stream {_there[fd]}"));

    public void Dispose()
    {
        _agent.StandardInput.Close();
        if (!_agent.WaitForExit(5000)) _agent.Kill(entireProcessTree: true);
        _agent.Dispose();
        _answers.Dispose();
    }

    private int Adopt(int there)
    {
        var ends = stackalloc int[2];
        if (Pipe(ends, CloseOnExec) != 0) throw new IOException("no pipe can be had");
        _into[there] = ends[1];
        _there[ends[0]] = there;
        return ends[0];
    }

    private string[] Ask(string line)
    {
        lock (_one)
        {
            _agent.StandardInput.Write(line + "\n");
            _agent.StandardInput.Flush();
            return _answers.TryTake(out var answer, TimeSpan.FromSeconds(60)) ? answer.Split(' ') : throw new IOException($"{line.Split(' ')[0]}: the machine does not answer");
        }
    }

    private void Listen()
    {
        while (_agent.StandardOutput.ReadLine() is { } line)
        {
            if (!line.StartsWith("data ", StringComparison.Ordinal))
            {
                _answers.Add(line);
                continue;
            }

            var words = line.Split(' ');
            var bytes = Convert.FromHexString(words[2]);
            if (!_into.TryGetValue(int.Parse(words[1], CultureInfo.InvariantCulture), out var into)) continue;
            fixed (byte* b = bytes) _ = Write(into, b, (nuint)bytes.Length);
        }
    }

    [LibraryImport("libc", EntryPoint = "pipe2")]
    private static partial int Pipe(int* ends, int flags);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int fd, void* from, nuint length);
}
