// Which of two debts a loss is blamed on.
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio;

public sealed unsafe class IncidentTests : IDisposable
{
    private const ulong Quantum = 1_000_000, Unknown = ulong.MaxValue;

    private readonly LoopRig _rig = new(32);
    private Incidents _incidents;

    public IncidentTests() => _incidents = new Incidents(_rig.Setup.Notices, _rig.Setup.LastIncident, Quantum);

    public void Dispose() => _rig.Dispose();

    private void Play(ulong took)
    {
        _ = _incidents.Rendered(took);
        _incidents.Played();
    }

    [Fact]
    public void Without_a_debt_it_was_the_device()
    {
        _incidents.Woken(0, slept: true, Unknown);
        Assert.Equal(DropoutCause.Device, _incidents.CauseOf(early: false));
        Play(Quantum / 2);
        Assert.Equal(DropoutCause.Device, _incidents.CauseOf(early: false));
    }

    [Fact]
    public void A_device_that_stops_with_frames_in_hand_is_to_blame_however_late_we_were()
    {
        _incidents.Woken(50 * Quantum, slept: true, Unknown);
        Assert.Equal(DropoutCause.Device, _incidents.CauseOf(early: true));
    }

    [Fact]
    public void The_larger_share_is_the_cause()
    {
        _incidents.Woken(2 * Quantum, slept: true, Unknown);
        _ = _incidents.Rendered(2 * Quantum);
        Assert.Equal(DropoutCause.LateWakeUp, _incidents.CauseOf(early: false));
        _incidents.Played();
        _ = _incidents.Rendered(4 * Quantum);
        Assert.Equal(DropoutCause.SlowRender, _incidents.CauseOf(early: false));
    }

    [Fact]
    public void A_late_wake_up_is_remembered_until_fast_quanta_have_paid_it_back()
    {
        _incidents.Woken(4 * Quantum, slept: true, Unknown);
        for (var i = 0; i < 6; i++)
        {
            Play(Quantum / 2); // half a quantum of the debt each: 1 is left
            _incidents.Woken(0, slept: false, Unknown); // no time to sleep: still behind
        }

        _ = _incidents.Rendered(Quantum + (Quantum / 2));
        Assert.Equal(DropoutCause.LateWakeUp, _incidents.CauseOf(early: false));
        _incidents.Played();
        for (var i = 0; i < 2; i++) Play(Quantum / 2); // the older debt is paid first
        Assert.Equal(DropoutCause.SlowRender, _incidents.CauseOf(early: false));
    }

    [Fact]
    public void A_sleep_means_that_all_was_caught_up_with()
    {
        _incidents.Woken(9 * Quantum, slept: true, Unknown);
        Play(9 * Quantum);
        _incidents.Woken(0, slept: true, Unknown);
        Assert.Equal(DropoutCause.Device, _incidents.CauseOf(early: false));
    }

    [Fact]
    public void A_core_lost_between_two_quanta_counts_as_a_late_wake_up()
    {
        _incidents.Woken(0, slept: true, Unknown);
        Play(Quantum / 2);
        _incidents.Woken(3 * Quantum, slept: false, Unknown);
        Assert.Equal(DropoutCause.LateWakeUp, _incidents.CauseOf(early: false));
    }

    [Fact]
    public void A_little_lateness_is_the_cause_where_the_buffer_had_less_to_spare()
    {
        _incidents.Woken(Quantum / 10, slept: true, slackNs: Quantum / 20);
        Assert.Equal(DropoutCause.LateWakeUp, _incidents.CauseOf(early: false));
        _incidents.Woken(Quantum / 10, slept: true, slackNs: Quantum / 2);
        Assert.Equal(DropoutCause.Device, _incidents.CauseOf(early: false));
        _ = _incidents.Rendered(Quantum / 2);
        Assert.Equal(DropoutCause.LateWakeUp, _incidents.CauseOf(early: false));
    }

