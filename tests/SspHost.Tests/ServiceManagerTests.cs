// What a service manager is told, and by what the watchdog is fed: audio that goes on, and nothing else.
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using SspHost.Abi.Link;
using SspHost.Abi;
using SspHost.Supervision;

namespace SspHost.Tests;

public sealed class ServiceManagerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ssp-notify-").FullName;
    private readonly Socket _systemd = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    [Fact]
    public void Whoever_was_not_started_by_a_manager_has_none()
    {
        Assert.Null(ServiceManager.Find(_ => null));
        Assert.Null(ServiceManager.Find(Environment("relative/path")));
        Assert.Null(ServiceManager.Find(Environment("/" + new string('x', 200))));
        Assert.Null(ServiceManager.Find(Environment("vsock:2:1234"))); // of virtual machines, not ours
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void It_hears_of_the_start_of_the_end_and_of_what_changes(bool nameless)
    {
        var address = nameless ? "@ssp-test-" + Guid.NewGuid().ToString("N") : Path.Combine(_directory, "notify");
        _systemd.Bind(new UnixDomainSocketEndPoint(nameless ? "\0" + address[1..] : address));
        using var manager = ServiceManager.Find(Environment(address))!;
        manager.Ready("Acid line");
        Assert.Equal("READY=1\nSTATUS=Acid line", Heard());
        manager.Status("Acid line"); // nothing new
        manager.Status("playing:\nAcid line");
        Assert.StartsWith("STATUS=playing:", Heard(), StringComparison.Ordinal); // a line break would begin another variable
        manager.Feed();
        Assert.Equal("WATCHDOG=1", Heard());
        manager.Stopping();
        Assert.Equal("STOPPING=1", Heard());
        Assert.Equal(0, _systemd.Available);
    }

    [Fact]
    public void One_that_has_gone_is_no_reason_to_stop_playing()
    {
        using var manager = ServiceManager.Find(Environment(Path.Combine(_directory, "nobody")))!;
        manager.Ready("x");
        manager.Feed();
    }

    [Theory]
    [InlineData("5000000", null, 5.0)]
    [InlineData("5000000", "self", 5.0)]
    [InlineData("5000000", "1", null)] // it is another process's
    [InlineData("0", null, null)]
    [InlineData("soon", null, null)]
    [InlineData(null, null, null)]
    public void The_watchdog_is_asked_for_by_the_environment(string? microseconds, string? pid, double? seconds)
    {
        if (pid == "self") pid = System.Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        using var manager = ServiceManager.Find(Environment(Path.Combine(_directory, "w"), ("WATCHDOG_USEC", microseconds), ("WATCHDOG_PID", pid)))!;
        Assert.Equal(seconds, manager.Watchdog?.TotalSeconds);
    }

    [Fact]
    public void Audio_that_plays_has_played_more_each_time()
    {
        var progress = new AudioProgress();
        Assert.True(progress.Judge(EngineState.Playing, away: false, 10, generation: 1));
        Assert.True(progress.Judge(EngineState.Playing, away: false, 11, generation: 1));
        Assert.False(progress.Judge(EngineState.Playing, away: false, 11, generation: 1)); // it hangs
        Assert.True(progress.Judge(EngineState.Playing, away: false, 12, generation: 1));
        Assert.True(progress.Judge(EngineState.Playing, away: false, 12, generation: 2)); // another engine that has come as far
    }

    [Fact]
    public void A_device_that_is_known_to_be_gone_is_no_hang_and_an_engine_that_is_not_there_is_one()
    {
        var progress = new AudioProgress();
        Assert.True(progress.Judge(EngineState.Playing, away: false, 10, generation: 1));
        Assert.True(progress.Judge(EngineState.Playing, away: true, 10, generation: 1));
        Assert.True(progress.Judge(EngineState.DeviceLost, away: false, 10, generation: 1));
        Assert.False(progress.Judge(EngineState.Starting, away: false, 0, generation: 1));
        Assert.False(progress.Judge(EngineState.Stopped, away: false, 10, generation: 1)); // it was wanted
    }

    public void Dispose()
    {
        _systemd.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static Func<string, string?> Environment(string notify, params (string Name, string? Value)[] more) =>
        name => name == "NOTIFY_SOCKET" ? notify : more.FirstOrDefault(m => m.Name == name).Value;

    private string Heard()
    {
        var bytes = new byte[1000];
        _systemd.ReceiveTimeout = 10_000;
        return Encoding.UTF8.GetString(bytes, 0, _systemd.Receive(bytes));
    }
}
