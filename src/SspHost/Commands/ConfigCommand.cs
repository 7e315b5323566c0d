// ssp config check|show|schema: what is configured, and where each value came from.
using System.CommandLine;
using SspHost.Configuration;

namespace SspHost.Commands;

internal static class ConfigCommand
{
    public static Command Build()
    {
        var file = Flags.NoFlag(new Argument<string?>("file") { Description = "Configuration file; without one, the usual one.", Arity = ArgumentArity.ZeroOrOne });
        var check = new Command("check", "Say in one line what is wrong with a configuration file, or that it is in order.") { file };
        check.SetAction(r => Check(r.GetValue(file)));

        var flags = new Flags();
        var json = new Option<bool>("--json") { Description = "As a configuration file that says everything." };
        var show = new Command("show", "Show the configuration as it would be used, and where each value came from.") { json };
        flags.AddTo(show);
        show.SetAction(r => Show(flags.Read(r), r.GetValue(json), SettingsFile.Find(r.GetValue(flags.Config))));

        var schema = new Command("schema", "Print the JSON Schema of configuration files.");
        schema.SetAction(_ => Console.Write(SettingsFile.Schema));
        return new Command("config", "Check and show the configuration (ssp.json).") { check, show, schema };
    }

    private static int Check(string? file)
    {
        if (SettingsFile.Find(file) is not { } path)
        {
            Console.WriteLine("there is no configuration file; everything has its default");
            return 0;
        }

        _ = SettingsFile.Load(path);
        Console.WriteLine($"{path}: in order");
        return 0;
    }

    private static int Show(Settings settings, bool json, string? file)
    {
        if (json)
        {
            Console.WriteLine(SettingsFile.Write(settings));
            return 0;
        }

        Console.WriteLine(file ?? "no configuration file");
        foreach (var line in SettingsFile.Describe(settings)) Console.WriteLine("  " + line);
        return 0;
    }
}
