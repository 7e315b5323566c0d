// What makes the engine a process of its own: its session, its log file, its signals.
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.EngineHost;

/// <summary>Set-up that happens once, before anything plays. [start-up]</summary>
internal static unsafe partial class ServiceProcess
{
    private const int SigHup = 1, SigPipe = 13;
    private const nint SigIgnore = 1;

    /// <summary>
    /// Leaves the session of whoever started it, so that neither a closed terminal nor the control process's death reaches the
    /// engine, and sends its output to a file: a pipe to a dead reader would stop it.
    /// </summary>
    public static void Detach(string logPath)
    {
        _ = SetSid();
        _ = Signal(SigHup, SigIgnore);
        _ = Signal(SigPipe, SigIgnore);
        fixed (byte* log = Encoding.UTF8.GetBytes(logPath + "\0"))
        fixed (byte* none = "/dev/null\0"u8)
        {
            var fd = Open(log, 0x1 | 0x40 | 0x400 | 0x80000, 0x180); // O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600
            if (fd >= 0)
            {
                _ = Dup2(fd, 1);
                _ = Dup2(fd, 2);
                _ = Close(fd);
            }

            var empty = Open(none, 0, 0);
            if (empty > 0)
            {
                _ = Dup2(empty, 0);
                _ = Close(empty);
            }
        }
    }

    /// <summary>
    /// The kernel ends this process when <paramref name="owner"/> ends, be it by SIGKILL. False: that is not the process that started this one, or it
    /// is gone already. (The kernel means the thread that started it: one that lives as long as its process.)
    /// </summary>
    public static bool EndWith(int owner)
    {
        const int SetParentDeathSignal = 1, SigKill = 9;
        return Prctl(SetParentDeathSignal, SigKill, 0, 0, 0) == 0 && GetParent() == owner;
    }

    /// <summary>
    /// A word that SIGTERM and SIGINT set to 1, by a handler in C: .NET's own signal handling would allocate when the signal comes.
    /// </summary>
    public static int* WatchTermination() => TerminateWord();

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Prctl(int option, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParent();

    [LibraryImport("libc", EntryPoint = "setsid")]
    private static partial int SetSid();

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int number, nint handler);

    [LibraryImport("libc", EntryPoint = "open")]
    private static partial int Open(byte* path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Dup2(int from, int to);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);

    [LibraryImport("libssphost_native", EntryPoint = "ssp_terminate_word")]
    private static partial int* TerminateWord();
}
