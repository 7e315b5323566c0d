// Nothing clicks: no step at a jack is larger than the slopes of sources and ramps allow.
using SspHost.Patching;
using Xunit.Abstractions;

namespace SspHost.EndToEnd.Tests.Changes;

public sealed class StepTests(ITestOutputHelper output)
{
    private const int Rate = 48_000, Quantum = 32;
    private const double Fade = 240; // frames of 5 ms

    // C4 and what a tuner of a thousandth of a volt makes of it; the source is a sine of 5 V.
    private static double SineStep(double pitch) => 5 * 2 * Math.PI * 261.6256 * Math.Pow(2, pitch) / Rate;

    private static Patch Sources()
    {
        var patch = Patch.Empty with
        {
            Id = "steps",
            Modules =
            [
                new Module { Id = "low", Type = "vco", Parameters = default(NamedValues<float>).With("pitch", -2) },
                new Module { Id = "high", Type = "vco", Parameters = default(NamedValues<float>).With("pitch", -1) },
                new Module { Id = "dc", Type = "audio-in" },
                .. Enumerable.Range(1, 4).Select(i => Mixer($"mix{i}")),
                new Module { Id = "out", Type = "audio-out" },
            ],
        };
        return patch;
    }

    private static Module Mixer(string id) => new()
    {
        Id = id,
        Type = "mixer",
        Parameters = default(NamedValues<float>).With("level1", 1).With("level2", 1).With("level3", 0.5f).With("level4", 1).With("master", 1),
    };

    private static void Constants(int jack, Span<float> into, ulong frame) => into.Fill(jack switch { 0 => 5f, 1 => -3f, 2 => 0.5f, _ => 0f });

    private static (double A, double D) Source(ReferenceModule m, int port) => m.Patched.Type switch
    {
        "vco" => (5, SineStep(m.Patched.Parameters.TryGet("pitch", out var p) ? p : 0)),
        _ => (port switch { 0 => 5, 1 => 3, 2 => 0.5, _ => 0 }, 0),
    };

    [Fact]
    public void A_constant_that_is_plugged_in_rises_by_no_more_and_no_less_than_the_steepest_part_of_its_ramp()
    {
        using var duet = new Duet(Sources()) { Play = Constants };
        Assert.True(duet.Settle());
        Assert.Equal(5 * Math.PI / (2 * Fade), Largest(duet, new Connect(new("dc", "out1"), new("out", "in1"))), 1e-5);
        Assert.Equal(5 * Math.PI / (2 * Fade), Largest(duet, new SetCableGain(new("dc", "out1"), new("out", "in1"), 0)), 1e-5);
        Assert.Equal(2.5 * Math.PI / (2 * Fade), Largest(duet, new SetCableGain(new("dc", "out1"), new("out", "in1"), 0.5f)), 1e-5);
        Assert.Equal(2.5 * Math.PI / (2 * Fade), Largest(duet, new Disconnect(new("dc", "out1"), new("out", "in1"))), 1e-5);
        Assert.True(duet.Apply(new Connect(new("dc", "out1"), new("out", "in1"))));
        Assert.True(duet.Settle());
        Assert.Equal(5 * Math.PI / (2 * Fade), Largest(duet, new RemoveModule("out")), 1e-5);
        Assert.Equal(5 * Math.PI / (2 * Fade), Largest(duet, duet.Undo), 1e-5);
    }

    [Fact]
    public void A_sine_that_is_plugged_in_steps_no_more_than_its_own_slope_and_that_of_the_ramp_and_in_the_end_by_its_own()
    {
        using var duet = new Duet(Sources());
        Assert.True(duet.Settle());
        var step = Largest(duet, new Connect(new("low", "sine"), new("out", "in1")));
        Assert.InRange(step, SineStep(-2), SineStep(-2) + (5 * Math.PI / (2 * Fade)));
        var rest = Steps(duet, 400);
        Assert.Equal(SineStep(-2), rest, SineStep(-2) * 0.01);
    }

