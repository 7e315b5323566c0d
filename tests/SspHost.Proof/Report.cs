// A verdict in words, and as JSON.
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace SspHost.Proof;

/// <summary>For people and for programs.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static string Text(Verdict verdict, bool all)
    {
        var text = new StringBuilder();
        foreach (var finding in verdict.Findings)
        {
            text.Append(CultureInfo.InvariantCulture, $"FAIL {finding.Kind}: {finding.What}\n");
            for (var i = 0; i < finding.Path.Count; i++)
            {
                var step = finding.Path[i];
                text.Append(CultureInfo.InvariantCulture, $"    {(i == 0 ? "root " : "  -> ")}{step.Method}{(step.Line == null ? "" : $"  ({step.Line})")}\n");
            }

            if (finding.Path.Count > 0) text.Append(CultureInfo.InvariantCulture, $"      -> {finding.What}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"roots {verdict.Roots.Count}, of {verdict.ModuleTypes.Count} module types; functions reached {verdict.Reached.Count}; ");
        text.Append(CultureInfo.InvariantCulture, $"direct calls {verdict.DirectCalls}; indirect calls {verdict.Indirect.Sum(static i => i.Count)}\n");
        foreach (var (caller, count, targets) in verdict.Indirect)
            text.Append(CultureInfo.InvariantCulture, $"  indirect: {caller} makes {count}, to {Some(targets, all)}\n");
        foreach (var ((kind, target), callers) in verdict.Allowed)
            text.Append(CultureInfo.InvariantCulture, $"  allowed {kind}: {target} from {Some(callers, all)}\n");
        text.Append(verdict.Holds ? "proof: holds\n" : string.Create(CultureInfo.InvariantCulture, $"proof: fails, {verdict.Findings.Count} findings\n"));
        return text.ToString();
    }

    public static string Json(Verdict verdict) => JsonSerializer.Serialize(
        new
        {
            holds = verdict.Holds,
            roots = verdict.Roots,
            moduleTypes = verdict.ModuleTypes,
            reached = verdict.Reached.Select(static f => f.Name).Order(StringComparer.Ordinal),
            directCalls = verdict.DirectCalls,
            indirect = verdict.Indirect.Select(static i => new { caller = i.Caller, calls = i.Count, targets = i.Targets }),
            allowed = verdict.Allowed.Select(static a => new { kind = a.Key.Kind, target = a.Key.Target, callers = a.Value }),
            findings = verdict.Findings.Select(static f => new { kind = f.Kind, what = f.What, path = f.Path.Select(static s => new { method = s.Method, line = s.Line }) }),
        },
        Indented);

    private static string Some(ICollection<string> names, bool all) =>
        all || names.Count <= 3 ? string.Join(", ", names) : $"{string.Join(", ", names.Take(2))} and {names.Count - 2} more";
}
