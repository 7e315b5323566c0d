// The updates of this machine, from the side that is not root: a file is put where root finds it, a word is left, an answer is read.
using System.Diagnostics;
using System.Globalization;
using SspHost.Panel.Files;
using SspHost.Patching;

namespace SspHost.Updates;

/// <summary>What root said last.</summary>
/// <param name="State">checking, writing, verifying: it works; installed, confirmed, failed: it is done; empty: it was never asked.</param>
/// <param name="Percent">How far it is.</param>
/// <param name="Name">The system it is about.</param>
/// <param name="Version">Its version.</param>
/// <param name="Boot">The start of the machine in which it was said.</param>
/// <param name="Reason">Why it failed.</param>
internal sealed record UpdateState(string State, int Percent, string Name, string Version, string Boot, string Reason)
{
    public static UpdateState None { get; } = new("", 0, "", "", "", "");

    public bool Works => State is "checking" or "writing" or "verifying";
}

/// <summary>Thread-safe: there is nothing in here but where things are.</summary>
/// <param name="root">"/", or a directory in its place for tests.</param>
internal sealed class UpdateStation(string root = "/")
{
    private const int Step = 1 << 20;
    private static readonly TimeSpan Hearing = TimeSpan.FromSeconds(30);

    /// <summary>The slot that runs, "a" or "b"; null: this system was not started from one.</summary>
    public string? Slot => Word("ssp.slot") is "a" or "b" ? Word("ssp.slot") : null;

    /// <summary>Whether the slot that runs was started for trial.</summary>
    public bool Trial => Word("ssp.trial") == "1";

    /// <summary>The system that runs.</summary>
    public SystemIdentity Own => IdentityIn("etc/ssphost/system") ?? SystemIdentity.Unknown;

    /// <summary>The system in the other slot, if it has played; null: there is none.</summary>
    public SystemIdentity? Older => Slot is { } slot ? IdentityIn($"data/update/played-{(slot == "a" ? "b" : "a")}") : null;

    public UpdateState State => Read().State;

    private string Inbox => Path.Combine(root, "data/deploy/update");

    private string StatusFile => Path.Combine(root, "data/update/status");

    private string BootId => Text("proc/sys/kernel/random/boot_id").Trim();

    /// <summary>What is known of updates, a line each.</summary>
    public IReadOnlyList<string> Describe()
    {
        if (Slot is not { } slot) return [NoSlot];
        var own = Own;
        var lines = new List<string> { $"slot {slot}: {Called(own)}{(Trial && !ConfirmedNow ? ", on trial until it has played for some seconds" : "")}" };
        if (Older is { } older) lines.Add($"before: {Called(older)} (ssp update --rollback)");
        if (Result() is { } result) lines.Add(result);
        return lines;
    }

    /// <summary>What became of the last thing asked for, as one line; null: nothing was.</summary>
    public string? Result()
    {
        var s = State;
        return s.State switch
        {
            "" => null,
            _ when s.Works && s.Boot == BootId => string.Create(CultureInfo.InvariantCulture, $"{s.State} {s.Version}: {s.Percent} %"),
            _ when s.Works => $"the machine went off while version {s.Version} was installed: install it again",
            "installed" when s.Boot == BootId => $"version {s.Version} is installed; it is tried at the next start (ssp update --restart)",
            "installed" when s.Name == Own.Name => Trial ? $"version {s.Version} is on trial" : null,
            "installed" => $"version {s.Version} was tried and not confirmed: this is the version before",
            "confirmed" => $"version {s.Version} was confirmed",
            _ => "failed: " + s.Reason,
        };
    }

    /// <summary>Why nothing can be asked for now; null: something can.</summary>
    public string? Busy()
    {
        if (Slot is null) return NoSlot;
        var s = State;
        return s.Works && s.Boot == BootId ? string.Create(CultureInfo.InvariantCulture, $"an update is being installed ({s.State}, {s.Percent} %)") : null;
    }

