// What the inputs that move a knob claim: so many volts there are the knob so much further on.
namespace SspHost.Modules.Tests;

public class ControlVoltageTests
{
    // Rounding of a knob and a voltage that were added, and what a loop makes of it.
    private const double Tolerance = 2e-3;

    /// <summary>Module, input, volts there, knobs as they stand (id=value ...), knobs that sound the same without the volts.</summary>
    public static TheoryData<string, string, float, string, string> Claims => new()
    {
        { "vco", "pitch", 1.5f, "", "pitch=1.5" },
        { "vco", "pwm", 4f, "width=0.3 pwm=0.5", "width=0.5" },
        { "wavetable", "pitch", -1f, "", "pitch=-1" },
        { "wavetable", "morph", 4f, "morph=0.25 morph_amount=0.5", "morph=0.45" },
        { "chord", "pitch", 1f, "", "pitch=1" },
        { "chord", "chord", 2f, "chord=4", "chord=7" },
        { "chord", "chord", 6f, "chord=0", "chord=9" },
        { "chord", "chord", 10f, "chord=0", "chord=15" },
        { "chord", "inversion", 2f, "", "inversion=2" },
        { "chord", "pwm", 2f, "wave=3 width=0.25", "wave=3 width=0.45" },
        { "supersaw", "pitch", -1f, "", "pitch=-1" },
        { "supersaw", "detune", 5f, "detune=0.25", "detune=0.75" },
        { "supersaw", "mix", 5f, "mix=0.25", "mix=0.75" },
        { "additive", "pitch", 1f, "", "pitch=1" },
        { "additive", "tilt", 2f, "tilt=-12", "tilt=-6" },
        { "additive", "stretch", 2f, "", "stretch=1.04" },
        { "additive", "comb", 1f, "comb_depth=1 comb=3", "comb_depth=1 comb=6" },
        { "additive", "formant", 1f, "formant_level=20 formant=500", "formant_level=20 formant=1000" },
        { "fm6", "pitch", 1f, "", "pitch=1" },
        { "fm6", "brightness", 4f, "brightness=0.5", "brightness=0.9" },
        { "string", "pitch", 1f, "", "pitch=1" },
        { "string", "brightness", 4f, "brightness=0.2", "brightness=0.6" },
        { "string", "decay", -2f, "decay=2", "decay=0.5" },
        { "modal", "pitch", 1f, "", "pitch=1" },
        { "modal", "structure", 3f, "structure=0.2", "structure=0.5" },
        { "modal", "position", 4f, "position=0.1", "position=0.3" },
        { "modal", "decay", -2f, "decay=2", "decay=0.5" },
        { "granular", "pitch", 1f, "", "pitch=1" },
        { "granular", "position", 4f, "position=0.25 spray=0", "position=0.65 spray=0" },
        { "granular", "size", -1f, "size=0.04 density=50", "size=0.02 density=50" },
        { "kick", "pitch", 1f, "tune=60", "tune=120" },
        { "kick", "decay", -2f, "decay=1", "decay=0.25" },
        { "snare", "pitch", 1f, "tune=150", "tune=300" },
        { "snare", "decay", -1f, "decay=0.2 snappy_decay=0.2", "decay=0.1 snappy_decay=0.1" },
        { "hat", "pitch", 1f, "", "tune=1" },
        { "hat", "decay", -1f, "closed=0.2", "closed=0.1" },
        { "clap", "decay", -1f, "decay=0.2", "decay=0.1" },
        { "ladder", "cutoff", 2f, "cutoff=500 amount=0.5", "cutoff=1000" },
        { "diode-ladder", "cutoff", 2f, "cutoff=500 amount=0.5", "cutoff=1000" },
        { "sallen-key", "cutoff", 2f, "cutoff=500 amount=0.5", "cutoff=1000" },
        { "svf", "pitch", 1f, "cutoff=500", "cutoff=1000" },
        { "svf", "fm", 2f, "cutoff=500 fm=0.5", "cutoff=1000" },
        { "svf", "resonance", 4f, "resonance=0.2 resonance_amount=0.5", "resonance=0.4" },
        { "svf", "morph", 4f, "morph=0.1 morph_amount=0.5", "morph=0.3" },
        { "vowel", "vowel", 4f, "vowel=0.1 vowel_amount=0.5", "vowel=0.3" },
        { "vowel", "size", 0.5f, "", "size=0.5" },
        { "comb", "pitch", 1f, "frequency=200", "frequency=400" },
        { "comb", "feedback", 4f, "feedback=0.5 feedback_amount=0.5", "feedback=0.7" },
        { "lpg", "cv", 4f, "level=0.2", "level=0.6" },
        { "wavefolder", "fold", 4f, "fold=0.2 fold_amount=0.5", "fold=0.4" },
        { "wavefolder", "symmetry", 2f, "symmetry_amount=0.5", "symmetry=1" },
        { "saturator", "drive", 4f, "drive=6 drive_amount=0.5", "drive=12" },
        { "bit-crusher", "bits", 4f, "bits=4 bits_amount=0.5", "bits=7" },
        { "bit-crusher", "rate", 1f, "rate=3000", "rate=6000" },
        { "ring-modulator", "pitch", 1f, "frequency=200", "frequency=400" },
        { "frequency-shifter", "shift", 2f, "shift=100 amount=50", "shift=200" },
        { "delay", "time", 2.5f, "time=0.02 mod=0.5", "time=0.025" },
        { "reverb", "decay", 1f, "decay=0.5 decay_amount=1", "decay=1" },
        { "plate", "decay", 1f, "decay=0.5 decay_amount=1", "decay=1" },
        { "chorus", "rate", 1f, "rate=3", "rate=6" },
        { "flanger", "cv", 2f, "delay=4 depth=0 cv_amount=0.5", "delay=2 depth=0" },
        { "phaser", "cv", 2f, "frequency=400 depth=0 cv_amount=0.5", "frequency=800 depth=0" },
        { "pitch-shifter", "pitch", 0.5f, "shift=0 amount=1", "shift=6" },
        { "pitch-shifter", "pitch", 1f, "shift=0 fine=0 amount=0.04166667", "shift=0 fine=50" },
        { "lfo", "rate", 1f, "rate=5", "rate=10" },
        { "clock", "tempo", 1f, "tempo=100", "tempo=200" },
        { "slew", "rise", 1f, "rise=0.2 fall=0.2", "rise=0.1 fall=0.2" },
        { "slew", "fall", -1f, "rise=0.1 fall=0.1", "rise=0.1 fall=0.2" },
        { "function", "rise", 1f, "rise=0.02 fall=0.03", "rise=0.01 fall=0.03" },
        { "function", "fall", 1f, "rise=0.02 fall=0.03", "rise=0.02 fall=0.015" },
        { "function", "both", 1f, "rise=0.02 fall=0.03", "rise=0.01 fall=0.015" },
        { "random", "change", 3f, "change=0.2 rate=50", "change=0.5 rate=50" },
        { "quantizer", "transpose", 0.5f, "", "transpose=6" },
        { "crossfade", "fade", 4f, "fade=0.2 amount=0.5", "fade=0.4" },
        { "panner", "pan", 2f, "pan=-0.3 amount=0.5", "pan=-0.1" },
        { "step-sequencer", "transpose", 0.5f, "", "transpose1=6 transpose2=6 transpose3=6 transpose4=6" },
    };

