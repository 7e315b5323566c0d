// What every module must keep, whatever it does: the conformance suite over the whole catalogue.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

public class ConformanceTests
{
    public static TheoryData<string> Modules => Registered.Ids;

    [Theory, MemberData(nameof(Modules))]
    public void A_descriptor_is_complete_and_legal(string id) => Rules.A_descriptor_is_complete_and_legal(id);

    [Theory, MemberData(nameof(Modules))]
    public void Memory_is_taken_exactly_as_required(string id) => Rules.Memory_is_taken_exactly_as_required(id);

    [Theory, MemberData(nameof(Modules))]
    public void Anything_within_100_volts_gives_finite_voltages_within_1000(string id) =>
        Rules.Anything_within_100_volts_gives_finite_voltages_within_1000(id);

    [Theory, MemberData(nameof(Modules))]
    public void The_same_performance_sounds_the_same_at_every_quantum(string id) =>
        Rules.The_same_performance_sounds_the_same_at_every_quantum(id);

    [Theory, MemberData(nameof(Modules))]
    public void After_reset_it_repeats_itself_bit_for_bit(string id) => Rules.After_reset_it_repeats_itself_bit_for_bit(id);

    [Theory, MemberData(nameof(Modules))]
    public void Numbers_that_are_none_leave_nothing_behind_after_reset(string id) =>
        Rules.Numbers_that_are_none_leave_nothing_behind_after_reset(id);

    [Theory, MemberData(nameof(Modules))]
    public void Silence_decays_to_exact_silence_and_then_to_sleep(string id) => Rules.Silence_decays_to_exact_silence_and_then_to_sleep(id);

    [Theory, MemberData(nameof(Modules))]
    public void Sleep_comes_only_after_zeros_and_a_sleeper_wakes_as_if_it_had_been_awake(string id) =>
        Rules.Sleep_comes_only_after_zeros_and_a_sleeper_wakes_as_if_it_had_been_awake(id);

    [Theory, MemberData(nameof(Modules))]
    public void Nothing_managed_is_allocated_while_it_plays(string id) => Rules.Nothing_managed_is_allocated_while_it_plays(id);

    [Theory, MemberData(nameof(Modules))]
    public void Each_voice_of_a_wide_cable_sounds_as_it_would_alone(string id) =>
        Rules.Each_voice_of_a_wide_cable_sounds_as_it_would_alone(id);

    [Theory, MemberData(nameof(Modules))]
    public void A_narrow_cable_is_heard_by_every_voice_and_missing_voices_are_silent(string id) =>
        Rules.A_narrow_cable_is_heard_by_every_voice_and_missing_voices_are_silent(id);

    [Theory, MemberData(nameof(Modules))]
    public void Saved_state_brings_back_the_same_instance(string id) => Rules.Saved_state_brings_back_the_same_instance(id);

    [Theory, MemberData(nameof(Modules))]
    public void Garbage_for_state_is_refused_and_changes_nothing(string id) => Rules.Garbage_for_state_is_refused_and_changes_nothing(id);

    [Theory, MemberData(nameof(Modules))]
    public void A_swept_knob_makes_no_step_that_standing_knobs_do_not_make(string id) =>
        Rules.A_swept_knob_makes_no_step_that_standing_knobs_do_not_make(id);

    [Theory, MemberData(nameof(Modules))]
    public void It_plays_unpatched_and_with_nobody_listening(string id) => Rules.It_plays_unpatched_and_with_nobody_listening(id);

    [Fact]
    public void Every_part_of_the_contract_is_used_by_some_module()
    {
        var all = Registered.Registry.Descriptors;
        Assert.Contains(all, static d => d.Settings.Count > 0);
        Assert.Contains(all, static d => d.Assets.Count > 0);
        Assert.Contains(all, static d => d.StateBytes > 0);
        Assert.Contains(all, static d => d.AcceptsEvents);
        Assert.Contains(all, static d => d.HasTail);
        Assert.Contains(all, static d => !d.Sheddable);
        Assert.Contains(all, static d => d.Parameters.Any(static p => p.Choices.Length > 0));
        Assert.Equal(Enum.GetValues<TelemetryKind>(),
            all.SelectMany(static d => d.Telemetry).Select(static t => t.Kind).Distinct().Order());
        Assert.Equal(Enum.GetValues<ParameterCurve>(),
            all.SelectMany(static d => d.Parameters).Select(static p => p.Curve).Distinct().Order());
        Assert.Equal(Enum.GetValues<ChannelRule>(), all.SelectMany(static d => d.Outputs).Select(static p => p.Rule).Distinct().Order());
        Assert.Equal(Enum.GetValues<PortKind>(), all.SelectMany(static d => d.Outputs).Select(static p => p.Kind).Distinct().Order());
    }
}
