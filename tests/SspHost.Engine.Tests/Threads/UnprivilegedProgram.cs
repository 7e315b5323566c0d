// The test assembly run as nobody: from a copy, as the repository may lie where only its owner may enter.
using System.Diagnostics;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Tests.Threads;

/// <summary>A copy of this assembly's output directory that everybody can read, for as long as it is not disposed of.</summary>
internal sealed class UnprivilegedProgram : IDisposable
{
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Enterable = Readable | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly string _folder;

    public UnprivilegedProgram()
    {
        // TMPDIR may be as private as the repository.
        var parent = IsOpenToAll(Path.GetTempPath()) ? Path.GetTempPath() : "/tmp";
        _folder = Path.Combine(parent, Path.GetRandomFileName());
        Copy(new DirectoryInfo(AppContext.BaseDirectory), _folder);
    }

    /// <summary>Why nobody could run .NET here, or null.</summary>
    public static string? WhyNot
    {
        get
        {
            var host = new FileInfo(Environment.ProcessPath!);
            var real = host.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? host.FullName;
            return ThreadCalls.GetEuid() != 0 || (IsOpenToAll(host.FullName) && IsOpenToAll(real)) ? null : $"nobody may not run {real}";
        }
    }

    /// <summary>Runs <see cref="ChildProgram"/> without the rights to real-time priorities; as root, as nobody.</summary>
    public (int Code, string Output, string Errors) Run(string argument)
    {
        List<string> command = [];
        if (ThreadCalls.GetEuid() == 0) command.AddRange(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
        var assembly = Path.Combine(_folder, Path.GetFileName(typeof(ChildProgram).Assembly.Location));
        command.AddRange(["prlimit", "--rtprio=0", Environment.ProcessPath!, "exec", assembly, argument]);
        var start = new ProcessStartInfo(command[0])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = _folder,
        };
        foreach (var word in command.Skip(1)) start.ArgumentList.Add(word);
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // its sockets would need a writable TMPDIR
        using var child = Process.Start(start)!;
        var errors = child.StandardError.ReadToEndAsync();
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return (child.ExitCode, output, errors.Result);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Copy(DirectoryInfo from, string to)
    {
        Directory.CreateDirectory(to);
        File.SetUnixFileMode(to, Enterable); // whatever the umask says
        foreach (var file in from.EnumerateFiles())
        {
            var copy = Path.Combine(to, file.Name);
            file.CopyTo(copy);
            File.SetUnixFileMode(copy, Readable);
        }

        foreach (var folder in from.EnumerateDirectories()) Copy(folder, Path.Combine(to, folder.Name));
    }

    // Whether everybody may enter each folder on the way, and the last.
    private static bool IsOpenToAll(string path)
    {
        for (var at = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)); at != null; at = Path.GetDirectoryName(at))
            if ((File.GetUnixFileMode(at) & UnixFileMode.OtherExecute) == 0) return false;
        return true;
    }
}

/// <summary>A fact that needs .NET to run as nobody.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class UnprivilegedFactAttribute : FactAttribute
{
    public UnprivilegedFactAttribute() => Skip = UnprivilegedProgram.WhyNot;
}
