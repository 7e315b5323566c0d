// Which ALSA devices this machine has, asked of libasound where it is installed.
using System.Runtime.InteropServices;

namespace SspHost.Devices;

/// <summary>A PCM that can be opened.</summary>
/// <param name="Name">For --device alsa:NAME.</param>
/// <param name="Text">What libasound says of it.</param>
/// <param name="Direction">"Input", "Output" or "both".</param>
internal sealed record SoundDevice(string Name, string Text, string Direction);

/// <summary>Looks for cards. libasound is loaded only here, and only if it is there.</summary>
internal static unsafe class SoundCards
{
    private const string CardList = "/proc/asound/cards";

    /// <summary>Whether there is a card and the library to play on it.</summary>
    public static bool Present
    {
        get
        {
            if (Names().Count == 0) return false;
            if (!NativeLibrary.TryLoad("libasound.so.2", out var library)) return false;
            NativeLibrary.Free(library);
            return true;
        }
    }

    /// <summary>The cards as the kernel lists them: "0 [Generic]: HDA-Intel - HD-Audio Generic".</summary>
    public static IReadOnlyList<string> Names()
    {
        try
        {
            return Parse(File.ReadAllLines(CardList));
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>The cards in the kernel's list: two lines each, of which the first begins with a number.</summary>
    public static IReadOnlyList<string> Parse(IReadOnlyList<string> lines) =>
        [.. lines.Select(l => l.Trim()).Where(l => l.Length > 0 && char.IsAsciiDigit(l[0]) && l.Contains('[', StringComparison.Ordinal))];

    /// <summary>The PCMs libasound knows of; empty where it is not installed.</summary>
    public static IReadOnlyList<SoundDevice> Devices()
    {
        if (!NativeLibrary.TryLoad("libasound.so.2", out var library)) return [];
        try
        {
            var hint = (delegate* unmanaged<int, byte*, void***, int>)NativeLibrary.GetExport(library, "snd_device_name_hint");
            var get = (delegate* unmanaged<void*, byte*, byte*>)NativeLibrary.GetExport(library, "snd_device_name_get_hint");
            var free = (delegate* unmanaged<void**, int>)NativeLibrary.GetExport(library, "snd_device_name_free_hint");
            void** hints;
            fixed (byte* pcm = "pcm\0"u8)
                if (hint(-1, pcm, &hints) < 0) return [];
            var devices = new List<SoundDevice>();
            for (var h = hints; *h != null; h++)
            {
                if (Get(get, *h, "NAME\0"u8) is not { } name) continue;
                devices.Add(new SoundDevice(name, (Get(get, *h, "DESC\0"u8) ?? "").Replace('\n', ' '), Get(get, *h, "IOID\0"u8) ?? "both"));
            }

            _ = free(hints);
            return devices;
        }
        catch (EntryPointNotFoundException)
        {
            return [];
        }
        finally
        {
            NativeLibrary.Free(library);
        }
    }

    private static string? Get(delegate* unmanaged<void*, byte*, byte*> get, void* hint, ReadOnlySpan<byte> key)
    {
        fixed (byte* k = key)
        {
            var text = get(hint, k);
            if (text == null) return null;
            var value = Marshal.PtrToStringUTF8((nint)text);
            NativeMemory.Free(text); // malloc'ed by the library, as its manual says
            return value;
        }
    }
}
