// Whether the card, the disk and the kernel's figures are what a player needs.
using System.Globalization;
using SspHost.Abi.Link;

namespace SspHost.Diagnostics;

internal static class SoundChecks
{
    private const long LeastDisk = 50L << 20;

    public static Finding Card(DoctorFacts f)
    {
        const string id = "card";
        var cards = (f.Files.Text("proc/asound/cards") ?? "").Split('\n').Where(l => l.Contains('[', StringComparison.Ordinal)).ToArray();
        if (f.Device == "sim" || f.Device.StartsWith("wav:", StringComparison.Ordinal)) return Finding.Fine(id, "no sound card is asked for");
        return cards.Length > 0
            ? Finding.Fine(id, $"{cards.Length.ToString(CultureInfo.InvariantCulture)} sound card{(cards.Length == 1 ? "" : "s")}")
            : Finding.Of(id, f.Device == "auto" ? Severity.Note : Severity.Error, "there is no sound card", "one", "nothing will be heard", "modprobe snd-usb-audio, or plug one in; ssp devices lists them");
    }

    public static Finding Codec(DoctorFacts f) => f.Codec switch
    {
        null => Finding.Fine("codec", "this host sets no codec's registers"),
        "" => Finding.Fine("codec", "the codec's registers are as they were set"),
        var wrong => Finding.Of("codec", Severity.Error, wrong, "its registers as they were set", "nothing is heard, or not in volts", "start `ssp run` anew, which resets it; then look at its wires (board/README.md) and at \"board.codec\" in ssp.json"),
    };

    /// <summary>No cause of dropouts: of modules that are missed.</summary>
    public static Finding Plugins(DoctorFacts f) => f.Lilv == false
        ? Finding.Of("lv2", Severity.Note, "liblilv is not installed", "liblilv-0.so.0", "LV2 plugins are not found, and patches that use them play silence in their place", "apt install liblilv-0-0")
        : Finding.Fine("lv2", f.Lilv == true ? "LV2 plugins are looked for" : "nobody looked for liblilv");

    /// <summary>The period that a card really got, against the quantum.</summary>
    public static Finding Period(DoctorFacts f)
    {
        const string id = "period";
        var quantum = f.Engine is { Quantum: > 0 } e ? e.Quantum : f.Quantum;
        foreach (var (path, _) in Streams(f))
        {
            if (f.Engine is { } engine && OwnerOf(f, path) is { } owner && owner != engine.Pid && !Within(f, owner, engine.Pid)) continue;
            var text = f.Files.Text(path + "/hw_params");
            if (Field(text, "period_size:") is not { } period || Field(text, "buffer_size:") is not { } buffer) continue;
            if (buffer < 2 * quantum)
                return Finding.Of(id, Severity.Error, Text($"the card's buffer is {buffer} frames, the quantum {quantum}"), "two quanta or more", "while one quantum is played the next must have a place", Text($"--period {quantum} --periods 3"));
            return period % quantum == 0
                ? Finding.Fine(id, Text($"the card's period is {period} frames, {period / quantum} quanta"))
                : Finding.Of(id, Severity.Note, Text($"the card's period is {period} frames, the quantum {quantum}"), Text($"a multiple of {quantum}"), "some wake-ups bring one quantum more than others: the longest of them decides the load that is possible", Text($"--period {quantum}"));
        }

        return Finding.Fine(id, "no card plays at present");
    }

    public static Finding Busy(DoctorFacts f)
    {
        const string id = "card-busy";
        if (!f.Device.StartsWith("alsa:hw:", StringComparison.Ordinal) && !f.Device.StartsWith("alsa:plughw:", StringComparison.Ordinal)) return Finding.Fine(id, "no card is asked for by its number");
        var name = f.Device[(f.Device.IndexOf("hw:", StringComparison.Ordinal) + 3)..].Split(',');
        foreach (var (path, card) in Streams(f))
        {
            if (card != name[0] && f.Files.Text($"proc/asound/{card}/id") != name[0] && card != "card" + name[0]) continue;
            if (OwnerOf(f, path) is not { } owner || owner == f.Engine?.Pid || (f.Engine is { } e && Within(f, owner, e.Pid))) continue;
            var who = SchedulingChecks.Printable(f.Files.Text(Text($"proc/{owner}/comm")) ?? "another program");
            return Finding.Of(id, Severity.Error, Text($"{who} ({owner}) has {f.Device}"), "a free card", "the card cannot be opened", who is "pipewire" or "pulseaudio" or "wireplumber" ? "systemctl --user stop pipewire.socket pipewire pulseaudio.socket pulseaudio" : Text($"kill {owner}"));
        }

        return Finding.Fine(id, "the card is free");
    }

