// The rules of the accepted file, each broken once.
namespace SspHost.Gate.Tests;

public class AcceptedCountsTests
{
    private static readonly AcceptedCount First = new(1000, 60_000_000, "ILC 9", "the first count of this patch");

    [Theory]
    [InlineData(1000, true)]
    [InlineData(1030, true)]
    [InlineData(1030.2, false)]
    [InlineData(970, true)]
    [InlineData(969.8, false)]
    public void Three_percent_pass_and_more_does_not(double perFrame, bool passes) =>
        Assert.Equal(passes, !File(First).Complaints(new Dictionary<string, double> { ["a"] = perFrame }).Any());

    [Fact]
    public void A_complaint_names_patch_counts_and_change()
    {
        var told = Assert.Single(File(First).Complaints(new Dictionary<string, double> { ["a"] = 1062 }));
        Assert.Equal("a: 1062.0 instructions a frame, accepted 1000.0 (+6.2 %, the limit is 3 %; accepted with ILC 9)", told);
    }

    [Fact]
    public void A_patch_that_was_not_counted_and_one_that_is_not_held_are_complaints()
    {
        Assert.Equal("a: it was not counted", Assert.Single(File(First).Complaints(new Dictionary<string, double>())));
        Assert.Equal("b: no count is accepted", Assert.Single(File(First).Complaints(new Dictionary<string, double> { ["a"] = 1000, ["b"] = 5 })));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   because   ")]
    [InlineData("the first count of this patch")] // what was said the last time says nothing of this time
    public void A_count_without_a_note_of_its_own_is_a_flaw(string note)
    {
        Assert.Empty(File(First).Flaws());
        Assert.Empty(File(First, First with { PerFrame = 1100, Note = "the filter is stepped four times" }).Flaws());
        Assert.Single(File(First, First with { PerFrame = 1100, Note = note }).Flaws());
    }

    [Fact]
    public void What_was_accepted_before_stays_as_it_was()
    {
        var second = new AcceptedCount(1100, 66_000_000, "ILC 9", "the filter is stepped four times");
        Assert.Empty(File(First).Rewritten(File(First)));
        Assert.Empty(File(First, second).Rewritten(File(First)));
        Assert.Single(File(second).Rewritten(File(First))); // replaced
        Assert.Single(File(First with { PerFrame = 1100 }).Rewritten(File(First))); // the figure alone
        Assert.Single(File(First with { Note = "another reason altogether" }).Rewritten(File(First)));
        Assert.Single(File(First).Rewritten(File(First, second))); // taken back in silence
        Assert.Single(new AcceptedCounts().Rewritten(File(First))); // not counted any more
    }

    [Fact]
    public void Accepting_adds_a_count_with_its_note_and_only_where_it_changed()
    {
        var file = File(First);
        file.Accept("a", Counted(1002.9), "ILC 10", "the compiler is another");
        Assert.Equal([First], file.Patches["a"]);
        file.Accept("a", Counted(1003.14), "ILC 10", "the compiler is another");
        Assert.Equal([First, new AcceptedCount(1003.1, LongTotal(1003.14), "ILC 10", "the compiler is another")], file.Patches["a"]);
        file.Accept("b", Counted(5), "ILC 10", "the compiler is another");
        Assert.Single(file.Patches["b"]);
    }

    [Fact]
    public void The_file_reads_as_it_was_written()
    {
        var file = File(First, First with { Note = "µ-law isn't <free>" });
        file.InstructionSet = "x86-64,avx2";
        var text = file.Write();
        Assert.Contains("µ-law isn't <free>", text, StringComparison.Ordinal);
        Assert.Equal(text, AcceptedCounts.Parse(text).Write());
        Assert.Equal(file.Patches["a"], AcceptedCounts.Parse(text).Patches["a"]);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"version\":2,\"instructionSet\":\"\",\"patches\":{}}")]
    [InlineData("{\"version\":1,\"patches\":{\"a\":[{\"perFrame\":1}]}}")]
    [InlineData("{\"version\":1,\"limit\":0.5}")]
    public void What_is_no_such_file_is_refused(string json) =>
        Assert.StartsWith("accepted counts: ", Assert.Throws<FormatException>(() => AcceptedCounts.Parse(json)).Message, StringComparison.Ordinal);

    private static AcceptedCounts File(params AcceptedCount[] counts) => new() { Patches = { ["a"] = [.. counts] } };

    private static long LongTotal(double perFrame) => 5_000_000 + (long)Math.Round(perFrame * (Counting.LongFrames - Counting.ShortFrames));

    private static PatchCount Counted(double perFrame) => new(Profile(5_000_000), Profile(LongTotal(perFrame)));

    private static CallgrindProfile Profile(long total) => CallgrindProfile.Parse(new StringReader($"totals: {total}"), "made up");
}
