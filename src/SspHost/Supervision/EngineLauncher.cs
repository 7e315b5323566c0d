// Starts the engine process: found beside this one, output to a file, no pipe between the two.
using System.Collections;
using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi.Link;

namespace SspHost.Supervision;

/// <summary>How a child ended.</summary>
/// <param name="Code">Exit code, or -1 where a signal ended it.</param>
/// <param name="Signal">The signal, or 0.</param>
internal readonly record struct ChildEnd(int Code, int Signal)
{
    private const int SigKill = 9, SigTerm = 15;

    /// <summary>Whether somebody outside ended it (kill, the out-of-memory killer): no module did that.</summary>
    public bool FromOutside => Signal is SigKill or SigTerm;

    public override string ToString() =>
        Signal switch
        {
            0 => string.Create(CultureInfo.InvariantCulture, $"exit code {Code}"),
            4 => "illegal instruction (signal 4)",
            6 => "abort (signal 6)",
            7 => "bus error (signal 7)",
            8 => "arithmetic fault (signal 8)",
            9 => "killed (signal 9)",
            11 => "memory fault (signal 11)",
            _ => string.Create(CultureInfo.InvariantCulture, $"signal {Signal}"),
        };
}

/// <summary>
/// Children are made by posix_spawn only: it neither copies page tables nor makes locked pages copy-on-write. Not by
/// <see cref="System.Diagnostics.Process"/>, which would tie the engine's output to this process.
/// </summary>
internal static unsafe partial class EngineLauncher
{
    private const int OpaqueBytes = 512; // posix_spawn_file_actions_t is 80 bytes in glibc and less in musl
    private const long LogLimit = 1 << 20;

    /// <summary>Path of the engine executable: $SSP_ENGINE, else beside this program. Throws <see cref="FileNotFoundException"/> saying where it looked.</summary>
    public static string FindExecutable()
    {
        if (Environment.GetEnvironmentVariable("SSP_ENGINE") is { Length: > 0 } given)
            return File.Exists(given) ? given : throw new FileNotFoundException($"$SSP_ENGINE names {given}, which does not exist");
        var beside = Path.Combine(AppContext.BaseDirectory, "ssp-engine");
        return File.Exists(beside) ? beside : throw new FileNotFoundException($"the engine is missing: expected {beside} (or set $SSP_ENGINE)");
    }

    /// <summary>
    /// Starts an engine in a runtime directory and waits until it serves. Throws <see cref="EngineGoneException"/> with the last
    /// line of its log if it leaves before, <see cref="EngineTimeoutException"/> if it does neither.
    /// </summary>
    /// <param name="bound">It ends with the calling thread, and so with this process, however that ends.</param>
    public static int Launch(string runtime, int regionMib, TimeSpan patience, bool locks = true, bool bound = false)
    {
        var log = Path.Combine(runtime, EngineLog.FileName);
        EngineLog.Rotate(log, LogLimit);
        var from = EngineLog.Length(log);
        var pid = Spawn(
            [
                FindExecutable(), "--runtime", runtime, "--region-mib", regionMib.ToString(CultureInfo.InvariantCulture), .. locks ? Array.Empty<string>() : ["--unlocked"],
                .. bound ? ["--owner", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)] : Array.Empty<string>(),
            ],
            log);
        var deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        while (true)
        {
            if (EngineFile.TryRead(runtime) is { } file && file.Pid == pid && file.IsAlive()) return pid;
            if (TryReap(pid) is { } end)
                throw new EngineGoneException($"the engine left while it started ({end}){LastWords(log, from)}");
            if (Environment.TickCount64 > deadline)
            {
                _ = Kill(pid, 9);
                throw new EngineTimeoutException($"the engine (process {pid}) was not ready after {patience.TotalSeconds:0.#} s and was ended{LastWords(log, from)}");
            }

            Thread.Sleep(1);
        }
    }

    /// <summary>How a child of this process ended; null while it runs or if it is not a child of this process.</summary>
    public static ChildEnd? TryReap(int pid)
    {
        int status;
        if (WaitPid(pid, &status, 1) != pid) return null; // WNOHANG
        return (status & 0x7F) == 0 ? new ChildEnd((status >> 8) & 0xFF, 0) : new ChildEnd(-1, status & 0x7F);
    }

    /// <summary>Runs a program with its output in a file and returns its pid.</summary>
    public static int Spawn(IReadOnlyList<string> command, string output)
    {
        var environment = new List<string>();
        foreach (DictionaryEntry e in Environment.GetEnvironmentVariables()) environment.Add($"{e.Key}={e.Value}");
        var argv = Strings(command);
        var envp = Strings(environment);
        var actions = stackalloc byte[OpaqueBytes];
        try
        {
            _ = FileActionsInit(actions);
            fixed (byte* none = "/dev/null\0"u8)
            fixed (byte* file = Encoding.UTF8.GetBytes(output + "\0"))
            {
                const int ReadOnly = 0, AppendCreate = 0x1 | 0x40 | 0x400; // O_WRONLY | O_CREAT | O_APPEND
                _ = FileActionsAddOpen(actions, 0, none, ReadOnly, 0);
                _ = FileActionsAddOpen(actions, 1, file, AppendCreate, 0x180); // 0600
                _ = FileActionsAddDup2(actions, 1, 2);
                int pid;
                var errno = PosixSpawn(&pid, argv[0], actions, null, argv, envp);
                return errno == 0 ? pid : throw new IOException($"{command[0]}: cannot be started: {new Win32Exception(errno).Message}");
            }
        }
        finally
        {
            _ = FileActionsDestroy(actions);
            Release(argv);
            Release(envp);
        }
    }

    private static string LastWords(string log, long from) => EngineLog.LastLine(log, from) is { } line ? ": " + line : "";

    private static byte** Strings(IReadOnlyList<string> items)
    {
        var list = (byte**)NativeMemory.AllocZeroed((nuint)items.Count + 1, (nuint)sizeof(byte*));
        for (var i = 0; i < items.Count; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(items[i]);
            list[i] = (byte*)NativeMemory.AllocZeroed((nuint)bytes.Length + 1);
            bytes.CopyTo(new Span<byte>(list[i], bytes.Length));
        }

        return list;
    }

    private static void Release(byte** list)
    {
        for (var i = 0; list[i] != null; i++) NativeMemory.Free(list[i]);
        NativeMemory.Free(list);
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn")]
    private static partial int PosixSpawn(int* pid, byte* path, byte* actions, void* attributes, byte** argv, byte** envp);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int FileActionsInit(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int FileActionsDestroy(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen")]
    private static partial int FileActionsAddOpen(byte* actions, int fd, byte* path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int FileActionsAddDup2(byte* actions, int from, int to);

    [LibraryImport("libc", EntryPoint = "waitpid")]
    private static partial int WaitPid(int pid, int* status, int options);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
