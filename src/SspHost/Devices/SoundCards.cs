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

    /// <summary>
    /// The name by which a device is remembered: cards by their id and not by their number, which depends on what was plugged in first;
    /// hw: and plughw: are the same converter.
    /// </summary>
    public static string StableName(string pcm) => StableName(pcm, number => IdOf(number));

    /// <inheritdoc cref="StableName(string)"/>
    public static string StableName(string pcm, Func<int, string?> idOf)
    {
        var colon = pcm.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || pcm[..colon] is not ("hw" or "plughw")) return pcm;
        string card = "0", device = "0";
        var arguments = pcm[(colon + 1)..].Split(',', StringSplitOptions.TrimEntries);
        for (var i = 0; i < arguments.Length; i++)
        {
            var equals = arguments[i].IndexOf('=', StringComparison.Ordinal);
            var key = equals >= 0 ? arguments[i][..equals] : i switch { 0 => "CARD", 1 => "DEV", _ => "" };
            var value = arguments[i][(equals + 1)..];
            if (key == "CARD") card = value;
            else if (key == "DEV") device = value;
        }

        if (int.TryParse(card, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number)) card = idOf(number) ?? card;
        return $"hw:CARD={card},DEV={device}";
    }

    private static string? IdOf(int card)
    {
        try
        {
            return File.ReadAllText(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/proc/asound/card{card}/id")).Trim() is { Length: > 0 } id ? id : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

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
