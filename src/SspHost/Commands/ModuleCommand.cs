// ssp module new|build|test|reload: from an empty directory to a module that plays, and that is replaced while it plays.
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Configuration;
using SspHost.Diagnostics;
using SspHost.Lv2;
using SspHost.Supervision;

namespace SspHost.Commands;

internal static class ModuleCommand
{
    private const string TemplateName = "MyModule", TemplateId = "my-module";

    private static readonly string[] Contract =
        ["AbiVersion.cs", "Limits.cs", "Signal.cs", "ModuleEvent.cs", "Asset.cs", "ProcessContext.cs", "IModule.cs", "ModuleDescriptor.cs", "NativeModule.cs", "RecordRing.cs"];

    public static Command Build()
    {
        var name = Flags.NoFlag(new Argument<string>("name") { Description = "Id of the module, and name of its directory: a-z 0-9 -." });
        var language = Flags.Checked(
            new Option<string>("--language") { Description = "c or csharp.", HelpName = "LANGUAGE", DefaultValueFactory = _ => "c" },
            word => word is "c" or "csharp" ? null : "c or csharp");
        var create = new Command("new", "Write a module that builds, to begin with.") { name, language };
        create.SetAction(r => New(r.GetValue(name)!, r.GetValue(language)!));

        var directory = Flags.NoFlag(new Argument<string>("directory") { Description = "Directory of its sources.", DefaultValueFactory = _ => ".", Arity = ArgumentArity.ZeroOrOne });
        var compile = new Command("build", "Compile it: C with cc, C# with dotnet publish.") { directory };
        compile.SetAction(r => Compile(r.GetValue(directory)!));

        var file = Flags.NoFlag(new Argument<string?>("file") { Description = "Library of modules (.so).", Arity = ArgumentArity.ZeroOrOne });
        var plugin = new Option<string?>("--lv2") { Description = "An LV2 plugin in place of a file, by module id, URI or a part of it: a table of those it fits.", HelpName = "NAME" };
        var plugins = new Option<bool>("--all-lv2") { Description = "Every LV2 plugin there is, as a table." };
        var test = new Command("test", "Run the conformance suite on a library of modules, or on LV2 plugins.") { file, plugin, plugins };
        test.Validators.Add(r =>
        {
            var given = (r.GetValue(file) != null ? 1 : 0) + (r.GetValue(plugin) != null ? 1 : 0) + (r.GetValue(plugins) ? 1 : 0);
            if (given != 1) r.AddError("expected one of: a file, --lv2 NAME, --all-lv2");
        });
        test.SetAction(r => r.GetValue(file) is { } library ? Test(library) : TestPlugins(r.GetValue(plugin) ?? ""));

        var module = Flags.NoFlag(new Argument<string?>("module") { Description = "A module type; without it, every library that is new or has changed.", Arity = ArgumentArity.ZeroOrOne });
        var reload = new Command("reload", "Load libraries anew while they play: what plays goes on in the new one, with its state and without a click.") { module };
        reload.SetAction(r => Reload(r.GetValue(module)));
        return new Command("module", "Write, build, test and reload modules of your own.") { create, compile, test, reload };
    }

