// A module keeps the rules with each choice of its settings, not only as it is placed.
namespace SspHost.Modules.Tests;

public class SettingsTests
{
    public static TheoryData<string> Modules => Registered.SettingIds;

    [Theory, MemberData(nameof(Modules))]
    public void Memory_is_taken_exactly_as_required(string id) => Rules.Memory_is_taken_exactly_as_required(id);

    [Theory, MemberData(nameof(Modules))]
    public void The_same_performance_sounds_the_same_at_every_quantum(string id) =>
        Rules.The_same_performance_sounds_the_same_at_every_quantum(id);

    [Theory, MemberData(nameof(Modules))]
    public void After_reset_it_repeats_itself_bit_for_bit(string id) => Rules.After_reset_it_repeats_itself_bit_for_bit(id);

    [Theory, MemberData(nameof(Modules))]
    public void Numbers_that_are_none_leave_nothing_behind_after_reset(string id) =>
        Rules.Numbers_that_are_none_leave_nothing_behind_after_reset(id);

    [Theory, MemberData(nameof(Modules))]
    public void Each_voice_of_a_wide_cable_sounds_as_it_would_alone(string id) =>
        Rules.Each_voice_of_a_wide_cable_sounds_as_it_would_alone(id);
}
