// What the low-pass gate claims: the circuit's response at any light, the vactrol's times, the strike.
using System.Numerics;

namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class LowPassGateTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(0, 1)]
    [InlineData(2, 1)]
    public void The_response_is_that_of_the_circuit(int mode, int quality)
    {
        // Volts whose squares are parts of the LED's full current; the fourth is about 10 uA.
        var worst = 0.0;
        foreach (var volts in new[] { 10.0, 2.0, 0.5, 0.2 })
        {
            foreach (var bin in new[] { 69, 341, 1367, 3413, quality == 0 ? 3413 : 6621 })
            {
                using var rig = new Rig("lpg", new RigOptions { Quantum = 128, Cables = [1, 1, 0], Settings = { ["quality"] = quality } })
                {
                    ["mode"] = mode, ["attack"] = 0.001f, ["decay"] = 0.02f, ["resonance"] = 0.8f,
                };
                rig.Input = (port, _, frame) => port == 0 ? Tone.Sine(bin, frame) : (float)volts;
                var measured = Spectrum.Level(rig.Run("out", 16_384 + Tone.Count).AsSpan(16_384, Tone.Count), bin / (double)Tone.Count) / 5.0;
                var expected = Circuit(mode, volts, 0.8 * 1.4, Tone.Hertz(bin));
                if (Spectrum.Decibels(expected) < -24) continue;
                worst = Math.Max(worst, Math.Abs(Spectrum.Decibels(measured / expected)));
            }
        }

        Quality.AtMost("lpg", $"response against the circuit, {(quality == 0 ? "to 5 kHz" : "to 10 kHz, high quality")}", worst, 1, "dB");
    }

    [Fact]
    public void Closed_it_lets_little_through()
    {
        foreach (var (mode, limit) in new[] { (0, -55.0), (1, -80.0), (2, -60.0) })
        {
            using var rig = new Rig("lpg", new RigOptions { Quantum = 128, Cables = [1, 1, 0] }) { ["mode"] = mode };
            var level = Spectrum.Level(Tone.Through(rig, "out", 341, 5.0, 16_384), 341.0 / Tone.Count);
            Quality.AtMost("lpg", $"500 Hz when closed, {rig.Descriptor.Parameters[3].Choices[mode]}", Spectrum.Decibels(level / 5.0), limit, "dB");
        }
    }

    [Theory]
    [InlineData(48_000, 0.012f, 0.25f)]
    [InlineData(192_000, 0.1f, 3f)]
    public void The_light_rises_and_falls_with_its_time_constants(int rate, float attack, float decay)
    {
        using var rig = new Rig("lpg", new RigOptions { Rate = rate, Quantum = 16 }) { ["attack"] = attack, ["decay"] = decay };
        var on = (int)(rate * attack * 4) / 16 * 16;
        rig.Input = (port, _, frame) => port == 1 && frame < on ? 10f : 0f;
        var (worst, top) = (0.0, 0.0);
        for (var frame = 16; frame < on + (int)(rate * decay); frame += 16)
        {
            rig.Step();
            if (frame == on) top = 1.0 - Math.Exp(-on / (attack * (double)rate));
            var expected = frame <= on ? 1.0 - Math.Exp(-frame / (attack * (double)rate)) : top * Math.Exp(-(frame - on) / (decay * (double)rate));
            worst = Math.Max(worst, Math.Abs(rig.Telemetry(0) - expected));
        }

        Quality.AtMost("lpg", "light against its exponentials", worst * 100, 0.01, "%");
    }

    [Fact]
    public void A_strike_lights_it_for_three_attacks_and_lets_go()
    {
        using var rig = new Rig("lpg", new RigOptions { Quantum = 16 }) { ["attack"] = 0.01f, ["decay"] = 0.1f };
        rig.Input = static (port, _, frame) => port == 2 && frame is >= 160 and < 208 ? 10f : 0f;
        var worst = 0.0;
        for (var frame = 16; frame < 9600; frame += 16)
        {
            rig.Step();
            var expected = frame <= 160 ? 0.0
                : frame <= 160 + 1440 ? 1.0 - Math.Exp(-(frame - 160) / 480.0)
                : (1.0 - Math.Exp(-3.0)) * Math.Exp(-(frame - 1600) / 4800.0);
            worst = Math.Max(worst, Math.Abs(rig.Telemetry(0) - expected));
        }

        Quality.AtMost("lpg", "light after a strike", worst * 100, 0.01, "%");
    }

    [Fact]
    public void Open_it_is_clean_and_unpatched_it_is_open()
    {
        using var rig = new Rig("lpg", new RigOptions { Quantum = 128, Cables = [1, 0, 0] });
        var samples = Tone.Through(rig, "out", 341, 5.0, 48_000);
        Assert.InRange(Spectrum.Decibels(Spectrum.Level(samples, 341.0 / Tone.Count) / 5.0), -0.01, 0.01);
        Quality.AtMost("lpg", "noise floor", Tone.NoiseFloor(samples, 48_000, Tone.Hertz(341)), -120, "dB of 5 V");
    }

    // The circuit solved node by node in complex numbers: currents into the middle node and into the one before the buffer add up to 0.
    private static double Circuit(int mode, double volts, double feedback, double hertz)
    {
        const double C1 = 1e-9, C2 = 220e-12;
        var c3 = mode == 2 ? 4.7e-9 : 0.0;
        var load = mode == 1 ? 5e3 : 5e6;
        double Gain(double amperes, double f)
        {
            var r = 1136.213 + (3.4645912 / Math.Pow(amperes, 1.4));
            var s = new Complex(0, 2.0 * Math.PI * f);

            // With the output at 1: the middle node from the current into the last one, then the input from those into the middle.
            var middle = 1.0 + (r * ((1.0 / load) + (s * C1)));
            var input = middle + (r * (((middle - 1.0) / r) + (s * C2 * middle) + (s * c3 * (middle - feedback))));
            return 1.0 / input.Magnitude;
        }

        return Gain(10.1e-6 + ((40e-3 - 10.1e-6) * volts * volts / 100.0), hertz) / Gain(40e-3, 0.0);
    }
}
