// What a soak does to the machine from a process of its own: it fills memory, writes to the disk, talks over the network.
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Diagnostics.Soak;

/// <summary>The loads. Each goes on until its process is killed, and leaves nothing when it is.</summary>
public static unsafe partial class SoakLoads
{
    /// <summary>Bytes that stay available to everybody else while memory is filled.</summary>
    public const long Reserve = 256L << 20;

    /// <summary>Bytes of the file that is written over and over.</summary>
    public const long FileBytes = 64L << 20;

    private const int ProtReadWrite = 3, PrivateAnonymous = 0x22, PageOut = 21;
    private const long Step = 4 << 20;
    private const int DropEveryMs = 2000, LookMs = 100, BlocksALook = 16;

    /// <summary>
    /// The kernel ends this process with the one that started it. False: that is not <paramref name="owner"/>, or it has ended already.
    /// </summary>
    public static bool EndWith(int owner)
    {
        const int SetParentDeathSignal = 1, SigKill = 9;
        return Prctl(SetParentDeathSignal, SigKill, 0, 0, 0) == 0 && GetParent() == owner;
    }

    /// <summary>What may be filled: a share of what is available, at most so much, and never the reserve.</summary>
    public static long MemoryToFill(double share, long most)
    {
        var available = Available();
        return Math.Clamp(Math.Min((long)(available * share), available - Reserve), 0, most) & -Step;
    }

    /// <summary>
    /// Fills memory up to <see cref="MemoryToFill"/>, gives back what others turn out to need, touches all of it over and over, pushes it out to swap
    /// where there is some, and drops the kernel's caches where it may.
    /// </summary>
    public static void Memory(double share, long most)
    {
        MemoryPressure.OfferToTheKiller();
        var (goal, swap, blocks, dropAt) = (MemoryToFill(share, most), KernelCounters.Swap() > 0, new Stack<nint>(), 0L);
        for (byte round = 1; ; round++)
        {
            while (blocks.Count * Step < goal && Available() > Reserve + Step)
            {
                var block = (nint)Linux.Mmap(null, (nuint)Step, ProtReadWrite, PrivateAnonymous, -1, 0);
                if (block == -1) break;
                Touch((byte*)block, round);
                blocks.Push(block);
            }

            var looked = 0;
            foreach (var block in blocks)
            {
                if (++looked % BlocksALook == 0 && Available() < Reserve) break;
                Touch((byte*)block, round);
                if (swap) _ = Advise((void*)block, (nuint)Step, PageOut);
            }

            while (blocks.Count > 0 && Available() < Reserve) _ = Linux.Munmap((void*)blocks.Pop(), (nuint)Step);
            if (blocks.Count == 0) Thread.Sleep(LookMs); // there is none to spare
            if (Environment.TickCount64 < dropAt) continue;
            dropAt = Environment.TickCount64 + DropEveryMs;
            DropCaches();
        }
    }

    /// <summary>Writes into a file that has no name, and waits for the disk after each block. Its space is free again when this process ends.</summary>
    public static void Disk(string directory)
    {
        var path = Path.Combine(directory, FormattableString.Invariant($".soak-{Environment.ProcessId}"));
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite, 0);
        File.Delete(path); // the file lives as long as it is open
        var block = new byte[256 << 10];
        for (var n = 0L; ; n++)
        {
            Random.Shared.NextBytes(block.AsSpan(0, 4096)); // no disk takes the same for the same
            RandomAccess.Write(file.SafeFileHandle, block, n * block.Length % FileBytes);
            file.Flush(flushToDisk: true);
        }
    }

    /// <summary>Two ends over the loopback device, each sending as fast as the other receives.</summary>
    public static void Network()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var near = new TcpClient();
        near.Connect((IPEndPoint)listener.LocalEndpoint);
        using var far = listener.AcceptTcpClient();
        Start(() => Send(near.GetStream()));
        Start(() => Receive(near.GetStream()));
        Start(() => Send(far.GetStream()));
        Receive(far.GetStream());
    }

    private static void Start(Action work) => new Thread(() => work()) { IsBackground = true }.Start();

    private static void Send(NetworkStream to)
    {
        for (var block = new byte[64 << 10]; ;) to.Write(block);
    }

    private static void Receive(NetworkStream from)
    {
        for (var block = new byte[64 << 10]; from.Read(block) > 0;)
        {
        }
    }

    private static void Touch(byte* block, byte with)
    {
        for (long at = 0; at < Step; at += 4096) block[at] = with;
    }

    private static void DropCaches()
    {
        try
        {
            File.WriteAllText("/proc/sys/vm/drop_caches", "1");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not root, or a container: what is filled pushes caches out as well.
        }
    }

    private static long Available() => Math.Min(KernelCounters.MemoryBytes("MemAvailable"), GroupLeft());

    // What the control group of this process has left, version 2 or 1; much where nobody limits it.
    private static long GroupLeft()
    {
        var left = long.MaxValue;
        foreach (var line in Text("/proc/self/cgroup").Split('\n'))
        {
            var fields = line.Split(':', 3);
            if (fields.Length != 3) continue;
            var unified = fields[1].Length == 0;
            if (!unified && !fields[1].Split(',').Contains("memory")) continue;
            var mount = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
            foreach (var group in new[] { mount + fields[2], mount }) // in a container the second is its own
            {
                if (Number($"{group}/{(unified ? "memory.max" : "memory.limit_in_bytes")}") is { } most && Number($"{group}/{(unified ? "memory.current" : "memory.usage_in_bytes")}") is { } used)
                    left = Math.Min(left, Math.Max(0, most - used));
            }
        }

        return left;
    }

    private static long? Number(string file) =>
        long.TryParse(Text(file).Trim(), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var n) ? n : null;

    private static string Text(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Prctl(int option, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParent();

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint bytes, int advice);
}
