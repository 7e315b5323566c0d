// What the quantizer claims: the nearest note of the scale as musicians spell it, exactly tuned, without chatter.
namespace SspHost.Modules.Tests;

public class QuantizerTests
{
    // Scales by their intervals, as a textbook lists them.
    public static TheoryData<string, string> Scales => new()
    {
        { "chromatic", "1 1 1 1 1 1 1 1 1 1 1 1" },
        { "major", "2 2 1 2 2 2 1" },
        { "minor", "2 1 2 2 1 2 2" },
        { "harmonic minor", "2 1 2 2 1 3 1" },
        { "melodic minor", "2 1 2 2 2 2 1" },
        { "dorian", "2 1 2 2 2 1 2" },
        { "phrygian", "1 2 2 2 1 2 2" },
        { "lydian", "2 2 2 1 2 2 1" },
        { "mixolydian", "2 2 1 2 2 1 2" },
        { "locrian", "1 2 2 1 2 2 2" },
        { "major pentatonic", "2 2 3 2 3" },
        { "minor pentatonic", "3 2 2 3 2" },
        { "blues", "3 2 1 1 3 2" },
        { "whole tones", "2 2 2 2 2 2" },
        { "diminished", "2 1 2 1 2 1 2 1" },
        { "major triad", "4 3 5" },
        { "minor triad", "3 4 5" },
        { "fifths", "7 5" },
        { "octaves", "12" },
    };

    [Theory, MemberData(nameof(Scales))]
    public void Every_voltage_becomes_the_nearest_note_of_the_scale(string scale, string intervals)
    {
        var choices = Registered.Descriptor("quantizer").Parameters[0].Choices;
        Assert.Equal(Scales.Count + 1, choices.Length); // and one of one's own
        for (var root = 0; root < 12; root += 5)
        {
            var notes = new List<int> { root - 72 };
            foreach (var step in Enumerable.Repeat(intervals.Split(' '), 12).SelectMany(static s => s))
                notes.Add(notes[^1] + int.Parse(step));

            using var rig = new Rig("quantizer", new RigOptions { Cables = [1, 1, 0] });
            rig["scale"] = Array.IndexOf(choices, scale);
            rig["root"] = root;
            var random = new Random(root);
            var volts = Enumerable.Range(0, 2000).Select(_ => (random.NextSingle() * 8f) - 4f).ToArray();

            // One voltage every 16 frames, each sampled by a trigger; jumps that large leave hysteresis no say except near a border.
            rig.Input = (port, _, frame) => port == 0 ? volts[frame / 16] : frame % 16 is >= 4 and < 8 ? 10f : 0f;
            var output = rig.Run("pitch", volts.Length * 16);
            for (var i = 0; i < volts.Length; i++)
            {
                var x = 12.0 * volts[i];
                var nearest = notes.MinBy(n => Math.Abs(n - x));
                var second = notes.Where(n => n != nearest).Min(n => Math.Abs(n - x));
                if (second - Math.Abs(nearest - x) < 0.21) continue;
                Assert.Equal(nearest / 12f, output[(i * 16) + 10]);
            }
        }
    }

    [Fact]
    public void A_noisy_voltage_at_a_border_does_not_chatter()
    {
        using var rig = new Rig("quantizer", new RigOptions { Cables = [1, 0, 0] }) { ["scale"] = 0f };
        var random = new Random(4);
        rig.Input = (_, _, frame) => (0.5f + (0.19f * random.NextSingle()) - 0.095f) / 12f;
        Assert.Single(rig.Run("pitch", 48_000).Distinct());
    }

    [Fact]
    public void A_slow_sweep_passes_every_note_once_10_cents_late()
    {
        using var rig = new Rig("quantizer", new RigOptions { Cables = [1, 0, 0] }) { ["scale"] = 0f };
        rig.Input = static (_, _, frame) => frame / 48_000f;
        var output = rig.Run(48_000);
        var rises = Enumerable.Range(1, 47_999).Where(i => output[0][0][i] != output[0][0][i - 1]).ToArray();
        Assert.Equal(12, rises.Length);
        for (var k = 0; k < rises.Length; k++)
        {
            Assert.InRange(rises[k], (int)((k + 0.6) * 4000) - 1, (int)((k + 0.6) * 4000) + 2);
            for (var i = 0; i < 60; i++) Assert.Equal(i is >= 1 and < 49 ? 10f : 0f, output[1][0][rises[k] - 1 + i]);
        }
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void A_scale_of_ones_own_has_its_notes_in_tune()
    {
        using var rig = new Rig("quantizer", new RigOptions { Cables = [1, 1, 0] }) { ["scale"] = 19f, ["root"] = 2f };
        int[] notes = [1, 6, 8];
        for (var note = 0; note < 12; note++) rig[$"own{note}"] = notes.Contains(note) ? 1f : 0f;
        var random = new Random(8);
        var volts = Enumerable.Range(0, 1000).Select(_ => (random.NextSingle() * 8f) - 4f).ToArray();
        rig.Input = (port, _, frame) => port == 0 ? volts[frame / 16] : frame % 16 is >= 4 and < 8 ? 10f : 0f;
        var output = rig.Run("pitch", 16_000);
        var worst = 0.0;
        for (var i = 0; i < 1000; i++)
        {
            var x = 12.0 * volts[i];
            var all = Enumerable.Range(-8, 16).SelectMany(o => notes.Select(n => (12 * o) + n + 2)).OrderBy(n => Math.Abs(n - x)).Take(2).ToArray();
            if (Math.Abs(all[1] - x) - Math.Abs(all[0] - x) < 0.21) continue;
            worst = Math.Max(worst, Math.Abs(output[(i * 16) + 10] - (all[0] / 12.0)));
        }

        // Just notes of equal temperament: a twelfth of a volt each; 1200 cents a volt.
        Quality.AtMost("quantizer", "notes off by", worst * 1200, 0.001, "cent");

        using var none = new Rig("quantizer", new RigOptions { Cables = [1, 0, 0] }) { ["scale"] = 19f };
        for (var note = 0; note < 12; note++) none[$"own{note}"] = 0f;
        none.Input = static (_, _, _) => 0.51f;
        Assert.Equal(6f / 12f, none.Run("pitch", 32)[20]);
    }

    [Fact]
    public void Transposition_is_in_semitones_behind_the_scale()
    {
        using var rig = new Rig("quantizer", new RigOptions { Cables = [1, 0, 1] }) { ["scale"] = 18f, ["transpose"] = 7f };
        rig.Input = static (port, _, _) => port == 0 ? 1.1f : 0.34f; // an octave up, and four semitones
        Assert.Equal((12 + 7 + 4) / 12f, rig.Run("pitch", 64)[40]);
        Assert.Equal(11f, rig.Telemetry(0));
    }

    [Fact]
    public void A_transposition_that_trembles_between_two_semitones_does_not_chatter()
    {
        using var rig = new Rig("quantizer", new RigOptions { Cables = [1, 0, 1] });
        var random = new Random(4);
        rig.Input = (port, _, frame) => port == 0 ? 0f : (0.5f + (0.19f * random.NextSingle()) - 0.095f) / 12f;
        Assert.Single(rig.Run("pitch", 48_000).Distinct());
    }
}
