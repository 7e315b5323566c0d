// The process that draws the panel, beside the one that plays: it may die on any page, and at rest it hardly collects.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using SspHost.Abi;
using SspHost.Abi.Link;
using Key = SspHost.Panel.Surface.Control;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class PanelProcessTests : IDisposable
{
    private const long BytesOfAGeneration = 16 << 20; // half of what ssp allocates between two collections (GCgen0size in SspHost.csproj)
    private const int RestSeconds = 5, SettleMs = 8000;

    // By which keys one gets to each page.
    private static readonly (string Page, Key[][] Way)[] Ways =
    [
        ("module", [[Key.ShiftRight, Key.K2]]), ("scenes", [[Key.ShiftRight, Key.K3]]), ("jacks", [[Key.ShiftRight, Key.K4]]),
        ("scope", [[Key.ShiftRight, Key.K5]]), ("files", [[Key.ShiftRight, Key.K6]]), ("system", [[Key.ShiftRight, Key.K7]]),
        ("settings", [[Key.ShiftRight, Key.K8]]), ("patch", [[Key.ShiftRight, Key.K1]]), ("add", [[Key.K1]]),
        ("connect", [[Key.ShiftRight, Key.K1], [Key.K2]]),
    ];

    private readonly Runtime _runtime = new();
    private readonly string _address = $"127.0.0.1:{FreePort()}";
    private readonly List<Process> _hosts = [];
    private readonly List<Lines> _lines = [];

    public void Dispose()
    {
        foreach (var host in _hosts)
        {
            if (!host.HasExited) host.Kill(); // a host that is left brings its engine back: it goes first
            host.Dispose();
        }

        _runtime.Dispose();
    }

    [Fact]
    public async Task Killed_on_any_page_the_audio_plays_on_and_page_and_patch_come_back()
    {
        var host = Run();
        using var look = Playing();
        var engine = look.Process!.Pid;
        var start = Audio(look);
        var bars = new List<uint[]>();
        var eye = new PanelEye(_address);
        try
        {
            foreach (var (page, way) in Ways)
            {
                foreach (var chord in way) await eye.PressAsync(chord);
                Eventually.True(() => Remembered() == page, $"the panel is on {page}, not on {Remembered()}", seconds: 20);
                string patch;
                using (var control = new Control(_runtime.File("control.sock")))
                {
                    control.Ask(new JsonObject { ["command"] = "edit", ["edits"] = new JsonObject { ["op"] = "notes", ["notes"] = $"edited on {page}" } });
                    patch = PatchOf(control);
                }

                // The page is remembered before its first picture has come this far.
                uint[] bar = [];
                Eventually.True(
                    () =>
                    {
                        bar = Still(eye);
                        return !bars.Exists(b => b.AsSpan().SequenceEqual(bar));
                    },
                    $"{page} can be told from the pages before", seconds: 20);
                bars.Add(bar);

                var before = Audio(look);
                host.Kill();
                host.WaitForExit();
                eye.Dispose();
                host = Run();
                eye = new PanelEye(_address);
                Eventually.True(() => eye.Bar().AsSpan().SequenceEqual(bar), $"{page} is back", seconds: 20);
                using (var control = new Control(_runtime.File("control.sock"))) Assert.Equal(patch, PatchOf(control));
                var after = Audio(look);
                Assert.False(look.Process.HasExited);
                Assert.True(after.Frames > before.Frames, $"{page}: the audio stands still");
                Assert.Equal(before.PlanSerial, after.PlanSerial); // nobody installed it again
            }
        }
        finally
        {
            eye.Dispose();
        }

        var end = Audio(look);
        Assert.Equal(engine, EngineFile.TryRead(_runtime.Directory)!.Pid);
        Assert.Equal((start.Dropouts, start.LostFrames), (end.Dropouts, end.LostFrames));
        EngineProcessTests.AssertHeapStoodStill(look);
    }

    [Fact]
    public async Task At_rest_with_a_patch_that_plays_and_one_viewer_the_control_process_allocates_less_than_a_collection_a_minute()
    {
        _ = Run();
        using var look = Playing();
        using var eye = new PanelEye(_address);
        await eye.PressAsync(Key.ShiftRight, Key.K1);
        using var control = new Control(_runtime.File("control.sock"));
        _ = AllocatedBytes(control);
        await Task.Delay(SettleMs); // everything has been met once; the worst quanta so far become rare
        var frames = eye.Frames;
        var (clock, before) = (Stopwatch.StartNew(), AllocatedBytes(control));
        await Task.Delay(RestSeconds * 1000);
        var bytes = (AllocatedBytes(control) - before) / clock.Elapsed.TotalSeconds;
        Assert.True(eye.Frames > frames + (5 * RestSeconds), $"{eye.Frames - frames} frames in {RestSeconds} s: the levels do not move");
        Assert.True(bytes < BytesOfAGeneration / 60, $"{bytes:0} bytes a second; a collection a minute are {BytesOfAGeneration / 60}");
    }

    // What the question itself costs is in it.
    private static long AllocatedBytes(Control control) => (long)control.Ask(new JsonObject { ["command"] = "status" })["control"]!["allocatedBytes"]!;

    private static string PatchOf(Control control) => control.Ask(new JsonObject { ["command"] = "patch" })["patch"]!.ToJsonString();

    // The keys of a page as they are once it is drawn.
    private static uint[] Still(PanelEye eye)
    {
        var (bar, since) = (eye.Bar(), Stopwatch.StartNew());
        while (since.ElapsedMilliseconds < 200)
        {
            Thread.Sleep(20);
            var now = eye.Bar();
            if (!now.AsSpan().SequenceEqual(bar)) (bar, since) = (now, Stopwatch.StartNew());
        }

        return bar;
    }

    private string? Remembered()
    {
        var file = Path.Combine(_runtime.Directory, "ssphost", "panel");
        return File.Exists(file) ? File.ReadAllLines(file).FirstOrDefault(l => l.StartsWith("page=", StringComparison.Ordinal))?[5..] : null;
    }

    // A buffer of 43 ms: what is lost is lost because somebody stopped the audio, not because the machine is busy.
    private Process Run()
    {
        var host = Executables.Start(
            Executables.Ssp, _runtime.Directory, [.. _hosts.Count == 0 ? ["run", Executables.Patch("acid-line")] : new[] { "run" }, "--device", "sim", "--quantum", "256", "--periods", "8", "--web", _address]);
        _hosts.Add(host);
        _lines.Add(Executables.Follow(host));
        return host;
    }

    private EngineLink Playing() => Eventually.Get(
        () =>
        {
            EngineLink? link = null;
            try
            {
                link = EngineLink.Look(_runtime.Directory);
                if (link.State == EngineState.Playing && link.TryAudio(out var a) && a.PlanSerial != 0 && a.Quanta > 10) return link;
            }
            catch (Exception e) when (e is EngineGoneException or IOException or InvalidDataException)
            {
                // Not yet.
            }

            link?.Dispose();
            return null;
        },
        "a plan plays\n" + string.Join('\n', _lines.Select(l => l.Text)));

    private static AudioStatus Audio(EngineLink look)
    {
        AudioStatus status = default;
        Eventually.True(() => look.TryAudio(out status), "an audio snapshot");
        return status;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
