// `ssp-engine bench latency`: the round trip from an output to an input, through a cable, for every period and quantum.
using System.Globalization;
using System.Text;
using System.Text.Json;
using SspHost.Abi;

namespace SspHost.EngineHost.Bench;

/// <summary>One combination, as asked and as the card became.</summary>
/// <param name="Refused">Why nothing was measured, or empty.</param>
/// <param name="Buffer">Frames of the card's buffer: what a round trip takes if cable and converters take nothing.</param>
/// <param name="Frames">Median of the bursts that came back.</param>
/// <param name="Found">How many did, of <paramref name="Played"/>.</param>
internal sealed record LatencyRow(int Period, int Quantum, string Refused, int CardPeriod, int Buffer, double Frames, int Found, int Played, ulong Lost);

/// <summary>
/// On the simulated card, whose cable is made of memory (--cable makes it longer), or on a sound card with a cable from a jack to a jack, or on
/// ALSA's loopback device (snd-aloop: --device alsa:hw:Loopback,0 --capture alsa:hw:Loopback,1).
/// </summary>
internal static class LatencyBench
{
    private const int UsualRate = 48_000, UsualPeriods = 4, UsualSeconds = 20;
    private const string Usage = """
        usage: ssp-engine bench latency [--device sim|alsa:NAME] [--capture alsa:NAME] [--from N] [--to N] [--rate HZ] [--periods N]
                                        [--sizes LIST] [--quanta LIST] [--cable FRAMES] [--seconds N] [--json]

          --device D      the simulated card (default), or a card with a cable from output --from to input --to (1 and 1)
          --sizes LIST    periods in frames (default 16,32,64,128,256); --quanta LIST likewise, of the engine's
          --periods N     periods of the buffer, 2 to 64 (default 4, as `ssp run` has)
          --cable FRAMES  how long the simulated card's cable is, 0 to 4096
          --seconds N     about so long in all (default 20)
        """;

    /// <summary>Runs the benchmark; the process's exit code: 0, 1 where no burst came back at all, 2 for arguments it does not understand.</summary>
    public static int Run(string[] args)
    {
        var setup = new LatencySetup { Rate = UsualRate, Periods = UsualPeriods };
        var (json, seconds) = (false, UsualSeconds);
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--json": json = true; continue;
                case "--device" when value == "sim": break;
                case "--device" when Pcm(value) is { } pcm: setup.Device = pcm; break;
                case "--capture" when Pcm(value) is { } pcm: setup.Capture = pcm; break;
                case "--from" when Benches.Number(value, 1, Limits.MaxJacks, out var jack): setup.Out = jack - 1; break;
                case "--to" when Benches.Number(value, 1, Limits.MaxJacks, out var jack): setup.In = jack - 1; break;
                case "--rate" when Benches.Number(value, Limits.MinRate, Limits.MaxRate, out var rate): setup.Rate = rate; break;
                case "--periods" when Benches.Number(value, 2, 64, out var periods): setup.Periods = periods; break;
                case "--cable" when Benches.Number(value, 0, 4096, out var cable): setup.Cable = cable; break;
                case "--sizes" when Sizes(value, 1, 4096) is { } sizes: setup.Sizes = sizes; break;
                case "--quanta" when Sizes(value, 16, Limits.MaxQuantum) is { } quanta && quanta.All(Limits.IsQuantum): setup.Quanta = quanta; break;
                case "--seconds" when Benches.Number(value, 1, 3600, out seconds): break;
                default:
                    Console.Error.WriteLine($"bench latency: cannot use '{args[i]}{(value != null ? " " + value : "")}'");
                    Console.Error.WriteLine(Usage);
                    return 2;
            }

