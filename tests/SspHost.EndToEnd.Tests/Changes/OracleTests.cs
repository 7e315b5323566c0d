// Ten thousand edits on each demo patch: what is heard is what the naive reference plays.
using SspHost.Patching;
using Xunit.Abstractions;

namespace SspHost.EndToEnd.Tests.Changes;

/// <summary>Five thousand of them, with one seed; two classes, so that two cores can play them.</summary>
public abstract class Oracle(ITestOutputHelper output, int seed)
{
    public static TheoryData<string> Files { get; } = new(DemoPatches.Files);

    [Theory]
    [MemberData(nameof(Files))]
    public void Random_edits_sound_as_the_naive_reference_plays_them_within_minus_120_decibels(string patch) =>
        Play(patch, seed, 5000, new ChainOptions(), 24);

    private protected void Play(string file, int seed, int edits, ChainOptions options, int pause)
    {
        var home = DemoPatches.Load(file);
        using var duet = new Duet(home, options);
        var random = new RandomEdits(seed, duet.Chain.Modules, DemoPatches.All, home);
        var n = 0;
        var longest = 0;
        try
        {
            for (; n < edits; n++)
            {
                random.Do(duet);
                duet.Quantum();
                duet.CheckParameters();
                for (var q = random.Pause(pause); q > 0; q--)
                {
                    duet.Quantum();
                    if (random.OneIn(16)) duet.Pump();
                }

                longest = Math.Max(longest, duet.Session.Plan!.Instances.Length + duet.Session.Plan.Leaving.Length);
            }

            while (duet.Session.CanUndo && n++ % 50 != 0) duet.Undo();
            if (!duet.Settle()) throw new OracleException("what left is still there after the longest tail");
            if (!duet.Reference.IsPlain || !duet.Reference.Rests) throw new OracleException("the session has settled, and the reference has not");
        }
        catch (OracleException e)
        {
            Assert.Fail($"{file}, seed {seed}, edit {n}: {e.Message}\nafter\n{string.Join('\n', random.History)}");
        }

        output.WriteLine(
            $"{file} {seed}: {edits} edits, {duet.Chain.Installed} plans, {duet.Quanta} quanta, {duet.Audible} of them heard, {duet.Moving} in ramps, at most {longest} modules, {duet.Tails} tails, {duet.Waits} waits, worst error {duet.Worst:G3} V, "
            + $"loudest {duet.Loudest:F1} V, {duet.Reference.BadOutputs} failed outputs");
    }
}

public sealed class OracleTests(ITestOutputHelper output) : Oracle(output, seed: 1)
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Any_number_of_threads_plays_the_same_bits(int threads)
    {
        foreach (var file in DemoPatches.Files)
        {
            var (alone, together) = (Hash(file, 1), Hash(file, threads));
            Assert.Equal(alone, together);
        }

        static List<ulong> Hash(string file, int threads)
        {
            var home = DemoPatches.Load(file);
            using var duet = new Duet(home, new ChainOptions { Threads = threads });
            var random = new RandomEdits(77, duet.Chain.Modules, DemoPatches.All, home);
            var hashes = new List<ulong>();
            var hash = 14695981039346656037UL;
            duet.Heard = () =>
            {
                for (var j = 0; j < Chain.Jacks; j++)
                    foreach (var v in duet.Chain.Out(j)) hash = unchecked((hash ^ BitConverter.SingleToUInt32Bits(v)) * 1099511628211UL);
            };
            for (var n = 0; n < 150; n++)
            {
                random.Do(duet);
                duet.Quantum();
                for (var q = random.Pause(12); q > 0; q--)
                {
                    duet.Quantum();
                    if (random.OneIn(16)) duet.Pump();
                }

                hashes.Add(hash);
            }

            return hashes;
        }
    }
}

public sealed class OracleAgainTests(ITestOutputHelper output) : Oracle(output, seed: 2)
{
    [Theory]
    [InlineData(16, 48)]
    [InlineData(64, 12)]
    [InlineData(256, 4)]
    public void So_they_do_at_every_quantum(int quantum, int pause)
    {
        foreach (var file in DemoPatches.Files) Play(file, 100 + quantum, 500, new ChainOptions { Quantum = quantum }, pause);
    }

    [Theory]
    [InlineData(44_100)]
    [InlineData(96_000)]
    public void So_they_do_at_other_rates(int rate) => Play(DemoPatches.Files[0], rate, 500, new ChainOptions { Rate = rate }, 24);
}
