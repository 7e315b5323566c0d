// `ssp update` and the Settings page: what they say, what they refuse before root is asked, and what becomes of what they ask for.
using System.Net;
using System.Net.Sockets;
using System.Text;
using SspHost.Commands;
using SspHost.Updates;

namespace SspHost.Tests.Updates;

public sealed class UpdateStationTests : IDisposable
{
    private readonly UpdateBench _bench = new();
    private readonly List<string> _told = [];

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_file_is_installed_and_is_what_the_next_start_tries()
    {
        _bench.ServeAlways();
        Assert.Null(_bench.Station.Install(_bench.MakeUpdate("2.0.0", 200), Tell));
        Assert.Equal(_bench.Image("2.0.0"), _bench.Slot("b"));
        Assert.Contains("copying", _told);
        Assert.Contains("tried at the next start", _bench.Station.Result(), StringComparison.Ordinal);
        // After the start: on trial, confirmed; or the version before again.
        _bench.Runs("b", trial: true);
        _bench.Is("2.0.0", 200);
        Assert.True(_bench.Station.Trial);
        File.WriteAllText(_bench.In("disk/1/tried"), "1");
        Assert.Null(_bench.Station.Leave("confirm"));
        Assert.True(SpinWait.SpinUntil(() => _bench.Station.State.State == "confirmed", TimeSpan.FromSeconds(30)));
        Assert.Equal(["slot b: version 2.0.0 (ssphost-2.0.0-test)", "before: version 1.0.0 (ssphost-1.0.0-test) (ssp update --rollback)", "version 2.0.0 was confirmed"], _bench.Station.Describe());
        Assert.Null(_bench.Station.RollBack(Tell));
        Assert.Equal("slot-b try", _bench.Marks);
    }

    [Fact]
    public void A_trial_that_was_not_confirmed_is_told_after_the_next_start()
    {
        _bench.ServeAlways();
        Assert.Null(_bench.Station.Install(_bench.MakeUpdate("2.0.0", 200), Tell));
        File.WriteAllText(_bench.In("proc/sys/kernel/random/boot_id"), "another-start\n");
        Assert.Equal("version 2.0.0 was tried and not confirmed: this is the version before", _bench.Station.Result());
    }

    [Fact]
    public void What_root_refuses_comes_back_as_its_reason()
    {
        _bench.ServeAlways();
        var file = _bench.MakeUpdate("2.0.0", 200);
        var bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        Assert.Equal("the update file was changed or is damaged", _bench.Station.Install(file, Tell));
        Assert.Equal("the update file was changed or is damaged", Assert.Throws<CommandException>(() => UpdateCommand.Run(_bench.Station, file, rollback: false, restart: true)).Message);
        Assert.False(File.Exists(_bench.In("restarted")), "what failed is not started");
    }

    [Fact]
    public void What_can_be_told_at_once_is_refused_before_it_is_copied()
    {
        var station = _bench.Station;
        Assert.Contains("there is no such file", station.Install(_bench.In("nothing"), Tell), StringComparison.Ordinal);
        File.WriteAllText(_bench.In("text.update"), "hello");
        Assert.Contains("too short", station.Install(_bench.In("text.update"), Tell), StringComparison.Ordinal);
        File.WriteAllBytes(_bench.In("zero.update"), new byte[5000]);
        Assert.Contains("no update file", station.Install(_bench.In("zero.update"), Tell), StringComparison.Ordinal);
        Assert.Contains("is for riscv64", station.Install(_bench.MakeUpdate("2.0.0", 200, arch: "riscv64"), Tell), StringComparison.Ordinal);
        Assert.Contains("older than what runs", station.Install(_bench.MakeUpdate("0.9.0", 99), Tell), StringComparison.Ordinal);
        Assert.Contains("no version before", station.RollBack(Tell), StringComparison.Ordinal);
        Assert.Empty(_told);
        Assert.False(File.Exists(_bench.Incoming));
    }

    [Fact]
    public void While_one_is_installed_another_is_refused_and_a_power_cut_ends_that()
    {
        var file = _bench.MakeUpdate("2.0.0", 200);
        Directory.CreateDirectory(_bench.In("data/update"));
        var boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        File.WriteAllText(_bench.In("data/update/status"), $"state=writing\npercent=40\nversion=2.0.0\nboot={boot}\n");
        Assert.Equal("an update is being installed (writing, 40 %)", _bench.Station.Install(file, Tell));
        Assert.Equal("writing 2.0.0: 40 %", _bench.Station.Result());
        File.WriteAllText(_bench.In("data/update/status"), "state=writing\npercent=40\nversion=2.0.0\nboot=before\n");
        Assert.Contains("install it again", _bench.Station.Result(), StringComparison.Ordinal);
        _bench.ServeAlways();
        Assert.Null(_bench.Station.Install(file, Tell));
    }

