// Plugins play: levels, voices, MIDI, work, state, options and latency as LV2 means them; Debian's against mathematics and lv2apply.
using System.Diagnostics;
using SspHost.Abi;
using SspHost.Conformance;

namespace SspHost.Lv2.Tests;

public sealed class PlayTests
{
    [Fact]
    public void Five_volts_are_a_sample_of_one_in_both_directions_and_the_latency_is_told()
    {
        using var rig = Bundles.Rig(Bundles.Ours("gain"));
        rig["gain"] = 2;
        rig.Input = static (_, _, frame) => (frame % 100) * 0.01f;
        var output = rig.Run("out", 3200);
        for (var f = 0; f < output.Length; f++) Assert.Equal((f % 100) * 0.02f, output[f], 1e-6f);
        Assert.Equal(64, rig.Timing.LatencyFrames);
        Assert.Equal(64f, rig.Telemetry(0));
    }

    [Fact]
    public void Voices_play_side_by_side_and_a_single_one_hears_the_sum_of_a_wide_cable()
    {
        static float Voice(int port, int channel, long frame) => 1 << channel;
        var wide = new RigOptions { Cables = [4], Settings = new Dictionary<string, int> { ["voices"] = 4 } };
        using var four = Bundles.Rig(Bundles.Ours("gain"), wide);
        four.Input = Voice;
        var apart = four.Run(64)[0];
        Assert.Equal(4, apart.Length);
        for (var v = 0; v < 4; v++) Assert.All(apart[v], s => Assert.Equal(1 << v, s, 1e-5f));
        using var one = Bundles.Rig(Bundles.Ours("gain"), new RigOptions { Cables = [4] });
        one.Input = Voice;
        Assert.All(one.Run("out", 64), s => Assert.Equal(15, s, 1e-5f));
    }

    [Fact]
    public void Events_arrive_as_MIDI_at_their_frame()
    {
        using var rig = Bundles.Rig(Bundles.Ours("midi"));
        (EventKind Kind, int Index, float Value, byte Channel, float Expected)[] played =
        [
            (EventKind.NoteOn, 60, 1f, 0, 0x90 + 0.060f), (EventKind.NoteOff, 61, 0f, 3, 0x83 + 0.061f), (EventKind.Controller, 74, 0.5f, 1, 0xB1 + 0.074f),
            (EventKind.PitchBend, 0, 0f, 2, 0xE2), (EventKind.Pressure, 0, 1f, 0, 0xD0 + 0.127f), (EventKind.Clock, 0, 0f, 0, 0xF8), (EventKind.Stop, 0, 0f, 0, 0xFC),
        ];
        for (var i = 0; i < played.Length; i++)
        {
            var p = played[i];
            rig.Events.Add(new ModuleEvent { Frame = (ulong)(7 + (i * 13)), Kind = p.Kind, Index = p.Index, Value = p.Value, Channel = p.Channel });
        }

        var output = rig.Run("out", 128);
        for (var f = 0; f < output.Length; f++)
        {
            var i = (f - 7) / 13;
            var at = f >= 7 && (f - 7) % 13 == 0 && i < played.Length;
            Assert.Equal(at ? played[i].Expected : 0f, output[f], 1e-4f);
        }
    }

    [Fact]
    public void Work_is_done_elsewhere_and_its_answer_comes_between_two_quanta()
    {
        using var rig = Bundles.Rig(Bundles.Ours("worker"));
        rig["ask"] = 3;
        var output = rig.Run("out", 9600);
        Assert.Equal(-1f, output[0]);
        Assert.Equal(9f, output[^1]);
        Assert.All(output, v => Assert.True(v is -1f or 9f));
    }

    [Fact]
    public void State_goes_from_one_instance_to_another_before_and_while_it_plays()
    {
        var module = Bundles.Ours("state");
        using var first = Bundles.Rig(module);
        first["keep"] = 7;
        first.Run(64);
        var saved = first.SaveState();
        using var second = Bundles.Rig(module);
        Assert.True(second.LoadState(1, saved));
        Assert.All(second.Run("out", 64), v => Assert.Equal(7f, v));
        using var playing = Bundles.Rig(module);
        playing.Run(64);
        Assert.True(playing.LoadState(1, saved));
        var output = playing.Run("out", 9600);
        Assert.Equal(7f, output[^1]);
        Assert.Equal(saved, playing.SaveState());
    }

    [Fact]
    public void Damaged_state_is_refused_wherever_it_is_cut_or_changed()
    {
        using var rig = Bundles.Rig(Bundles.Ours("state"));
        rig["keep"] = 5;
        rig.Run(32);
        rig["keep"] = 0;
        var saved = rig.SaveState();
        for (var length = 1; length < saved.Length; length++) Assert.True(length == 8 || !rig.LoadState(1, saved[..length]), $"{length} of {saved.Length} bytes");
        Assert.False(rig.LoadState(2, saved));
        var random = new Random(5);
        for (var i = 0; i < 2000; i++)
        {
            var spoilt = (byte[])saved.Clone();
            for (var n = 0; n < 3; n++) spoilt[random.Next(8, 24)] = (byte)random.Next(256);
            _ = rig.LoadState(1, spoilt); // read within its bounds, whatever it says
        }
    }

