// BENCHMARKS.md, from the files of results and nothing else.
using System.Globalization;
using System.Text;
using SspHost.Diagnostics.Benching;
using SspHost.Peers.Timing;

namespace SspHost.Peers.Report;

internal static class Markdown
{
    /// <summary>The whole text; throws <see cref="InvalidDataException"/> for a file that lacks what belongs to a figure.</summary>
    public static string Of(IReadOnlyList<BenchFile> files)
    {
        var text = new StringBuilder();
        text.Append("""
            # Benchmarks

            Ours beside its peers, each ratio from within one round of one run; what stands here is the median of the rounds, and the least and most
            of them. Less than 1 is faster than the peer unless it says otherwise. Made by `make bench-peers`, which installs Debian's packages; do not edit.


            """);
        if (files.Count == 0) return text.Append("Nothing has been measured yet.\n").ToString();
        Machine(text, files);
        Aims(text, files);
        foreach (var file in files) Section(text, file);
        return text.ToString();
    }

    private static void Machine(StringBuilder text, IReadOnlyList<BenchFile> files)
    {
        var m = files[0].Machine;
        text.Append("| | |\n|---|---|\n");
        Line(text, "measured", string.Join(", ", files.Select(f => f.Machine.Date[..10]).Distinct().Order()));
        Line(text, "machine", $"{m.Cpu}, {m.Cores} cores{(m.Virtual == "none" ? "" : $", a virtual machine ({m.Virtual})")}{(m.Board.Length > 0 ? ", " + m.Board : "")}");
        Line(text, "memory", string.Create(CultureInfo.InvariantCulture, $"{m.MemoryBytes / 1073741824.0:0.0} GiB"));
        Line(text, "kernel", $"{m.Kernel}, governor {m.Governor}, SCHED_FIFO {(m.RealTime ? "granted" : "refused")}");
        Line(text, "ours", m.Ssp);
        var versions = files.SelectMany(f => Named(f, "package.")).DistinctBy(v => v.Name).OrderBy(v => v.Name, StringComparer.Ordinal);
        Line(text, "packages", string.Join(", ", versions.Select(v => $"{v.Name} {v.Text}")));
        if (files.Any(f => f.Machine with { Date = "" } != m with { Date = "" })) text.Append("\nNot all of it was measured on this machine: see the files.\n");
        if (files.Any(f => f.Options.GetValueOrDefault("quick") == "true"))
            text.Append("\n**This is a smoke run: its work is too short for its figures to mean anything.**\n");
        text.Append('\n');
    }

    private static void Line(StringBuilder text, string name, string value) => text.Append(CultureInfo.InvariantCulture, $"| {name} | {Cell(value)} |\n");

    private static void Aims(StringBuilder text, IReadOnlyList<BenchFile> files)
    {
        var ratios = files.SelectMany(Ratios).Where(r => r.Ratio.Met != null).ToList();
        var missed = ratios.Where(r => r.Ratio.Met == false).ToList();
        text.Append(CultureInfo.InvariantCulture, $"{ratios.Count - missed.Count} of {ratios.Count} aims are reached.");
        if (missed.Count > 0) text.Append(" Not reached: ").AppendJoin("; ", missed.Select(r => $"{r.What} ({r.Peer}), {Number(r.Ratio.Median)} where {Aim(r.Ratio)} is wanted")).Append('.');
        text.Append("\n\n");
    }

    private static void Section(StringBuilder text, BenchFile file)
    {
        text.Append(CultureInfo.InvariantCulture, $"## {Option(file, "title")}\n\n{Option(file, "text")} Rounds: {Option(file, "rounds")}.\n\n");
        var ratios = Ratios(file).ToList();
        if (ratios.Count > 0)
        {
            text.Append("| work | peer | ours | theirs | ratio | rounds | aim | |\n|---|---|---:|---:|---:|---:|---:|---|\n");
            foreach (var r in ratios)
            {
                var spread = Spread.Of(r.Ratio.Values);
                text.Append(CultureInfo.InvariantCulture, $"| {Cell(r.What)} | {Cell(r.Peer)} | {Number(r.Ours.Median)} {r.Ours.Unit} | {Number(r.Theirs.Median)} {r.Theirs.Unit} ");
                text.Append(CultureInfo.InvariantCulture, $"| **{Number(spread.Median)}** | {Number(spread.Low)} to {Number(spread.High)} | {Aim(r.Ratio)} | {Verdict(r.Ratio)} |\n");
            }

            text.Append('\n');
        }

        foreach (var (name, why) in Named(file, "fact.")) text.Append(CultureInfo.InvariantCulture, $"- {name}: {Prose(why)}\n");
        foreach (var (peer, why) in Named(file, "out.")) text.Append(CultureInfo.InvariantCulture, $"- **{peer} was not measured, or not to the end**: {Prose(why)}\n");
        if (Named(file, "fact.").Any() || Named(file, "out.").Any()) text.Append('\n');
        Unlike(text, ratios);
        Commands(text, ratios);
    }

