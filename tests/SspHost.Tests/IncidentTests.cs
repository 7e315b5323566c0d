// Incidents: every kind of notice becomes one, those of a newer engine too, and a flood of one kind hides no other.
using SspHost.Abi;
using SspHost.Diagnostics;

namespace SspHost.Tests;

public sealed class IncidentTests
{
    [Fact]
    public void A_notice_becomes_an_incident_with_its_cause_figures_module_and_both_clocks()
    {
        var log = new IncidentLog();
        var heard = new List<long>();
        log.Listener = i => heard.Add(i.Id);
        var at = Linux.Now();
        var i = log.Add(new Notice { Kind = NoticeKind.Dropout, Key = 5, Incident = 9, Frame = 480, Time = at, A = 64, B = (long)DropoutCause.LateWakeUp, C = 900_000 }, "echo");
        Assert.Equal((1, "dropout", "lateWakeUp", 9L, 480L, "echo"), (i.Id, i.Kind, i.Cause, i.Engine, i.Frame, i.Module));
        Assert.Equal(64, Assert.Single(i.Figures, f => f.Key == "frames").Value);
        Assert.Equal("64 frames lost, the audio thread got its core too late, 0.90 ms of that in 'echo' (incident 9)", i.Text);
        Assert.Equal(at.ToString(System.Globalization.CultureInfo.InvariantCulture), i.Monotonic);
        var wall = DateTime.Parse(i.Time, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AdjustToUniversal);
        Assert.InRange((DateTime.UtcNow - wall).TotalSeconds, 0, 60);
        Assert.Equal([1L], heard);
    }

    [Fact]
    public void Every_kind_there_is_and_every_kind_to_come_is_told_in_words()
    {
        var log = new IncidentLog();
        foreach (var kind in Enum.GetValues<NoticeKind>().Append((NoticeKind)4711))
        {
            var i = log.Add(new Notice { Kind = kind, Slot = -1, A = 3, B = 4, Time = Linux.Now() }, module: null);
            Assert.Matches("^[a-z0-9][A-Za-z0-9]*$", i.Kind);
            Assert.False(string.IsNullOrWhiteSpace(i.Text));
            Assert.DoesNotContain('\n', i.Text);
        }

        var unknown = log.Since(0)[^1];
        Assert.Equal(("4711", "notice 4711 (3, 4, 0)"), (unknown.Kind, unknown.Text));
        Assert.Equal([("a", 3L), ("b", 4L), ("c", 0L)], unknown.Figures.Select(f => (f.Key, f.Value)));
        foreach (var reason in Enum.GetValues<ShedReason>().Append((ShedReason)99))
            Assert.Contains("switched off", IncidentKinds.Words(new Notice { Kind = NoticeKind.ModuleShed, A = (long)reason, B = 11 }), StringComparison.Ordinal);
        foreach (var cause in Enum.GetValues<DropoutCause>().Append((DropoutCause)99)) Assert.False(string.IsNullOrWhiteSpace(IncidentKinds.Cause(cause)));
    }

    [Fact]
    public void Extreme_figures_and_times_are_bounded_instead_of_thrown()
    {
        var log = new IncidentLog();
        foreach (var time in new ulong[] { 0, 1, ulong.MaxValue, ulong.MaxValue / 2, Linux.Now() + 1_000_000_000 })
        {
            var i = log.Add(new Notice { Kind = NoticeKind.Late, Frame = ulong.MaxValue, Time = time, A = long.MinValue, B = long.MaxValue }, module: null);
            Assert.InRange(i.Frame, 0, 1L << 53);
            Assert.All(i.Figures.Values, f => Assert.InRange(f, -(1L << 53), 1L << 53));
        }
    }

    [Fact]
    public void A_thousand_are_kept_and_a_flood_of_one_kind_pushes_out_its_own_oldest_only()
    {
        var log = new IncidentLog();
        log.Add(new Notice { Kind = NoticeKind.DeviceLost, A = 19 }, module: null);
        for (var n = 0; n < 5000; n++) log.Add(new Notice { Kind = n % 10 == 0 ? NoticeKind.Dropout : NoticeKind.Late }, module: null);
        var kept = log.Since(0);
        Assert.Equal(IncidentLog.Capacity, kept.Count);
        Assert.Equal("deviceLost", kept[0].Kind);
        Assert.Equal(5001, kept[^1].Id);
        Assert.Equal(kept.Select(k => k.Id).Order(), kept.Select(k => k.Id));
        Assert.Equal(499, kept.Count(k => k.Kind == "dropout")); // the rarer kind lost one only when there were as many of it
        Assert.Equal([5000L, 5001L], log.Since(4990, limit: 2).Select(k => k.Id));
        Assert.Equal(5001, log.Last);
    }
}