    /// <summary>What speaks against a file, as far as it can be told without its signature; null: nothing.</summary>
    public string? Unfit(string path, out SystemIdentity? brings)
    {
        brings = UpdateFile.Read(path, out var why);
        if (brings is null) return why;
        var own = Own;
        if (own.Arch.Length > 0 && brings.Arch != own.Arch) return $"{path}: {brings.Name} is for {brings.Arch}, this is {own.Arch}";
        if (brings.Board != own.Board) return $"{path}: {brings.Name} is for board '{brings.Board}', this is '{own.Board}'";
        return brings.Serial < own.Serial ? $"{path}: {brings.Name} is older than what runs; ssp update --rollback goes back to the version before" : null;
    }

    /// <summary>The newest update for this machine on the sticks that are plugged in; null: none that is newer than what runs.</summary>
    public (string Path, SystemIdentity Brings)? OnSticks() => Slot is null ? null : Newest(Sticks.Read(Path.Combine(root, "proc/self/mountinfo")).Select(s => s.Root));

    /// <inheritdoc cref="OnSticks"/>
    internal (string Path, SystemIdentity Brings)? Newest(IEnumerable<string> directories)
    {
        (string Path, SystemIdentity Brings)? best = null;
        var own = Own.Serial;
        foreach (var directory in directories)
        {
            foreach (var path in Files(directory))
            {
                if (Unfit(path, out var brings) is null && brings!.Serial > Math.Max(own, best?.Brings.Serial ?? -1)) best = (path, brings);
            }
        }

        return best;
    }

    /// <summary>Puts a file where root finds it, asks root to install it, and waits for the answer; null, or why it is not installed.</summary>
    public string? Install(string path, Action<string, int> progress)
    {
        if (Busy() is { } busy) return busy;
        if (Unfit(path, out _) is { } unfit) return unfit;
        try
        {
            using var mine = Lock();
            if (mine is null) return "somebody else is about to install an update";
            if (Room(new FileInfo(path).Length) is { } full) return full;
            var part = Path.Combine(Inbox, "incoming.part");
            Copy(path, part, progress);
            File.Move(part, Path.Combine(Inbox, "incoming.update"), overwrite: true);
            return Ask("install", progress);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"the update cannot be taken in: {PatchError.OneLine(e.Message, 200)}";
        }
    }

