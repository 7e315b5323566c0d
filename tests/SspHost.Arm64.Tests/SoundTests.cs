// The modules sound on arm64 as they do here.
namespace SspHost.Arm64.Tests;

public class SoundTests
{
    // -100 dB of 5 V: tables are filled by two different C libraries, and that is all that may differ.
    private const double Tolerance = 5e-5;

    public static TheoryData<string> Modules => [.. ArmKernels.Modules.Select(static m => m.Id)];

    [Theory, MemberData(nameof(Modules))]
    public void A_module_compiled_for_arm64_plays_what_it_plays_here(string id)
    {
        var index = ArmKernels.Modules.ToList().FindIndex(m => m.Id == id);
        var score = ArmKernels.Score(index);
        var (here, there) = (ArmKernels.PlayHere(in score), ArmKernels.PlayThere(in score));
        Assert.Equal(here.Length, there.Length);
        for (var i = 0; i < here.Length; i++)
        {
            if (Math.Abs((double)here[i] - there[i]) <= Tolerance) continue;
            var (quantum, within) = Math.DivRem(i, score.Outputs * score.OutputFloats);
            var (output, sample) = Math.DivRem(within, score.OutputFloats);
            Assert.Fail($"{id}, output {output}, channel {sample / score.Quantum}, frame {(quantum * score.Quantum) + (sample % score.Quantum)}: {there[i]:r} V instead of {here[i]:r} V");
        }
    }
}
