// What the modules cost on arm64, in instructions: a figure no machine's load can move, so it can be held.
using System.Globalization;
using System.Text;

namespace SspHost.Arm64.Tests;

/// <summary>
/// <c>budget.txt</c> holds instructions a frame (four voices together, defaults, every input fed); <c>scalar.txt</c> the hot loops that may compute
/// one number at a time, each with its reason. <c>SSP_UPDATE=1</c> writes the budget anew.
/// </summary>
public class InstructionTests
{
    // What a change of the compiler or of a neighbour in the loop may move without anybody looking.
    private const double Margin = 1.10;
    private const double HotShare = 0.10;
    private static readonly string Folder = Path.Combine(ArmKernels.Root, "tests/SspHost.Arm64.Tests");
    private static readonly Lazy<Dictionary<string, Profile>> Profiles = new(TakeAll);

    [Fact]
    public void A_frame_takes_no_more_instructions_than_it_is_known_to()
    {
        var budget = Lines("budget.txt").ToDictionary(static w => w[0], static w => double.Parse(w[1], CultureInfo.InvariantCulture));
        var measured = Profiles.Value.OrderBy(static p => p.Key, StringComparer.Ordinal).ToList();
        var table = new StringBuilder("# Instructions a frame on arm64: four voices together, defaults, every input fed. SSP_UPDATE=1 writes this.\n");
        foreach (var (id, profile) in measured) table.Append(CultureInfo.InvariantCulture, $"{id,-20} {profile.PerFrame,8:0.0}\n");
        File.WriteAllText(Path.Combine(ArmKernels.Folder, "instructions.txt"), table.ToString());
        if (Environment.GetEnvironmentVariable("SSP_UPDATE") == "1")
        {
            File.WriteAllText(Path.Combine(Folder, "budget.txt"), table.ToString());
            return;
        }

        Assert.Equal(measured.Select(static p => p.Key), budget.Keys.Order(StringComparer.Ordinal));
        var over = measured.Where(p => p.Value.PerFrame > (budget[p.Key] * Margin) + 1)
            .Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Key}: {p.Value.PerFrame:0.0} instructions a frame, known {budget[p.Key]:0.0}"));
        Assert.True(!over.Any(), string.Join('\n', over));
    }

    [Fact]
    public void Every_hot_loop_computes_with_vectors_or_has_a_reason_not_to()
    {
        var reasons = Lines("scalar.txt").ToDictionary(static w => (Module: w[0], Function: w[1]), static w => string.Join(' ', w.Skip(2)));
        Assert.All(reasons.Values, static r => Assert.False(string.IsNullOrWhiteSpace(r), "a line of scalar.txt without its reason"));
        var scalar = Profiles.Value.SelectMany(static p => p.Value.Loops(HotShare).Where(static l => l.Scalar > 0 && l.Vector == 0).Select(l => (Module: p.Key, Loop: l))).ToList();
        var bad = scalar.Where(s => !reasons.ContainsKey((s.Module, s.Loop.Function)))
            .Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Module} {s.Loop.Function}: a loop of {s.Loop.Share:p0} of its time with {s.Loop.Scalar} scalar operations and no vector at {s.Loop.Start:x}"));
        var stale = reasons.Keys.Where(r => !scalar.Exists(s => (s.Module, s.Loop.Function) == r)).Select(static r => $"stale in scalar.txt: {r.Module} {r.Function}");
        var told = string.Join('\n', bad.Concat(stale).Distinct());
        Assert.True(told.Length == 0, told);
    }

    [Fact]
    public void The_disassembly_tells_vectors_from_single_numbers()
    {
        var all = Disassembly.All.Values;
        Assert.Contains(all, static i => i.IsVector && i.Function.Contains("StateVariableFilter", StringComparison.Ordinal));
        Assert.Contains(all, static i => i.IsScalar);
        Assert.DoesNotContain(all, static i => i.IsVector && i.IsScalar);
        Assert.Contains(all, static i => i.IsBranch && i.Mnemonic == "b.lt");
    }

    private static Dictionary<string, Profile> TakeAll()
    {
        var profiles = new Dictionary<string, Profile>();
        _ = ArmKernels.Image; // made before the threads that use it
        Parallel.For(0, ArmKernels.Modules.Count, new ParallelOptions { MaxDegreeOfParallelism = 2 }, i =>
        {
            var profile = Profile.Take(i);
            lock (profiles) profiles.Add(ArmKernels.Modules[i].Id, profile);
        });
        return profiles;
    }

    private static IEnumerable<string[]> Lines(string file) => File.ReadLines(Path.Combine(Folder, file))
        .Where(static l => l.Length > 0 && l[0] != '#').Select(static l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
