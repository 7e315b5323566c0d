// The flags that several commands share, checked as they are parsed and laid over the configuration file.
using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using SspHost.Configuration;

namespace SspHost.Commands;

/// <summary>Flags of commands that play. What is not given stays as the configuration file, or the default, has it.</summary>
internal sealed class Flags
{
    public Option<string> Config { get; } = new("--config") { Description = "Configuration file instead of the usual one.", HelpName = "FILE" };

    public Option<string> Device { get; } = Checked(
        new Option<string>("--device") { Description = "sim, alsa:NAME, wav:IN,OUT or auto.", HelpName = "DEVICE" }, Settings.CheckDevice);

    public Option<int> Rate { get; } = Number("--rate", "rate", "Sample rate in Hz.", "HZ");

    public Option<int> Quantum { get; } = Number("--quantum", "quantum", "Frames rendered at once, instead of what the patch says.", "FRAMES");

    public Option<int> Period { get; } = Number("--period", "period", "Frames of a device period.", "FRAMES");

    public Option<int> Periods { get; } = Number("--periods", "periods", "Periods of the device buffer.", "N");

    public Option<string> Cores { get; } = Checked(
        new Option<string>("--cores") { Description = "Cores of the real-time threads, the audio thread's first: 2,3 or 2-4.", HelpName = "LIST" },
        text => Settings.ParseCores(text) != null ? null : $"different core numbers such as 2,3 or 2-4, at most {Abi.Limits.MaxThreads}");

    public Option<int> RegionMib { get; } = Number("--region-mib", "regionMib", "MiB of memory the engine locks.", "MIB");

    public Option<string[]> ModuleDirectories { get; } = ModuleDirectory();

    /// <summary>The option for directories of modules.</summary>
    public static Option<string[]> ModuleDirectory() =>
        new("--module-dir") { Description = "Directory whose libraries of modules are loaded, instead of the usual one; may be repeated.", HelpName = "DIR" };

    /// <summary>A file argument that takes no misspelt flag for a file's name (a file called so is named ./--like-this).</summary>
    public static Argument<T> NoFlag<T>(Argument<T> argument)
    {
        argument.Validators.Add(static result =>
        {
            foreach (var token in result.Tokens)
                if (token.Value.StartsWith('-')) result.AddError($"'{token.Value}': there is no such flag");
        });
        return argument;
    }

    /// <summary>Adds them all.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(Device);
        command.Options.Add(Rate);
        command.Options.Add(Quantum);
        command.Options.Add(Period);
        command.Options.Add(Periods);
        command.Options.Add(Cores);
        command.Options.Add(RegionMib);
        command.Options.Add(ModuleDirectories);
        command.Options.Add(Config);
    }

    /// <summary>Default, file, flag: in this order.</summary>
    public Settings Read(ParseResult r)
    {
        var s = SettingsFile.Load(r.GetValue(Config));
        return s with
        {
            Device = s.Device.Or(r.GetValue(Device) ?? "", Given(r, Device)),
            Rate = s.Rate.Or(r.GetValue(Rate), Given(r, Rate)),
            Quantum = s.Quantum.Or(r.GetValue(Quantum), Given(r, Quantum)),
            Period = s.Period.Or(r.GetValue(Period), Given(r, Period)),
            Periods = s.Periods.Or(r.GetValue(Periods), Given(r, Periods)),
            Cores = s.Cores.Or(r.GetValue(Cores) is { } c ? Settings.ParseCores(c) ?? [] : ImmutableArray<int>.Empty, Given(r, Cores)),
            RegionMib = s.RegionMib.Or(r.GetValue(RegionMib), Given(r, RegionMib)),
            ModuleDirectories = s.ModuleDirectories.Or([.. (r.GetValue(ModuleDirectories) ?? []).Select(Path.GetFullPath)], Given(r, ModuleDirectories)),
        };
    }

    /// <summary>Whether an option stands on the command line.</summary>
    public static bool Given(ParseResult r, Option option) => r.GetResult(option) is { Implicit: false };

    /// <summary>An option for a number of the configuration, with its range.</summary>
    public static Option<int> Number(string name, string key, string text, string helpName)
    {
        var option = new Option<int>(name)
        {
            Description = text,
            HelpName = helpName,
            CustomParser = result =>
            {
                var word = result.Tokens.Count > 0 ? result.Tokens[^1].Value : "";
                var fits = int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var value);
                if (fits && Settings.CheckNumber(key, value) == null) return value;
                result.AddError($"{name}: expected {Settings.CheckNumber(key, fits ? value : -1)}, not '{Patching.PatchError.OneLine(word)}'");
                return 0;
            },
        };
        return option;
    }

    /// <summary>An option whose text is checked.</summary>
    public static Option<string> Checked(Option<string> option, Func<string, string?> check)
    {
        option.Validators.Add(result =>
        {
            if (result.Implicit) return; // a default is in order
            var word = result.Tokens.Count > 0 ? result.Tokens[^1].Value : "";
            if (check(word) is { } expected) result.AddError($"{option.Name}: expected {expected}, not '{Patching.PatchError.OneLine(word)}'");
        });
        return option;
    }
}
