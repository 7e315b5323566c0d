// How deaths are read and what follows from them; how children are started and how their ends are told apart.
using SspHost.Abi.Link;
using SspHost.Supervision;

namespace SspHost.Tests;

public sealed class SupervisionTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ssp-sup-").FullName;

    [Fact]
    public void Two_deaths_within_thirty_seconds_of_loading_open_the_patch_stopped()
    {
        var policy = new DeathPolicy();
        policy.Loaded(At(0));
        Assert.Equal(AfterDeath.PlayOn, policy.Died(At(5), fromOutside: false));
        policy.Loaded(At(6));
        Assert.Equal(AfterDeath.OpenStopped, policy.Died(At(20), fromOutside: false));
    }

    [Fact]
    public void A_patch_that_played_half_a_minute_is_trusted_again()
    {
        var policy = new DeathPolicy();
        policy.Loaded(At(0));
        Assert.Equal(AfterDeath.PlayOn, policy.Died(At(5), fromOutside: false));
        policy.Loaded(At(6));
        Assert.Equal(AfterDeath.PlayOn, policy.Died(At(37), fromOutside: false));
        policy.Loaded(At(38));
        Assert.Equal(AfterDeath.PlayOn, policy.Died(At(40), fromOutside: false)); // the first one within thirty seconds of loading
        policy.Loaded(At(41));
        Assert.Equal(AfterDeath.OpenStopped, policy.Died(At(43), fromOutside: false));
    }

    [Fact]
    public void An_edit_between_two_deaths_does_not_make_the_first_one_forgotten()
    {
        var policy = new DeathPolicy();
        policy.Loaded(At(0));
        policy.Died(At(5), fromOutside: false);
        policy.Loaded(At(6));
        policy.Loaded(At(9));
        Assert.Equal(AfterDeath.OpenStopped, policy.Died(At(12), fromOutside: false));
    }

    [Fact]
    public void Being_killed_from_outside_is_nobodys_fault_however_often()
    {
        var policy = new DeathPolicy();
        for (var i = 0; i < 100; i++)
        {
            policy.Loaded(At(i));
            Assert.Equal(AfterDeath.PlayOn, policy.Died(At(i + 0.5), fromOutside: true));
        }
    }

    [Fact]
    public void After_forgiveness_the_count_begins_anew()
    {
        var policy = new DeathPolicy();
        policy.Loaded(At(0));
        policy.Died(At(1), fromOutside: false);
        policy.Forgive();
        Assert.Equal(AfterDeath.PlayOn, policy.Died(At(2), fromOutside: false));
    }

    [Theory]
    [InlineData("fault: module echo key 17 signal 11", "echo", 17ul, 11)]
    [InlineData("12.5 fault: module my key tone key 0xff signal 8\r", "my key tone", 255ul, 8)]
    public void A_fault_line_names_module_key_and_signal(string line, string module, ulong key, int signal) =>
        Assert.Equal(new EngineFault(module, key, signal), EngineLog.ParseFault(line));

    [Theory]
    [InlineData("")]
    [InlineData("ssp-engine: serving")]
    [InlineData("fault: module echo")]
    [InlineData("fault: module  key 1 signal")]
    [InlineData("fault: module x key y signal 11")]
    [InlineData("fault: module x key 1 signal -")]
    public void Any_other_line_is_no_fault(string line) => Assert.Null(EngineLog.ParseFault(line));

    [Fact]
    public void Only_what_was_logged_since_counts()
    {
        var log = Path.Combine(_directory, "engine.log");
        File.WriteAllText(log, "fault: module old key 1 signal 11\n");
        var from = EngineLog.Length(log);
        Assert.Null(EngineLog.LastFault(log, from));
        File.AppendAllText(log, "serving\nfault: module new key 2 signal 11\nlast words\n");
        Assert.Equal("new", EngineLog.LastFault(log, from)!.Module);
        Assert.Equal("last words", EngineLog.LastLine(log, from));
        EngineLog.Rotate(log, 10);
        Assert.False(File.Exists(log));
        Assert.Null(EngineLog.LastFault(log, from));
    }

    [Theory]
    [InlineData("exit 3", 3, 0, false)]
    [InlineData("kill -SEGV $$", -1, 11, false)]
    [InlineData("kill -KILL $$", -1, 9, true)]
    [InlineData("kill -TERM $$", -1, 15, true)]
    public void The_end_of_a_child_is_told_apart(string script, int code, int signal, bool fromOutside)
    {
        var output = Path.Combine(_directory, "out");
        var pid = EngineLauncher.Spawn(["/bin/sh", "-c", "echo said; echo also >&2; " + script], output);
        using (var process = EngineProcess.Open(pid)) Assert.True(process == null || process.Wait(120_000));
        ChildEnd? end = null;
        for (var i = 0; i < 60_000 && (end = EngineLauncher.TryReap(pid)) == null; i++) Thread.Sleep(1);
        Assert.Equal(new ChildEnd(code, signal), end);
        Assert.Equal(fromOutside, end!.Value.FromOutside);
        Assert.Equal("said\nalso\n", File.ReadAllText(output));
        Assert.Null(EngineLauncher.TryReap(pid));
    }

    [Fact]
    public void A_child_gets_the_environment_and_no_open_pipe()
    {
        Environment.SetEnvironmentVariable("SSP_TEST_WORD", "grüße");
        var output = Path.Combine(_directory, "out");
        var pid = EngineLauncher.Spawn(["/bin/sh", "-c", "echo $SSP_TEST_WORD; for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done"], output);
        using (var process = EngineProcess.Open(pid)) process?.Wait(120_000);
        for (var i = 0; i < 60_000 && EngineLauncher.TryReap(pid) == null; i++) Thread.Sleep(1);
        var lines = File.ReadAllLines(output);
        Assert.Equal(["grüße", "/dev/null", output, output], lines);
    }

    [Fact]
    public void A_program_that_is_not_there_is_said_by_its_name() =>
        Assert.StartsWith("/no/such/engine: cannot be started", Assert.Throws<IOException>(() => EngineLauncher.Spawn(["/no/such/engine"], Path.Combine(_directory, "out"))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task The_slot_lends_its_engine_until_nobody_uses_it_and_says_when_there_is_none()
    {
        using var engine = new FakeEngine();
        using var slot = new EngineSlot();
        Assert.Throws<EngineGoneException>(() => slot.Use(link => link.Session));
        Assert.Equal(7, slot.Try(_ => 1, otherwise: 7));
        var link = EngineLink.Over(engine.Map, () => false);
        slot.Put(link);
        using var inside = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        var borrower = Task.Run(() => slot.Use(l =>
        {
            inside.Set();
            leave.Wait();
            l.SetDiagnostics(Abi.DiagnosticFlags.None); // still there
        }));
        inside.Wait();
        var swap = Task.Run(() => slot.Put(null));
        Assert.False(swap.IsCompleted && !borrower.IsCompleted);
        leave.Set();
        await Task.WhenAll(borrower, swap);
        Assert.Throws<ObjectDisposedException>(() => link.SetDiagnostics(Abi.DiagnosticFlags.None));
        Assert.Equal(1, slot.Generation);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);
}
