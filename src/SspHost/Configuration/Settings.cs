// What can be configured, each with its default: one place for ssp.json, its schema, `ssp config` and the flags.
using System.Collections.Immutable;
using System.Globalization;
using SspHost.Abi;
using SspHost.Remote.Web;

namespace SspHost.Configuration;

/// <summary>Where a value came from.</summary>
internal enum Origin
{
    Default,
    File,
    Flag,
}

/// <summary>A value and its origin.</summary>
internal readonly record struct Setting<T>(T Value, Origin Origin)
{
    /// <summary>This one, or the flag's if there was a flag.</summary>
    public Setting<T> Or(T value, bool given) => given ? new Setting<T>(value, Origin.Flag) : this;

    public static implicit operator Setting<T>(T value) => new(value, Origin.Default);
}

/// <summary>A configuration that cannot be used: one line with file and place.</summary>
internal sealed class ConfigurationException(string message) : Exception(message);

/// <summary>The settings of the host. Zero or an empty text means: decide at start.</summary>
internal sealed record Settings
{
    /// <summary>"sim", "alsa:NAME", "wav:IN,OUT", or "auto": ALSA's default where there is a card, else simulated.</summary>
    public Setting<string> Device { get; init; } = "auto";

    /// <summary>Sample rate in Hz.</summary>
    public Setting<int> Rate { get; init; } = 48_000;

    /// <summary>Frames of a quantum; 0 = the patch's, or 128 without real-time privilege.</summary>
    public Setting<int> Quantum { get; init; } = 0;

    /// <summary>Frames of a device period; 0 = a quantum.</summary>
    public Setting<int> Period { get; init; } = 0;

    /// <summary>Periods of the device buffer; 0 = 4, or 3 without real-time privilege.</summary>
    public Setting<int> Periods { get; init; } = 0;

    /// <summary>Cores of the RT threads, the audio thread's first; empty = choose.</summary>
    public Setting<ImmutableArray<int>> Cores { get; init; } = ImmutableArray<int>.Empty;

    /// <summary>Region in MiB.</summary>
    public Setting<int> RegionMib { get; init; } = 256;

    /// <summary>Directory of patches; empty = beside the program.</summary>
    public Setting<string> Patches { get; init; } = "";

    /// <summary>Directory of the journal; empty = $XDG_STATE_HOME/ssphost.</summary>
    public Setting<string> State { get; init; } = "";

    /// <summary>Sample format of renders: pcm16, pcm24 or float.</summary>
    public Setting<string> Format { get; init; } = "pcm24";

    /// <summary>Whether each module is timed while it plays: the dearest paths are worked on first, and what was late has a name.</summary>
    public Setting<bool> ModuleTimes { get; init; } = true;

    /// <summary>"alsa:NAME" of the inputs where it is another device than that of the outputs; empty: the same.</summary>
    public Setting<string> CaptureDevice { get; init; } = "";

    /// <summary>Channel of the ALSA device behind input jack 1, 2, ...; 0 = none; empty = as the device has them.</summary>
    public Setting<ImmutableArray<int>> InputChannels { get; init; } = ImmutableArray<int>.Empty;

    /// <inheritdoc cref="InputChannels"/>
    public Setting<ImmutableArray<int>> OutputChannels { get; init; } = ImmutableArray<int>.Empty;

    /// <summary>Output jacks, from 1, that hold their voltage when frames are lost.</summary>
    public Setting<ImmutableArray<int>> Hold { get; init; } = ImmutableArray<int>.Empty;

    /// <summary>Directories whose libraries of modules are loaded; empty = <see cref="UserModules"/>.</summary>
    public Setting<ImmutableArray<string>> ModuleDirectories { get; init; } = ImmutableArray<string>.Empty;

    /// <summary>Whether a library that changes in those directories is loaded at once.</summary>
    public Setting<bool> ModuleWatch { get; init; } = false;

    /// <summary>Directories of LV2 bundles, with colons between them; empty = $LV2_PATH, else ~/.lv2:/usr/local/lib/lv2:/usr/lib/lv2.</summary>
    public Setting<string> Lv2Path { get; init; } = "";

    /// <summary>Where the web panel is served: an address with or without a port, or "off".</summary>
    public Setting<string> WebAddress { get; init; } = WebOptions.Usual;

    /// <summary>What browsers need to be let in from beyond this machine; empty: nobody is.</summary>
    public Setting<string> WebToken { get; init; } = "";

    /// <summary>Screen, keys and encoders of this machine that are the panel's.</summary>
    public Setting<Board.BoardSettings> Board { get; init; } = new Board.BoardSettings();

    /// <summary>UDP port of OSC; 0: it is off.</summary>
    public Setting<int> OscPort { get; init; } = 0;

    /// <summary>Address on which OSC is heard: whoever reaches it may turn every parameter.</summary>
    public Setting<string> OscAddress { get; init; } = "127.0.0.1";

    /// <summary>Colours of the panel.</summary>
    public Setting<string> Theme { get; init; } = UsualTheme;

    /// <summary>What is used where nothing is said.</summary>
    public const string UsualTheme = "dark";

    /// <summary>Names of the themes.</summary>
    public static IReadOnlyList<string> Themes { get; } = [.. Panel.Drawing.Theme.All.Select(t => t.Name)];

    /// <summary>Where MIDI comes from: "auto", "off" or a list (see <see cref="Playing.MidiDevices"/>).</summary>
    public Setting<string> MidiDevices { get; init; } = Playing.MidiDevices.Auto;