            i++;
        }

        var combinations = setup.Sizes.Length * setup.Quanta.Length;
        setup.Bursts = (int)Math.Clamp((long)seconds * setup.Rate / combinations / LatencyQuantum.Gap, 3, 200);
        var rows = LatencyRun.All(setup);
        AddFigures(setup, rows);
        if (json) WriteJson(setup, rows);
        else WriteTable(setup, rows);
        return rows.Exists(r => r.Found > 0) ? 0 : 1;
    }

    private static string? Pcm(string? device) =>
        device != null && device.StartsWith("alsa:", StringComparison.Ordinal) && Encoding.UTF8.GetByteCount(device) - 5 is > 0 and < AudioConfig.DeviceBytes ? device[5..] : null;

    private static int[]? Sizes(string? list, int least, int most)
    {
        var sizes = new List<int>();
        foreach (var word in (list ?? "").Split(','))
        {
            if (!Benches.Number(word, least, most, out var size)) return null;
            sizes.Add(size);
        }

        return [.. sizes];
    }

    private static string Note(LatencySetup setup, LatencyRow r)
    {
        if (r.Refused.Length > 0) return r.Refused;
        var notes = new List<string>();
        if (r.CardPeriod != r.Period) notes.Add($"the card's period is {r.CardPeriod}");
        if (r.Buffer != r.Period * setup.Periods) notes.Add($"its buffer {r.Buffer}");
        if (r.Found < r.Played) notes.Add($"{r.Found} of {r.Played} bursts came back");
        if (r.Lost > 0) notes.Add($"{r.Lost} frames lost meanwhile");
        return string.Join(", ", notes);
    }

    private static void AddFigures(LatencySetup setup, List<LatencyRow> rows)
    {
        foreach (var r in rows)
        {
            var name = FormattableString.Invariant($"latency.{(setup.Device.Length > 0 ? "alsa" : "sim")}.{r.Period}.{r.Quantum}");
            double? frames = r.Found > 0 ? r.Frames : null;
            BenchFigures.Add(name + ".frames.p50", "frames", BenchFigures.Less, frames, note: Note(setup, r));
            BenchFigures.Add(name + ".time.p50", "ms", BenchFigures.Less, frames * 1000 / setup.Rate, note: Note(setup, r));
            BenchFigures.Add(name + ".beyond-buffer.p50", "frames", BenchFigures.Less, frames - r.Buffer, note: Note(setup, r));
        }
    }

    private static void WriteTable(LatencySetup setup, List<LatencyRow> rows)
    {
        Console.WriteLine($"round trip, {(setup.Device.Length > 0 ? $"alsa:{setup.Device}, output {setup.Out + 1} to input {setup.In + 1}" : $"simulated card, a cable of {setup.Cable} frames")}, {setup.Rate} Hz, {setup.Bursts} bursts each");
        Console.WriteLine("period   quantum    frames        ms  = buffer  + beyond");
        foreach (var r in rows)
        {
            Console.WriteLine(r.Found > 0
                ? string.Create(CultureInfo.InvariantCulture, $"{r.Period,6}{r.Quantum,10}{r.Frames,10:0.#}{r.Frames * 1000 / setup.Rate,10:0.000}{r.Buffer,10}{r.Frames - r.Buffer,10:0.#}   {Note(setup, r)}")
                : string.Create(CultureInfo.InvariantCulture, $"{r.Period,6}{r.Quantum,10}{"-",10}{"-",10}{r.Buffer,10}{"-",10}   {Note(setup, r)}"));
        }
    }

    private static void WriteJson(LatencySetup setup, List<LatencyRow> rows)
    {
        using var stream = Console.OpenStandardOutput();
        using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            w.WriteString("bench", "latency");
            w.WriteString("device", setup.Device.Length > 0 ? "alsa:" + setup.Device : "sim");
            w.WriteNumber("rate", setup.Rate);
            w.WriteNumber("periods", setup.Periods);
            w.WriteNumber("cable", setup.Cable);
            w.WriteStartArray("round_trips");
            foreach (var r in rows)
            {
                w.WriteStartObject();
                w.WriteNumber("period", r.Period);
                w.WriteNumber("quantum", r.Quantum);
                w.WriteNumber("card_period", r.CardPeriod);
                w.WriteNumber("buffer_frames", r.Buffer);
                if (r.Found > 0) w.WriteNumber("frames", r.Frames);
                w.WriteNumber("bursts", r.Played);
                w.WriteNumber("found", r.Found);
                w.WriteNumber("lost_frames", r.Lost);
                w.WriteString("note", Note(setup, r));
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }
}
