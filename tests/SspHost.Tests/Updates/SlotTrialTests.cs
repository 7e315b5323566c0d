// By what a slot on trial is confirmed: ten seconds in a row that play and lose nothing.
using SspHost.Updates;

namespace SspHost.Tests.Updates;

public class SlotTrialTests
{
    [Fact]
    public void Ten_clean_seconds_pass_once()
    {
        var trial = new SlotTrial();
        var passed = Enumerable.Range(0, 30).Select(i => trial.Second(true, 7, (ulong)(i + 1) * 375, 0)).ToList();
        Assert.Equal(1, passed.Count(p => p));
        Assert.Equal(SlotTrial.Seconds, passed.IndexOf(true)); // the first second is what the others are compared with
        Assert.True(trial.Passed);
    }

    [Theory]
    [InlineData("silent")]
    [InlineData("dropout")]
    [InlineData("stands still")]
    [InlineData("another engine")]
    public void A_second_that_is_not_clean_begins_anew(string what)
    {
        var trial = new SlotTrial();
        ulong quanta = 0, dropouts = 0;
        var engine = 7;
        var seconds = 0;
        for (var i = 0; !trial.Passed; i++, seconds++)
        {
            Assert.True(i < 100);
            var bad = i == 9;
            quanta += bad && what == "stands still" ? 0UL : 375;
            dropouts += bad && what == "dropout" ? 1UL : 0;
            engine += bad && what == "another engine" ? 1 : 0;
            trial.Second(!(bad && what == "silent"), engine, quanta, dropouts);
        }

        Assert.Equal(10 + SlotTrial.Seconds, seconds);
    }

    [Fact]
    public void What_never_plays_never_passes()
    {
        var trial = new SlotTrial();
        for (var i = 0; i < 1000; i++) Assert.False(trial.Second(false, 0, 0, 0));
    }
}
