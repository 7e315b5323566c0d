// ssp patch check|show|schema|set|preset|restore: what is wrong with a patch file, or what is in it; knobs of the one that plays; a module on again.
using System.CommandLine;
using System.Globalization;
using SspHost.Abi.Link;
using SspHost.Configuration;
using SspHost.Patching;
using SspHost.Remote;

namespace SspHost.Commands;

internal static class PatchCommand
{
    public static Command Build()
    {
        var files = Flags.NoFlag(new Argument<string[]>("file") { Description = "Patch files.", Arity = ArgumentArity.OneOrMore });
        var directories = Flags.ModuleDirectory();
        var check = new Command("check", "Say in one line what is wrong with a patch, or that it is in order.") { files, directories };
        check.SetAction(r => Check(r.GetValue(files) ?? [], r.GetValue(directories) ?? []));

        var file = Flags.NoFlag(new Argument<string>("file") { Description = "Patch file." });
        var json = new Option<bool>("--json") { Description = "The patch as it would be saved." };
        var show = new Command("show", "Show what is in a patch.") { file, json };
        show.SetAction(r => Show(r.GetValue(file)!, r.GetValue(json)));

        var schema = new Command("schema", "Print the JSON Schema of patch files.");
        schema.SetAction(_ => Console.Write(PatchJson.Schema));
        var module = Flags.NoFlag(new Argument<string>("module") { Description = "Its id in the patch." });
        var restore = new Command("restore", "Switch a module on again that the engine switched off.") { module };
        restore.SetAction(r => Restore(r.GetValue(module)!));
        var knob = Flags.NoFlag(new Argument<string>("knob") { Description = "Id of the knob; ssp modules lists a module's." });
        var value = new Argument<double>("value") { Description = "Where to; of named choices the number, from 0." };
        var set = new Command("set", "Turn a knob of the patch that plays.") { module, knob, value };
        set.SetAction(r => Set(r.GetValue(module)!, r.GetValue(knob)!, r.GetValue(value)));
        var name = Flags.NoFlag(new Argument<string?>("preset") { Description = "Its name, or its URI; without it they are listed.", Arity = ArgumentArity.ZeroOrOne });
        var preset = new Command("preset", "Set an LV2 plugin of the patch that plays as a preset has it, as one step that can be undone.") { module, name };
        preset.SetAction(r => Preset(r.GetValue(module)!, r.GetValue(name)));
        return new Command("patch", "Check and show patch files; turn a knob of the one that plays, or all of a preset; switch a module on again.") { check, show, schema, set, preset, restore };
    }

    private static int Set(string module, string knob, double value)
    {
        using var client = ControlClient.TryConnect(RuntimeDirectory.Locate(), TimeSpan.FromSeconds(10)) ?? throw new CommandException("no host runs; ssp run starts one");
        client.Ask("edit", w =>
        {
            w.WriteStartObject("edits");
            w.WriteString("op", "param");
            w.WriteString("module", module);
            w.WriteString("param", knob);
            w.WriteNumber("value", value);
            w.WriteEndObject();
        });
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{knob} of '{module}' is {value}"));
        return 0;
    }

