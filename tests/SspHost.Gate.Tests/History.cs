// The accepted file as it was where a change began, by git: the branch's fork from main, or the commit before on main itself.
using System.Diagnostics;

namespace SspHost.Gate.Tests;

/// <summary>Only a look: no history (an archive, a shallow clone) is no error, the file then speaks for itself.</summary>
internal static class History
{
    private static readonly string[] Mains = ["origin/main", "main", "origin/master", "master"];

    /// <summary>The text of <paramref name="path"/> before the change in the checkout at <paramref name="root"/>, and where that is from; null: not known.</summary>
    public static (string? Text, string Commit) Before(string root, string path)
    {
        if (Git(root, "rev-parse", "HEAD") is not { } head) return (null, "no history here");
        var fork = Mains.Select(m => Git(root, "merge-base", "HEAD", m)).FirstOrDefault(static c => c != null);
        // On main itself a change is what is not committed yet, or else the last commit.
        var dirty = Git(root, "status", "--porcelain", "--", path) is { Length: > 0 };
        var commit = fork != null && fork != head ? fork : dirty ? head : Git(root, "rev-parse", "HEAD^");
        if (commit == null) return (null, "the history ends here");
        return Git(root, "show", $"{commit}:{path}") is { } text ? (text, commit[..12]) : (null, $"{commit[..12]} has no such file");
    }

    private static string? Git(string root, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("git", arguments) { WorkingDirectory = root, RedirectStandardOutput = true, RedirectStandardError = true })!;
            var errors = process.StandardError.ReadToEndAsync();
            var text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            _ = errors.Result;
            return process.ExitCode == 0 ? text.TrimEnd('\n') : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // no git
        }
    }
}
