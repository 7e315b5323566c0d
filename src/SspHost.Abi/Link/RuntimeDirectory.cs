// Where the two processes of one host find each other: one private directory per user.
using System.Globalization;
using System.Runtime.InteropServices;

namespace SspHost.Abi.Link;

/// <summary>
/// The runtime directory: <c>$SSP_RUNTIME</c>, else <c>$XDG_RUNTIME_DIR/ssphost</c>, else <c>/run/ssphost</c> for root and
/// <c>/tmp/ssphost-UID</c> for everybody else. Always 0700 and owned by the user who runs the host.
/// </summary>
public static partial class RuntimeDirectory
{
    /// <summary>Path of the directory as the environment gives it; it need not exist.</summary>
    public static string Locate() => Locate(Environment.GetEnvironmentVariable, GetEuid());

    /// <summary>The rule itself, over any environment.</summary>
    public static string Locate(Func<string, string?> environment, uint user)
    {
        if (environment("SSP_RUNTIME") is { Length: > 0 } given) return Path.GetFullPath(given);
        if (environment("XDG_RUNTIME_DIR") is { Length: > 0 } xdg) return Path.Combine(xdg, "ssphost");
        return user == 0 ? "/run/ssphost" : "/tmp/ssphost-" + user.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// Makes the directory 0700 if it is missing. Throws <see cref="IOException"/> where it exists and other users may write to it:
    /// somebody else could put a socket there first.
    /// </summary>
    public static void Ensure(string path)
    {
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        if (File.Exists(path)) throw new IOException($"{path}: the runtime directory is a file");
        Directory.CreateDirectory(path, Private);
        var mode = File.GetUnixFileMode(path);
        if ((mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
            throw new IOException($"{path}: others may write to the runtime directory; expected mode 0700 (chmod 700 {path})");
        if (Access(path) != 0) throw new IOException($"{path}: the runtime directory cannot be written by this user");
    }

    private static unsafe int Access(string path)
    {
        fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(path + "\0")) return AccessCall(name, 2 | 1); // W_OK | X_OK
    }

    [LibraryImport("libc", EntryPoint = "access")]
    private static unsafe partial int AccessCall(byte* path, int mode);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEuid();
}
