// The settings of a running host: tried at once, gone back from by themselves, kept in ssp.json where the player says so.
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Configuration;
using SspHost.Panel;
using SspHost.Patching;
using SspHost.Remote.Web;
using SspHost.Updates;

namespace SspHost.Playing.Desks;

/// <summary>What a settings desk is made of.</summary>
internal sealed record SettingsTools
{
    /// <summary>What the host was started with.</summary>
    public required Settings Settings { get; init; }

    /// <summary>The configuration file to write to.</summary>
    public required string File { get; init; }

    /// <summary>The state directory.</summary>
    public required string State { get; init; }

    /// <summary>The setup that audio plays on.</summary>
    public required Func<AudioSetup> Playing { get; init; }

    /// <summary>Plays on another one; null, or why it does not play.</summary>
    public required Func<AudioSetup, string?> Play { get; init; }

    /// <summary>What settings mean on this machine, with the lines of the jacks.</summary>
    public required Func<Settings, AudioSetup> Decide { get; init; }

    /// <summary>A setup with the lines its jacks have by now.</summary>
    public required Func<AudioSetup, AudioSetup> Calibrated { get; init; }

    /// <summary>Names of ALSA devices; slow.</summary>
    public required Func<IReadOnlyList<string>> Devices { get; init; }

    /// <summary>Cores this process may use.</summary>
    public required IReadOnlyCollection<int> Cores { get; init; }

    /// <summary>Version and what it runs on.</summary>
    public required Func<IReadOnlyList<string>> About { get; init; }

    /// <summary>Other versions of the system.</summary>
    public UpdateStation Updates { get; init; } = new();

