// The kernel's promise that no core sleeps so deeply that waking takes long: it holds while a file is open with 0 in it.
using Microsoft.Win32.SafeHandles;
using SspHost.Engine.Service;

namespace SspHost.EngineHost;

/// <summary>Held by the engine and not by the control process, which may be started anew while audio plays. The board's cores need 250 and 500 us otherwise.</summary>
internal static class CpuLatency
{
    /// <summary>Who may open it is a matter of udev rules; null where it may not be, which costs wake-ups and no more.</summary>
    public static SafeFileHandle? Hold(string path = "/dev/cpu_dma_latency")
    {
        try
        {
            var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            RandomAccess.Write(file, new byte[sizeof(int)], 0);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.Line("ssp-engine: /dev/cpu_dma_latency cannot be held: cores may sleep deeply between two quanta"u8);
            return null;
        }
    }
}