    private static int New(string name, string language)
    {
        if (name.Length is 0 or > 40 || !name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-') || !char.IsAsciiLetter(name[0]))
            throw new CommandException($"'{Patching.PatchError.OneLine(name)}': expected a name of a-z 0-9 - that begins with a letter");
        if (Directory.Exists(name) || File.Exists(name)) throw new CommandException($"{name}: exists already");
        Directory.CreateDirectory(Path.Combine(name, "ssp"));
        var title = string.Concat(name.Split('-', StringSplitOptions.RemoveEmptyEntries).Select(w => char.ToUpperInvariant(w[0]) + w[1..]));
        void Write(string resource, params string[] path)
        {
            var to = Path.Combine([name, .. path]);
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            var text = Resource(resource);
            if (resource.StartsWith("sdk/template/", StringComparison.Ordinal))
                text = text.Replace(TemplateName, title, StringComparison.Ordinal).Replace(TemplateId, name, StringComparison.Ordinal).Replace("SSP_SDK/", "ssp/", StringComparison.Ordinal);
            File.WriteAllText(to, text);
        }

        if (language == "c")
        {
            Write("sdk/template/my-module.c", name + ".c");
            Write("sdk/ssp_module.h", "ssp", "ssp_module.h");
        }
        else
        {
            Write("sdk/template/MyModule.cs", title + ".cs");
            Write("sdk/template/Library.cs", "Library.cs");
            Write("sdk/template/MyModule.csproj", title + ".csproj");
            Write("sdk/SspModule.props", "ssp", "SspModule.props");
            Write("sdk/ModuleLibrary.cs", "ssp", "ModuleLibrary.cs");
            foreach (var part in Contract) Write("sdk/contract/" + part, "ssp", "contract", part);
        }

        Console.WriteLine($"{name}/ is a module in {(language == "c" ? "C" : "C#")}: 'ssp module build {name}', then 'ssp module test {name}/out/{name}.so'");
        return 0;
    }

    private static string Resource(string name)
    {
        using var stream = typeof(ModuleCommand).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"no resource {name}");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static int Compile(string directory)
    {
        if (!Directory.Exists(directory)) throw new CommandException($"{directory}: no such directory");
        var output = Path.Combine(directory, "out");
        Directory.CreateDirectory(output);
        if (Directory.GetFiles(directory, "*.csproj") is [var project, ..])
        {
            var rid = "linux-" + (RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "x64");
            // Build servers that stayed would hold the output of whoever called this open.
            Execute("dotnet", ["publish", project, "-c", "Release", "-r", rid, "-o", output, "--nologo", "-v", "q", "-nodeReuse:false", "-p:UseSharedCompilation=false"]);
        }
        else if (Directory.GetFiles(directory, "*.c") is { Length: > 0 } sources)
        {
            var name = Path.GetFileName(Path.GetFullPath(directory));
            // Linked under another name: what is loaded at this moment must not be written over.
            var file = Path.Combine(output, name + ".so");
            Execute("cc", ["-std=gnu11", "-O3", "-Wall", "-Wextra", "-fPIC", "-shared", "-fvisibility=hidden", "-I", Path.Combine(directory, "ssp"), .. sources.Order(StringComparer.Ordinal), "-lm", "-o", file + ".new"]);
            File.Move(file + ".new", file, overwrite: true);
        }
        else
        {
            throw new CommandException($"{directory}: there is neither a *.csproj nor a *.c file in it");
        }

        foreach (var library in Directory.GetFiles(output, "*.so")) Console.WriteLine(library);
        return 0;
    }

    private static void Execute(string command, string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments))!;
            process.WaitForExit();
            if (process.ExitCode != 0) throw new CommandException(string.Create(CultureInfo.InvariantCulture, $"{command} left with {process.ExitCode}: the module was not built"));
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new CommandException($"'{command}' is not installed: {(command == "cc" ? "apt install gcc" : "the .NET SDK is needed, see https://dotnet.microsoft.com")}");
        }
    }

    // A library that dies of its test is said to have done so.
    private static int Test(string file)
    {
        if (!File.Exists(file)) throw new CommandException($"{file}: no such file");
        var path = Path.GetFullPath(file);
        if (LibraryProbe.Run(path, path).Refusal is { } why) throw new CommandException($"{file}: {why}");
        return EngineTool.Run("conform", path);
    }

    // Those that cannot be modules at all are in the table, too.
    private static int TestPlugins(string name)
    {
        if (SettingsFile.Load(given: null).Lv2.Find() is not { } found) throw new CommandException(Lv2Catalog.Missing);
        bool Fits(string uri) => uri.Contains(name, StringComparison.OrdinalIgnoreCase);
        var exact = found.Modules.Where(m => m.Descriptor.Id == name || m.Uri == name).ToArray();
        var modules = exact.Length > 0 ? exact : [.. found.Modules.Where(m => Fits(m.Uri))];
        var refused = exact.Length > 0 ? [] : found.Refused.Where(r => Fits(r.Uri)).ToArray();
        if (modules.Length + refused.Length == 0) throw new CommandException($"there is no LV2 plugin '{Patching.PatchError.OneLine(name)}'");
        Console.WriteLine(Lv2Survey.Head);
        var (clean, refusals) = (0, refused.Length);
        foreach (var module in modules)
        {
            var surveyed = Lv2Survey.Run(module);
            if (surveyed.IsClean) clean++;
            if (surveyed.Refused != null) refusals++;
            Console.WriteLine(Lv2Survey.Row(surveyed));
        }

        foreach (var r in refused) Console.WriteLine(Lv2Survey.Row(Lv2Survey.Refused(r.Uri, r.Uri, r.Why)));
        var all = modules.Length + refused.Length;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n{all} plugins: {all - refusals} play, {clean} of them clean; {refusals} refused."));
        return clean == all ? 0 : 1;
    }

    private static int Reload(string? module)
    {
        using var host = StatusCommand.Host();
        var told = module == null ? host.Ask("reload") : host.Ask("reload", w => w.WriteString("module", module));
        var report = told.Deserialize(DiagnosticsJson.Default.ReloadReport) ?? throw new IOException("the host sent no report");
        foreach (var loaded in report.Loaded) Console.WriteLine($"{loaded.File}: {string.Join(", ", loaded.Modules)}");
        foreach (var refused in report.Refused) Console.Error.WriteLine($"{refused.File}: {refused.Why}");
        if (report.Loaded.Count + report.Refused.Count == 0) Console.WriteLine("nothing is new or has changed");
        return report.Refused.Count == 0 ? 0 : 1;
    }
}
