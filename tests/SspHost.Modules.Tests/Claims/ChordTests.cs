// What the chord claims: its notes are in tune, by semitones or by whole numbers, in every inversion and voicing.
namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class ChordTests
{
    private const double C4 = 261.6255653005986;
    private const int Rate = 48_000;

    private static readonly double[] Just =
        [1, 16.0 / 15, 9.0 / 8, 6.0 / 5, 5.0 / 4, 4.0 / 3, 45.0 / 32, 3.0 / 2, 8.0 / 5, 5.0 / 3, 9.0 / 5, 15.0 / 8];

    [Theory]
    [InlineData("fifth", 0, 7, 12, 19)]
    [InlineData("sus 2", 0, 2, 7, 12)]
    [InlineData("sus 4", 0, 5, 7, 12)]
    [InlineData("minor", 0, 3, 7, 12)]
    [InlineData("major", 0, 4, 7, 12)]
    [InlineData("minor 6", 0, 3, 7, 9)]
    [InlineData("major 6", 0, 4, 7, 9)]
    [InlineData("minor 7", 0, 3, 7, 10)]
    [InlineData("dominant 7", 0, 4, 7, 10)]
    [InlineData("major 7", 0, 4, 7, 11)]
    [InlineData("minor 9", 0, 3, 10, 14)]
    [InlineData("dominant 9", 0, 4, 10, 14)]
    [InlineData("major 9", 0, 4, 11, 14)]
    [InlineData("diminished 7", 0, 3, 6, 9)]
    [InlineData("half-diminished", 0, 3, 6, 10)]
    [InlineData("augmented", 0, 4, 8, 12)]
    public void Every_chord_is_in_tune_in_both_tunings(string name, params int[] semitones)
    {
        var choices = Registered.Descriptor("chord").Parameters.Single(static p => p.Id == "chord").Choices;
        foreach (var just in new[] { false, true })
        {
            using var rig = Sines();
            rig["chord"] = Array.IndexOf(choices, name);
            rig["tuning"] = just ? 1f : 0f;
            AssertNotes(rig, semitones.Select(s => just ? Just[s % 12] * (s / 12 + 1) : Math.Pow(2, s / 12.0)));
        }
    }

    [Theory]
    [InlineData(0, 0, 0, 4, 7, 12)]
    [InlineData(1, 0, 4, 7, 12, 16)]
    [InlineData(2, 0, 7, 12, 16, 19)]
    [InlineData(3, 0, 12, 16, 19, 24)]
    [InlineData(0, 1, 0, 4, -5, 12)]
    [InlineData(0, 2, 0, -8, 7, 12)]
    [InlineData(0, 3, 0, 16, 7, 24)]
    public void Inversions_and_voicings_move_notes_by_octaves(int inversion, int voicing, params int[] semitones)
    {
        using var rig = Sines();
        rig["inversion"] = inversion;
        rig["voicing"] = voicing;
        AssertNotes(rig, semitones.Select(static s => Math.Pow(2, s / 12.0)));
    }

    [Fact]
    public void A_volt_at_the_inversion_is_one_and_ten_at_the_chord_are_all()
    {
        using var rig = Sines();
        rig["chord"] = 0;
        rig.Input = static (port, _, _) => port == 1 ? 10f : port == 2 ? 1f : 0f;
        AssertNotes(rig, new[] { 4, 8, 12, 16 }.Select(static s => Math.Pow(2, s / 12.0)));
    }

    [Fact]
    public void Detune_moves_the_outer_notes_apart_by_its_cents()
    {
        using var rig = Sines();
        rig["detune"] = 21f;
        AssertNotes(rig, new[] { -21, 400 - 7, 700 + 7, 1200 + 21 }.Select(static c => Math.Pow(2, c / 1200.0)));
    }

    [Fact]
    public void Aliases_of_high_saws_below_20_kHz_are_80_dB_down()
    {
        using var rig = Sines();
        rig["wave"] = 2f;
        rig["pitch"] = 3.77f;
        var root = C4 * Math.Pow(2, 3.77f);
        var samples = rig.Run("mix", 1024 + 32_768)[1024..];
        var wanted = new[] { 0, 4, 7, 12 }.SelectMany(s => Enumerable.Range(1, 12).Select(k => k * root * Math.Pow(2, s / 12.0)))
            .Where(static f => f < Rate / 2.0);
        Quality.AtMost("chord", "aliases below 20 kHz", Spectrum.WorstOther(samples.AsSpan(0, 32_768), Rate, 20_000, wanted), -80, "dB");
    }

    private static void AssertNotes(Rig rig, IEnumerable<double> ratios)
    {
        var output = rig.Run(1024 + 24_576);
        var n = 1;
        foreach (var ratio in ratios)
        {
            var expected = C4 * ratio;
            var cents = Spectrum.Cents(Spectrum.Frequency(output[n++][0].AsSpan(1024), expected / Rate) * Rate, expected);
            Quality.AtMost("chord", "pitch error of each note", Math.Abs(cents), 0.1, "cent");
        }
    }

    private static Rig Sines() => new("chord", new RigOptions { Quantum = 64 }) { ["wave"] = 0f };
}
