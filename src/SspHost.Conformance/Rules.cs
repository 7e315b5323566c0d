// What every module must keep, whatever it does: the contract, rule by rule.
using SspHost.Abi;

namespace SspHost.Conformance;

/// <summary>One function a rule; each throws <see cref="ConformanceException"/> where a module breaks it.</summary>
public static class Rules
{
    private static readonly Func<int, int, long, float> Standing = static (_, _, _) => 5f;
    private static readonly Func<int, int, long, float> Sine = static (_, _, f) => 5f * (float)Math.Sin(f * 0.0576);

    // -120 dB of 5 V.
    private const double Inaudible = 5e-6;

    /// <summary>All of them, with what they say.</summary>
    public static IReadOnlyList<(string Rule, Action<string> Try)> All { get; } =
    [
        ("A descriptor is complete and legal", A_descriptor_is_complete_and_legal),
        ("Memory is taken exactly as required", Memory_is_taken_exactly_as_required),
        ("Anything within 100 volts gives finite voltages within 1000", Anything_within_100_volts_gives_finite_voltages_within_1000),
        ("The same performance sounds the same at every quantum", The_same_performance_sounds_the_same_at_every_quantum),
        ("After reset it repeats itself bit for bit", After_reset_it_repeats_itself_bit_for_bit),
        (NoNumbers, Numbers_that_are_none_leave_nothing_behind_after_reset),
        ("Silence decays to exact silence and then to sleep", Silence_decays_to_exact_silence_and_then_to_sleep),
        ("Sleep comes only after zeros and a sleeper wakes as if it had been awake", Sleep_comes_only_after_zeros_and_a_sleeper_wakes_as_if_it_had_been_awake),
        ("Nothing managed is allocated while it plays", Nothing_managed_is_allocated_while_it_plays),
        ("Each voice of a wide cable sounds as it would alone", Each_voice_of_a_wide_cable_sounds_as_it_would_alone),
        ("A narrow cable is heard by every voice and missing voices are silent", A_narrow_cable_is_heard_by_every_voice_and_missing_voices_are_silent),
        ("Saved state brings back the same instance", Saved_state_brings_back_the_same_instance),
        ("Garbage for state is refused and changes nothing", Garbage_for_state_is_refused_and_changes_nothing),
        ("A swept knob makes no step that standing knobs do not make", A_swept_knob_makes_no_step_that_standing_knobs_do_not_make),
        ("It plays unpatched and with nobody listening", It_plays_unpatched_and_with_nobody_listening),
    ];

    /// <summary>Name of the rule that sends what no cable of an engine carries.</summary>
    public const string NoNumbers = "Numbers that are none leave nothing behind after reset";

    /// <summary>
    /// Those that can hold for a plugin of another standard: LV2 has controls once a block, so it sounds different at each quantum, and tells of no
    /// silence, so it never sleeps.
    /// </summary>
    public static IReadOnlyList<(string Rule, Action<string> Try)> ForPlugins { get; } =
    [
        ("A descriptor is complete and legal", A_descriptor_is_complete_and_legal),
        ("Memory is taken exactly as required", Memory_is_taken_exactly_as_required),
        ("Anything within 100 volts gives finite voltages within 1000", Anything_within_100_volts_gives_finite_voltages_within_1000),
        ("After reset it repeats itself bit for bit", After_reset_it_repeats_itself_bit_for_bit),
        (NoNumbers, Numbers_that_are_none_leave_nothing_behind_after_reset),
        ("Saved state brings back the same instance", Saved_state_brings_back_the_same_instance),
        ("Garbage for state is refused and changes nothing", Garbage_for_state_is_refused_and_changes_nothing),
        ("It plays unpatched and with nobody listening", It_plays_unpatched_and_with_nobody_listening),
    ];

