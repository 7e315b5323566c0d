// A playback stream with its parameters set, for a moment: a sound driver gives its data lines their directions then, and needs no clock for it.
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Devices;

/// <summary>See <see cref="Board.BoardCodec"/> for why that is wanted before a codec leaves its reset.</summary>
internal static unsafe class DataLanes
{
    private const int Playback = 0, NonBlock = 1, S32 = 10, Interleaved = 3;
    private const uint LatencyMicroseconds = 20_000; // any will do: nothing is played

    /// <summary>Opens, sets and closes; null, or one line why not.</summary>
    public static string? Give(string pcm, int channels, int rate)
    {
        if (!NativeLibrary.TryLoad("libasound.so.2", out var library)) return "libasound.so.2 is not installed (apt install libasound2)";
        var open = (delegate* unmanaged<void**, byte*, int, int, int>)NativeLibrary.GetExport(library, "snd_pcm_open");
        var set = (delegate* unmanaged<void*, int, int, uint, uint, int, uint, int>)NativeLibrary.GetExport(library, "snd_pcm_set_params");
        var close = (delegate* unmanaged<void*, int>)NativeLibrary.GetExport(library, "snd_pcm_close");
        void* handle = null;
        int error;
        fixed (byte* name = Encoding.UTF8.GetBytes(pcm + "\0")) error = open(&handle, name, Playback, NonBlock);
        if (error < 0) return $"{pcm}: {Text(error)}";
        error = set(handle, S32, Interleaved, (uint)channels, (uint)rate, 0, LatencyMicroseconds);
        _ = close(handle);
        return error < 0 ? FormattableString.Invariant($"{pcm} with {channels} channels at {rate} Hz: {Text(error)}") : null;
    }

    private static string Text(int error) => new System.ComponentModel.Win32Exception(-error).Message;
}
