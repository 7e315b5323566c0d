// A host of a test's own that plays on the simulated card, looked at through its region.
using System.Diagnostics;
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.EndToEnd.Tests;

/// <summary>`ssp run` of a patch, in a runtime directory of its own; ended with it, however the test ends.</summary>
internal sealed class PlayingHost : IDisposable
{
    private const int SigInt = 2;

    private readonly Runtime _runtime = new();
    private readonly Process _process;
    private readonly Lines _lines;

    public PlayingHost(string patch, params string[] arguments)
    {
        _process = Executables.Start(Executables.Ssp, _runtime.Directory, ["run", patch, .. arguments, "--device", "sim", .. arguments.Contains("--web") || arguments.Contains("--config") ? [] : Executables.NoPanel]);
        _lines = Executables.Follow(_process);
        Look = WaitForSound(0);
    }

    public string Directory => _runtime.Directory;

    /// <summary>Process of `ssp run`, which its environment has become.</summary>
    public int Pid => _process.Id;

    /// <summary>What it has printed.</summary>
    public string Text => _lines.Text;

    /// <summary>The engine that plays.</summary>
    public EngineLink Look { get; private set; }

    public AudioStatus Audio
    {
        get
        {
            AudioStatus status = default;
            Eventually.True(() => Look.TryAudio(out status), "an audio snapshot");
            return status;
        }
    }

    /// <summary>Waits until another engine than the present one plays.</summary>
    public void WaitForNextEngine()
    {
        var pid = Look.Process!.Pid;
        Look.Dispose();
        Look = WaitForSound(pid);
    }

    /// <summary>Ctrl-C, as a person ends it; it must leave with 0.</summary>
    public void End()
    {
        using (var handle = EngineProcess.Open(_process.Id)) handle?.Signal(SigInt);
        Assert.True(_process.WaitForExit(120_000), "Ctrl-C ends it");
        Assert.True(_process.ExitCode == 0, $"exit code {_process.ExitCode}\n{Text}");
    }

    public void Dispose()
    {
        Look.Dispose();
        if (!_process.HasExited) _process.Kill(); // a host that is left brings its engine back: it goes first
        _process.Dispose();
        _runtime.Dispose();
    }

    private EngineLink WaitForSound(int notThis) => Eventually.Get(
        () =>
        {
            EngineLink? link = null;
            try
            {
                link = EngineLink.Look(_runtime.Directory);
                if (link.Process!.Pid != notThis && link.State == EngineState.Playing && link.TryAudio(out var a) && a.PlanSerial != 0 && a.Quanta > 50) return link;
            }
            catch (Exception e) when (e is EngineGoneException or IOException or InvalidDataException)
            {
                // Not yet.
            }

            link?.Dispose();
            return null;
        },
        "a plan plays\n" + Text);
}