    public static void A_descriptor_is_complete_and_legal(string id)
    {
        var d = Subjects.Descriptor(id);
        Expect.Matches("^[a-z0-9-]+$", d.Id);
        Expect.All([d.Name, d.Family, d.Text], static t => Expect.False(string.IsNullOrWhiteSpace(t)));
        Expect.DoesNotContain('\n', d.Text);
        AssertHelp(d);
        Expect.InRange(d.Parameters.Count, 0, Limits.MaxParameters);
        foreach (var ports in new[] { d.Inputs, d.Outputs })
        {
            Expect.Equal(ports.Count, ports.Select(static p => p.Id).Distinct().Count());
            Expect.All(ports, p =>
            {
                Expect.Matches("^[a-z0-9_]+$", p.Id);
                Expect.False(string.IsNullOrWhiteSpace(p.Name) || string.IsNullOrWhiteSpace(p.Text), $"{id}.{p.Id} has no text");
                if (p.Rule == ChannelRule.Setting) Expect.InRange(p.Channels, 0, d.Settings.Count - 1);
                else Expect.InRange((int)p.Channels, 1, Limits.MaxChannels);
            });
        }

        Expect.Equal(d.Parameters.Count, d.Parameters.Select(static p => p.Id).Distinct().Count());
        Expect.All(d.Parameters, p =>
        {
            Expect.Matches("^[a-z0-9_]+$", p.Id);
            Expect.False(string.IsNullOrWhiteSpace(p.Name) || string.IsNullOrWhiteSpace(p.Text), $"{id}.{p.Id} has no text");
            Expect.True(p.Min < p.Max && float.IsFinite(p.Min) && float.IsFinite(p.Max));
            Expect.InRange(p.Default, p.Min, p.Max);
            if (p.Curve == ParameterCurve.Exponential) Expect.True(p.Min > 0);
            if (p.Choices.Length > 0)
            {
                Expect.Equal(ParameterCurve.Stepped, p.Curve);
                Expect.Equal((0f, p.Choices.Length - 1f), (p.Min, p.Max));
            }
        });
        Expect.All(d.Settings, s =>
        {
            Expect.Matches("^[a-z0-9_]+$", s.Id);
            Expect.InRange(s.Default, s.Min, s.Max);
            Expect.False(string.IsNullOrWhiteSpace(s.Text));
            if (s.Choices.Length > 0) Expect.Equal(s.Choices.Length - 1, s.Max - s.Min);
        });
        Expect.All(d.Telemetry, static t => Expect.True(t.Length >= 1));
        Expect.True(d.Version >= 1);

        var copy = DescriptorBlob.Read(DescriptorBlob.Write([d]))[0];
        Expect.Equal(d.Id, copy.Id);
        Expect.Equal(d.Parameters.Select(static p => (p.Id, p.Default)), copy.Parameters.Select(static p => (p.Id, p.Default)));
    }

    // A help page says more than the line of text: what it is, how to play it, and what to patch first.
    private static void AssertHelp(ModuleDescriptor d)
    {
        Expect.True(d.Help.Length is >= 200 and <= 4000, $"{d.Id}: a help page of 200 to 4000 characters, not {d.Help.Length}");
        Expect.Equal(d.Help.Trim(), d.Help);
        Expect.True(d.Help.Split("\n\n").Length >= 2, $"{d.Id}: a help page of at least two paragraphs");
        Expect.Contains("Try", d.Help, StringComparison.Ordinal);
        Expect.All(d.Help.Split('\n'), line => Expect.True(line == line.TrimEnd() && !line.Contains('\t'), $"{d.Id}: '{line}' ends in blanks"));
    }

    public static void Memory_is_taken_exactly_as_required(string id)
    {
        foreach (var rate in new[] { 44_100, 192_000 })
        {
            using var rig = new Rig(id, new RigOptions { Rate = rate });
            Expect.False(rig.Overdrawn, "took more than it required");
            if (rig.Required == 0) continue;
            using var starved = new Rig(id, new RigOptions { Rate = rate, Withheld = 64 });
            Expect.True(starved.Overdrawn, "required more than it takes");
        }
    }