    [Fact]
    public void Options_tell_the_block_and_the_rate()
    {
        using var rig = Bundles.Rig(Bundles.Ours("options"), new RigOptions { Quantum = 64, Rate = 96_000 });
        var output = rig.Run("out", 64);
        Assert.Equal((64f, 96f), (output[0], output[1]));
    }

    [Theory]
    [InlineData("none", "it makes no instance of itself")]
    [InlineData("stranger", "no plugin of the URI that its bundle promises: urn:ssphost-test:stranger")]
    [InlineData("garbage", "its binary cannot be loaded: ")]
    public void What_cannot_be_made_says_why(string name, string why)
    {
        using var rig = Bundles.Rig(Bundles.Ours(name));
        Assert.Equal(-1, rig.Timing.LatencyFrames);
        Assert.Contains(why, Engine.Loading.OpenLibrary.Lv2Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void A_number_that_is_none_leaves_a_delay_at_the_second_reset()
    {
        using var rig = Bundles.Rig(Bundles.Debian("http://drobilla.net/plugins/mda/Delay"));
        rig.Input = static (_, _, frame) => frame < 3200 ? 1f : float.NaN;
        rig.Run(6400);
        rig.Input = static (_, _, _) => 1f;
        rig.Reset(); // the engine's, after a quantum that was none; this plugin keeps its delay line at activate
        rig.Run(32);
        rig.Reset();
        Assert.All(rig.Run(19_200)[0][0], v => Assert.True(float.IsFinite(v)));
        Assert.Contains(rig.Run(3200)[0][0], v => v != 0);
    }

    [Theory]
    [InlineData(-20f)]
    [InlineData(0f)]
    [InlineData(12f)]
    public void The_amplifier_of_swh_amplifies_by_its_decibels(float decibels)
    {
        using var rig = Bundles.Rig(Bundles.Debian("http://plugin.org.uk/swh-plugins/amp"));
        rig["gain"] = decibels;
        rig.Input = static (_, _, frame) => MathF.Sin(frame * 0.05f);
        var output = rig.Run("output", 960);
        var gain = Math.Pow(10, decibels / 20);
        for (var f = 0; f < output.Length; f++) Assert.Equal(gain * Math.Sin(f * 0.05f), output[f], 1e-3 * gain);
    }

    [Theory]
    [InlineData("http://plugin.org.uk/swh-plugins/foldover", "input", "output", "drive_p", 0.6f)]
    [InlineData("http://plugin.org.uk/swh-plugins/shaper", "input", "output", "shapep", 3f)]
    [InlineData("http://plugin.org.uk/swh-plugins/svf", "input", "output", "filt_freq", 900f)]
    public async Task It_sounds_as_lv2apply_has_it(string uri, string input, string output, string control, float value)
    {
        const int Frames = 9600;
        var random = new Random(1);
        var samples = new float[Frames];
        for (var f = 0; f < Frames; f++) samples[f] = (float)((random.NextDouble() - 0.5) * 0.8);
        var reference = await Apply(uri, control, value, samples);
        using var rig = Bundles.Rig(Bundles.Debian(uri));
        Assert.True(rig.InputIndex(input) == 0 && rig.IndexOf(control) >= 0, string.Join(' ', rig.Descriptor.Inputs.Select(p => p.Id).Concat(rig.Descriptor.Parameters.Select(p => p.Id))));
        rig[control] = value;
        rig.Input = (_, _, frame) => frame < Frames ? samples[frame] * 5 : 0;
        var ours = rig.Run(output, Frames);
        var peak = 0f;
        for (var f = 0; f < Frames; f++)
        {
            Assert.Equal(reference[f], ours[f] / 5, 1e-5f);
            peak = Math.Max(peak, Math.Abs(reference[f]));
        }

        Assert.True(peak > 0.05f, "lv2apply gives something to compare with");
    }

    // Debian's lilv-utils, over WAV files of floats.
    private static async Task<float[]> Apply(string uri, string control, float value, float[] samples)
    {
        var (input, output) = (Path.GetTempFileName(), Path.GetTempFileName());
        try
        {
            await File.WriteAllBytesAsync(input, Wav(samples));
            using var process = Process.Start(new ProcessStartInfo("lv2apply", ["-i", input, "-o", output, "-c", control, value.ToString(System.Globalization.CultureInfo.InvariantCulture), uri]) { RedirectStandardError = true })!;
            var said = await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, said);
            return Samples(await File.ReadAllBytesAsync(output));
        }
        finally
        {
            File.Delete(input);
            File.Delete(output);
        }
    }

    private static byte[] Wav(float[] samples)
    {
        using var stream = new MemoryStream();
        using var w = new BinaryWriter(stream);
        w.Write("RIFF"u8);
        w.Write(36 + (samples.Length * 4));
        w.Write("WAVEfmt "u8);
        w.Write(16);
        w.Write((short)3);
        w.Write((short)1);
        w.Write(48_000);
        w.Write(192_000);
        w.Write((short)4);
        w.Write((short)32);
        w.Write("data"u8);
        w.Write(samples.Length * 4);
        foreach (var s in samples) w.Write(s);
        return stream.ToArray();
    }

    private static float[] Samples(byte[] wav)
    {
        var data = wav.AsSpan().IndexOf("data"u8);
        var samples = new float[BitConverter.ToInt32(wav, data + 4) / 4];
        Buffer.BlockCopy(wav, data + 8, samples, 0, samples.Length * 4);
        return samples;
    }
}