    [Fact]
    public void An_absence_is_told_when_it_begins_and_summed_up_when_it_ends_under_one_number()
    {
        _incidents.Gone(100, 1, 19);
        _incidents.Gone(132, 2, 5);
        _incidents.Unheard(32);
        ++*_rig.Setup.LastIncident; // something else happens meanwhile
        _incidents.Lost(10, DropoutCause.SlowRender, 132, 3, Culprit.None);
        Assert.True(_incidents.IsAway);
        Assert.Equal((1UL, 42UL), (_incidents.Dropouts, _incidents.LostFrames));
        Assert.True(_incidents.Back(4));
        Assert.False(_incidents.Back(5));
        var notices = _rig.TakeNotices();
        Assert.Equal([NoticeKind.DeviceAway, NoticeKind.Dropout], notices.Select(n => n.Kind));
        Assert.All(notices, n => Assert.Equal((1UL, 100UL), (n.Incident, n.Frame)));
        Assert.Equal(19L, notices[0].A); // why, as it was told first
        Assert.Equal((42L, DropoutCause.Unplugged), (notices[1].A, (DropoutCause)notices[1].B));
        Assert.Equal((1UL, 42UL), (_incidents.Dropouts, _incidents.LostFrames));
    }

    [Fact]
    public void A_card_that_is_there_at_another_rate_is_told_once_an_absence_and_as_part_of_it()
    {
        for (ulong absence = 1; absence <= 2; absence++)
        {
            _incidents.Gone(100, 1, 19);
            foreach (var rate in new[] { 0, 44_100, 44_100, 96_000, 96_000 }) _incidents.FoundAt(rate, 48_000, 132, 2);
            _ = _incidents.Back(3);
            var notices = _rig.TakeNotices();
            Assert.Equal([NoticeKind.DeviceAway, NoticeKind.DeviceRate, NoticeKind.DeviceRate, NoticeKind.Dropout], notices.Select(n => n.Kind));
            Assert.All(notices, n => Assert.Equal(absence, n.Incident));
            Assert.Equal((44_100L, 48_000L, 96_000L), (notices[1].A, notices[1].B, notices[2].A));
        }
    }

    [Fact]
    public void With_nobody_to_read_them_notices_fill_their_ring_and_no_more_while_the_counters_stay_exact()
    {
        for (var i = 0; i < 100_000; i++) _incidents.Lost(1, DropoutCause.Device, (ulong)i, (ulong)i, Culprit.None);
        Assert.Equal((100_000UL, 100_000UL, 100_000UL), (_incidents.Dropouts, _incidents.LostFrames, *_rig.Setup.LastIncident));
        Assert.Equal(1 << 14, _rig.TakeNotices().Count);
    }

    [Fact]
    public void Clock_jumps_are_told_ten_times_a_second_and_counted_always()
    {
        for (ulong ms = 0; ms < 1000; ms++) _incidents.ClockLeapt(5, 0, ms * 1_000_000);
        Assert.Equal((1000UL, 1000UL, 0UL), (_incidents.ClockJumps, *_rig.Setup.LastIncident, _incidents.Dropouts));
        Assert.Equal(10, _rig.TakeNotices().Count(n => n.Kind == NoticeKind.ClockJump));
    }

    [Fact]
    public void What_the_kernel_did_goes_with_the_incident_it_was_asked_for_and_with_no_other()
    {
        _ = _incidents.Rendered(2 * Quantum);
        Assert.True(_incidents.Absorbed(1));
        _incidents.Suffered(7, 3);
        _incidents.TellLate(2 * Quantum, 0, 1, Culprit.None);
        _incidents.Slipped(4, 32, 2);
        _incidents.Suffered(0, 1);
        _incidents.Lost(64, DropoutCause.LateWakeUp, 64, 3, Culprit.None);
        var told = _rig.TakeNotices();
        Assert.Equal([(NoticeKind.Late, 7u, 3u), (NoticeKind.Dropout, 0u, 0u), (NoticeKind.Dropout, 0u, 1u)], told.Select(n => (n.Kind, n.Faults, n.Preemptions)));
    }
}
