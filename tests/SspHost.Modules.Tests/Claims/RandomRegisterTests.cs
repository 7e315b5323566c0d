// What the shift register claims: a locked loop repeats, chance is chance (counted), a full turn over is a loop of twice the length.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

public class RandomRegisterTests
{
    private const int Period = 32;

    [Theory]
    [InlineData(0f, 8, 8)]
    [InlineData(0f, 32, 32)]
    [InlineData(1f, 8, 16)]
    [InlineData(1f, 5, 10)]
    public void Locked_it_repeats_after_its_length_and_turned_over_after_twice(float change, int length, int period)
    {
        var volts = Steps(change, length, 200, 1234, "out");
        for (var k = 0; k + period < volts.Length; k++) Assert.Equal(volts[k], volts[k + period]);
        Assert.True(Enumerable.Range(1, period - 1).All(p => Enumerable.Range(0, 64).Any(k => volts[k] != volts[k + p])), "a shorter loop");
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void In_the_middle_every_voltage_is_as_likely_as_every_other()
    {
        // 256 voltages, 10 times each on average; the newest eight bits of every eighth step have nothing in common.
        const int Count = 256 * 10;
        var counts = new int[256];
        var volts = Steps(0.5f, 32, Count * 8, 7, "out");
        for (var k = 7; k < volts.Length; k += 8) counts[(int)Math.Round(volts[k] / 5.0 * 255.0)]++;

        // Chi-square with 255 degrees of freedom: 99.9 % of all fair dice stay below 330.5.
        Quality.AtMost("random", "chi-square of 256 voltages", counts.Sum(static c => (c - 10.0) * (c - 10.0) / 10.0), 330.5, "");
        Assert.All(volts, static v => Assert.Equal(Math.Round(v / 5.0 * 255.0), v / 5.0 * 255.0, 1e-3));
    }

    [Theory]
    [InlineData(0.1f)]
    [InlineData(0.8f)]
    [Trait("Category", "Quality")]
    public void A_bit_is_turned_over_as_often_as_Change_says(float change)
    {
        const int Count = 20_000;
        var gate = Steps(change, 16, Count, 3, "gate1");
        var turned = Enumerable.Range(16, Count - 16).Count(k => gate[k] != gate[k - 16]);
        var deviation = Math.Sqrt((Count - 16) * change * (1.0 - change));
        Quality.AtMost("random", "turned over off by", Math.Abs(turned - ((Count - 16) * change)) / deviation, 3.29, "sigma");
    }

    [Fact]
    public void Gates_and_pulse_are_the_bits_that_make_the_voltage()
    {
        using var rig = Clocked(9);
        rig["change"] = 0.5f;
        var output = rig.Run(300 * Period);
        for (var i = 0; i < output[0][0].Length; i++)
        {
            var bits = (int)Math.Round(output[0][0][i] / 5.0 * 255.0);
            for (var g = 0; g < 4; g++) Assert.Equal((bits >> (7 - g) & 1) != 0 ? 10f : 0f, output[3 + g][0][i]);
            Assert.Equal(output[0][0][i] - 2.5f, output[1][0][i], 1e-5);
            Assert.Equal(bits >= 128 && i % Period < Period / 2 ? 10f : 0f, output[2][0][i]);
        }
    }

    [Fact]
    public void Reset_begins_the_loop_again_and_state_brings_it_back()
    {
        using var rig = Clocked(11, 32);
        rig["change"] = 0f;
        var once = rig.Run("out", 5 * Period);
        rig.Events.Add(new ModuleEvent { Frame = 5 * Period, Target = 77, Kind = EventKind.Custom, Index = 2, Value = -1f });
        var clock = rig.Input;
        rig.Input = (port, c, frame) => port == 1 ? (frame == 8 * Period ? 10f : 0f) : clock(port, c, frame);
        rig.Run(3 * Period);
        var again = rig.Run("out", 5 * Period);
        Assert.Equal(once[..(2 * Period)].Select(Bit), again[..(2 * Period)].Select(Bit));
        Assert.NotEqual(Bit(once[2 * Period]), Bit(again[2 * Period]));

        using var other = Clocked(12, 32);
        other["change"] = 0f;
        Assert.True(other.LoadState(1, rig.SaveState()));
        Assert.Equal(rig.Run("out", 40 * Period)[Period..], other.Run("out", 40 * Period)[Period..]);
    }

    private static bool Bit(float volts) => volts >= 2.5f;

    private static float[] Steps(float change, int length, int count, ulong seed, string output)
    {
        using var rig = Clocked(seed);
        rig["change"] = change;
        rig["length"] = length;
        var samples = rig.Run(output, (long)count * Period);
        return [.. Enumerable.Range(0, count).Select(k => samples[(k * Period) + 5])];
    }

    private static Rig Clocked(ulong seed, int quantum = 256) => new("random", new RigOptions { Seed = seed, Quantum = quantum, Cables = [1, 1, 0] })
    {
        Input = static (port, _, frame) => port == 0 && frame % Period < Period / 2 ? 10f : 0f,
    };
}
