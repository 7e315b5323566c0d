// Recordings for tests, made and read by outside tools: espeak-ng speaks, sox converts. What our own WAV code says of itself proves nothing.
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace SspHost.EndToEnd.Tests;

internal static class Recordings
{
    /// <summary>A spoken sentence as a mono 48 kHz 16-bit WAV file.</summary>
    public static async Task<string> Speech(Runtime runtime)
    {
        var raw = runtime.File("spoken.wav");
        var file = runtime.File("voice.wav");
        await Tool("espeak-ng", "-w", raw, "Patch the oscillator into the filter, and turn the knob slowly to the right.");
        await Tool("sox", raw, "-r", "48000", "-b", "16", "-c", "1", file);
        return file;
    }

    /// <summary>Samples of one channel (0-based) of a WAV file as sox reads them, full scale 1.</summary>
    public static async Task<float[]> Channel(string file, int channel)
    {
        var raw = file + $".{channel}.f32";
        await Tool("sox", file, "-t", "f32", "-e", "floating-point", "-b", "32", raw, "remix", (channel + 1).ToString(System.Globalization.CultureInfo.InvariantCulture));
        return MemoryMarshal.Cast<byte, float>(await File.ReadAllBytesAsync(raw)).ToArray();
    }

    public static async Task Tool(string name, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var error = process.StandardError.ReadToEndAsync();
        _ = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{name} {string.Join(' ', arguments)}: {await error}");
    }
}