    [Theory, MemberData(nameof(Claims))]
    public void Volts_at_an_input_are_the_knob_so_much_further_on(string id, string input, float volts, string with, string without)
    {
        var (moved, still) = (Play(id, input, volts, with), Play(id, input, 0f, without));
        var unmoved = Play(id, input, 0f, with);
        double peak = 0, off = 0, heard = 0;
        for (var o = 0; o < moved.Length; o++)
        {
            for (var i = 0; i < moved[o][0].Length; i++)
            {
                peak = Math.Max(peak, Math.Abs(still[o][0][i]));
                off = Math.Max(off, Math.Abs(still[o][0][i] - (double)moved[o][0][i]));
                heard = Math.Max(heard, Math.Abs(unmoved[o][0][i] - (double)moved[o][0][i]));
            }
        }

        Assert.True(off <= Tolerance * peak, $"{id}.{input}: {off:g4} V beside the moved knob, of {peak:g4} V");
        Assert.True(heard > 20 * Tolerance * peak, $"{id}.{input}: {volts} V change {heard:g4} V of {peak:g4} V");
    }

    // A rich sound at every other input; gates and triggers for whoever plays notes; a recording for whoever plays one.
    private static float[][][] Play(string id, string input, float volts, string knobs)
    {
        var d = Registered.Descriptor(id);
        using var rig = new Rig(
            id, new RigOptions { Quantum = 64, Cables = [.. d.Inputs.Select(p => IsFed(id, p.Id) || p.Id == input ? 1 : 0)] });
        foreach (var knob in knobs.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = knob.Split('=');
            rig[parts[0]] = float.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
        }

        if (d.Assets.Count > 0 && id != "wavetable")
        {
            var random = new Random(3);
            rig.LoadAsset(48_000, [.. Enumerable.Range(0, 24_000).Select(i => i * (1f / 24_000) * random.NextSingle())]);
        }

        rig.Input = (port, _, frame) => d.Inputs[port].Id == input ? volts : d.Inputs[port].Id switch
        {
            "trigger" or "gate" or "clock" => frame % 3000 is >= 100 and < 1600 ? 10f : 0f,
            "accent" => 10f,
            "a" => 3f,
            "b" => -2f,
            _ when id == "slew" => frame / 3000 % 2 == 0 ? 4f : 0f,
            _ when id == "quantizer" => 1.02f,
            _ => 4f * (float)(Math.Sin(frame * 0.021) + (0.5 * Math.Sin(frame * 0.0713))),
        };
        return rig.Run(9600);
    }

    private static bool IsFed(string id, string input) => input switch
    {
        "in" or "left" or "gate" or "accent" or "a" or "b" => true,
        "trigger" => id != "quantizer", // which would take its notes late
        "clock" => id is "random" or "step-sequencer", // others would keep to it
        _ => false,
    };
}
