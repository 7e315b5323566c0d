// ssp modules: what there is to patch.
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Configuration;
using SspHost.Diagnostics;
using SspHost.Playing;
using SspHost.Remote;
using SspHost.Supervision;

namespace SspHost.Commands;

internal static class ModulesCommand
{
    private const int UsualQuantum = 32; // a patch's, where it says nothing

    public static Command Build()
    {
        var json = new Option<bool>("--json") { Description = "As one JSON object, with everything that is known." };
        var id = new Argument<string?>("module") { Description = "Show this one in full.", Arity = ArgumentArity.ZeroOrOne };
        var costs = new Option<bool>("--costs") { Description = "What each module of the patch that plays costs, the dearest first." };
        var directories = Flags.ModuleDirectory();
        var command = new Command("modules", "List the modules.") { id, json, costs, directories };
        command.Validators.Add(r =>
        {
            if (r.GetValue(costs) && (r.GetValue(id) != null || r.GetResult(directories) is { Implicit: false }))
                r.AddError("--costs: expected neither a module nor --module-dir: it shows those of the patch that plays");
        });
        command.SetAction(r => r.GetValue(costs) ? ShowCosts(r.GetValue(json)) : Show(r.GetValue(id), r.GetValue(json), r.GetValue(directories) ?? []));
        return command;
    }

    /// <summary>
    /// The descriptors of the engine that runs, else of the one that would be started; where <paramref name="directories"/> are given, of one that
    /// would be started with these.
    /// </summary>
    public static IReadOnlyList<ModuleDescriptor> Descriptors(string[] directories)
    {
        if (directories.Length == 0 && EngineFile.TryRead(RuntimeDirectory.Locate()) is { } file && file.IsAlive())
        {
            using var link = EngineLink.Look(RuntimeDirectory.Locate());
            return new Patching.DescriptorIndex(link.ReadDescriptors()).Current;
        }

        var settings = SettingsFile.Load(given: null);
        var shipped = DescriptorBlob.Read(EngineTool.Capture("--describe"));
        var libraries = directories.Length > 0 ? [.. directories.Select(Path.GetFullPath)] : settings.LibraryDirectories;
        return [.. shipped, .. ModuleLibraries.Describe(libraries, shipped, Console.Error.WriteLine), .. Lv2Modules(settings)];
    }

    private static IEnumerable<ModuleDescriptor> Lv2Modules(Settings settings)
    {
        if (settings.Lv2.Find() is { } found)
        {
            foreach (var bundle in found.Refused.Where(r => r.Uri.StartsWith('/'))) Console.Error.WriteLine($"LV2 bundle {bundle.Uri}: {bundle.Why}");
            return found.Modules.Select(m => m.Descriptor);
        }

        Console.Error.WriteLine(Lv2.Lv2Catalog.Missing);
        return [];
    }

    private static int Show(string? id, bool json, string[] directories)
    {
        var modules = Descriptors(directories);
        var settings = SettingsFile.Load(given: null);
        var costs = json ? new ModuleCosts() : ModuleCosts.Load(Path.Combine(settings.StateDirectory, ModuleCosts.FileName), Console.Error.WriteLine);
        var quantum = settings.Quantum.Value != 0 ? settings.Quantum.Value : UsualQuantum;
        string Cost(ModuleDescriptor m) => costs.Of(m.Id, settings.Rate.Value, quantum) is > 0 and var ns
            ? string.Create(CultureInfo.InvariantCulture, $"{ns / 1e3:0.00} µs per {quantum} frames, {ns * settings.Rate.Value / (quantum * 1e7):0.00} % of a core")
            : "";

        if (id != null)
        {
            modules = [.. modules.Where(m => m.Id == id)];
            if (modules.Count == 0) throw new CommandException($"there is no module '{Patching.PatchError.OneLine(id)}'; ssp modules lists them");
        }

        if (json)
        {
            using var output = Console.OpenStandardOutput();
            output.Write(ModuleList.Write(modules, indented: true));
            output.Write("\n"u8);
        }
        else if (id != null)
        {
            Detail(modules[0]);
            if (id.StartsWith(Lv2.Lv2Names.Prefix, StringComparison.Ordinal) && settings.Lv2.Find()?.Modules.FirstOrDefault(m => m.Descriptor.Id == id) is { Presets.Count: > 0 } plugin)
            {
                Console.WriteLine("\n  presets (ssp patch preset MODULE NAME):");
                foreach (var preset in plugin.Presets) Console.WriteLine($"    {preset.Label}");
            }

            if (Cost(modules[0]) is { Length: > 0 } cost) Console.WriteLine($"  cost {cost}");
        }
        else
        {
            foreach (var family in modules.GroupBy(m => m.Family, StringComparer.Ordinal))
            {
                Console.WriteLine(family.Key);
                foreach (var m in family) Console.WriteLine($"  {m.Id,-14} {m.Name,-20} {m.Text}{(m.File.Length > 0 ? $" ({m.File})" : "")}{(Cost(m) is { Length: > 0 } cost ? $" [{cost}]" : "")}");
            }
        }

        return 0;
    }

