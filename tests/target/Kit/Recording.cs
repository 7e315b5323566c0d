// A recording of what the guest plays, while it is made.
namespace SspHost.Target.Kit;

/// <summary>Ends when <see cref="Stop"/> is called, or when it is disposed.</summary>
internal sealed class Recording(Qmp monitor, string file) : IDisposable
{
    private bool _stopped;

    public Wav Stop()
    {
        Dispose();
        return Wav.Read(file);
    }

    public void Dispose()
    {
        if (_stopped) return;
        _stopped = true;
        monitor.Human("stopcapture 0");
    }
}