    [Fact]
    public void Two_at_once_are_one_and_a_refusal()
    {
        var file = _bench.MakeUpdate("2.0.0", 200);
        using (new FileStream(_bench.In("data/deploy/update/lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
            Assert.Equal("somebody else is about to install an update", _bench.Station.Install(file, Tell));
    }

    [Fact]
    public void A_machine_without_slots_says_so()
    {
        File.WriteAllText(_bench.In("proc/cmdline"), "root=/dev/sda1 quiet\n");
        Assert.Contains("not started from a slot", _bench.Station.Install(_bench.In("x"), Tell), StringComparison.Ordinal);
        Assert.Contains("not started from a slot", Assert.Single(_bench.Station.Describe()), StringComparison.Ordinal);
        Assert.Null(_bench.Station.Older);
        Assert.Null(_bench.Station.OnSticks());
    }

    [Fact]
    public void Of_the_updates_on_a_stick_the_newest_that_fits_is_taken()
    {
        var stick = Directory.CreateDirectory(_bench.In("STICK")).FullName;
        foreach (var (version, serial, arch) in new[] { ("0.9.0", 90, null), ("1.0.0", 100, null), ("2.0.0", 200, null), ("3.0.0", 300, null), ("4.0.0", 400, "riscv64") })
            File.Copy(_bench.MakeUpdate(version, serial, arch), Path.Combine(stick, $"x{version}.update"));
        File.WriteAllText(Path.Combine(stick, "holiday.update"), "a picture");
        Assert.Equal("3.0.0", _bench.Station.Newest([_bench.In("gone"), stick])!.Value.Brings.Version);
        _bench.Is("3.0.0", 300);
        Assert.Null(_bench.Station.Newest([stick]));
        Assert.Null(_bench.Station.OnSticks());
        Assert.Contains("no stick has an update", Assert.Throws<CommandException>(() => UpdateCommand.Run(_bench.Station, "usb", rollback: false, restart: false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_is_fetched_and_installed_and_one_with_nothing_behind_it_is_told()
    {
        _bench.ServeAlways();
        var file = _bench.MakeUpdate("2.0.0", 200);
        using var server = new OneFile(File.ReadAllBytes(file));
        Assert.Null(_bench.Station.Fetch(new Uri(server.Address + "good.update"), Tell));
        Assert.Equal(_bench.Image("2.0.0"), _bench.Slot("b"));
        Assert.Contains("404", _bench.Station.Fetch(new Uri(server.Address + "missing"), Tell), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_bench.In("data/deploy/update"), "fetched-*"));
    }

    [Fact]
    public void Header_bytes_at_random_are_read_without_a_fault()
    {
        var good = File.ReadAllBytes(_bench.MakeUpdate("2.0.0", 200))[..1024];
        Assert.Equal(new SystemIdentity("ssphost-2.0.0-test", "2.0.0", 200, UpdateBench.Architecture, "bench"), UpdateFile.Parse(good, "x", out _));
        var random = new Random(3);
        for (var i = 0; i < 2000; i++)
        {
            var bad = (byte[])good.Clone();
            for (var n = random.Next(1, 20); n > 0; n--) bad[random.Next(17, bad.Length)] = (byte)random.Next(256);
            var read = UpdateFile.Parse(bad, "x", out var why);
            Assert.True((read is null) == (why != null));
            Assert.True(read is null || read.Name.All(char.IsAscii));
        }
    }

    private void Tell(string what, int percent) => _told.Add(what);

    /// <summary>A web server with one file.</summary>
    private sealed class OneFile : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        public OneFile(byte[] file)
        {
            _listener.Start();
            _ = Task.Run(async () =>
            {
                try
                {
                    while (true)
                    {
                        using var client = await _listener.AcceptTcpClientAsync();
                        var stream = client.GetStream();
                        var block = new byte[4096];
                        var asked = Encoding.ASCII.GetString(block, 0, await stream.ReadAsync(block));
                        var found = asked.StartsWith("GET /good.update", StringComparison.Ordinal);
                        var head = found ? $"HTTP/1.1 200 OK\r\nContent-Length: {file.Length}\r\nConnection: close\r\n\r\n" : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                        await stream.WriteAsync(Encoding.ASCII.GetBytes(head));
                        if (found) await stream.WriteAsync(file);
                    }
                }
                catch (Exception e) when (e is ObjectDisposedException or SocketException or IOException)
                {
                    // The test is over.
                }
            });
        }

        public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/";

        public void Dispose() => _listener.Dispose();
    }
}