    private static int ShowCosts(bool json)
    {
        using var host = StatusCommand.Host();
        var told = host.Ask("costs");
        if (json)
        {
            Console.WriteLine(told.GetRawText());
            return 0;
        }

        var costs = told.Deserialize(DiagnosticsJson.Default.CostsReport) ?? throw new IOException("the host sent no costs");
        Console.WriteLine($"{"module",-24}{"type",-16}{"µs/quantum",12}{"longest",10}{"share",8}{"asleep",8}{"memory",12}");
        foreach (var m in costs.Modules)
        {
            var remarks = (m.Leaving ? ", leaving" : "") + (m.Shed is { } why ? $", SWITCHED OFF ({why})" : "")
                + (m.BadOutputs > 0 ? string.Create(CultureInfo.InvariantCulture, $", {m.BadOutputs} bad outputs") : "");
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{m.Name,-24}{m.Module,-16}{Figure(m.Nanoseconds / 1e3, "0.00"),12}{m.Longest / 1e3,10:0.00}{Figure(m.Share * 100, "0.0"),7}%{Figure(m.Asleep * 100, "0"),7}%{EngineWords.Bytes(m.Bytes),12}{remarks}"));
        }

        Console.WriteLine(costs.Timed
            ? string.Create(CultureInfo.InvariantCulture, $"over {costs.Seconds:0.0} s; a quantum lasts {costs.QuantumNanoseconds / 1e3:0.0} µs")
            : "modules are not timed at present (\"moduleTimes\" in ssp.json; audio stopped)");
        return 0;
    }

    private static string Figure(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";

    private static void Detail(ModuleDescriptor m)
    {
        Console.WriteLine($"{m.Name} ({m.Id}, {m.Family}, version {m.Version})");
        Console.WriteLine(m.Text);
        if (m.File.Length > 0) Console.WriteLine($"  from {m.File}");
        foreach (var p in m.Inputs) Console.WriteLine($"  in   {p.Id,-12} {p.Name,-16} {p.Text}");
        foreach (var p in m.Outputs) Console.WriteLine($"  out  {p.Id,-12} {p.Name,-16} {p.Text}");
        foreach (var p in m.Parameters)
        {
            var range = p.Choices.Length > 0
                ? string.Join(" | ", p.Choices)
                : string.Create(CultureInfo.InvariantCulture, $"{p.Min} .. {p.Max} {p.Unit}").TrimEnd();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  knob {p.Id,-12} {p.Name,-16} {range}, default {p.Default}{(p.Text.Length > 0 ? "; " + p.Text : "")}"));
        }

        foreach (var s in m.Settings)
        {
            var range = s.Choices.Length > 0
                ? string.Join(" | ", s.Choices.Select((name, i) => string.Create(CultureInfo.InvariantCulture, $"{s.Min + i} {name}")))
                : string.Create(CultureInfo.InvariantCulture, $"{s.Min} .. {s.Max}");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  set  {s.Id,-12} {s.Name,-16} {range}, default {s.Default}{(s.Text.Length > 0 ? "; " + s.Text : "")}"));
        }

        foreach (var a in m.Assets) Console.WriteLine($"  file {a.Id,-12} {a.Name,-16} {a.Text}");
        foreach (var t in m.Telemetry)
        {
            var unit = t.Unit.Length > 0 ? $" in {t.Unit}" : "";
            var length = t.Length > 1 && t.Kind != TelemetryKind.Recording ? string.Create(CultureInfo.InvariantCulture, $" of {t.Length}") : "";
            Console.WriteLine($"  show {t.Id,-12} {IncidentKinds.WordOf(t.Kind) + length + unit,-16} {t.Text}".TrimEnd());
        }

        if (m.Help.Length > 0) Console.WriteLine($"\n{m.Help}");
    }
}
