// The blocks of sources and sequencers: FM's wiring and reach, pitches of a segment, clocks of steps, triggers, values between samples.
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp.Tests;

public unsafe class SourceBlockTests
{
    [Fact]
    public void Every_algorithm_is_a_wiring_without_loops_in_which_all_six_are_heard()
    {
        var algorithms = stackalloc FmAlgorithm[FmAlgorithms.Count];
        FmAlgorithms.Build(algorithms);
        var seen = new HashSet<string>();
        for (var i = 0; i < FmAlgorithms.Count; i++)
        {
            var a = algorithms + i;
            Assert.Equal(System.Numerics.BitOperations.PopCount((uint)a->Carriers), a->CarrierCount);
            var heard = a->Carriers;
            var text = $"{a->Carriers}:{a->FeedbackFrom}{a->FeedbackTo}:";
            for (var n = 0; n < FmAlgorithm.Operators; n++)
            {
                for (var m = 0; m < 3; m++)
                {
                    var modulator = a->Modulators[(3 * n) + m];
                    text += modulator;
                    if (modulator == FmAlgorithm.Nobody) continue;

                    // Later ones modulate earlier ones: computed from the last to the first there is no loop.
                    Assert.InRange(modulator, n + 1, FmAlgorithm.Operators - 1);
                    if ((heard & (1 << n)) != 0) heard |= 1 << modulator;
                }
            }

            Assert.Equal(0b111111, heard);
            Assert.InRange(a->FeedbackFrom, 0, a->FeedbackTo);
            Assert.True(seen.Add(text), $"algorithm {i + 1} is there twice");
        }
    }