    // liblilv reads files of others: here, where nothing plays that it could take along.
    private static int Preset(string module, string? name)
    {
        using var client = ControlClient.TryConnect(RuntimeDirectory.Locate(), TimeSpan.FromSeconds(10)) ?? throw new CommandException("no host runs; ssp run starts one");
        string Quote(string text) => $"'{PatchError.OneLine(text)}'";
        var playing = PatchJson.Read(System.Text.Encoding.UTF8.GetBytes(client.Ask("patch").GetProperty("patch").GetRawText()), "").Patch ?? throw new IOException("the host sent no patch");
        var placed = playing.Find(module) ?? throw new CommandException($"there is no module {Quote(module)} in the patch");
        var catalog = SettingsFile.Load(given: null).Lv2;
        var plugin = catalog.Find()?.Modules.FirstOrDefault(m => m.Descriptor.Id == placed.Type);
        if (plugin == null || plugin.Presets.Count == 0) throw new CommandException($"module {Quote(module)} ({placed.Type}) has no presets");
        if (name == null)
        {
            foreach (var p in plugin.Presets) Console.WriteLine(p.Label);
            return 0;
        }

        var chosen = plugin.Presets.FirstOrDefault(p => p.Uri == name || p.Label == name) ?? plugin.Presets.FirstOrDefault(p => p.Label.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? throw new CommandException($"{placed.Type} has no preset {Quote(name)}; ssp patch preset {module} lists them");
        try
        {
            var edits = EditJson.Write(catalog.EditsOf(plugin, chosen, module));
            client.Ask("edit", w =>
            {
                w.WritePropertyName("edits");
                w.WriteRawValue(edits);
            });
        }
        catch (Exception e) when (e is InvalidDataException or DllNotFoundException)
        {
            throw new CommandException(e is DllNotFoundException ? Lv2.Lv2Catalog.Missing : e.Message);
        }

        Console.WriteLine($"{Quote(module)} is set as {Quote(chosen.Label)}");
        return 0;
    }

    private static int Restore(string module)
    {
        using var client = ControlClient.TryConnect(RuntimeDirectory.Locate(), TimeSpan.FromSeconds(10)) ?? throw new CommandException("no host runs; ssp run starts one");
        client.Ask("restore", w => w.WriteString("module", module));
        Console.WriteLine($"'{module}' is on again");
        return 0;
    }

    private static int Check(string[] files, string[] directories)
    {
        var modules = new DescriptorIndex(ModulesCommand.Descriptors(directories));
        var bad = 0;
        foreach (var file in files)
        {
            if (Problem(file, modules, out var warnings) is { } error)
            {
                bad++;
                Console.Error.WriteLine(error);
                continue;
            }

            foreach (var w in warnings) Console.WriteLine($"{file}: {w}");
            Console.WriteLine($"{file}: in order");
        }

        return bad == 0 ? 0 : 1;
    }

    // A patch is in order when it reads, names only what there is, and compiles.
    private static string? Problem(string file, DescriptorIndex modules, out IReadOnlyList<string> warnings)
    {
        var load = PatchJson.TryLoad(file, modules);
        warnings = load.Warnings.IsDefault ? [] : load.Warnings;
        if (load.Patch is not { } patch) return load.Error!.ToString();
        var plan = PlanCompiler.Compile(patch, modules, new SlotMap(), new CompileOptions { Inputs = Abi.Limits.MaxJacks, Outputs = Abi.Limits.MaxJacks }, out var error);
        if (plan == null) return (error! with { File = file }).ToString();
        warnings = [.. warnings, .. plan.Warnings];
        return null;
    }

    private static int Show(string file, bool json)
    {
        var patch = PatchJson.Load(file);
        if (json)
        {
            using var output = Console.OpenStandardOutput();
            output.Write(PatchJson.Write(patch));
            return 0;
        }

        Console.WriteLine($"{(patch.Name.Length > 0 ? patch.Name : patch.Id)}: {Count(patch.Modules.Length, "module")}, {Count(patch.Cables.Length, "cable")}, quantum {patch.Quantum}");
        if (patch.Notes.Length > 0) Console.WriteLine(patch.Notes.TrimEnd());
        foreach (var m in patch.Modules)
        {
            var values = m.Settings.Select(s => $"{s.Name}={s.Value}").Concat(m.Parameters.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Name}={p.Value}"))).Concat(m.Assets.Select(a => $"{a.Name}={a.Value}"));
            Console.WriteLine($"  {m.Id,-14} {m.Type,-12}{(m.Bypass ? " bypassed" : "")}{(m.Label.Length > 0 ? $" \"{m.Label}\"" : "")} {string.Join(' ', values)}".TrimEnd());
        }

        foreach (var c in patch.Cables)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {c.From} -> {c.To}{(c.Gain != 1f ? $" x{c.Gain}" : "")}{(c.Delayed ? " (one quantum later)" : "")}"));
        return 0;
    }

    private static string Count(int n, string what) => string.Create(CultureInfo.InvariantCulture, $"{n} {what}{(n == 1 ? "" : "s")}");
}