    [Theory]
    [InlineData("sine")]
    [InlineData("triangle")]
    public void A_wave_of_a_playing_oscillator_is_there_from_the_first_frame_of_the_ramp_that_brings_it_in(string wave)
    {
        // The second difference shows a step of 1 % of the wave (50 mV); ramp and wave alone stay below 12 mV, where the triangle has its tips.
        using var duet = new Duet(Sources());
        Assert.True(duet.Settle());
        for (var n = 0; n < 16; n++)
        {
            var heard = new List<double>();
            duet.Heard = () => { foreach (var v in duet.Chain.Out(0)) heard.Add(v); };
            Assert.True(duet.Apply(new Connect(new("low", wave), new("out", "in1"))));
            duet.Quantum();
            duet.Quantum();
            duet.Heard = null;
            var largest = Enumerable.Range(2, heard.Count - 2).Max(i => Math.Abs(heard[i] - (2 * heard[i - 1]) + heard[i - 2]));
            Assert.InRange(largest, 0, 0.012);
            Assert.True(duet.Apply(new Disconnect(new("low", wave), new("out", "in1"))));
            Assert.True(duet.Settle());
            for (var q = 0; q < n; q++) duet.Quantum();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Whatever_is_plugged_no_step_is_larger_than_sources_and_ramps_allow(int seed)
    {
        using var duet = new Duet(Sources()) { Play = Constants, Compares = false };
        var random = new Random(seed);
        var bounds = new StepBounds(Rate, Quantum, Source);
        var last = new float[Chain.Jacks];
        var (closest, largest, ramps) = (0.0, 0.0, 0);
        duet.Heard = () =>
        {
            var allowed = bounds.After(duet.Reference);
            for (var j = 0; j < Chain.Jacks; j++)
            {
                foreach (var v in duet.Chain.Out(j))
                {
                    var step = Math.Abs((double)v - last[j]);
                    last[j] = v;
                    largest = Math.Max(largest, step);
                    if (step > 0.01) closest = Math.Max(closest, step / allowed[j]);
                    if (step > (allowed[j] * 1.001) + 1e-4)
                        Assert.Fail($"seed {seed}, quantum {duet.Quanta}, jack {j}: a step of {step:F4} V where {allowed[j]:F4} V are allowed");
                }
            }
        };
        for (var n = 0; n < 1000; n++)
        {
            if (Next(random, duet.Session.Current) is { } edit) _ = duet.Apply(edit);
            ramps += duet.Reference.Rests ? 0 : 1;
            for (var q = random.Next(10); q >= 0; q--)
            {
                duet.Quantum();
                if (random.Next(6) == 0) duet.Pump();
            }
        }

        output.WriteLine($"seed {seed}: 1000 edits, {ramps} with ramps, {duet.Quanta} quanta, largest step {largest:F3} V, at most {closest:P1} of what is allowed");
        Assert.InRange(ramps, 500, 1000);
        Assert.InRange(closest, 0.9, 1.001); // the bound is one that is met
    }

    private static Edit? Next(Random random, Patch p)
    {
        var mixers = p.Modules.Where(m => m.Type == "mixer").ToArray();
        var choice = random.Next(100);
        if (choice < 45)
        {
            // Forwards only: in the order of the patch. Loops are the oracle's.
            var from = p.Modules[random.Next(p.Modules.Length)];
            var to = random.Next(2) == 0 ? p.Modules.FirstOrDefault(m => m.Type == "audio-out") : p.Modules[random.Next(p.Modules.Length)];
            if (to is null || from.Type == "audio-out" || to.Type is "vco" or "audio-in" || (to.Type == "mixer" && from.Type == "mixer" && Number(from) >= Number(to))) return null;
            var port = from.Type switch { "vco" => "sine", "audio-in" => $"out{1 + random.Next(3)}", _ => "out" };
            return new Connect(new PortRef(from.Id, port), new PortRef(to.Id, $"in{1 + random.Next(4)}"), (float)((random.NextDouble() * 2) - 1));
        }

        if (choice < 75 && p.Cables.Length > 0) return new Disconnect(p.Cables[random.Next(p.Cables.Length)].From, p.Cables[random.Next(p.Cables.Length)].To) is var pull
            && p.IndexOf(pull.From, pull.To) >= 0 ? pull : new Disconnect(p.Cables[0].From, p.Cables[0].To);
        if (choice < 82 && p.Cables.Length > 0)
        {
            var c = p.Cables[random.Next(p.Cables.Length)];
            return new SetCableGain(c.From, c.To, (float)((random.NextDouble() * 2) - 1));
        }

        if (choice < 92 && mixers.Length > 0)
        {
            var m = mixers[random.Next(mixers.Length)];
            return new Bypass(m.Id, !m.Bypass);
        }

        if (choice < 95 && mixers.Length > 0) return new RemoveModule(mixers[random.Next(mixers.Length)].Id);
        if (p.Find("out") is null) return new AddModule(new Module { Id = "out", Type = "audio-out" });
        if (mixers.Length < 6) return new AddModule(Mixer(p.FreeId("mix")));
        return null;
    }

    private static int Number(Module mixer) => int.Parse(mixer.Id[3..], System.Globalization.CultureInfo.InvariantCulture);

    private static double Largest(Duet duet, Edit edit) => Largest(duet, () => duet.Apply(edit));

    private static double Largest(Duet duet, Func<bool> change)
    {
        var largest = 0.0;
        var last = duet.Chain.Out(0)[^1];
        duet.Heard = () =>
        {
            foreach (var v in duet.Chain.Out(0))
            {
                largest = Math.Max(largest, Math.Abs((double)v - last));
                last = v;
            }
        };
        Assert.True(change());
        Assert.True(duet.Settle());
        duet.Run(16);
        duet.Heard = null;
        return largest;
    }

    private static double Steps(Duet duet, int quanta)
    {
        var largest = 0.0;
        var last = duet.Chain.Out(0)[^1];
        duet.Heard = () =>
        {
            foreach (var v in duet.Chain.Out(0))
            {
                largest = Math.Max(largest, Math.Abs((double)v - last));
                last = v;
            }
        };
        duet.Run(quanta);
        duet.Heard = null;
        return largest;
    }
}
