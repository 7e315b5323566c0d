// ssp patch check|show|schema|set|restore: what is wrong with a patch file, or what is in it; a knob of the one that plays; a module on again.
using System.CommandLine;
using System.Globalization;
using SspHost.Abi.Link;
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
        return new Command("patch", "Check and show patch files; turn a knob of the one that plays; switch a module on again.") { check, show, schema, set, restore };
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