    public static Finding Disk(DoctorFacts f)
    {
        const string id = "disk";
        return f.DiskFree < 0 || f.DiskFree >= LeastDisk
            ? Finding.Fine(id, f.DiskFree < 0 ? "nobody says how full the disk is" : $"{EngineWords.Bytes(f.DiskFree)} free for the journal")
            : Finding.Of(id, Severity.Warning, $"{EngineWords.Bytes(f.DiskFree)} free for the journal in {f.StateDirectory}", $"{EngineWords.Bytes(LeastDisk)} or more", "edits are not kept over a power cut and reports are not written; the sound goes on", "delete what is not needed, or name another directory as \"state\" in ssp.json");
    }

    public static Finding Files(DoctorFacts f)
    {
        const string id = "open-files";
        return f.Files.Limit("self", "Max open files") is { } limit and >= 0 and < 512
            ? Finding.Of(id, Severity.Warning, Text($"a process may open {limit} files"), "1024", "clients, samples and measuring need some; what cannot be opened is missing", "ulimit -n 4096; in a service: LimitNOFILE=4096")
            : Finding.Fine(id, "enough files may be open");
    }

    /// <summary>Not for the sound but for finding out about it.</summary>
    public static Finding Measuring(DoctorFacts f)
    {
        const string id = "measuring";
        var missing = new List<string>();
        if (!f.Files.Exists("proc/pressure/cpu")) missing.Add("pressure (psi=1)");
        if (f.Files.Text($"proc/{f.Process}/schedstat") is not { } sched) missing.Add("waiting times of threads (CONFIG_SCHED_INFO)");
        else if (f.Engine != null && sched.StartsWith("0 0 0", StringComparison.Ordinal)) missing.Add("waiting times of threads (delayacct)");
        return missing.Count == 0
            ? Finding.Fine(id, "the kernel tells pressure and waiting times")
            : Finding.Of(id, Severity.Note, $"the kernel does not tell: {string.Join(", ", missing)}", "both", "a report on a dropout cannot say who was waiting for what", "psi=1 delayacct on the kernel's command line");
    }

    public static Finding Tracing(DoctorFacts f)
    {
        const string id = "tracing";
        return f.Files.Exists("sys/kernel/tracing/events/sched") || f.Files.Exists("sys/kernel/debug/tracing/events/sched")
            ? Finding.Fine(id, "the kernel's scheduler can be traced")
            : Finding.Of(id, Severity.Note, "the kernel's scheduler cannot be traced", "tracefs with the events of the scheduler, readable", "a trace cannot say who took the core from the audio thread", "mount -t tracefs nodev /sys/kernel/tracing, and run ssp trace as root");
    }

    // Streams that play: /proc/asound/card0/pcm0p/sub0.
    private static IEnumerable<(string Path, string Card)> Streams(DoctorFacts f) =>
        from card in f.Files.Names("proc/asound", "card*")
        where card.Length > 4 && char.IsAsciiDigit(card[4])
        from pcm in f.Files.Names($"proc/asound/{card}", "pcm*p")
        from sub in f.Files.Names($"proc/asound/{card}/{pcm}", "sub*")
        select ($"proc/asound/{card}/{pcm}/{sub}", card);

    private static int? OwnerOf(DoctorFacts f, string stream) => Field(f.Files.Text(stream + "/status"), "owner_pid") is { } owner ? (int)owner : null;

    // ALSA names the thread that opened the stream.
    private static bool Within(DoctorFacts f, int tid, int pid) => f.Files.Exists(Text($"proc/{pid}/task/{tid}"));

    private static long? Field(string? text, string name)
    {
        foreach (var line in (text ?? "").Split('\n'))
        {
            if (!line.StartsWith(name, StringComparison.Ordinal)) continue;
            var value = line[name.Length..].Trim(' ', ':', '\t').Split(' ')[0];
            return long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : null;
        }

        return null;
    }

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
