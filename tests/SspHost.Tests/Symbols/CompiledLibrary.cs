// A small library with known source, made by the C compiler with whatever kind of debug information a test asks for.
using System.Diagnostics;

namespace SspHost.Tests.Symbols;

internal sealed class CompiledLibrary : IDisposable
{
    private const string Source = """
        #include <stdlib.h>
        static int half(int x)
        {
            int y = x / 2;
            return y * y + 1;
        }

        int exported(int x)
        {
            int sum = 0;
            for (int i = 0; i < x; i++) {
                sum += half(i) ^ (sum >> 3);
                if (sum > 1000000)
                    sum = half(sum);
            }
            return sum;
        }

        void *third(size_t n)
        {
            if (n == 7)
                return NULL;
            return malloc(n);
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-symbols-").FullName;

    public CompiledLibrary(params string[] flags)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "src"));
        File.WriteAllText(Path.Combine(_folder, "src", "small.c"), Source);
        var outcome = Tool("cc", ["-shared", "-fPIC", "-Wl,--build-id", $"-ffile-prefix-map={_folder}=/_", .. flags, Path.Combine(_folder, "src", "small.c"), "-o", FileName]);
        Assert.Equal("", outcome);
    }

    public string FileName => Path.Combine(_folder, "small.so");

    /// <summary>What a tool prints, given lines on its standard input.</summary>
    public static string Tool(string name, string[] arguments, IEnumerable<string>? input = null)
    {
        using var process = Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        foreach (var line in input ?? []) process.StandardInput.WriteLine(line);
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{name}: {error.Result}");
        return output.Result;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
