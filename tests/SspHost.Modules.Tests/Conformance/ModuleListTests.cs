// docs/module-list.md says of every module what its descriptor says: it cannot go stale.
using System.Globalization;
using System.Text;
using SspHost.Abi;

namespace SspHost.Modules.Tests;

public class ModuleListTests
{
    [Fact]
    public void The_page_for_players_is_what_the_modules_say_of_themselves()
    {
        var path = Path.Combine(Root(), "docs", "module-list.md");
        var page = Page();
        if (Environment.GetEnvironmentVariable("SSP_UPDATE") == "1") File.WriteAllText(path, page);
        Assert.True(File.Exists(path) && File.ReadAllText(path) == page,
            "docs/module-list.md is not what the modules say: SSP_UPDATE=1 dotnet test tests/SspHost.Modules.Tests --filter ModuleListTests writes it anew");
    }

    private static string Page()
    {
        var text = new StringBuilder();
        var families = Registered.Registry.Descriptors.GroupBy(static d => d.Family, StringComparer.Ordinal).ToList();
        text.Append("# The modules\n\nWhat there is to patch, by family. `ssp modules` lists it, too, and `ssp modules ID` shows one. ");
        text.Append("This page is written by a test from what the modules say of themselves; it is not edited by hand.\n");
        foreach (var family in families)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {family.Key}\n\n");
            foreach (var d in family) text.Append(CultureInfo.InvariantCulture, $"- [{d.Name}](#{d.Id}): {d.Text}\n");
        }

        foreach (var d in families.SelectMany(static f => f)) Module(text, d);
        return text.ToString();
    }

    private static void Module(StringBuilder text, ModuleDescriptor d)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n## <a id=\"{d.Id}\"></a>{d.Name}\n\n`{d.Id}`, {d.Family}. {d.Text}\n");
        if (d.Help.Length > 0) text.Append(CultureInfo.InvariantCulture, $"\n{d.Help}\n");
        Table(text, "in", d.Inputs.Select(static p => (p.Id, p.Name, p.Text)));
        Table(text, "out", d.Outputs.Select(static p => (p.Id, p.Name, p.Text)));
        Table(text, "knob", d.Parameters.Select(static p => (p.Id, p.Name, $"{Range(p)} {p.Text}")));
        Table(text, "setting", d.Settings.Select(static s => (s.Id, s.Name, $"{Range(s)} {s.Text}")));
        Table(text, "file", d.Assets.Select(static a => (a.Id, a.Name, a.Text)));
        Table(text, "shows", d.Telemetry.Select(
            static t => (t.Id, t.Kind.ToString().ToLowerInvariant(), t.Text + (t.Unit.Length > 0 ? $" ({t.Unit})" : ""))));
    }

    private static void Table(StringBuilder text, string what, IEnumerable<(string Id, string Name, string Text)> rows)
    {
        var first = true;
        foreach (var (id, name, line) in rows)
        {
            if (first) text.Append(CultureInfo.InvariantCulture, $"\n| {what} | | |\n|---|---|---|\n");
            first = false;
            text.Append(CultureInfo.InvariantCulture, $"| `{id}` | {Cell(name)} | {Cell(line)} |\n");
        }
    }

    private static string Range(ParameterDescriptor p) => p.Choices.Length > 0
        ? $"{Choices(p.Choices, (int)p.Default)}."
        : string.Create(CultureInfo.InvariantCulture, $"{p.Min} to {p.Max} {p.Unit}").TrimEnd()
            + string.Create(CultureInfo.InvariantCulture, $", set to {p.Default}.");

    private static string Range(SettingDescriptor s) => s.Choices.Length > 0
        ? $"{Choices(s.Choices, s.Default - s.Min)}."
        : string.Create(CultureInfo.InvariantCulture, $"{s.Min} to {s.Max}, set to {s.Default}.");

    private static string Choices(string[] names, int usual) =>
        string.Join(", ", names.Select((name, i) => i == usual ? $"**{name}**" : name));

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Trim();

    private static string Root()
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d != null; d = d.Parent)
            if (File.Exists(Path.Combine(d.FullName, "SspHost.sln"))) return d.FullName;
        throw new DirectoryNotFoundException("the tests run outside of their repository");
    }
}