    public static void Anything_within_100_volts_gives_finite_voltages_within_1000(string id)
    {
        foreach (var rate in new[] { 44_100, 48_000, 96_000, 192_000 })
        {
            for (var seed = 1; seed <= 4; seed++)
            {
                using var rig = Wild(id, seed, 100f,
                    new RigOptions { Rate = rate, Quantum = 16 << (seed % 5), Cables = RandomCables(id, seed) });
                var output = rig.Run(6000);
                Expect.All(output.SelectMany(static o => o),
                    static channel => Expect.All(channel, static v => Expect.InRange(v, -Limits.MaxVolts, Limits.MaxVolts)));
                Expect.NotEqual(ProcessResult.Error, rig.LastResult);
            }
        }
    }

    public static void The_same_performance_sounds_the_same_at_every_quantum(string id)
    {
        var reference = Perform(16);
        foreach (var quantum in new[] { 32, 64, 128, 256 }) AssertClose(reference, Perform(quantum), Inaudible, $"quantum {quantum}");

        float[][][] Perform(int quantum)
        {
            using var rig = Musical(id, 3, new RigOptions { Quantum = quantum });
            return rig.Run(12_288);
        }
    }

    public static void After_reset_it_repeats_itself_bit_for_bit(string id)
    {
        using var rig = Musical(id, 5);
        var first = rig.Run(8192);
        rig.Reset();
        AssertClose(first, rig.Run(8192), 0, "after reset");
        using var other = Musical(id, 5);
        AssertClose(first, other.Run(8192), 0, "in another instance");
    }

