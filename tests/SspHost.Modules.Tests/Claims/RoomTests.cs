// What the reverb and the plate claim: the decay of each band, their strength, their density, that nothing rings, that they are quiet.
namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class RoomTests
{
    private const int Rate = 48_000;
    private const float Crossover = 2500f;

    [Theory]
    [InlineData("reverb", 48_000, 0.1f, 1f, 0f)]
    [InlineData("reverb", 48_000, 0.1f, 1f, 1f)]
    [InlineData("reverb", 44_100, 0.5f, 0.4f, 0.2f)]
    [InlineData("reverb", 48_000, 2f, 0.4f, 0.6f)]
    [InlineData("reverb", 96_000, 1f, 0.2f, 1f)]
    [InlineData("reverb", 48_000, 10f, 0.2f, 0f)]
    [InlineData("reverb", 48_000, 30f, 1f, 0f)]
    [InlineData("plate", 48_000, 0.1f, 1f, 0f)]
    [InlineData("plate", 48_000, 0.3f, 1f, 1f)]
    [InlineData("plate", 44_100, 0.8f, 0.4f, 0.4f)]
    [InlineData("plate", 48_000, 3f, 0.3f, 0.8f)]
    [InlineData("plate", 96_000, 0.6f, 0.5f, 1f)]
    [InlineData("plate", 48_000, 20f, 1f, 0f)]
    [InlineData("reverb", 48_000, 0.3f, 0.4f, 0f)]
    [InlineData("reverb", 48_000, 0.5f, 0.2f, 1f)]
    [InlineData("reverb", 48_000, 1f, 0.1f, 1f)]
    [InlineData("reverb", 48_000, 2f, 0.2f, 1f)]
    [InlineData("plate", 48_000, 0.5f, 0.2f, 1f)]
    [InlineData("plate", 48_000, 1f, 0.1f, 1f)]
    public void It_decays_by_60_dB_in_its_time_low_and_in_its_part_of_it_high(string id, int rate, float decay, float high, float size)
    {
        // Interrupted noise (ISO 3382): bursts of white noise that fill the room, both ears, each band by itself, heard beside its middle.
        // Where the decay runs from one time to another bands are narrow: in a wide one the slower half would decide.
        var (burst, seconds) = ((int)(rate * Math.Clamp(decay, 0.1, 0.5)), (0.95 * decay) + 0.1);
        var frames = (int)(rate * seconds);

        // From when the end of the burst has arrived through the diffusers and the longest line of a short decay.
        var arrived = burst + (int)(rate * 0.045);
        var hertz = high == 1f ? new[] { 500.0, 4_000.0 } : [250.0, Crossover, 12_000.0];
        var energy = hertz.Select(_ => new double[frames]).ToArray();
        for (var seed = 1; seed <= (decay > 5f ? 1 : decay > 1f ? 3 : decay > 0.5f ? 8 : 16); seed++)
        {
            using var rig = Room(id, rate, decay, high, size);
            rig["crossover"] = Crossover;
            rig["modulation"] = 0.5f;
            var noise = new Random(seed);

            // Each at another moment of the room's movement: the echoes of one moment are no more even than those of one seat in a hall.
            rig.Run((long)(seed % 8 * 0.06 * rate));
            var last = rig.Time + burst;
            rig.Input = (port, _, frame) => port == 0 && frame < last ? (10f * noise.NextSingle()) - 5f : 0f;
            var output = rig.Run(arrived + frames);
            foreach (var side in output)
            {
                for (var b = 0; b < hertz.Length; b++)
                {
                    foreach (var beside in Beside(hertz[b]))
                    {
                        var band = RoomMeasures.Band(side[0].AsSpan(arrived - 960, frames + 960), hertz[b] * beside, Narrow(hertz[b]), rate);
                        for (var i = 0; i < frames; i++) energy[b][i] += band[960 + i] * band[960 + i];
                    }
                }
            }
        }

        for (var b = 0; b < hertz.Length; b++)
        {
            var expected = RoomMeasures.Decay60(Ideal(hertz[b], Narrow(hertz[b])), rate / 16.0, -35);
            var measured = RoomMeasures.Decay60(energy[b], rate, -35);
            Quality.AtMost(id, "T60 off its setting", 100.0 * Math.Abs((measured / expected) - 1.0), 5.0, "%");
        }

        static double Narrow(double middle) => middle == Crossover ? 16.0 : 1.5;

        static double[] Beside(double middle) => middle == Crossover ? [0.92, 0.96, 1.0, 1.04, 1.08] : [0.88, 1.12];

        double Time(double f)
        {
            var w = Math.Tan(Math.PI * f / rate) / Math.Tan(Math.PI * Crossover / rate);
            var s = w * w / (1.0 + (w * w));
            return 1.0 / (((1.0 - s) / decay) + (s / (decay * high)));
        }

        // The energy of a band in which each frequency dies away in its own time, every 16 frames from when it is listened to.
        // Decibels a second mix by W^2 / (1 + W^2), W being the warped frequency over the warped crossover: half and half at the crossover.
        double[] Ideal(double middle, double q)
        {
            var ideal = new double[frames / 16];
            var (late, length) = ((arrived - burst) / (double)rate, burst / (double)rate);
            foreach (var beside in Beside(middle))
            {
                var last = middle * beside / 4.0;
                for (var f = last * 1.02; f < Math.Min(middle * beside * 4.0, rate * 0.49); f *= 1.02)
                {
                    var t60 = Time(f);
                    var part = RoomMeasures.Passed(f, middle * beside, q, rate) * (f - last);
                    part *= t60 * (1.0 - Math.Pow(10, -6.0 * length / t60)) * Math.Pow(10, -6.0 * late / t60);
                    var (power, step) = (part, Math.Pow(10, -6.0 * 16.0 / (t60 * rate)));
                    for (var i = 0; i < ideal.Length; i++, power *= step) ideal[i] += power;
                    last = f;
                }
            }

            return ideal;
        }
    }

    [Theory]
    [InlineData("reverb", 0.3f, 0.2f)]
    [InlineData("reverb", 1f, 0.5f)]
    [InlineData("reverb", 3f, 0.7f)]
    [InlineData("plate", 0.4f, 0.2f)]
    [InlineData("plate", 1f, 0.5f)]
    [InlineData("plate", 3f, 1f)]
    public void The_reverb_of_noise_is_as_strong_as_the_noise_it_takes_in_at_any_decay_and_its_sides_are_unlike(string id, float decay, float size)
    {
        using var rig = Room(id, Rate, decay, 1f, size);
        var random = new Random(5);
        rig.Input = (port, _, _) => port == 0 ? (6f * random.NextSingle()) - 3f : 0f;
        rig.Run((long)(decay * Rate * 1.2));
        var output = rig.Run(Rate * 2);
        var rms = output.Select(static o => Math.Sqrt(o[0].Average(static v => (double)v * v))).ToArray();

        // A trapezoidal one-pole lets g / (1 + g) of white noise's power through.
        var g = Math.Tan(Math.PI * 10_000 / Rate);
        var passed = id == "plate" ? Math.Sqrt(g / (1.0 + g)) : 1.0;
        foreach (var r in rms) Quality.AtMost(id, "wet level of noise", Math.Abs(Spectrum.Decibels(r / (Math.Sqrt(3) * passed))), 2.0, "dB");
        var product = 0.0;
        for (var i = 0; i < output[0][0].Length; i++) product += (double)output[0][0][i] * output[1][0][i];
        Quality.AtMost(id, "correlation of the sides", Math.Abs(product / output[0][0].Length / rms[0] / rms[1]), 0.25, "");
    }

    [Theory]
    [InlineData("reverb", 0.15)]
    [InlineData("plate", 0.15)]
    public void Its_tail_is_as_dense_as_noise(string id, double from)
    {
        using var rig = Room(id, Rate, 2f, 1f, 0.6f);
        rig.Input = static (port, _, frame) => port == 0 && frame == 0 ? 5f : 0f;
        var tail = rig.Run("left", Rate)[(int)(from * Rate)..];
        double least = 2, most = 0;
        for (var window = 0; window + 960 <= tail.Length; window += 960)
        {
            var density = RoomMeasures.EchoDensity(tail.AsSpan(window, 960));
            (least, most) = (Math.Min(least, density), Math.Max(most, density));
        }

        Quality.AtLeast(id, "echo density from 150 ms on", least, 0.75, "");
        Quality.AtMost(id, "echo density, most", most, 1.25, "");
    }

    [Theory]
    [InlineData("reverb", 0.6f, 2f)]
    [InlineData("reverb", 0f, 5f)]
    [InlineData("reverb", 0f, 30f)]
    [InlineData("reverb", 1f, 30f)]
    [InlineData("plate", 0.8f, 2f)]
    [InlineData("plate", 1f, 30f)]
    public void No_mode_of_its_tail_stands_out(string id, float size, float decay)
    {
        using var rig = Room(id, Rate, decay, 1f, size);
        rig.Input = static (port, _, frame) => port == 0 && frame == 0 ? 5f : 0f;
        var tail = rig.Run("left", Rate + 65_536);
        Quality.AtMost(id, "largest mode above its surroundings", RoomMeasures.LargestMode(tail.AsSpan(Rate / 2), decay * Rate), 15.5, "dB");
    }

    [Fact]
    public void The_measure_of_modes_knows_noise_from_a_comb()
    {
        const double Decay = 2.0 * Rate;
        var random = new Random(3);
        var (noise, comb) = (new float[65_536], new float[65_536]);
        for (var i = 0; i < comb.Length; i += 211) comb[i] = (float)Math.Pow(10, -3.0 * i / Decay);

        for (var i = 0; i < noise.Length; i++)
        {
            var gauss = Math.Sqrt(-2.0 * Math.Log(1.0 - random.NextDouble())) * Math.Cos(2.0 * Math.PI * random.NextDouble());
            noise[i] = (float)(gauss * Math.Pow(10, -3.0 * i / Decay));
        }

        Assert.InRange(RoomMeasures.LargestMode(noise, Decay), 9.0, 14.5);
        Assert.True(RoomMeasures.LargestMode(comb, Decay) > 18);
    }

    [Theory]
    [InlineData("reverb")]
    [InlineData("plate")]
    public void Three_times_the_sound_is_three_times_the_room_down_to_the_noise_floor(string id)
    {
        // What rounding adds differs between the two: their difference is the noise.
        float[] Play(float gain)
        {
            using var rig = Room(id, Rate, 4f, 0.5f, 0.7f);
            rig["modulation"] = 0.5f;
            var random = new Random(7);
            rig.Input = (port, _, _) => port == 0 ? gain * ((2f * random.NextSingle()) - 1f) : 0f;
            return rig.Run("left", Rate * 3 / 2);
        }

        var (one, three) = (Play(1f), Play(3f));
        var power = 0.0;
        for (var i = 0; i < one.Length; i++) power += Math.Pow(three[i] - (3.0 * one[i]), 2);
        Quality.AtMost(id, "noise floor under 5 V", Spectrum.Decibels(Math.Sqrt(power / one.Length) / 5.0), -120, "dB");
    }

    [Theory]
    [InlineData("reverb")]
    [InlineData("plate")]
    public void Nothing_is_heard_before_the_pre_delay_and_mix_0_is_the_sound_alone(string id)
    {
        using var rig = Room(id, Rate, 1f, 1f, 0.5f);
        rig["predelay"] = 0.1f;
        rig.Input = static (port, _, frame) => port == 0 && frame == 0 ? 5f : 0f;
        var output = rig.Run("right", 9600);
        Assert.All(output[..4800], static v => Assert.Equal(0f, v));
        Assert.Contains(output[4800..], static v => Math.Abs(v) > 0.01f);

        using var dry = Room(id, Rate, 1f, 1f, 0.5f);
        dry["mix"] = 0f;
        dry.Input = static (port, _, frame) => port == 0 ? (frame % 100) - 50 : 0f;
        var both = dry.Run(960);
        foreach (var side in both)
        {
            for (var i = 0; i < 960; i++) Assert.Equal((i % 100) - 50, side[0][i]);
        }
    }

    [Theory]
    [InlineData("reverb")]
    [InlineData("plate")]
    public void Decay_CV_doubles_it_a_volt_and_voices_are_summed(string id)
    {
        // 1 V at half a second with the amount at 1 is a second; three voices of 1, 2 and 3 are one of 6.
        var noise = new Random(9);
        var burst = Enumerable.Range(0, 4800).Select(_ => (2f * noise.NextSingle()) - 1f).ToArray();
        using var rig = Room(id, Rate, 0.5f, 1f, 0.6f, 3);
        rig["decay_amount"] = 1f;
        rig.Input = (port, channel, frame) => port == 2 ? 1f : frame < 4800 ? (channel + 1) * burst[frame] : 0f;
        using var one = Room(id, Rate, 1f, 1f, 0.6f);
        one.Input = (port, _, frame) => port == 0 && frame < 4800 ? 6f * burst[frame] : 0f;
        var (summed, alone) = (rig.Run("left", 48_000), one.Run("left", 48_000));
        for (var i = 0; i < alone.Length; i++) Assert.Equal(alone[i], summed[i], 1e-3);
    }

    private static Rig Room(string id, int rate, float decay, float high, float size, int voices = 1) =>
        new(id, new RigOptions { Rate = rate, Quantum = 64, Cables = [voices, 0, 1] })
        {
            ["decay"] = decay, ["high"] = high, ["size"] = size, ["mix"] = 1f, ["predelay"] = 0f,
        };
}
