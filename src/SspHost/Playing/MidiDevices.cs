// Which sources of MIDI are meant by a line of text, and which of them this machine has at the moment.
using System.Globalization;
using SspHost.Abi;

namespace SspHost.Playing;

/// <summary>A raw MIDI device of a sound card.</summary>
/// <param name="Name">What its port is called: "hw:KeyStep,0"; cards by their id, which stays when they are plugged in elsewhere.</param>
/// <param name="Path">/dev/snd/midiC1D0.</param>
internal readonly record struct RawMidi(string Name, string Path);

/// <summary>
/// "auto", "off", or a list with commas of "seq" (the ALSA sequencer with all its ports), "raw" (every raw device of every card), "raw:CARD" or
/// "raw:CARD.DEVICE" (card by number or id) and absolute paths of devices, FIFOs and terminals. Auto is the sequencer where the kernel has one, else raw.
/// </summary>
internal sealed class MidiDevices(string text)
{
    public const string Auto = "auto", Off = "off";

    private const string DeviceFolder = "/dev/snd", SequencerPath = "/dev/snd/seq";
    private const string Expected = "auto, off, or a list of seq, raw, raw:CARD, raw:CARD.DEVICE and absolute paths";

    private readonly string[] _parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>What is wrong with the text, or null.</summary>
    public static string? Check(string text)
    {
        if (text is Auto or Off) return null;
        var parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 0) return Expected;
        foreach (var part in parts)
        {
            var ok = part is "seq" or "raw" || (part.StartsWith("raw:", StringComparison.Ordinal) && Card(part).Card.Length > 0) || IsPath(part);
            if (!ok) return Expected;
        }

        return parts.Count(IsPath) <= MidiLimits.Paths ? null : $"at most {MidiLimits.Paths} paths";
    }

    /// <summary>The sources as they are to be opened now. Changes when raw devices come and go.</summary>
    public MidiConfig Now(Func<IReadOnlyList<RawMidi>> raw)
    {
        var config = default(MidiConfig);
        if (text == Off) return config;
        if (text == Auto)
        {
            if (File.Exists(SequencerPath)) config.Sequencer = 1;
            else foreach (var device in raw()) _ = config.TryAdd(device.Path, device.Name);
            return config;
        }

        foreach (var part in _parts)
        {
            if (part == "seq") config.Sequencer = 1;
            else if (IsPath(part)) _ = config.TryAdd(part, part);
            else foreach (var device in raw().Where(d => Matches(part, d))) _ = config.TryAdd(device.Path, device.Name);
        }

        return config;
    }

    /// <summary>Whether what is listened to depends on which devices there are.</summary>
    public bool Varies => text == Auto || _parts.Any(p => p.StartsWith("raw", StringComparison.Ordinal));

    /// <summary>The raw devices of this machine, by name.</summary>
    public static IReadOnlyList<RawMidi> Raw()
    {
        if (!Directory.Exists(DeviceFolder)) return []; // no sound at all
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(DeviceFolder, "midiC*D*").Select(p => Name(p)).OfType<RawMidi>().OrderBy(d => d.Path, StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The sources of this machine, as settings name them.</summary>
    public static IReadOnlyList<string> Present()
    {
        var raw = Raw().Select(d => "raw:" + d.Name["hw:".Length..].Replace(',', '.'));
        return File.Exists(SequencerPath) ? ["seq", .. raw] : [.. raw];
    }

    private static RawMidi? Name(string path)
    {
        var numbers = Path.GetFileName(path)["midiC".Length..].Split('D');
        if (numbers is not [var card, var device] || !IsNumber(card) || !IsNumber(device)) return null;
        return new RawMidi($"hw:{IdOf(card) ?? card},{device}", path);
    }

    private static string? IdOf(string card)
    {
        try
        {
            return File.ReadAllText($"/proc/asound/card{card}/id").Trim() is { Length: > 0 } id ? id : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // "raw:1.0": card by number or id, and a device or all of them.
    private static bool Matches(string part, RawMidi device)
    {
        if (part == "raw") return true;
        var (card, number) = Card(part);
        var file = Path.GetFileName(device.Path)["midiC".Length..].Split('D');
        var id = device.Name["hw:".Length..device.Name.LastIndexOf(',')];
        return (card == file[0] || card == id) && (number.Length == 0 || number == file[1]);
    }

    private static (string Card, string Device) Card(string part)
    {
        var name = part["raw:".Length..];
        var dot = name.LastIndexOf('.');
        return dot > 0 && IsNumber(name[(dot + 1)..]) ? (name[..dot], name[(dot + 1)..]) : (name, "");
    }

    private static bool IsNumber(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    private static bool IsPath(string part) =>
        Path.IsPathRooted(part) && !part.Contains('\0', StringComparison.Ordinal) && System.Text.Encoding.UTF8.GetByteCount(part) < MidiLimits.PathBytes;
}
