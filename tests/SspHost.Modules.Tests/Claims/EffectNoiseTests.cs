// How quiet the effects are that move: what three times the sound leaves beside three times the output is rounding, and nothing else.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class EffectNoiseTests
{
    private const int Frames = 48_000;

    [Theory]
    [InlineData("chorus")]
    [InlineData("flanger")]
    [InlineData("phaser")]
    [InlineData("convolution")]
    [InlineData("spectral-freeze")]
    [InlineData("pitch-shifter")]
    [InlineData("looper")]
    public void Its_noise_floor_is_120_dB_down_while_it_moves(string id)
    {
        // Sounds at a third and at the whole of 3 V: linear in the sound, whatever moves meanwhile.
        float[] Play(float gain)
        {
            using var rig = new Rig(id, new RigOptions { Quantum = 64, Cables = [1, .. Registered.Descriptor(id).Inputs.Skip(1).Select(static _ => 0)] });
            if (rig.IndexOf("mix") >= 0) rig["mix"] = 0.7f;
            // Which of two equally strong partials lingers, rounding decides.
            if (id == "spectral-freeze") rig["smear"] = 0f;
            if (id == "looper")
            {
                foreach (var at in new ulong[] { 0, 9600 })
                    rig.Events.Add(new ModuleEvent { Frame = at, Target = 77, Kind = EventKind.Custom, Index = 0, Value = 1f });
            }

            rig.Input = (port, _, frame) => port == 0 ? gain * (float)((0.6 * Math.Sin(frame * 0.013)) + (0.4 * Math.Sin(frame * 0.071))) : 0f;
            return rig.Run(rig.Descriptor.Outputs[0].Id, Frames);
        }

        var (one, three) = (Play(1f), Play(3f));
        double noise = 0, power = 0;
        for (var i = 0; i < Frames; i++)
        {
            noise += Math.Pow(three[i] - (3.0 * one[i]), 2);
            power += Math.Pow(three[i], 2);
        }

        Assert.True(power / Frames > 0.5, "nothing is heard");
        Quality.AtMost(id, "noise floor under 5 V", Spectrum.Decibels(Math.Sqrt(noise / Frames) / 5.0), -120, "dB");
    }

    [Fact]
    public void What_a_bit_crusher_adds_is_its_steps_and_nothing_120_dB_down()
    {
        // Frames where two levels are as near as makes no difference are left out: rounding decides there.
        using var rig = new Rig("bit-crusher") { ["bits"] = 12f, ["rate"] = 48_000f };
        static float Sound(long frame) => 5f * (float)Math.Sin(frame * 0.0711);
        rig.Input = static (port, _, frame) => port == 0 ? Sound(frame) : 0f;
        var output = rig.Run("out", Frames);
        var (step, noise, counted) = (10.0 / 4096.0, 0.0, 0);
        for (var i = 0; i < Frames; i++)
        {
            var places = Sound(i) / step;
            if (Math.Abs(Math.IEEERemainder(places + 0.5, 1.0)) < 2e-3) continue;
            noise += Math.Pow(output[i] - (step * Math.Floor(places + 0.5)), 2);
            counted++;
        }

        Assert.True(counted > 0.98 * Frames);
        Quality.AtMost("bit-crusher", "noise floor beside its steps", Spectrum.Decibels(Math.Sqrt(noise / counted) / 5.0), -120, "dB");
    }
}