    public required Action<string> Say { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>
/// Thread-safe: a trial may be begun and ended by the panel while its time runs out. Reading what is kept and tried waits for nobody.
/// </summary>
internal sealed class SettingsDesk : ISettingsDesk, IDisposable
{
    private const int TokenLength = 20;

    private static readonly TimeSpan Length = TimeSpan.FromSeconds(ISettingsDesk.TrialLength);
    private static readonly TimeSpan DevicesAge = TimeSpan.FromSeconds(2);

    private readonly SettingsTools _t;
    private readonly Lock _work = new();
    private readonly ITimer _timer;
    private volatile HostSettings _kept;
    private volatile HostSettings? _trial;
    private Settings _settings; // what _kept is of
    private Settings _trying; // what _trial is of
    private AudioSetup? _before; // what played before the trial; null: it plays still
    private long _began;
    private bool _ended;
    private volatile IReadOnlyList<string> _devices;
    private long _devicesAsked;
    private volatile VersionPair _versions = new(null, null);
    private long _versionsAsked;

    public SettingsDesk(SettingsTools tools)
    {
        _t = tools;
        _settings = _trying = tools.Settings;
        _kept = Of(_settings);
        _devices = With(["auto", "sim"], _kept.Device);
        CoreChoices = With(ChoicesOf(tools.Cores), _kept.Cores);
        _timer = tools.Clock.CreateTimer(_ => TimeIsUp(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _ = Task.Run(LookForDevices);
        _ = Task.Run(LookForVersions);
    }

    /// <summary>Serves the panel to browsers elsewhere from now on; null, or why it is served as before. Null: there is no web panel.</summary>
    public Func<WebOptions, string?>? Serve { get; set; }

    /// <summary>Where it is served, "http://127.0.0.1:8440": its port may be any that was free.</summary>
    public Func<string>? ServedAt { get; set; }

    public HostSettings Kept => _kept;

    public HostSettings? Trial => _trial;

    public int TrialSeconds
    {
        get
        {
            if (_trial is null) return 0;
            var left = Length - _t.Clock.GetElapsedTime(Interlocked.Read(ref _began));
            return Math.Clamp((int)Math.Ceiling(left.TotalSeconds), 1, ISettingsDesk.TrialLength);
        }
    }

    public IReadOnlyList<string> Devices
    {
        get
        {
            if (_t.Clock.GetElapsedTime(Interlocked.Read(ref _devicesAsked)) > DevicesAge)
            {
                Interlocked.Exchange(ref _devicesAsked, _t.Clock.GetTimestamp());
                _ = Task.Run(LookForDevices);
            }

            return _devices;
        }
    }

    public IReadOnlyList<string> CoreChoices { get; }

    public IReadOnlyList<string> Addresses => Volatile.Read(ref _trying).Web is { } web && Serve != null ? AddressesOf(web, Uri.TryCreate(ServedAt?.Invoke(), UriKind.Absolute, out var at) ? at.Port : web.Port) : [];

    public IReadOnlyList<string> About => _t.About();

    public string? Newer => Versions.Newer;

    public string? Older => Versions.Older;

    public string? Update() =>
        _t.Updates.OnSticks() is { } found ? _t.Updates.Install(found.Path, Progress) ?? _t.Updates.Leave("restart") : _t.Updates.Busy() ?? "there is no stick with a newer version any more";

    public string? RollBack() => _t.Updates.RollBack(Progress) ?? _t.Updates.Leave("restart");

    public string? Try(HostSettings settings)
    {
        if (Wrong(settings) is { } wrong) return wrong;
        lock (_work)
        {
            if (_ended) return "the host ends";
            if (_trial != null && Back() is { } why) return why;
            var next = Applied(_settings, settings);
            if (TrialMark.Set(_t.State) is { } unmarked) return "nothing is tried while it cannot be noted down: " + unmarked;
            if (Begin(settings, next) is { } failed)
            {
                TrialMark.Clear(_t.State);
                return failed;
            }

            Interlocked.Exchange(ref _began, _t.Clock.GetTimestamp());
            Volatile.Write(ref _trying, next);
            _trial = settings;
            _timer.Change(Length, Timeout.InfiniteTimeSpan);
            return null;
        }
    }

    public string? Keep()
    {
        lock (_work)
        {
            if (_trial is not { } trial) return "nothing is being tried any more: it has gone back to what it was";
            if (Write(trial) is { } why) return why;
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            if (Overruled(trial) is { Count: > 0 } flags)
                _t.Say($"kept in {_t.File}; but this host was started with {string.Join(" and ", flags)}, which goes before it");
            (_settings, _kept, _before) = (_trying, trial, null);
            _trial = null;
            TrialMark.Clear(_t.State);
            return null;
        }
    }

    public string? Revert()
    {
        lock (_work) return _trial is null ? null : Back();
    }

    public void Dispose()
    {
        _timer.Dispose();
        lock (_work)
        {
            _ended = true;
            _trial = null;
            TrialMark.Clear(_t.State); // the engine ends with the host: the next one plays with what is kept
        }
    }

    private void TimeIsUp()
    {
        lock (_work)
        {
            // A timer may come late, and for a trial that has ended meanwhile.
            if (_trial is null || _ended || _t.Clock.GetElapsedTime(Interlocked.Read(ref _began)) < Length - TimeSpan.FromMilliseconds(100)) return;
            _t.Say(Back() ?? $"what was tried was not confirmed within {ISettingsDesk.TrialLength} s: back to what it was");
        }
    }

    // Plays with other settings, or as before where that fails.
    private string? Begin(HostSettings wanted, Settings next)
    {
        _before = null;
        if (SoundDiffers(wanted, _kept))
        {
            var before = _t.Playing();
            if (before.Card == CardKind.PacedStream) return "a recording is played and made here: audio stays as it is";
            if (_t.Play(_t.Decide(next)) is { } why)
                return _t.Play(_t.Calibrated(before)) is { } silent ? $"{why}; and as before it does not play either: {silent}" : why;
            _before = before;
        }

        if (wanted.Network == _kept.Network) return null;
        var refused = Serve is { } serve && next.Web is { } web ? serve(web) : "there is no web panel: it was switched off, or it could not be served";
        if (refused is null) return null;
        return Sound() is { } broken ? $"{refused}; and audio does not play as before: {broken}" : refused;
    }

    // Everything is as it is kept. What comes back is why not.
    private string? Back()
    {
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var trial = _trial;
        Volatile.Write(ref _trying, _settings);
        _trial = null;
        var silent = Sound();
        string? dark = null;
        if (trial != null && trial.Network != _kept.Network && _settings.Web is { } web) dark = Serve?.Invoke(web);
        TrialMark.Clear(_t.State);
        return silent != null ? "what is kept does not play: " + silent : dark;
    }

    private string? Sound()
    {
        var before = _before;
        _before = null;
        return before is null ? null : _t.Play(_t.Calibrated(before));
    }

    private string? Wrong(HostSettings s)
    {
        if (Settings.CheckDevice(s.Device) is { } device) return $"expected a device as {device}, not '{PatchError.OneLine(s.Device)}'";
        foreach (var (key, value) in new[] { ("rate", s.Rate), ("quantum", s.Quantum), ("period", s.Period), ("periods", s.Periods) })
            if (Settings.CheckNumber(key, value) is { } number) return string.Create(CultureInfo.InvariantCulture, $"{key}: expected {number}, not {value}");
        if (s.Cores.Length > 0 && Settings.ParseCores(s.Cores) is null) return $"cores: expected different core numbers such as 2,3, not '{PatchError.OneLine(s.Cores)}'";
        if (s.Cores.Length > 0 && AudioSetup.CheckCores(Settings.ParseCores(s.Cores)!.Value, _t.Cores) is { } cores) return cores;
        return Settings.Themes.Contains(s.Theme, StringComparer.Ordinal) ? null : $"there are no colours called '{PatchError.OneLine(s.Theme)}'";
    }

    private static bool SoundDiffers(HostSettings a, HostSettings b) => a with { Network = b.Network, Theme = b.Theme } != b;

    private static HostSettings Of(Settings s) => new(
        s.Device.Value, s.Rate.Value, s.Quantum.Value, s.Period.Value, s.Periods.Value, string.Join(',', s.Cores.Value), IsNetwork(s), s.Theme.Value);

    private static bool IsNetwork(Settings s) => s.Web is { } web && !IPAddress.IsLoopback(web.Address);

    // What is not changed keeps its origin.
    private static Settings Applied(Settings s, HostSettings wanted)
    {
        var now = Of(s);
        if (wanted.Device != now.Device) s = s with { Device = Kept(wanted.Device) };
        if (wanted.Rate != now.Rate) s = s with { Rate = Kept(wanted.Rate) };
        if (wanted.Quantum != now.Quantum) s = s with { Quantum = Kept(wanted.Quantum) };
        if (wanted.Period != now.Period) s = s with { Period = Kept(wanted.Period) };
        if (wanted.Periods != now.Periods) s = s with { Periods = Kept(wanted.Periods) };
        if (wanted.Cores != now.Cores) s = s with { Cores = Kept(wanted.Cores.Length > 0 ? Settings.ParseCores(wanted.Cores)!.Value : ImmutableArray<int>.Empty) };
        if (wanted.Theme != now.Theme) s = s with { Theme = Kept(wanted.Theme) };
        if (wanted.Network == now.Network) return s;
        var port = s.Web?.Port ?? WebOptions.UsualPort;
        s = s with { WebAddress = Kept(string.Create(CultureInfo.InvariantCulture, $"{(wanted.Network ? "0.0.0.0" : "127.0.0.1")}:{port}")) };
        // Whoever reaches it from elsewhere must know something.
        return wanted.Network && s.WebToken.Value.Length == 0 ? s with { WebToken = Kept(RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", TokenLength)) } : s;

        static Setting<T> Kept<T>(T value) => new(value, Origin.File);
    }

    // What a flag of this host's command line says in place of the file.
    private List<string> Overruled(HostSettings trial)
    {
        var flags = new List<string>();
        void Look(bool changed, Origin origin, string flag)
        {
            if (changed && origin == Origin.Flag) flags.Add(flag);
        }

        var s = _t.Settings;
        Look(trial.Device != _kept.Device, s.Device.Origin, "--device");
        Look(trial.Rate != _kept.Rate, s.Rate.Origin, "--rate");
        Look(trial.Quantum != _kept.Quantum, s.Quantum.Origin, "--quantum");
        Look(trial.Period != _kept.Period, s.Period.Origin, "--period");
        Look(trial.Periods != _kept.Periods, s.Periods.Origin, "--periods");
        Look(trial.Cores != _kept.Cores, s.Cores.Origin, "--cores");
        Look(trial.Network != _kept.Network, s.WebAddress.Origin, "--web");
        return flags;
    }

    // Only what was changed, into the text as a person wrote it.
    private string? Write(HostSettings trial)
    {
        try
        {
            var text = File.Exists(_t.File) ? File.ReadAllBytes(_t.File) : SettingsText.Empty;
            _ = SettingsFile.Parse(text, _t.File); // not ours to mend
            void Set(bool changed, string key, string value)
            {
                if (changed) text = SettingsText.Set(text, key, value);
            }

            Set(trial.Device != _kept.Device, "device", Quoted(trial.Device));
            Set(trial.Rate != _kept.Rate, "rate", Number(trial.Rate));
            Set(trial.Quantum != _kept.Quantum, "quantum", Number(trial.Quantum));
            Set(trial.Period != _kept.Period, "period", Number(trial.Period));
            Set(trial.Periods != _kept.Periods, "periods", Number(trial.Periods));
            Set(trial.Cores != _kept.Cores, "cores", $"[{string.Join(", ", _trying.Cores.Value)}]");
            Set(trial.Theme != _kept.Theme, "theme", Quoted(trial.Theme));
            Set(trial.Network != _kept.Network, "web.address", Quoted(_trying.WebAddress.Value));
            Set(_trying.WebToken != _settings.WebToken, "web.token", Quoted(_trying.WebToken.Value));
            _ = SettingsFile.Parse(text, _t.File);
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_t.File))!);
            // A token is nobody else's business; a file that is there keeps its mode.
            AtomicFile.Write(_t.File, text, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            return null;
        }
        catch (ConfigurationException e)
        {
            return e.Message;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return $"{_t.File}: cannot be written: {PatchError.OneLine(e.Message, 200)}";
        }
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Quoted(string text) => "\"" + JsonEncodedText.Encode(text) + "\"";

    private static IReadOnlyList<string> AddressesOf(WebOptions web, int port)
    {
        var ask = web.Token.Length > 0 ? "/?token=" + web.Token : "";
        var lines = new List<string>();
        foreach (var address in Equals(web.Address, IPAddress.Any) || Equals(web.Address, IPAddress.IPv6Any) ? NetworkAddresses.All(web.Address) : [web.Address])
            lines.Add($"http://{new IPEndPoint(address, port)}{ask}");
        return lines;
    }

    // From one core to all but one, the last ones: the first is where interrupts and everybody else are.
    private static List<string> ChoicesOf(IReadOnlyCollection<int> cores)
    {
        var all = cores.Order().ToArray();
        var choices = new List<string> { "" };
        for (var n = 1; n <= Math.Min(Math.Max(1, all.Length - 1), Limits.MaxThreads); n++) choices.Add(string.Join(',', all[^n..]));
        return choices;
    }

    private static List<string> With(List<string> choices, string one)
    {
        if (!choices.Contains(one, StringComparer.Ordinal)) choices.Add(one);
        return choices;
    }

    // Asked for by a page each frame, looked for every other second.
    private VersionPair Versions
    {
        get
        {
            if (_t.Clock.GetElapsedTime(Interlocked.Read(ref _versionsAsked)) > DevicesAge)
            {
                Interlocked.Exchange(ref _versionsAsked, _t.Clock.GetTimestamp());
                _ = Task.Run(LookForVersions);
            }

            return _versions;
        }
    }

    private void LookForVersions() => _versions = new VersionPair(_t.Updates.OnSticks()?.Brings.Version, _t.Updates.Older?.Version);

    private void Progress(string what, int percent)
    {
        // The page waits; `ssp update` shows more.
    }

    private sealed record VersionPair(string? Newer, string? Older);

    private void LookForDevices()
    {
        try
        {
            _devices = With(["auto", .. _t.Devices().Select(d => "alsa:" + d), "sim"], _kept.Device);
        }
        catch (Exception e) when (e is IOException or DllNotFoundException)
        {
            _t.Say("the sound cards cannot be listed: " + PatchError.OneLine(e.Message));
        }
    }
}