    public static void Numbers_that_are_none_leave_nothing_behind_after_reset(string id)
    {
        foreach (var poison in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue })
        {
            using var rig = Musical(id, 7);
            var clean = rig.Run(4096);
            rig.Reset();
            var musical = rig.Input;
            rig.Input = (_, _, _) => poison;
            rig.Run(1024);
            rig.Input = musical;
            rig.Reset();
            AssertClose(clean, rig.Run(4096), 0, $"after {poison}");
        }
    }

    public static void Silence_decays_to_exact_silence_and_then_to_sleep(string id)
    {
        using var rig = new Rig(id);
        Load(rig);
        rig.Input = (port, channel, frame) => frame < 9600 ? Performance.Musical(2)(port, channel, frame) : 0f;
        rig.Run(9600);
        var d = rig.Descriptor;
        if (rig.Timing.TailFrames < 0 && !d.HasTail) return; // a declared generator
        const long Patience = 40 * 48_000;
        var frames = rig.Timing.TailFrames < 0 ? Patience : Math.Min(Patience, rig.Timing.TailFrames + rig.Timing.LatencyFrames + 64);
        for (long f = 0; f < frames && rig.LastResult != ProcessResult.Sleep; f += 32) rig.Step();
        Expect.Equal(ProcessResult.Sleep, rig.LastResult);
        Expect.All(rig.Run(4800).SelectMany(static o => o), static channel => Expect.All(channel, static v => Expect.Equal(0f, v)));
    }

    public static void Sleep_comes_only_after_zeros_and_a_sleeper_wakes_as_if_it_had_been_awake(string id)
    {
        float[][][] Perform(bool sleeps, out long slept)
        {
            using var rig = new Rig(id, new RigOptions { Quantum = 64, Settings = Short(id) }) { HonoursSleep = sleeps };
            Load(rig);
            Shorten(rig);
            var musical = Performance.Musical(4);
            rig.Input = (port, channel, frame) => frame % 240_000 < 4800 ? musical(port, channel, frame) : 0f;
            var result = rig.Run(480_000);
            slept = rig.Slept;
            return result;
        }

        var awake = Perform(false, out _);
        AssertClose(awake, Perform(true, out var slept), 0, "asleep");
        if (new Rig(id).Timing.TailFrames >= 0) Expect.True(slept > 100, "never slept");
    }

    public static void Nothing_managed_is_allocated_while_it_plays(string id)
    {
        using var rig = Musical(id, 9);
        for (var i = 0; i < 300; i++) rig.Step();
        var before = rig.AllocatedBytes;
        for (var i = 0; i < 1000; i++) rig.Step();
        Expect.Equal(before, rig.AllocatedBytes);
    }

    public static void Each_voice_of_a_wide_cable_sounds_as_it_would_alone(string id)
    {
        const int Voices = 6;
        var d = Subjects.Descriptor(id);
        if (!d.Inputs.Any(static p => p.Rule == ChannelRule.Follow)) return;
        var settings = d.Settings.Any(static s => s.Id == "channels") ? new Dictionary<string, int> { ["channels"] = Voices } : [];
        var wide = d.Inputs.Select(static p => p.Rule == ChannelRule.Follow ? Voices : 1).ToArray();
        using var poly = Musical(id, 11, new RigOptions { Cables = wide, Settings = settings }, events: false);
        var together = poly.Run(6144);
        for (var voice = 0; voice < Voices; voice++)
        {
            using var mono = Musical(id, 11, events: false);
            var musical = Performance.Musical(11);
            var (v, fixedPort) = (voice, d.Inputs.Select(static p => p.Rule == ChannelRule.Fixed).ToArray());
            mono.Input = (port, _, frame) => musical(port, fixedPort[port] ? 0 : v, frame);
            var alone = mono.Run(6144);
            for (var o = 0; o < alone.Length; o++) AssertClose(alone[o][0], together[o][Math.Min(voice, together[o].Length - 1)], 0,
                $"voice {voice} of {d.Outputs[o].Id}");
        }
    }

    public static void A_narrow_cable_is_heard_by_every_voice_and_missing_voices_are_silent(string id)
    {
        var d = Subjects.Descriptor(id);
        var follow = d.Inputs.Select(static p => p.Rule == ChannelRule.Follow).ToArray();
        if (follow.Count(static f => f) < 2) return;
        var settings = d.Settings.Any(static s => s.Id == "channels") ? new Dictionary<string, int> { ["channels"] = 4 } : [];
        var first = Array.IndexOf(follow, true);
        var second = Array.IndexOf(follow, true, first + 1);

        // One rig gets 4, 1 and 2 channels where the other gets the four voices spelled out.
        var musical = Performance.Musical(13);
        var narrow = follow.Select(static _ => 1).ToArray();
        narrow[first] = 4;
        narrow[second] = 2;
        using var a = Musical(id, 13, new RigOptions { Cables = narrow, Settings = settings }, events: false);
        using var b = Musical(id, 13, new RigOptions { Cables = [.. follow.Select(static f => f ? 4 : 1)], Settings = settings },
            events: false);
        b.Input = (port, channel, frame) =>
            port == first ? musical(port, channel, frame)
            : port == second ? channel < 2 ? musical(port, channel, frame) : 0f
            : musical(port, 0, frame);
        AssertClose(a.Run(4096), b.Run(4096), 0, "spelled out");
    }

    public static void Saved_state_brings_back_the_same_instance(string id)
    {
        using var played = Musical(id, 15);
        played.Run(8192);
        var saved = played.SaveState();
        played.Reset();
        Expect.True(played.LoadState(played.Descriptor.Version, saved));
        Expect.Equal(saved, played.SaveState());
        using var fresh = Musical(id, 15);
        Expect.True(fresh.LoadState(fresh.Descriptor.Version, saved));
        Expect.Equal(saved, fresh.SaveState());
        AssertClose(played.Run(8192), fresh.Run(8192), 0, "after load");
    }

    public static void Garbage_for_state_is_refused_and_changes_nothing(string id)
    {
        using var rig = new Rig(id);
        var before = rig.SaveState();
        var random = new Random(17);
        for (var i = 0; i < 500; i++)
        {
            var garbage = new byte[1 + random.Next(64)];
            random.NextBytes(garbage);
            var version = (uint)random.Next(0, 5);
            if (!rig.LoadState(version, garbage)) Expect.Equal(before, rig.SaveState());
            else before = rig.SaveState();
            Expect.False(rig.LoadState(rig.Descriptor.Version + 1, garbage), "read a newer version");
            if (garbage.Length > rig.Descriptor.StateBytes) Expect.False(rig.LoadState(rig.Descriptor.Version, garbage),
                "read more than it ever wrote");
        }
    }

    public static void A_swept_knob_makes_no_step_that_standing_knobs_do_not_make(string id)
    {
        var d = Subjects.Descriptor(id);
        for (var p = 0; p < d.Parameters.Count; p++)
        {
            if (d.Parameters[p].Curve == ParameterCurve.Stepped) continue;
            foreach (var stimulus in Allowances.Sweep(id, d.Parameters[p].Id).Moving ? [Sine] : new[] { Standing, Sine })
                AssertSmooth(id, p, stimulus);
        }
    }

    public static void It_plays_unpatched_and_with_nobody_listening(string id)
    {
        var d = Subjects.Descriptor(id);
        using var rig = new Rig(id,
            new RigOptions { Cables = [.. d.Inputs.Select(static p => p.Kind == PortKind.Device ? 1 : 0)],
            Read = [.. d.Outputs.Select(static _ => false)] });
        Load(rig);
        Expect.All(rig.Run(4800).SelectMany(static o => o),
            static channel => Expect.All(channel, static v => Expect.True(float.IsFinite(v))));
    }

    // During a sweep of 100 ms no step between two samples is larger than 1.5 times the largest one seen with the knob standing at any of
    // seventeen places, plus what a straight line over the output's range would make of it, eight times over. The range is that of the
    // standing knobs and of the sweep itself: behind a DC blocker a standing voltage has none, and what moves there is the sweep alone. A
    // click is not let off by that: it is its whole range within one step.
    private static void AssertSmooth(string id, int parameter, Func<int, int, long, float> stimulus)
    {
        const int Warm = 4096, Sweep = 4800, Places = 17;
        var p = Subjects.Descriptor(id).Parameters[parameter];
        var allowed = Allowances.Sweep(id, p.Id);
        using var rig = new Rig(id, new RigOptions { Quantum = 256 });
        Load(rig);
        rig.Input = stimulus;
        if (id == "sample-player")
        {
            // The step where the ends of a loop meet, or where a recording ends, is its own: loop the whole (it has no seam), cut by a
            // gate.
            rig["mode"] = p.Id is "start" or "length" ? 1 : 2;
            rig.Input = (port, channel, frame) => port == 1 ? 0f : stimulus(port, channel, frame);
        }

        foreach (var (other, value) in Allowances.Calm(id)) rig[other] = value;
        var natural = new double[rig.OutputChannels.Length];
        var range = new double[rig.OutputChannels.Length];
        for (var place = 0; place < Places; place++)
        {
            rig.Reset();
            rig.Values[parameter] = Performance.At(p, place / (Places - 1.0));
            var still = rig.Run(Warm + 2400);
            for (var o = 0; o < still.Length; o++)
            {
                natural[o] = Math.Max(natural[o], LargestStep(still[o][0].AsSpan(Warm)));
                range[o] = Math.Max(range[o], still[o][0].Skip(Warm).Max() - still[o][0].Skip(Warm).Min());
                range[o] = Math.Max(range[o], still[o][0].Skip(Warm).Max(Math.Abs));
            }
        }

        rig.Reset();
        var values = rig.Values;
        rig.Parameter = (i, g) => i != parameter ? values[i] : Performance.At(p, Math.Clamp(((g * 16.0) - Warm) / Sweep, 0.0, 1.0));
        var swept = rig.Run(Warm + Sweep + 1024);
        for (var o = 0; o < swept.Length; o++)
        {
            // A gate is meant to jump: what is only ever 0 or 10 V is one.
            if (Array.TrueForAll(swept[o][0], static v => v is 0f or 10f)) continue;
            var during = swept[o][0].AsSpan(Warm - 16);
            var spread = Math.Max(range[o], Spread(during));
            var bound = (allowed.Factor * natural[o]) + (allowed.Crossings * spread / Sweep) + allowed.Volts + 1e-6;
            var step = LargestStep(during);
            var output = rig.Descriptor.Outputs[o].Id;
            var figures = $"a step of {step:g4} V while swept; at rest {natural[o]:g4} V, allowed {bound:g4} V";
            Expect.True(step <= bound, $"{id}.{p.Id}: output {output} makes {figures}");
        }
    }

    private static double Spread(ReadOnlySpan<float> samples)
    {
        var (least, most) = (samples[0], samples[0]);
        foreach (var v in samples) (least, most) = (Math.Min(least, v), Math.Max(most, v));
        return most - (double)least;
    }

    private static double LargestStep(ReadOnlySpan<float> samples)
    {
        var largest = 0f;
        for (var i = 1; i < samples.Length; i++) largest = Math.Max(largest, Math.Abs(samples[i] - samples[i - 1]));
        return largest;
    }

    private static Rig Musical(string id, int seed, RigOptions? options = null, bool events = true)
    {
        var rig = new Rig(id, options);
        Load(rig);
        rig.Input = Performance.Musical(seed);
        rig.Parameter = Performance.Knobs(rig.Descriptor, seed);
        if (events) rig.Events.AddRange(Performance.Events(seed, 16_384));
        return rig;
    }

    private static Rig Wild(string id, int seed, float volts, RigOptions options)
    {
        var rig = new Rig(id, options);
        Load(rig);
        rig.Input = Performance.Wild(seed, volts);
        rig.Parameter = Performance.Knobs(rig.Descriptor, seed);
        rig.Events.AddRange(Performance.Events(seed, 6000));
        return rig;
    }

    private static int[] RandomCables(string id, int seed) =>
        [.. Subjects.Descriptor(id).Inputs.Select((p, i) => p.Kind == PortKind.Device || p.Rule == ChannelRule.Fixed
            ? 1
            : ((int[])[0, 1, 3, 16])[(int)(Performance.Hash(seed, i, 99) * 4)])];

    // What a module works out of an asset off the RT threads belongs to the asset, not to the state that reset clears: let it finish.
    private static void Load(Rig rig)
    {
        if (rig.Descriptor.Assets.Count == 0) return;
        rig.LoadAsset(48_000, Performance.Recording());
        rig.Run(1024);
        rig.Reset();
    }

    // Settings and knobs that end tails within the test.
    private static Dictionary<string, int> Short(string id) => Allowances.Short(id)
        .Where(s => Subjects.Descriptor(id).Settings.Any(d => d.Id == s.Id)).ToDictionary(static s => s.Id, static s => (int)s.Value);

    private static void Shorten(Rig rig)
    {
        foreach (var (parameter, value) in Allowances.Short(rig.Descriptor.Id))
        {
            if (rig.Descriptor.Parameters.Any(p => p.Id == parameter)) rig[parameter] = value;
        }
    }

    private static void AssertClose(float[][][] expected, float[][][] actual, double tolerance, string what)
    {
        for (var o = 0; o < expected.Length; o++)
        {
            for (var c = 0; c < expected[o].Length; c++) AssertClose(expected[o][c], actual[o][c], tolerance,
                $"{what}, output {o}, channel {c}");
        }
    }

    private static void AssertClose(float[] expected, float[] actual, double tolerance, string what)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs((double)expected[i] - actual[i]) <= tolerance))
                Expect.Fail($"{what}: frame {i} is {actual[i]:r} V instead of {expected[i]:r} V");
        }
    }
}