    private static void Unlike(StringBuilder text, List<Row> ratios)
    {
        var unlike = ratios.Where(r => r.Unlike.Length > 0).GroupBy(r => r.Unlike).ToList();
        if (unlike.Count == 0) return;
        text.Append("What is not the same:\n\n");
        foreach (var group in unlike)
            text.Append(CultureInfo.InvariantCulture, $"- {string.Join("; ", group.GroupBy(r => r.Peer).Select(p => $"{p.Key}, {string.Join(", ", p.Select(r => r.What))}"))}: {Prose(group.Key)}.\n");
        text.Append('\n');
    }

    private static void Commands(StringBuilder text, List<Row> ratios)
    {
        if (ratios.Count == 0) return;
        text.Append("<details><summary>Commands</summary>\n\n");
        foreach (var group in ratios.GroupBy(r => (r.OurCommand, r.Command)))
        {
            text.Append(CultureInfo.InvariantCulture, $"{string.Join("; ", group.Select(r => $"{r.What} ({r.Peer})"))}:\n\n```\n{group.Key.OurCommand}\n");
            if (group.Key.Command != group.Key.OurCommand) text.Append(group.Key.Command).Append('\n');
            text.Append("```\n\n");
        }

        text.Append("</details>\n\n");
    }

    private sealed record Row(string What, string Peer, BenchFigure Ours, BenchFigure Theirs, BenchFigure Ratio, string OurCommand, string Command, string Unlike);

    private static IEnumerable<Row> Ratios(BenchFile file)
    {
        foreach (var ratio in file.Figures.Where(f => f.Name.EndsWith(".ratio", StringComparison.Ordinal) && f.Values.Length > 0))
        {
            var id = ratio.Name[..^".ratio".Length];
            BenchFigure Of(string part) => file.Find($"{id}.{part}") is { Values.Length: > 0 } f ? f : throw new InvalidDataException($"{file.Bench}: no figure {id}.{part} beside {ratio.Name}");
            yield return new Row(
                Option(file, "what." + id), Option(file, "peer." + id), Of("ours"), Of("theirs"), ratio, Option(file, "ours." + id), Option(file, "command." + id),
                Option(file, "unlike." + id));
        }
    }

    private static string Option(BenchFile file, string name) =>
        file.Options.TryGetValue(name, out var value) ? value : throw new InvalidDataException($"{file.Bench}: options: expected '{name}', and there is none");

    private static IEnumerable<(string Name, string Text)> Named(BenchFile file, string prefix) =>
        file.Options.Where(o => o.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(o => (o.Key[prefix.Length..], o.Value)).OrderBy(o => o.Item1, StringComparer.Ordinal);

    private static string Aim(BenchFigure ratio) => ratio.Target is not { } t ? "" : (ratio.Better == BenchBetter.More ? "≥ " : "≤ ") + Number(t);

    private static string Verdict(BenchFigure ratio) => ratio.Met switch
    {
        true => "reached",
        false => "**not reached**",
        null => "",
    };

    private static string Number(double value) => value.ToString(Math.Abs(value) switch { >= 1000 => "0", >= 100 => "0", >= 10 => "0.0", >= 0.1 => "0.00", _ => "0.0000" }, CultureInfo.InvariantCulture);

    // What a program said may hold anything; a table has one line a row.
    private static string Cell(string text) => Prose(text).Replace("|", "\\|", StringComparison.Ordinal);

    private static string Prose(string text) => new([.. text.Select(c => char.IsControl(c) ? ' ' : c)]);
}