    /// <summary>Fetches a file, and installs it like one that is there.</summary>
    public string? Fetch(Uri from, Action<string, int> progress)
    {
        if (Busy() is { } busy) return busy;
        var fetched = Path.Combine(Inbox, $"fetched-{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}");
        try
        {
            progress("fetching", 0);
            Directory.CreateDirectory(Inbox);
            var free = new DriveInfo(Path.GetFullPath(Inbox)).AvailableFreeSpace;
            using var curl = Process.Start(new ProcessStartInfo(
                "curl",
                [
                    "--fail", "--location", "--silent", "--show-error", "--proto", "=http,https", "--connect-timeout", "20", "--speed-limit", "1000", "--speed-time", "60",
                    "--max-filesize", Math.Max(1, free / 2).ToString(CultureInfo.InvariantCulture), "--output", fetched, "--", from.AbsoluteUri,
                ]) { RedirectStandardError = true })!;
            var said = curl.StandardError.ReadToEnd();
            curl.WaitForExit();
            if (curl.ExitCode != 0) return $"{from.AbsoluteUri}: {PatchError.OneLine(said.Trim(), 200)}";
            return Install(fetched, progress)?.Replace(fetched, from.AbsoluteUri, StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            return $"{from.AbsoluteUri}: cannot be fetched: {PatchError.OneLine(e.Message, 200)}";
        }
        finally
        {
            Remove(fetched);
        }
    }

    /// <summary>Lets the version before be tried at the next start; null, or why not.</summary>
    public string? RollBack(Action<string, int> progress)
    {
        if (Busy() is { } busy) return busy;
        if (Older is null) return "there is no version before this one";
        return Ask("rollback", progress);
    }

    /// <summary>Leaves a word for root without waiting for an answer; null, or why it cannot be left.</summary>
    public string? Leave(string word)
    {
        if (Slot is null) return NoSlot;
        try
        {
            var request = Path.Combine(Inbox, "request");
            File.WriteAllText(request + ".new", word + "\n");
            File.Move(request + ".new", request, overwrite: true);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"an update cannot be asked for: {PatchError.OneLine(e.Message, 200)}";
        }
    }

    private const string NoSlot = "this system cannot change itself: it was not started from a slot of an image";

    private bool ConfirmedNow => State is { State: "confirmed" } s && s.Boot == BootId;

    private static string Called(SystemIdentity s) => s.Version.Length > 0 ? $"version {s.Version} ({s.Name})" : "a version without a name";

    // The answer is another file than before: root never writes into one, it puts a new one in its place.
    private string? Ask(string word, Action<string, int> progress)
    {
        var before = Read().Stamp;
        if (Leave(word) is { } why) return why;
        var clock = Stopwatch.StartNew();
        while (true)
        {
            Thread.Sleep(100);
            var (state, stamp) = Read();
            if (stamp == before)
            {
                if (clock.Elapsed > Hearing) return "nobody answers: does ssp-update.path run?";
                continue;
            }

            if (state.State == "failed") return state.Reason;
            if (!state.Works) return null;
            progress(state.State, state.Percent);
        }
    }

    private FileStream? Lock()
    {
        Directory.CreateDirectory(Inbox);
        try
        {
            return new FileStream(Path.Combine(Inbox, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private string? Room(long needs)
    {
        var free = new DriveInfo(Path.GetFullPath(Inbox)).AvailableFreeSpace;
        return free > needs + Step
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"not enough space: the update has {(needs + Step - 1) / Step} MiB, {Inbox} has {free / Step} MiB free");
    }

    private static void Copy(string path, string to, Action<string, int> progress)
    {
        using var from = File.OpenRead(path);
        using var into = new FileStream(to, new FileStreamOptions
        {
            Mode = FileMode.Create, Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
        });
        var block = new byte[Step];
        for (int n; (n = from.Read(block)) > 0;)
        {
            into.Write(block, 0, n);
            progress("copying", (int)(into.Position * 100 / Math.Max(from.Length, 1)));
        }
    }

    private (UpdateState State, (DateTime, long) Stamp) Read()
    {
        try
        {
            var file = new FileInfo(StatusFile);
            if (!file.Exists) return (UpdateState.None, default);
            var values = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var line in File.ReadLines(file.FullName))
            {
                if (line.IndexOf('=', StringComparison.Ordinal) is > 0 and var at) values[line[..at]] = line[(at + 1)..];
            }

            string Of(string key) => values.GetValueOrDefault(key, "");
            _ = int.TryParse(Of("percent"), NumberStyles.None, CultureInfo.InvariantCulture, out var percent);
            return (new UpdateState(Of("state"), Math.Clamp(percent, 0, 100), Of("name"), Of("version"), Of("boot"), PatchError.OneLine(Of("reason"), 300)), (file.LastWriteTimeUtc, file.Length));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (UpdateState.None, default);
        }
    }

    private SystemIdentity? IdentityIn(string path) =>
        SystemIdentity.Parse(Text(path)) is { Version.Length: > 0 } identity ? identity : null;

    private string? Word(string key) =>
        Text("proc/cmdline").Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(w => w.StartsWith(key + "=", StringComparison.Ordinal))?[(key.Length + 1)..];

    private string Text(string path)
    {
        try
        {
            return File.ReadAllText(Path.Combine(root, path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static IEnumerable<string> Files(string directory)
    {
        try
        {
            return Directory.GetFiles(directory, "*" + UpdateFile.Extension);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // it was pulled out
        }
    }

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next update finds less room.
        }
    }
}
