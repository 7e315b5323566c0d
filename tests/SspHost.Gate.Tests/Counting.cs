// An offline render under callgrind: the engine as it is shipped, with names beside it, counted while it renders quanta.
using System.Diagnostics;
using System.Globalization;

namespace SspHost.Gate.Tests;

/// <summary>What a patch costs: instructions a frame once it plays, and the counts of the two renders they are the difference of.</summary>
internal sealed record PatchCount(CallgrindProfile Brief, CallgrindProfile Long)
{
    public double PerFrame => (Long.Total - Brief.Total) / (double)(Counting.LongFrames - Counting.ShortFrames);
}

/// <summary>Renders patches with <c>ssp render</c>, whose engine is a process of its own: that one runs under valgrind.</summary>
internal static class Counting
{
    public const int Rate = 48_000;

    // Two lengths, half a second apart: by their difference what happens once (a fade, tables, the first event) is no part of the figure.
    public const int ShortFrames = Rate / 4, LongFrames = ShortFrames + (Rate / 2);

    // Enough for these patches; to make more ready would take longer than to render.
    private const string RegionMib = "64";
    private const int MostStarts = 4;

    // The audio loop's way from a card's quantum to the next. What lies outside waits for the other process, for so long as that takes.
    private const string Counted = "*StreamCard__SspHost_Engine_SspHost_Engine_Service_RendererQuantum>__RenderQuantum";

    private static readonly string Folder = Path.Combine(Machine.Root, "artifacts/gate");
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly Lazy<string> Engine = new(Prepare);

    /// <summary>valgrind's version, as it says it.</summary>
    public static string Counter { get; } = Run("valgrind", [], "--version").Trim();

    /// <summary>Counts a patch of <c>patches/</c>, or a file.</summary>
    public static PatchCount Count(string patch) => new(Render(patch, ShortFrames), Render(patch, LongFrames));

    /// <summary>One render of so many frames.</summary>
    public static CallgrindProfile Render(string patch, int frames)
    {
        var file = Path.IsPathRooted(patch) ? patch : Path.Combine(Machine.Root, "patches", patch + ".json");
        var work = Path.Combine(Folder, $"{Path.GetFileNameWithoutExtension(file)}-{frames}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(work);
        try
        {
            var output = Path.Combine(work, "callgrind.out");
            var wrapper = Path.Combine(work, "engine.sh");
            File.WriteAllText(wrapper, $"""
                #!/bin/sh
                exec valgrind --tool=callgrind '--callgrind-out-file={output}' '--log-file={work}/valgrind.log' '--toggle-collect={Counted}' '{Engine.Value}' "$@"

                """);
            File.SetUnixFileMode(wrapper, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            // What is installed or configured here is another matter: no LV2 plugin, no module library, no configuration.
            var environment = new Dictionary<string, string>
            {
                ["SSP_ENGINE"] = wrapper, ["HOME"] = work, ["LV2_PATH"] = Path.Combine(work, "lv2"),
                ["XDG_CONFIG_HOME"] = work, ["XDG_STATE_HOME"] = work, ["XDG_DATA_HOME"] = work,
            };
            var seconds = ((double)frames / Rate).ToString(CultureInfo.InvariantCulture);
            string[] render = ["render", file, "--out", Path.Combine(work, "out.wav"), "--seconds", seconds, "--threads", "1", "--region-mib", RegionMib];
            for (var start = 1; ; start++)
            {
                try
                {
                    _ = Run(Path.Combine(Machine.Bin, "ssp"), environment, render);
                    break;
                }
                catch (InvalidOperationException e) when (start < MostStarts && e.Message.Contains("was not ready after", StringComparison.Ordinal))
                {
                    // valgrind makes the start fifty times slower, and `ssp` waits for no engine longer than one takes by itself on a busy machine.
                }
            }

            var profile = CallgrindProfile.Read(output);
            if (profile.Total == 0) throw new InvalidDataException($"nothing was counted: the engine has no function {Counted}");
            return profile;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    // A copy of the shipped image whose names, and nothing but names, lie beside it: callgrind dies of the DWARF that ILC writes, and without names it
    // could not tell where a quantum begins.
    private static string Prepare()
    {
        var (engine, symbols) = (Path.Combine(Machine.Bin, "ssp-engine"), Path.Combine(Machine.Bin, "../symbols/ssp-engine.dbg"));
        foreach (var file in new[] { engine, symbols })
            if (!File.Exists(file)) throw new FileNotFoundException($"{file} is missing; tools/build.sh linux-x64 makes it");
        var folder = Path.Combine(Folder, "engine");
        Directory.CreateDirectory(folder);
        var (copy, names) = (Path.Combine(folder, "ssp-engine"), Path.Combine(folder, "ssp-engine.dbg"));
        foreach (var library in Directory.GetFiles(Machine.Bin, "*.so")) File.Copy(library, Path.Combine(folder, Path.GetFileName(library)), overwrite: true);
        _ = Run("objcopy", [], "--strip-debug", symbols, names);
        _ = Run("objcopy", [], "--remove-section=.gnu_debuglink", $"--add-gnu-debuglink={names}", engine, copy);
        return copy;
    }

    private static string Run(string command, Dictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var printed = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Patience)) process.Kill(entireProcessTree: true);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{command} {string.Join(' ', arguments)}: exit code {process.ExitCode}: {printed.Result}{errors.Result}");
        return printed.Result;
    }
}
