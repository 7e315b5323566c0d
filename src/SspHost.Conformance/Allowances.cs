// Where a module is right to differ from what the conformance suite expects of all: one line each, with its reason.
namespace SspHost.Conformance;

/// <summary>How much larger than usual a step may be while one knob is swept.</summary>
/// <param name="Factor">Times the largest step with the knob standing; usually 1.5.</param>
/// <param name="Crossings">How often the output may cross its range during the sweep; usually 8.</param>
/// <param name="Reason">Why that is the module's sound.</param>
/// <param name="Volts">By how much more a step may be; usually 0.</param>
/// <param name="Moving">Whether a moving sound alone is the judge; usually a standing voltage is one as well.</param>
public sealed record SweepAllowance(double Factor, double Crossings, string Reason, double Volts = 0, bool Moving = false);

/// <summary>The exceptions. A module that is not here keeps the rules as they are.</summary>
public static class Allowances
{
    /// <summary>What every knob is held to.</summary>
    public static readonly SweepAllowance Usual = new(1.5, 8, "");

    private static readonly Dictionary<(string Module, string Parameter), SweepAllowance> Sweeps = new()
    {
        [("delay", "time")] = new(4.5, 8, "a sweep plays the past up to three times as fast"),
        [("delay", "mod")] = new(4.5, 8, "as time"),
        [("wavefolder", "fold")] = new(1.5, 40, "ten folds on the way: the output crosses its range as often"),
        [("wavefolder", "symmetry")] = new(1.5, 40, "as fold"),
        [("wavefolder", "fold_amount")] = new(1.5, 40, "as fold"),
        [("wavefolder", "symmetry_amount")] = new(1.5, 40, "as fold"),
        [("delay", "feedback")] = new(4.5, 8, "the stimulus is also its clock and its hold: the time changes meanwhile"),
        [("delay", "tone")] = new(4.5, 8, "the stimulus is also its clock and its hold: the time changes meanwhile"),
        [("delay", "mix")] = new(4.5, 8, "the stimulus is also its clock and its hold: the time changes meanwhile"),
        [("delay", "low_cut")] = new(4.5, 8, "the stimulus is also its clock and its hold: the time changes meanwhile"),
        [("delay", "wow")] = new(4.5, 8, "the stimulus is also its clock and its hold: the time changes meanwhile"),
        [("delay", "drive")] = new(4.5, 8, "the stimulus is also its clock and its hold: the time changes meanwhile"),
        [("chorus", "rate")] = new(3, 8, "its voices drift on: the sweep meets another part of their way than the standing knob"),
        [("chorus", "delay")] = new(3, 8, "its voices drift on: the sweep meets another part of their way than the standing knob"),
        [("chorus", "depth")] = new(3, 8, "its voices drift on: the sweep meets another part of their way than the standing knob"),
        [("chorus", "spread")] = new(3, 8, "its voices drift on: the sweep meets another part of their way than the standing knob"),
        [("chorus", "tone")] = new(3, 8, "its voices drift on: the sweep meets another part of their way than the standing knob"),
        [("chorus", "mix")] = new(3, 8, "its voices drift on: the sweep meets another part of their way than the standing knob"),
        [("plate", "predelay")] = new(3, 8, "the bent pitch meets other modes of the plate than the standing one"),
        [("bit-crusher", "bits")] = new(1.5, 8, "steps are its sound, which a standing voltage has only while they move; its claims say which", Moving: true),
        [("bit-crusher", "bits_amount")] = new(1.5, 8, "as bits", Moving: true),
        [("diode-ladder", "resonance_amount")] = new(1.5, 24, "its gain at DC is 1 / (1 + 20 resonance), steepest where the CV begins to count"),
        [("string", "stiffness")] = new(8, 8, "what is left of a blow, 20 uV, is measured against 3 uV of rounding"),
        [("string", "pitch")] = new(3, 8, "the sweep passes the exciter's pitch, where it rings louder than at any of the seventeen places"),
        [("modal", "pitch")] = new(6, 8, "as the string's, with 32 modes"),
        [("svf", "drive")] = new(1.5, 8, "a constant whose drive moves is no constant: band and high pass its movement, 1.4 mV here", Volts: 2e-3),
    };

    /// <summary>Settings and parameters that end a tail within the time of a test.</summary>
    private static readonly Dictionary<string, (string Id, float Value)[]> Shorter = new()
    {
        ["delay"] = [("longest", 1), ("time", 0.02f)],
        ["sample-player"] = [("length", 0.2f)],
        ["reverb"] = [("decay", 0.3f)],
        ["plate"] = [("decay", 0.3f)],
    };

    // Grains as short as they get: longer ones are still gathering when the sweep begins, and louder later whatever the knob does.
    private static readonly Dictionary<string, (string Id, float Value)[]> Calmer = new() { ["granular"] = [("size", 0.005f)] };

    /// <summary>Where other knobs stand while one is swept, so that all of the movement is that one's.</summary>
    public static (string Id, float Value)[] Calm(string module) => Calmer.GetValueOrDefault(module, []);

    /// <summary>What a sweep of this knob may do.</summary>
    public static SweepAllowance Sweep(string module, string parameter) => Sweeps.GetValueOrDefault((module, parameter), Usual);

    /// <summary>Settings and parameters for a short tail.</summary>
    public static (string Id, float Value)[] Short(string module) => Shorter.GetValueOrDefault(module, []);
}