    [Fact]
    public void A_held_pitch_is_to_the_last_bit_what_is_worked_out_in_every_frame()
    {
        var (random, held) = (new Random(1), default(HeldPitch));
        var pitch = stackalloc float[Limits.Grid];
        var fm = stackalloc float[Limits.Grid];
        var turns = stackalloc float[Limits.Grid];
        new Span<float>(fm, Limits.Grid).Clear();
        var (volts, note, fine) = (0f, 0f, 0f);
        for (var round = 0; round < 10_000; round++)
        {
            // Notes rest; what moves moves alone or with others, within the range and far beyond it.
            if (random.Next(3) == 0) volts = (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-3, 5)));
            if (random.Next(3) == 0) note = (float)((random.NextDouble() - 0.5) * 10);
            if (random.Next(3) == 0) fine = (float)((random.NextDouble() - 0.5) * 200);
            new Span<float>(pitch, Limits.Grid).Fill(volts);
            ModulatedPitch.Turns(turns, pitch, fm, new GridRamp(note, note), new GridRamp(fine, fine), default, round % 2 == 0, 48_000f);
            Assert.True(held.TryTurns(pitch, Limits.Grid, ModulatedPitch.Tuning(note, fine), 48_000f, out var still));
            for (var i = 0; i < Limits.Grid; i++) Assert.Equal(BitConverter.SingleToInt32Bits(turns[i]), BitConverter.SingleToInt32Bits(still));
        }

        for (var i = 0; i < Limits.Grid; i++)
        {
            new Span<float>(pitch, Limits.Grid).Fill(1f);
            pitch[i] = 1.0000001f;
            Assert.False(held.TryTurns(pitch, Limits.Grid, 0f, 48_000f, out _));
        }

        new Span<float>(pitch, Limits.Grid).Fill(float.NaN);
        Assert.False(held.TryTurns(pitch, Limits.Grid, 0f, 48_000f, out _));
    }

    [Theory]
    [InlineData(LfoShape.Sine)]
    [InlineData(LfoShape.Triangle)]
    [InlineData(LfoShape.RampUp)]
    [InlineData(LfoShape.RampDown)]
    [InlineData(LfoShape.Square)]
    public void Four_values_of_a_slow_shape_are_each_its_own(LfoShape shape)
    {
        for (var i = 0; i < 40_000; i++)
        {
            var phase = i / 40_000f;
            Assert.Equal(LfoWave.At(shape, phase, 0f, 0f), LfoWave.At(shape, Vector128.Create(phase))[i & 3]);
        }
    }

    [Fact]
    public void An_oscillator_that_rests_for_a_quantum_gives_to_the_last_bit_what_its_segments_do()
    {
        const int Segments = 4;
        var random = new Random(3);
        var table = (float*)NativeMemory.AlignedAlloc((nuint)BlepTable.Bytes, 64);
        var buffers = (float*)NativeMemory.AlignedAlloc(2 * Oscillator.BufferFloats * sizeof(float), 64);
        BlepTable.Build(table);
        Oscillator whole = default, single = default;
        whole.Reset(buffers);
        single.Reset(buffers + Oscillator.BufferFloats);
        var a = stackalloc float[4 * Segments * Limits.Grid];
        var b = stackalloc float[4 * Segments * Limits.Grid];
        var targets = stackalloc float*[4];
        for (var wave = 0; wave < 4; wave++) targets[wave] = a + (wave * Segments * Limits.Grid);
        var (turns, width, waves, rested) = (0.01f, 0.5f, Waves.Sine, 0);
        for (var round = 0; round < 3000; round++)
        {
            if (random.Next(8) == 0) turns = (float)(0.5 * Math.Pow(random.NextDouble(), 6));
            if (random.Next(8) == 0) width = 0.01f + (0.98f * random.NextSingle());
            if (random.Next(8) == 0) waves = (Waves)random.Next(1, 16);
            OscillatorInput input;
            for (var i = 0; i < Limits.Grid; i++) (input.Increment[i], input.Width[i], input.Sync[i]) = (turns, width, -1f);
            var rests = whole.TryRenderStill(buffers, table, turns, width, waves, Segments, targets, 5f);
            rested += rests ? 1 : 0;
            for (var at = 0; at < Segments * Limits.Grid; at += Limits.Grid)
            {
                single.Render(buffers + Oscillator.BufferFloats, table, in input, waves);
                if (!rests) whole.Render(buffers, table, in input, waves);
                for (var wave = 0; wave < 4; wave++)
                {
                    if ((waves & (Waves)(1 << wave)) == 0) continue;
                    single.Take(buffers + Oscillator.BufferFloats, wave, b + (wave * Segments * Limits.Grid) + at, 5f);
                    if (!rests) whole.Take(buffers, wave, targets[wave] + at, 5f);
                    for (var i = at; i < at + Limits.Grid; i++)
                        Assert.Equal(BitConverter.SingleToInt32Bits(b[(wave * Segments * Limits.Grid) + i]), BitConverter.SingleToInt32Bits(targets[wave][i]));
                }
            }
        }

        Assert.InRange(rested, 1000, 2900);
        NativeMemory.AlignedFree(table);
        NativeMemory.AlignedFree(buffers);
    }

    [Theory]
    [InlineData(0.001)]
    [InlineData(0.02)]
    [InlineData(0.1)]
    [InlineData(0.4)]
    public void A_modulator_is_turned_down_so_far_that_no_sideband_above_80_dB_lies_beyond_the_top(double turns)
    {
        const double Carrier = 0.01, Top = 1.5833;
        for (var index = 0.01; index < 40; index *= 1.3)
        {
            var band = new FmBand(Vector128.Create((float)Carrier));
            band.Add(new FmReach(Vector128.Create((float)index), Vector128.Create((float)turns)));
            var root = (double)band.Root(Vector128.Create((float)Top))[2];
            var played = index * root * root;
            var fits = (int)((Top - Carrier) / turns);
            Assert.InRange(Math.Abs(Bessel(fits + 1, played)), 0, 1.05e-4);
            if (Carrier + ((index + (3 * Math.Sqrt(index)) + 1.7) * turns) < Top) Assert.Equal(1.0, root);

            // As a modulator itself it reaches at least as far as its phase ever turns.
            var reach = band.Fastest(Vector128.Create((float)root), Vector128<float>.Zero)[2];
            Assert.True(reach >= (Carrier + (played * turns)) * 0.9999);
        }
    }

    [Fact]
    public void An_operator_that_nobody_modulates_is_left_alone()
    {
        var band = new FmBand(Vector128.Create(0.3f));
        band.Add(default);
        Assert.Equal(Vector128<float>.One, band.Root(Vector128.Create(1.5f)));
        Assert.Equal(0.3f, band.Fastest(Vector128<float>.One, Vector128<float>.Zero)[0]);
    }

    [Fact]
    public void The_turns_of_a_segment_are_those_of_its_frames_together()
    {
        var random = new Random(3);
        var pitch = stackalloc float[Limits.Grid];
        for (var trial = 0; trial < 200; trial++)
        {
            var (note, cents) = ((float)((random.NextDouble() * 4) - 2), (float)((random.NextDouble() * 200) - 100));
            var sum = 0.0;
            for (var i = 0; i < Limits.Grid; i++)
            {
                pitch[i] = (float)((random.NextDouble() * 6) - 3);
                sum += 261.6255653 * Math.Pow(2.0, pitch[i] + note + (cents / 1200.0)) / 48_000;
            }

            var turns = SegmentPitch.Turns(pitch, new GridRamp(note, note), new GridRamp(cents, cents), 1f / 48_000);
            Assert.Equal(1.0, turns / (sum / Limits.Grid), 2e-6);
        }

        pitch[5] = float.NaN;
        Assert.InRange(SegmentPitch.Turns(pitch, new GridRamp(0f, 0f), new GridRamp(0f, 0f), 1f / 48_000), 0f, 0.5f);
        for (var i = 0; i < Limits.Grid; i++) pitch[i] = 100f;
        Assert.Equal(0.5f, SegmentPitch.Turns(pitch, new GridRamp(0f, 0f), new GridRamp(0f, 0f), 1f / 48_000));
    }

    [Fact]
    public void A_clock_of_steps_keeps_its_tempo_its_cable_or_the_sixteenths_of_MIDI()
    {
        const double Period = 97.3;
        StepClock clock = default;
        clock.Rewind();
        for (int frame = 0, steps = 0; frame < 10_000; frame++)
        {
            var due = Math.Ceiling((steps * Period) - 1e-6) == frame;
            Assert.Equal(due, clock.Next(0f, false, Period));
            if (due) steps++;
        }

        // A cable rules; the period is what lies between its rises.
        for (var frame = 0; frame < 1000; frame++)
            Assert.Equal(frame % 50 == 20, clock.Next(frame % 50 is >= 20 and < 30 ? 10f : 0f, true, Period));
        Assert.Equal(50.0, clock.Period);

        // The first tick of a MIDI clock is a step, and each sixth after it; stop stops, start begins anew.
        clock = default;
        clock.Rewind();
        for (var tick = 0; tick < 60; tick++)
        {
            clock.Take(new ModuleEvent { Kind = EventKind.Clock }, false);
            Assert.Equal(tick % 6 == 0, clock.Next(0f, false, Period));
        }

        clock.Take(new ModuleEvent { Kind = EventKind.Stop }, false);
        clock.Take(new ModuleEvent { Kind = EventKind.Clock }, false);
        Assert.False(clock.Next(0f, false, Period));
        Assert.True(clock.Take(new ModuleEvent { Kind = EventKind.Start }, false));
        clock.Take(new ModuleEvent { Kind = EventKind.Clock }, false);
        Assert.True(clock.Next(0f, false, Period));
    }

    [Fact]
    public void A_trigger_lasts_a_millisecond()
    {
        TriggerPulse pulse = default;
        Assert.True(pulse.AtRest);
        pulse.Fire(TriggerPulse.Frames(48_000f));
        for (var i = 0; i < 48; i++) Assert.Equal(TriggerPulse.Volts, pulse.Next());
        Assert.Equal(0f, pulse.Next());
        Assert.True(pulse.AtRest);
    }

    [Fact]
    public void Hermite_is_exact_for_parabolas_and_on_samples()
    {
        static double Curve(double x) => 0.3 - (1.7 * x) + (0.9 * x * x);
        for (var t = 0f; t < 1f; t += 0.01f)
            Assert.Equal(Curve(t), Hermite.At((float)Curve(-1), (float)Curve(0), (float)Curve(1), (float)Curve(2), t), 1e-6);
        Assert.Equal(0.7f, Hermite.At(5f, 0.7f, -3f, 2f, 0f));
    }

    [Fact]
    public void A_linear_svf_is_its_analogue_prototype_bent_by_the_bilinear_transform()
    {
        const int Frames = 8192;
        var (g, k) = ((float)Math.Tan(Math.PI * 0.07), 0.4f);
        LinearSvf filter = default;
        var low = new double[Frames];
        var (vg, vk) = (Vector128.Create(g), Vector128.Create(k));
        for (var i = 0; i < Frames; i++)
        {
            filter.Next(i == 0 ? Vector128<float>.One : Vector128<float>.Zero, vg, vk, LinearSvf.Inverse(vg, vk), out var l, out _, out _);
            low[i] = l[1];
        }

        foreach (var f in new[] { 0.001, 0.02, 0.07, 0.1, 0.3 })
        {
            var (re, im) = (0.0, 0.0);
            for (var i = 0; i < Frames; i++)
            {
                var (sine, cosine) = Math.SinCos(2 * Math.PI * f * i);
                (re, im) = (re + (low[i] * cosine), im - (low[i] * sine));
            }

            var s = Math.Tan(Math.PI * f) / g;
            Assert.Equal(1.0 / Math.Sqrt(Math.Pow(1 - (s * s), 2) + Math.Pow(k * s, 2)), Math.Sqrt((re * re) + (im * im)), 2e-4);
        }
    }

    // J_n(x) by its integral.
    private static double Bessel(int n, double x)
    {
        double sum = 0;
        for (var i = 0; i < 4000; i++)
        {
            var t = Math.PI * (i + 0.5) / 4000;
            sum += Math.Cos((n * t) - (x * Math.Sin(t)));
        }

        return sum / 4000;
    }
}
