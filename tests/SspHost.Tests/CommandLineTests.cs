// The command line: every command has help with an example, and a wrong flag is one clear line.
using System.CommandLine;
using SspHost.Commands;

namespace SspHost.Tests;

public class CommandLineTests
{
    public static TheoryData<string> Commands() => [.. CommandTree.Build().Subcommands.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_command_has_help_that_ends_in_examples(string command)
    {
        var output = new StringWriter();
        Assert.Equal(0, CommandTree.Build().Parse([command, "--help"]).Invoke(new InvocationConfiguration { Output = output }));
        var text = output.ToString();
        Assert.Contains("Examples:\n  ssp " + command, text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run --rate 5", "--rate: expected 44100 to 192000 Hz, not '5'")]
    [InlineData("run --rate x", "--rate: expected 44100 to 192000 Hz, not 'x'")]
    [InlineData("run --quantum 48", "--quantum: expected a power of two from 16 to 256, not '48'")]
    [InlineData("run --device oss", "--device: expected sim, alsa:NAME, wav:IN,OUT or auto, not 'oss'")]
    [InlineData("run --cores 1,1", "--cores: expected different core numbers")]
    [InlineData("render p.json --out o.wav --seconds -1", "--seconds: expected more than 0")]
    [InlineData("render p.json --out o.wav --threads 0", "--threads: expected 1 to 16, not '0'")]
    [InlineData("render p.json --out o.wav --format mp3", "--format: expected pcm16, pcm24 or float, not 'mp3'")]
    [InlineData("experiment gc-isolation --seconds 0", "--seconds: expected 1 to 3600, not '0'")]
    public void A_wrong_flag_says_what_was_expected(string line, string expected) =>
        Assert.Contains(expected, Assert.Single(CommandTree.Build().Parse(line.Split(' ')).Errors).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("nix", "there is no command 'nix'; expected one of run, stop")]
    [InlineData("", "expected one of run, stop")]
    [InlineData("patch", "expected one of check, show, schema")]
    [InlineData("patch chek p.json", "there is no command 'chek'; expected one of check, show, schema")]
    [InlineData("bench nix", "there is no benchmark 'nix'; expected one of all, compile, start, edits, metrics, trace, panel, panel-audio, capacity, memory")]
    [InlineData("bench edits nix", "bench edits: expected no argument, not 'nix'")]
    [InlineData("bench start --nix", "bench start: expected no argument, not '--nix'")]
    [InlineData("events --last x", "--last: expected a number from 0 up, not 'x' (ssp events --help)")]
    [InlineData("events --last -3", "--last: expected a number from 0 up, not '-3'")]
    [InlineData("calibrate forget left 1", "side: expected out or in, not 'left'")]
    [InlineData("calibrate out 0", "jack: expected 1 to 32, not '0'")]
    [InlineData("calibrate in 1 --from x", "--from: expected 1 to 32, not 'x'")]
    [InlineData("status --nonsense", "'--nonsense'")]
    [InlineData("run --nonsense", "'--nonsense': there is no such flag")]
    [InlineData("render p.json --out o.wav --threds", "'--threds'")]
    [InlineData("patch check --strict p.json", "'--strict': there is no such flag")]
    [InlineData("run p.json q.json --rate 5", "--rate: expected 44100 to 192000 Hz, not '5' (ssp run --help)")]
    [InlineData("render p.json", "'--out'")]
    [InlineData("render p.json --out o.wav --threads x", "--threads: expected 1 to 16, not 'x' (ssp render --help)")]
    [InlineData("render p.json --out o.wav --seconds x", "--seconds: expected more than 0")]
    public void Whatever_is_wrong_with_a_command_line_is_one_line(string line, string expected)
    {
        var said = CommandTree.Unclear(CommandTree.Build().Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Contains(expected, said, StringComparison.Ordinal);
        Assert.False(said!.StartsWith("ssp", StringComparison.Ordinal), "the program's name is put before it");
        Assert.DoesNotContain("\n", said, StringComparison.Ordinal);
        Assert.Null(CommandTree.Unclear(CommandTree.Build().Parse([.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"])));
    }

    [Theory]
    [InlineData("run")]
    [InlineData("run p.json --device wav:in.wav,out.wav --rate 96000 --quantum 64 --period 48 --periods 3 --cores 2-3,5 --region-mib 512")]
    [InlineData("render p.json --out o.wav --in i.wav --seconds 2.5 --threads 4 --format float")]
    [InlineData("patch check a.json b.json")]
    [InlineData("bench memory --ops 1000 --json")]
    [InlineData("calibrate forget in 3")]
    [InlineData("events --last 20 --json")]
    [InlineData("experiment gc-isolation --seconds 2 --json")]
    public void What_the_help_promises_parses(string line) => Assert.Empty(CommandTree.Build().Parse(line.Split(' ')).Errors);
}
