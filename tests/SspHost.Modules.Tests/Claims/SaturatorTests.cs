// What the saturator claims: its curves, no aliases at full drive, a level that stays, a tone that is one pole, and no DC.
using System.Numerics;

namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class SaturatorTests
{
    private static readonly string[] Names = ["tanh", "tape", "diode", "clip"];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Aliases_of_2_kHz_at_full_drive_are_80_dB_down(int curve)
    {
        const int Bin = 1367;
        foreach (var bias in new[] { 0f, 0.7f })
        {
            using var rig = Make(curve, 30f);
            rig["bias"] = bias;
            var worst = Spectrum.WorstOther(Tone.Through(rig, "out", Bin, 5.0, 24_000), 48_000, 20_000, Tone.Harmonics(Bin));
            Quality.AtMost("saturator", $"aliases at 2 kHz, 30 dB, {Names[curve]}", worst, -80, "dB");
        }
    }

    [Theory]
    [InlineData(0, 0f)]
    [InlineData(0, 0.5f)]
    [InlineData(1, 0.3f)]
    [InlineData(2, 0f)]
    [InlineData(2, -0.5f)]
    [InlineData(3, 0.4f)]
    public void The_harmonics_are_those_of_the_curve(int curve, float bias)
    {
        const int Bin = 137; // 200 Hz
        using var rig = Make(curve, 9f);
        rig["bias"] = bias;
        rig["auto"] = 0f;
        var samples = Tone.Through(rig, "out", Bin, 5.0, 24_000);
        var gain = Math.Pow(10, 9.0 / 20);
        var worst = 0.0;
        for (var k = 1; k <= 9; k++)
        {
            // Fourier coefficients by the trapezoid rule over a period.
            const int Steps = 20_000;
            double c = 0, s = 0;
            for (var i = 0; i < Steps; i++)
            {
                var t = 2.0 * Math.PI * i / Steps;
                var y = 5.0 * Curve(curve, (gain * Math.Sin(t)) + bias);
                c += y * Math.Cos(k * t);
                s += y * Math.Sin(k * t);
            }

            var expected = 2.0 * Math.Sqrt((c * c) + (s * s)) / Steps;
            expected /= Math.Sqrt(1.0 + Math.Pow(5.0 / (200.7 * k), 2)); // the high-pass at 5 Hz
            worst = Math.Max(worst, Math.Abs(Spectrum.Level(samples, k * (double)Bin / Tone.Count) - expected));
        }

        Quality.AtMost("saturator", $"harmonics against the curve, {Names[curve]}", Spectrum.Decibels(worst / 5.0), -60, "dB of 5 V");
    }

    [Fact]
    public void Auto_keeps_a_full_scale_wave_at_its_height()
    {
        foreach (var drive in new[] { 0f, 6f, 18f })
        {
            for (var curve = 0; curve < 3; curve++)
            {
                using var rig = Make(curve, drive);
                var samples = Tone.Through(rig, "out", 683, 5.0, 48_000);
                Assert.InRange((samples.Max() - samples.Min()) / 10.0, 0.97, 1.03);
            }
        }
    }

    [Fact]
    public void DC_is_blocked()
    {
        var worst = 0.0;
        for (var curve = 0; curve < 4; curve++)
        {
            using var rig = Make(curve, 20f);
            rig["bias"] = 0.6f;
            var samples = Tone.Through(rig, "out", 1367, 5.0, 48_000);
            worst = Math.Max(worst, Math.Abs(samples.Average(static v => (double)v)));
        }

        Quality.AtMost("saturator", "DC of a lopsided wave", worst * 1000, 1, "mV");
    }

    [Theory]
    [InlineData(500f)]
    [InlineData(4000f)]
    public void Tone_is_one_pole(float tone)
    {
        var worst = 0.0;
        foreach (var bin in new[] { 341, 1367, 6827 })
        {
            using var rig = Make(0, 0f);
            rig["auto"] = 0f;
            rig["tone"] = tone;
            var level = Spectrum.Level(Tone.Through(rig, "out", bin, 0.01, 48_000), bin / (double)Tone.Count) / 0.01;
            var f = Tone.Hertz(bin);
            worst = Math.Max(worst, Math.Abs(Spectrum.Decibels(level) + (10.0 * Math.Log10(1.0 + (f * f / (tone * tone))))));
        }

        Quality.AtMost("saturator", "tone against the analogue pole, to 10 kHz", worst, 0.1, "dB");
    }

    [Fact]
    public void Between_the_harmonics_there_is_nothing()
    {
        const int Bin = 205;
        for (var curve = 0; curve < 3; curve++)
        {
            using var rig = Make(curve, 0f);
            var noise = Tone.NoiseFloor(Tone.Through(rig, "out", Bin, 5.0, 48_000), 48_000, [.. Tone.Harmonics(Bin)]);
            Quality.AtMost("saturator", $"noise floor, {Names[curve]}", noise, -120, "dB of 5 V");
        }
    }

    [Fact]
    public void The_dry_part_of_the_mix_comes_with_the_driven_one()
    {
        var worst = 0.0;
        foreach (var bin in new[] { 341, 6827 })
        {
            using var rig = Make(3, 0f);
            rig["mix"] = 0.5f;
            var level = Spectrum.Level(Tone.Through(rig, "out", bin, 0.5, 24_000), bin / (double)Tone.Count) / 0.5;

            // The tone's pole at 20 kHz lies in one of the halves.
            var expected = ((1.0 + (1.0 / new Complex(1.0, Tone.Hertz(bin) / 20_000))) / 2.0).Magnitude;
            worst = Math.Max(worst, Math.Abs(Spectrum.Decibels(level / expected)));
        }

        Quality.AtMost("saturator", "comb of a half mix, to 10 kHz", worst, 0.1, "dB");
    }

    [Fact]
    public void The_latency_is_as_declared()
    {
        using var rig = Make(3, 0f);
        var period = Tone.Count / 205.0;
        var (c, s) = Spectrum.Component(Tone.Through(rig, "out", 205, 1.0, Tone.Count), 205.0 / Tone.Count);
        var lag = Math.IEEERemainder(-Math.Atan2(c, s) / (2.0 * Math.PI) * period, period);
        Assert.InRange(lag - rig.Timing.LatencyFrames, -0.5, 0.5);
    }

    private static double Curve(int curve, double x) => curve switch
    {
        0 => Math.Tanh(x),
        1 => x < 0 ? Math.Tanh(0.8 * x) / 0.8 : Math.Tanh(x),
        2 => Math.Asinh(x),
        _ => Math.Clamp(x, -1.0, 1.0),
    };

    private static Rig Make(int curve, float drive) =>
        new("saturator", new RigOptions { Quantum = 128 }) { ["curve"] = curve, ["drive"] = drive };
}