    /// <summary>What program changes of bank 0 do: scenes, patches or off.</summary>
    public Setting<string> MidiPrograms { get; init; } = "scenes";

    /// <summary>MIDI channel 1..16 of program changes; 0: any.</summary>
    public Setting<int> MidiChannel { get; init; } = 0;

    /// <summary>What is wrong with OSC's address, or null.</summary>
    public static string? CheckOsc(string address) => WebOptions.Parse(address) != null && System.Net.IPAddress.TryParse(address, out _) ? null : "an IP address (127.0.0.1; 0.0.0.0 for the whole network)";

    /// <summary>The web panel; null: off.</summary>
    public WebOptions? Web => WebAddress.Value == "off" ? null : WebOptions.Parse(WebAddress.Value, WebToken.Value);

    /// <summary>What is wrong with the web panel's address, or null.</summary>
    public static string? CheckWeb(string address) => address == "off" || WebOptions.Parse(address) != null ? null : WebOptions.Expected;

    /// <summary>The LV2 plugins of this system.</summary>
    public Lv2.Lv2Catalog Lv2 => new(Lv2Path.Value.Length > 0 ? Lv2Path.Value : SspHost.Lv2.Lv2Catalog.UsualPath, StateDirectory);

    /// <summary>Most directories of modules.</summary>
    public const int MostDirectories = 16;

    /// <summary>$XDG_DATA_HOME/ssphost/modules, usually ~/.local/share/ssphost/modules.</summary>
    public static string UserModules => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } xdg ? xdg : Path.Combine(Home, ".local", "share"), "ssphost", "modules");

    /// <summary>The directories of modules as they will be used.</summary>
    public IReadOnlyList<string> LibraryDirectories => ModuleDirectories.Value.Length > 0 ? ModuleDirectories.Value : [UserModules];

    /// <summary>What is wrong with a directory of modules, or null.</summary>
    public static string? CheckDirectory(string directory) =>
        Path.IsPathRooted(directory) && !directory.Contains('\0', StringComparison.Ordinal) ? null : "an absolute path of a directory";

    /// <summary>Directory of the journal as it will be used.</summary>
    public string StateDirectory
    {
        get
        {
            if (State.Value.Length > 0) return State.Value;
            if (Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } xdg) return Path.Combine(xdg, "ssphost");
            return Path.Combine(Home, ".local", "state", "ssphost");
        }
    }

    /// <summary>The user's home, whether it exists or not: an empty one would make everything below relative to where a command was typed.</summary>
    public static string Home => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify) is { Length: > 0 } home ? home : "/";

    /// <summary>What is wrong with a device's name, or null.</summary>
    public static string? CheckDevice(string device)
    {
        if (device is "auto" or "sim") return null;
        if (device.StartsWith("alsa:", StringComparison.Ordinal))
            return System.Text.Encoding.UTF8.GetByteCount(device) - 5 is > 0 and < 128 ? null : "the name of an ALSA device after alsa: (at most 127 bytes)";
        if (device.StartsWith("wav:", StringComparison.Ordinal))
            return device[4..].Split(',') is [_, _] parts && (parts[0].Length > 0 || parts[1].Length > 0) ? null : "wav:IN,OUT (one of the two may be empty)";
        return "sim, alsa:NAME, wav:IN,OUT or auto";
    }

    /// <summary>Whether the number is one that <paramref name="key"/> may have; else what was expected.</summary>
    public static string? CheckNumber(string key, int value)
    {
        var (ok, expected) = key switch
        {
            "rate" => (value is >= Limits.MinRate and <= Limits.MaxRate, $"{Limits.MinRate} to {Limits.MaxRate} Hz"),
            "quantum" => (value == 0 || Limits.IsQuantum(value), $"a power of two from {Limits.MinQuantum} to {Limits.MaxQuantum}"),
            "period" => (value is 0 or (>= 16 and <= 65_536), "16 to 65536 frames"),
            "periods" => (value is 0 or (>= 2 and <= 64), "2 to 64"),
            "regionMib" => (value is >= 64 and <= 16_384, "64 to 16384 MiB"),
            "cores" => (value is >= 0 and < 1024, "core numbers from 0"),
            "inputs" or "outputs" => (value is >= 0 and <= AudioConfig.MaxDeviceChannels, $"channels from 1 to {AudioConfig.MaxDeviceChannels}, or 0 for none"),
            "osc.port" => (value is >= 0 and <= 65_535, "a port from 1 to 65535, or 0 for none"),
            "midi.channel" => (value is >= 0 and <= 16, "a channel from 1 to 16, or 0 for any"),
            "hold" => (value is >= 1 and <= Limits.MaxJacks, $"jacks from 1 to {Limits.MaxJacks}"),
            _ => throw new ArgumentOutOfRangeException(nameof(key), key, "no such number"),
        };
        return ok ? null : expected;
    }

    /// <summary>Reads "2,3" or "2-4,6". Null with what was expected.</summary>
    public static ImmutableArray<int>? ParseCores(string text)
    {
        var cores = ImmutableArray.CreateBuilder<int>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var ends = part.Split('-');
            if (ends.Length is < 1 or > 2 || !TryCore(ends[0], out var first) || !TryCore(ends[^1], out var last) || last < first) return null;
            for (var c = first; c <= last; c++)
            {
                if (cores.Contains(c) || cores.Count == Limits.MaxThreads) return null;
                cores.Add(c);
            }
        }

        return cores.ToImmutable();
    }

    private static bool TryCore(string text, out int core) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out core) && CheckNumber("cores", core) == null;
}
