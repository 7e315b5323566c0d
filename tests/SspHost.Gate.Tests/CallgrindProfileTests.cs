// callgrind's file: what it means by the manual, on a small one, and on valgrind's own for a program whose instructions are known.
using System.Diagnostics;

namespace SspHost.Gate.Tests;

public class CallgrindProfileTests
{
    // main has 2 + 5 + 3 of its own; work 100 and 200, which main's two calls repeat.
    private const string Small = """
        # callgrind format
        version: 1
        events: Ir
        summary: 310

        ob=(1) /bin/thing
        fl=(1) thing.c
        fn=(1) main
        10 2
        cfn=(2) work(int, char)
        calls=1 20
        * 100
        +1 5
        cfi=(2) other.c
        cfn=(2)
        calls=1 20
        +2 200
        -1 3

        fn=(2)
        20 100
        fi=(2)
        +7 200

        totals: 310
        """;

    [Fact]
    public void Calls_are_counted_where_they_lead()
    {
        var profile = CallgrindProfile.Parse(new StringReader(Small), "small");
        Assert.Equal(310, profile.Total);
        Assert.Equal(new Dictionary<string, long> { ["main"] = 10, ["work(int, char)"] = 300 }, profile.Functions);
    }

    [Theory]
    [InlineData("totals: 310", "", "ends without its totals")]
    [InlineData("events: Ir", "events: Ir Dr Dw", "expected one event, Ir")]
    [InlineData("fn=(2)\n20 100", "fn=(3)\n20 100", "expected a name that was given before")]
    [InlineData("20 100", "20 many", "expected a count")]
    [InlineData("20 100", "20", "expected a position and a count")]
    public void A_file_that_is_cut_off_or_another_is_refused(string from, string to, string expected)
    {
        Assert.Contains(from, Small, StringComparison.Ordinal);
        var error = Assert.Throws<FormatException>(() => CallgrindProfile.Parse(new StringReader(Small.Replace(from, to, StringComparison.Ordinal)), "small"));
        Assert.Contains("small", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    // A loop of three instructions, 1,000,000 times, in assembly: the count is known before it is counted.
    [CountingFact]
    public void A_loop_of_known_length_is_counted_exactly()
    {
        var folder = Directory.CreateTempSubdirectory("gate-").FullName;
        try
        {
            var (source, program, output) = (Path.Combine(folder, "loop.c"), Path.Combine(folder, "loop"), Path.Combine(folder, "out"));
            File.WriteAllText(source, """
                __asm__(".globl spin\n.type spin,@function\nspin:\nmov $1000000,%ecx\n1: nop\ndec %ecx\njne 1b\nret\n.size spin,.-spin\n");
                void spin(void);
                int main(void) { spin(); return 0; }
                """);
            Run("cc", "-o", program, source);
            Run("valgrind", "--tool=callgrind", $"--callgrind-out-file={output}", "--toggle-collect=spin", program);
            var profile = CallgrindProfile.Read(output);
            Assert.Equal(3_000_002, profile.Functions["spin"]);
            Assert.Equal(profile.Total, profile.Functions.Values.Sum());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Run(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{command}: {errors}");
    }
}
