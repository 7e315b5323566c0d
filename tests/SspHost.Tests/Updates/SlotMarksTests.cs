// The marks on the boot partition, in every state, changed in every way, cut after every step: board/boot.cmd itself says what would start.
using System.Diagnostics;

namespace SspHost.Tests.Updates;

public class SlotMarksTests
{
    private static readonly Lazy<IReadOnlyList<Cut>> All = new(Take);

    [Fact]
    public void Before_a_slot_is_written_every_start_leads_to_the_one_that_runs_whatever_stood_there_before()
    {
        foreach (var cut in All.Value.Where(c => c.Action == "settle" && c.Step == c.Steps))
            Assert.Equal((cut.Runs, cut.Runs), (cut.First, cut.Second));
        // and arming begins there
        foreach (var cut in All.Value.Where(c => c.Action == "arm" && c.Step == 0)) Assert.Equal((cut.Runs, cut.Runs), (cut.First, cut.Second));
    }

    [Fact]
    public void A_cut_while_marks_are_settled_starts_the_confirmed_slot_or_the_one_that_runs_and_never_goes_back_to_the_former()
    {
        foreach (var series in All.Value.Where(c => c is { Action: "settle", Good: "ab" }).GroupBy(c => (c.Runs, c.Confirmed, c.Try, c.Tried)))
        {
            var arrived = false;
            foreach (var cut in series.OrderBy(c => c.Step).Skip(1)) // before the first step it is as it was
            {
                Assert.True(cut.First == cut.Runs || (!arrived && cut.First == cut.Confirmed), cut.ToString());
                Assert.Equal(cut.First, cut.Second);
                arrived |= cut.First == cut.Runs;
            }
        }
    }

    [Fact]
    public void A_slot_that_is_armed_is_tried_once_and_not_again_unless_it_is_confirmed()
    {
        var armed = All.Value.Where(c => c is { Action: "arm", Step: 1, Good: "ab" }).ToList();
        Assert.Equal(16, armed.Count);
        foreach (var cut in armed) Assert.Equal((Other(cut.Runs) + " trial", cut.Runs), (cut.First, cut.Second));
    }

    [Fact]
    public void While_the_other_slot_does_not_load_every_state_of_the_marks_starts_the_one_that_runs()
    {
        foreach (var cut in All.Value.Where(c => c.Good != "ab")) Assert.Equal((cut.Runs, cut.Runs), (cut.First.Split(' ')[0], cut.Second));
    }

    [Fact]
    public void All_states_were_looked_at()
    {
        Assert.Equal(32, All.Value.Select(c => (c.Runs, c.Confirmed, c.Try, c.Tried, c.Action)).Distinct().Count());
        Assert.Equal(4, All.Value.Where(c => c.Action == "settle").Max(c => c.Steps)); // the longest way
    }

    private static string Other(string slot) => slot == "a" ? "b" : "a";

    private static List<Cut> Take()
    {
        var here = Path.Combine(UpdateBench.Repository, "tests/SspHost.Tests/Updates/marks.bash");
        using var bash = Process.Start(new ProcessStartInfo("bash", [here, UpdateBench.Repository]) { RedirectStandardOutput = true })!;
        var lines = bash.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        bash.WaitForExit();
        Assert.Equal(0, bash.ExitCode);
        return [.. lines.Select(l => l.Split(',')).Select(w => new Cut(w[0], w[1], w[2], w[3], w[4], int.Parse(w[5], null), int.Parse(w[6], null), w[7], w[8], w[9]))];
    }

    private sealed record Cut(string Runs, string Confirmed, string Try, string Tried, string Action, int Step, int Steps, string Good, string First, string Second);
}
