// Where a change began, in repositories made for it.
using System.Diagnostics;

namespace SspHost.Gate.Tests;

public sealed class HistoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("gate-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void On_a_branch_it_is_the_fork_however_many_commits_came_since()
    {
        Begin();
        Git("checkout", "-q", "-b", "work");
        Commit("two");
        Commit("three");
        Assert.Equal("one", History.Before(_root, "file").Text);
    }

    [Fact]
    public void On_main_it_is_the_commit_before_or_the_last_where_something_is_not_committed()
    {
        Begin();
        Commit("two");
        Assert.Equal("one", History.Before(_root, "file").Text);
        File.WriteAllText(Path.Combine(_root, "file"), "three");
        Assert.Equal("two", History.Before(_root, "file").Text);
    }

    [Fact]
    public void Without_history_it_is_not_known()
    {
        Assert.Null(History.Before(_root, "file").Text);
        Begin();
        var (text, why) = History.Before(_root, "file");
        Assert.Null(text);
        Assert.Equal("the history ends here", why);
    }

    private void Begin()
    {
        Git("init", "-q", "-b", "main");
        Git("config", "user.name", "a test");
        Git("config", "user.email", "test@example.org");
        Commit("one");
    }

    private void Commit(string text)
    {
        File.WriteAllText(Path.Combine(_root, "file"), text);
        Git("add", "file");
        Git("commit", "-q", "-m", text);
    }

    private void Git(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("git", arguments) { WorkingDirectory = _root })!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
